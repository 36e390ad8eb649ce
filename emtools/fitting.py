"""The one call for your own data, `fit`: checks, starts, EM step, stop (chapter 06).

Inside, observations are always (N, D), with D = 1 for plain numbers, and in units of their own:
a median taken off each column, then a power of two divided out. That changes no digit of what the
data say, and keeps every digit of the covariances.
"""

import math
from typing import NamedTuple

import numpy as np

from emtools import multivariate
from emtools.checks import (
    check_choice,
    check_enough,
    check_options,
    check_varied,
    checked_array,
    checked_n_starts,
    checked_sample_weight,
    is_whole,
)
from emtools.em import Collapse, Fit, best, iterate, restarts, shown
from emtools.kernel import step_on
from emtools.kinds import checked_for
from emtools.mixture import Mixture
from emtools.multivariate import STRUCTURES, MultivariateMixture
from emtools.starts import kmeans_plus_plus, quantiles

EPS = np.finfo(float).eps
DEFAULT_STARTS = 10
NO_WIDTH = "has collapsed: no width is left to it"


def fit(
    x,
    start,
    *,
    covariance="full",
    sample_weight=None,
    tol=1e-10,
    max_iter=100_000,
    n_starts=None,
    floor=0.0,
    rng=None,
    progress=False,
):
    """Fit a Gaussian mixture to your data by EM.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations, in any units; integers, lists and float32 are welcome. Never changed.
    start : Mixture, MultivariateMixture or int
        Where to begin (the order of the components is kept), or how many components.
    covariance : str
        "full" (each component its own shape), "tied" (one shape for all), "diag" (axes only) or
        "spherical" (one width each); a start is brought into this structure first. In one
        dimension only "tied" makes a difference.
    sample_weight : (N,) array, optional
        How often each observation counts, >= 0; a weight of 3 is the same as three copies.
    tol : float
        Stop when Aitken's estimate of what is left to gain is under it, in nats; 0 means exactly
        `max_iter` steps.
    max_iter : int
        The most steps to take from each start.
    n_starts : int, optional
        How many starts to try if `start` is a number: 10 unless you say otherwise (k-means++; in
        one dimension quantiles first). Those that collapse are dropped; the best of the rest wins.
    floor : float
        The smallest standard deviation allowed, in the units of x; narrower widths are raised to
        it. 0 allows any.
    rng : numpy.random.Generator, optional
        Draws the starts; without it they differ from call to call.
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
        If a component shrinks onto a point or vanishes, from every start.
    """
    check_choice(covariance, "covariance", STRUCTURES)
    check_options(floor, rng)
    data, units = own_data(x, sample_weight, covariance)
    starts = own_starts(start, n_starts, rng, data, units, np.shape(x))
    narrowest = own_floor(floor, units)
    n_samples = max(len(data.X), data.sample_weight.sum())
    limits = Limits(n_samples, 1e-10 * data.spread, units.centre / units.scale)
    step = guarded(step_on(data.X, data.sample_weight, covariance), limits, narrowest)

    def run(begin):
        begin = raised(STRUCTURES[covariance](begin), narrowest)
        return iterate(step, begin, tol=tol, max_iter=max_iter, progress=progress)

    fits, _ = restarts(run, shown(starts, progress and len(starts) > 1, "starts"))
    return in_data_units(best(fits), data, units, np.ndim(x))


def guarded(step, limits, narrowest):
    """A step that refuses a collapsed mixture and keeps new widths above the floor.

    Parameters
    ----------
    step : function
        ``step(mixture) -> new_mixture, log_likelihood``.
    limits : Limits
        What counts as collapsed, in the units of the step.
    narrowest : (D,) array or None
        The floor, in these units, if any.

    Returns
    -------
    function
        Of the same form; may raise `Collapse`.
    """

    def guarded_step(mixture):
        refuse_collapsed(mixture, limits)
        new_mixture, log_likelihood = step(mixture)
        return raised(new_mixture, narrowest), log_likelihood

    return guarded_step


