"""The data behind the figures of chapter 16, make it big."""

import numpy as np
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


def test_a_round_has_a_box_for_each_chunk_and_two_more():
    ax = plots.new_axes()
    figures.draw_round(ax, n_chunks=3)
    assert len(ax.patches) == 3 + 2
    said = [text.get_text() for text in ax.texts]
    assert [text for text in said if text.startswith("chunk")] == [
        f"chunk {n}\n8 GB" for n in (3, 2, 1)
    ]
    assert sum("48 bytes" in text for text in said) == 2


def test_memory_is_drawn_in_megabytes():
    ax = plots.new_axes()
    figures.draw_memory(ax, [10**6, 4 * 10**6], {"fit": [2e7, 8e7], "fit_file": [2e7, 3e7]})
    fit, file = (line.get_xydata() for line in ax.lines)
    assert_allclose(fit, [[1, 20], [4, 80]])
    assert_allclose(file, [[1, 20], [4, 30]])
    assert [text.get_text() for text in ax.texts] == ["fit", "fit_file"]


def test_means_stand_beside_where_they_should_be():
    axes = plots.new_axes(1, 2)
    paths = {"one": np.array([[50.0, 80], [54, 80]]), "two": np.array([[51.0, 81], [55, 79]])}
    figures.draw_means(axes, paths, np.array([54.6, 80.1]))
    for ax, (name, path) in zip(axes, paths.items(), strict=True):
        assert ax.get_title(loc="left") == name
        lines = [line for line in ax.lines if line.get_linestyle() != "--"]
        assert_allclose([line.get_ydata() for line in lines], path.T)
        assert [line.get_color() for line in lines] == list(plots.COLOURS[:2])
        assert [line.get_linestyle() for line in lines] == ["-", "-."]
        dashed = [line.get_ydata() for line in ax.lines if line.get_linestyle() == "--"]
        assert_allclose(dashed, [[54.6] * 2, [80.1] * 2])
