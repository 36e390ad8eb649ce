"""Drawings of chapter 05, start well, stop well."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from emtools.course.plots import COLOURS, INK, PALE, QUIET, draw_mixture, fit_height
from emtools.logspace import e_step, log_joint

# Hills are no components: their colours, highest first, are those that two bells do not use.
HILLS = (COLOURS[2], COLOURS[5], COLOURS[4], COLOURS[3], QUIET, PALE)


def draw_start_map(ax, grid, heights, *, marks=(), legend=True, unit="1000 km/s"):
    """Where each pair of start means ends up: a square for each, coloured by its log-likelihood.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    grid : (G,) array
        Start means, evenly spaced; the same for both bells.
    heights : (G, G) array
        Final log-likelihoods; the row is the first bell's mean, the column the second's. Those
        that agree to four decimals are one hill; up to six are told apart.
    marks : sequence of pairs
        Starts to mark with a letter, or with a ring if there is one only.
    legend : bool
        Whether to list the hills with their numbers of squares.
    unit : str
        Of the means.
    """
    levels, hill = np.unique(-np.round(heights, 4), return_inverse=True)
    hill = hill.reshape(heights.shape)
    half = (grid[1] - grid[0]) / 2
    colours = ListedColormap(HILLS[: len(levels)])
    ax.pcolormesh(grid, grid, hill.T, cmap=colours, vmin=0, vmax=len(levels) - 1)
    for k, level in enumerate(levels if legend else ()):
        n_starts = (hill == k).sum()
        label = f"\u2212{level:.4f}  ({n_starts} start{'s' if n_starts > 1 else ''})"
        ax.add_patch(Rectangle((0, 0), 0, 0, color=HILLS[k], label=label))
    for letter, (first, second) in zip("abcdef", marks, strict=False):
        size = {"markersize": 15 if len(marks) > 1 else 9, "markeredgecolor": INK}
        ax.plot([first], [second], "o", markerfacecolor="white", **size)
        if len(marks) > 1:
            ax.text(first, second, letter, ha="center", va="center_baseline", fontsize=10)
    ax.set_xlim(grid[0] - half, grid[-1] + half)
    ax.set_ylim(grid[0] - half, grid[-1] + half)
    ax.set_aspect("equal")
    ax.set_xlabel(f"first mean at the start ({unit})")
    ax.set_ylabel(f"second mean at the start ({unit})")
    if legend:
        title = "log-likelihood at the end"
        ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), title=title, alignment="left")


def draw_ending(ax, x, start, end, *, letter="", **labels):
    """Where a run ended: the fitted bells, with a triangle over each bell's mean at the start.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        Observations.
    start, end : Mixture
        What the run began with, and what it ended with.
    letter : str
        Its mark on the map.
    **labels
        Passed on to `draw_mixture`.
    """
    draw_mixture(ax, x, end, **labels)
    fit_height(ax, ax.dataLim.ymax)  # the narrowest bell may be the highest thing there is
    for mean, colour in zip(start.means, COLOURS, strict=False):
        ax.plot(mean, 0.93, "v", color=colour, markersize=9, transform=ax.get_xaxis_transform())
    log_likelihood = e_step(x, end)[1]
    ax.set_title(f"{letter}  log-likelihood \u2212{-log_likelihood:.4f}".strip(), loc="left")


def draw_picked(axes, x, grid, heights, start, end, **labels):
    """A start picked on the map, and where it ends up.

    Parameters
    ----------
    axes : two Axes
        For the map and for the fitted bells.
    x : (N,) array
        Observations.
    grid, heights
        As `draw_start_map` takes them.
    start, end : Mixture
        As `draw_ending` takes them.
    **labels
        Passed on to `draw_mixture`.
    """
    draw_start_map(axes[0], grid, heights, marks=[start.means], legend=False)
    draw_ending(axes[1], x, start, end, **labels)


def draw_to_go(ax, history, limit, estimates=None, *, title="", lowest=1e-9, legend=True):
    """What is left to gain after each step, beside the step's gain; both axes logarithmic.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    history : (n_iter + 1,) sequence of float
        In nats.
    limit : float
        The log-likelihood to which the run climbs.
    estimates : (n_iter + 1,) sequence of float, optional
        What is estimated to be left after each step; infinite where there is no estimate.
    title : str
        Over the picture.
    lowest : float
        Where the vertical axis ends.
    legend : bool
        Whether to name the lines.
    """
    history = np.asarray(history)
    left, steps = limit - history[1:], np.arange(1, len(history))
    shown = left > lowest
    ax.plot(steps[shown], left[shown], color=INK, linewidth=2.5, label="left to gain")
    gains = np.diff(history)
    shown &= gains > lowest
    ax.plot(steps[shown], gains[shown], color=COLOURS[1], linewidth=1.5, label="last gain")
    if estimates is not None:
        estimates = np.asarray(estimates)[1:]
        shown &= np.isfinite(estimates)
        style = {"color": COLOURS[0], "marker": "o", "markersize": 4, "linestyle": "none"}
        ax.plot(steps[shown], estimates[shown], **style, label="Aitken's estimate")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(lowest, None)
    ax.set_xlabel("step")
    ax.set_ylabel("nats")
    ax.grid(color=PALE, linewidth=0.6)
    ax.set_title(title, loc="left")
    if legend:
        ax.legend(loc="lower left")


def draw_spike(axes, x, mixture_of, stds=(1.0, 0.3, 0.1)):
    """A bell that narrows onto one observation, and how the log-likelihood likes it.

    Parameters
    ----------
    axes : two Axes
        For the densities, and for the log-likelihood against the width.
    x : (N,) array
        A few observations.
    mixture_of : callable
        ``mixture_of(std) -> Mixture``, the last component of this width.
    stds : sequence of float
        Widths to draw on the left.
    """
    left, right = axes
    grid = np.union1d(np.linspace(x.min() - 2, x.max() + 2, 400), x.max() + np.arange(-1, 1, 0.01))
    shades = plt.get_cmap("copper")(np.linspace(0.05, 0.8, len(stds)))
    for std, colour in zip(stds, shades, strict=True):
        density = np.exp(log_joint(grid, mixture_of(std))).sum(axis=1)
        left.plot(grid, density, color=colour, linewidth=2, label=f"{std:g} wide")
    left.plot(x, np.full(len(x), -0.05), "|", color=INK, markersize=12, markeredgewidth=2)
    left.set_xlabel("x")
    left.set_ylabel("density")
    left.legend(title="the right bell is", loc="upper center", alignment="left")
    widths = np.logspace(-5, 0.5, 60)
    right.plot(widths, [e_step(x, mixture_of(std))[1] for std in widths], color=INK, linewidth=2)
    for std, colour in zip(stds, shades, strict=True):
        right.plot([std], [e_step(x, mixture_of(std))[1]], "o", color=colour, markersize=8)
    right.set_xscale("log")
    right.set_xlabel("width of the right bell")
    right.set_ylabel("log-likelihood (nats)")
    right.grid(color=PALE, linewidth=0.6)
