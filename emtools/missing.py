"""Observations that are incomplete, censored or grouped, EM's first trade (chapter 12).

Three models, each a step for `emtools.em.iterate` and a door of its own. A multivariate normal from
rows with gaps: `fit`, and `fill_gaps` for what the gaps may hold. Lifetimes whose end was not seen:
`fit_censored` if they are exponential, `kaplan_meier` if nothing is assumed. A Gaussian mixture
from counts in bins: `fit_grouped`.

What the chapter teaches stands first and takes good input for granted; the doors follow. They are
right if what is missing is missing at random: whether a number is seen may depend on what else is
seen, but not on the number itself.
"""

from itertools import count
from typing import NamedTuple

import numpy as np

from emtools.checks import (
    check_enough,
    check_option,
    check_stopping,
    checked_array,
    checked_numbers,
    checked_rng,
    checked_vector,
    is_frame,
    is_whole,
    place,
)
from emtools.collapse import Collapse
from emtools.em import step_on, with_parameters
from emtools.families import in_order
from emtools.kinds import check_definite, checked_for, parameters_of
from emtools.mixture import Mixture
from emtools.multivariate import log_pdf
from emtools.search import best_of

DEFAULT_STARTS = 4  # of a normal, that rarely has two maxima
EPS = np.finfo(float).eps

# A normal in D dimensions, some entries missing


class Normal(NamedTuple):
    """One normal density in D dimensions."""

    mean: np.ndarray  # (D,), in the units of the data
    covariance: np.ndarray  # (D, D), symmetric positive definite


def by_pattern(X):
    """Rows with the same gaps, together: they share all matrices.

    Parameters
    ----------
    X : (N, D) array
        NaN where an entry is missing.

    Returns
    -------
    list of (n, D) arrays
        One for each pattern of gaps.
    """
    patterns, which = np.unique(np.isnan(X), axis=0, return_inverse=True)
    return [X[which.ravel() == pattern] for pattern in range(len(patterns))]


def fill_in(rows, normal):
    """What the gaps of some rows hold, given what is seen of them: mean and covariance.

    Parameters
    ----------
    rows : (n, D) array
        All with the same gaps (NaN); all or none may be missing.
    normal : Normal

    Returns
    -------
    filled : (n, D) array
        The rows, with conditional means in the gaps.
    leftover : (D, D) array
        The conditional covariance of the gaps, the same for each row; 0 where a column is seen.
    """
    gaps = np.isnan(rows[0])
    mean, covariance = normal
    across = covariance[np.ix_(~gaps, gaps)]
    slopes = np.linalg.solve(covariance[np.ix_(~gaps, ~gaps)], across)
    filled, leftover = rows.copy(), np.zeros_like(covariance)
    filled[:, gaps] = mean[gaps] + (rows[:, ~gaps] - mean[~gaps]) @ slopes
    leftover[np.ix_(gaps, gaps)] = covariance[np.ix_(gaps, gaps)] - across.T @ slopes
    return filled, leftover


def seen_log_density(rows, normal):
    """Log density of what is seen of each row, the gaps being integrated out.

    Parameters
    ----------
    rows : (n, D) array
        All with the same gaps (NaN).
    normal : Normal

    Returns
    -------
    (n,) array
        In nats; 0 where nothing is seen.
    """
    seen = ~np.isnan(rows[0])
    marginal = normal.covariance[np.ix_(seen, seen)]
    return log_pdf(rows[:, seen], normal.mean[None, seen], marginal[None])[:, 0]


def e_step(groups, normal):
    """Filled rows, the sum of what is left of their covariance, and the log-likelihood.

    Parameters
    ----------
    groups : list of (n, D) arrays
        Rows by their pattern of gaps.
    normal : Normal

    Returns
    -------
    moments : (N, D) array and (D, D) array
        The rows, group by group, with conditional means in the gaps; the conditional covariances of
        all rows, added up.
    log_likelihood : float
        Of what is seen, in nats.
    """
    parts = [fill_in(rows, normal) for rows in groups]
    filled = np.concatenate([rows for rows, _ in parts])
    leftover = sum(len(rows) * covariance for rows, covariance in parts)
    log_likelihood = sum(seen_log_density(rows, normal).sum() for rows in groups)
    return (filled, leftover), log_likelihood


