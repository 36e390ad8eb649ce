"""Drawings of chapter 09, choose how many."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from emtools.course.plots import COLOURS, INK, PALE, QUIET, draw_mixture
from emtools.selection import criteria

MARKERS = {"AIC": "s", "BIC": "o", "ICL": "^"}
CHI_SQUARE_95 = 7.8147  # of three degrees of freedom: 95 % are under it


def draw_choice(axes, x, fits, ends, n_components, **labels):
    """One fit over the data, and what it costs beside those with other numbers of components.

    Parameters
    ----------
    axes : two Axes
        For the density, and for the criteria against K.
    x : (N,) array
        Observations.
    fits : dict of int to Fit
        The best fit for each K.
    ends : dict of int to sequence of float
        Log-likelihoods where all starts of each K have ended.
    n_components : int
        The K to draw, and to mark.
    **labels
        What `plots.draw_mixture` takes to name the axes.
    """
    above, below = axes
    draw_mixture(above, x, fits[n_components].parameters, **labels)
    above.set_title(f"K = {n_components}", loc="left")
    for size, heights in ends.items():
        below.plot(np.full(len(heights), size), -2 * np.array(heights), ".", color=QUIET, alpha=0.6)
    below.text(
        0.03, 0.04, "dots: \u22122\u2113 of each start", transform=below.transAxes, fontsize=9
    )
    costs = {size: criteria(x, fit) for size, fit in fits.items()}
    below.axvline(n_components, color=PALE, linewidth=8, zorder=0)
    for (name, marker), colour in zip(MARKERS.items(), COLOURS, strict=False):
        values = {size: getattr(one, name.lower()) for size, one in costs.items()}
        line = {"color": colour, "marker": marker, "markersize": 5, "linewidth": 1.4}
        below.plot(values.keys(), values.values(), **line)
        best = min(values, key=values.get)
        below.plot([best], [values[best]], marker, color=colour, markersize=10)
        right = max(values)
        shift = (10, {"AIC": -4, "BIC": -9, "ICL": -2}[name])
        below.annotate(
            name, (right, values[right]), shift, textcoords="offset points", color=colour
        )
    below.set_xlim(min(fits) - 0.3, max(fits) + 0.9)
    below.set_xticks(list(fits))
    below.set_xlabel("number of components K")
    below.set_ylabel("smaller is better")


def draw_held_out(axes, scores):
    """Each fold's mean log density by K, and its difference from the fit with two components.

    Parameters
    ----------
    axes : two Axes
        For the scores and for the differences.
    scores : dict of int to (n_folds,) array
        For each K, on the same folds, K = 2 among them.
    """
    for values in zip(*scores.values(), strict=True):
        axes[0].plot(scores.keys(), values, color=QUIET, marker=".", linewidth=0.8, alpha=0.7)
    for size, values in scores.items():
        draw_mean(axes[0], size, values)
        if size != 2:
            gain = values - scores[2]
            axes[1].plot(np.full(len(gain), size), gain, ".", color=QUIET, alpha=0.7)
            draw_mean(axes[1], size, gain)
    axes[1].axhline(0, color=COLOURS[0], linewidth=1)
    axes[1].annotate(
        "K = 2", (2, 0), (0, 4), textcoords="offset points", color=COLOURS[0], ha="center"
    )
    axes[0].set_ylabel("log density (nats an observation)")
    axes[0].set_title("each fold a line", loc="left")
    axes[1].set_title("difference from K = 2, fold by fold", loc="left")
    for ax in axes:
        ax.set_xticks(list(scores))
        ax.set_xlim(min(scores) - 0.4, max(scores) + 0.4)
        ax.set_xlabel("number of components K")


def draw_mean(ax, place, values):
    """A mean with one standard error up and down, beside the values themselves."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    ax.errorbar(place + 0.12, np.mean(values), error, color=COLOURS[1], marker="o", capsize=5, lw=2)


def draw_ratios(ax, ratios, observed):
    """Likelihood ratios of draws from one bell, beside the chi-square law that does not hold.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    ratios : (B,) array
        Of the draws.
    observed : float
        Of the data; far to the right.
    """
    end = max(20.0, 1.1 * ratios.max())
    edges = np.arange(0, end + 1, 1.0)
    ax.hist(np.clip(ratios, 0, None), edges, density=True, color=PALE, edgecolor="white")
    grid = np.linspace(0.001, end, 400)
    law = np.sqrt(grid / (2 * np.pi)) * np.exp(-grid / 2)  # chi-square, three degrees of freedom
    ax.plot(grid, law, color=COLOURS[0], linewidth=2)
    peak = ax.get_ylim()[1]
    lines = {
        "chi-square: 95 % under": (CHI_SQUARE_95, COLOURS[0], 0.86),
        "draws: 95 % under": (np.quantile(ratios, 0.95), COLOURS[1], 0.62),
    }
    for text, (place, colour, height) in lines.items():
        ax.axvline(place, ymax=height + 0.05, color=colour, linestyle="--", linewidth=1.5)
        ax.text(place + 0.25, height * peak, f"{text} {place:.1f}", color=colour)
    ax.annotate(
        f"the data: {observed:.1f}",
        (end, 0.25 * peak),
        (end - 0.8, 0.25 * peak),
        ha="right",
        va="center",
        color=INK,
        arrowprops={"arrowstyle": "->", "color": INK},
    )
    ax.set_xlim(0, end)
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.set_xlabel("likelihood ratio, two bells against one")
    ax.set_ylabel("density")


def draw_comparison(ax, comparison):
    """The criteria of `emtools.selection.compare` against K; the best of each is larger.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    comparison : Comparison
        Rows that collapsed are left out.
    """
    rows = [row for row in comparison.rows if np.isfinite(row.bic)]
    for (name, marker), colour in zip(MARKERS.items(), COLOURS, strict=False):
        values = [getattr(row, name.lower()) for row in rows]
        sizes = [row.n_components for row in rows]
        ax.plot(sizes, values, color=colour, marker=marker, linewidth=1.4, label=name)
        best = int(np.argmin(values))
        ax.plot([sizes[best]], [values[best]], marker, color=colour, markersize=11)
    ax.set_xticks([row.n_components for row in rows])
    ax.set_xlabel("number of components K")
    ax.set_ylabel("smaller is better")
    ax.legend()
