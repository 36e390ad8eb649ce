"""Drawings of chapter 15, make it fast."""

import numpy as np

from emtools.course.plots import COLOURS, INK, PALE, QUIET


def draw_runs(ax, *, n_samples):
    """A table of two components, its `.T` and its copy in rows, in memory, with a bracket a run.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    n_samples : int
        N, few enough to be counted.
    """
    in_lines = [(n, k) for n in range(n_samples) for k in range(2)]
    strips = {
        "shape (N, 2)": (in_lines, 2),
        "its .T, shape (2, N)": (in_lines, 2),
        "moved, shape (2, N)": ([(n, k) for k in range(2) for n in range(n_samples)], n_samples),
    }
    for row, (name, (cells, length)) in enumerate(strips.items()):
        for place, (n, k) in enumerate(cells):
            ax.barh(row, 0.94, left=place, height=0.5, color=COLOURS[k])
            ax.text(place + 0.47, row, n, ha="center", va="center", color="white")
        for start in range(0, len(cells), length):
            bracket = [start, start, start + length - 0.06, start + length - 0.06]
            ax.plot(bracket, row + np.array([0.31, 0.37, 0.37, 0.31]), color=INK, linewidth=1.2)
        runs = f"{name}\n{len(cells) // length} runs of {length}"
        ax.text(-0.3, row, runs, ha="right", va="center")
    for k in range(2):
        middle = n_samples * (k + 0.5)
        ax.text(middle, 1.62, f"component {k}", color=COLOURS[k], ha="center", va="center")
    ax.set_xlim(-4.6, 2 * n_samples)
    ax.set_ylim(2.45, -0.35)
    ax.axis("off")


def draw_order(axes, *, n_pieces=4):
    """In which order operations meet pieces, one after the other and piece by piece.

    Parameters
    ----------
    axes : two Axes
        Where to draw.
    n_pieces : int
        Into how many pieces the observations are cut.
    """
    operations = ("subtract", "square", "exp", "sum")
    turns = np.arange(1, len(operations) * n_pieces + 1)
    orders = {
        "operation by operation": turns.reshape(len(operations), n_pieces),
        "piece by piece": turns.reshape(n_pieces, len(operations)).T,
    }
    for ax, (title, order) in zip(axes, orders.items(), strict=True):
        for (row, piece), turn in np.ndenumerate(order):
            chosen = piece == 1
            ax.barh(row, 0.92, left=piece, height=0.86, color=COLOURS[1] if chosen else PALE)
            ax.text(
                piece + 0.46, row, turn, ha="center", va="center",
                color="white" if chosen else INK, fontweight="bold" if chosen else "normal",
            )  # fmt: skip
        ax.set_title(title)
        ax.set_xticks(np.arange(n_pieces) + 0.46, [f"piece {n + 1}" for n in range(n_pieces)])
        ax.set_yticks(range(len(operations)), operations)
        ax.set_ylim(len(operations) - 0.5, -0.5)
        ax.tick_params(length=0, colors=INK)
        ax.spines[:].set_visible(False)


def draw_ladder(ax, times, lines):
    """A dot for each rung: its time for an iteration, and what it costs in lines of code.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    times : dict of str to float
        Milliseconds for an iteration, by the name of the rung; the first is what all are held to.
    lines : dict of str to int
        Lines of code of each rung.
    """
    slowest, *_ = times.values()
    for row, (name, time) in enumerate(times.items()):
        colour = COLOURS[1 if row == 0 else 0]
        ax.axhline(row, color=PALE, linewidth=1, zorder=0)
        ax.semilogx(time, row, "o", color=colour, markersize=10)
        faster = "" if row == 0 else f", {slowest / time:.1f} times faster"
        text = f"{time:.1f} ms{faster}; {lines[name]} lines"
        ax.annotate(
            text, (time, row), (10, 0), textcoords="offset points", va="center",
            color=INK, backgroundcolor="white",
        )  # fmt: skip
    ax.set_xlim(min(times.values()) / 1.6, 14 * slowest)
    ax.set_yticks(range(len(times)), times)
    ax.set_ylim(len(times) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, colors=INK)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("time for one iteration (ms)")


def draw_errors(ax, offsets, errors, *, std):
    """Largest error of the log joint against how far the data lie from zero, and what to expect.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    offsets : sequence of float
        Added to the data, > 0.
    errors : dict of str to sequence of float
        In nats, by what the terms are taken about; the last ones belong to `offsets`.
    std : float
        Of a bell, in the unit of the offsets.
    """
    eps = np.finfo(float).eps
    predicted = eps * (np.array(offsets) / std) ** 2
    ax.loglog(offsets, predicted, color=QUIET, linestyle="--", linewidth=1.2)
    place = len(offsets) // 2
    ax.annotate(
        "eps (offset / std)\u00b2", (offsets[place], predicted[place]), (-8, 4),
        textcoords="offset points", color=QUIET, ha="right",
    )  # fmt: skip
    for (name, found), colour in zip(errors.items(), (COLOURS[1], COLOURS[0]), strict=True):
        found = found[-len(offsets) :]
        ax.loglog(offsets, found, color=colour, marker="o", linewidth=2)
        ax.text(1.4 * offsets[-1], found[-1], name, color=colour, va="center")
    ax.set_xlim(offsets[0] / 1.5, offsets[-1] * 40)
    ax.set_xticks(offsets)
    ax.minorticks_off()
    ax.set_xlabel("offset (minutes)")
    ax.set_ylabel("error of the log joint (nats)")
    ax.grid(color=PALE, linewidth=0.6)


def draw_predictions(ax, pairs):
    """Predicted and measured time of several problems, one a row, and a band of a factor of 2.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    pairs : dict of (int, int, int) to (float, float)
        Milliseconds for an iteration, predicted and measured, by N, D and K.
    """
    for row, (predicted, measured) in enumerate(pairs.values()):
        ax.barh(row, 1.5 * predicted, left=predicted / 2, height=0.6, color=PALE)
        ax.plot([predicted] * 2, [row - 0.3, row + 0.3], color=INK, linewidth=1.2)
        ax.plot(measured, row, "o", color=COLOURS[0], markersize=8)
    names = ("half to twice the prediction", "predicted", "measured")
    for drawn, name in zip((ax.patches[0], *ax.lines[:2]), names, strict=True):
        drawn.set_label(name)
    times = np.array(list(pairs.values()))
    ax.set_xscale("log")
    ax.set_xlim(times.min() / 4, times.max() * 4)
    ax.set_yticks(range(len(pairs)), ["N = {:,}, D = {}, K = {}".format(*case) for case in pairs])
    ax.set_ylim(len(pairs) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel("time for one iteration (ms)")
    ax.legend(loc="upper right")
