"""The data behind the figures of chapter 15, make it fast."""

import numpy as np
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose

from emtools.course import plots
from emtools.course.plots import make_it_fast as figures


def test_the_ladder_says_time_factor_and_lines():
    ax = plots.new_axes()
    figures.draw_ladder(ax, {"taught": 100.0, "rows": 40.0}, {"taught": 15, "rows": 12})
    dots = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert_allclose(dots, [[100, 0], [40, 1]])
    assert ax.get_xscale() == "log"
    said = [text.get_text() for text in ax.texts]
    assert said == ["100.0 ms; 15 lines", "40.0 ms, 2.5 times faster; 12 lines"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["taught", "rows"]
    assert ax.yaxis_inverted()


def test_runs_show_a_table_its_view_and_its_copy_in_the_order_of_memory():
    ax = plots.new_axes()
    figures.draw_runs(ax, n_samples=3)
    table = np.array([[0, 3], [1, 4], [2, 5]])  # component 0 in the first column
    component = {plots.COLOURS[0]: 0, plots.COLOURS[1]: 1}
    colours = [component[to_hex(bar.get_facecolor()).upper()] for bar in ax.patches]
    numbers = [int(text.get_text()) for text in ax.texts if text.get_text().isdigit()]
    shown = [n + 3 * k for n, k in zip(numbers, colours, strict=True)]
    in_lines = table.ravel(order="C")
    assert shown == [*in_lines, *in_lines, *table.ravel(order="F")]
    assert len(ax.lines) == 3 + 3 + 2  # one bracket a run


def test_the_order_of_work_highlights_one_piece():
    axes = plots.new_axes(1, 2)
    figures.draw_order(axes)
    for ax, expected in zip(axes, ([2, 6, 10, 14], [5, 6, 7, 8]), strict=True):
        bold = [int(text.get_text()) for text in ax.texts if text.get_fontweight() == "bold"]
        assert sorted(int(text.get_text()) for text in ax.texts) == list(range(1, 17))
        assert bold == expected


def test_errors_stand_at_their_offsets_and_the_dashed_line_has_slope_two():
    ax = plots.new_axes()
    errors = {"about zero": [0, 1e-11, 1e-7, 1e-5], "about the mean": [0, 1e-14, 1e-14, 1e-14]}
    figures.draw_errors(ax, [1e3, 1e5, 1e6], errors, std=5.0)
    predicted, *found = (line.get_ydata() for line in ax.lines)
    assert_allclose(predicted / np.finfo(float).eps, [4e4, 4e8, 4e10])
    for line, error in zip(found, errors.values(), strict=True):
        assert_allclose(line, error[1:])


def test_predictions_name_each_problem_and_show_a_factor_of_two():
    ax = plots.new_axes()
    pairs = {(10**6, 1, 2): (4.0, 5.0), (2000, 1, 2): (0.05, 0.04)}
    figures.draw_predictions(ax, pairs)
    dots = [line.get_xydata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert_allclose(dots, [[5, 0], [0.04, 1]])
    said = [text.get_text() for text in ax.get_yticklabels()]
    assert said == ["N = 1,000,000, D = 1, K = 2", "N = 2,000, D = 1, K = 2"]
    bands = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert_allclose(bands, [(2, 8), (0.025, 0.1)])
    named = [text.get_text() for text in ax.get_legend().get_texts()]
    assert named == ["half to twice the prediction", "predicted", "measured"]
