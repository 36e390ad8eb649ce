"""Drawings of chapter 01, fit two bells with a plain loop."""

import numpy as np

from emtools.course.plots import COLOURS
from emtools.logspace import e_step


def draw_shares(ax, path, x_n):
    """Share of the short bell in one wait, iteration by iteration.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    path : list of Mixture
        The start and what each iteration made of it.
    x_n : float
        The wait, in minutes.
    """
    k = int(np.argmin(path[-1].means))
    shares = [e_step(np.array([x_n]), mixture)[0][0, k] for mixture in path]
    ax.plot(shares, color=COLOURS[k], marker="o", markersize=4)
    ax.set_ylim(0, 1)
    ax.set_xlabel("iteration")
    ax.set_ylabel(f"short bell's share of {x_n:g}")
