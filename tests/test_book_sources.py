"""What Sphinx is given of notebooks and pages, what stops the build, and what a frame weighs."""

import base64
import hashlib
import io
import shutil
import subprocess
import sys

import book
import build
import contents
import nbformat
import numpy as np
import paper
import players
import pytest
from bs4 import BeautifulSoup
from cases import CONVERGED, DOCUMENT_START
from PIL import Image

from emtools import data
from emtools.course import plots
from emtools.course.plots import start_well_stop_well

IMAGE = '<img alt="Two bumps &amp; a rug" src="data:image/png;base64,{}">'
PNG = base64.b64encode(plots.as_png(plots.new_figure()[0])).decode()


def cell_with(data, alt=None):
    metadata = {"image/png": {"alt": alt}} if alt else {}
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    return nbformat.v4.new_code_cell(outputs=[output])


@pytest.mark.parametrize(
    "cell",
    [
        cell_with({"image/png": PNG}, alt="Two bumps & a rug"),
        cell_with({"text/html": IMAGE.format(PNG), "text/plain": "<Figure>"}),
    ],
    ids=["png", "html"],
)
def test_a_picture_becomes_a_file_with_its_words(cell):
    book.settle(nbformat.v4.new_notebook(cells=[cell]), "a notebook")
    assert cell.metadata["mystnb"] == {"image": {"alt": "Two bumps & a rug"}}
    assert 0 < len(cell.outputs[0].data["image/png"]) < 0.7 * len(PNG)
    assert "text/html" not in cell.outputs[0].data


@pytest.mark.parametrize(
    "cell",
    [
        cell_with({"image/png": PNG}),
        cell_with({"text/html": IMAGE.format(PNG).replace("Two bumps &amp; a rug", " ")}),
        cell_with({"text/html": f'<img src="data:image/png;base64,{PNG}">'}),
    ],
    ids=["png", "empty", "html"],
)
def test_a_picture_without_words_stops_the_build(cell):
    with pytest.raises(SystemExit, match=r"a notebook, cell .*without words.*mystnb"):
        book.settle(nbformat.v4.new_notebook(cells=[cell]), "a notebook")


def test_what_sphinx_complains_of_stops_the_build(tmp_path):
    sources = tmp_path / "source"
    (sources / players.FOLDER).mkdir(parents=True)
    (sources / "index.md").write_text("# A page\n\n[Nowhere](nowhere.md)\n", encoding="utf-8")
    places = [str(sources), str(tmp_path / "site")]
    code = f"import book, pathlib; book.build_site(*map(pathlib.Path, {places}))"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=book.DOCS, capture_output=True, text=True)
    assert run.returncode != 0
    assert "nowhere.md" in run.stderr
    assert "the book was not built" in run.stderr


