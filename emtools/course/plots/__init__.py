"""Every drawing of the course; each takes the axes to draw on first.

The only module that imports matplotlib. Component k has the same colour everywhere (Okabe and Ito's
palette, which colour-blind readers can tell apart).
"""

import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from emtools import multivariate
from emtools.bound import linkage_bound, linkage_e_step, linkage_log_likelihood
from emtools.logspace import e_step, log_joint

# Okabe and Ito's palette; blue and orange first, which every kind of colour vision tells apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, QUIET, PALE = "#222222", "#6b6b6b", "#d9d9d9"

plt.rcParams.update(
    {
        "figure.dpi": 110,
        "figure.constrained_layout.use": True,
        "font.size": 11,
        "axes.titlesize": 11,
        "axes.labelsize": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": QUIET,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "legend.frameon": False,
        "legend.fontsize": 10,
    }
)


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


def blend(resp):
    """Colour of each observation: the components' colours mixed by its responsibilities.

    Parameters
    ----------
    resp : (N, K) array
        Responsibilities; a row with NaN is drawn black.

    Returns
    -------
    (N, 3) array
        Red, green and blue between 0 and 1.
    """
    palette = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(resp.shape[1])])
    return np.clip(np.nan_to_num(resp @ palette, nan=0.0), 0, 1)


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
        An observation to point at, with its share of the component of smallest mean.
    quantity, unit : str
        What is measured, in what.
    bin_width : float
        Of the histogram, in the unit of x.
    """
    mixture = mixture._replace(weights=mixture.weights / np.sum(mixture.weights))
    margin = (x.max() - x.min()) / 10
    grid = np.linspace(x.min() - margin, x.max() + margin, 400)
    bells = np.exp(log_joint(grid, mixture))
    for bell, colour in zip(bells.T, COLOURS, strict=False):
        ax.fill_between(grid, bell, color=colour, alpha=0.15, linewidth=0)
        ax.plot(grid, bell, color=colour, linewidth=2)
    ax.plot(grid, bells.sum(axis=1), color=INK, linewidth=1, linestyle="--")
    resp, _ = e_step(x, mixture)
    draw_data(ax, x, rug=blend(resp), quantity=quantity, unit=unit, bin_width=bin_width)
    if mark is not None:
        draw_mark(ax, mark, mixture, unit)


def draw_mark(ax, x_n, mixture, unit):
    """A dotted line at one observation, and whose it is in words."""
    resp, _ = e_step(np.array([x_n]), mixture)
    share = resp[0, int(np.argmin(mixture.means))]
    ax.axvline(x_n, ymax=0.9, color=INK, linewidth=1, linestyle=":")
    text = f"{x_n:g} {unit}: {share:.0%} left bell"
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
        ax.set_title("start" if iteration == 0 else f"iteration {iteration}", loc="left")
        ax.label_outer()
    for ax in np.ravel(axes):  # one scale for all, so that heights can be compared
        fit_height(ax, max(panel.dataLim.ymax for panel in np.ravel(axes)))


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


def draw_ellipse(ax, mean, covariance, *, radii=(1, 2), colour=INK):
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
    """
    angles = np.linspace(0, 2 * np.pi, 200)
    circle = np.array([np.cos(angles), np.sin(angles)])
    for radius, width in zip(radii, (2.2, 1.1, 0.7), strict=False):
        ellipse = np.transpose(mean) + (radius * np.linalg.cholesky(covariance) @ circle).T
        ax.plot(*ellipse.T, color=colour, linewidth=width)
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
    draw_plane(ax, X, colour=blend(resp), names=names)
    for mean, covariance, colour in zip(mixture.means, mixture.covariances, COLOURS, strict=False):
        draw_ellipse(ax, mean, covariance, radii=radii, colour=colour)
    fit_plane(ax, X)
    if equal:
        ax.set_aspect("equal")


def fit_plane(ax, X):
    """Limits of the data and a fifth around them, wherever the bells reach."""
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.2 * (high - low)
    ax.set_xlim(low[0] - margin[0], high[0] + margin[0])
    ax.set_ylim(low[1] - margin[1], high[1] + margin[1])


