"""The data behind the figures of chapter 12, fill in what is missing, and its player."""

import io

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image

from emtools import data, missing
from emtools.course import plots, widgets
from emtools.course.plots import fill_in_what_is_missing as figures
from emtools.em import step_on
from emtools.missing import Bins, Lifetimes, Normal, Survival
from emtools.mixture import Mixture


def even(variance, covariance):
    return Normal(np.zeros(2), np.array([[variance, covariance], [covariance, variance]]))


@pytest.fixture
def paths():
    groups = missing.by_pattern(data.murray())
    step = step_on(groups, missing.e_step, missing.m_step)
    paths = [[even(1.0, correlation)] for correlation in (0.5, 0.001, 0.0)]
    for path in paths:
        for _ in range(20):
            path.append(step(path[-1])[0])
    return paths


def test_the_landscape_has_its_summits_and_its_saddle_where_they_are_drawn():
    correlations, variances, heights = figures.landscape()
    assert heights.max() <= 0
    left, right = heights[:, correlations < 0], heights[:, correlations > 0]
    assert_allclose(left, right[:, ::-1], atol=1e-12)
    row, column = np.unravel_index(right.argmax(), right.shape)
    assert_allclose(correlations[correlations > 0][column], 0.5, atol=np.diff(correlations)[0])
    assert_allclose(variances[row], 8 / 3, atol=np.diff(variances)[0])
    middle = heights[:, np.argmin(np.abs(correlations))]
    assert_allclose(variances[middle.argmax()], 2.5, atol=np.diff(variances)[0])
    assert_allclose(middle.max(), -0.0591, atol=1e-3)


def test_paths_are_drawn_as_far_as_they_are_asked_for(paths):
    axes = plots.new_axes(1, 2)
    figures.draw_summits(axes, paths, (0, 5))
    for ax, iteration, title in zip(axes, (0, 5), ("start", "iteration 5"), strict=True):
        assert ax.get_title(loc="left") == title
        walked = ax.lines[3].get_xydata()  # after two stars and a cross
        assert len(walked) == iteration + 1
        end = paths[0][iteration].covariance
        assert_allclose(walked[-1], [end[0, 1] / end[0, 0], end[0, 0]], rtol=1e-12)
    assert [text.get_text() for text in axes[0].texts] == ["0.5", "0\n0.001"]
    assert not axes[1].texts


def test_the_player_walks_along(paths):
    player = widgets.summit_player(paths, range(3))
    figure, ax = plots.new_figure()
    figures.draw_summits(ax, paths, [2])
    shown, expected = (
        np.asarray(Image.open(io.BytesIO(png))) for png in (player.frame(2), plots.as_png(figure))
    )
    assert np.array_equal(shown, expected)
    ends = [figures.place_of(path[2]) for path in paths]
    words = "; ".join(f"{correlation:.2f} and {variance:.2f}" for correlation, variance in ends)
    assert player.says(2) == f"iteration 2: correlation and variance of each run: {words}."


def test_filled_tables_show_seen_and_filled_points_apart():
    gappy = np.array([[1.0, 5], [2, np.nan], [3, 7], [4, np.nan]])
    table = np.nan_to_num(gappy, nan=6.0)
    axes = plots.new_axes(1, 2)
    figures.draw_filled(axes, gappy, {"one": table, "two": table}, np.where(table == 6, 0.5, 0))
    for ax, name in zip(axes, ("one", "two"), strict=True):
        assert ax.get_title(loc="left") == name
        assert_allclose(ax.lines[0].get_xydata(), [[1, 5], [3, 7]])
        assert_allclose(ax.lines[1].get_xydata(), [[2, 6], [4, 6]])
    assert not axes[0].collections
    [bars] = axes[1].collections
    assert_allclose(bars.get_segments()[0], [[2, 5], [2, 7]])


def test_survival_falls_at_each_end_by_its_probability():
    lifetimes = Lifetimes(np.array([1.0, 2, 3]), np.array([True, False, True]))
    ax = plots.new_axes()
    path = [Survival(np.array([0.5, 0.5])), Survival(np.array([1 / 3, 2 / 3]))]
    figures.draw_survival(ax, lifetimes, np.array([1.0, 3]), path, (0, 1), 2.0)
    first, last, ticks, curve = ax.lines
    assert_allclose(first.get_ydata(), [1, 0.5, 0, 0], atol=1e-12)
    assert_allclose(last.get_ydata(), [1, 2 / 3, 0, 0], atol=1e-12)
    assert_allclose(last.get_xdata()[:3], [0, 1, 3])
    assert_allclose(ticks.get_xydata(), [[2, 2 / 3]])
    assert_allclose(curve.get_ydata(), np.exp(-curve.get_xdata() / 2))


def test_who_is_last_seen_at_an_end_has_survived_it():
    lifetimes = Lifetimes(np.array([1.0, 1, 3]), np.array([True, False, True]))
    ax = plots.new_axes()
    path = [Survival(np.array([0.5, 0.5]))]
    figures.draw_survival(ax, lifetimes, np.array([1.0, 3]), path, (0,), 2.0)
    assert_allclose(ax.lines[1].get_xydata(), [[1, 0.5]])


def test_an_open_end_keeps_its_share_to_the_end_of_the_picture():
    lifetimes = Lifetimes(np.array([1.0, 2]), np.array([True, False]))
    ax = plots.new_axes()
    path = [Survival(np.array([0.4, 0.6]))]
    figures.draw_survival(ax, lifetimes, np.array([1.0, np.inf]), path, (0,), 2.0)
    assert_allclose(ax.lines[0].get_ydata(), [1, 0.6, 0.6])


def test_bars_are_shares_and_lines_what_a_mixture_expects():
    bins = Bins(np.array([1, 3]), np.array([0.0, 2, 4]))
    bell = Mixture(np.ones(1), np.array([2.0]), np.array([1.0]))
    ax = plots.new_axes()
    figures.draw_bins([ax], bins, {"a bell": bell})
    assert_allclose([bar.get_height() for bar in ax.patches], [1 / 8, 3 / 8])
    [levels] = ax.collections
    assert_allclose(levels.get_segments()[0][:, 1], 0.4772498681 / 2, rtol=1e-3)


def test_points_with_a_gap_are_lines():
    ax = plots.new_axes()
    figures.draw_two_shapes(ax, data.murray(), {"round": even(1.0, 0.0)})
    assert len(ax.lines[0].get_xydata()) == 4
    lines = [line for line in ax.lines if line.get_color() == plots.PALE]
    assert len(lines) == 8
    assert {tuple(np.unique(line.get_xydata()[:, 0])) for line in lines[:4]} == {(2,), (-2,)}
