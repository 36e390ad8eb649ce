"""Drawings of chapter 16, make it big."""

import numpy as np

from emtools.course.plots import COLOURS, INK, PALE, QUIET
from emtools.course.plots.palette import DASHES


def draw_streams(ax, climbs, best):
    """How far a stream is below the end of EM after each pass, one line for each exponent.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    climbs : dict of float to (n_passes,) array
        Log-likelihoods of all observations, by exponent.
    best : float
        Where EM ends, in nats; above all of them.
    """
    for (exponent, climb), colour, marker in zip(climbs.items(), COLOURS, "osD^v", strict=False):
        left = best - np.asarray(climb)
        passes = np.arange(1, len(left) + 1)
        ax.semilogy(passes, left, color=colour, marker=marker, markersize=5, linewidth=2)
        ax.text(len(left) + 0.5, left[-1], f"exponent {exponent:g}", color=colour, va="center")
    ax.set_xlim(0.5, len(left) * 1.2)
    ax.set_xticks(range(0, len(left) + 1, 5))
    ax.set_xlabel("passes over the data")
    ax.set_ylabel("below the end of EM (nats)")
    ax.text(0.02, 0.06, "\u2193 better", color=QUIET, transform=ax.transAxes)
    ax.grid(color=PALE, linewidth=0.6)


def draw_round(ax, *, n_chunks):
    """One step: small sums go from the chunks to one place, and the mixture goes back.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    n_chunks : int
        How many boxes.
    """
    boxes = [(0, 1.0 * row, 1.7, 0.8, f"chunk {n_chunks - row}\n8 GB") for row in range(n_chunks)]
    middle = 1.0 * (n_chunks - 1) / 2
    boxes += [
        (3.9, middle, 1.8, 1.2, "add up\nthe sums"),
        (7.0, middle, 1.8, 1.2, "Eq. (1):\nmixture"),
    ]
    for place, (left, height, width, size, text) in enumerate(boxes):
        of_chunk = place < n_chunks
        ax.barh(height, width, left=left, height=size, color=PALE if of_chunk else COLOURS[0])
        colour = INK if of_chunk else "white"
        ax.text(left + width / 2, height, text, ha="center", va="center", color=colour)
    ends = np.linspace(-0.35, 0.35, n_chunks) + middle
    for row, end in enumerate(ends):
        arrow(ax, (1.75, 1.0 * row), (3.85, end))
    arrow(ax, (5.75, middle), (6.95, middle))
    ax.text(2.8, n_chunks - 0.72, "48 bytes each", ha="center", color=COLOURS[1])
    bottom = -1.1
    path = np.array([[7.9, middle - 0.65], [7.9, bottom], [0.85, bottom]])
    ax.plot(*path.T, color=COLOURS[1], linewidth=1.6)
    arrow(ax, (0.85, bottom), (0.85, -0.45))
    ax.text(
        4.4, bottom + 0.12, "48 bytes, to every chunk: the next step", ha="center", color=COLOURS[1]
    )
    ax.set_xlim(-0.1, 9)
    ax.set_ylim(bottom - 0.2, n_chunks - 0.4)
    ax.axis("off")


def arrow(ax, start, end):
    """An arrow from one point to another."""
    style = {"arrowstyle": "-|>", "color": COLOURS[1], "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=style)


def draw_memory(ax, sizes, held):
    """Peak of memory against the number of observations, one line for each way to hold them.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    sizes : sequence of int
        Numbers of observations.
    held : dict of str to sequence of int
        Bytes for each size, by the name of the way.
    """
    for (name, peaks), colour, marker in zip(held.items(), COLOURS[1::-1], "so", strict=True):
        ax.plot(
            np.array(sizes) / 1e6, np.array(peaks) / 1e6, color=colour, marker=marker, linewidth=2
        )
        ax.text(sizes[-1] * 1.03e-6, peaks[-1] / 1e6, name, color=colour, va="center")
    ax.set_xlim(0, sizes[-1] * 1.15e-6)
    ax.set_xticks(np.array(sizes) / 1e6)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("waits (millions)")
    ax.set_ylabel("peak of memory (MB)")
    ax.grid(color=PALE, linewidth=0.6)


def draw_means(axes, paths, truth):
    """The means after each chunk of a stream, one panel a stream, and where they should be.

    Parameters
    ----------
    axes : array of Axes
        One for each of `paths`.
    paths : dict of str to (n_chunks, K) array
        Means after each chunk, by what stands over the panel.
    truth : (K,) or (n_chunks, K) array
        Where the means should be.
    """
    for ax, (name, path) in zip(np.ravel(axes), paths.items(), strict=True):
        chunks = np.arange(1, len(path) + 1)
        ends = np.broadcast_to(truth, path.shape)
        for k, colour, dash in zip(range(path.shape[1]), COLOURS, DASHES, strict=False):
            ax.plot(chunks, ends[:, k], color=QUIET, linestyle="--", linewidth=1.2)
            line = ax.plot(chunks, path[:, k], linewidth=2, label=f"component {k}")[0]
            line.set(color=colour, linestyle=dash)
        ax.set_title(name, loc="left")
        ax.set_xlabel("chunk")
        ax.grid(color=PALE, linewidth=0.6)
    first = np.ravel(axes)[0]
    first.set_ylabel("mean (minutes)")
    first.legend(loc="center left")
