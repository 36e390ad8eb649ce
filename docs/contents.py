"""The one table of contents, notebooks/source/course.toml: what is made from it, and renumbering.

A chapter's number stands in its files' names and wherever a text, a docstring or a message speaks
of it. `renumber` changes all of them at once to the numbers of the table.
"""

import re
import tomllib
from functools import partial
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCE = NOTEBOOKS / "source"
README = ROOT / "README.md"

TITLE = "Expectation-Maximization, step by step"
# Pages of docs/pages that the book has beside its first, in order, with short titles.
PAGES = {"launch": "Ways to start", "lecturers": "For lecturers", "accessibility": "Accessibility"}

BEGIN = "<!-- chapters: `make notebooks` writes them from notebooks/source/course.toml -->"
END = "<!-- end of chapters -->"

# What every chapter has; the top of course.toml says what each is.
KEYS = (
    "number",
    "file",
    "title",
    "question",
    "reading",
    "exercises",
    "needs",
    "modules",
    "written",
)

# Files in which a chapter may be spoken of; course.toml is where its number is changed.
SPEAKING = {".ipynb", ".md", ".py", ".yml"}
FOLDERS = ("docs", "emtools", "notebooks", "tests", ".github")
TOP = ("README.md", "Makefile", "environment.yml")

# Between a word and its number a line may end, and with it a comment or a string. In the name of a
# variable there is a low line.
GAP = r"(?:\s|[\"'#_])+"
MENTION = re.compile(
    rf"\b[Cc]hapter{GAP}\d\d\b|"
    rf"\b[Cc]hapters{GAP}\d\d\b(?:,{GAP}\d\d\b)*(?:,?{GAP}(?:and|or|to){GAP}\d\d\b)*"
)


def course():
    """The table as it is written: its chapters, walks and whole modules."""
    return tomllib.loads((SOURCE / "course.toml").read_text(encoding="utf-8"))


def chapters():
    """All chapters, planned ones too, in the order of their numbers.

    Each has all it must have, a number and a file of its own, and needs what there is.
    """
    found = course()["chapter"]
    for place, chapter in enumerate(found, start=1):
        missing = [key for key in KEYS if key not in chapter]
        if missing:
            name = chapter.get("file", f"[[chapter]] number {place} from the top")
            raise ValueError(f"course.toml: {name} has no {', '.join(missing)}")
    for key, other in (("number", "file"), ("file", "number")):
        for before, after in pairwise(sorted(found, key=itemgetter(key))):
            if before[key] == after[key]:
                both = f"{before[other]} and {after[other]}"
                raise ValueError(f"course.toml has {key} {after[key]} twice: {both}")
    files = {chapter["file"] for chapter in found}
    for chapter in found:
        for file in chapter["needs"]:
            if file not in files:
                message = f"course.toml: {chapter['file']} needs {file}, which is no chapter"
                raise ValueError(message)
    return sorted(found, key=itemgetter("number"))


def written():
    """The chapters that there are, in order."""
    return [chapter for chapter in chapters() if chapter["written"]]


def stem(chapter):
    """The name of a chapter's text, answers and notebooks, without their endings."""
    return f"{chapter['number']}_{chapter['file']}"


def numbered(chapter):
    """A chapter's title with its number, by which texts speak of it."""
    return f"{chapter['number']} {chapter['title']}"


# Tables made from it


def write_tables():
    """Put the chapters between the two comments in the README and in the first chapter's text.

    The README says how many hours they take, too.
    """
    first = SOURCE / f"{stem(chapters()[0])}.md"
    for path, rows in ((README, readme_rows()), (first, first_chapter_rows())):
        write_if_other(path, with_rows(path.read_text(encoding="utf-8"), rows))
    write_if_other(README, with_hours(README.read_text(encoding="utf-8")))


def with_hours(text):
    """A text with the hours that the written chapters take, where it speaks of them."""
    hours = (round(sum(c[kind] for c in written()) / 60) for kind in ("reading", "exercises"))
    said = "about {} hours to read, and {} more for the exercises".format(*hours)
    return re.sub(r"about \d+ hours to read, and \d+ more for the exercises", said, text)


