"""Turn the course's text into executed notebooks: the same sources, outputs and ids each time.

`python docs/build.py` builds every chapter and its solutions; numbers such as `01` build only
those. Before it does, numbers and tables are brought in step with notebooks/source/course.toml, and
`--renumber` does nothing else. `--links` writes the repository's address from pyproject.toml
wherever it is needed.
"""

import argparse
import copy
import html
import re
import sys
import time
import tomllib
from pathlib import Path

import contents
import jupytext
import lecturers
import nbformat
import numpy as np
from contents import NOTEBOOKS, README, ROOT, SOURCE
from nbclient import NotebookClient
from players import WIDGET

from emtools import arrays, data
from emtools.course import plots
from emtools.mixture import Mixture

MYST = {"extension": ".md", "format_name": "myst"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}


def main(arguments=None):
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="numbers, such as 01; all unless given")
    parser.add_argument("--renumber", action="store_true", help="carry the table's numbers through")
    parser.add_argument("--links", action="store_true", help="write the repository's address")
    parser.add_argument("--into", type=Path, default=NOTEBOOKS, help="where the notebooks go")
    options = parser.parse_args(arguments)
    if options.links:
        write_links()
        return
    if options.into == NOTEBOOKS:
        follow_the_table()
    if not options.renumber:
        build_all(options.chapters, options.into)


def follow_the_table():
    """Bring numbers and tables in step with course.toml, and say what to read again."""
    for line in contents.renumber():
        print(f"read again: {line}")
    contents.write_tables()
    lecturers.main()


def build_all(numbers, folder):
    """Build the chapters with these numbers, or all, into a folder."""
    known = {text.name[:2] for text in chapters()}
    if unknown := [number for number in numbers if number not in known]:
        sys.exit(f"no chapter is called {' or '.join(unknown)}")
    (folder / "solutions").mkdir(parents=True, exist_ok=True)
    for text in chapters():
        if not numbers or text.name[:2] in numbers:
            build(text, folder)
    check_memory()
    if folder == NOTEBOOKS:
        draw_readme_picture()


def check_memory():
    """Stop if a kernel has held more than a reader's machine may have to spare, 1 GB."""
    if sys.platform != "linux":  # where this is counted in kB
        return
    import resource

    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    if largest > 1:
        sys.exit(f"a chapter needed {largest:.1f} GB; 1 GB is the most there should be")


def chapters():
    """The texts of all chapters, in order."""
    return sorted(SOURCE.glob("[0-9][0-9]_*.md"))


def build(text, folder):
    """Write a chapter's notebook and, if it has exercises, the one with their solutions."""
    chapter = read_text(text)
    if folder == NOTEBOOKS:  # the text as jupytext writes it when JupyterLab saves the chapter
        text.write_text(as_saved(chapter), encoding="utf-8")
    places = {folder / f"{text.stem}.ipynb": chapter}
    answers = SOURCE / "answers" / text.name
    if answers.exists():
        places[folder / "solutions" / f"{text.stem}.ipynb"] = solve(read_text(text), answers)
    began = time.monotonic()
    execute(*places.values())
    print(f"{text.stem}: {time.monotonic() - began:.0f} s", flush=True)
    for path, notebook in places.items():
        write_notebook(notebook, path)


def as_saved(chapter):
    """The text that a save in JupyterLab writes, which marks each cell with its language."""
    saved = copy.deepcopy(chapter)
    saved.metadata["language_info"] = LANGUAGE
    return jupytext.writes(saved, fmt=MYST)


def read_text(path):
    """Read a MyST text as a notebook whose cells are called <stem>-NNN."""
    notebook = jupytext.read(path, fmt=MYST)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"{path.stem}-{number:03}"
    return notebook


