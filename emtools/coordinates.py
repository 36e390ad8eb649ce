"""Parameters as free real numbers, and how far apart two of them are (chapter 11).

A step that goes beyond EM's must not leave the space of the parameters: weights are positive and
sum to one, covariances are positive definite. In free coordinates any numbers will do: logarithms
of weights and widths, log odds of chances, Cholesky factors with logarithms on the diagonal. What
a field of parameters is, its name says; a family of one's own adds the name to `NATURES`.
"""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from typing import NamedTuple

import numpy as np

LEAST = 1e-300  # what is nearer to zero counts as this


class Nature(NamedTuple):
    """What kind of numbers a field holds."""

    free: Callable  # values -> free numbers, one row for each row of values
    values: Callable  # (free numbers, values of that shape) -> values
    information: Callable  # (values, fields) -> of one observation, of the free numbers; `scales`
    shape: Callable = tuple  # (shape of values) -> shape of free numbers


def logarithms(values):
    """Logarithms, finite at 0."""
    return np.log(np.maximum(values, LEAST))


def log_odds(chances):
    """Log odds of chances, finite at 0 and 1."""
    return logarithms(chances) - logarithms(1 - chances)


def shares_of(logs, _):
    """Numbers that sum to one along the last axis, in proportion to exp(logs)."""
    shares = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


@lru_cache
def triangle(n_features):
    """Rows and columns of the entries of a lower triangle, and whether each is on the diagonal."""
    rows, columns = np.tril_indices(n_features)
    return rows, columns, rows == columns


def squares_of(roots, like):
    """Shares in proportion to the squares of some numbers; a share of 0 stays 0, as in EM."""
    squares = np.where(like > 0, roots, 0.0) ** 2
    return squares / squares.sum(axis=-1, keepdims=True)


def factors_of(covariances):
    """The lower triangles of Cholesky factors, (..., D (D + 1) / 2), their diagonals as logs."""
    factors = np.linalg.cholesky(covariances)
    rows, columns, is_diagonal = triangle(covariances.shape[-1])
    numbers = factors[..., rows, columns]
    numbers[..., is_diagonal] = np.log(numbers[..., is_diagonal])
    return numbers


def covariances_of(numbers, like):
    """And back, (..., D, D)."""
    rows, columns, is_diagonal = triangle(like.shape[-1])
    numbers = np.where(is_diagonal, np.exp(numbers), numbers)
    factors = np.zeros(like.shape)
    factors[..., rows, columns] = numbers
    return factors @ factors.swapaxes(-1, -2)


def information_of_factors(covariances, _):
    """Of the logs 2; of what stands off the diagonal that of a slope, in units of its row."""
    rows, _, is_diagonal = triangle(covariances.shape[-1])
    variances = np.diagonal(covariances, axis1=-2, axis2=-1)[..., rows]
    return np.where(is_diagonal, 2.0, 1 / variances)


def information_of_means(means, fields):
    """One over the variance, where the fields tell it."""
    if "stds" in fields:
        stds = fields["stds"]
        return np.broadcast_to((1 / stds**2).reshape(-1, *[1] * (means.ndim - 1)), means.shape)
    name = next((name for name in ("covariances", "covariance") if name in fields), None)
    if name is None:
        return np.ones_like(means)
    covariances = fields[name]
    packed = covariances.shape == means.shape
    variances = covariances if packed else np.diagonal(covariances, axis1=-2, axis2=-1)
    return 1 / variances


def ones(values, _):
    """The information where it does not depend on the parameters."""
    return np.ones_like(values)


def exponentials(logs, like):
    """The values of logarithms; a value of 0 stays 0, as in EM."""
    return np.where(like > 0, np.exp(logs), 0.0)