def refuse_collapsed(mixture, limits):
    """Raise Collapse for a component that has vanished or has no width left in some direction.

    Parameters
    ----------
    mixture : MultivariateMixture
        In any units.
    limits : Limits
        In the same units.

    Raises
    ------
    Collapse
        If a soft count is under 1e-8 observations; if a width is under 1e-10 of the data's spread
        or 4 float spacings at the mean, per column; or if a covariance is singular to rounding.
    """
    weights, n_features = mixture.weights.tolist(), mixture.means.shape[1]
    if min(weights) * limits.n_samples < 1e-8:
        raise Collapse(int(np.argmin(weights)), "has vanished: no observation is left to it")
    if n_features == 1:
        refuse_narrow(mixture, limits)
        return
    spacing = np.spacing(np.abs(limits.offset + mixture.means))
    widths = np.maximum(limits.width, 4 * spacing)  # (K, D)
    variances = np.diagonal(mixture.covariances, axis1=1, axis2=2)  # (K, D)
    narrow = variances < widths**2
    if narrow.any():
        raise Collapse(int(np.argmax(narrow.any(axis=1))), NO_WIDTH)
    least = 64 * n_features * EPS  # what rounding leaves of a width that is not there, squared
    refuse_flat(mixture.covariances, np.sqrt(variances), least)
    if (variances * least < widths**2).any():  # otherwise the line above has seen to it
        refuse_flat(mixture.covariances, widths, 1)


def refuse_narrow(mixture, limits):
    """Raise Collapse for a component of one feature that has no width left.

    Number by number, because this is done in every step: calls of NumPy for a few numbers would be
    a tenth of a step on two thousand observations.
    """
    width, offset = limits.width.item(), limits.offset.item()
    means, variances = mixture.means.ravel().tolist(), mixture.covariances.ravel().tolist()
    for k, (mean, variance) in enumerate(zip(means, variances, strict=True)):
        if variance < max(width, 4 * math.ulp(offset + mean)) ** 2:
            raise Collapse(k, NO_WIDTH)


def refuse_flat(covariances, widths, least):
    """Raise Collapse for a covariance whose smallest eigenvalue, in units of `widths`, is too low.

    Parameters
    ----------
    covariances : (K, D, D) array
        With positive variances.
    widths : (K, D) array
        The unit of each column.
    least : float
        The smallest eigenvalue to accept.

    Raises
    ------
    Collapse
        For the flattest component if one is below it.
    """
    relative = covariances / widths[:, :, None] / widths[:, None, :]
    try:
        np.linalg.cholesky(relative - least * np.eye(relative.shape[1]))
    except np.linalg.LinAlgError:
        flattest = int(np.linalg.eigvalsh(relative)[:, 0].argmin())
        raise Collapse(flattest, "has collapsed: no width is left in one direction") from None


def raised(mixture, narrowest):
    """The mixture with every width under the floor raised to it.

    Among the covariances that respect the floor these maximise the bound, so EM still climbs.

    Parameters
    ----------
    mixture : MultivariateMixture
        In own units; spherical, diagonal and tied covariances stay so.
    narrowest : (D,) array or None
        The floor in own units, if any.

    Returns
    -------
    MultivariateMixture
    """
    if narrowest is None or not np.isfinite(mixture.covariances).all():
        return mixture
    relative = mixture.covariances / narrowest[:, None] / narrowest  # the floor is 1 in all columns
    try:
        np.linalg.cholesky(relative - np.eye(len(narrowest)))
        return mixture  # nothing is under the floor; this holds whatever the columns' scales
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(relative)  # (K, D), (K, D, D)
    missing = np.maximum(1 - values, 0)
    added = (vectors * missing[:, None, :]) @ vectors.transpose(0, 2, 1)
    return mixture._replace(covariances=(relative + added) * narrowest[:, None] * narrowest)


def own_floor(floor, units):
    """The floor in own units, (D,), its square in range; None for no floor."""
    return np.maximum(floor / units.scale, 1e-100) if floor > 0 else None


class Data(NamedTuple):
    """Observations of positive weight, in own units."""

    X: np.ndarray  # (N, D)
    sample_weight: np.ndarray  # (N,), > 0
    spread: np.ndarray  # (D,), standard deviation of each column


class Units(NamedTuple):
    """Own units: (x - centre) / scale, column by column."""

    centre: np.ndarray  # (D,), an observed value near the middle, in the units of x
    scale: np.ndarray  # (D,), powers of two, in the units of x


class Limits(NamedTuple):
    """What a component must keep, or it counts as collapsed; in the units of its parameters."""

    n_samples: float  # N, or the sum of weights if larger: a component needs 1e-8 of one
    width: np.ndarray  # (D,), 1e-10 of the spread of each column
    offset: np.ndarray  # (D,), to be added to means for the float spacing there