def solve(chapter, answers):
    """Put each answer, from the text at this path, in the place of the stub that has its name."""
    answers = read_text(answers).cells
    cells = {cell.metadata["name"]: cell for cell in answers if "name" in cell.metadata}
    stubs = {cell.metadata.get("name"): cell for cell in chapter.cells if is_stub(cell)}
    if set(cells) != set(stubs):
        raise ValueError(f"stubs are named {sorted(stubs)}, answers {sorted(cells)}")
    for name, stub in stubs.items():
        stub.source = cells[name].source
    for cell in chapter.cells:  # solutions stand one folder deeper than their chapter
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](../docs/", "](../../docs/")
    # A solution is one notebook and no text: JupyterLab is told not to pair it.
    chapter.metadata["jupytext"] = {"formats": "ipynb"}
    return chapter


def is_stub(cell):
    """Whether the reader fills this cell in."""
    return "exercise" in cell.metadata.get("tags", [])


def execute(chapter, solved=None):
    """Run a chapter and its solutions in one kernel; then take out what differs from run to run.

    Up to the first stub they are the same, and run once. Then come the rest of the chapter and,
    with every name as it was at the first stub, the rest of the solutions.
    """
    stubs = [place for place, cell in enumerate(chapter.cells) if is_stub(cell)]
    parting = stubs[0] if solved else len(chapter.cells)
    client = NotebookClient(
        chapter,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # one text per cell, however the kernel cuts it up
        extra_arguments=["--log-level=ERROR"],  # it warns that it talks over TCP
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    client.reset_execution_trackers()
    with client.setup_kernel():
        run(client, chapter, 0, parting)
        if solved:
            run_aside(client, REMEMBER)
            run(client, chapter, parting, len(chapter.cells))
            run_aside(client, RECALL)
            solved.cells[:parting] = with_outputs(solved.cells[:parting], chapter.cells)
            run(client, solved, parting, len(solved.cells))
    for notebook in filter(None, (chapter, solved)):
        settle(notebook)


# What a kernel runs between the notebooks' cells: no name the stubs made reaches the solutions.
REMEMBER = "import sys; sys.at_first_stub = dict(globals()); del globals()['sys']"
RECALL = """(lambda names, before: (names.clear(), names.update(before)))(
    globals(), __import__("sys").at_first_stub)"""


def run(client, notebook, first, end):
    """Run the code cells from the first place to before the end."""
    client.nb = notebook  # where it puts what the cells print
    for place, cell in enumerate(notebook.cells[:end]):
        if place >= first and cell.cell_type == "code":
            before = notebook.cells[:place]
            count = 1 + sum(cell.cell_type == "code" for cell in before)
            client.execute_cell(cell, place, execution_count=count)


def run_aside(client, code):
    """Run code that belongs to no notebook."""
    client.nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    client.execute_cell(client.nb.cells[0], 0, store_history=False)


def with_outputs(cells, executed):
    """Cells, each with the outputs of the same cell in an executed notebook."""
    for cell, source in zip(cells, executed, strict=False):
        if cell.cell_type == "code":
            cell.outputs = copy.deepcopy(source.outputs)
            cell.execution_count = source.execution_count
    return cells


def settle(notebook):
    """Take out of an executed notebook what differs from run to run; give pictures alt text."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = LANGUAGE
    models = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            settle_output(output, cell, models)


def settle_output(output, cell, models):
    """Count an output as its cell is counted, number a widget's model, say what a picture shows."""
    if "execution_count" in output:  # the kernel has run other cells in between
        output.execution_count = cell.execution_count
    data = output.get("data", {})
    if WIDGET in data:
        model = data[WIDGET]["model_id"]
        data[WIDGET]["model_id"] = models.setdefault(model, f"{len(models) + 1:032}")
    if "drawn" in output.get("metadata", {}).get("text/html", {}):
        drawn = output.metadata.pop("text/html")["drawn"]
        if "mystnb" in cell.metadata:
            cell.id = f"{cell.id}-{drawn}"  # JupyterLab tells a kernel which cell it runs
            words = cell.metadata["mystnb"]["image"]["alt"]
            data["text/html"] = with_alt(data["text/html"], words)


def with_alt(picture, words):
    """The HTML of a picture, with the text's words in place of those that list its parts."""
    return re.sub('alt="[^"]*"', lambda _: f'alt="{html.escape(words)}"', picture, count=1)


def write_notebook(notebook, path):
    """Write a notebook that nbformat accepts, with a newline at its end."""
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def draw_readme_picture():
    """Draw the step player's frames for the README."""
    x = data.waiting()
    path = [Mixture(*np.array([[0.5, 0.5], [77.0, 53.0], [x.std(), x.std() / 2]]))]
    for _ in range(100):
        path.append(arrays.m_step(x, arrays.e_step(x, path[-1])))
    figure, axes = plots.new_figure(3, 2, height=7, sharex=True, sharey=True)
    plots.draw_path(axes, x, path, (0, 1, 2, 5, 25, 100), mark=66)
    (ROOT / "docs/step_player.png").write_bytes(plots.as_png(figure))


def repository():
    """Owner and name of the repository, from its one place in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address = project["urls"]["Repository"]
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?", address)
    if found is None:
        sys.exit(f"pyproject.toml: Repository = {address!r} is no https://github.com/OWNER/REPO")
    return found[1]


def has_address():
    """Whether pyproject.toml says where the repository is."""
    return repository() != "OWNER/REPO"


def web_address():
    """Where GitHub Pages has the book."""
    owner, _, name = repository().partition("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def write_links():
    """Put the repository's address where CITATION.cff has another one, everywhere."""
    citation = ROOT / "CITATION.cff"
    old = re.search(r"https://github\.com/([\w.-]+/[\w.-]+)", citation.read_text("utf-8"))[1]
    hosts = ("github.com", "mybinder.org/v2/gh", "colab.research.google.com/github")
    for path in [README, citation, *(ROOT / "docs/pages").glob("*.md"), *chapters()]:
        text = path.read_text(encoding="utf-8")
        for host in hosts:
            whole = re.escape(f"https://{host}/{old}") + r"(?![\w-])"
            text = re.sub(whole, f"https://{host}/{repository()}", text)
        contents.write_if_other(path, text)
    contents.write_if_other(README, with_web_places(README.read_text(encoding="utf-8")))


ON_THE_WEB = "<!-- on the web: `make links` writes it, from the address in pyproject.toml -->"


def with_web_places(readme):
    """The README with the line after its comment saying where the course is on the web."""
    return re.sub(f"{re.escape(ON_THE_WEB)}\n.*", lambda _: f"{ON_THE_WEB}\n{web_places()}", readme)


def web_places():
    """Where the course is on the web; while it has no address, what to type instead."""
    if not has_address():
        return (
            "- **As a book, as a PDF, in the browser**: `make book`, `make pdf`, `make lite`. On "
            "the web they have no address yet."
        )
    book = web_address()
    first = "HEAD?urlpath=lab/tree/notebooks/00_start_here.ipynb"
    return (
        f"- **On the web**: [the book]({book}), the same [as a PDF]({book}em-course.pdf), "
        f"[Python in the browser]({book}lite/), which needs no server, and "
        f"[Binder](https://mybinder.org/v2/gh/{repository()}/{first}), which lends you one."
    )


if __name__ == "__main__":
    main()