def draw_cloud_panels(axes, X, mixtures, **options):
    """Small multiples: the same observations under several mixtures.

    Parameters
    ----------
    axes : array of Axes
        One for each mixture.
    X : (N, 2) array
        Observations.
    mixtures : dict of str to MultivariateMixture
        By the title of the panel.
    **options
        Passed on to `draw_clouds`.
    """
    for ax, (title, mixture) in zip(np.ravel(axes), mixtures.items(), strict=True):
        draw_clouds(ax, X, mixture, **options)
        ax.set_title(title, loc="left")
        ax.label_outer()


def draw_cholesky(axes, mean, covariance, scaled):
    """What a Cholesky factor does: circles become ellipses, and each point goes along.

    Parameters
    ----------
    axes : two Axes
        On the left scaled residuals, on the right observations.
    mean : (2,) array
        Of the bell.
    covariance : (2, 2) array
        Symmetric positive definite.
    scaled : (2,) array
        The scaled residual to follow.
    """
    factor = np.linalg.cholesky(covariance)
    both = (np.zeros(2), np.eye(2)), (mean, covariance)
    points = scaled, mean + factor @ scaled
    reach = np.abs(mean).max() + 2 * np.sqrt(np.diagonal(covariance).max())
    titles = "scaled residuals", "observations: mean + L · scaled"
    for ax, bell, point, title in zip(axes, both, points, titles, strict=True):
        draw_ellipse(ax, *bell, colour=COLOURS[0])
        ax.plot(*np.transpose([bell[0], point]), color=INK, linewidth=1)
        ax.plot(*point, "o", color=INK, markersize=7)
        numbers = ", ".join(f"{number:g}" for number in point)
        ax.annotate(f"({numbers})", point, (9, 2), textcoords="offset points")
        ax.set_title(title, loc="left")
        ax.set_xlim(-1.2 * reach, 1.2 * reach)  # one scale for both, to see what is stretched
        ax.set_ylim(-1.2 * reach, 1.2 * reach)
        ax.set_aspect("equal")
        ax.set_xticks([tick for tick in ax.get_yticks() if abs(tick) <= 1.2 * reach])
        ax.grid(color=PALE, linewidth=0.6)
        ax.set_axisbelow(True)


def draw_two_points(ax, X, points):
    """One bell for all observations, its ellipses, and points with letters.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    X : (N, 2) array
        Observations.
    points : dict of str to (2,) array
        By letter.
    """
    draw_plane(ax, X, colour=COLOURS[5])
    draw_ellipse(ax, X.mean(axis=0), np.cov(X.T, bias=True), colour=COLOURS[0])
    for letter, point in points.items():
        ax.plot(*point, "o", color=INK, markersize=8)
        ax.annotate(letter, point, (9, -5), textcoords="offset points", fontsize=14)


def draw_shares(ax, path, x_n):
    """Share of the left bell in one observation, iteration by iteration.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    path : list of Mixture
        The start and what each iteration made of it.
    x_n : float
        The observation.
    """
    k = int(np.argmin(path[-1].means))
    shares = [e_step(np.array([x_n]), mixture)[0][0, k] for mixture in path]
    ax.plot(shares, color=COLOURS[k], marker="o", markersize=4)
    ax.set_ylim(0, 1)
    ax.set_xlabel("iteration")
    ax.set_ylabel(f"share of the left bell in {x_n:g}")


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


# Hills are no components: their colours, highest first, are those that two bells do not use.
HILLS = (COLOURS[2], COLOURS[5], COLOURS[4], COLOURS[3], QUIET, PALE)


