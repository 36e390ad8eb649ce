"""The data behind the figures of chapter 05, start well, stop well."""

import numpy as np
from cases import CONVERGED, DOCUMENT_START
from numpy.testing import assert_allclose

from emtools.course import plots
from emtools.course.plots import start_well_stop_well as figures


def test_the_map_has_one_colour_a_hill_and_the_first_mean_runs_across():
    heights = np.array([[-3.0, -1.0, -1.00001], [-2.0, -3.0, -1.0], [-2.0, -2.0, -3.0]])
    ax = plots.new_axes()
    figures.draw_start_map(ax, np.array([10.0, 20.0, 30.0]), heights, marks=[(10, 20), (30, 10)])
    [mesh] = ax.collections
    assert_allclose(mesh.get_array(), [[2, 1, 1], [0, 2, 1], [0, 0, 2]])
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == [f"\u2212{level}.0000  (3 starts)" for level in (1, 2, 3)]
    assert [text.get_text() for text in ax.texts] == ["a", "b"]


def test_ends_that_differ_in_the_fourth_decimal_are_two_hills():
    heights = np.array([[-1.0, -1.0002], [-1.00004, -1.0]])
    ax = plots.new_axes()
    figures.draw_start_map(ax, np.array([10.0, 20.0]), heights)
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == ["\u22121.0000  (3 starts)", "\u22121.0002  (1 start)"]


def test_an_ending_says_its_height_and_where_it_began(waiting):
    axes = plots.new_axes(1, 2)
    heights, grid = np.array([[-2.0, -1.0], [-1.0, -2.0]]), np.array([50.0, 80.0])
    figures.draw_picked(axes, waiting, grid, heights, DOCUMENT_START, CONVERGED)
    assert axes[0].lines[0].get_xydata().tolist() == [list(DOCUMENT_START.means)]
    assert axes[1].get_title(loc="left") == "log-likelihood \u22121034.0017"
    triangles = [line for line in axes[1].lines if line.get_marker() == "v"]
    assert_allclose([line.get_xdata()[0] for line in triangles], DOCUMENT_START.means)


def test_what_is_left_the_gains_and_the_estimates_belong_to_the_same_steps():
    history = [-8.0, -4.0, -2.0, -1.0]
    ax = plots.new_axes()
    figures.draw_to_go(ax, history, 0.0, [np.inf, np.inf, np.inf, 1.0])
    left, gains, estimates = (line.get_xydata() for line in ax.lines)
    assert_allclose(left, [[1, 4], [2, 2], [3, 1]])
    assert_allclose(gains, [[1, 4], [2, 2], [3, 1]])
    assert_allclose(estimates, [[3, 1]])


def test_gains_below_the_picture_and_what_is_estimated_from_them_are_not_drawn():
    history = [-8.0, -4.0, -2.0, -1.0, -1.0 + 1e-12]
    ax = plots.new_axes()
    figures.draw_to_go(ax, history, 0.0, [np.inf, np.inf, np.inf, 1.0, 1e-12])
    left, gains, estimates = (line.get_xdata() for line in ax.lines)
    assert_allclose(left, [1, 2, 3, 4])
    assert_allclose(gains, [1, 2, 3])
    assert_allclose(estimates, [3])


def test_twins_are_both_to_be_seen(waiting):
    ax = plots.new_axes()
    twins = CONVERGED._replace(means=np.full(2, 70.0), stds=np.full(2, 10.0))
    twins = twins._replace(weights=np.full(2, 0.5))
    figures.draw_ending(ax, waiting, twins, twins)
    triangles = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "v"]
    assert len({tuple(place) for place in triangles}) == 2  # the first one is seen under the last
    dashed = [line for line in ax.lines if line.is_dashed()]
    bells = [line for line in ax.lines if line.get_linewidth() == 2]
    assert_allclose(dashed[-1].get_ydata(), bells[0].get_ydata())


def test_bells_that_differ_are_drawn_once(waiting):
    ax = plots.new_axes()
    figures.draw_ending(ax, waiting, DOCUMENT_START, CONVERGED)
    assert sum(line.get_marker() == "v" for line in ax.lines) == 2


def test_a_pass_has_its_levels_and_begins_where_it_says():
    ax = plots.new_axes()
    figures.draw_pass(ax, [-5.0, -4.0, -1.0], {"low": -5.0, "high": -1.0}, first=1)
    low, high, path = ax.lines
    assert (low.get_ydata()[0], high.get_ydata()[0]) == (-5, -1)
    assert_allclose(path.get_xydata(), [[1, -5], [2, -4], [3, -1]])
    assert [text.get_text() for text in ax.texts] == ["low, \u22125.00", "high, \u22121.00"]


def test_the_axis_of_the_steps_is_logarithmic_unless_told():
    axes = plots.new_axes(1, 2)
    figures.draw_to_go(axes[0], [-8.0, -4.0, -2.0], 0.0)
    figures.draw_to_go(axes[1], [-8.0, -4.0, -2.0], 0.0, log_steps=False)
    assert [ax.get_xscale() for ax in axes] == ["log", "linear"]
    assert [ax.get_yscale() for ax in axes] == ["log", "log"]
