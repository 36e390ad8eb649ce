"""Turn the stored notebooks into a web site that reads offline, and into a PDF.

`python docs/book.py` runs no notebook. It writes what Sphinx reads (chapters, solutions, pages of
docs/pages, reference) to a folder of its own, and the site to build/book. `--pdf` prints the course
as build/book/em-course.pdf, too; `--draft` draws only a few places of each player. Nothing is
replaced unless all of it could be built, and nothing but a book.
"""

import argparse
import base64
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path

import contents
import nbformat
import players
import reference
from bs4 import BeautifulSoup
from build import has_address, is_stub, repository, web_address
from contents import NOTEBOOKS, PAGES, ROOT, numbered, written
from sphinx.cmd.build import main as sphinx

DOCS = ROOT / "docs"
BUILD = ROOT / "build"
PDF = "em-course.pdf"
MOST, MOST_A_PAGE = 30, 3  # megabytes


def main(arguments=None):
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pdf", action="store_true", help="print the course on paper, too")
    parser.add_argument("--draft", action="store_true", help="few places of each player")
    parser.add_argument("--into", type=Path, default=BUILD / "book", help="where the site goes")
    parser.add_argument("--cache", type=Path, default=players.CACHE, help="keeps drawn players")
    options = parser.parse_args(arguments)
    into = options.into.resolve()
    if into.exists() and not (into / "searchindex.js").exists():
        sys.exit(f"{into} is there, and no book: name another folder")
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{into.name}-", dir=into.parent) as work:
        site = build_book(Path(work), options)
        shutil.rmtree(into, ignore_errors=True)
        site.rename(into)
    print(f"{into}/index.html: {megabytes(into.rglob('*')):.1f} MB")
    if not has_address():
        print("Without an address in pyproject.toml no chapter has links to Binder, Colab, ...")


def build_book(work, options):
    """Build the book in a folder that is there for this alone; return where in it the site is."""
    sources, site = work / "source", work / "site"
    places = 3 if options.draft else None
    prepare(sources, players.draw_all(sources, places, options.cache), with_pdf=options.pdf)
    build_site(sources, site)
    if options.pdf:
        import paper

        paper.print_course(site, site / PDF)
    check_sizes(site)
    return site


def build_site(sources, folder):
    """Let Sphinx turn the prepared sources into a site; stop at its first complaint."""
    doctrees = folder.with_name(f"{folder.name}-doctrees")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(DOCS), "-d", str(doctrees)]
    if sphinx([*options, str(sources), str(folder)]):
        sys.exit("the book was not built: see what Sphinx says above")
    shutil.copytree(sources / players.FOLDER, folder / players.FOLDER)
    for path in folder.rglob("*.map"):  # for those who mend the theme's scripts
        path.unlink()


def check_sizes(site):
    """Stop if a page, or the whole site, is more than a slow line carries.

    A page counts with its pictures and frames. Scripts, fonts and styles that all pages share are
    fetched once and not counted: 3.8 MB on a page with formulas.
    """
    for page in site.rglob("*.html"):
        pictures = re.findall(r'src="(?:\.\./)*(_images/[^"]+)"', page.read_text(encoding="utf-8"))
        frames = (site / players.FOLDER / page.stem).rglob("*") if page.parent == site else ()
        if (size := megabytes([page, *(site / name for name in pictures), *frames])) > MOST_A_PAGE:
            sys.exit(f"{page.name} has {size:.1f} MB with its pictures; {MOST_A_PAGE} is the most")
    if (size := megabytes(site.rglob("*"))) > MOST:
        sys.exit(f"the book has {size:.1f} MB; {MOST} is the most")


def megabytes(paths):
    """What files weigh."""
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


# What Sphinx reads


def prepare(folder, drawn, with_pdf=False):
    """Write everything that Sphinx reads into a folder that has the frames of drawn players."""
    for name in ("solutions", "api", "downloads"):
        (folder / name).mkdir(parents=True)
    for path in DOCS.glob("*.png"):
        shutil.copy(path, folder)
    for chapter in written():
        write_chapter(chapter, folder, drawn)
    write(folder / "chapters.md", chapters_page())
    write(folder / "solutions/index.md", solutions_page())
    for name, text in reference.pages().items():
        write(folder / "api" / name, text)
    for name in PAGES:
        write(folder / f"{name}.md", page_text(name))
    write(folder / "index.md", page_text("index") + front_contents(with_pdf))


def write(path, text):
    """Write a text as the rest of the repository is written."""
    path.write_text(text, encoding="utf-8", newline="\n")


