"""How far an estimate may be off: standard errors in three ways (chapter 11).

What the observations tell of a parameter is what they would tell with their labels, minus what the
missing labels take away: `by_louis` computes both, `by_jacobian` reads the second off the EM map,
`bootstrap` draws new observations and fits again. The first two differentiate by small differences
in the free coordinates of `emtools.coordinates`, and give a covariance matrix of the parameters
themselves, by their names. They take for granted that a maximum has been found.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from emtools.coordinates import (
    CHANCES,
    SHARES,
    fields_of,
    free,
    nature_of,
    parameters_at,
    scales,
)
from emtools.kinds import parameters_of

STEP = 1e-3  # of small differences, in units of what one complete observation tells
EDGE = 1e-12  # weights and chances nearer than this to 0 or 1 have no standard error
LEFT = 0.01  # nats to gain, at most, where standard errors are asked for
FLAT = 1e-6  # share of the complete information that must be left in every direction


class Uncertainty(NamedTuple):
    """What is known about the errors of an estimate."""

    names: tuple  # (Q,) of str: "means[0]" and so on, in the order of the parameters' fields
    covariance: np.ndarray  # (Q, Q), of the errors of these numbers
    errors: Any  # their standard errors, in the form of the parameters
    rates: np.ndarray | None = None  # (R,), descending: of EM, the missing share of information
    n_collapsed: int = 0  # samples of the bootstrap that collapsed


def derivatives(function, numbers, units):
    """First derivatives by small differences, five points each.

    Parameters
    ----------
    function : function
        Of a (P,) array, to an array.
    numbers : (P,) array
        Where.
    units : (P,) array
        One over the size of a displacement.

    Returns
    -------
    (P, ...) array
    """

    def along(direction):
        near, far = (
            function(numbers + h * direction) - function(numbers - h * direction)
            for h in (STEP, 2 * STEP)
        )
        return (8 * near - far) / (12 * STEP)

    slopes = np.array([along(direction) for direction in np.diag(1 / units)])
    return (slopes.T * units).T


def map_jacobian(step, parameters):
    """How a small displacement of the parameters comes out of an EM step.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood``.
    parameters : any that `emtools.coordinates` knows
        Where an EM step leads back to; P free numbers.

    Returns
    -------
    (P, P) array
        Of the free numbers: row i is what becomes of number i, column j what comes of number j.
    """

    def mapped(numbers):
        return free(step(parameters_at(numbers, parameters))[0])

    return derivatives(mapped, free(parameters), scales(parameters)).T


def resp_of(log_joint, parameters):
    """The (n, K) responsibilities at these parameters."""
    table = log_joint(parameters)
    return np.exp(table - np.logaddexp.reduce(table, axis=1, keepdims=True))


def scores(log_joint, parameters, possible):
    """Derivatives of each log joint in each free number, (P, n, K); 0 for impossible labels."""

    def table(numbers):
        return np.where(possible, log_joint(parameters_at(numbers, parameters)), 0)

    return derivatives(table, free(parameters), scales(parameters))


def complete_information(log_joint, parameters, sample_weight=None):
    """What the observations would tell of the free numbers if their labels were known.

    Parameters
    ----------
    log_joint : function
        ``log_joint(parameters) -> (n, K) array``, of each observation and each label, in nats;
        -inf where a label is impossible.
    parameters : any that `emtools.coordinates` knows
        A maximum.
    sample_weight : (n,) array, optional
        How often each observation counts.

    Returns
    -------
    (P, P) array
        The second derivatives of the expected log joint, with the sign turned.

    Raises
    ------
    ValueError
        If these parameters are no maximum, when each of their free numbers may move by itself.
    """
    resp = resp_of(log_joint, parameters)
    weighted = resp if sample_weight is None else resp * np.asarray(sample_weight)[:, None]

    def slope(numbers):
        slopes = scores(log_joint, parameters_at(numbers, parameters), resp > 0)
        return (slopes * weighted).sum(axis=(1, 2))

    numbers, units = free(parameters), scales(parameters)
    information = -derivatives(slope, numbers, units)
    information = (information + information.T) / 2
    check_top(slope(numbers) / units, information / np.outer(units, units))
    return information


def check_top(slope, information):
    """Raise ValueError if Newton's step would gain more than `LEFT` nats from here."""
    left = slope @ np.linalg.lstsq(information, slope, rcond=1e-9)[0] / 2
    if not left < LEFT:
        raise ValueError(
            f"no standard errors here: these parameters are no maximum, about {left:.2g} nats are "
            "left to gain. Go on with EM; for covariances that are tied, diagonal or spherical, "
            "whose numbers are not free to move one by one, there is `bootstrap`"
        )


