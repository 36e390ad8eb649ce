"""After a fit, for every kind of mixture: densities, responsibilities, labels, draws, order.

Each function takes a mixture, or the `Fit` that found it. Observations are gone through in pieces,
so that a million rows need little more memory than their result. What the chapters teach about
these quantities takes good input for granted; here it is checked.
"""

import numpy as np

from emtools.checks import checked_observations, checked_rng, is_whole
from emtools.kinds import checked_for, kind_of, known_kind, parameters_of

PIECE = 2**17  # numbers in a table of residuals, (K, rows, D): 1 MB, found by measuring


def log_density(x, mixture):
    """Log density of a mixture at each observation, log p(x_n).

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    mixture : Mixture, MultivariateMixture or Fit
        K components, in one dimension for (N,), in D for (N, D).

    Returns
    -------
    (N,) array
        In nats; its sum is the log-likelihood of the mixture. -inf where float64 cannot hold the
        distance from every component.

    Raises
    ------
    ValueError
        If x or the mixture is not good, or they disagree.
    """
    x, mixture = checked_together(x, mixture)
    densities = np.empty(len(x))
    for rows in row_slices(x, mixture):
        densities[rows] = np.logaddexp.reduce(log_joint(x[rows], mixture), axis=1)
    return densities


def responsibilities(x, mixture):
    """Probability that each observation came from each component, given its value.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    mixture : Mixture, MultivariateMixture or Fit
        K components, in one dimension for (N,), in D for (N, D).

    Returns
    -------
    (N, K) array
        gamma_nk; each row sums to one, however far out.

    Raises
    ------
    ValueError
        If x or the mixture is not good, they disagree, or an observation is so far from every
        component that float64 cannot hold the distance.
    """
    x, mixture = checked_together(x, mixture)
    resp = np.empty((len(x), len(mixture.weights)))
    for rows in row_slices(x, mixture):
        np.exp(log_odds(x[rows], mixture), out=resp[rows])
        resp[rows] /= resp[rows].sum(axis=1, keepdims=True)
    refuse_lost(np.isnan(resp[:, 0]))
    return resp


def predict(x, mixture):
    """The most probable component of each observation; of equals, the first.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    mixture : Mixture, MultivariateMixture or Fit
        K components, in one dimension for (N,), in D for (N, D).

    Returns
    -------
    (N,) array of int
        Labels, from 0 to K - 1.

    Raises
    ------
    ValueError
        As `responsibilities` does.
    """
    x, mixture = checked_together(x, mixture)
    labels, lost = np.empty(len(x), dtype=int), np.empty(len(x), dtype=bool)
    for rows in row_slices(x, mixture):
        odds = log_odds(x[rows], mixture)
        labels[rows], lost[rows] = odds.argmax(axis=1), np.isnan(odds[:, 0])
    refuse_lost(lost)
    return labels


def sample(mixture, n_samples, rng):
    """Draw observations: for each, toss for a component, then draw from it.

    Parameters
    ----------
    mixture : Mixture, MultivariateMixture or Fit
        K components.
    n_samples : int
        How many observations, N >= 0.
    rng : numpy.random.Generator or int
        Where the randomness comes from, for example ``np.random.default_rng(1)``; an int is a seed.

    Returns
    -------
    x : (N,) or (N, D) array
        The observations, in the units of the means.
    labels : (N,) array of int
        The component each was drawn from, z_n: what nobody writes down in real data.

    Raises
    ------
    ValueError
        If the mixture is not one, `n_samples` is not a whole number >= 0, or `rng` cannot draw.
    """
    kind = kind_of(mixture)
    mixture = kind.checked(parameters_of(mixture))
    if not is_whole(n_samples) or n_samples < 0:
        raise ValueError(f"n_samples must be a whole number >= 0; it is {n_samples!r}")
    rng = checked_rng(rng, required=True)
    labels = rng.choice(len(mixture.weights), size=n_samples, p=mixture.weights)
    labels = labels.astype(int)  # drawn in 64 bits even where NumPy counts with 32
    return kind.draw(mixture, labels, rng), labels


def sorted_by_mean(mixture):
    """Put the components in the order of their means, so that two fits can be compared.

    Parameters
    ----------
    mixture : Mixture, MultivariateMixture or Fit
        K components in any order.

    Returns
    -------
    Mixture or MultivariateMixture
        The same mixture; in D dimensions by the means of the first feature, ties by the next.
        Components of equal mean keep their order.

    Raises
    ------
    ValueError
        If the mixture is not one.
    """
    kind = kind_of(mixture)
    mixture = kind.checked(parameters_of(mixture))
    order = kind.order(mixture)
    return kind.type(*(part[order] for part in mixture))


def checked_together(x, mixture):
    """Return observations and a mixture for them as float64 arrays, or say what is wrong."""
    if known_kind(parameters_of(x)):
        raise ValueError(
            f"x must be observations; it is a {type(x).__name__}. Observations come first, as in "
            "predict(x, found)"
        )
    x = checked_rows(x)
    return x, checked_for(x.shape, mixture)


def checked_rows(x):
    """Return x as (N,) or (N, D) float64; without a copy if it is that, since nothing writes to it.

    Parameters
    ----------
    x : array or nested sequence of numbers
        Observations.

    Returns
    -------
    array of float64
        x itself if it is a good array of float64, a copy otherwise.

    Raises
    ------
    ValueError
        As `checked_observations` does.
    """
    is_float64 = isinstance(x, np.ndarray) and x.dtype == np.float64
    if is_float64 and not np.ma.isMaskedArray(x) and x.ndim in (1, 2) and x.size:
        x = np.asarray(x)
        if np.isfinite(x).all():
            return x
    return checked_observations(x, one_row=True)


def row_slices(x, mixture):
    """Slices of rows that keep the tables of a piece small.

    A piece of D features has 2 D rows at least, because every piece factors the covariances anew.
    """
    n_features = x[0].size
    n_rows = max(2 * n_features, PIECE // (n_features * len(mixture.weights)))
    return (slice(begin, begin + n_rows) for begin in range(0, len(x), n_rows))


def log_joint(x, mixture):
    """The (N, K) log joint of good input: -inf for a weight of 0 and a distance beyond float64."""
    with np.errstate(all="ignore"):
        joint = kind_of(mixture).log_joint(x, mixture)
    return np.fmax(joint, -np.inf)  # NaN comes of inf - inf, from such a distance


def log_odds(x, mixture):
    """The log joint without what all components of a row share, (N, K); NaN if all are -inf.

    The weights are added last: far out, the log joint is so large that they would be lost in its
    rounding.
    """
    odds = log_joint(x, mixture._replace(weights=np.ones_like(mixture.weights)))
    odds[:, mixture.weights == 0] = -np.inf  # before the largest is looked for
    with np.errstate(divide="ignore", invalid="ignore"):
        odds -= odds.max(axis=1, keepdims=True)
        odds += np.log(mixture.weights)
    return odds


def refuse_lost(lost):
    """Raise ValueError if an observation is beyond the reach of every component."""
    if lost.any():
        raise ValueError(
            f"{lost.sum()} of {len(lost)} observations are more than 1e154 widths from every "
            f"component, the first is x[{np.argmax(lost)}]; no label can be given to them"
        )
