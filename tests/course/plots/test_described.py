"""Figures in words: true of what was drawn, and the author's only as long as they are."""

import base64
import html
import io
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from emtools.course import plots
from emtools.course.plots import described
from emtools.course.plots.described import describe, fingerprint, image_tag, listed, spans


def axes_with(label="waits", x=(1, 2), y=(3, 4)):
    ax = plots.new_axes()
    ax.plot(x, y, label=label)
    ax.set(xlabel="wait (minutes)", ylabel="share", xlim=(0, 3), ylim=(2, 5))
    return ax


def test_a_panel_is_told_by_axes_marks_and_writing():
    ax = axes_with()
    ax.scatter([1], [2])
    ax.text(1, 2, "half")
    ax.legend()
    ax.set_title("a title", loc="left")
    assert describe(ax.figure) == (
        "A title: share from 2 to 5 against wait (minutes) from 0 to 3; 1 line, 1 set of points: "
        "waits; half."
    )


def test_panels_that_look_the_same_are_told_once(waiting, path):
    axes = plots.new_axes(1, 2, sharex=True, sharey=True)
    plots.draw_path(axes, waiting, path, (0, 1), mark=66)
    words = describe(axes[0].figure)
    assert words.startswith("2 panels, each with: density (per minute) from -0.006")
    assert words.endswith(
        " Panel 1, start: 0; 1; 66 minutes: 31% short bell."
        " Panel 2, iteration 1: 0; 1; 66 minutes: 18% short bell."
    )


def test_panels_that_differ_are_told_one_by_one():
    left, right = plots.new_axes(1, 2)
    left.plot([1, 2], [3, 4])
    right.bar([1], [2])
    words = describe(left.figure)
    assert re.match(r"Panel 1: .*; 1 line\. Panel 2: .*; 1 set of bars\.$", words)


def test_a_panel_without_axes_is_told_by_its_writing():
    ax = plots.new_axes()
    ax.axis("off")
    ax.text(0, 0, "a table")
    assert describe(ax.figure) == "Figure: a table."


@pytest.mark.parametrize(
    "other",
    [
        {"label": "shares"},
        {"y": (3, 4.01)},
        {"x": (1, 2, 2.5), "y": (3, 4, 4)},
        {"y": (3, np.nan)},
    ],
)
def test_a_fingerprint_changes_with_what_is_drawn(other):
    assert fingerprint(axes_with().figure) == fingerprint(axes_with().figure)
    one, another = axes_with().figure, axes_with(**other).figure
    for figure in (one, another):
        figure.axes[0].legend()
    assert fingerprint(one) != fingerprint(another)


def test_a_fingerprint_is_the_same_on_a_machine_that_rounds_otherwise():
    here = axes_with(y=(3, 4)).figure
    there = axes_with(y=(3 + 1e-12, 4 - 1e-12)).figure
    assert fingerprint(here) == fingerprint(there)


def test_a_fingerprint_is_the_same_on_32_bits():
    assert described.three_digits([1.0, -2.0, np.nan, 0.5]).dtype.itemsize == 8
    assert described.three_digits([1.0, -2.0, None, 0.5004]).tolist() == [500, -1000, -9999, 250]


def test_a_picture_carries_its_words_and_its_size():
    png = plots.as_png(axes_with().figure)
    tag = image_tag(png, 'a "b" &\nc > d', title="x")
    attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
    assert html.unescape(attributes["alt"]) == 'a "b" & c > d'
    assert ">" not in tag[:-1]  # nbval's rule for pictures looks for the first one
    assert attributes["title"] == "x"
    assert base64.b64decode(attributes["src"].removeprefix("data:image/png;base64,")) == png
    width, height = Image.open(io.BytesIO(png)).size
    assert (attributes["width"], attributes["height"]) == (str(width), str(height))


def test_numbers_are_listed_as_a_sentence_has_them():
    assert listed([1.23456, 2, 3]) == "1.23, 2 and 3"
    assert listed(np.array([0.5])) == "0.5"
    assert spans(np.array([1, 2, 3, 7, 9, 10])) == "1 to 3, 7, 9 to 10"
    assert spans(np.array([], int)) == "none"


def shell(**metadata):
    """As much of a notebook's kernel as a figure asks for."""
    return SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: {"metadata": metadata}))


@pytest.fixture
def shown(monkeypatch):
    """Shows a figure from a cell with some metadata: its words, and its fingerprint."""

    def show(figure, **metadata):
        import IPython

        monkeypatch.setattr(IPython, "get_ipython", lambda: shell(**metadata))
        tag, kept = described.as_html(figure)
        return html.unescape(re.search('alt="([^"]*)"', tag)[1]), kept["drawn"]

    return show


WORDS = {"mystnb": {"image": {"alt": "Two waits and their shares."}}}


def test_a_figure_has_the_words_of_its_cell_while_it_is_the_same(shown):
    words, drawn = shown(axes_with().figure, cellId="01-005", **WORDS)
    assert words == describe(axes_with().figure)  # nobody has said what they were written for
    assert shown(axes_with().figure, cellId=f"01-005-{drawn}", **WORDS)[0] == (
        "Two waits and their shares."
    )
    changed = axes_with(y=(3, 5))
    assert shown(changed.figure, cellId=f"01-005-{drawn}", **WORDS)[0] == describe(changed.figure)


def test_a_page_that_sends_no_metadata_gets_the_description(shown):
    assert shown(axes_with().figure)[0] == describe(axes_with().figure)


def test_outside_a_notebook_nothing_is_changed():
    code = "import sys; from emtools.course import plots; print('IPython' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
