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


def test_each_bell_is_a_point_beside_its_price():
    ax = plots.new_axes()
    ratios, gains, owned = np.array([0.03, 0.5]), np.array([7.0, 20.0]), np.array([1.9, 40.2])
    prices = 6 - np.log(ratios)
    figures.draw_gains(ax, {"fit": list(zip(ratios, gains, prices, strict=True))}, {"fit": owned})
    points, line = ax.lines
    assert_allclose(points.get_xydata(), np.transpose([ratios, gains]))
    widths, price = line.get_xydata().T
    assert_allclose(price, 6 - np.log(widths))
    assert [text.get_text() for text in ax.texts] == ["2", "40", "suspicious"]
    [corner] = ax.collections
    inside = corner.get_paths()[0].contains_points([(0.03, 7), (0.03, 10), (0.2, 3)])
    assert inside.tolist() == [True, False, False]


def test_plain_and_penalised_stand_side_by_side_with_their_ends():
    axes = plots.new_axes(1, 2)
    figures.draw_penalised(axes, [-1.0, -3.0, -4.0], [-90.0, -8.0, -7.0])
    assert_allclose(axes[0].lines[0].get_ydata(), [-1, -3, -4])
    assert_allclose(axes[1].lines[0].get_ydata(), [-90, -8, -7])
    said = [[text.get_text() for text in ax.texts] for ax in axes]
    assert said == [["\u22121.0", "\u22124.0"], ["\u221290.0", "\u22127.0"]]
