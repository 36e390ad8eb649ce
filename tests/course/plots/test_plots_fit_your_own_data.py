"""The data behind the figures of chapter 08, fit your own data, and behind `draw_fit`."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from emtools import Mixture, MultivariateMixture, data
from emtools.course import plots
from emtools.course.plots import fit_your_own_data as figures
from emtools.em import Fit
from emtools.multivariate import e_step, m_step
from emtools.predict import responsibilities

NAMES = ["a (mm)", "b (mm)", "c (mm)", "d (g)"]


@pytest.fixture
def birds():
    """The measured penguins and the moments of the three species."""
    measurements, species = data.penguins()
    seen = ~np.isnan(measurements).any(axis=1)
    truth = np.unique(species[seen], return_inverse=True)[1]
    return measurements[seen], m_step(measurements[seen], np.eye(3)[truth])


def dots_of(ax):
    return ax.collections[0]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_every_pair_of_columns_has_its_panel(birds):
    X, mixture = birds
    axes = plots.draw_fit(X, mixture, names=NAMES)
    assert axes.shape == (3, 3)
    colours = plots.blend(e_step(X, mixture)[0])
    for row, column in np.ndindex(3, 3):
        ax = axes[row, column]
        assert ax.axison == (column <= row)
        if column <= row:
            assert_allclose(dots_of(ax).get_offsets(), X[:, [column, row + 1]])
            assert_allclose(dots_of(ax).get_facecolors()[:, :3], colours)
    assert [axes[2, 1].get_xlabel(), axes[1, 0].get_ylabel()] == ["b (mm)", "c (mm)"]
    assert legend_of(axes[0, 2]) == [
        "component 0: 44.2%",
        "component 1: 19.9%",
        "component 2: 36.0%",
    ]


def test_an_ellipse_is_the_marginal_of_its_bell(birds):
    X, mixture = birds
    ax = plots.draw_fit(X, mixture, columns=[3, 1])
    residuals = ax.lines[0].get_xydata() - mixture.means[0][[3, 1]]
    precision = np.linalg.inv(mixture.covariances[0][np.ix_([3, 1], [3, 1])])
    assert_allclose(np.einsum("ni,ij,nj->n", residuals, precision, residuals), 4, rtol=1e-9)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column 3", "column 1")


def test_one_column_is_a_histogram_whatever_its_shape(birds):
    X, mixture = birds
    one = MultivariateMixture(
        mixture.weights, mixture.means[:, 2:3], mixture.covariances[:, 2:3, 2:3]
    )
    flat = plots.draw_fit(X[:, 2:3], one, names="flipper (mm)")
    assert flat.get_xlabel() == "flipper (mm)"
    assert flat.get_ylabel() == "density (per mm)"
    assert_allclose(sum(bar.get_width() * bar.get_height() for bar in flat.patches), 1, rtol=1e-12)
    heights = [line.get_ydata() for line in flat.lines[:4]]
    assert_allclose(sum(heights[:3]), heights[3])
    assert len(legend_of(flat)) == 3


def test_a_fit_and_a_frame_are_drawn_as_they_are(birds):
    X, mixture = birds
    fit = Fit(mixture, -1.0, np.zeros(2), 1, True)
    axes = plots.draw_fit(pd.DataFrame(X, columns=NAMES), fit)
    assert axes[2, 2].get_xlabel() == "c (mm)"


def test_more_components_than_colours_are_all_drawn(birds):
    X, _ = birds
    groups = np.arange(len(X)) % 8
    ax = plots.draw_fit(X, m_step(X, np.eye(8)[groups]), columns=(0, 1))
    assert sum(line.get_marker() == "+" for line in ax.lines) == 16
    assert len(legend_of(ax)) == 8


def test_more_bells_than_colours_are_all_drawn_in_one_column_too(birds):
    X, _ = birds
    means = np.linspace(175, 230, 8)
    mixture = Mixture(np.full(8, 1 / 8), means, np.full(8, 5.0))
    ax = plots.draw_fit(X[:, 2], mixture)
    assert len(ax.lines) == 8 + 2 + 8  # bells, their sum and the axis; the legend's
    assert len(legend_of(ax)) == 8


def test_a_mixture_for_other_data_is_refused(birds):
    X, mixture = birds
    with pytest.raises(ValueError, match=r"x has shape \(342, 3\)"):
        plots.draw_fit(X[:, :3], mixture)


def test_rings_are_around_the_few(birds):
    X, mixture = birds
    groups = responsibilities(X, mixture).argmax(axis=1)
    groups[[90, 184, 188, 280, 291]] = 3
    few = m_step(X, np.eye(4)[groups])
    axes = plots.new_axes(1, 2)
    figures.draw_ends(axes, X, {"many": mixture, "few": few}, (0, 3), NAMES)
    assert [len(ax.collections[1].get_offsets()) for ax in axes] == [0, 5]
    assert [ax.get_title(loc="left") for ax in axes] == ["many", "few"]


def test_tables_side_by_side_have_one_frame(birds):
    X, _ = birds
    axes = plots.new_axes(1, 2)
    figures.draw_beside(axes, {"one": X[:, :2], "other": X[:, :2] + 30}, NAMES[:2])
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert axes[0].get_xlim()[1] > X[:, 0].max() + 30


def test_components_nearly_in_one_place_share_a_number(birds):
    X, mixture = birds
    apart = np.array([[1.0, 0.0], [0.0, 0.0], [0.02, 0.0]])
    assert [name for _, name in plots.numbers_at(apart)] == ["0", "1", "2"]
    assert [name for _, name in plots.numbers_at(apart, near=0.03)] == ["0", "1, 2"]
    ax = plots.new_axes()
    resp, _ = e_step(X, mixture)
    plots.draw_pair(ax, X, mixture, resp, (1, 3), names=("bill depth (mm)", "body mass (g)"))
    assert sorted(text.get_text() for text in ax.texts) == ["0, 1", "2"]
