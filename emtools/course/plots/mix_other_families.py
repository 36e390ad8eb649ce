"""Drawings of chapter 10, mix other families."""

import numpy as np

from emtools import families
from emtools.course.plots import COLOURS, INK, MARKERS, PALE, QUIET, blend

TICKS = (0, 10, 50, 100, 200, 300, 500, 1000, 2000, 5000)  # of a square-root scale


def draw_coin_grid(ax, heads, tosses, resp, size=110):
    """Each set of tosses as a row of coins in the colour of whose they are: filled for heads.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    heads, tosses : (N,) arrays of int
        The heads stand to the left; in which order they fell is not known.
    resp : (N, 2) array
        How probably either coin made a set.
    size : float
        Of a coin, in square points.
    """
    for n, (colour, n_heads) in enumerate(zip(blend(resp), heads, strict=True)):
        places = np.arange(tosses[n])
        filled = [colour if place < n_heads else "white" for place in places]
        ax.scatter(places, np.full(len(places), n), s=size, color=filled, edgecolors=[colour])
        ax.text(tosses.max() - 0.2, n, f"{resp[n, 0]:.2f}", va="center", color=colour)
    ax.text(tosses.max() - 0.2, -0.9, "A's share", va="center", color=INK, fontsize=9)
    ax.set_ylim(len(heads) - 0.4, -1.4)
    ax.set_xlim(-0.7, tosses.max() + 1.3)
    ax.set_yticks(range(len(heads)), [f"set {n}" for n in range(len(heads))])
    ax.set_xticks([])
    ax.tick_params(length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def draw_coins_after(ax, heads, tosses, path, iteration, size=110):
    """The grid of coins under the mixture that some iterations have led to.

    Parameters
    ----------
    ax, heads, tosses, size
        As for `draw_coin_grid`.
    path : list of Chances
        The start and what each iteration made of it.
    iteration : int
        Which of them.
    """
    rows = np.column_stack([heads, tosses - heads])
    resp, _ = families.e_step(rows, path[iteration], families.binomial(tosses))
    draw_coin_grid(ax, heads, tosses, resp, size)
    first, second = path[iteration].chances
    ax.set_title(f"iteration {iteration}\nA {first:.2f}, B {second:.2f}", loc="left")


def draw_rootogram(ax, values, seen, expected):
    """What was seen hangs from what was expected, in square roots: every gap is a lack of fit.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    values : (N,) array
        What was counted.
    seen, expected : (N,) arrays
        How often it was seen, and should have been.
    """
    tops = np.sqrt(expected)
    gaps = tops - np.sqrt(seen)
    ax.bar(values, np.sqrt(seen), bottom=gaps, color=PALE, edgecolor=QUIET, width=0.8)
    ax.bar(values, -gaps, bottom=gaps, color=COLOURS[1], width=0.8, alpha=0.85)
    ax.plot(values, tops, "o-", color=COLOURS[0], markersize=5, linewidth=2)
    ax.axhline(0, color=INK, linewidth=1)
    ax.set_xticks(values)
    ax.set_xlabel("deaths in a day")
    ax.set_ylabel("days (square-root scale)")
    low, high = ax.get_ylim()  # which a panel beside may have set
    ax.set_ylim(min(low, gaps.min() - 0.5), max(high, 1.06 * tops.max()))
    ticks = [tick for tick in TICKS if tick <= 1.2 * max(expected)]
    ax.set_yticks(np.sqrt(ticks), ticks)


def draw_profiles(ax, mixture, names):
    """The chance of a yes from each of D, one line a class.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    mixture : Chances
        K classes; chances (K, D).
    names : sequence of D str
        Who says yes or no.
    """
    shifts = np.linspace(-0.06, 0.06, len(mixture.weights))  # where lines coincide, see both
    for k, (weight, chances) in enumerate(zip(*mixture, strict=True)):
        label = f"class {k}: {weight:.0%} of slides"
        places = np.arange(len(names)) + shifts[k]
        line = ax.plot(places, chances, color=COLOURS[k], linewidth=2, label=label)[0]
        line.set(marker=MARKERS[k], markersize=7)
    ax.set_xticks(range(len(names)), names)
    ax.set_ylim(-0.06, 1.06)
    ax.set_xlabel("pathologist")
    ax.set_ylabel("chance of a yes")
    ax.grid(axis="y", color=PALE, linewidth=0.6)
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def draw_tables(axes, mixture):
    """What each rater says of each class, as tables of chances.

    Parameters
    ----------
    axes : J Axes
        One for each rater.
    mixture : Probabilities
        Probabilities (K, J, G); classes in the order of grades.
    """
    for j, ax in enumerate(axes):
        table = mixture.probabilities[:, j]  # (K, G)
        ax.imshow(table, cmap="Blues", vmin=0, vmax=1.2)
        for k, g in np.ndindex(table.shape):
            if table[k, g] >= 0.005:
                colour = "white" if table[k, g] > 0.6 else INK
                text = f"{table[k, g]:.2f}".removeprefix("0")
                ax.text(g, k, text, ha="center", va="center", color=colour, fontsize=9)
        ax.set_title(f"rater {j}", loc="left")
        ax.set_xticks(range(table.shape[1]), range(1, table.shape[1] + 1))
        ax.set_yticks(range(table.shape[0]), range(1, table.shape[0] + 1))
        ax.tick_params(length=0)
        ax.set_xlabel("grade given")
    axes[0].set_ylabel("class")
    for ax in axes[1:]:
        ax.set_yticklabels([])


def draw_two_lines(ax, x, y, mixture, resp):
    """Responses against one regressor in the colours of their lines, and the lines.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x, y : (N,) arrays
        Regressor and response.
    mixture : Lines
        K lines, with two coefficients each.
    resp : (N, K) array
        Whose each response is.
    """
    ends = np.array([x.min() - 0.05, x.max() + 0.05])
    lines = zip(mixture.coefficients, mixture.stds, COLOURS, strict=False)
    for (intercept, slope), std, colour in lines:
        heights = intercept + slope * ends
        ax.fill_between(ends, heights - std, heights + std, color=colour, alpha=0.12, linewidth=0)
        ax.plot(ends, heights, color=colour, linewidth=2)
    ax.scatter(x, y, s=22, c=blend(resp), edgecolors="white", linewidths=0.4, zorder=3)
    ax.set_xlim(ends)
    ax.set_xlabel("stretch of the overtones (ratio)")
    ax.set_ylabel("tuned (ratio)")