def draw_start_map(ax, grid, heights, *, marks=(), legend=True, unit="1000 km/s"):
    """Where each pair of start means ends up: a square for each, coloured by its log-likelihood.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    grid : (G,) array
        Start means, evenly spaced; the same for both bells.
    heights : (G, G) array
        Final log-likelihoods; the row is the first bell's mean, the column the second's. Those
        that agree to four decimals are one hill; up to six are told apart.
    marks : sequence of pairs
        Starts to mark with a letter, or with a ring if there is one only.
    legend : bool
        Whether to list the hills with their numbers of squares.
    unit : str
        Of the means.
    """
    levels, hill = np.unique(-np.round(heights, 4), return_inverse=True)
    hill = hill.reshape(heights.shape)
    half = (grid[1] - grid[0]) / 2
    colours = ListedColormap(HILLS[: len(levels)])
    ax.pcolormesh(grid, grid, hill.T, cmap=colours, vmin=0, vmax=len(levels) - 1)
    for k, level in enumerate(levels if legend else ()):
        label = f"\u2212{level:.4f}  ({(hill == k).sum()} starts)"
        ax.add_patch(Rectangle((0, 0), 0, 0, color=HILLS[k], label=label))
    for letter, (first, second) in zip("abcdef", marks, strict=False):
        size = {"markersize": 15 if len(marks) > 1 else 9, "markeredgecolor": INK}
        ax.plot([first], [second], "o", markerfacecolor="white", **size)
        if len(marks) > 1:
            ax.text(first, second, letter, ha="center", va="center_baseline", fontsize=10)
    ax.set_xlim(grid[0] - half, grid[-1] + half)
    ax.set_ylim(grid[0] - half, grid[-1] + half)
    ax.set_aspect("equal")
    ax.set_xlabel(f"first mean at the start ({unit})")
    ax.set_ylabel(f"second mean at the start ({unit})")
    if legend:
        title = "log-likelihood at the end"
        ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), title=title, alignment="left")


def draw_ending(ax, x, start, end, *, letter="", **labels):
    """Where a run ended: the fitted bells, with a triangle over each bell's mean at the start.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        Observations.
    start, end : Mixture
        What the run began with, and what it ended with.
    letter : str
        Its mark on the map.
    **labels
        Passed on to `draw_mixture`.
    """
    draw_mixture(ax, x, end, **labels)
    fit_height(ax, ax.dataLim.ymax)  # the narrowest bell may be the highest thing there is
    for mean, colour in zip(start.means, COLOURS, strict=False):
        ax.plot(mean, 0.93, "v", color=colour, markersize=9, transform=ax.get_xaxis_transform())
    log_likelihood = e_step(x, end)[1]
    ax.set_title(f"{letter}  log-likelihood \u2212{-log_likelihood:.4f}".strip(), loc="left")


def draw_picked(axes, x, grid, heights, start, end, **labels):
    """A start picked on the map, and where it ends up.

    Parameters
    ----------
    axes : two Axes
        For the map and for the fitted bells.
    x : (N,) array
        Observations.
    grid, heights
        As `draw_start_map` takes them.
    start, end : Mixture
        As `draw_ending` takes them.
    **labels
        Passed on to `draw_mixture`.
    """
    draw_start_map(axes[0], grid, heights, marks=[start.means], legend=False)
    draw_ending(axes[1], x, start, end, **labels)


def draw_to_go(ax, history, limit, estimates=None, *, title="", lowest=1e-9, legend=True):
    """What is left to gain after each step, beside the step's gain; both axes logarithmic.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    history : (n_iter + 1,) sequence of float
        In nats.
    limit : float
        The log-likelihood to which the run climbs.
    estimates : (n_iter + 1,) sequence of float, optional
        What is estimated to be left after each step; infinite where there is no estimate.
    title : str
        Over the picture.
    lowest : float
        Where the vertical axis ends.
    legend : bool
        Whether to name the lines.
    """
    history = np.asarray(history)
    left, steps = limit - history[1:], np.arange(1, len(history))
    shown = left > lowest
    ax.plot(steps[shown], left[shown], color=INK, linewidth=2.5, label="left to gain")
    gains = np.diff(history)
    shown &= gains > lowest
    ax.plot(steps[shown], gains[shown], color=COLOURS[1], linewidth=1.5, label="last gain")
    if estimates is not None:
        estimates = np.asarray(estimates)[1:]
        shown &= np.isfinite(estimates)
        style = {"color": COLOURS[0], "marker": "o", "markersize": 4, "linestyle": "none"}
        ax.plot(steps[shown], estimates[shown], **style, label="Aitken's estimate")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(lowest, None)
    ax.set_xlabel("step")
    ax.set_ylabel("nats")
    ax.grid(color=PALE, linewidth=0.6)
    ax.set_title(title, loc="left")
    if legend:
        ax.legend(loc="lower left")


