"""Drawings of chapter 13, add time."""

from itertools import pairwise, product

import numpy as np
from matplotlib.colors import to_rgb

from emtools.course.plots import COLOURS, INK, PALE, QUIET, blend, title_after
from emtools.hmm import forward, posteriors, viterbi

WEATHER = ("cold", "hot")


def draw_lag(ax, waits):
    """Each wait against the next one, and lines that cut both at 67 minutes.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    waits : (T,) array
        In minutes, in order.
    """
    ax.scatter(waits[:-1], waits[1:], color=INK, s=16, alpha=0.5, linewidth=0)
    ax.axvline(67, color=QUIET, linewidth=0.8, linestyle=":")
    ax.axhline(67, color=QUIET, linewidth=0.8, linestyle=":")
    corners = {(0.02, 0.03): "short, short", (0.02, 0.93): "short, then long"}
    corners |= {(0.98, 0.03): "long, then short", (0.98, 0.93): "long, long"}
    for (x, y), words in corners.items():
        side = "left" if x < 0.5 else "right"
        ax.text(x, y, words, ha=side, color=QUIET, transform=ax.transAxes)
    ax.set_xlim(37, 103)
    ax.set_ylim(37, 103)
    ax.set_xlabel("a wait (minutes)")
    ax.set_ylabel("the next (minutes)")


def draw_trellis(axes, likelihoods, start, moves, names=WEATHER):
    """Three days as a trellis with the sums at its nodes, and every path's probability as a bar.

    Parameters
    ----------
    axes : two Axes
        For the trellis and for the bars.
    likelihoods : (3, 2) array
        p(x_t | z_t = k).
    start, moves : (2,) and (2, 2) arrays
        Of the chain.
    names : two str
        Of the states.
    """
    alphas, scales = forward(likelihoods, start, moves)
    sums = alphas * np.cumprod(scales)[:, None]
    left, right = axes
    n_days = len(likelihoods)
    for t, i, j in product(range(n_days - 1), range(2), range(2)):
        left.plot([t, t + 1], [i, j], color=QUIET, linewidth=6 * moves[i, j], zorder=0)
        at = 0.3 if i != j else 0.5
        label = f"{moves[i, j]:.3g}"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        left.text(t + at, i + at * (j - i), label, ha="center", va="center", fontsize=9, bbox=box)
    for t, k in product(range(n_days), range(2)):
        left.scatter(t, k, s=2300, color="white", edgecolor=COLOURS[k], linewidth=2.5)
        left.text(t, k, f"{sums[t, k]:.4g}", ha="center", va="center", fontsize=9.5)
    left.set_xlim(-0.35, n_days - 0.65)
    left.set_ylim(-0.4, 1.4)
    left.set_xticks(range(n_days), [f"day {t + 1}" for t in range(n_days)])
    left.set_yticks(range(2), names)
    left.spines[["left", "bottom"]].set_visible(False)
    left.tick_params(length=0)
    draw_paths(right, likelihoods, start, moves, names)


def draw_paths(ax, likelihoods, start, moves, names):
    """The probability of each path of two states, in bars coloured by the last one."""
    days = range(len(likelihoods))
    paths = sorted(product(range(2), repeat=len(days)), key=lambda path: path[::-1])
    for place, path in enumerate(paths):
        steps = [moves[i, j] for i, j in pairwise(path)]
        p = start[path[0]] * np.prod(likelihoods[days, path]) * np.prod(steps)
        ax.barh(place, p, color=COLOURS[path[-1]])
        ax.text(p + 0.0005, place, f"{p:.5f}", va="center", fontsize=9)
    for k, height in ((0, 1.5), (1, 4.5)):
        total = sum(bar.get_width() for bar in ax.patches[4 * k : 4 * k + 4])
        words = f"these four sum to {total:.4g}"
        ax.text(0.011, height, words, va="center", fontsize=9, color=COLOURS[k], weight="bold")
    letters = ["".join(names[k][0].upper() for k in path) for path in paths]
    ax.set_yticks(range(len(paths)), letters)
    ax.set_xlim(0, 0.041)
    ax.set_xlabel("probability of path and cones")


