"""The one call for your own data, `fit`: checks, starts, EM step, stop (chapter 08).

`fit_source` is the one way through for data wherever they are: a summary of them, then starts, a
step that notices a collapse, and `emtools.search`. What is in memory is a `Table`; lists, files
and clusters are in `emtools.scale.chunks`. Inside, observations are always (N, D), with D = 1 for
plain numbers, and mixtures are held as the kernel does (`emtools.kernel.packed`).
"""

from functools import cached_property, partial
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
from emtools.collapse import (
    find_collapse,
    limits_of,
    suspicion,
    with_floor,
    with_twins_apart,
)
from emtools.diagnosis import diagnose
from emtools.em import progress_bar, warn_if_doubtful, warn_unless_converged
from emtools.kernel import (
    default_n_threads,
    in_threads,
    is_along_axes,
    make_step,
    packed,
    restricted,
    side_by_side,
    unpacked,
)
from emtools.kinds import by_mean, checked_for, parameters_of
from emtools.mixture import Mixture
from emtools.multivariate import STRUCTURES, MultivariateMixture
from emtools.search import Group, Model, search
from emtools.starts import kmeans_plus_plus, quantiles

FEW = 10_000  # numbers in X up to which many short runs are taken at once


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
    accelerate=True,
    progress=False,
):
    """Fit a Gaussian mixture to your data by EM.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations, in any units; integers, lists, float32 and frames of numbers are welcome.
        Never changed.
    start : int, Mixture, MultivariateMixture or Fit
        How many components (elsewhere called n_components); they come sorted by their means. Or
        where to begin; then their order is kept, and three sequences will do.
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
        How many starts to try if `start` is a number: 20 unless you say otherwise, two in five as
        wide as all the data (in one dimension the first from quantiles), the others tight. All run
        ten steps; the promising ones are followed until three agree on the best end or none is
        left. Those that collapse are dropped, and an end that is suspicious does not win over one
        that is not.
    min_std : float
        The smallest standard deviation allowed, in the units of x; narrower widths are raised to
        it. 0 allows any. (scikit-learn's `reg_covar` is another thing: a variance that is added.)
    rng : int or numpy.random.Generator, optional
        Draws the starts, an int as a seed; without it they differ from call to call.
    accelerate : bool
        Whether to take longer steps than EM's where they do not lower the log-likelihood: the same
        ends in a fraction of the steps. (With 0 for `tol` every step is EM's.)
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Fit
        Its parameters are a `Mixture` for (N,) and a `MultivariateMixture` for (N, D); its `ends`
        are all that was found, the highest first.

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
    Doubtful
        If most starts collapsed, or every end that was found is suspicious.
    """
    table = Table(x, sample_weight)
    options = tol, max_iter, n_starts, min_std, rng, accelerate, progress
    return fit_source(table, start, covariance, *options)