def draw_spike(axes, x, mixture_of, stds=(1.0, 0.3, 0.1)):
    """A bell that narrows onto one observation, and how the log-likelihood likes it.

    Parameters
    ----------
    axes : two Axes
        For the densities, and for the log-likelihood against the width.
    x : (N,) array
        A few observations.
    mixture_of : callable
        ``mixture_of(std) -> Mixture``, the last component of this width.
    stds : sequence of float
        Widths to draw on the left.
    """
    left, right = axes
    grid = np.union1d(np.linspace(x.min() - 2, x.max() + 2, 400), x.max() + np.arange(-1, 1, 0.01))
    shades = plt.get_cmap("copper")(np.linspace(0.05, 0.8, len(stds)))
    for std, colour in zip(stds, shades, strict=True):
        density = np.exp(log_joint(grid, mixture_of(std))).sum(axis=1)
        left.plot(grid, density, color=colour, linewidth=2, label=f"{std:g} wide")
    left.plot(x, np.full(len(x), -0.05), "|", color=INK, markersize=12, markeredgewidth=2)
    left.set_xlabel("x")
    left.set_ylabel("density")
    left.legend(title="the right bell is", loc="upper center", alignment="left")
    widths = np.logspace(-5, 0.5, 60)
    right.plot(widths, [e_step(x, mixture_of(std))[1] for std in widths], color=INK, linewidth=2)
    for std, colour in zip(stds, shades, strict=True):
        right.plot([std], [e_step(x, mixture_of(std))[1]], "o", color=colour, markersize=8)
    right.set_xscale("log")
    right.set_xlabel("width of the right bell")
    right.set_ylabel("log-likelihood (nats)")
    right.grid(color=PALE, linewidth=0.6)


def draw_table(ax, values, x, y, *, colour=PALE, title="", shape=""):
    """A table of numbers as boxes, its shape written under it.

    Parameters
    ----------
    ax : Axes
        Where to draw; one unit is one box.
    values : 2-D array of str
        What stands in the boxes, row by row.
    x, y : float
        Upper left corner.
    colour : colour or sequence of colours
        Of all boxes, or of each column.
    title, shape : str
        Over and under the table.
    """
    n_rows, n_columns = np.shape(values)
    colours = [colour] * n_columns if isinstance(colour, str) else colour
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            box = Rectangle((x + j, y - i - 1), 1, 1, facecolor=colours[j], alpha=0.3)
            ax.add_patch(box)
            ax.add_patch(Rectangle((x + j, y - i - 1), 1, 1, fill=False, edgecolor="white"))
            ax.text(x + j + 0.5, y - i - 0.5, value, ha="center", va="center", fontsize=10)
    ax.text(x + n_columns / 2, y + 0.25, title, ha="center", family="monospace", fontsize=10)
    ax.text(x + n_columns / 2, y - n_rows - 0.55, shape, ha="center", color=QUIET, fontsize=10)


def frame_boxes(ax, width, n):
    """Square boxes, no axes, and room for a line of text over and under n rows."""
    ax.set_xlim(-0.6, width)
    ax.set_ylim(-1, n + 1)
    ax.set_aspect("equal")
    ax.axis("off")