def m_step(groups, moments):
    """Mean and covariance from expected sums: what was left of the covariance is added.

    Parameters
    ----------
    groups : anything
        Not used: the filled rows are in the moments.
    moments : (N, D) array and (D, D) array
        As `e_step` gives them.

    Returns
    -------
    Normal
    """
    filled, leftover = moments
    mean = filled.mean(axis=0)
    residuals = filled - mean
    scatter = residuals.T @ residuals + leftover
    return Normal(mean, (scatter + scatter.T) / (2 * len(filled)))  # symmetric to the last bit


# Lifetimes, some of which were not seen to end


class Lifetimes(NamedTuple):
    """How long things were seen to last; some lasted longer."""

    times: np.ndarray  # (N,), >= 0
    ended: np.ndarray  # (N,) of bool; False: still alive at that time (right-censored)


class Exponential(NamedTuple):
    """Lifetimes without memory: whatever the age, the rest takes `scale` on average."""

    scale: float  # the mean lifetime, > 0, in the unit of the times


def censored_e_step(lifetimes, exponential):
    """Expected lifetimes, and the log-likelihood.

    Parameters
    ----------
    lifetimes : Lifetimes
    exponential : Exponential

    Returns
    -------
    expected : (N,) array
        Each time that ended; the others with the mean rest added.
    log_likelihood : float
        A density for each end that was seen, a probability for each that was not; in nats.
    """
    times, ended = lifetimes
    expected = np.where(ended, times, times + exponential.scale)
    log_likelihood = -ended.sum() * np.log(exponential.scale) - times.sum() / exponential.scale
    return expected, log_likelihood


def censored_m_step(lifetimes, expected):
    """The mean of expected lifetimes, as an `Exponential`."""
    return Exponential(expected.mean())


class Survival(NamedTuple):
    """A distribution of lifetimes on the times at which something ended, and nothing else."""

    probabilities: np.ndarray  # (M,), one for each of `possible_ends`, together 1


def possible_ends(lifetimes):
    """The times at which something ended, and inf if something outlived them all.

    Parameters
    ----------
    lifetimes : Lifetimes
        At least one has ended.

    Returns
    -------
    (M,) array
        Ascending.
    """
    times, ended = lifetimes
    ends = np.unique(times[ended])
    outlived = (times[~ended] >= ends[-1]).any()
    return np.append(ends, np.inf) if outlived else ends


def survival_e_step(lifetimes, survival):
    """Which end each lifetime had: shared out in proportion among those still possible.

    Parameters
    ----------
    lifetimes : Lifetimes
    survival : Survival

    Returns
    -------
    resp : (N, M) array
        One-hot where the end was seen; each row sums to one.
    log_likelihood : float
        In nats.
    """
    times, ended = lifetimes.times[:, None], lifetimes.ended[:, None]
    ends = possible_ends(lifetimes)
    possible = np.where(ended, ends == times, ends > times)  # (N, M)
    joint = possible * survival.probabilities
    density = joint.sum(axis=1, keepdims=True)
    return joint / density, np.log(density).sum()


def survival_m_step(lifetimes, resp):
    """The share of each end, as a `Survival`."""
    return Survival(resp.mean(axis=0))


# A Gaussian mixture, of which counts in bins are seen


class Bins(NamedTuple):
    """How many observations fell between each two neighbours of some edges."""

    counts: np.ndarray  # (B,), whole numbers >= 0
    edges: np.ndarray  # (B + 1,), ascending; the outer ones may be infinite


NODES, SHARES = np.polynomial.legendre.leggauss(64)  # places in (-1, 1), and how much each counts


def places(edges, mixture):
    """Where in each bin an observation may lie: places, and the log of the mass that each holds.

    A bin is cut where the density has fallen to e^-40 of its highest value in the bin: what is
    beyond is lost in rounding, and an open bin gets an end. The masses are kept as logarithms, and
    no two numbers of nearly the same size are subtracted.

    Parameters
    ----------
    edges : (B + 1,) array
        Ascending; the outer ones may be infinite.
    mixture : Mixture
        K components.

    Returns
    -------
    x : (B, K, 64) array
        In the units of the edges.
    log_mass : (B, K, 64) array
        In nats; exp(log_mass), summed over the places, is the probability of the bin.
    """
    scaled = (edges[:, None] - mixture.means) / mixture.stds  # (B + 1, K)
    low, high = scaled[:-1], scaled[1:]
    reach = np.sqrt(np.clip(0, low, high) ** 2 + 80)
    low, high = np.maximum(low, -reach)[..., None], np.minimum(high, reach)[..., None]
    inside = (low + high) / 2 + (high - low) / 2 * NODES  # (B, K, 64)
    log_mass = np.log((high - low) / 2 * SHARES) - inside**2 / 2 - np.log(2 * np.pi) / 2
    return mixture.means[:, None] + mixture.stds[:, None] * inside, log_mass