def test_no_other_folder_is_overwritten(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SystemExit, match=r"there, and no book: name another folder$"):
        book.main(["--into", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.fixture
def before(tmp_path, monkeypatch):
    """A book of one word that stands already, and what would build another in its place."""
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / "searchindex.js").write_text("before", encoding="utf-8")
    for name in ("book-new", "book-source"):
        (tmp_path / name).mkdir()

    def build_site(_, site):
        shutil.copytree(folder, site)
        (site / "searchindex.js").write_text("after", encoding="utf-8")

    monkeypatch.setattr(players, "draw_all", lambda *_: {})
    monkeypatch.setattr(book, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(book, "build_site", build_site)
    return folder


@pytest.mark.parametrize("step", ["prepare", "build_site", "check_sizes", None])
def test_a_build_that_fails_leaves_the_book_before(step, before, monkeypatch):
    if step is None:  # nothing fails
        book.main(["--into", str(before)])
    else:
        monkeypatch.setattr(book, step, lambda *_, **__: sys.exit("failed"))
        with pytest.raises(SystemExit, match=r"^failed$"):
            book.main(["--into", str(before)])
    words = (before / "searchindex.js").read_text(encoding="utf-8")
    assert words == ("before" if step else "after")
    beside = {path.name for path in before.parent.iterdir()}
    assert beside == {"book", "book-new", "book-source"}


def test_mathjax_is_what_its_readme_says():
    folder = book.DOCS / "_static/mathjax"
    sums = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = {path for path in folder.rglob("*") if path.is_file()}
    assert set(sums) == {
        path.relative_to(folder).as_posix() for path in files if path.suffix in (".js", "")
    } - {"SHA256SUMS"}
    for name, expected in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name


def give_address(name, monkeypatch):
    """Another owner and name of the repository, wherever they are asked for."""
    for module in (book, build):
        monkeypatch.setattr(module, "repository", lambda: name)


def test_with_an_address_each_chapter_says_where_it_runs(monkeypatch):
    give_address("Some-one/course", monkeypatch)
    first, second = (book.launches(chapter) for chapter in contents.written()[:2])
    assert "https://some-one.github.io/course/lite/lab/index.html?path=notebooks/01_" in second
    assert (
        "https://mybinder.org/v2/gh/Some-one/course/HEAD?urlpath=lab/tree/notebooks/01_" in second
    )
    assert (
        "https://colab.research.google.com/github/Some-one/course/blob/HEAD/notebooks/0" in second
    )
    assert "colab" not in first


def test_links_of_a_page_lead_where_the_book_has_it(monkeypatch, tmp_path):
    monkeypatch.setattr(book, "DOCS", tmp_path)
    (tmp_path / "pages").mkdir()
    text = (
        "[a](../../notebooks/01_fit_two_bells.ipynb) ![b](../picture.png) [c](launch.md) "
        "[d](../../notebooks/solutions/01_fit_two_bells.ipynb) [e](../../.github/CONTRIBUTING.md)"
    )
    (tmp_path / "pages/index.md").write_text(text, encoding="utf-8")
    give_address("OWNER/REPO", monkeypatch)
    assert book.page_text("index") == (
        "[a](01_fit_two_bells.ipynb) ![b](picture.png) [c](launch.md) "
        "[d](solutions/01_fit_two_bells.ipynb) e (`.github/CONTRIBUTING.md`)"
    )
    give_address("some/course", monkeypatch)
    expected = "[e](https://github.com/some/course/blob/HEAD/.github/CONTRIBUTING.md)"
    assert book.page_text("index").endswith(expected)


def test_with_an_address_ways_to_start_lead_into_the_browser(monkeypatch):
    give_address("OWNER/REPO", monkeypatch)
    assert "github.io" not in book.page_text("launch")
    give_address("Some-one/course", monkeypatch)
    link = "](https://some-one.github.io/course/lite/index.html)"
    assert book.page_text("launch").count(link) == 1


# Players, drawn


def test_few_places_reach_from_the_first_to_the_last():
    assert players.spread(5, None) == [0, 1, 2, 3, 4]
    assert players.spread(2, 3) == [0, 1]
    assert players.spread(31, 3) == [0, 15, 30]


def marks():
    figure, axes = plots.new_figure()
    plots.draw_data(axes, data.waiting())
    axes.scatter(range(40, 100, 10), [0.03] * 6, c=plots.COLOURS)
    return figure


def blends():
    figure, axes = plots.new_figure()
    plots.draw_mixture(axes, data.waiting(), CONVERGED, mark=66)
    return figure


def hills():
    figure, axes = plots.new_figure(1, 2)
    grid = np.linspace(45, 95, 11)
    heights = np.arange(121).reshape(11, 11) % 6
    picked = data.waiting(), grid, heights, DOCUMENT_START, CONVERGED
    start_well_stop_well.draw_picked(axes, *picked)
    return figure


@pytest.mark.parametrize("draw", [marks, blends, hills])
def test_a_frame_keeps_its_colours(draw):
    """At most 8 % of the range of a channel off; white stays white; it weighs less than half."""
    png = plots.as_png(draw())
    before, after = (
        np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), dtype=int)
        for file in (png, players.small(png))
    )
    assert np.abs(before - after).max() <= 20
    assert (after[0, 0] == 255).all()
    assert len(players.small(png)) < len(png) / 2


def test_frames_are_drawn_anew_when_what_draws_them_has_changed(monkeypatch, tmp_path):
    source = (book.DOCS / "players.py").read_text(encoding="utf-8")
    assert "lossless=True" in source
    changed = tmp_path / "players.py"
    changed.write_text(source.replace("lossless=True", "quality=80"), encoding="utf-8")
    before = players.fingerprint(nbformat.v4.new_notebook())
    assert players.fingerprint(nbformat.v4.new_notebook()) == before
    monkeypatch.setattr(players, "__file__", str(changed))
    assert players.fingerprint(nbformat.v4.new_notebook()) != before