def draw_broadcast(ax, x, means):
    """A column (N, 1) minus a row (K,) fills a table (N, K).

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        A few observations.
    means : (K,) array
        A few means.
    """
    n, k = len(x), len(means)
    draw_table(ax, [[f"{v:g}"] for v in x], 0, n, title="x[:, None]", shape=f"(N, 1) = ({n}, 1)")
    ax.text(1.75, n / 2, "\u2212", ha="center", va="center", fontsize=18)
    row = [[f"{v:g}" for v in means]]
    middle = (n + 1) / 2
    draw_table(ax, row, 2.5, middle, colour=COLOURS[:k], title="means", shape=f"(K,) = ({k},)")
    ax.text(3.25 + k, n / 2, "=", ha="center", va="center", fontsize=18)
    table = [[f"{v - m:g}" for m in means] for v in x]
    draw_table(
        ax,
        table,
        4 + k,
        n,
        colour=COLOURS[:k],
        title="x[:, None] - means",
        shape=f"(N, K) = ({n}, {k})",
    )
    frame_boxes(ax, 4.6 + 2 * k, n)


def draw_product(ax, x, resp):
    """A table (K, N) times a column (N,) gives one weighted sum per component, (K,).

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        A few observations.
    resp : (N, K) array
        Their responsibilities.
    """
    n, k = resp.shape
    for j in range(k):
        row = [[f"{v:g}" for v in resp[:, j]]]
        draw_table(ax, row, 0, n / 2 + k / 2 - j, colour=COLOURS[j])
    ax.text(n / 2, n / 2 + k / 2 + 0.25, "resp.T", ha="center", family="monospace", fontsize=10)
    under = n / 2 - k / 2 - 0.55
    ax.text(n / 2, under, f"(K, N) = ({k}, {n})", ha="center", color=QUIET, fontsize=10)
    ax.text(n + 0.75, n / 2, "@", ha="center", va="center", fontsize=16)
    draw_table(ax, [[f"{v:g}"] for v in x], n + 1.5, n, title="x", shape=f"(N,) = ({n},)")
    ax.text(n + 3.25, n / 2, "=", ha="center", va="center", fontsize=18)
    for j, total in enumerate(resp.T @ x):
        draw_table(ax, [[f"{total:g}"]], n + 4, n / 2 + k / 2 - j, colour=COLOURS[j])
    ax.text(n + 4.5, n / 2 + k / 2 + 0.25, "sums", ha="center", family="monospace", fontsize=10)
    ax.text(n + 4.5, under, f"(K,) = ({k},)", ha="center", color=QUIET, fontsize=10)
    frame_boxes(ax, n + 5.6, n)


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
    for (name, seconds), colour, marker in zip(timings.items(), COLOURS, "osD^v", strict=False):
        ax.loglog(sizes, seconds, color=colour, marker=marker, linewidth=2)
        ax.text(1.15 * sizes[-1], seconds[-1], name, color=colour, va="center")
    ax.set_xlim(sizes[0] / 1.5, sizes[-1] * 5)
    ax.set_xlabel("number of observations N")
    ax.set_ylabel("time for one iteration (s)")
    ax.grid(color=PALE, linewidth=0.6)


# float64: exp is 0.0 below the floor and loses digits below the smallest normal number.
FLOOR, LAST_NORMAL = -745.13, -708.4


def draw_cliff(ax, x, mixture, *, quantity="velocity", unit="km/s"):
    """Log joint density of each observation and component, against what float64's exp can hold.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        Observations.
    mixture : Mixture
        K components.
    quantity, unit : str
        What is measured, in what.
    """
    joint = log_joint(x, mixture)
    lowest = 2 * joint.min()
    ax.axhspan(lowest, FLOOR, color=INK, alpha=0.12, linewidth=0)
    ax.axhspan(FLOOR, LAST_NORMAL, color=COLOURS[4], alpha=0.5, linewidth=0)
    ax.axhline(FLOOR, color=INK, linewidth=1)
    lost = (joint < FLOOR).all(axis=1)
    for k, colour in zip(range(joint.shape[1]), COLOURS, strict=False):
        mean = f"component {k}, mean {mixture.means[k]:g}"
        ax.plot(x[~lost], joint[~lost, k], "o", color=colour, markersize=5, label=mean)
        ax.plot(x[lost], joint[lost, k], "x", color=colour, markersize=6, markeredgewidth=1.8)
    ax.plot([], [], "x", color=INK, label=f"both are lost, 0/0 ({lost.sum()} rows)")
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylim(lowest, -4)
    ax.text(
        0.01, FLOOR * 1.15, "exp(\u2026) is 0.0 in float64 below \u2212745.13", va="top",
        transform=ax.get_yaxis_transform(),
    )  # fmt: skip
    ax.set_xlabel(f"{quantity} ({unit})")
    ax.set_ylabel("log of weight × density (nats)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")