def grouped_e_step(bins, mixture):
    """Responsibilities for each bin, and mean and variance of what each component has there.

    Parameters
    ----------
    bins : Bins
    mixture : Mixture
        K components.

    Returns
    -------
    (resp, means, variances) : three (B, K) arrays
        Each row of the first sums to one.
    log_likelihood : float
        Sum of count times log probability of the bin, in nats; the multinomial coefficient, which
        no parameter changes, is left out.
    """
    x, log_mass = places(bins.edges, mixture)
    log_bin = np.logaddexp.reduce(log_mass, axis=2)  # (B, K)
    shares = np.exp(log_mass - log_bin[..., None])
    means = (shares * x).sum(axis=2)
    variances = (shares * (x - means[..., None]) ** 2).sum(axis=2)
    joint = np.log(mixture.weights) + log_bin
    log_density = np.logaddexp.reduce(joint, axis=1)
    resp = np.exp(joint - log_density[:, None])
    return (resp, means, variances), bins.counts @ log_density


def grouped_m_step(bins, moments):
    """Weighted averages over the bins; a variance is that between bins and that within them.

    Parameters
    ----------
    bins : Bins
    moments : three (B, K) arrays
        As `grouped_e_step` gives them.

    Returns
    -------
    Mixture
    """
    resp, means, variances = moments
    shared = bins.counts[:, None] * resp  # (B, K)
    counts = shared.sum(axis=0)
    new_means = (shared * means).sum(axis=0) / counts
    squares = variances + (means - new_means) ** 2
    new_stds = np.sqrt((shared * squares).sum(axis=0) / counts)
    return Mixture(counts / bins.counts.sum(), new_means, new_stds)


# The doors. They check, choose where to begin, and say what has collapsed.


def fit(
    X,
    start=None,
    *,
    tol=1e-10,
    max_iter=100_000,
    n_starts=None,
    rng=None,
    accelerate=True,
    progress=False,
):
    """Fit a multivariate normal to rows with gaps, by EM.

    Parameters
    ----------
    X : (N, D) array, nested sequence of numbers, or frame
        NaN, None, NA or masked where an entry is missing, in any pattern; a row of which nothing is
        seen is allowed and says nothing. Never changed.
    start : Normal or Fit, optional
        Where to begin. Beware of correlations of exactly 0: some data never let go of them.
    tol : float
        As `emtools.fit` has it, and so for the other options.
    max_iter : int
        The most steps to take from each start.
    n_starts : int, optional
        How many starts to try if none is given: 4 unless you say otherwise. Each has the means and
        widths of the columns; the correlations are drawn.
    rng : int or numpy.random.Generator, optional
        Draws the starts.
    accelerate : bool
        Whether to take longer steps where they do not lower the log-likelihood.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Fit
        Its parameters are a `Normal`, its log-likelihood is that of what is seen.

    Raises
    ------
    ValueError
        If an argument is not as above, a column has no value or only one, or two columns are never
        seen together.
    Collapse
        If the covariance becomes flat, from every start.

    Warns
    -----
    NotConverged
        If the best run was stopped by `max_iter`.
    """
    check_stopping(tol, max_iter)
    rng = checked_rng(rng)
    n_starts = checked_n_starts(start, n_starts)
    X, names = checked_gaps(X)
    check_columns(X, names)
    centre = np.nanmean(X, axis=0)
    X = X[~np.isnan(X).all(axis=1)] - centre
    if start is None:
        starts = [drawn_normal(X, rng) for _ in range(n_starts)]
    else:
        begin = checked_normal(start, X.shape[1], "start")
        starts = [begin._replace(mean=begin.mean - centre)]
    step = with_width(step_on(by_pattern(X), e_step, m_step), names)
    found = best_of(step, starts, tol, max_iter, accelerate, progress)
    return with_parameters(found, lambda end: Normal(end.mean + centre, end.covariance))


