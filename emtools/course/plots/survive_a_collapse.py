"""Drawings of chapter 06, survive a collapse."""

import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter

from emtools.course.plots import (
    COLOURS,
    INK,
    PALE,
    QUIET,
    blend,
    draw_data,
    fit_height,
    number_bells,
)
from emtools.logspace import e_step, log_joint

CEILING = 1.25  # of the density over four numbers, where a spike goes through
WIDTHS = np.logspace(-5, 0.5, 60)


def draw_spike(axes, x, mixture_of, std):
    """A bell that narrows onto one observation, and how the log-likelihood likes it.

    Parameters
    ----------
    axes : two Axes
        For the density, and for the log-likelihood against the width.
    x : (N,) array
        A few observations.
    mixture_of : callable
        ``mixture_of(std) -> Mixture``, the last component of this width.
    std : float
        The width to draw, and to mark on the curve.
    """
    above, below = axes
    draw_bells(above, x, mixture_of(std), (x.min() - 3, x.max() + 3))
    above.plot(x, np.full(len(x), -0.08), "|", color=INK, markersize=9, markeredgewidth=2)
    above.set_ylim(-0.16, CEILING)
    peak = np.exp(log_joint(x[-1:], mixture_of(std))).sum()
    above.set_title(f"{std:.1g} wide, peak {peak:.2g}", loc="left")
    above.set_xlabel("x")
    above.set_ylabel("density")
    heights = [e_step(x, mixture_of(width))[1] for width in WIDTHS]
    below.plot(WIDTHS, heights, color=INK, linewidth=1.5)
    below.plot([std], [e_step(x, mixture_of(std))[1]], "o", color=COLOURS[1], markersize=9)
    below.set_xscale("log")
    below.set_xticks([1e-4, 1e-2, 1])
    below.set_xlabel("width of the right bell")
    below.set_ylabel("log-likelihood (nats)")
    below.grid(color=PALE, linewidth=0.6)


def draw_bells(ax, x, mixture, bounds):
    """Each weighted bell between two bounds, on a grid that no bell is too narrow for."""
    near = (mixture.means[:, None] + mixture.stds[:, None] * np.linspace(-5, 5, 101)).ravel()
    grid = np.union1d(np.linspace(*bounds, 400), near[(near > bounds[0]) & (near < bounds[1])])
    for bell, colour in zip(np.exp(log_joint(grid, mixture)).T, COLOURS, strict=False):
        ax.fill_between(grid, bell, color=colour, alpha=0.15, linewidth=0)
        ax.plot(grid, bell, color=colour, linewidth=2)
    number_bells(ax, mixture)


def draw_close_up(axes, x, mixture, bounds, **labels):
    """A fit as a whole, and a part of it magnified; one scale for heights.

    Parameters
    ----------
    axes : two Axes
        For all of the data, and for the part.
    x : (N,) array
        Observations.
    mixture : Mixture
        K components; one may be as narrow as it likes.
    bounds : two float
        Where the part begins and ends.
    **labels
        Passed on to `plots.draw_data`.
    """
    margin = (x.max() - x.min()) / 10
    resp, _ = e_step(x, mixture)
    for ax, ends in zip(axes, ((x.min() - margin, x.max() + margin), bounds), strict=True):
        draw_data(ax, x, rug=blend(resp), **labels)
        draw_bells(ax, x, mixture, ends)
        ax.set_xlim(ends)
    for ax in axes:
        fit_height(ax, max(panel.dataLim.ymax for panel in axes))
    axes[0].axvspan(*bounds, color=QUIET, alpha=0.12, linewidth=0)
    axes[1].set_title("the grey strip, magnified", loc="left")
    axes[1].set_ylabel("")


def draw_gains(ax, asked, owned):
    """What each bell of some fits gains, beside what is asked of one that narrow.

    Parameters
    ----------
    ax : Axes
        Where to draw; the axis of widths becomes logarithmic.
    asked : dict of str to list of (float, float, float)
        For each bell of a fit: its width as a share of that of the others, its gain, and its
        price, which is a constant less the logarithm of the former.
    owned : dict of str to (K,) array
        How many observations each bell owns, by the same names.
    """
    styles = ({"color": INK}, {"color": QUIET, "fillstyle": "none"})
    for (name, bells), marker, style in zip(asked.items(), "os", styles, strict=False):
        ratios, gains, prices = np.transpose(bells)
        ax.plot(ratios, gains, marker, **style, label=name)
        for ratio, gain, count in zip(ratios, gains, owned[name], strict=True):
            ax.annotate(f"{count:.0f}", (ratio, gain), (7, -4), textcoords="offset points")
    widths = np.logspace(-2, 1, 91)
    price = prices[0] + np.log(ratios[0]) - np.log(widths)
    narrow = widths < 0.1001
    ax.fill_between(widths[narrow], price[narrow], color=QUIET, alpha=0.15, linewidth=0)
    ax.plot(widths, price, color=COLOURS[1], linewidth=1.5, label="price, Eq. (1)")
    ax.set_xscale("log")
    ax.set_xlim(0.02, 6)
    ax.set_ylim(0)
    ax.text(0.022, 1, "suspicious")
    ax.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("r: width / width of the others (numbers: galaxies that the bell owns)")
    ax.set_ylabel("gain (nats)")
    ax.legend(loc="upper left")


def draw_penalised(axes, plain, penalised):
    """What a run with a prior does to the log-likelihood, beside what it climbs.

    Parameters
    ----------
    axes : two Axes
        For the log-likelihood, and for its sum with the log prior.
    plain, penalised : (n_iter + 1,) sequence of float
        Both after 0, 1, 2, ... steps, in nats.
    """
    titles = ("log-likelihood", "log-likelihood + log prior")
    for ax, values, title, colour in zip(axes, (plain, penalised), titles, COLOURS, strict=False):
        ax.plot(range(len(values)), values, color=colour, marker="o", markersize=5)
        for place, right in ((0, False), (len(values) - 1, True)):
            text = f"\u2212{-values[place]:.1f}"
            up = (values[place] == max(values)) ^ right
            shift, side = (0 if right else 8, -16 if up else 8), "right" if right else "left"
            ax.annotate(text, (place, values[place]), shift, "data", "offset points", ha=side)
        ax.set_title(title, loc="left")
        ax.set_xlabel("iteration")
        ax.margins(y=0.2)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_ylabel("nats")
