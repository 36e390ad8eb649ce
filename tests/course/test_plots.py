"""The data behind each figure: pictures themselves are looked at, not compared."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from cases import CONVERGED, DOCUMENT_START, GALAXIES_START
from matplotlib.colors import to_hex, to_rgb
from numpy.testing import assert_allclose
from scipy import stats

from emtools import Mixture, arrays, data, logspace, multivariate
from emtools.course import plots


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def path(waiting):
    path = [DOCUMENT_START]
    for _ in range(5):
        path.append(arrays.m_step(waiting, arrays.e_step(waiting, path[-1])))
    return path


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


def test_the_mark_says_the_left_bells_share(waiting):
    ax = plots.new_axes()
    plots.draw_mixture(ax, waiting, CONVERGED, mark=66)
    assert [text.get_text() for text in ax.texts] == ["66 minutes: 61% left bell"]


def test_panels_share_one_scale_that_holds_every_curve(waiting, path):
    axes = plots.new_axes(3, 2, sharex=True, sharey=True)
    plots.draw_path(axes, waiting, path, range(6))
    tops = {ax.get_ylim()[1] for ax in axes.flat}
    assert len(tops) == 1
    assert tops.pop() > max(line.get_ydata().max() for ax in axes.flat for line in ax.lines[:3])
    assert [ax.get_title(loc="left") for ax in axes.flat][:2] == ["start", "iteration 1"]


@pytest.fixture
def clouds():
    """Old Faithful and two bells with its fitted means."""
    X = data.old_faithful()
    return X, multivariate.around(X, np.array([[2.04, 54.5], [4.29, 80.0]]))


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
    assert_allclose([line.get_xydata()[0] for line in crosses[1::2]], mixture.means)
    assert (ax.get_xlabel(), ax.get_ylabel()) == plots.GEYSER


def test_circles_look_like_circles_if_asked(clouds):
    ax = plots.new_axes()
    plots.draw_clouds(ax, *clouds, radii=(1,), equal=True)
    assert ax.get_aspect() == 1
    assert len(ax.lines) == 2 * (1 + 2)


def test_cloud_panels_have_their_titles_and_one_frame(clouds):
    X, mixture = clouds
    axes = plots.new_axes(1, 2, sharex=True, sharey=True)
    far = mixture._replace(means=mixture.means + 100)
    plots.draw_cloud_panels(axes, X, {"near": mixture, "far": far})
    assert [ax.get_title(loc="left") for ax in axes] == ["near", "far"]
    for ax in axes:
        assert ax.get_xlim()[0] < X[:, 0].min() < X[:, 0].max() < ax.get_xlim()[1] < 10


def test_cholesky_takes_the_point_along_on_one_scale():
    axes = plots.new_axes(1, 2)
    covariance = np.array([[9.0, 3.0], [3.0, 5.0]])
    plots.draw_cholesky(axes, np.zeros(2), covariance, np.array([1.0, 2.0]))
    assert [ax.texts[0].get_text() for ax in axes] == ["(1, 2)", "(3, 5)"]
    assert axes[0].get_xlim() == axes[1].get_xlim() == axes[0].get_ylim()


def test_two_points_stand_where_they_are(clouds):
    X, _ = clouds
    ax = plots.new_axes()
    plots.draw_two_points(ax, X, {"A": [4.6, 84], "B": [4.6, 57]})
    assert [(text.get_text(), *text.xy) for text in ax.texts] == [("A", 4.6, 84), ("B", 4.6, 57)]


def test_shares_of_66_minutes(path):
    ax = plots.new_axes()
    plots.draw_shares(ax, path, 66)
    for share, mixture in zip(ax.lines[0].get_ydata(), path, strict=True):
        joint = mixture.weights * stats.norm.pdf(66, mixture.means, mixture.stds)
        assert_allclose(share, joint[1] / joint.sum(), rtol=1e-9)


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


def test_the_map_has_one_colour_a_hill_and_the_first_mean_runs_across():
    heights = np.array([[-3.0, -1.0, -1.00001], [-2.0, -3.0, -1.0], [-2.0, -2.0, -3.0]])
    ax = plots.new_axes()
    plots.draw_start_map(ax, np.array([10.0, 20.0, 30.0]), heights, marks=[(10, 20), (30, 10)])
    [mesh] = ax.collections
    assert_allclose(mesh.get_array(), [[2, 1, 1], [0, 2, 1], [0, 0, 2]])
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said == [f"\u2212{level}.0000  (3 starts)" for level in (1, 2, 3)]
    assert [text.get_text() for text in ax.texts] == ["a", "b"]


def test_an_ending_says_its_height_and_where_it_began(waiting):
    axes = plots.new_axes(1, 2)
    heights, grid = np.array([[-2.0, -1.0], [-1.0, -2.0]]), np.array([50.0, 80.0])
    plots.draw_picked(axes, waiting, grid, heights, DOCUMENT_START, CONVERGED)
    assert axes[0].lines[0].get_xydata().tolist() == [list(DOCUMENT_START.means)]
    assert axes[1].get_title(loc="left") == "log-likelihood \u22121034.0017"
    triangles = [line for line in axes[1].lines if line.get_marker() == "v"]
    assert_allclose([line.get_xdata()[0] for line in triangles], DOCUMENT_START.means)


def test_what_is_left_the_gains_and_the_estimates_belong_to_the_same_steps():
    history = [-8.0, -4.0, -2.0, -1.0]
    ax = plots.new_axes()
    plots.draw_to_go(ax, history, 0.0, [np.inf, np.inf, np.inf, 1.0])
    left, gains, estimates = (line.get_xydata() for line in ax.lines)
    assert_allclose(left, [[1, 4], [2, 2], [3, 1]])
    assert_allclose(gains, [[1, 4], [2, 2], [3, 1]])
    assert_allclose(estimates, [[3, 1]])


def test_the_spike_rises_by_log_10_a_decade():
    axes = plots.new_axes(1, 2)
    x, halves = np.array([1.0, 2.0, 3.0, 10.0]), np.array([0.75, 0.25])
    plots.draw_spike(axes, x, lambda std: Mixture(halves, np.array([2, 10]), np.array([0.8, std])))
    widths, heights = axes[1].lines[0].get_xydata()[:30].T
    assert_allclose(np.diff(heights) / np.diff(np.log(widths)), -1, rtol=1e-6)
    assert max(line.get_ydata().max() for line in axes[0].lines) > 0.95


@pytest.mark.parametrize(("unit", "said"), [("minutes", "minute"), ("1000 km/s", "1000 km/s")])
def test_a_density_is_per_unit(waiting, unit, said):
    ax = plots.new_axes()
    plots.draw_data(ax, waiting, unit=unit)
    assert ax.get_ylabel() == f"density (per {said})"


def test_tables_show_the_numbers_of_the_expression():
    ax = plots.new_axes()
    plots.draw_broadcast(ax, np.array([50.0, 66.0, 82.0]), np.array([80.0, 50.0]))
    shown = [text.get_text() for text in ax.texts]
    for number in ("-30", "0", "-14", "16", "2", "32", "(N, K) = (3, 2)"):
        assert number in shown
    ax = plots.new_axes()
    resp = np.array([[0, 1], [0.5, 0.5], [1, 0]])
    plots.draw_product(ax, np.array([50.0, 66.0, 82.0]), resp)
    shown = [text.get_text() for text in ax.texts]
    assert {"115", "83", "(K, N) = (2, 3)", "(K,) = (2,)"} <= set(shown)


def test_the_cliff_marks_the_thirteen_galaxies_that_both_bells_lose(galaxies):
    ax = plots.new_axes()
    plots.draw_cliff(ax, galaxies, GALAXIES_START)
    crosses = [line for line in ax.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [len(line.get_xdata()) for line in crosses] == [13, 13]
    assert "both are lost, 0/0 (13 rows)" in [t.get_text() for t in ax.get_legend().get_texts()]
    for k, expected in enumerate(logspace.log_joint(galaxies, GALAXIES_START).T):
        dots, crosses = ax.lines[1 + 2 * k : 3 + 2 * k]
        plotted = np.concatenate([dots.get_ydata(), crosses.get_ydata()])
        assert_allclose(np.sort(plotted), np.sort(expected))


def test_the_floor_is_float64s():
    assert np.exp(plots.FLOOR) > 0
    assert np.exp(plots.FLOOR - 0.01) == 0
    assert np.exp(plots.LAST_NORMAL - 0.1) < np.finfo(float).tiny < np.exp(plots.LAST_NORMAL + 0.1)


def test_each_version_of_the_outlier_has_its_bar():
    axes = plots.new_axes(2, 1)
    versions = {
        "plain": lambda x, mixture: np.full((1, 2), np.nan),
        "log space": lambda x, mixture: logspace.e_step(x, mixture)[0],
    }
    plots.draw_outlier(axes, CONVERGED, 400, versions)
    assert [text.get_text() for text in axes[1].texts] == ["nan / nan", "5.61e-107 / 1"]
    assert [label.get_text() for label in axes[1].get_yticklabels()] == list(versions)


def test_timings_name_each_line():
    ax = plots.new_axes()
    plots.draw_timings(ax, [10, 100], {"loops": [1.0, 10.0], "arrays": [0.1, 0.2]})
    assert [text.get_text() for text in ax.texts] == ["loops", "arrays"]
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_the_bound_touches_where_we_stand_and_has_its_top_where_we_go():
    thetas = [0.5, 59 / 97, 0.62432105]
    axes = plots.new_axes(1, 2)
    plots.draw_climb(axes, thetas, (0, 1))
    for ax, (here, there) in zip(axes, pairwise(thetas), strict=True):
        curve, bound = ax.lines[:2]
        distance = curve.get_ydata() - bound.get_ydata()
        grid = curve.get_xdata()
        assert (distance > -1e-9).all()
        assert_allclose(grid[distance.argmin()], here, atol=np.diff(grid)[0])
        assert_allclose(grid[bound.get_ydata().argmax()], there, atol=np.diff(grid)[0])


def test_the_museum_says_which_histories_fall():
    axes = plots.new_axes(1, 3)
    right = np.array([-3.0, -2.0, -1.9])
    histories = {"right": right, "up": right - 1, "down": right[::-1], "same": right}
    plots.draw_museum(axes, histories)
    assert [ax.texts[0].get_text() for ax in axes] == ["never falls", "falls", "never falls"]
    assert_allclose(axes[1].lines[1].get_ydata(), right[::-1])


def test_the_ladder_says_time_factor_and_lines():
    ax = plots.new_axes()
    plots.draw_ladder(ax, {"taught": 100.0, "rows": 40.0}, {"taught": 15, "rows": 12})
    assert [bar.get_width() for bar in ax.patches] == [100, 40]
    said = [text.get_text() for text in ax.texts]
    assert said == ["100.0 ms; 15 lines", "40.0 ms, 2.5 times faster; 12 lines"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["taught", "rows"]
    assert ax.yaxis_inverted()


def test_runs_show_both_shapes_in_the_order_of_memory():
    ax = plots.new_axes()
    plots.draw_runs(ax, n_samples=3)
    table = np.array([[0, 3], [1, 4], [2, 5]])  # component 0 in the first column
    component = {plots.COLOURS[0]: 0, plots.COLOURS[1]: 1}
    colours = [component[to_hex(bar.get_facecolor()).upper()] for bar in ax.patches]
    numbers = [int(text.get_text()) for text in ax.texts if text.get_text().isdigit()]
    shown = [n + 3 * k for n, k in zip(numbers, colours, strict=True)]
    assert shown == [*table.ravel(order="C"), *table.ravel(order="F")]
    assert len(ax.lines) == 3 + 2  # one bracket a run


def test_the_order_of_work_highlights_one_piece():
    axes = plots.new_axes(1, 2)
    plots.draw_order(axes)
    for ax, expected in zip(axes, ([2, 6, 10, 14], [5, 6, 7, 8]), strict=True):
        bold = [int(text.get_text()) for text in ax.texts if text.get_fontweight() == "bold"]
        assert sorted(int(text.get_text()) for text in ax.texts) == list(range(1, 17))
        assert bold == expected


def test_errors_stand_at_their_offsets_and_the_dashed_line_has_slope_two():
    ax = plots.new_axes()
    errors = {"about zero": [0, 1e-11, 1e-7, 1e-5], "about the mean": [0, 1e-14, 1e-14, 1e-14]}
    plots.draw_errors(ax, [1e3, 1e5, 1e6], errors, std=5.0)
    predicted, *found = (line.get_ydata() for line in ax.lines)
    assert_allclose(predicted / np.finfo(float).eps, [4e4, 4e8, 4e10])
    for line, error in zip(found, errors.values(), strict=True):
        assert_allclose(line, error[1:])


def test_predictions_name_each_problem_and_show_a_factor_of_two():
    ax = plots.new_axes()
    pairs = {(10**6, 1, 2): (4.0, 5.0), (2000, 1, 2): (0.05, 0.04)}
    plots.draw_predictions(ax, pairs)
    dots = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert_allclose(dots, [[0.05, 0.04], [4, 5]])
    said = [text.get_text() for text in ax.texts]
    assert said == ["N = 2,000, D = 1, K = 2", "N = 1,000,000, D = 1, K = 2"]
    [band] = ax.collections
    ratios = {round(y / x, 6) for x, y in band.get_paths()[0].vertices}
    assert {0.5, 2.0} <= ratios <= {0.5, 2.0}


def test_a_stream_is_drawn_by_what_it_lacks():
    ax = plots.new_axes()
    plots.draw_streams(ax, {0.6: [-12.0, -11.0, -11.5], 0.9: [-13.0, -12.0, -11.0]}, -10.0)
    assert_allclose(ax.lines[0].get_xydata(), [[1, 2], [2, 1], [3, 1.5]])
    assert_allclose(ax.lines[1].get_ydata(), [3, 2, 1])
    assert [text.get_text() for text in ax.texts][:2] == ["exponent 0.6", "exponent 0.9"]
    assert ax.get_yscale() == "log"


def test_the_staircase_knows_which_chapters_are_written():
    from pathlib import Path

    notebooks = Path(__file__).parents[2] / "notebooks"
    written = {number for number, title, _ in plots.STAIRS if not title.startswith("(")}
    assert written == {path.name[:2] for path in notebooks.glob("[0-9][0-9]_*.ipynb")}
    plots.draw_staircase(plots.new_axes())