# The site


@pytest.fixture
def small_site(tmp_path):
    """Two pages, pictures and a player's frames, as a built site has them."""
    for path, size in {
        "_images/a.png": 300,
        "players/01_a/0/0.webp": 200,
        "_static/x.js": 50,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(bytes(size * 1000))
    (tmp_path / "solutions").mkdir()
    chapter = """<nav><a href="b.html">no part of it</a></nav><article><section id="top">
        <h1>01 A<a class="headerlink" href="#top">#</a></h1>
        <img src="_images/a.png" alt="A picture">
        <div class="em-player"><label>iteration</label></div>
        <a href="solutions/01_a.html#answer">Solution</a> <a href="api/em.html">reference</a>
        <a href="https://example.org">elsewhere</a></section></article>"""
    (tmp_path / "01_a.html").write_text(chapter, encoding="utf-8")
    solutions = '<article><h1>Answers</h1><p id="answer"></p><img src="../_images/a.png"></article>'
    (tmp_path / "solutions/01_a.html").write_text(solutions, encoding="utf-8")
    return tmp_path


def test_too_much_to_carry_stops_the_build(small_site, monkeypatch):
    book.check_sizes(small_site)
    monkeypatch.setattr(book, "MOST_A_PAGE", 0.4)
    with pytest.raises(SystemExit, match=r"^01_a.html has 0\.5 MB with its pictures; 0\.4 is"):
        book.check_sizes(small_site)
    monkeypatch.setattr(book, "MOST", 0.5)
    monkeypatch.setattr(book, "MOST_A_PAGE", 3)
    with pytest.raises(SystemExit, match=r"^the book has 0\.6 MB; 0\.5 is the most"):
        book.check_sizes(small_site)


def test_on_paper_links_say_on_which_page_is_what_they_lead_to(small_site):
    pages = ["01_a", "solutions/01_a"]
    chapter, solutions = (paper.read_part(small_site, name, pages) for name in pages)
    text = paper.with_numbers(str(chapter), {"solutions-01_a-answer": 7})
    assert '<a href="#solutions-01_a-answer">Solution</a> (p.\u00a07)' in text
    assert "In the web book, this is a picture to move: iteration." in text
    assert 'href="https://example.org"' in text
    for unprinted in ("em-player", "headerlink", "api/em", "no part of it"):
        assert unprinted not in text
    assert 'id="solutions-01_a-answer"' in str(solutions)
    assert 'src="_images/a.png"' in str(solutions)


@pytest.fixture
def printings(monkeypatch, tmp_path):
    """A function that prints a part which links to b; and the numbers given to each printing.

    What the PDFs tell of their pages, one after the other, is made up.
    """
    given = []

    def prints(*told):
        told = iter(told)
        text = '<article id="a"><h1>A</h1><a href="#b">there</a><p id="b"></p></article>'
        part = BeautifulSoup(text, "html.parser").article
        monkeypatch.setattr(paper, "read_part", lambda *_: part)
        monkeypatch.setattr(paper, "one_page", lambda _, numbers: given.append(numbers) or "")
        monkeypatch.setattr(paper, "printed", lambda *_: b"a PDF")
        monkeypatch.setattr(paper, "page_numbers", lambda _: next(told))
        try:
            return paper.print_pages(None, tmp_path, ["a"])
        finally:
            assert list(tmp_path.iterdir()) == []

    return prints, given


def test_the_course_is_printed_until_its_page_numbers_are_right(printings):
    prints, given = printings
    first, then = {"a": 3, "b": 9}, {"a": 3, "b": 10}
    assert prints(first, then, then) == b"a PDF"
    assert given == [{}, first, then]


def test_page_numbers_that_do_not_settle_stop_the_build(printings):
    prints, given = printings
    with pytest.raises(SystemExit, match="page numbers did not settle in 5 printings"):
        prints(*({"a": 3, "b": n} for n in range(9)))
    assert len(given) == 5


def test_a_link_to_no_page_stops_the_build(printings):
    prints, _ = printings
    with pytest.raises(SystemExit, match=r"links lead to what is on no page: b$"):
        prints({"a": 3})