def draw_outlier(axes, mixture, wait, versions):
    """One observation dragged away from two bells, and whose each version says it is.

    Parameters
    ----------
    axes : two Axes
        Above, the bells and the observation; below, one bar per version.
    mixture : Mixture
        Two components.
    wait : float
        The observation, in minutes.
    versions : dict of str to callable
        ``e_step(x, mixture) -> resp`` by name, first drawn on top.
    """
    above, below = axes
    grid = np.linspace(0, 450, 900)
    for bell, colour in zip(np.exp(log_joint(grid, mixture)).T, COLOURS, strict=False):
        above.fill_between(grid, bell, color=colour, alpha=0.6, linewidth=0)
    above.plot([wait], [0.004], "v", color=INK, markersize=9)
    above.set_xlim(0, 450)
    above.set_xticks([0, 200, 400])
    above.set_ylim(0, 0.05)
    above.set_yticks([])
    above.set_xlabel("waiting time (minutes)")
    above.set_title(f"a wait of {wait:g} minutes", loc="left")
    for row, version in enumerate(versions.values()):
        draw_bar(below, row, version(np.array([float(wait)]), mixture)[0])
    below.set_yticks(range(len(versions)), versions)
    below.set_ylim(len(versions) - 0.5, -0.5)
    below.set_xlim(0, 1)
    below.set_xlabel("share of each bell")
    below.spines["left"].set_visible(False)
    below.tick_params(axis="y", length=0, colors=INK)


def draw_bar(ax, row, resp):
    """One row of responsibilities as a bar in the components' colours, the numbers beside it."""
    text = " / ".join("nan" if np.isnan(r) else f"{r:.3g}" for r in resp)
    ax.text(1.02, row, text, va="center", transform=ax.get_yaxis_transform())
    if np.isnan(resp).any():
        ax.barh(row, 1, color="white", edgecolor=INK, hatch="//", linewidth=0.8)
        return
    left = np.concatenate([[0], np.cumsum(resp)[:-1]])
    ax.barh([row] * len(resp), resp, left=left, color=COLOURS[: len(resp)])


def draw_climb(axes, thetas, iterations):
    """The lower bound touching the linkage log-likelihood, and the step to its top.

    Parameters
    ----------
    axes : Axes or array of Axes
        One for each of `iterations`.
    thetas : sequence of float
        The start and what each iteration made of it.
    iterations : sequence of int
        Which to draw; each needs its successor in `thetas`.
    """
    for ax, iteration in zip(np.ravel(axes), iterations, strict=True):
        here, there = thetas[iteration : iteration + 2]
        resp, span = linkage_e_step(here), abs(there - here)
        grid = np.linspace(min(here, there) - 0.7 * span, max(here, there) + 1.1 * span, 200)
        ax.plot(grid, linkage_log_likelihood(grid), color=INK, linewidth=2, label="log-likelihood")
        ax.plot(grid, linkage_bound(resp, grid), color=COLOURS[1], linewidth=2, label="lower bound")
        foot = linkage_log_likelihood(here)
        top, reached = linkage_bound(resp, there), linkage_log_likelihood(there)
        ax.plot([here, there], [foot, foot], color=QUIET, linewidth=0.8, linestyle=":")
        ax.plot([there, there], [foot, top], color=COLOURS[2], linewidth=4, label="bound rises")
        ax.plot([there, there], [top, reached], color=COLOURS[0], linewidth=4, label="gap opens")
        ax.plot([here, there], [foot, reached], "o", color=INK, zorder=3)
        rise = reached - foot
        ax.set_ylim(foot - 0.9 * rise, reached + 0.25 * rise)
        ax.set_xlim(grid[0], grid[-1])
        ax.set_title(f"from iteration {iteration} to {iteration + 1}", loc="left")
        ax.set_xlabel("\u03b8")
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.ticklabel_format(useOffset=False)
    first = np.ravel(axes)[0]
    first.set_ylabel("nats")
    first.legend(loc="lower right", fontsize=9)


