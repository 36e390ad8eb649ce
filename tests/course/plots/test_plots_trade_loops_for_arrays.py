"""The data behind the figures of chapter 02, trade loops for arrays."""

import numpy as np

from emtools.course import plots
from emtools.course.plots import trade_loops_for_arrays as figures


def test_tables_show_the_numbers_of_the_expression():
    ax = plots.new_axes()
    figures.draw_broadcast(ax, np.array([50.0, 66.0, 82.0]), np.array([80.0, 50.0]))
    shown = [text.get_text() for text in ax.texts]
    for number in ("-30", "0", "-14", "16", "2", "32", "(N, K) = (3, 2)"):
        assert number in shown
    ax = plots.new_axes()
    resp = np.array([[0, 1], [0.5, 0.5], [1, 0]])
    figures.draw_product(ax, np.array([50.0, 66.0, 82.0]), resp)
    shown = [text.get_text() for text in ax.texts]
    assert {"115", "83", "(K, N) = (2, 3)", "(K,) = (2,)"} <= set(shown)
