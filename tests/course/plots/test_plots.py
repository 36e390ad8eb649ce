"""The data behind the figures that chapters share: pictures themselves are looked at."""

import numpy as np
import pytest
from cases import CONVERGED, DOCUMENT_START
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from emtools import multivariate
from emtools.course import plots


def test_blend_is_the_components_colour_where_one_owns_all():
    resp = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [np.nan, np.nan]])
    first, second = (np.array(to_rgb(colour)) for colour in plots.COLOURS[:2])
    expected = [first, second, (first + second) / 2, [0, 0, 0]]
    assert_allclose(plots.blend(resp), expected, atol=1e-12)


def test_the_histogram_is_a_density_and_every_wait_has_its_tick(waiting):
    ax = plots.new_axes()
    plots.draw_data(ax, waiting)
    area = sum(bar.get_width() * bar.get_height() for bar in ax.patches)
    assert_allclose(area, 1, rtol=1e-12)
    [rug] = ax.collections
    assert_allclose([tick[0, 0] for tick in rug.get_segments()], waiting)
    assert ax.get_xlabel() == "waiting time (minutes)"
    assert ax.get_ylabel() == "density (per minute)"


def test_bells_are_weighted_and_their_sum_is_dashed(waiting):
    ax = plots.new_axes()
    plots.draw_mixture(ax, waiting, CONVERGED)
    first, second, total = ax.lines[:3]
    grid = first.get_xdata()
    assert_allclose(first.get_ydata() + second.get_ydata(), total.get_ydata())
    for bell, weight in zip((first, second), CONVERGED.weights, strict=True):
        assert_allclose(np.trapezoid(bell.get_ydata(), grid), weight, rtol=0.01)


def test_weights_that_do_not_sum_to_one_are_drawn_divided_by_their_sum(waiting):
    ones = DOCUMENT_START._replace(weights=np.array([1.0, 1.0]))
    heights = []
    for mixture in (DOCUMENT_START, ones):
        ax = plots.new_axes()
        plots.draw_mixture(ax, waiting, mixture)
        heights.append(ax.lines[2].get_ydata())
    assert_allclose(*heights)


def test_the_mark_says_the_short_bells_share(waiting):
    ax = plots.new_axes()
    plots.draw_mixture(ax, waiting, CONVERGED, mark=66)
    assert [text.get_text() for text in ax.texts] == ["0", "1", "66 minutes: 61% short bell"]


def test_each_bell_has_its_number_in_it_and_equal_bells_share_a_place(waiting):
    ax = plots.new_axes()
    plots.draw_mixture(ax, waiting, CONVERGED)
    for k, (text, bell) in enumerate(zip(ax.texts, ax.lines, strict=False)):
        assert text.get_text() == f"{k}"
        x, y = text.get_position()
        assert_allclose(x, CONVERGED.means[k])
        assert 0 < y < np.interp(x, *bell.get_data()) / 2
    ax = plots.new_axes()
    twice = np.array([[0.5, 0.5], [70.0, 70.0], [10.0, 10.0]])
    plots.draw_mixture(ax, waiting, type(CONVERGED)(*twice))
    assert [text.get_text() for text in ax.texts] == ["0, 1"]


def test_panels_share_one_scale_that_holds_every_curve(waiting, path):
    axes = plots.new_axes(3, 2, sharex=True, sharey=True)
    plots.draw_path(axes, waiting, path, range(6))
    tops = {ax.get_ylim()[1] for ax in axes.flat}
    assert len(tops) == 1
    assert tops.pop() > max(line.get_ydata().max() for ax in axes.flat for line in ax.lines[:3])
    assert [ax.get_title(loc="left") for ax in axes.flat][:2] == ["start", "iteration 1"]


def test_an_ellipse_holds_the_points_at_its_distance():
    ax = plots.new_axes()
    mean, covariance = np.array([1.0, 2.0]), np.array([[9.0, 3.0], [3.0, 5.0]])
    plots.draw_ellipse(ax, mean, covariance, radii=(1, 2))
    for radius, line in zip((1, 2), ax.lines, strict=False):
        residuals = line.get_xydata() - mean
        squares = np.einsum("ni,ij,nj->n", residuals, np.linalg.inv(covariance), residuals)
        assert_allclose(squares, radius**2, rtol=1e-9)
    assert_allclose(ax.lines[-1].get_xydata(), [mean])


def test_clouds_are_coloured_by_responsibility_and_bells_by_component(clouds):
    X, mixture = clouds
    ax = plots.new_axes()
    plots.draw_clouds(ax, X, mixture)
    [dots] = ax.collections
    assert_allclose(dots.get_offsets(), X)
    resp, _ = multivariate.e_step(X, mixture)
    assert_allclose(dots.get_facecolors()[:, :3], plots.blend(resp))
    crosses = [line for line in ax.lines if line.get_marker() == "+"]
    assert [line.get_color() for line in crosses[1::2]] == list(plots.COLOURS[:2])
    assert [text.get_text() for text in ax.texts] == ["0", "1"]
    assert_allclose([text.xy for text in ax.texts], clouds[1].means)
    assert_allclose([line.get_xydata()[0] for line in crosses[1::2]], mixture.means)
    assert (ax.get_xlabel(), ax.get_ylabel()) == plots.GEYSER


def test_circles_look_like_circles_if_asked(clouds):
    ax = plots.new_axes()
    plots.draw_clouds(ax, *clouds, radii=(1,), equal=True)
    assert ax.get_aspect() == 1
    assert len(ax.lines) == 2 * (1 + 2)


def test_history_ends_on_the_dashed_line():
    ax = plots.new_axes()
    plots.draw_history(ax, [-3.0, -2.0, -1.5])
    dashed, curve = ax.lines
    assert_allclose(curve.get_ydata(), [-3, -2, -1.5])
    assert set(dashed.get_ydata()) == {-1.5}


def test_history_may_begin_later():
    ax = plots.new_axes()
    plots.draw_history(ax, [-3.0, -2.0], first=1)
    assert_allclose(ax.lines[1].get_xdata(), [1, 2])


@pytest.mark.parametrize(("unit", "said"), [("minutes", "minute"), ("1000 km/s", "1000 km/s")])
def test_a_density_is_per_unit(waiting, unit, said):
    ax = plots.new_axes()
    plots.draw_data(ax, waiting, unit=unit)
    assert ax.get_ylabel() == f"density (per {said})"


def test_timings_name_each_line():
    ax = plots.new_axes()
    plots.draw_timings(ax, [10, 100], {"loops": [1.0, 10.0], "arrays": [0.1, 0.2]})
    assert [text.get_text() for text in ax.texts] == ["loops", "arrays"]
    assert ax.get_xscale() == ax.get_yscale() == "log"
