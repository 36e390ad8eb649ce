"""The data behind the figures of chapter 04, see why EM climbs."""

from itertools import pairwise

import numpy as np
from numpy.testing import assert_allclose

from emtools.course import plots
from emtools.course.plots import see_why_em_climbs as figures


def test_the_bound_touches_where_we_stand_and_has_its_top_where_we_go():
    thetas = [0.5, 59 / 97, 0.62432105]
    axes = plots.new_axes(1, 2)
    figures.draw_climb(axes, thetas, (0, 1))
    for ax, (here, there) in zip(axes, pairwise(thetas), strict=True):
        curve, bound = ax.lines[:2]
        distance = curve.get_ydata() - bound.get_ydata()
        grid = curve.get_xdata()
        assert (distance > -1e-9).all()
        assert_allclose(grid[distance.argmin()], here, atol=np.diff(grid)[0])
        assert_allclose(grid[bound.get_ydata().argmax()], there, atol=np.diff(grid)[0])


def test_the_bound_touches_once():
    ax = plots.new_axes()
    figures.draw_touch(ax, 0.5)
    curve, bound = ax.lines[:2]
    distance, grid = curve.get_ydata() - bound.get_ydata(), curve.get_xdata()
    assert (distance > -1e-9).all()
    assert_allclose(grid[distance.argmin()], 0.5, atol=np.diff(grid)[0])
    assert min(distance[0], distance[-1]) > 3


def test_the_gap_closes_in_each_e_step_and_bound_plus_gap_is_the_log_likelihood():
    ax = plots.new_axes()
    figures.draw_parts(ax, 0.5, 0.3)
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        "any q", "E-step", "M-step", "E-step", "M-step",
    ]  # fmt: skip
    bounds, gaps = ([bar.get_height() for bar in bars] for bars in ax.containers)
    bounds = np.add(bounds, ax.containers[0][0].get_y())
    assert_allclose(bounds[1:], [-208.4702447, -206.1789498, -205.7798187, -205.7247028], atol=5e-8)
    assert_allclose(np.add(bounds, gaps)[[0, 2, 4]], [-208.4702447, -205.7798187, -205.7170642])
    assert_allclose(gaps[1::2], 0, atol=1e-10)
    assert min(gaps[::2]) > 1e-3


def test_the_museum_says_which_histories_fall():
    axes = plots.new_axes(1, 3)
    right = np.array([-3.0, -2.0, -1.9])
    histories = {"right": right, "up": right - 1, "down": right[::-1], "same": right}
    figures.draw_museum(axes, histories)
    assert [ax.texts[0].get_text() for ax in axes] == ["never falls", "falls", "never falls"]
    assert_allclose(axes[1].lines[1].get_ydata(), right[::-1])


def test_to_fall_is_more_than_rounding_and_may_be_very_little():
    axes = plots.new_axes(1, 3)
    right = np.array([-3.0, -2.0, -1.9])
    others = {
        name: np.append(right, -1.9 - fall) for name, fall in (("1e-7", 1e-7), ("1e-5", 1e-5))
    }
    figures.draw_museum(axes, {"right": right, **others, "0.05": np.append(right, -1.95)})
    assert [ax.texts[0].get_text() for ax in axes] == ["never falls", "falls", "falls"]
