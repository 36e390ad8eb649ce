"""Drawings of chapter 12, fill in what is missing."""

from functools import cache
from itertools import pairwise

import numpy as np

from emtools import data
from emtools.course.plots import COLOURS, INK, PALE, QUIET, draw_ellipse
from emtools.course.plots.palette import DASHES
from emtools.missing import Normal, by_pattern, e_step
from emtools.mixture import log_density

SUMMITS, SADDLE = ((-0.5, 8 / 3), (0.5, 8 / 3)), (0.0, 2.5)  # correlation, variance
BELOW = (4, 2, 1, 0.5, 0.2, 0.0591, 0.02)  # nats below the summits; 0.0591 is the saddle


def draw_summits(axes, paths, iterations):
    """The two-peaked log-likelihood of Murray's points, and EM on it from several starts.

    Parameters
    ----------
    axes : Axes or array of Axes
        One for each of `iterations`.
    paths : list of list of Normal
        The start of each run and what each iteration made of it; the two variances are equal.
    iterations : sequence of int
        How far to draw each path.
    """
    correlations, variances, heights = landscape()
    levels = [-below for below in BELOW]
    for ax, iteration in zip(np.ravel(axes), iterations, strict=True):
        plane = (correlations, variances, heights)
        ax.contour(*plane, levels, colors=QUIET, linewidths=0.7, linestyles="-")
        ax.contourf(*plane, [levels[-2], 1], colors=[PALE])
        for summit in SUMMITS:
            ax.plot(*summit, "*", color=INK, markersize=11, markeredgewidth=0)
        ax.plot(*SADDLE, "x", color=INK, markersize=7, markeredgewidth=1.6)
        for path, colour in zip(paths, COLOURS, strict=False):
            walked = np.array([place_of(normal) for normal in path[: iteration + 1]])
            ax.plot(*walked.T, color=colour, linewidth=1.3)
            ax.plot(*walked.T, "o", color=colour, markersize=3)
            ax.plot(*walked[-1], "o", color=colour, markersize=8, markeredgecolor="white")
        if iteration == min(iterations):
            name_starts(ax, paths)
        ax.set_title("start" if iteration == 0 else f"iteration {iteration}", loc="left")
        ax.set_xlabel("correlation")
        ax.set_ylabel("variance")
        ax.label_outer()


@cache  # a slider draws it a hundred times
def landscape():
    """Correlations, variances, and the log-likelihood there below that of the summits."""
    groups = by_pattern(data.murray())

    def height(correlation, variance):
        covariance = variance * np.array([[1, correlation], [correlation, 1]])
        return e_step(groups, Normal(np.zeros(2), covariance))[1]

    correlations, variances = np.linspace(-0.97, 0.97, 79), np.linspace(0.85, 3.6, 45)
    heights = np.array([[height(r, v) for r in correlations] for v in variances])
    return correlations, variances, heights - height(*SUMMITS[1])


def name_starts(ax, paths):
    """Write above each start the correlation that it has."""
    starts = {}
    for path in paths:
        correlation, variance = place_of(path[0])
        starts.setdefault((round(correlation, 2), variance), []).append(f"{correlation:g}")
    for (correlation, variance), names in starts.items():
        text = "\n".join(sorted(names)).replace("-", "\u2212")
        ax.text(correlation, variance + 0.12, text, ha="center")


def place_of(normal):
    """Correlation and variance of a normal in the plane of the drawing."""
    return normal.covariance[0, 1] / normal.covariance[0, 0], normal.covariance[0, 0]


def draw_filled(axes, gappy, tables, stds):
    """A table with gaps in its second column, filled in several ways.

    Parameters
    ----------
    axes : array of Axes
        One for each table.
    gappy : (N, 2) array
        NaN where the second column is missing.
    tables : dict of str to (N, 2) array
        The filled tables by the name of the way.
    stds : (N, 2) array
        Of the gaps; drawn, twice as long to both sides, on the last axes.
    """
    gaps = np.isnan(gappy[:, 1])
    for ax, (name, table) in zip(np.ravel(axes), tables.items(), strict=True):
        ax.plot(*table[~gaps].T, ".", color=QUIET, markersize=5, alpha=0.6)
        if ax is np.ravel(axes)[-1]:
            ax.errorbar(*table[gaps].T, 2 * stds[gaps, 1], fmt="none", color=COLOURS[1], alpha=0.25)
        ax.plot(*table[gaps].T, ".", color=COLOURS[1], markersize=5)
        ax.set_title(name, loc="left")
        ax.set_xlabel("eruption (minutes)")
        ax.set_ylabel("wait (minutes)")
        ax.label_outer()