def draw_decoded(ax, cones, chain, *, labels=True):
    """Cones a day as bars coloured by posterior, and under them the likeliest path.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    cones : (T,) array of int
        1 to 3.
    chain : Chain
        Two states; its symbols are cones minus one.
    labels : bool
        Whether to say what the strip and the axis are.
    """
    resp, path = posteriors(cones - 1, chain), viterbi(cones - 1, chain)
    days = np.arange(1, len(cones) + 1)
    ax.bar(days, cones, color=blend(resp), width=0.85)
    thick = np.where(path == 1, -0.45, -0.2)  # hot, and to be seen without colour
    ax.bar(days, thick, bottom=-0.15, color=[COLOURS[k] for k in path], width=1.0)
    ax.set_ylim(-0.7, 3.3)
    ax.set_xlim(0.3, len(cones) + 0.7)
    ax.set_yticks([-0.37, 1, 2, 3], ["path", "1", "2", "3"])
    ax.spines["bottom"].set_visible(False)
    ax.tick_params(axis="x", length=0)
    if labels:
        ax.set_xlabel("day")
        ax.set_ylabel("cones")


def draw_decoding(axes, cones, path, iterations):
    """Small multiples of `draw_decoded` after several numbers of iterations.

    Parameters
    ----------
    axes : array of Axes
        One for each of `iterations`.
    cones : (T,) array of int
        1 to 3.
    path : list of Chain
        The start and what each iteration made of it.
    iterations : sequence of int
        Which to draw.
    """
    for ax, iteration in zip(np.ravel(axes), iterations, strict=True):
        draw_decoded(ax, cones, path[iteration])
        tables = path[iteration].emissions.tables
        ax.set_title(title_after(iteration), loc="left")
        words = f"three cones: {tables[0, 2]:.0%} of cold days, {tables[1, 2]:.0%} of hot"
        ax.set_title(words, loc="right", fontsize=9, color=QUIET)
        ax.label_outer()


def draw_shares(ax, waits, alone, together):
    """What each wait says of its own bell, alone and with its neighbours.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    waits : (T,) array
        In minutes, in order.
    alone, together : (T,) arrays
        Probability of the short bell, under the mixture and under the chain.
    """
    order = np.argsort(waits)
    ax.plot(waits[order], alone[order], color=INK, linewidth=1.5, label="mixture: the wait alone")
    is_short = np.pad(together > 0.5, 1)  # before the first and after the last there is none
    beside_short = is_short[:-2] | is_short[2:]
    for chosen, colour, marker, words in (
        (~beside_short, COLOURS[1], "^", "chain, between two long waits"),
        (beside_short, COLOURS[0], "o", "chain, beside a short wait"),
    ):
        dots = {"s": 22, "alpha": 0.7, "color": colour, "marker": marker, "label": words}
        ax.scatter(waits[chosen], together[chosen], **dots)
    ax.set_xlim(50, 86)
    ax.set_xlabel("waiting time (minutes)")
    ax.set_ylabel("probability of the short bell")
    ax.legend(loc="center left", bbox_to_anchor=(0.0, 0.35), fontsize=9)


def draw_counts(ax, years, counts, chain):
    """Counts by year, and the rate of the likeliest path through them.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    years, counts : (T,) arrays
        Of the series.
    chain : Chain
        With Poisson emissions.
    """
    path = viterbi(counts, chain)
    ax.plot(years, counts, color=PALE, linewidth=1, zorder=0)
    colours = np.array([to_rgb(colour) for colour in COLOURS])
    ax.scatter(years, counts, c=colours[path], s=22, zorder=2)
    for k, rate in enumerate(chain.emissions.rates):
        here = np.where(path == k, rate, np.nan)
        ax.step(years, here, where="mid", color=COLOURS[k], linewidth=3, alpha=0.7)
    ax.set_ylim(0, None)
    ax.set_xlabel("year")
    ax.set_ylabel("earthquakes a year")
