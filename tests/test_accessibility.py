"""The rules that checkers of notebooks hold for readers who listen, for every notebook.

A table in Markdown can have no caption of its own: the paragraph before it, which a screen reader
reads right before the table, is taken for it. The column headers are its first row.
"""

import re
from itertools import groupby, pairwise
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
EVERY = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")) + sorted(NOTEBOOKS.glob("solutions/*.ipynb"))
MARKDOWN = MarkdownIt().enable("table")
FILE_NAME = r"\.(png|svg|jpe?g|gif|ipynb|md|py|csv)\b"
VAGUE = r"(click |see |read |go )?(here|this|that|more|link|page|this (page|link)|read more|read)"


def texts(notebook):
    """The Markdown between two code cells, as often as there is any."""
    for is_text, cells in groupby(notebook.cells, lambda cell: cell.cell_type == "markdown"):
        if is_text:
            yield "\n\n".join(cell.source for cell in cells)


def markdown(notebook):
    """All Markdown of a notebook as one list of tokens, cell after cell."""
    return [token for text in texts(notebook) for token in MARKDOWN.parse(text)]


def inline(notebook, kind):
    """Parts of lines of one kind: links, images, HTML."""
    for token in markdown(notebook):
        yield from (child for child in token.children or () if child.type == kind)


def heading_faults(notebook):
    """Not one H1, a level left out, a heading that is empty or there twice."""
    tokens = markdown(notebook)
    headings = [
        (int(opening.tag[1]), text.content.strip())
        for opening, text in pairwise(tokens)
        if opening.type == "heading_open"
    ]
    levels, words = zip(*headings, strict=True) if headings else ((), ())
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"one heading of level 1, and first: {headings[:2]}"
    for (above, _), (level, text) in pairwise(headings):
        if level > above + 1:
            yield f"from level {above} to level {level}: {text}"
    if not all(words):
        yield "a heading is empty"
    for text in {text for text in words if words.count(text) > 1}:
        yield f"a heading is there twice: {text}"


def table_faults(notebook):
    """No words before a table, with no code between, or a column without a header."""
    for tokens in map(MARKDOWN.parse, texts(notebook)):
        for place, token in enumerate(tokens):
            if token.type == "table_open":
                before = [t for t in tokens[:place] if t.type != "html_block"][-2:]
                is_prose = before and before[1].type == "paragraph_close"
                words = before[0].content if is_prose else ""
                if len(words.split()) < 3:
                    yield f"say before the table what it holds: {words!r}"
                yield from empty_headers(tokens[place:])


def empty_headers(tokens):
    """Columns without a header in the table that begins here."""
    end = next(n for n, token in enumerate(tokens) if token.type == "thead_close")
    for opening, text in pairwise(tokens[:end]):
        if opening.type == "th_open" and not text.content.strip():
            yield f"a column has no header: {tokens[end + 1 :][3].content}"


def link_faults(notebook):
    """A link that does not say where it leads, or one text that leads to two places."""
    targets = {}
    for token in markdown(notebook):
        children = token.children or ()
        for place, child in enumerate(children):
            if child.type == "link_open":
                words = said_until_close(children[place + 1 :])
                target = child.attrs["href"]
                if re.fullmatch(VAGUE, words.strip(), re.IGNORECASE) or not words.strip():
                    yield f"a link says nothing: [{words}]({target})"
                if re.match(r"https?:|www\.", words):
                    yield f"a link reads out an address: {words}"
                if targets.setdefault(words, target) != target:
                    yield f"[{words}] leads to two places, {targets[words]} and {target}"


def said_until_close(children):
    """The words of a link."""
    end = next(n for n, child in enumerate(children) if child.type == "link_close")
    return "".join(child.content for child in children[:end])


def alts(notebook):
    """The alt texts of a notebook, those of figures and those of pictures in Markdown."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and "mystnb" in cell.metadata:
            yield cell.metadata["mystnb"]["image"]["alt"]
    for image in inline(notebook, "image"):
        yield image.content


def alt_faults(notebook):
    """An alt text that is short, the name of a file, there twice, or begins with "image of"."""
    said = list(alts(notebook))
    for alt in said:
        if len(alt) <= 40:
            yield f"an alt text is too short to say what is seen: {alt!r}"
        if re.search(FILE_NAME, alt):
            yield f"an alt text holds the name of a file: {alt}"
        if re.match(r"(an? )?(image|picture|figure|plot) (of|showing)", alt, re.IGNORECASE):
            yield f"a screen reader has said that it is an image: {alt}"
        if said.count(alt) > 1:
            yield f"two pictures have one alt text: {alt}"


def html_faults(notebook):
    """Headings, tables, pictures and links are written in Markdown, where rules above see them."""
    blocks = [token.content for token in markdown(notebook) if token.type == "html_block"]
    spans = [child.content for child in inline(notebook, "html_inline")]
    for text in blocks + spans:
        if re.search(r"<(h\d|table|img|a|iframe|video)\b", text, re.IGNORECASE):
            yield f"write it in Markdown: {text}"


RULES = (heading_faults, table_faults, link_faults, alt_faults, html_faults)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: str(path.relative_to(NOTEBOOKS))[:-6])
def test_a_notebook_breaks_no_rule(path):
    notebook = nbformat.read(path, as_version=4)
    assert [fault for rule in RULES for fault in rule(notebook)] == []


GOOD = """# Title

Words on [chapter 04](04.ipynb).

## Part

What each bell holds:

| bell | weight |
|---|---|
| a | 1 |

![Two bells, the left one half as high as the right one.](bells.svg)
"""


def notebook_of(text):
    """A notebook of this text; where a line says so, of text, code and text."""
    cells = [nbformat.v4.new_markdown_cell(part) for part in text.split("CODE\n")]
    for place in range(len(cells) - 1, 0, -1):
        cells.insert(place, nbformat.v4.new_code_cell("1"))
    return nbformat.v4.new_notebook(cells=cells)


def test_a_good_notebook_has_no_fault():
    assert [fault for rule in RULES for fault in rule(notebook_of(GOOD))] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("# Title\n", "", "one heading of level 1"),
        ("## Part", "# Part", "one heading of level 1"),
        ("# Title", "## First\n\n# Title", "one heading of level 1"),
        ("## Part", "### Part", "from level 1 to level 3: Part"),
        ("## Part", "##", "a heading is empty"),
        ("## Part", "## Title", "twice: Title"),
        ("## Part", "## Part\n\n## Part", "twice: Part"),
        ("What each bell holds:\n", "", "say before the table"),
        ("What each bell holds:", "Here:", "say before the table"),
        ("What each bell holds:", "What each bell holds:\nCODE", "say before the table"),
        ("| bell |", "|  |", "no header"),
        ("[chapter 04]", "[here]", "says nothing"),
        ("[chapter 04]", "[Read more]", "says nothing"),
        ("[chapter 04]", "[]", "says nothing"),
        ("[chapter 04]", "[https://x.org]", "address"),
        ("Words", "[chapter 04](05.ipynb)", "two places"),
        ("Two bells, the left one half as high as the right one.", "Two bells", "too short"),
        ("Two bells, the left one half as high as the right one.", "", "too short"),
        ("Two bells,", "bells.svg, two bells,", "name of a file"),
        ("Two bells,", "Image of two bells,", "has said that it is an image"),
        ("Words", "![Two bells, the left one half as high as the right one.](x.png)", "one alt"),
        ("Words", '<a href="x">words</a>', "write it in Markdown"),
        ("Words", "\n<img src='x'>\n\n", "write it in Markdown"),
    ],
)
def test_each_fault_is_found(old, new, said):
    assert old in GOOD
    faults = [fault for rule in RULES for fault in rule(notebook_of(GOOD.replace(old, new, 1)))]
    assert any(said in fault for fault in faults), faults
