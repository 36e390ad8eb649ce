"""The data behind the figures of chapter 07, go to many dimensions."""

import numpy as np

from emtools.course import plots
from emtools.course.plots import go_to_many_dimensions as figures


def test_cloud_panels_have_their_titles_and_one_frame(clouds):
    X, mixture = clouds
    axes = plots.new_axes(1, 2, sharex=True, sharey=True)
    far = mixture._replace(means=mixture.means + 100)
    figures.draw_cloud_panels(axes, X, {"near": mixture, "far": far})
    assert [ax.get_title(loc="left") for ax in axes] == ["near", "far"]
    for ax in axes:
        assert ax.get_xlim()[0] < X[:, 0].min() < X[:, 0].max() < ax.get_xlim()[1] < 10


def test_cholesky_takes_the_point_along_on_one_scale():
    axes = plots.new_axes(1, 2)
    covariance = np.array([[9.0, 3.0], [3.0, 5.0]])
    figures.draw_cholesky(axes, np.zeros(2), covariance, np.array([1.0, 2.0]))
    assert [ax.texts[0].get_text() for ax in axes] == ["(1, 2)", "(3, 5)"]
    assert axes[0].get_xlim() == axes[1].get_xlim() == axes[0].get_ylim()


def test_two_points_stand_where_they_are(clouds):
    X, _ = clouds
    ax = plots.new_axes()
    figures.draw_two_points(ax, X, {"A": [4.6, 84], "B": [4.6, 57]})
    assert [(text.get_text(), *text.xy) for text in ax.texts] == [("A", 4.6, 84), ("B", 4.6, 57)]
