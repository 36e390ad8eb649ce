"""The drawings of the course; each takes the axes to draw on first.

Here stands what several chapters or the sliders share; what one chapter alone draws is in the
module that has the chapter's name. Nothing outside this package imports matplotlib. Component k has
the same colour everywhere, and its number beside it.
"""

import io
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emtools import multivariate
from emtools.course.plots.described import show_with_words
from emtools.course.plots.numbers import table as table
from emtools.course.plots.palette import COLOURS, INK, MARKERS, PALE, QUIET, STYLE, blend
from emtools.kinds import parameters_of
from emtools.logspace import e_step, log_joint
from emtools.mixture import Mixture
from emtools.predict import responsibilities

plt.rcParams.update(STYLE)
show_with_words()


def new_axes(n_rows=1, n_columns=1, height=3.6, **options):
    """Empty axes in the course's width, 8 inches, for the picture of one cell.

    Parameters
    ----------
    n_rows, n_columns : int
        Panels.
    height : float
        Of the whole figure, in inches.
    **options
        Passed on to `matplotlib.pyplot.subplots`.

    Returns
    -------
    Axes, or an array of them
    """
    return plt.subplots(n_rows, n_columns, figsize=(8, height), **options)[1]


def new_figure(n_rows=1, n_columns=1, height=3.6, **options):
    """The same as `new_axes` for a picture that is kept rather than shown: figure and axes."""
    figure = Figure(figsize=(8, height), layout="constrained")
    return figure, figure.subplots(n_rows, n_columns, **options)


