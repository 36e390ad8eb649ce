"""The one call for your own data, `fit`: checks, starts, EM step, stop (chapter 08).

`fit_source` is the one way through for data wherever they are: a summary of them, then starts, a
step that notices a collapse, and `emtools.em.climb`. What is in memory is a `Table`; lists, files
and clusters are in `emtools.scale.chunks`. Inside, observations are always (N, D), with D = 1 for
plain numbers, and mixtures are held as the kernel does (`emtools.kernel.packed`).
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from emtools.checks import (
    check_choice,
    check_enough,
    check_min_std,
    check_stopping,
    check_varied,
    checked_n_starts,
    checked_observations,
    checked_rng,
    checked_sample_weight,
    is_whole,
)
from emtools.collapse import best, find_collapse, limits_of, restarts, with_floor
from emtools.diagnosis import diagnose
from emtools.em import checked_step, climb, progress_bar, warn_unless_converged, with_progress
from emtools.kernel import (
    default_n_threads,
    in_threads,
    is_along_axes,
    make_step,
    packed,
    unpacked,
)
from emtools.kinds import checked_for, parameters_of
from emtools.mixture import Mixture
from emtools.multivariate import STRUCTURES, MultivariateMixture
from emtools.starts import kmeans_plus_plus, quantiles


def fit(
    x,
    start,
    *,
    covariance="full",
    sample_weight=None,
    tol=1e-10,
    max_iter=100_000,
    n_starts=None,
    min_std=0.0,
    rng=None,
    progress=False,
):
    """Fit a Gaussian mixture to your data by EM.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations, in any units; integers, lists, float32 and frames of numbers are welcome.
        Never changed.
    start : int, Mixture, MultivariateMixture or Fit
        How many components (elsewhere called n_components), or where to begin; then the order of
        the components is kept, and three sequences will do.
    covariance : str
        "full" (each component its own shape), "tied" (one shape for all), "diag" (axes only) or
        "spherical" (one width each); a start is brought into this structure first. In one
        dimension only "tied" makes a difference.
    sample_weight : (N,) array, optional
        How often each observation counts, >= 0; a weight of 3 is the same as three copies. A
        factor common to all changes no estimate; the log-likelihood is multiplied by it.
    tol : float
        Stop when Aitken's estimate of what is left to gain is under it, in nats (for weights of
        mean one); 0 means exactly `max_iter` steps.
    max_iter : int
        The most steps to take from each start.
    n_starts : int, optional
        How many starts to try if `start` is a number: 10 unless you say otherwise (k-means++; in
        one dimension quantiles first). Those that collapse are dropped; the best of the rest wins.
    min_std : float
        The smallest standard deviation allowed, in the units of x; narrower widths are raised to
        it. 0 allows any. (scikit-learn's `reg_covar` is another thing: a variance that is added.)
    rng : int or numpy.random.Generator, optional
        Draws the starts, an int as a seed; without it they differ from call to call.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Fit
        Its parameters are a `Mixture` for (N,) and a `MultivariateMixture` for (N, D).

    Raises
    ------
    ValueError
        If an argument is not as above; the message says what, where and what to do.
    Collapse
        If a component shrinks onto a point or vanishes, from every start; the message says what it
        owned and what to do.

    Warns
    -----
    NotConverged
        If the best run was stopped by `max_iter`.
    """
    table = Table(x, sample_weight)
    return fit_source(table, start, covariance, tol, max_iter, n_starts, min_std, rng, progress)


def fit_source(source, start, covariance, tol, max_iter, n_starts, min_std, rng, progress):
    """Fit a mixture to observations wherever they are.

    Parameters
    ----------
    source : Table, or a source of `emtools.scale.chunks`
        Says what its observations are like, goes through them, and takes sums over them.
    start, covariance, tol, max_iter, n_starts, min_std, rng, progress
        As `fit` takes them.

    Returns
    -------
    Fit
    """
    check_choice(covariance, "covariance", STRUCTURES)
    check_stopping(tol, max_iter)
    check_min_std(min_std)
    n_starts, rng = checked_n_starts(start, n_starts), checked_rng(rng)
    summary = source.summary
    begin = None if is_whole(start) else given(start, summary, source.centre)
    n_components = start if begin is None else len(begin.weights)
    check_summary(summary, n_components, source.centre, covariance, min_std)
    starts, is_drawn = [begin], begin is None
    if is_drawn:
        starts = source.starts(n_components, covariance, n_starts, min_std, rng)
    step = make_step(source.add_up, summary.mean, covariance)
    limits = limits_of(summary, source.centre)

    def run(begin):
        begin = with_floor(packed(begin, covariance), min_std)
        careful = guarded(step, source, limits, covariance, min_std, is_drawn)
        with progress_bar(progress, "EM") as bar:
            return climb(checked_step(careful, bar), begin, tol, max_iter)

    fits, _ = restarts(run, with_progress(starts, progress and len(starts) > 1, "starts"))
    found = best(fits)
    warn_unless_converged(found, tol, source.stacklevel)
    return as_given(found, source, summary.dimensions)


def guarded(step, source, limits, covariance, min_std, is_drawn):
    """The same step; refuses a collapsed mixture, and keeps new widths above the floor."""
    before = None

    def guarded_step(mixture):
        nonlocal before
        failure = find_collapse(mixture, limits)
        if failure:
            raise diagnose(*failure, mixture, before, source, covariance, is_drawn)
        new_mixture, log_likelihood = step(mixture)
        before = mixture
        return with_floor(new_mixture, min_std), log_likelihood

    return guarded_step


def check_summary(summary, n_components, centre, covariance, min_std):
    """Raise ValueError if these observations, or as few, have no such mixture."""
    extremes = summary.lowest + centre, summary.highest + centre
    check_varied(*extremes, summary.n_samples, summary.dimensions, covariance, min_std)
    check_enough(n_components, summary.n_samples, len(summary.mean), covariance, min_std)


def given(start, summary, centre):
    """A reader's mixture of either kind for these observations, (N, D) and about their centre."""
    n_features = len(summary.mean)
    start = parameters_of(start)
    if not isinstance(start, (tuple, list)):
        raise ValueError(
            f"start must be a whole number of components, or a mixture; it is {start!r}"
        )
    mixture = checked_for((summary.n_samples, n_features)[: summary.dimensions], start)
    if type(mixture) not in (Mixture, MultivariateMixture):
        raise ValueError(
            f"fit is for normal densities; a {type(mixture).__name__} is fitted by a step of its "
            "own: emtools.em.iterate(step, start)"
        )
    if summary.dimensions == 1:
        weights, means, stds = mixture
        mixture = MultivariateMixture(weights, means[:, None], stds[:, None] ** 2)  # packed
    return mixture._replace(means=mixture.means - centre)


def as_given(found, source, dimensions):
    """A fit of a packed mixture as one for x: about zero, of its kind, for weights as they came."""
    mixture = found.parameters._replace(means=found.parameters.means + source.centre)
    history = found.history * source.unit
    mixture = as_kind_of_x(mixture, dimensions)
    return found._replace(parameters=mixture, log_likelihood=float(history[-1]), history=history)


def as_kind_of_x(mixture, dimensions):
    """A packed mixture as a `Mixture` for one dimension, else as a `MultivariateMixture`."""
    weights, means, covariances = unpacked(mixture)
    if dimensions == 1:
        return Mixture(weights, means[:, 0], np.sqrt(covariances[:, 0, 0]))
    return MultivariateMixture(weights, means, covariances)


class Summary(NamedTuple):
    """What one look at some observations tells; each of `merged`."""

    name: str  # of the first chunk
    dtype: np.dtype
    dimensions: int  # 1 for (N,), 2 for (N, D)
    n_samples: int
    total: float  # the sum of the sample weights
    lightest: float  # the smallest of them
    mean: np.ndarray  # (D,)
    squares: np.ndarray  # (D,), weighted sums of squared deviations from the mean
    lowest: np.ndarray  # (D,)
    highest: np.ndarray  # (D,)
    columns: tuple = ()  # the names of a frame

    @property
    def spread(self):
        """The standard deviation of each column, (D,)."""
        return np.sqrt(self.squares / self.total)


def summarise(name, X, sample_weight=None):
    """The summary of (n,) or (n, D) observations that have been checked."""
    rows = X.reshape(len(X), -1)
    counts = (len(rows), 1) if sample_weight is None else (sample_weight.sum(), sample_weight.min())
    mean = np.average(rows, axis=0, weights=sample_weight)
    squares = rows - mean
    np.multiply(squares, squares, out=squares)
    squares = squares.sum(axis=0) if sample_weight is None else sample_weight @ squares
    extremes = rows.min(axis=0), rows.max(axis=0)
    return Summary(name, X.dtype, X.ndim, len(rows), *counts, mean, squares, *extremes)


class Table:
    """Observations in memory, about a centre of their own: one chunk for those who take sums.

    The centre, an observed value near the middle, is taken off here and put back at the end:
    without it the means of numbers near 1e9 would be rounded in each step.
    """

    stacklevel = 4  # of a warning, so that it shows the line of the reader's that called

    def __init__(self, x, sample_weight):
        name = "x.iloc" if hasattr(x, "iloc") else "x"  # what to type to see a row
        columns = getattr(x, "columns", None)
        x = checked_observations(x)
        sample_weight = checked_sample_weight(sample_weight, len(x))
        self.dimensions, self.rows = x.ndim, None
        self.name, self.columns = name, columns
        if not sample_weight.all():
            self.rows = np.flatnonzero(sample_weight)  # the others are absent
            x, sample_weight = x[self.rows], sample_weight[self.rows]
        self.unit = sample_weight.mean()
        varied = (sample_weight != self.unit).any()
        self.sample_weight = sample_weight / self.unit if varied else None
        X = x.reshape(len(x), -1)
        self.centre = middle(X)
        with np.errstate(over="ignore"):  # check_varied will say so
            X -= self.centre  # in place: x was copied when it was checked
        self.X = np.asfortranarray(X)  # the values of one feature lie side by side
        self.on_chunk = in_threads(default_n_threads(X.size))

    @cached_property
    def summary(self):
        """What one look at the observations tells."""
        with np.errstate(all="ignore"):  # check_varied will say so
            seen = summarise("x", self.X, self.sample_weight)
        return seen._replace(dimensions=self.dimensions)

    def for_each_row(self, function):
        """What ``function(name, X, rows)`` gives for each chunk; rows (n,) are their indices."""
        rows = np.arange(len(self.X)) if self.rows is None else self.rows
        return [function(self.name, self.X, rows)]

    def add_up(self, chunk_sums):
        """The sums over all observations, as `emtools.kernel.make_step` asks for them."""
        return self.on_chunk(chunk_sums, self.X, self.sample_weight)

    def starts(self, n_components, covariance, n_starts, _, rng):
        """Mixtures to run from: k-means++ with each column in units of its spread."""
        spread = np.where(self.summary.spread > 0, self.summary.spread, 1)
        X, scaled = self.X, self.X / spread
        n_starts = n_starts if n_components > 1 else 1  # from anywhere it ends in the same place
        if self.sample_weight is not None:  # each once, and as often as it counts, to rounding
            often = np.cumsum(self.sample_weight).searchsorted(np.arange(len(X)) + 0.5)
            X, scaled = X[often], np.concatenate([scaled, scaled[often]])
        means = [kmeans_plus_plus(scaled, n_components, rng) * spread for _ in range(n_starts)]
        if self.dimensions == 1:
            spread_out = quantiles(X[:, 0], n_components)[:, None]
            if len(np.unique(spread_out)) == n_components:  # equal ones would stay equal
                means[0] = spread_out
        weights = np.full(n_components, 1 / n_components)
        shapes = np.stack([self.shape(covariance)] * n_components)
        return [MultivariateMixture(weights, m, shapes) for m in means]

    def shape(self, covariance):
        """The covariance of all observations, (D, D); its diagonal (D,) if that will do."""
        summary, weight = self.summary, self.sample_weight
        if is_along_axes(covariance, len(summary.mean)):
            return summary.squares / summary.total
        residuals = self.X - summary.mean
        weighted = residuals if weight is None else residuals * weight[:, None]
        return weighted.T @ residuals / summary.total


def middle(rows):
    """An observed value near the middle of each column, (D,): the median of some of the rows."""
    some = rows[:: max(1, len(rows) // 100)]
    return np.partition(some, len(some) // 2, axis=0)[len(some) // 2].copy()  # not a view of all
