"""The data behind the figures of chapter 06, survive a collapse."""

import numpy as np
import pytest
from cases import CONVERGED
from numpy.testing import assert_allclose

from emtools import Mixture
from emtools.course import plots
from emtools.course.plots import survive_a_collapse as figures

FOUR = np.array([1.0, 2.0, 3.0, 10.0])


def spike(std):
    return Mixture(np.array([0.75, 0.25]), np.array([2.0, 10.0]), np.array([0.8, std]))


@pytest.mark.parametrize(("std", "peak"), [(1, "1 wide, peak 0.1"), (0.001, "0.001 wide, peak 1e")])
def test_the_spike_rises_by_log_10_a_decade(std, peak):
    axes = plots.new_axes(1, 2)
    figures.draw_spike(axes, FOUR, spike, std)
    curve, dot = axes[1].lines
    widths, heights = curve.get_xydata()[:30].T
    assert_allclose(np.diff(heights) / np.diff(np.log(widths)), -1, rtol=1e-6)
    assert dot.get_xdata() == [std]
    assert axes[0].get_title(loc="left").startswith(peak)


@pytest.mark.parametrize("std", [1.0, 0.01, 1e-5])
def test_no_bell_is_too_narrow_to_be_drawn(std):
    ax = plots.new_axes()
    figures.draw_bells(ax, FOUR, spike(std), (0, 12))
    assert_allclose(ax.lines[1].get_ydata().max(), 0.25 / std / np.sqrt(2 * np.pi), rtol=1e-6)
    assert ax.lines[1].get_xdata().min() == 0
    assert ax.lines[1].get_xdata().max() == 12


def test_a_close_up_shows_the_same_bells_on_the_same_scale(waiting):
    axes = plots.new_axes(1, 2)
    narrow = CONVERGED._replace(stds=np.array([5.0, 0.1]))  # high, and outside the part
    figures.draw_close_up(axes, waiting, narrow, (50, 60))
    assert axes[1].get_xlim() == (50, 60)
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert axes[0].get_ylim()[1] > max(np.max(line.get_ydata()) for line in axes[0].lines) > 2
    inside = [line.get_xdata() for line in axes[1].lines if line.get_linewidth() == 2]
    assert all(xs.min() == 50 and xs.max() == 60 for xs in inside)


def test_each_bell_is_a_point_of_count_and_relative_width(waiting):
    ax = plots.new_axes()
    figures.draw_widths(ax, {"fit": (waiting, CONVERGED)})
    [points] = ax.lines
    counts, widths = points.get_xydata().T
    assert_allclose(counts.sum(), len(waiting))
    assert_allclose(counts, CONVERGED.weights * len(waiting), rtol=1e-5)
    assert_allclose(widths, CONVERGED.stds / np.std(waiting))


def test_plain_and_penalised_stand_side_by_side_with_their_ends():
    axes = plots.new_axes(1, 2)
    figures.draw_penalised(axes, [-1.0, -3.0, -4.0], [-90.0, -8.0, -7.0])
    assert_allclose(axes[0].lines[0].get_ydata(), [-1, -3, -4])
    assert_allclose(axes[1].lines[0].get_ydata(), [-90, -8, -7])
    said = [[text.get_text() for text in ax.texts] for ax in axes]
    assert said == [["\u22121.0", "\u22124.0"], ["\u221290.0", "\u22127.0"]]