def missing_information(log_joint, parameters, sample_weight=None):
    """What is lost because the labels are not known: the variance of the score over the labels.

    Parameters
    ----------
    log_joint, parameters, sample_weight
        As `complete_information` takes them.

    Returns
    -------
    (P, P) array
        Louis (1982).
    """
    resp = resp_of(log_joint, parameters)
    slopes = scores(log_joint, parameters, resp > 0)
    apart = slopes - (resp * slopes).sum(axis=2, keepdims=True)  # from what is expected
    weighted = resp if sample_weight is None else resp * np.asarray(sample_weight)[:, None]
    return np.einsum("ink,jnk,nk->ij", apart, apart, weighted)


def by_louis(log_joint, parameters, sample_weight=None):
    """Standard errors from what the complete data would tell, minus what is missing of it.

    Parameters
    ----------
    log_joint, parameters, sample_weight
        As `complete_information` takes them; of a `Fit` its parameters are taken.

    Returns
    -------
    Uncertainty

    Raises
    ------
    ValueError
        If a parameter is at the edge of its space, or the log-likelihood is flat in some
        direction, or rises.
    """
    parameters = parameters_of(parameters)
    check_inside(parameters)
    complete = complete_information(log_joint, parameters, sample_weight)
    missing = missing_information(log_joint, parameters, sample_weight)
    return uncertainty(complete, complete - missing, parameters)


def by_jacobian(step, parameters, complete):
    """Standard errors from what the complete data would tell, and the slope of the EM map.

    The supplemented EM of Meng and Rubin (1991), with the derivatives of the map taken by small
    differences, as Jamshidian and Jennrich (2000) advise.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood``.
    parameters : any that `emtools.coordinates` knows, or a Fit
        A maximum.
    complete : (P, P) array
        The complete information of the free numbers: `complete_information`, or by hand.

    Returns
    -------
    Uncertainty

    Raises
    ------
    ValueError
        As `by_louis` does.
    """
    parameters = parameters_of(parameters)
    check_inside(parameters)
    complete = np.atleast_2d(np.asarray(complete, float))
    jacobian = map_jacobian(step, parameters)
    observed = complete @ (np.eye(len(jacobian)) - jacobian)
    return uncertainty(complete, (observed + observed.T) / 2, parameters)


def uncertainty(complete, observed, parameters):
    """Two informations of the free numbers as an `Uncertainty` of the parameters themselves.

    Parameters
    ----------
    complete, observed : (P, P) arrays
    parameters : any that `emtools.coordinates` knows

    Returns
    -------
    Uncertainty

    Raises
    ------
    ValueError
        If the observed information is not positive in every direction.
    """
    units = scales(parameters)

    def values_at(numbers):
        return values_of(parameters_at(numbers, parameters))

    slopes = derivatives(values_at, free(parameters), units).T  # (Q, P)
    basis = moving_directions(slopes / units) / units  # (R, P)
    complete, observed = (basis @ information @ basis.T for information in (complete, observed))
    left = np.linalg.eigvals(np.linalg.solve(complete, observed)).real  # of the information
    if left.min() < FLAT:
        raise ValueError(
            "no standard errors here: in some direction the log-likelihood is flat or rises, so "
            "this is no maximum, or there are too many components for these data. Go on with EM, "
            "or fit fewer"
        )
    moves = slopes @ basis.T
    covariance = moves @ np.linalg.solve(observed, moves.T)
    return described(parameters, (covariance + covariance.T) / 2, np.sort(1 - left)[::-1])


def moving_directions(slopes):
    """An orthonormal basis of the directions that change the parameters, (R, P).

    K weights have K free numbers, of which one too many.
    """
    sizes = np.sqrt((slopes**2).sum(axis=1, keepdims=True))
    sized = slopes / np.where(sizes > 0, sizes, 1)
    _, strengths, directions = np.linalg.svd(sized, full_matrices=False)
    return directions[strengths > 1e-6 * strengths[0]]


def described(parameters, covariance, rates=None, n_collapsed=0):
    """An `Uncertainty` with names and standard errors."""
    errors = like(parameters, np.sqrt(np.maximum(np.diag(covariance), 0)))
    return Uncertainty(names_of(parameters), covariance, errors, rates, n_collapsed)


def values_of(parameters):
    """All numbers of the parameters in a row, (Q,)."""
    return np.concatenate([values.ravel() for _, values in fields_of(parameters)])


