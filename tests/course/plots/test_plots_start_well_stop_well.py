"""The data behind the figures of chapter 05, start well, stop well."""

import numpy as np
from cases import CONVERGED, DOCUMENT_START
from numpy.testing import assert_allclose

from emtools import Mixture
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


def test_the_spike_rises_by_log_10_a_decade():
    axes = plots.new_axes(1, 2)
    x, halves = np.array([1.0, 2.0, 3.0, 10.0]), np.array([0.75, 0.25])
    figures.draw_spike(
        axes, x, lambda std: Mixture(halves, np.array([2, 10]), np.array([0.8, std]))
    )
    widths, heights = axes[1].lines[0].get_xydata()[:30].T
    assert_allclose(np.diff(heights) / np.diff(np.log(widths)), -1, rtol=1e-6)
    assert max(line.get_ydata().max() for line in axes[0].lines) > 0.95
