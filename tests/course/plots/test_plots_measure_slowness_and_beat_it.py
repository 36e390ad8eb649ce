"""The data behind the figures of chapter 11, measure slowness and beat it."""

import io
from functools import partial

import numpy as np
from numpy.testing import assert_allclose
from PIL import Image

from emtools.course import plots, widgets
from emtools.course.exercises.measure_slowness_and_beat_it import deaths_step
from emtools.course.plots import measure_slowness_and_beat_it as figures

RUNS = {
    "EM": np.array([[1.0, 2.5], [1.1, 2.6], [1.1, 2.6], [1.2, 2.6]]),
    "quasi-Newton": np.array([[1.0, 2.5], [1.1, 2.6], [1.25, 2.66], [1.25, 2.66]]),
}
GRID = np.linspace(1.0, 1.4, 9), np.linspace(2.5, 2.8, 7)


def test_errors_are_straight_lines_and_those_at_rounding_are_left_out():
    axes = plots.new_axes(1, 2)
    errors = {"fast": 0.1 ** np.arange(30.0), "slow": 0.99 ** np.arange(301.0)}
    figures.draw_errors(axes, errors, lengths=(20, 300))
    fast, slow = axes[0].lines
    assert fast.get_ydata().min() >= 1e-10
    assert_allclose(np.diff(np.log(slow.get_ydata())), np.log(0.99))
    assert [line.get_label() for line in axes[1].lines] == ["slow"]
    assert axes[0].get_yscale() == "log"


def test_ascent_shows_each_path_and_each_root():
    ax = plots.new_axes()
    figures.draw_ascent(ax, {"0.1": [0.5, 0.6], "0.2": [0.5, -0.5]}, {"top": 0.6, "other": -0.55})
    assert_allclose(ax.lines[1].get_ydata(), [0.5, -0.5])
    assert {0.6, -0.55} <= {line.get_ydata()[0] for line in ax.lines}
    assert {"top", "other"} <= {text.get_text() for text in ax.texts}


def test_the_map_has_its_top_where_em_ends_and_is_as_high():
    theta, end = np.array([0.359885396985, 1.2560951012, 2.6634043566]), (1.2560951, 2.6634044)
    first, second = (np.array([value - 0.05, value, value + 0.05]) for value in end)
    _, _, heights = figures.deaths_surface(first, second)
    assert np.unravel_index(heights.argmax(), heights.shape) == (1, 1)
    assert_allclose(heights[1, 1], deaths_step(theta)[1], rtol=1e-9)


def test_the_race_shows_the_calls_made_so_far_and_the_distance():
    ax = plots.new_axes()
    figures.draw_race(ax, RUNS, figures.deaths_surface(*GRID), 2)
    _, em, quick = ax.lines
    assert len(em.get_xdata()) == len(quick.get_xdata()) == 2
    assert ax.get_title(loc="left") == "after 2 calls"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["EM: 0.2 away", "quasi-Newton: 0.2 away"]
    ax = plots.new_axes()
    figures.draw_race(ax, RUNS, figures.deaths_surface(*GRID), 4)
    assert ax.get_legend().get_texts()[1].get_text() == "quasi-Newton: there"


def test_the_race_player_shows_the_same_drawing():
    surface = figures.deaths_surface(*GRID)
    player = widgets.race_player(RUNS, surface, places=(1, 3))
    figure, ax = partial(plots.new_figure, height=4.4)()
    figures.draw_race(ax, RUNS, surface, 3)
    shown, wanted = (
        np.asarray(Image.open(io.BytesIO(png))) for png in (player.frame(1), plots.as_png(figure))
    )
    assert np.array_equal(shown, wanted)
    assert player.says(1).startswith("After 3 calls of the step EM is at ")
    assert "quasi-Newton is at " in player.says(1)
    assert repr(player) == "A slider over 'calls of the step': run this notebook to move it."


def test_gaps_end_where_nothing_is_left():
    ax = plots.new_axes()
    figures.draw_gaps(ax, {"a": [-5.0, -1.0, 0.0, 0.0], "b": [-5.0, -4.0, -3.0]}, 0.0)
    a, b = ax.lines
    assert_allclose(a.get_ydata(), [5, 1, 1e-11])
    assert_allclose(b.get_ydata(), [5, 4, 3])
    assert_allclose(b.get_xdata(), [1, 2, 3])


def test_switching_shows_both_clouds_on_one_scale():
    axes = plots.new_axes(1, 2)
    drawn = np.array([[54.0, 80.0], [80.0, 54.0]])
    figures.draw_switching(axes, drawn, np.sort(drawn))
    assert_allclose(axes[0].lines[0].get_xdata(), [54, 80])
    assert_allclose(axes[1].lines[0].get_xdata(), [54, 54])
    assert axes[0].get_xlim() == axes[1].get_xlim()