def names_of(parameters):
    """What to call each of them: "means[1]", or "parameter" for a bare number."""
    names = []
    for field, values in fields_of(parameters):
        for index in product(*map(range, values.shape)):
            place = f"[{', '.join(map(str, index))}]" if index else ""
            names.append((field or "parameter") + place)
    return tuple(names)


def like(parameters, values):
    """Numbers in a row, in the form of these parameters."""
    numbers = iter(values)

    def filled(part):
        if isinstance(part, tuple):
            parts = [filled(one) for one in part]
            return type(part)(*parts) if hasattr(part, "_fields") else tuple(parts)
        shape = np.shape(part)
        return np.array([next(numbers) for _ in range(int(np.prod(shape)))]).reshape(shape)[()]

    return filled(parameters)


def check_inside(parameters):
    """Raise ValueError if a weight or chance is at the edge of where it may be."""
    for field, values in fields_of(parameters):
        nature = nature_of(field, values)
        edge = np.zeros(values.shape, bool)
        if nature is CHANCES or (nature is SHARES and values.shape[-1] > 1):
            edge = (values < EDGE) | (values > 1 - EDGE)
        if edge.any():
            place = ", ".join(map(str, np.argwhere(edge)[0]))
            raise ValueError(
                f"no standard errors here: {field}[{place}] is {values[edge][0]:.3g}, at the edge "
                "of where it may be, and its error is no longer like a bell. Try `bootstrap`"
            )


def bootstrap(x, refit, parameters, rng, n_samples=200):
    """Standard errors by drawing new observations from the old ones and fitting again.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    refit : function
        ``refit(sample) -> parameters or Fit``; ValueError, as Collapse is one, if it collapses.
        To begin at `parameters` keeps it on their hill.
    parameters : NamedTuple of arrays, each with one entry a component; or a Fit
        The estimate.
    rng : numpy.random.Generator
    n_samples : int
        At least 2.

    Returns
    -------
    Uncertainty
        From the samples that did not collapse; their components are matched with those of
        `parameters`, since a fit may name them in another order.

    Raises
    ------
    ValueError
        If fewer than two samples are left, or `n_samples` is less than two.
    """
    parameters = parameters_of(parameters)
    if n_samples < 2:
        raise ValueError(f"n_samples must be at least 2; it is {n_samples}")
    found, n_collapsed = [], 0
    for _ in range(n_samples):
        sample = x[rng.integers(len(x), size=len(x))]
        try:
            found.append(values_of(matched(parameters_of(refit(sample)), parameters)))
        except ValueError:  # a collapse
            n_collapsed += 1
    if len(found) < 2:
        raise ValueError(f"{n_collapsed} of {n_samples} samples collapsed; try fewer components")
    covariance = np.atleast_2d(np.cov(np.array(found), rowvar=False))
    return described(parameters, covariance, n_collapsed=n_collapsed)


def matched(mixture, reference):
    """The same mixture with its components in the order of another one.

    Of all orders the one with the smallest distance: the sum of squares of the differences of the
    free numbers, in units of what a complete observation tells.

    Parameters
    ----------
    mixture, reference : NamedTuples of arrays, each with one entry a component
        Anything else is returned as it is.

    Returns
    -------
    type of `mixture`
    """
    if not hasattr(mixture, "_fields") or not hasattr(mixture, "weights"):
        return mixture
    places, numbers, units = range(len(reference.weights)), free(reference), scales(reference)
    owners = components_of_numbers(reference)
    costs = []  # of each component in each place
    for k in places:
        everywhere = type(mixture)(*(part[[k for _ in places]] for part in mixture))
        apart = (free(everywhere) - numbers) * units
        costs.append(np.bincount(owners, apart**2))
    order = cheapest(np.transpose(costs))
    return type(mixture)(*(part[order] for part in mixture))


def components_of_numbers(mixture):
    """To which component each free number belongs, (P,)."""
    sizes = [nature_of(field, part).free(part)[0].size for field, part in fields_of(mixture)]
    places = np.arange(len(mixture.weights))
    return np.concatenate([np.repeat(places, size) for size in sizes])


def cheapest(costs):
    """One column for each row, each once, with the smallest sum, as a list of columns."""
    best = {0: (0.0, [])}  # from the set of columns taken, as bits
    for row in costs:
        grown = {}
        for taken, (cost, columns) in best.items():
            for column in (c for c in range(len(row)) if not taken >> c & 1):
                total = cost + row[column], [*columns, column]
                key = taken | 1 << column
                grown[key] = min(grown.get(key, total), total)
        best = grown
    return best[(1 << len(costs)) - 1][1]
