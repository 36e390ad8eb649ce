"""Drawings of chapter 06, survive a collapse."""

import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter

from emtools.course.plots import COLOURS, INK, PALE, QUIET, blend, draw_data, fit_height
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


def draw_widths(ax, fits):
    """Each bell of some fits as a point: how many observations it owns, and how wide it is.

    Parameters
    ----------
    ax : Axes
        Where to draw, both axes logarithmic.
    fits : dict of str to (x, Mixture)
        Observations and what was fitted to them, by name.
    """
    styles = ({"color": INK}, {"color": QUIET, "fillstyle": "none"})
    for n, ((name, (x, mixture)), marker) in enumerate(zip(fits.items(), "osD^v", strict=False)):
        counts = e_step(x, mixture)[0].sum(axis=0)
        ax.loglog(counts, mixture.stds / np.std(x), marker, **styles[n > 0], label=name)
    ax.set_xlabel("observations that the bell owns (soft count)")
    ax.set_ylabel("width / width of all data")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    ax.set_xticks([2, 5, 10, 20, 50])
    ax.margins(0.1)
    ax.grid(color=PALE, linewidth=0.6)
    ax.legend(loc="lower right")


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
            shift, side = (0, 8 if not up else -16), "right" if right else "left"
            ax.annotate(text, (place, values[place]), shift, "data", "offset points", ha=side)
        ax.set_title(title, loc="left")
        ax.set_xlabel("iteration")
        ax.margins(y=0.2)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_ylabel("nats")