def fill_gaps(X, normal):
    """What the gaps of a table may hold: conditional means, and how uncertain they are.

    Parameters
    ----------
    X : (N, D) array, nested sequence of numbers, or frame
        As `fit` takes it.
    normal : Normal or Fit
        Of D columns.

    Returns
    -------
    filled : (N, D) array
        X with conditional means in the gaps: good to look at, too regular to compute with. Their
        variance is smaller than that of what they stand for.
    stds : (N, D) array
        Conditional standard deviations, 0 where an entry is seen; the normal is taken as known.

    Raises
    ------
    ValueError
        If an argument is not as above.
    """
    X, _ = checked_gaps(X)
    mean, covariance = checked_normal(normal, X.shape[1], "normal")
    filled, stds = X - mean, np.zeros_like(X)  # about the mean, so that no digits are lost
    about = Normal(np.zeros_like(mean), covariance)
    patterns, which = np.unique(np.isnan(X), axis=0, return_inverse=True)
    for pattern in range(len(patterns)):
        rows = which.ravel() == pattern
        filled[rows], leftover = fill_in(filled[rows], about)
        stds[rows] = np.sqrt(np.maximum(np.diagonal(leftover), 0))  # rounding may leave less
    return np.where(np.isnan(X), filled + mean, X), stds


def fit_censored(
    times, ended, start=None, *, tol=1e-10, max_iter=100_000, accelerate=True, progress=False
):
    """Fit an exponential to lifetimes of which some were not seen to end, by EM.

    The answer has a closed form, the sum of all times over the number of ends; EM multiplies the
    distance from it by the share of the censored in each step.

    Parameters
    ----------
    times : (N,) array
        How long each was seen, >= 0.
    ended : (N,) array of bool
        Whether the end was seen (1 or True), or it lasted longer (0 or False: right-censored).
    start : Exponential, Fit or float, optional
        A mean lifetime to begin with; that of all times unless given.
    tol, max_iter, progress
        As `emtools.fit` has them.
    accelerate : bool
        Whether to take longer steps where they do not lower the log-likelihood.

    Returns
    -------
    Fit
        Its parameters are an `Exponential`.

    Raises
    ------
    ValueError
        If an argument is not as above, or no end was seen.

    Warns
    -----
    NotConverged
        If the run was stopped by `max_iter`.
    """
    check_stopping(tol, max_iter)
    lifetimes = checked_lifetimes(times, ended)
    begin = lifetimes.times.mean() if start is None else parameters_of(start)
    scale = checked_array(np.ravel(begin), "start", (1,))
    if len(scale) != 1 or scale[0] <= 0:
        raise ValueError(f"start must be one mean lifetime > 0; it is {start!r}")
    step = step_on(lifetimes, censored_e_step, censored_m_step)
    return best_of(step, [Exponential(scale[0])], tol, max_iter, accelerate, progress)


def kaplan_meier(times, ended):
    """The survival function of censored lifetimes, nothing being assumed of its form.

    This is the closed form (Kaplan and Meier, 1958). It is the fixed point of `survival_e_step` and
    `survival_m_step` (Efron, 1967), as the chapter shows.

    Parameters
    ----------
    times : (N,) array
        How long each was seen, >= 0.
    ended : (N,) array of bool
        Whether the end was seen; who is censored at a time is taken to have survived it.

    Returns
    -------
    ends : (M,) array
        The times at which something ended, ascending.
    surviving : (M,) array
        The probability of lasting longer than each.

    Raises
    ------
    ValueError
        If an argument is not as above, or no end was seen.
    """
    times, ended = checked_lifetimes(times, ended)
    ends, deaths = np.unique(times[ended], return_counts=True)
    at_risk = len(times) - np.searchsorted(np.sort(times), ends)
    return ends, np.cumprod(1 - deaths / at_risk)