def solved(chapter):
    """Where a chapter's solutions are stored, if it has any."""
    path = NOTEBOOKS / "solutions" / f"{contents.stem(chapter)}.ipynb"
    return path if path.exists() else None


# Chapters and solutions


def write_chapter(chapter, folder, drawn):
    """Write a chapter and its solutions as pages, and the notebooks to be downloaded."""
    name = f"{contents.stem(chapter)}.ipynb"
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    shutil.copy(NOTEBOOKS / name, folder / "downloads" / name)
    settle(notebook, name)
    show_players(notebook, drawn.get(contents.stem(chapter), []))
    if solved(chapter):
        solutions = nbformat.read(solved(chapter), as_version=4)
        settle(solutions, f"solutions/{name}")
        nbformat.write(solutions_of(chapter, solutions), folder / "solutions" / name)
        link_exercises(chapter, notebook)
    rest = notebook.cells[0].source.splitlines()[1:]
    notebook.cells[0].source = "\n".join([f"# {numbered(chapter)}", "", launches(chapter), *rest])
    nbformat.write(notebook, folder / name)


def settle(notebook, name):
    """Turn what only a notebook can show into what a page can show."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((?:\.\./)+docs/", "](", cell.source)
        for output in cell.get("outputs", []):
            if "data" in output:
                settle_picture(output.data, output.metadata, cell, name)


def settle_picture(data, metadata, cell, name):
    """Make a picture a PNG whose words stand in its cell's metadata, where MyST-NB reads them."""
    alt = metadata.get("image/png", {}).get("alt", "")
    image = BeautifulSoup(data.get("text/html", ""), "html.parser").find("img")
    if image and image["src"].startswith("data:image/png;base64,"):
        data["image/png"], alt = image["src"].partition(",")[2], image.get("alt", "")
        del data["text/html"]
    if "image/png" in data:
        if not alt.strip():
            sys.exit(f"{name}, cell {cell.id}: a picture without words; give mystnb: image: alt:")
        data["image/png"] = lighter(data["image/png"])
        cell.metadata["mystnb"] = {"image": {"alt": alt}}


def lighter(png):
    """A PNG in base64, with fewer colours: less than half its size."""
    file = io.BytesIO()
    players.few_colours(base64.b64decode(png)).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def show_players(notebook, drawn):
    """Put a player made of files in the place of each one that needs a kernel."""
    places = [notebook.cells[index] for index in players.widget_cells(notebook)]
    for cell, markup in zip(places, drawn, strict=True):
        cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": markup})]


def link_exercises(chapter, notebook):
    """Let each exercise lead to its solution."""
    number = chapter["number"]
    for index, stub in reversed(list(enumerate(notebook.cells))):
        if is_stub(stub):
            name, text = stub.metadata["name"], notebook.cells[index - 1]
            count = label_exercise(text, f"exercise-{number}-{name}")
            link = f"[Solution of exercise {count}](#solution-{number}-{name})"
            notebook.cells.insert(index + 2, nbformat.v4.new_markdown_cell(link))


def label_exercise(text, label):
    """Make the exercise in a cell of text a place to lead to; return its number."""
    beginning = re.search(r"^\*\*(\d+)\. ", text.source, re.MULTILINE)
    start = beginning.start()
    text.source = f"{text.source[:start]}({label})=\n{text.source[start:]}"
    return beginning[1]


