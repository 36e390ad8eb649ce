"""The data behind the figures of chapter 09, choose how many."""

import io

import numpy as np
import pytest
from cases import CONVERGED
from numpy.testing import assert_allclose
from PIL import Image
from scipy import stats

from emtools import fit
from emtools.course import plots, widgets
from emtools.course.plots import choose_how_many as figures
from emtools.selection import compare, criteria


@pytest.fixture
def fits(waiting):
    return {1: fit(waiting, 1), 2: fit(waiting, CONVERGED)}


def test_a_choice_shows_the_fit_and_every_criterion(waiting, fits):
    axes = plots.new_axes(1, 2)
    ends = {1: [-1095.3], 2: [-1034.0, -1050.0]}
    figures.draw_choice(axes, waiting, fits, ends, 2)
    assert axes[0].get_title(loc="left") == "K = 2"
    assert_allclose(len(axes[0].lines), 2 + 1 + 1)  # bells, their sum, the zero line
    curves = [line for line in axes[1].lines if line.get_markersize() == 5]
    costs = [criteria(waiting, one) for one in fits.values()]
    for curve, name in zip(curves, ("aic", "bic", "icl"), strict=True):
        assert_allclose(curve.get_ydata(), [getattr(one, name) for one in costs])
        assert list(curve.get_xdata()) == [1, 2]
    dots = [line for line in axes[1].lines if line.get_marker() == "."]
    assert_allclose(dots[1].get_ydata(), [2068, 2100])
    assert {"AIC", "BIC", "ICL"} <= {text.get_text() for text in axes[1].texts}


def test_the_best_of_each_criterion_is_larger(waiting, fits):
    axes = plots.new_axes(1, 2)
    figures.draw_choice(axes, waiting, fits, {}, 1)
    large = [line for line in axes[1].lines if line.get_markersize() == 10]
    assert [line.get_xdata() for line in large] == [[2]] * 3


def test_held_out_scores_and_their_differences():
    axes = plots.new_axes(1, 2)
    scores = {1: np.array([-4.0, -4.2]), 2: np.array([-3.8, -3.9]), 3: np.array([-3.9, -3.8])}
    figures.draw_held_out(axes, scores)
    assert_allclose(axes[0].lines[0].get_ydata(), [-4.0, -3.8, -3.9])
    gains = [line.get_ydata() for line in axes[1].lines if line.get_marker() == "."]
    assert_allclose(gains, [[-0.2, -0.3], [-0.1, 0.1]])
    means = [line for line in axes[1].lines if line.get_marker() == "o"]
    assert_allclose([line.get_ydata()[0] for line in means], [-0.25, 0], atol=1e-15)


def test_a_mean_has_one_standard_error_up_and_down():
    ax = plots.new_axes()
    values = np.array([1.0, 2.0, 4.0, 9.0])
    figures.draw_mean(ax, 3, values)
    [bars] = ax.collections
    [[low, high]] = bars.get_segments()
    assert_allclose(high[1] - low[1], 2 * stats.sem(values))
    assert_allclose((high[1] + low[1]) / 2, 4)


def test_ratios_stand_beside_the_chi_square_density():
    ax = plots.new_axes()
    ratios = np.random.default_rng(0).chisquare(3, 200)
    figures.draw_ratios(ax, ratios, 122.6)
    assert_allclose(
        sum(bar.get_width() * bar.get_height() for bar in ax.patches[:20]), 1, atol=0.02
    )
    law = ax.lines[0]
    assert_allclose(law.get_ydata(), stats.chi2(3).pdf(law.get_xdata()), rtol=1e-9)
    assert_allclose(figures.CHI_SQUARE_95, stats.chi2(3).ppf(0.95), rtol=1e-4)
    said = [text.get_text() for text in ax.texts]
    assert said[0] == "chi-square: 95 % under 7.8"
    assert said[1] == f"draws: 95 % under {np.quantile(ratios, 0.95):.1f}"
    assert said[2] == "the data: 122.6"


def test_a_comparison_leaves_out_what_collapsed():
    ax = plots.new_axes()
    figures.draw_comparison(ax, compare(np.array([0.0, 0, 0, 1, 1, 1]), 2, rng=0))
    assert all(list(line.get_xdata()) == [1] for line in ax.lines)


def test_the_player_shows_the_same_drawing_for_each_number(waiting, fits):
    ends = {1: [-1095.3], 2: [-1034.0]}
    player = widgets.choice_player(waiting, fits, ends)
    assert player.controls == [("number of components K", ["1", "2"])]
    for index, n_components in enumerate(fits):
        figure, axes = plots.new_figure(1, 2)
        figures.draw_choice(axes, waiting, fits, ends, n_components)
        shown, expected = (
            np.asarray(Image.open(io.BytesIO(png)))
            for png in (player.frame(index), plots.as_png(figure))
        )
        assert np.array_equal(shown, expected)
    bic = criteria(waiting, fits[2]).bic
    assert f"BIC {bic:.1f}" in player.says(1)
    assert "bells at 54.6 and 80.1 minutes" in player.says(1)