def fit_grouped(
    counts,
    edges,
    start,
    *,
    tol=1e-10,
    max_iter=100_000,
    n_starts=None,
    rng=None,
    accelerate=True,
    progress=False,
):
    """Fit a Gaussian mixture to counts in bins, as `numpy.histogram` returns them, by EM.

    Parameters
    ----------
    counts : (B,) array
        How many observations fell into each bin: whole numbers >= 0.
    edges : (B + 1,) array
        Where the bins begin and end, ascending; ``-inf`` first or ``inf`` last for an open bin.
    start : int, Mixture or Fit
        How many components, or where to begin.
    tol : float
        As `emtools.fit` has it, and so for the other options.
    max_iter : int
        The most steps to take from each start.
    n_starts : int, optional
        How many starts to try if `start` is a number: 10 unless you say otherwise. The first has
        its means at quantiles, the others at places drawn from the bins. The components of the best
        are then sorted by their means.
    rng : int or numpy.random.Generator, optional
        Draws the starts.
    accelerate : bool
        Whether to take longer steps where they do not lower the log-likelihood.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Fit
        Its parameters are a `Mixture`. Its log-likelihood is that of the bins: not to be compared
        with one of the observations themselves.

    Raises
    ------
    ValueError
        If an argument is not as above.
    Collapse
        If a component vanishes, or shrinks within two bins, which say nothing of its width; from
        every start.

    Warns
    -----
    NotConverged
        If the best run was stopped by `max_iter`.
    Doubtful
        If most starts have collapsed.
    """
    check_stopping(tol, max_iter)
    rng = checked_rng(rng)
    n_starts = checked_n_starts(None if is_whole(start) else start, n_starts, default=10)
    bins, centre = checked_bins(counts, edges)
    if is_whole(start):
        check_enough(start, int(bins.counts.sum()))
        check_enough_bins(start, len(bins.counts))
        starts = drawn_mixtures(bins, start, n_starts, rng)
    else:
        begin = checked_for((len(bins.counts),), start)
        starts = [begin._replace(means=begin.means - centre)]
    step = with_observations(step_on(bins, grouped_e_step, grouped_m_step), bins)
    ordered = in_order if is_whole(start) else lambda mixture: mixture
    found = best_of(step, starts, tol, max_iter, accelerate, progress, ordered)
    if found.converged:  # on a plateau, perhaps, where it would widen in thousands of steps
        check_width(bins, found.parameters)
    return with_parameters(found, lambda end: end._replace(means=end.means + centre))


# What has no width


class NoWidth(Collapse):
    """A normal that has become flat; it has no components to name."""

    def __str__(self):
        starts = f"all {self.n_starts} starts collapsed; in the first, " * (self.n_starts > 1)
        when = "" if self.iteration is None else f"at iteration {self.iteration}, "
        return f"{starts}{when}{self.what}. {self.cure}"


def with_width(step, names):
    """The same step of a `Normal`; raises `NoWidth` before it divides by what is not there."""

    def checked(normal):
        widths = np.sqrt(np.diagonal(normal.covariance))
        if not (widths > 0).all():
            column = names[int(np.argmin(widths > 0))]
            raise NoWidth(0, f"column {column} has no width left", OF_A_NORMAL)
        values, vectors = np.linalg.eigh(normal.covariance / widths / widths[:, None])
        if values[0] < 64 * len(widths) * EPS:
            columns = [names[d] for d in np.flatnonzero(np.abs(vectors[:, 0]) > 0.1)]
            together = ", ".join(map(str, columns))
            what = f"the covariance has become flat: of columns {together}, one can be worked out"
            raise NoWidth(0, f"{what} from the rest", OF_A_NORMAL)
        return step(normal)

    return checked


OF_A_NORMAL = (
    "Too few rows show these columns together, or one repeats the others: leave one out, or add "
    "rows"
)


def with_observations(step, bins):
    """The same step of a `Mixture`; raises `Collapse` for a component that owns nothing or a point.

    The latter lies within two bins and gets no wider; left alone, it would shrink for thousands of
    steps. It is looked for now and then: one that is that narrow at the start may widen yet.
    """
    calls = count(1)

    def checked(mixture):
        if not (mixture.weights > 1e-12).all():
            k = int(np.argmin(mixture.weights))
            cure = "Ask for fewer components, or start elsewhere"
            raise Collapse(k, "has vanished: no observation is left to it", cure)
        with np.errstate(divide="ignore", invalid="ignore"):  # of one that has vanished
            new, log_likelihood = step(mixture)
            if next(calls) % 10 == 0:
                check_width(bins, mixture, new.stds <= (1 + 1e-9) * mixture.stds)
        return new, log_likelihood

    return checked


def check_width(bins, mixture, which=True):
    """Raise `Collapse` if one of these components, (K,), lies in two neighbouring bins, or one."""
    shares = np.exp(np.logaddexp.reduce(places(bins.edges, mixture)[1], axis=2))  # (B, K)
    pairs = shares[:-1] + shares[1:] if len(shares) > 1 else shares
    outside = bins.counts.sum() * mixture.weights * (1 - pairs.max(axis=0))
    lost = which & (outside < 0.01)  # not one observation in a hundred such data sets
    if lost.any():
        raise Collapse(
            int(np.argmax(lost)),
            "has collapsed: it lies within two bins, and two bins do not say how wide it is",
            "Ask for fewer components, or count in finer bins",
        )