def fit_source(
    source, start, covariance, tol, max_iter, n_starts, min_std, rng, accelerate, progress
):
    """Fit a mixture to observations wherever they are.

    Parameters
    ----------
    source : Table, or a source of `emtools.scale.chunks`
        Says what its observations are like, goes through them, and takes sums over them.
    start, covariance, tol, max_iter, n_starts, min_std, rng, accelerate, progress
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
    if begin is None:
        groups = source.starts(n_components, covariance, n_starts, min_std, rng)
    else:
        groups = [Group([begin], 1, 1)]
    with progress_bar(progress, "EM") as bar:
        model = model_of(source, covariance, min_std, is_drawn=begin is None)
        found = search(model, groups, tol, max_iter, accelerate, bar)
    warn_unless_converged(found, tol, source.stacklevel)
    if begin is None:
        warn_if_doubtful(found, source.stacklevel)
    del groups, model  # before the covariances are written out
    return as_given(found, source, summary.dimensions, covariance, min_std)


def model_of(source, covariance, min_std, is_drawn):
    """A mixture of this structure for these observations, as a search asks for it."""
    summary = source.summary
    step = make_step(source.add_up, summary.mean, covariance)
    limits = limits_of(summary, source.centre)
    return Model(
        make_step=partial(guarded, step, source, limits, covariance, min_std, is_drawn),
        prepared=lambda mixture: with_floor(packed(mixture, covariance), min_std),
        ordered=in_order if is_drawn else lambda mixture: mixture,
        suspicion=lambda mixture: suspicion(mixture, step, summary.total, covariance),
        apart=with_twins_apart,
        short_runs=source.short_runs(covariance, min_std, limits),
    )


def guarded(step, source, limits, covariance, min_std, is_drawn):
    """The same step; refuses a collapsed mixture, and keeps all widths above the floor.

    A leap may end below it: what is stepped on then is the mixture with its widths raised.
    """
    before = None

    def guarded_step(mixture):
        nonlocal before
        failure = find_collapse(mixture, limits)
        if failure:
            raise diagnose(*failure, mixture, before, source, covariance, is_drawn)
        mixture = with_floor(mixture, min_std)
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
            f"fit is for normal densities; a {type(mixture).__name__} is fitted by "
            "emtools.families.fit, or by a step of its own: emtools.em.iterate(step, start)"
        )
    if summary.dimensions == 1:
        weights, means, stds = mixture
        mixture = MultivariateMixture(weights, means[:, None], stds[:, None] ** 2)  # packed
    return mixture._replace(means=mixture.means - centre)


def in_order(mixture):
    """A packed mixture with its components sorted by their means."""
    order = by_mean(mixture)
    return MultivariateMixture(*(part[order] for part in mixture))


def as_given(found, source, dimensions, covariance, min_std):
    """A fit of a packed mixture as one for x: about zero, of its kind, for weights as they came."""

    def as_kind(mixture):  # leaps keep structure and floor to rounding
        mixture = with_floor(restricted(mixture, covariance), min_std)
        return as_kind_of_x(mixture._replace(means=mixture.means + source.centre), dimensions)

    history = found.history * source.unit
    parameters = as_kind(found.parameters)
    ends = []
    for end in found.ends:
        is_best = end.parameters is found.parameters
        mixture = parameters if is_best else as_kind(end.parameters)
        height = float(end.log_likelihood * source.unit)
        ends.append(end._replace(parameters=mixture, log_likelihood=height))
    return found._replace(
        parameters=parameters,
        log_likelihood=float(history[-1]),
        history=history,
        ends=tuple(ends),
    )


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
        """Groups of mixtures to run from: k-means++ with each column in units of its spread.

        Some are as wide as all the data, and see everything; some are as narrow as K components
        side by side, and find groups that lie apart.
        """
        spread = np.where(self.summary.spread > 0, self.summary.spread, 1)
        scaled = self.X / spread
        if self.sample_weight is not None:  # each once, and as often as it counts, to rounding
            often = np.cumsum(self.sample_weight).searchsorted(np.arange(len(scaled)) + 0.5)
            scaled = np.concatenate([scaled, scaled[often]])
        if n_components == 1:  # from anywhere it ends in the same place
            return [Group([self.wide(scaled[:1] * spread, covariance)], 1, 1)]
        n_wide = max(1, round(0.4 * n_starts))
        n_tries = 2 + int(np.log(n_components))
        wide = [kmeans_plus_plus(scaled, n_components, rng) for _ in range(n_wide)]
        tight = [
            kmeans_plus_plus(scaled, n_components, rng, n_tries) for _ in range(n_starts - n_wide)
        ]
        if self.dimensions == 1:
            spread_out = quantiles(scaled[-len(self.X) :, 0], n_components)[:, None]
            if are_different(spread_out):
                wide[0] = spread_out
        return [
            Group([self.wide(means * spread, covariance) for means in wide], 5, 3),
            Group([self.tight(means * spread, covariance) for means in tight], 4, 0),
        ]

    def short_runs(self, covariance, min_std, limits):
        """Short runs of many mixtures at once, as `Model` has them; None for many observations."""
        if self.X.size > FEW:
            return None
        steps = side_by_side(
            self.X,
            self.sample_weight,
            self.summary.mean,
            is_along_axes(covariance, self.X.shape[1]),
        )

        def short_runs(starts, n_steps):
            mixtures, histories = laid_end_to_end(starts), []
            for _ in range(n_steps):
                stepped = steps(mixtures, len(starts))
                if stepped is None or find_collapse(mixtures, limits):
                    return None
                parts = [
                    restricted(mixture, covariance) for mixture in cut(stepped[0], len(starts))
                ]
                mixtures = with_floor(laid_end_to_end(parts), min_std)
                histories.append(stepped[1])
            histories = np.transpose(histories).tolist()
            return [*zip(cut(mixtures, len(starts)), histories, strict=True)]

        return short_runs

    def wide(self, means, covariance):
        """A mixture with these means, equal weights, and the covariance of all the data."""
        n_components, summary = len(means), self.summary
        if is_along_axes(covariance, len(summary.mean)):
            shape = summary.squares / summary.total
        else:
            shape = self.shape(self.X - summary.mean, covariance)
        weights = np.full(n_components, 1 / n_components)
        return MultivariateMixture(weights, means, np.stack([shape] * n_components))

    def tight(self, means, covariance):
        """What `emtools.starts.mixture_about` gives, in any dimension and with sample weights."""
        spread = np.where(self.summary.spread > 0, self.summary.spread, 1)
        X, centres = self.X / spread, means / spread
        squares = [((X - centre) ** 2).sum(axis=1) for centre in centres]
        nearest = np.argmin(squares, axis=0)
        counts = np.bincount(nearest, self.sample_weight, minlength=len(means))
        shape = self.shape(self.X - means[nearest], covariance)
        return MultivariateMixture(counts / counts.sum(), means, np.stack([shape] * len(means)))

    def shape(self, residuals, covariance):
        """The weighted mean of squares of (N, D) residuals, (D, D); or (D,) if that will do."""
        weighted = residuals
        if self.sample_weight is not None:
            weighted = residuals * self.sample_weight[:, None]
        if is_along_axes(covariance, residuals.shape[1]):
            return np.einsum("nd,nd->d", weighted, residuals) / self.summary.total
        return weighted.T @ residuals / self.summary.total


def laid_end_to_end(mixtures):
    """The components of several packed mixtures as if they were of one."""
    return MultivariateMixture(*map(np.concatenate, zip(*mixtures, strict=True)))


def cut(mixtures, n_mixtures):
    """And back."""
    parts = (part.reshape(n_mixtures, -1, *part.shape[1:]) for part in mixtures)
    return [MultivariateMixture(*mixture) for mixture in zip(*parts, strict=True)]


def are_different(means):
    """Whether no two of K means are equal."""
    return len(np.unique(means, axis=0)) == len(means)


def middle(rows):
    """An observed value near the middle of each column, (D,): the median of some of the rows."""
    some = rows[:: max(1, len(rows) // 100)]
    return np.partition(some, len(some) // 2, axis=0)[len(some) // 2].copy()  # not a view of all
