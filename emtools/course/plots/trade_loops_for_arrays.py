"""Drawings of chapter 02, trade loops for arrays."""

import numpy as np
from matplotlib.patches import Rectangle

from emtools.course.plots import COLOURS, PALE, QUIET


def draw_broadcast(ax, x, means):
    """A column (N, 1) minus a row (K,) fills a table (N, K).

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        A few observations.
    means : (K,) array
        A few means.
    """
    n, k = len(x), len(means)
    draw_table(ax, [[f"{v:g}"] for v in x], 0, n, title="x[:, None]", shape=f"(N, 1) = ({n}, 1)")
    ax.text(1.75, n / 2, "\u2212", ha="center", va="center", fontsize=18)
    row = [[f"{v:g}" for v in means]]
    middle = (n + 1) / 2
    draw_table(ax, row, 2.5, middle, colour=COLOURS[:k], title="means", shape=f"(K,) = ({k},)")
    ax.text(3.25 + k, n / 2, "=", ha="center", va="center", fontsize=18)
    table = [[f"{v - m:g}" for m in means] for v in x]
    draw_table(
        ax,
        table,
        4 + k,
        n,
        colour=COLOURS[:k],
        title="x[:, None] - means",
        shape=f"(N, K) = ({n}, {k})",
    )
    frame_boxes(ax, 4.6 + 2 * k, n)


def draw_product(ax, x, resp):
    """A table (K, N) times a column (N,) gives one weighted sum per component, (K,).

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        A few observations.
    resp : (N, K) array
        Their responsibilities.
    """
    n, k = resp.shape
    for j in range(k):
        row = [[f"{v:g}" for v in resp[:, j]]]
        draw_table(ax, row, 0, n / 2 + k / 2 - j, colour=COLOURS[j])
    ax.text(n / 2, n / 2 + k / 2 + 0.25, "resp.T", ha="center", family="monospace", fontsize=10)
    under = n / 2 - k / 2 - 0.55
    ax.text(n / 2, under, f"(K, N) = ({k}, {n})", ha="center", color=QUIET, fontsize=10)
    ax.text(n + 0.75, n / 2, "@", ha="center", va="center", fontsize=16)
    draw_table(ax, [[f"{v:g}"] for v in x], n + 1.5, n, title="x", shape=f"(N,) = ({n},)")
    ax.text(n + 3.25, n / 2, "=", ha="center", va="center", fontsize=18)
    for j, total in enumerate(resp.T @ x):
        draw_table(ax, [[f"{total:g}"]], n + 4, n / 2 + k / 2 - j, colour=COLOURS[j])
    ax.text(n + 4.5, n / 2 + k / 2 + 0.25, "sums", ha="center", family="monospace", fontsize=10)
    ax.text(n + 4.5, under, f"(K,) = ({k},)", ha="center", color=QUIET, fontsize=10)
    frame_boxes(ax, n + 5.6, n)


def draw_table(ax, values, x, y, *, colour=PALE, title="", shape=""):
    """A table of numbers as boxes, its shape written under it.

    Parameters
    ----------
    ax : Axes
        Where to draw; one unit is one box.
    values : 2-D array of str
        What stands in the boxes, row by row.
    x, y : float
        Upper left corner.
    colour : colour or sequence of colours
        Of all boxes, or of each column.
    title, shape : str
        Over and under the table.
    """
    n_rows, n_columns = np.shape(values)
    colours = [colour] * n_columns if isinstance(colour, str) else colour
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            box = Rectangle((x + j, y - i - 1), 1, 1, facecolor=colours[j], alpha=0.3)
            ax.add_patch(box)
            ax.add_patch(Rectangle((x + j, y - i - 1), 1, 1, fill=False, edgecolor="white"))
            ax.text(x + j + 0.5, y - i - 0.5, value, ha="center", va="center", fontsize=10)
    ax.text(x + n_columns / 2, y + 0.25, title, ha="center", family="monospace", fontsize=10)
    ax.text(x + n_columns / 2, y - n_rows - 0.55, shape, ha="center", color=QUIET, fontsize=10)


def frame_boxes(ax, width, n):
    """Square boxes, no axes, and room for a line of text over and under n rows."""
    ax.set_xlim(-0.6, width)
    ax.set_ylim(-1, n + 1)
    ax.set_aspect("equal")
    ax.axis("off")
