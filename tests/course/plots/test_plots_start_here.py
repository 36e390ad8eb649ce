"""The data behind the figures of chapter 00, start here."""

import contents
import pytest
from matplotlib.colors import to_rgba

from emtools.course import plots
from emtools.course.plots import start_here as figures

CHAPTERS = [
    {"number": "01", "title": "walk", "modules": [], "written": True},
    {"number": "02", "title": "run", "modules": ["legs", "lungs"], "written": True},
    {"number": "03", "title": "fly", "modules": ["wings"], "written": False},
]


@pytest.fixture
def ax():
    ax = plots.new_axes()
    figures.draw_staircase(ax, CHAPTERS, walks=[("an hour", 1, 2), ("a life", 2, 3)])
    return ax


def test_each_step_says_its_chapter_and_the_modules_it_leaves(ax):
    said = [(text.get_text(), text.get_position()[1]) for text in ax.texts if text.get_text()]
    assert [text for text, _ in said] == [
        *("01  walk", "02  run", "legs, lungs", "03  fly", "wings"),
        *("an hour", "a life"),
    ]
    heights = [height for _, height in said]
    assert heights[1] == heights[2] < heights[3] == heights[4]


def test_what_is_not_written_is_grey(ax):
    written, planned = to_rgba(plots.COLOURS[0], 0.35), to_rgba(plots.PALE, 0.35)
    assert [step.get_facecolor() for step in ax.patches[:3]] == [written, written, planned]
    colours = {text.get_text(): text.get_color() for text in ax.texts}
    assert colours["02  run"] == plots.INK
    assert colours["legs, lungs"] == plots.INK
    assert colours["03  fly"] == colours["wings"] == plots.QUIET


def test_a_walk_goes_from_its_first_chapter_to_its_last_by_number(ax):
    """The first step here is chapter 01: a number is no place."""
    tops = [step.get_y() + step.get_height() for step in ax.patches if step.get_width() > 4]
    for walk, (first, last) in zip(ax.lines, ((0, 1), (1, 2)), strict=True):
        low, high = walk.get_ydata()
        assert first < low < tops[first]
        assert last < high < tops[last]


def test_the_course_itself_fits():
    chapters, walks = contents.chapters(), contents.course()["walk"]
    number = {chapter["file"]: int(chapter["number"]) for chapter in chapters}
    ends = [(walk["name"], number[walk["first"]], number[walk["last"]]) for walk in walks]
    ax = plots.new_axes()
    figures.draw_staircase(ax, chapters, ends)
    assert len(ax.lines) == len(walks)
    assert max(walk.get_ydata().max() for walk in ax.lines) < ax.get_ylim()[1]
