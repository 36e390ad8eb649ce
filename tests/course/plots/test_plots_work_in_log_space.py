"""The data behind the figures of chapter 03, work in log space."""

import numpy as np
from cases import CONVERGED, GALAXIES_START
from numpy.testing import assert_allclose

from emtools import logspace
from emtools.course import plots
from emtools.course.plots import work_in_log_space as figures


def test_the_cliff_marks_the_thirteen_galaxies_that_both_bells_lose(galaxies):
    ax = plots.new_axes()
    figures.draw_cliff(ax, galaxies, GALAXIES_START)
    crosses = [line for line in ax.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [len(line.get_xdata()) for line in crosses] == [13, 13]
    assert "both are lost, 0/0 (13 rows)" in [t.get_text() for t in ax.get_legend().get_texts()]
    for k, expected in enumerate(logspace.log_joint(galaxies, GALAXIES_START).T):
        dots, crosses = ax.lines[1 + 2 * k : 3 + 2 * k]
        plotted = np.concatenate([dots.get_ydata(), crosses.get_ydata()])
        assert_allclose(np.sort(plotted), np.sort(expected))


def test_the_edge_shows_the_galaxy_that_is_lost_and_the_one_that_is_saved_by_a_hair(galaxies):
    ax = plots.new_axes()
    figures.draw_edge(ax, galaxies, GALAXIES_START, (16000, 16250))
    assert [text.get_text() for text in ax.texts[:2]] == ["16084: lost", "16170: saved"]
    lowest, highest = ax.get_ylim()
    for text in ax.texts[:2]:
        assert lowest < text.xy[1] < highest
    assert ax.texts[0].xy[1] < figures.FLOOR < ax.texts[1].xy[1] < figures.LAST_NORMAL


def test_the_floor_is_float64s():
    assert np.exp(figures.FLOOR) > 0
    assert np.exp(figures.FLOOR - 0.01) == 0
    assert (
        np.exp(figures.LAST_NORMAL - 0.1) < np.finfo(float).tiny < np.exp(figures.LAST_NORMAL + 0.1)
    )


def test_each_version_of_the_outlier_has_its_bar():
    axes = plots.new_axes(2, 1)
    versions = {
        "plain": lambda x, mixture: np.full((1, 2), np.nan),
        "log space": lambda x, mixture: logspace.e_step(x, mixture)[0],
    }
    figures.draw_outlier(axes, CONVERGED, 400, versions)
    assert [text.get_text() for text in axes[1].texts] == ["nan / nan", "5.6e-107 / 1"]
    legend = [text.get_text() for text in axes[0].get_legend().get_texts()]
    long_first = CONVERGED.means[0] > CONVERGED.means[1]
    assert legend == ["long bell", "short bell"][:: 1 if long_first else -1]
    assert [label.get_text() for label in axes[1].get_yticklabels()] == list(versions)