REAL = Nature(np.asarray, lambda numbers, _: numbers, ones)
MEANS = REAL._replace(information=information_of_means)
SCALES = Nature(logarithms, exponentials, ones)
WIDTHS = SCALES._replace(information=lambda stds, _: np.full_like(stds, 2.0))
RATES = SCALES._replace(information=lambda rates, _: rates)
VARIANCES = Nature(
    lambda variances: logarithms(variances) / 2,
    lambda logs, _: np.exp(2 * logs),
    WIDTHS.information,
)
CHANCES = Nature(
    log_odds,
    lambda odds, _: np.exp(-np.logaddexp(0, -odds)),
    lambda chances, _: chances * (1 - chances),
)
SHARES = Nature(logarithms, shares_of, lambda shares, _: shares)
# Shares that often end at 0: that is a square root away, but has no logarithm, which goes on for
# ever and takes the leaps with it.
ROOTS = Nature(np.sqrt, squares_of, lambda shares, _: np.full_like(shares, 4.0))
SHAPES = Nature(
    factors_of,
    covariances_of,
    information_of_factors,
    lambda shape: (*shape[:-2], shape[-1] * (shape[-1] + 1) // 2),
)

NATURES = {  # of fields by their names; any other is REAL
    "weights": SHARES,
    "means": MEANS,
    "mean": MEANS,
    "coefficients": MEANS,
    "stds": WIDTHS,
    "covariances": SHAPES,
    "covariance": SHAPES,
    "scales": SCALES,
    "scale": SCALES,
    "rates": RATES,
    "chances": CHANCES,
    "start": ROOTS,
    "transitions": ROOTS,
    "tables": ROOTS,
    "probabilities": ROOTS,
}


def nature_of(name, values):
    """The nature of a field; of covariances that are held by their variances, another."""
    if name == "covariances" and values.ndim == 2:
        return VARIANCES
    return NATURES.get(name, REAL)


def with_neighbours(parameters, name="", beside=None) -> Iterator:
    """Each array that parameters consist of: its name, itself, and the fields beside it."""
    if not isinstance(parameters, tuple):
        yield name, np.asarray(parameters, float), beside or {}
        return
    names = getattr(parameters, "_fields", [""] * len(parameters))
    beside = dict(zip(names, parameters, strict=True))
    for name, part in zip(names, parameters, strict=True):
        yield from with_neighbours(part, name, beside)


def fields_of(parameters) -> Iterator:
    """Each array that parameters consist of, with the name of its field; nested ones in order."""
    for name, part, _ in with_neighbours(parameters):
        yield name, part


def free(parameters):
    """Parameters as free real numbers.

    Parameters
    ----------
    parameters : NamedTuple of arrays, tuple of them, array or number
        Tuples may be nested.

    Returns
    -------
    (P,) array
        Finite if the parameters are good ones; LinAlgError if a covariance is none.
    """
    parts = [nature_of(name, part).free(part).ravel() for name, part in fields_of(parameters)]
    return np.concatenate(parts)


def parameters_at(numbers, like):
    """The parameters at these free numbers.

    Parameters
    ----------
    numbers : (P,) array
        Any.
    like : as `free` takes them
        Tells fields and shapes.

    Returns
    -------
    The type of `like`
    """
    start = 0

    def filled(part, name):
        nonlocal start
        if isinstance(part, tuple):
            names = getattr(part, "_fields", [""] * len(part))
            parts = [filled(*pair) for pair in zip(part, names, strict=True)]
            return type(part)(*parts) if hasattr(part, "_fields") else tuple(parts)
        values = np.asarray(part, float)
        nature = nature_of(name, values)
        shape = nature.shape(values.shape)
        these = numbers[start : start + math.prod(shape)]
        start += len(these)
        return nature.values(these.reshape(shape), values)

    return filled(like, "")


def cache_last(function):
    """The same function of one argument, that knows its last answer if asked for it again."""
    last = None, None

    @wraps(function)
    def ask(argument):
        nonlocal last
        known, answer = last
        if argument is not known:
            answer = function(argument)
            last = argument, answer
        return answer

    return ask


@cache_last  # of values that never change: it is asked for twice at each point
def scales(parameters):
    """What makes displacements of all free numbers comparable.

    Times these, the squared length of a small displacement is about the information that one
    complete observation has of it, its label included; in these units the EM step is about the
    gradient of the log-likelihood. Correlations of the free numbers are left out.

    Parameters
    ----------
    parameters : as `free` takes them

    Returns
    -------
    (P,) array
    """
    fields = list(with_neighbours(parameters))
    weights = next((part for name, part, _ in fields if name == "weights"), None)
    parts = []
    for name, part, beside in fields:
        information = nature_of(name, part).information(part, beside)
        of_each = weights is not None and information.shape[:1] == weights.shape
        if of_each and name != "weights":
            information = (information.T * weights).T
        parts.append(information.ravel())
    return np.sqrt(np.maximum(np.concatenate(parts), LEAST))
