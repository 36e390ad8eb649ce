"""Drawings of chapter 11, measure slowness and beat it."""

import math

import numpy as np
from matplotlib.ticker import MaxNLocator

from emtools import data
from emtools.course.plots import COLOURS, INK, MARKERS, PALE, QUIET
from emtools.course.plots.palette import DASHES
from emtools.kinds import in_words


def draw_errors(axes, errors, lengths=(40, 3000)):
    """Distances from the end of several runs, on a logarithmic axis, near and far.

    Parameters
    ----------
    axes : array of Axes
        One for each of `lengths`.
    errors : dict of str to array
        Distances from where a run ends, iteration by iteration, by the name of the run.
    lengths : sequence of int
        How many iterations to show; runs that have ended within a fifth of it are left out.
    """
    for ax, length in zip(axes, lengths, strict=True):
        for (name, error), *look in zip(errors.items(), COLOURS, DASHES, strict=False):
            shown = np.asarray(error[: length + 1])
            shown = shown[: int(np.argmax(shown < 1e-10)) or len(shown)]  # below is rounding
            if len(shown) < length / 5 and length > 100:
                continue
            ax.semilogy(shown, color=look[0], linestyle=look[1], linewidth=2, label=name)
        ax.set_xlim(0, length)
        ax.set_ylim(1e-10, 30)
        ax.set_xlabel("iteration")
        ax.xaxis.set_major_locator(MaxNLocator(5))
    axes[0].set_ylabel("distance from the end")
    axes[0].legend(loc="lower right", fontsize=9)


def draw_ascent(ax, paths, roots):
    """Where gradient ascent goes with several sizes of its step.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    paths : dict of str to sequence of float
        The parameter, step by step, by the size of the step.
    roots : dict of str to float
        Where the slope is zero, by name.
    """
    for (name, path), colour, marker in zip(paths.items(), COLOURS, MARKERS, strict=False):
        ax.plot(path, color=colour, marker=marker, markersize=4, label=f"step {name}")
    longest = max(map(len, paths.values()))
    for name, root in roots.items():
        ax.axhline(root, color=QUIET, linewidth=1, linestyle="--", zorder=0)
        ax.text(longest - 0.5, root + 0.03, name, color=QUIET, ha="right", va="bottom")
    ax.axhspan(-1, 0, color=PALE, alpha=0.5, zorder=-1)
    ax.text(6, -0.06, "outside: a chance is negative here", color=INK, va="top")
    ax.set_ylim(-0.75, 1)
    ax.set_xlim(-0.5, longest - 0.4)
    ax.set_xlabel("step")
    ax.set_ylabel("\u03b8")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def deaths_surface(first, second):
    """The log-likelihood of the deaths over both rates, each pair with the weight that suits it.

    Parameters
    ----------
    first, second : (G,) and (H,) arrays
        Rates, deaths a day.

    Returns
    -------
    first, second : as given
    heights : (G, H) array
        In nats.
    """
    counts, days = data.deaths()
    factorials = np.array([math.factorial(count) for count in counts], float)
    ours, theirs = (
        np.exp(-rates[..., None]) * rates[..., None] ** counts / factorials
        for rates in np.meshgrid(first, second, indexing="ij")
    )
    weight = np.full((*ours.shape[:-1], 1), 0.5)
    for _ in range(500):  # EM for the weight alone
        share = weight * ours / (weight * ours + (1 - weight) * theirs)
        weight = (share * days).sum(axis=-1, keepdims=True) / days.sum()
    return first, second, np.log(weight * ours + (1 - weight) * theirs) @ days


def draw_race(ax, runs, heights, n_calls):
    """How far several runs have come on the map after some calls of the step.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    runs : dict of str to (M, 2) array
        The best point after each call, by the name of the run; all end at one place.
    heights : (first, second, (G, H) array)
        Values of both numbers and the log-likelihood there, for the contour lines.
    n_calls : int
        So many calls have been made.
    """
    first, second, surface = heights
    below = surface.max() - surface
    levels = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]
    ax.contour(first, second, below.T, levels=levels, colors=QUIET, linewidths=0.7)
    end = next(reversed(runs.values()))[-1]
    ax.plot(*end, "*", color=INK, markersize=13, zorder=2)
    runs_in_order = list(zip(runs.items(), COLOURS, MARKERS, (3.5, 6), (4, 3), strict=False))
    for (name, path), colour, marker, size, zorder in runs_in_order:
        so_far = path[:n_calls]
        left = np.linalg.norm(so_far[-1] - end)
        label = f"{name}: {in_words(left, 1)} away" if left > 1e-9 else f"{name}: there"
        line = ax.plot(*so_far.T, color=colour, marker=marker, markersize=size, label=label)[0]
        line.set(linewidth=1.2, zorder=zorder)
    ax.set_title(f"after {n_calls} calls", loc="left")
    ax.set_xlim(first[0], first[-1])
    ax.set_ylim(second[0], second[-1])
    ax.set_xlabel("first rate (deaths a day)")
    ax.set_ylabel("second rate")
    ax.legend(loc="upper left", fontsize=8.5, framealpha=0.9, frameon=True, edgecolor="white")


def draw_gaps(ax, histories, top):
    """What is left to gain after so many calls of the step, both axes logarithmic.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    histories : dict of str to array
        Log-likelihoods, call by call, by the name of the run.
    top : float
        The log-likelihood at the end.
    """
    for (name, history), *look in zip(histories.items(), COLOURS, DASHES, strict=False):
        left = np.maximum(top - np.asarray(history), 1e-11)
        calls = np.arange(1, len(left) + 1)
        ended = int(np.argmax(left < 1e-9)) or len(left) - 1
        line = ax.loglog(calls[: ended + 1], left[: ended + 1], linewidth=2, label=name)[0]
        line.set(color=look[0], linestyle=look[1])
    ax.set_ylim(1e-9, 50)
    ax.set_xlabel("calls of the step")
    ax.set_ylabel("left to gain (nats)")
    ax.legend(loc="lower left")


def draw_switching(axes, drawn, in_order):
    """Two means of each bootstrap sample, with the components as they came, and matched.

    Parameters
    ----------
    axes : array of two Axes
    drawn, in_order : (B, 2) arrays
        Means of the components called 0 and 1, before and after matching.
    """
    titles = ("as they came", "matched")
    for ax, means, title in zip(axes, (drawn, in_order), titles, strict=True):
        ax.plot(*means.T, "o", color=COLOURS[0], markersize=4, alpha=0.6)
        ax.set_title(title, loc="left")
        ax.set_xlabel("mean of component 0 (minutes)")
        ax.set_xlim(48, 87)
        ax.set_ylim(48, 87)
        ax.set_aspect("equal")
    axes[0].set_ylabel("mean of component 1 (minutes)")
