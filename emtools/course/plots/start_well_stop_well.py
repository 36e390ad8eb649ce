"""Drawings of chapter 05, start well, stop well."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle

from emtools.course.plots import COLOURS, INK, PALE, QUIET, draw_mixture, fit_height
from emtools.logspace import e_step, log_joint

# Hills are no components: their colours, highest first, are those that two bells do not use.
HILLS = (COLOURS[2], COLOURS[5], COLOURS[4], COLOURS[3], QUIET, PALE)
UNDER = "#9a9a9a"  # a thick line that others are drawn upon


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
    if all(np.allclose(part, part[0]) for part in end):  # the last bell hides the first
        draw_stripes(ax, start, end)
    log_likelihood = e_step(x, end)[1]
    ax.set_title(f"{letter}  log-likelihood \u2212{-log_likelihood:.4f}".strip(), loc="left")


def draw_stripes(ax, start, end):
    """Let the first bell be seen through the last one, and its triangle under the last."""
    grid = ax.lines[0].get_xdata()
    ax.plot(
        grid, np.exp(log_joint(grid, end)[:, 0]), color=COLOURS[0], linewidth=2.5, dashes=(4, 4)
    )
    strip = ax.get_xaxis_transform()
    ax.plot(start.means[0], 0.83, "v", color=COLOURS[0], markersize=9, transform=strip)


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


def draw_pass(ax, history, levels, first=0):
    """Log-likelihood, iteration by iteration, between levels that have names.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    history : sequence of float
        In nats.
    levels : dict of str to float
        Log-likelihoods to mark, by name.
    first : int
        The iteration to which history[0] belongs.
    """
    for name, level in levels.items():
        ax.axhline(level, color=QUIET, linestyle="--", linewidth=1)
        text = f"{name}, \u2212{-level:.2f}"
        ax.annotate(text, (0.01, level), (0, 3), ax.get_yaxis_transform(), "offset points")
    ax.plot(range(first, first + len(history)), history, color=INK, marker="o", markersize=4)
    ax.margins(y=0.15)
    ax.set_xlabel("iteration")
    ax.set_ylabel("log-likelihood (nats)")


def draw_to_go(
    ax, history, limit, estimates=None, *, title="", lowest=1e-9, legend=True, log_steps=True
):
    """What is left to gain after each step, beside the step's gain, on a logarithmic axis.

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
    log_steps : bool
        Whether the axis of the steps is logarithmic, too.
    """
    history = np.asarray(history)
    left, steps = limit - history[1:], np.arange(1, len(history))
    shown = left > lowest
    ax.plot(steps[shown], left[shown], color=UNDER, linewidth=5, label="left to gain")
    gains = np.diff(history)
    shown &= gains > lowest
    ax.plot(steps[shown], gains[shown], color=COLOURS[1], linewidth=1.5, label="last gain")
    if estimates is not None:
        estimates = np.asarray(estimates)[1:]
        shown &= np.isfinite(estimates)
        style = {"color": COLOURS[0], "marker": "o", "markersize": 4, "linestyle": "none"}
        ax.plot(steps[shown], estimates[shown], **style, label="Aitken's estimate")
    ax.set_xscale("log" if log_steps else "linear")
    ax.set_yscale("log")
    ax.set_ylim(lowest, None)
    ax.set_xlabel("step")
    ax.set_ylabel("nats")
    ax.grid(color=PALE, linewidth=0.6)
    ax.set_title(title, loc="left")
    if legend:
        ax.legend(loc="lower left")