def own_data(x, sample_weight, covariance):
    """Check the observations and bring them into own units.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    sample_weight : (N,) array or None
        How often each counts.
    covariance : str
        "spherical" gives all columns one scale, because circles must stay circles.

    Returns
    -------
    data : Data
        Without the observations of weight zero.
    units : Units

    Raises
    ------
    ValueError
        If x or the weights are not what `fit` takes, or a column is constant.
    """
    X = checked_array(x, "x", dimensions=(1, 2))
    rows, sample_weight = X.reshape(len(X), -1), checked_sample_weight(sample_weight, len(X))
    if not sample_weight.all():
        rows, sample_weight = rows[sample_weight > 0], sample_weight[sample_weight > 0]
    lowest, highest = rows.min(axis=0), rows.max(axis=0)
    check_varied(lowest, highest, len(rows), X.ndim)
    centre = middle(rows)
    scale = np.exp2(np.floor(np.log2(np.maximum(highest - centre, centre - lowest))))
    if covariance == "spherical":
        scale = np.full_like(scale, scale.max())
    rows -= centre  # in place: x itself was copied when it was checked
    rows /= scale
    means = sample_weight @ rows / sample_weight.sum()
    spread = np.sqrt(sample_weight @ (rows - means) ** 2 / sample_weight.sum())
    return Data(rows, sample_weight, spread), Units(centre, scale)


def middle(rows):
    """An observed value near the middle of each column, (D,): a median, of many rows of some."""
    some = rows[:: max(1, len(rows) // 100_000)]
    return np.partition(some, len(some) // 2, axis=0)[len(some) // 2]


def own_starts(start, n_starts, rng, data, units, shape):
    """The mixtures to run from, in own units.

    Parameters
    ----------
    start, n_starts, rng
        As `fit` takes them.
    data : Data
    units : Units
    shape : tuple of int
        Of x, (N,) or (N, D).

    Returns
    -------
    list of MultivariateMixture
        One for a mixture, `n_starts` for a number.

    Raises
    ------
    ValueError
        If `start` is neither, does not fit the data, or `n_starts` is not a whole number > 0.
    """
    n_starts = checked_n_starts(start, n_starts)
    if not is_whole(start):
        if not isinstance(start, (tuple, list)):
            raise ValueError(f"start must be a mixture or a number of components; it is {start!r}")
        mixture = checked_for(shape, start)
        check_enough(len(mixture.weights), len(data.X))
        return [in_own_units(mixture, units)]
    check_enough(start, len(data.X))
    rng = np.random.default_rng(rng)
    means = [kmeans_plus_plus(data.X, start, rng) for _ in range(n_starts)]
    if len(shape) == 1:
        means[0] = quantiles(data.X[:, 0], start)[:, None]
    return [multivariate.mixture_at(data.X, m) for m in means]


def in_own_units(mixture, units):
    """A mixture in the units of x, of either kind, as a `MultivariateMixture` in own units."""
    centre, scale = units
    if isinstance(mixture, Mixture):
        weights, means, stds = mixture
        widths = stds[:, None] / scale  # (K, 1), squared only now: stds**2 may underflow
        return MultivariateMixture(weights, (means[:, None] - centre) / scale, widths[:, None] ** 2)
    covariances = mixture.covariances / scale[:, None] / scale
    return MultivariateMixture(mixture.weights, (mixture.means - centre) / scale, covariances)


def in_data_units(found, data, units, dimensions):
    """A fit in own units as the fit in the units of x, of the kind that belongs to x.

    Parameters
    ----------
    found : Fit
        Its parameters are a `MultivariateMixture` in own units.
    data : Data
    units : Units
    dimensions : int
        1 for x of shape (N,), 2 for (N, D).

    Returns
    -------
    Fit
        Densities are per unit of x, so each observation's log density changes by log(scale).
    """
    centre, scale = units
    weights, means, covariances = found.parameters
    means = centre + means * scale
    if dimensions == 1:
        mixture = Mixture(weights, means[:, 0], np.sqrt(covariances[:, 0, 0]) * scale)
    else:
        mixture = MultivariateMixture(weights, means, covariances * scale[:, None] * scale)
    history = found.history - data.sample_weight.sum() * np.log(scale).sum()
    return Fit(mixture, float(history[-1]), history, found.n_iter, found.converged)