def as_png(figure):
    """A figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def draw_data(ax, x, *, rug=INK, quantity="waiting time", unit="minutes", bin_width=3.0):
    """Histogram of the observations as a density, and each observation as a tick below it.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        Observations.
    rug : colour or (N, 3) array
        Of the ticks.
    quantity, unit : str
        What is measured, in what.
    bin_width : float
        Of the histogram, in the unit of x.
    """
    edges = np.arange(x.min() - bin_width / 2, x.max() + bin_width, bin_width)
    ax.hist(x, bins=edges, density=True, color=PALE, edgecolor="white", zorder=0)
    fit_height(ax, ax.dataLim.ymax)
    strip = ax.get_xaxis_transform()  # x in the data's unit, y as a fraction of the panel
    ax.vlines(x, 0.02, 0.08, colors=rug, linewidth=1.6, transform=strip)
    ax.axhline(0, color=QUIET, linewidth=0.8)
    ax.spines["bottom"].set_visible(False)
    ax.set_xlabel(f"{quantity} ({unit})")
    one = unit.removesuffix("s") if unit.isalpha() else unit  # a minute, but 1000 km/s
    ax.set_ylabel(f"density (per {one})")


def fit_height(ax, peak):
    """Leave room for the rug under zero and for a line of text over the highest point."""
    ax.set_ylim(-0.13 * peak, 1.2 * peak)
    ax.set_yticks([tick for tick in MaxNLocator(4).tick_values(0, peak) if 0 <= tick <= 1.2 * peak])


def draw_mixture(
    ax, x, mixture, *, mark=None, quantity="waiting time", unit="minutes", bin_width=3.0
):
    """Histogram, each weighted bell, their sum, and the rug coloured by responsibility.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        Observations.
    mixture : Mixture
        K components; drawn with the weights divided by their sum.
    mark : float, optional
        A wait to point at, with its share of the component of smallest mean, the short bell.
    quantity, unit : str
        What is measured, in what.
    bin_width : float
        Of the histogram, in the unit of x.
    """
    mixture = mixture._replace(weights=mixture.weights / np.sum(mixture.weights))
    margin = (x.max() - x.min()) / 10
    grid = np.linspace(x.min() - margin, x.max() + margin, 400)
    bells = np.exp(log_joint(grid, mixture))
    for bell, colour in zip(bells.T, cycle(COLOURS), strict=False):
        ax.fill_between(grid, bell, color=colour, alpha=0.15, linewidth=0)
        ax.plot(grid, bell, color=colour, linewidth=2)
    ax.plot(grid, bells.sum(axis=1), color=INK, linewidth=1, linestyle="--")
    number_bells(ax, mixture)
    resp, _ = e_step(x, mixture)
    draw_data(ax, x, rug=blend(resp), quantity=quantity, unit=unit, bin_width=bin_width)
    if mark is not None:
        draw_mark(ax, mark, mixture, unit)


def number_bells(ax, mixture):
    """The number of each component inside its bell."""
    peaks = np.exp(np.diag(log_joint(mixture.means, mixture)))
    for place, name in numbers_at(np.column_stack([mixture.means, 0.4 * peaks])):
        ax.text(*place, name, ha="center", va="center", clip_on=True)


def numbers_at(places, near=1e-6):
    """Pairs of a place and the number of what stands there; near places share one: "0, 1"."""
    left = list(range(len(places)))
    while left:
        first = places[left[0]]
        here = [k for k in left if np.allclose(places[k], first, rtol=1e-3, atol=near)]
        yield first, ", ".join(map(str, here))
        left = [k for k in left if k not in here]


def draw_mark(ax, x_n, mixture, unit):
    """A dotted line at one observation, and whose it is in words."""
    resp, _ = e_step(np.array([x_n]), mixture)
    share = resp[0, int(np.argmin(mixture.means))]
    ax.axvline(x_n, ymax=0.9, color=INK, linewidth=1, linestyle=":")
    text = f"{x_n:g} {unit}: {share:.0%} short bell"
    ax.text(x_n, 0.92, text, ha="center", transform=ax.get_xaxis_transform())


def draw_path(axes, x, path, iterations, **options):
    """Small multiples: the same picture after several numbers of iterations.

    Parameters
    ----------
    axes : array of Axes
        One for each of `iterations`.
    x : (N,) array
        Observations.
    path : list of Mixture
        The start and what each iteration made of it.
    iterations : sequence of int
        Which to draw.
    **options
        Passed on to `draw_mixture`.
    """
    for ax, iteration in zip(np.ravel(axes), iterations, strict=True):
        draw_mixture(ax, x, path[iteration], **options)
        ax.set_title(title_after(iteration), loc="left")
        ax.label_outer()
    for ax in np.ravel(axes):  # one scale for all, so that heights can be compared
        fit_height(ax, max(panel.dataLim.ymax for panel in np.ravel(axes)))


def title_after(iteration):
    """What stands over a picture of the mixture after so many iterations."""
    return "start" if iteration == 0 else f"iteration {iteration}"


GEYSER = ("eruption (minutes)", "waiting time (minutes)")


def draw_plane(ax, X, *, colour=QUIET, names=GEYSER):
    """Observations with two features as dots.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    X : (N, 2) array
        Observations.
    colour : colour or (N, 3) array
        Of the dots.
    names : two str
        Of the features, with their units.
    """
    ax.scatter(*X.T, c=colour, s=16, alpha=0.55, linewidth=0)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])


def draw_ellipse(ax, mean, covariance, *, radii=(1, 2), colour=INK, linestyle="-"):
    """The points at one distance of a bell, for several distances, and a cross at its mean.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    mean : (2,) array
        Of the bell.
    covariance : (2, 2) array
        Symmetric positive definite.
    radii : sequence of float
        Distances; the first is drawn thickest.
    colour : colour
        Of lines and cross.
    linestyle : str
        Of the lines, as matplotlib names it.
    """
    angles = np.linspace(0, 2 * np.pi, 200)
    circle = np.array([np.cos(angles), np.sin(angles)])
    for radius, width in zip(radii, (2.2, 1.1, 0.7), strict=False):
        ellipse = np.transpose(mean) + (radius * np.linalg.cholesky(covariance) @ circle).T
        ax.plot(*ellipse.T, color=colour, linewidth=width, linestyle=linestyle)
    ax.plot(*mean, "+", color="white", markersize=14, markeredgewidth=5)
    ax.plot(*mean, "+", color=colour, markersize=11, markeredgewidth=2.2)


def draw_clouds(ax, X, mixture, *, radii=(1, 2), names=GEYSER, equal=False):
    """Observations coloured by responsibility, and each bell as ellipses.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    X : (N, 2) array
        Observations.
    mixture : MultivariateMixture
        K components in two dimensions.
    radii : sequence of float
        Distances of the ellipses.
    names : two str
        Of the features, with their units.
    equal : bool
        Whether both axes have one scale, so that circles look like circles.
    """
    resp, _ = multivariate.e_step(X, mixture)
    draw_pair(ax, X, mixture, resp, (0, 1), names=names, radii=radii)
    if equal:
        ax.set_aspect("equal")


def draw_pair(ax, X, mixture, resp, pair, *, names, radii=(1, 2)):
    """Two columns of a table coloured by responsibility, and what each bell is in these two.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    X : (N, D) array
        Observations.
    mixture : MultivariateMixture
        K components in all D dimensions.
    resp : (N, K) array
        Responsibilities, from all D columns.
    pair : two int
        The columns to draw, the horizontal one first.
    names : two str
        Of these columns, with their units.
    radii : sequence of float
        Distances of the ellipses.
    """
    pair = list(pair)
    draw_plane(ax, X[:, pair], colour=blend(resp), names=names)
    shapes = mixture.covariances[:, pair][:, :, pair]  # the marginal of a normal is a normal
    bells = zip(mixture.means[:, pair], shapes, cycle(COLOURS), strict=False)
    for mean, covariance, colour in bells:
        draw_ellipse(ax, mean, covariance, radii=radii, colour=colour)
    halo = {"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0}
    width = np.ptp(X[:, pair], axis=0)
    width[width == 0] = 1
    for place, name in numbers_at(mixture.means[:, pair] / width, near=0.03):
        ax.annotate(
            name, place * width, (9, 9), textcoords="offset points", bbox=halo, clip_on=True
        )
    fit_plane(ax, X[:, pair])


def fit_plane(ax, X):
    """Limits of the data and a fifth around them, wherever the bells reach."""
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.2 * (high - low)
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - margin[1], high[1] + margin[1])


def draw_fit(x, fit, *, names=None, columns=None):
    """A picture of any fit: bells over a histogram, or ellipses for every pair of columns.

    The one drawing that makes its own axes, because their number depends on the data.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    fit : Mixture, MultivariateMixture or Fit
        K components for these observations.
    names : str, or sequence of D str, optional
        Of the columns, with their units; a frame knows them itself.
    columns : sequence of int, optional
        Which of D columns to draw; the first four unless told.

    Returns
    -------
    Axes, or (D - 1, D - 1) array of them
        Of every pair of columns the later one stands upright.
    """
    mixture, resp = parameters_of(fit), responsibilities(x, fit)
    names = [names] if isinstance(names, str) else names
    names = list(getattr(x, "columns", ())) if names is None else list(names)
    x = np.asarray(x, dtype=float)
    names = names or [f"column {d}" for d in range(x[0].size)]
    if x.ndim == 1 or x.shape[1] == 1:
        return draw_one_column(x.ravel(), mixture, names[0])
    chosen = list(range(min(4, x.shape[1])) if columns is None else columns)
    size = len(chosen) - 1
    axes = np.reshape(new_axes(size, size, height=4 if size == 1 else 2.5 * size), (size, size))
    for row, column in np.ndindex(size, size):
        pair, ax = (chosen[column], chosen[row + 1]), axes[row, column]
        if column > row:
            ax.axis("off")
            continue
        draw_pair(ax, x, mixture, resp, pair, names=[names[d] for d in pair], radii=(2,))
        ax.label_outer()
    name_components(axes[0, -1], mixture)
    return axes[0, 0] if size == 1 else axes


def draw_one_column(x, mixture, name):
    """The picture of a fit to one column of numbers: histogram, bells and rug."""
    if hasattr(mixture, "covariances"):
        stds = np.sqrt(mixture.covariances[:, 0, 0])
        mixture = Mixture(mixture.weights, mixture.means[:, 0], stds)
    ax = new_axes()
    edges = np.histogram_bin_edges(x, bins="fd")
    draw_mixture(ax, x, mixture, bin_width=edges[1] - edges[0])
    ax.set_xlabel(name)
    unit = name.rpartition("(")[2].removesuffix(")") if name.endswith(")") else ""
    ax.set_ylabel(f"density (per {unit})" if unit else "density")
    name_components(ax, mixture)
    return ax


def name_components(ax, mixture):
    """A legend: the colour of each component, its number and its weight."""
    weights = mixture.weights / np.sum(mixture.weights)
    for k, (weight, colour) in enumerate(zip(weights, cycle(COLOURS), strict=False)):
        ax.plot([], [], "o", color=colour, label=f"component {k}: {weight:.1%}")
    ax.legend(loc="best" if ax.axison else "center")


def draw_history(ax, history, first=0):
    """Log-likelihood, iteration by iteration, and the value it ends at.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    history : (n_iter + 1,) sequence of float
        In nats.
    first : int
        The iteration to which history[0] belongs.
    """
    ax.axhline(history[-1], color=QUIET, linestyle="--", linewidth=1)
    ax.plot(range(first, first + len(history)), history, color=INK, marker="o", markersize=4)
    ax.set_xlabel("iteration")
    ax.set_ylabel("log-likelihood (nats)")


def draw_timings(ax, sizes, timings):
    """Seconds per iteration against the number of observations, both axes logarithmic.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    sizes : sequence of int
        Numbers of observations.
    timings : dict of str to sequence of float
        Seconds for each size, by the name of what was timed.
    """
    ways = zip(timings.items(), COLOURS, MARKERS, strict=False)
    for order, ((name, seconds), colour, marker) in enumerate(ways):
        size = 10 - 5 * order / len(timings)  # where two meet, the smaller one lies on top
        ax.loglog(sizes, seconds, color=colour, marker=marker, markersize=size, linewidth=2)
        ax.text(1.5 * sizes[-1], seconds[-1], name, va="center")
    ax.set_xlim(sizes[0] / 1.3, sizes[-1] * 1.3)  # the names stand in the margin
    ax.set_xlabel("number of observations N")
    ax.set_ylabel("time for one iteration (s)")
    ax.grid(color=PALE, linewidth=0.6)
