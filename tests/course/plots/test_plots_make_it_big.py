"""The data behind the figures of chapter 16, make it big."""

from numpy.testing import assert_allclose

from emtools.course import plots
from emtools.course.plots import make_it_big as figures


def test_a_stream_is_drawn_by_what_it_lacks():
    ax = plots.new_axes()
    figures.draw_streams(ax, {0.6: [-12.0, -11.0, -11.5], 0.9: [-13.0, -12.0, -11.0]}, -10.0)
    assert_allclose(ax.lines[0].get_xydata(), [[1, 2], [2, 1], [3, 1.5]])
    assert_allclose(ax.lines[1].get_ydata(), [3, 2, 1])
    assert [text.get_text() for text in ax.texts][:2] == ["exponent 0.6", "exponent 0.9"]
    assert ax.get_yscale() == "log"