# Where to begin


def drawn_normal(X, rng):
    """The columns' own means and variances, and correlations of a few points drawn at random."""
    n_features = X.shape[1]
    points = rng.standard_normal((4 * n_features, n_features))
    drawn = points.T @ points
    drawn /= np.sqrt(np.outer(np.diagonal(drawn), np.diagonal(drawn)))
    widths = np.nanstd(X, axis=0)
    return Normal(np.nanmean(X, axis=0), drawn * widths * widths[:, None])


def drawn_mixtures(bins, n_components, n_starts, rng):
    """Mixtures to begin with: means at quantiles, then drawn from the bins; widths of all."""
    low, high = closed(bins.edges)
    chance = bins.counts / bins.counts.sum()
    middles = (low + high) / 2
    spread = np.sqrt(chance @ ((middles - chance @ middles) ** 2 + (high - low) ** 2 / 12))
    below = np.cumsum(chance)
    levels = (np.arange(n_components) + 0.5) / n_components
    at = np.searchsorted(below, levels)  # the bin that holds each quantile
    within = (levels - (below[at] - chance[at])) / chance[at]
    means = [low[at] + within * (high - low)[at]]
    for _ in range(n_starts - 1 if n_components > 1 else 0):
        drawn = rng.choice(len(chance), size=n_components, p=chance)
        means.append(rng.uniform(low[drawn], high[drawn]))
    weights = np.full(n_components, 1 / n_components)
    stds = np.full(n_components, spread / n_components)
    return [Mixture(weights, start, stds) for start in means]


def check_enough_bins(n_components, n_bins):
    """Raise ValueError if the bins say less than a mixture has numbers."""
    if n_bins < 3 * n_components:
        raise ValueError(
            f"{n_bins} bins are too few for {n_components} components: they say {n_bins - 1} "
            f"things, and a mixture has {3 * n_components - 1} numbers. Ask for fewer components, "
            "or count in finer bins"
        )


def closed(edges):
    """Lower and upper ends of the bins, (B,) each; open ones as wide as their neighbours."""
    edges = edges.copy()
    finite = edges[np.isfinite(edges)]
    width = np.diff(finite)
    if np.isinf(edges[0]):
        edges[0] = finite[0] - (width[0] if len(width) else 1.0)
    if np.isinf(edges[-1]):
        edges[-1] = finite[-1] + (width[-1] if len(width) else 1.0)
    return edges[:-1], edges[1:]


# Checks


def checked_n_starts(start, n_starts, default=DEFAULT_STARTS):
    """Return how many starts to draw, or say why there is one only."""
    if n_starts is None:
        return default
    check_option("n_starts", n_starts)
    if start is not None and n_starts > 1:
        raise ValueError(f"n_starts is {n_starts}, but start is one start; leave one of them out")
    return n_starts


def checked_gaps(X):
    """Return a new (N, D) float64 array, NaN where an entry is missing, and the columns' names."""
    names = list(X.columns) if is_frame(X) else None
    if isinstance(X, np.ma.MaskedArray):
        X = X.astype(float).filled(np.nan)
    array = checked_numbers(X, "X", dimensions=(2,))
    infinite = np.isinf(array)
    if infinite.any():
        index = np.unravel_index(infinite.argmax(), array.shape)
        raise ValueError(
            f"X must be finite, or NaN where a value is missing; {place(X, 'X', index)} is "
            f"{array[index]}. If it stands for a missing value, make it NaN"
        )
    return array, range(array.shape[1]) if names is None else [repr(name) for name in names]


def check_columns(X, names):
    """Raise ValueError unless each column has a width, and each two are seen together."""
    seen = ~np.isnan(X)
    for d, name in enumerate(names):
        values = X[seen[:, d], d]
        if len(values) == 0:
            raise ValueError(f"column {name} of X has no value at all: leave it out")
        if values.min() == values.max():
            raise ValueError(
                f"column {name} of X is constant: all {len(values)} values seen are {values[0]}, "
                "so there is no width to estimate. Leave it out"
            )
        if not 1e-150 < values.max() / 2 - values.min() / 2 < 1e150:
            raise ValueError(
                f"column {name} of X holds numbers whose square float64 cannot; change its unit"
            )
    together = seen.T.astype(int) @ seen
    if (together == 0).any():
        one, other = np.argwhere(together == 0)[0]
        raise ValueError(
            f"columns {names[one]} and {names[other]} of X are never seen together, so nothing is "
            "known of their correlation; leave one of them out"
        )