def draw_survival(ax, lifetimes, ends, path, iterations, scale):
    """Survival functions on the way to their fixed point, and an exponential one.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    lifetimes : Lifetimes
        In weeks; those that have not ended are marked.
    ends : (M,) array
        The possible ends, the last may be inf.
    path : list of Survival
        What each iteration has made of it.
    iterations : sequence of int
        Which to draw; the last one thickest.
    scale : float
        Mean lifetime of the exponential.
    """
    times, ended = lifetimes
    last = 1.05 * times.max()
    steps = np.concatenate([[0], ends[np.isfinite(ends)], [last]])
    shades = np.linspace(0.25, 1, len(iterations))
    for iteration, shade in zip(iterations, shades, strict=True):
        surviving = 1 - np.cumsum(path[iteration].probabilities)[: len(steps) - 2]
        values = np.concatenate([[1], surviving, surviving[-1:]])
        ax.step(
            steps,
            values,
            where="post",
            color=COLOURS[0],
            alpha=shade,
            linewidth=1.2 if iteration != iterations[-1] else 2.4,
            label="start" if iteration == 0 else f"EM, iteration {iteration}",
        )
    at = np.searchsorted(steps, times[~ended], side="right") - 1
    ax.plot(times[~ended], values[at], "|", color=INK, markersize=10, label="last seen, still well")
    grid = np.linspace(0, last, 100)
    ax.plot(grid, np.exp(-grid / scale), color=COLOURS[1], linestyle="--", label="exponential")
    ax.set_ylim(0, 1.03)
    ax.set_xlim(0, last)
    ax.set_xlabel("weeks since remission")
    ax.set_ylabel("share still in remission")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def draw_bins(axes, bins, mixtures):
    """Counts in bins as a histogram, and the density of a mixture over each.

    Parameters
    ----------
    axes : array of Axes
        One for each mixture.
    bins : Bins
        In minutes, with finite edges.
    mixtures : dict of str to Mixture
        By what stands above the axes.
    """
    counts, edges = bins
    widths = np.diff(edges)
    grid = np.linspace(edges[0] - 5, edges[-1] + 5, 300)
    for ax, (name, mixture) in zip(np.ravel(axes), mixtures.items(), strict=True):
        heights = counts / counts.sum() / widths
        ax.bar(edges[:-1], heights, widths, align="edge", color=PALE, edgecolor="white")
        expected = np.array(
            [
                np.exp(log_density(np.linspace(a, b, 201), mixture)).mean()
                for a, b in pairwise(edges)
            ]
        )
        ax.hlines(expected, edges[:-1], edges[1:], color=COLOURS[1], label="share it expects")
        ax.plot(grid, np.exp(log_density(grid, mixture)), color=COLOURS[0], label="its density")
        ax.set_title(name, loc="left")
        ax.set_xlabel("waiting time (minutes)")
        ax.set_ylabel("density (per minute)")
        ax.label_outer()
    np.ravel(axes)[0].legend(loc="upper left", fontsize=9)


def draw_two_shapes(ax, points, normals):
    """Points with gaps as dots and lines, and two normals as ellipses.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    points : (N, 2) array
        NaN where a coordinate is missing; drawn as a line along which the point may lie.
    normals : dict of str to Normal
        By the words of the legend.
    """
    whole = ~np.isnan(points).any(axis=1)
    ax.plot(*points[whole].T, "o", color=INK, markersize=6, label="both seen (4)")
    for n, (first, second) in enumerate(points[~whole]):
        draw = ax.axvline if np.isnan(second) else ax.axhline
        draw(
            first if np.isnan(second) else second,
            color=PALE,
            linewidth=2.5,
            zorder=0,
            label="one seen (8, on four lines)" if n == 0 else None,
        )
    for (name, normal), colour, dash in zip(normals.items(), COLOURS, DASHES, strict=False):
        draw_ellipse(ax, *normal, radii=(1.5,), colour=colour, linestyle=dash)
        ax.plot([], color=colour, linestyle=dash, linewidth=2.2, label=name)
    ax.set_xlim(-4.2, 4.2)
    ax.set_ylim(-4.2, 4.2)
    ax.set_aspect("equal")
    ax.set_xlabel("$x_1$")
    ax.set_ylabel("$x_2$")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