def with_rows(text, rows):
    """A text with these rows in place of those between its two comments."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the text must hold {BEGIN} and, below it, {END}")
    return "\n".join([before + BEGIN, "", *rows, "", END + after])


def readme_rows():
    """Every chapter: minutes, question and modules."""
    yield "| chapter | minutes + exercises | what it answers | what it leaves in `emtools` |"
    yield "|---|---|---|---|"
    for chapter in chapters():
        modules = ", ".join(f"`{module}`" for module in chapter["modules"])
        cells = (linked(chapter, "notebooks/"), minutes(chapter), chapter["question"], modules)
        yield "| " + " | ".join(cells).rstrip() + " |"


def first_chapter_rows():
    """Every written chapter: minutes, and the numbers of those it needs."""
    numbers = {chapter["file"]: chapter["number"] for chapter in chapters()}
    yield "| chapter | minutes + exercises | needs |"
    yield "|---|---|---|"
    for chapter in written():
        needs = ", ".join(numbers[file] for file in chapter["needs"]) or "nothing"
        needs += "; optional" if chapter.get("optional") else ""
        yield f"| {linked(chapter)} | {minutes(chapter)} | {needs} |"


def linked(chapter, folder=""):
    """Number and title, with a link if there is something to read."""
    name = numbered(chapter)
    return f"[{name}]({folder}{stem(chapter)}.ipynb)" if chapter["written"] else name


def minutes(chapter):
    """Minutes to read a chapter, and those for its exercises; or that it is planned."""
    if not chapter["written"]:
        return "planned"
    return " + ".join(str(m) for m in (chapter["reading"], chapter["exercises"]) if m)


# Renumbering


def renumber():
    """Bring file names, links and every "chapter NN" in step with the table, all at once.

    Returns
    -------
    list of str
        Lines to look at by hand: ranges of chapters whose ends have moved, and chapters that the
        table no longer has.
    """
    stems = misnamed()
    numbers = {old: new for old, new in moved().items() if old != new}
    doubtful = []
    for path in speaking_files() if stems or numbers else ():
        text = path.read_text(encoding="utf-8")
        change = partial(renumbered, numbers=numbers, stems=stems)
        if path.suffix == ".ipynb":
            write_if_other(path, in_notebook(text, change))
            continue
        name = path.relative_to(ROOT).as_posix()
        doubtful += [f"{name}: {mention}" for mention in doubtful_mentions(text, numbers)]
        write_if_other(path, change(text))
    for old, new in stems.items():
        for path in files_called(old):
            path.rename(path.with_stem(new))
    return doubtful


def misnamed():
    """Stems on disk that differ from the table's, each with the one it should have."""
    by_file = {chapter["file"]: stem(chapter) for chapter in chapters()}
    on_disk = [path.stem for path in SOURCE.glob("[0-9][0-9]_*.md")]
    return {old: by_file[old[3:]] for old in on_disk if by_file.get(old[3:], old) != old}


def moved():
    """Numbers as the README's table has them, and as course.toml has them now (None: gone).

    The README has those of planned chapters, too, of which there is no file; `make notebooks`
    writes it with every other mention.
    """
    table = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = re.findall(r"^\| \[?(\d\d) (.+?)(?:\]\(notebooks/\d\d_(\w+)\.ipynb\))? \|", table, re.M)
    now = {chapter["title"]: chapter["number"] for chapter in chapters()}
    now |= {chapter["file"]: chapter["number"] for chapter in chapters()}
    return {number: now.get(file) or now.get(title) for number, title, file in rows}


def speaking_files():
    """Every text of the repository in which a chapter may be spoken of."""
    deep = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*")]
    unread = {"__pycache__", ".ipynb_checkpoints", "artefacts"}
    return [ROOT / name for name in TOP] + sorted(
        path for path in deep if path.suffix in SPEAKING and not unread & set(path.parts)
    )


def files_called(name):
    """A chapter's text, answers, notebook and solutions."""
    places = (SOURCE, SOURCE / "answers", NOTEBOOKS, NOTEBOOKS / "solutions")
    return [path for place in places for path in place.glob(f"{name}.*")]


def renumbered(text, numbers, stems):
    """A text with every stem and every mention changed in one pass each, so that two may swap."""
    if stems:
        known = "|".join(map(re.escape, stems))
        text = re.sub(rf"(?<!\w)({known})(?![^\W_])", lambda match: stems[match[1]], text)
    return MENTION.sub(lambda mention: with_numbers(mention[0], numbers), text)


def with_numbers(mention, numbers):
    """One mention with its numbers changed."""
    return re.sub(r"\d\d", lambda number: numbers.get(number[0]) or number[0], mention)


def in_notebook(text, change):
    """A notebook, given and returned as text, with each of its strings changed."""
    return nbformat.writes(changed(nbformat.reads(text, as_version=4), change)) + "\n"


def changed(part, change):
    """A part of a notebook with each of its strings changed; pictures speak of nothing."""
    if isinstance(part, str):
        return change(part)
    if isinstance(part, list):
        return [changed(item, change) for item in part]
    if isinstance(part, dict):
        return nbformat.NotebookNode({key: changed(value, change) for key, value in part.items()})
    return part


def doubtful_mentions(text, numbers):
    """Mentions that a person should read again after such a change."""
    for mention in MENTION.findall(text):
        found = re.findall(r"\d\d", mention)
        gone = any(number in numbers and numbers[number] is None for number in found)
        if gone or (re.search(r"\bto\b", mention) and set(found) & set(numbers)):
            now = with_numbers(mention, numbers)
            yield " ".join((mention if now == mention else f"{mention}, now {now}").split())


def write_if_other(path, text):
    """Write a file only if that changes it."""
    if path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8", newline="\n")