def checked_normal(normal, n_features, name):
    """Return a `Normal` of new float64 arrays for so many columns, or say what is wrong with it."""
    normal = parameters_of(normal)
    if not isinstance(normal, (tuple, list)) or len(normal) != 2:
        raise ValueError(f"{name} must be a Normal(mean, covariance); it is {normal!r:.60}")
    mean = checked_array(normal[0], f"{name}.mean", (1,))
    covariance = checked_array(normal[1], f"{name}.covariance", (2,))
    if mean.shape != (n_features,) or covariance.shape != (n_features, n_features):
        raise ValueError(
            f"{name} must have a mean of shape ({n_features},) and a covariance of shape "
            f"({n_features}, {n_features}), as X has {n_features} columns; they have {mean.shape} "
            f"and {covariance.shape}"
        )
    check_definite(covariance, f"{name}.covariance")
    widths = np.sqrt(np.diagonal(covariance))
    if (np.abs(covariance - covariance.T) > 1e-6 * np.outer(widths, widths)).any():
        raise ValueError(f"{name}.covariance must be symmetric; it differs from its transpose")
    return Normal(mean, (covariance + covariance.T) / 2)


def checked_lifetimes(times, ended):
    """Return `Lifetimes` of new arrays, or say what is wrong with them."""
    times = checked_vector(times, "times")
    flags = checked_vector(ended, "ended")
    if len(flags) != len(times):
        raise ValueError(
            f"ended must have one entry for each time; it has {len(flags)}, times has {len(times)}"
        )
    if (times < 0).any():
        n = int(np.argmax(times < 0))
        raise ValueError(f"times must not be negative; times[{n}] is {times[n]}")
    if not np.isin(flags, (0, 1)).all():
        n = int(np.argmin(np.isin(flags, (0, 1))))
        raise ValueError(
            f"ended must be True where the end was seen, and False where not; [{n}] is {flags[n]}"
        )
    if not flags.any():
        raise ValueError(
            "ended must be True somewhere: if no end was seen, any lifetime may be longer still"
        )
    if not times[flags == 1].any():
        raise ValueError("times must not be 0 at every end that was seen")
    return Lifetimes(times, flags == 1)


def checked_bins(counts, edges):
    """Return `Bins` of new arrays about a centre, and the centre, or say what is wrong."""
    counts = checked_vector(counts, "counts")
    edges = checked_numbers(edges, "edges", dimensions=(1,))
    if len(edges) != len(counts) + 1:
        raise ValueError(
            f"edges must have one entry more than counts; it has {len(edges)}, counts has "
            f"{len(counts)}. numpy.histogram returns counts first"
        )
    check_edges(edges)
    bad = (counts < 0) | (counts != np.round(counts))
    if bad.any():
        b = int(np.argmax(bad))
        raise ValueError(f"counts must be whole numbers >= 0; counts[{b}] is {counts[b]}")
    if not counts.any():
        raise ValueError("counts must not be 0 everywhere")
    finite = edges[np.isfinite(edges)]
    centre = finite[len(finite) // 2]
    return Bins(counts, edges - centre), centre


def check_edges(edges):
    """Raise ValueError unless the edges ascend, and only the outer ones are infinite."""
    if np.isnan(edges).any() or np.isinf(edges[1:-1]).any() or not np.isfinite(edges).any():
        b = int(np.argmin(np.isfinite(edges)))
        raise ValueError(
            "edges must be numbers; the first may be -inf and the last inf, but not both of two: "
            f"[{b}] is {edges[b]}"
        )
    falling = np.diff(edges) <= 0
    if falling.any():
        b = int(np.argmax(falling))
        raise ValueError(
            f"edges must ascend, or bins overlap; edges[{b}] is {edges[b]} and edges[{b + 1}] is "
            f"{edges[b + 1]}. Sort the bins"
        )
    width = np.diff(edges[np.isfinite(edges)])
    if len(width) and not (width.min() > 1e-150 and width.max() < 1e150):
        raise ValueError("edges span numbers whose square float64 cannot hold; change their unit")