def solutions_of(chapter, notebook):
    """Of a solved chapter its exercises alone, each with a way back."""
    number = chapter["number"]
    first, end = (section(notebook, title) for title in ("Exercises", "Further reading"))
    notebook.cells = notebook.cells[first:end]
    for index, cell in reversed(list(enumerate(notebook.cells))):
        if is_stub(cell):
            exercise = cell.metadata["name"]
            count = label_exercise(notebook.cells[index - 1], f"solution-{number}-{exercise}")
            link = f"[Back to exercise {count} in chapter {number}](#exercise-{number}-{exercise})"
            notebook.cells.insert(index + 2, nbformat.v4.new_markdown_cell(link))
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((?=\d\d_\w+\.ipynb)", "](../", cell.source)
    path = solved(chapter).relative_to(ROOT).as_posix()
    title = f"# Solutions of {numbered(chapter)}\n\nThe whole chapter, solved: "
    title += f"{elsewhere(f'`{path}`', path)}."
    first = notebook.cells[0]
    first.source = first.source.replace("## Exercises", title, 1)
    return notebook


def section(notebook, title):
    """The place of the cell in which a section begins."""
    sources = (cell.source for cell in notebook.cells)
    return next(i for i, source in enumerate(sources) if source.startswith(f"## {title}"))


# Pages that are no chapters


def launches(chapter):
    """A line of ways to run a chapter; those that need the repository's address, if it has one."""
    name = f"{contents.stem(chapter)}.ipynb"
    ways = [f"{{download}}`Download the notebook <downloads/{name}>`"]
    if has_address():
        ways += [f"[{way}]({address})" for way, address in clouds(name).items()]
    if solved(chapter):
        ways += [f"[Solutions](solutions/{name})"]
    ways += ["[What each way needs](launch.md)"]
    return "{.em-launch}\n" + "\n".join(f"- {way}" for way in ways)


def clouds(name):
    """Where a notebook runs without anything installed, each with its address."""
    colab = f"https://colab.research.google.com/github/{repository()}/blob/HEAD/notebooks/{name}"
    return {
        "Run it in this browser": f"{web_address()}lite/lab/index.html?path=notebooks/{name}",
        "on Binder": f"https://mybinder.org/v2/gh/{repository()}/HEAD?urlpath=lab/tree/notebooks/{name}",
    } | ({"on Colab": colab} if not name.startswith("00") else {})  # which reads a file beside it


def chapters_page():
    """The chapters in a table, and by walks as the contents of this part."""
    rows = [row.replace("](notebooks/", "](") for row in contents.readme_rows()]
    chapters, lines = written(), ["# Chapters", "", f"{walks()} Minutes are those of reading,"]
    lines += ["then those of the exercises.", "", *rows, ""]
    for walk in contents.course()["walk"]:
        last = [chapter["file"] for chapter in chapters].index(walk["last"]) + 1
        lines += toctree(chapters[:last], walk["name"].capitalize())
        chapters = chapters[last:]
    return "\n".join(lines)


def walks():
    """How far one comes in which time."""
    numbers = {chapter["file"]: chapter["number"] for chapter in written()}
    ways = [
        f"{w['name']} from {numbers[w['first']]} to {numbers[w['last']]}"
        for w in contents.course()["walk"]
    ]
    first = f"[chapter 00]({contents.stem(written()[0])}.ipynb)"
    return f"Walks: {'; '.join(ways)}. The shortest leaves parts out; {first} says which."


def toctree(chapters, caption, folder=""):
    """A part of the contents, not shown where it stands."""
    entries = [f"{numbered(c)} <{folder}{contents.stem(c)}>" for c in chapters]
    return ["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```", ""]


def solutions_page():
    """The solutions as the contents of their part."""
    chapters = [chapter for chapter in written() if solved(chapter)]
    lines = ["# Solutions", "", "Each passes the check of its exercise, in which several answers"]
    lines += ["may be right.", ""]
    lines += [f"- [{numbered(c)}]({contents.stem(c)}.ipynb)" for c in chapters]
    return "\n".join([*lines, "", *toctree(chapters, "Solutions")])


def front_contents(with_pdf):
    """What stands under the first page: the PDF, if there is one, and the parts of the book."""
    line = f'- <a href="{PDF}">All of it as one PDF</a>, with page numbers, to be printed.'
    parts = ["chapters", "solutions/index", "api/index"]
    parts += [f"{title} <{name}>" for name, title in PAGES.items()]
    return "\n".join([line * with_pdf, "", "```{toctree}", ":hidden:", "", *parts, "```", ""])


def page_text(name):
    """A page of docs/pages, with links into the repository as the book has them."""
    text = (DOCS / "pages" / f"{name}.md").read_text(encoding="utf-8")
    text = re.sub(r"\]\(\.\./(?=\w+\.png)", "](", text)
    text = text.replace("](../../notebooks/solutions/", "](solutions/")
    if has_address():
        place = "part of the book on the web"
        text = text.replace(place, f"[{place}]({web_address()}lite/index.html)")
    text = re.sub(r"\]\(\.\./\.\./notebooks/(?=\d\d_\w+\.ipynb)", "](", text)
    return re.sub(r"\[([^]]+)\]\(\.\./\.\./([^)]+)\)", lambda link: elsewhere(*link.groups()), text)


def elsewhere(words, path):
    """A link to a file of the repository that is not in the book; its place, without an address."""
    if has_address():
        return f"[{words}](https://github.com/{repository()}/blob/HEAD/{path})"
    return words if words == f"`{path}`" else f"{words} (`{path}`)"


if __name__ == "__main__":
    main()
