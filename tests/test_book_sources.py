"""What Sphinx is given of notebooks and pages, what stops the build, and what a frame weighs."""

import base64
import hashlib
import io

import book
import nbformat
import numpy as np
import players
import pytest
from PIL import Image

from emtools import data
from emtools.course import plots

IMAGE = '<img alt="Two bumps &amp; a rug" src="data:image/png;base64,{}">'
PNG = base64.b64encode(b"a picture").decode()


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
    assert cell.outputs[0].data["image/png"] == PNG
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


@pytest.mark.filterwarnings("ignore:.*Check CHANGES for Sphinx API")  # of myst-parser
def test_what_sphinx_complains_of_stops_the_build(tmp_path, capfd):
    sources = tmp_path / "source"
    (sources / players.FOLDER).mkdir(parents=True)
    (sources / "index.md").write_text("# A page\n\n[Nowhere](nowhere.md)\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="the book was not built"):
        book.build_site(sources, tmp_path / "site")
    assert "nowhere.md" in capfd.readouterr().err


def test_mathjax_is_what_its_readme_says():
    folder = book.DOCS / "_static/mathjax"
    sums = dict(line.split()[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = {path for path in folder.rglob("*") if path.is_file()}
    assert set(sums) == {
        path.relative_to(folder).as_posix() for path in files if path.suffix in (".js", "")
    } - {"SHA256SUMS"}
    for name, expected in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name


def test_with_an_address_each_chapter_says_where_it_runs(monkeypatch):
    monkeypatch.setattr(book, "repository", lambda: "Some-one/course")
    first, second = (book.launches(chapter) for chapter in book.written()[:2])
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
    monkeypatch.setattr(book, "repository", lambda: "OWNER/REPO")
    assert book.page_text("index") == (
        "[a](01_fit_two_bells.ipynb) ![b](picture.png) [c](launch.md) "
        "[d](solutions/01_fit_two_bells.ipynb) e (`.github/CONTRIBUTING.md`)"
    )
    monkeypatch.setattr(book, "repository", lambda: "some/course")
    expected = "[e](https://github.com/some/course/blob/HEAD/.github/CONTRIBUTING.md)"
    assert book.page_text("index").endswith(expected)


# Players, drawn


def test_few_places_reach_from_the_first_to_the_last():
    assert players.spread(5, None) == [0, 1, 2, 3, 4]
    assert players.spread(2, 3) == [0, 1]
    assert players.spread(31, 3) == [0, 15, 30]


def test_a_frame_keeps_its_colours():
    """At most 8 % of the range of a channel off, whatever has been drawn."""
    figure, axes = plots.new_figure()
    plots.draw_data(axes, data.waiting())
    axes.scatter(range(40, 100, 10), [0.03] * 6, c=plots.COLOURS)
    png = plots.as_png(figure)
    before, after = (
        np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), dtype=int)
        for file in (png, players.small(png))
    )
    assert np.abs(before - after).max() <= 20
    assert (after[0, 0] == 255).all()
    assert len(players.small(png)) < len(png) / 2