def draw_museum(axes, histories):
    """What each buggy version prints, against the right one, and whether it falls.

    Parameters
    ----------
    axes : array of Axes
        One for each history but the first.
    histories : dict of str to (n_iter + 1,) array
        Log-likelihoods as printed; the first is the right one.
    """
    (_, right), *others = histories.items()
    for ax, (name, history) in zip(np.ravel(axes), others, strict=True):
        falls = np.diff(history[:11]).min() < -1e-6
        ax.plot(right[:11], color=QUIET, linestyle="--", linewidth=1.2)
        ax.plot(history[:11], color=COLOURS[1 if falls else 0], marker="o", markersize=4)
        ax.set_title(name, loc="left")
        verdict = "falls" if falls else "never falls"
        ax.text(0.97, 0.5, verdict, ha="right", transform=ax.transAxes, weight="bold")
    for ax in np.reshape(axes, (-1, 3))[-1]:
        ax.set_xlabel("iteration")
    for ax in np.reshape(axes, (-1, 3))[:, 0]:
        ax.set_ylabel("nats, as printed")


def draw_runs(ax, *, n_samples):
    """A table of two components as it lies in memory, in both shapes, with a bracket a run.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    n_samples : int
        N, few enough to be counted.
    """
    shapes = {
        "shape (N, 2)": [(n, k) for n in range(n_samples) for k in range(2)],
        "shape (2, N)": [(n, k) for k in range(2) for n in range(n_samples)],
    }
    for row, (name, cells) in enumerate(shapes.items()):
        for place, (n, k) in enumerate(cells):
            ax.barh(row, 0.94, left=place, height=0.5, color=COLOURS[k])
            ax.text(place + 0.47, row, n, ha="center", va="center", color="white")
        length = (2, n_samples)[row]
        for start in range(0, len(cells), length):
            bracket = [start, start, start + length - 0.06, start + length - 0.06]
            ax.plot(bracket, row + np.array([0.31, 0.37, 0.37, 0.31]), color=INK, linewidth=1.2)
        runs = f"{name}\n{len(cells) // length} runs of {length}"
        ax.text(-0.3, row, runs, ha="right", va="center")
    for k in range(2):
        middle = n_samples * (k + 0.5)
        ax.text(middle, 0.62, f"component {k}", color=COLOURS[k], ha="center", va="center")
    ax.set_xlim(-4, 2 * n_samples)
    ax.set_ylim(1.45, -0.35)
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
    """One bar for each rung: its time for an iteration, and what it costs in lines of code.

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
        ax.barh(row, time, color=COLOURS[1 if row == 0 else 0], height=0.7)
        faster = "" if row == 0 else f", {slowest / time:.1f} times faster"
        text = f"{time:.1f} ms{faster}; {lines[name]} lines"
        inside = time > 0.6 * slowest
        ax.text(
            time - slowest / 100 if inside else time + slowest / 100, row, text, va="center",
            ha="right" if inside else "left", color="white" if inside else INK,
        )  # fmt: skip
    ax.set_yticks(range(len(times)), times)
    ax.set_ylim(len(times) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, colors=INK)
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("time for one iteration (ms)")


def draw_errors(ax, offsets, errors, *, std):
    """Largest error of the log joint against how far the data lie from zero, and Eq. (4).

    Parameters
    ----------
    ax : Axes
        Where to draw.
    offsets : sequence of float
        Added to the data, > 0.
    errors : dict of str to sequence of float
        In nats, by what the features are taken about; the last ones belong to `offsets`.
    std : float
        Of a bell, in the unit of the offsets.
    """
    eps = np.finfo(float).eps
    predicted = eps * (np.array(offsets) / std) ** 2
    ax.loglog(offsets, predicted, color=QUIET, linestyle="--", linewidth=1.2)
    place = len(offsets) // 2
    ax.annotate(
        "Eq. (4): eps (offset / std)\u00b2", (offsets[place], predicted[place]), (-8, 4),
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
    """Measured against predicted time of several problems, and a band of a factor of 2.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    pairs : dict of (int, int, int) to (float, float)
        Milliseconds for an iteration, predicted and measured, by N, D and K.
    """
    times = np.array(list(pairs.values()))
    diagonal = np.array([times.min() / 3, times.max() * 3])
    ax.fill_between(diagonal, diagonal / 2, diagonal * 2, color=PALE, label="a factor of 2")
    ax.loglog(diagonal, diagonal, color=QUIET, linewidth=1, label="as predicted")
    middle = np.sqrt(diagonal.prod())
    for case, (predicted, measured) in sorted(pairs.items(), key=lambda item: item[1]):
        ax.loglog(predicted, measured, "o", color=COLOURS[0], markersize=7)
        left = measured > middle  # beside the band, on the side that has room
        edge = measured / 2 if left else measured * 2
        ax.annotate(
            "N = {:,}, D = {}, K = {}".format(*case), (edge, measured), (-6 if left else 6, 0),
            textcoords="offset points", ha="right" if left else "left", va="center", fontsize=10,
        )  # fmt: skip
    ax.set_xlim(*diagonal)
    ax.set_ylim(*diagonal)
    ax.set_xlabel("predicted time for one iteration (ms)")
    ax.set_ylabel("measured (ms)")
    ax.legend(loc="upper left")


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


# Number, what it does, the modules it leaves behind; a title in brackets is not written yet.
STAIRS = (
    ("00", "start here", ""),
    ("01", "fit two bells with a plain loop", "mixture, loops"),
    ("02", "trade loops for arrays", "arrays"),
    ("03", "work in log space", "logspace"),
    ("04", "see why EM climbs", "bound"),
    ("05", "start well, stop well", "em, starts"),
    ("06", "go to many dimensions", "multivariate, fitting"),
    ("07", "(choose how many)", "selection"),
    ("08", "(mix other families)", "families"),
    ("09", "(measure slowness and beat it)", "acceleration"),
    ("10", "(fill in what is missing)", "missing"),
    ("11", "(add time)", "hmm"),
    ("12", "make it fast and big", "costs, fast, distributed"),
)
WALKS = (("two hours", 1, 4), ("two days", 1, 7), ("a semester", 0, 12))


def draw_staircase(ax):
    """The course: a staircase of chapters, a shelf of modules, and three lengths of walk.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    """
    for step, (number, title, modules) in enumerate(STAIRS):
        written = not title.startswith("(")
        colour = COLOURS[0] if written else PALE
        ax.add_patch(Rectangle((0, step), 4.5 + 0.25 * step, 0.92, color=colour, alpha=0.35))
        text = f"{number}  {title.strip('()')}"
        ax.text(0.15, step + 0.46, text, va="center", color=INK if written else QUIET)
        if modules:
            arrow = {"arrowstyle": "->", "color": QUIET, "linewidth": 0.8}
            ax.annotate("", (8.2, step + 0.46), (4.6 + 0.25 * step, step + 0.46), arrowprops=arrow)
            ax.text(8.3, step + 0.46, modules, va="center", family="monospace", fontsize=9)
    for column, (name, first, last) in enumerate(WALKS):
        x = 11.3 + 0.9 * column
        ax.plot([x, x], [first + 0.1, last + 0.85], color=COLOURS[2 + column], linewidth=4)
        ax.text(x + 0.15, first + 0.2, name, rotation=90, va="bottom", fontsize=10)
    ax.set_xlim(0, 14)
    ax.set_ylim(-0.1, len(STAIRS))
    ax.axis("off")
