"""The data behind the figures of chapter 01, fit two bells with a plain loop."""

from numpy.testing import assert_allclose
from scipy import stats

from emtools.course import plots
from emtools.course.plots import fit_two_bells as figures


def test_shares_of_66_minutes(path):
    ax = plots.new_axes()
    figures.draw_shares(ax, path, 66)
    for share, mixture in zip(ax.lines[0].get_ydata(), path, strict=True):
        joint = mixture.weights * stats.norm.pdf(66, mixture.means, mixture.stds)
        assert_allclose(share, joint[1] / joint.sum(), rtol=1e-9)
