"""What to say of a collapse: which observations the component owned, and the cure that fits.

No chapter teaches this; a reader with data of their own needs it more than any other message.
"""

from functools import partial, reduce
from typing import NamedTuple

import numpy as np

from emtools.collapse import FLAT, VANISHED, Collapse, find_flat
from emtools.kernel import unpacked
from emtools.predict import predict

CURE_OF_VANISHING = "Start elsewhere, or fit fewer components"
CURE_OF_FLAT_START = "The start itself has no width there: give it a larger one"
CURE_OF_FINE_DATA = (
    "These numbers differ by too little for float64 to tell a width: take their offset off, or set "
    "a larger min_std"
)
WITH_ONE_SHAPE = (
    "Start elsewhere or more often (n_starts), fit fewer components, or set min_std, the smallest "
    "standard deviation you would believe"
)
WITH_OWN_SHAPES = WITH_ONE_SHAPE.replace("or set", 'share one shape (covariance="tied"), or set')
OTHERWISE = dict.fromkeys(("full", "diag", "spherical"), WITH_OWN_SHAPES) | {"tied": WITH_ONE_SHAPE}


class Owned(NamedTuple):
    """What a component owns of the observations, or whichever are asked about."""

    n_samples: int
    place: str  # of the first of them, such as x[3]
    first: np.ndarray  # (D,), its value
    lowest: np.ndarray  # (D,), of them
    highest: np.ndarray
    rest_lowest: np.ndarray  # (D,), of all others
    rest_highest: np.ndarray


def owned_in(is_owned, name, X, rows):
    """What is owned in one chunk, given ``is_owned(X) -> (n,) bool``; rows (n,) are for `place`."""
    mine = is_owned(X)
    first = mine.argmax()
    ours, others = X[mine], X[~mine]
    return Owned(
        int(mine.sum()),
        f"{name}[{rows[first]}]",
        X[first],
        ours.min(axis=0, initial=np.inf),
        ours.max(axis=0, initial=-np.inf),
        others.min(axis=0, initial=np.inf),
        others.max(axis=0, initial=-np.inf),
    )


def together(one, other):
    """What is owned in two chunks, in order."""
    first = one if one.n_samples else other
    return Owned(
        one.n_samples + other.n_samples,
        first.place,
        first.first,
        np.minimum(one.lowest, other.lowest),
        np.maximum(one.highest, other.highest),
        np.minimum(one.rest_lowest, other.rest_lowest),
        np.maximum(one.rest_highest, other.rest_highest),
    )


def is_apart(owned):
    """Whether all that is owned lies off all others by more than three times their range."""
    room = 3 * (owned.rest_highest - owned.rest_lowest)  # -inf if there are no others
    gaps = np.maximum(owned.lowest - owned.rest_highest, owned.rest_lowest - owned.highest)
    return owned.n_samples > 0 and bool(((room > 0) & (gaps > room)).any())


def is_far_out(summary, X):
    """Which observations are so far out that they make the spread themselves, (n,) bool.

    One at distance d makes the spread at least d / sqrt(N). At 0.3 of that it makes 9 % of the
    variance, so up to eleven equal ones are found.
    """
    limit = 0.3 * np.sqrt(summary.n_samples) * summary.spread
    return (np.abs(X - summary.mean) > limit).any(axis=1)


def is_owned_by(mixture, component, X):
    """Which observations are likeliest to come from this component, (n,) bool."""
    return predict(X, mixture) == component


def diagnose(component, what, mixture, before, source, covariance, is_drawn):
    """The `Collapse` to raise: what the component owned before, and the cure that fits.

    Parameters
    ----------
    component, what
        What `find_collapse` found.
    mixture : MultivariateMixture
        That has collapsed; packed.
    before : MultivariateMixture or None
        One step before; None if it was the start.
    source : Table, or a source of `emtools.scale.chunks`
        The observations.
    covariance : str
        The structure.
    is_drawn : bool
        Whether the start was made from the data, and not given.

    Returns
    -------
    Collapse
    """
    if what == VANISHED:
        return Collapse(component, what, CURE_OF_VANISHING)
    if before is None and not is_drawn:
        return Collapse(component, what, CURE_OF_FLAT_START)
    repeating = columns_that_repeat(mixture) if what == FLAT else ()
    if before is None or len(repeating):  # nothing that the component did
        is_owned = partial(is_far_out, source.summary)
    else:
        is_owned = partial(is_owned_by, unpacked(before), component)
    owned = reduce(together, source.for_each_row(partial(owned_in, is_owned)))
    if len(repeating) and not is_apart(owned):
        return Collapse(component, what, cure_of_repetition(repeating, source))
    if before is None and not is_apart(owned):
        return Collapse(component, what, CURE_OF_FINE_DATA)
    if owned.n_samples == 0:
        return Collapse(component, what, OTHERWISE[covariance])
    where = f"means[{component}] owns {describe_owned(owned, source.centre)}"
    return Collapse(component, f"{what}. {where}", cure_of(owned, covariance))


def describe_owned(owned, centre):
    """What an error message says of what is owned."""
    value = short(owned.first + centre)
    if owned.n_samples == 1:
        return f"1 observation, {owned.place} = {value}"
    tied = ", all of this value" if is_tied(owned) else ""
    return f"{owned.n_samples} observations, the first is {owned.place} = {value}{tied}"


def short(values):
    """A number, or the first four of a row of them, for an error message."""
    numbers = [f"{value:.10g}" for value in np.ravel(values)[:4]]
    more = ", ..." if np.size(values) > 4 else ""
    return numbers[0] if np.size(values) == 1 else f"[{', '.join(numbers)}{more}]"


def is_tied(owned):
    """Whether all observations that are owned are equal, and there are several."""
    return owned.n_samples > 1 and bool((owned.lowest == owned.highest).all())


def cure_of(owned, covariance):
    """What to do about a component that owned these observations, one sentence or two."""
    n_features = len(owned.first)
    if is_apart(owned):
        return (
            "Nothing else is near: an outlier, or a code such as -999 for what is missing? Correct "
            "it, leave it out, or set min_std if it belongs there"
        )
    if is_tied(owned):
        return (
            "Equal values leave no width, and are common in counts, rounded numbers and sensors at "
            "their limit: set min_std (or a larger one), half the step of the rounding for "
            "instance, or leave them out and model them apart"
        )
    if 1 < owned.n_samples <= n_features:
        return f"So few span no volume in {n_features} columns. {OTHERWISE[covariance]}"
    return OTHERWISE[covariance]


def cure_of_repetition(columns, source):
    """What to do about columns that can be worked out from each other."""
    if source.columns is not None:
        columns = [repr(source.columns[d]) for d in columns]
    return (
        f"Columns {', '.join(map(str, columns))} of x say the same: each can be worked out from "
        'the others. Leave one of them out (covariance="diag" would fit, and not notice)'
    )


def columns_that_repeat(mixture):
    """The columns in which all components together have no width, ascending; none if they have.

    One step after any start, that is the covariance of the data.
    """
    weights, means, covariances = mixture
    residuals = means - weights @ means
    whole = np.tensordot(weights, covariances, 1) + (weights * residuals.T) @ residuals  # (D, D)
    variances = np.diagonal(whole)
    if find_flat(whole[None], variances[None], np.zeros(len(whole))) is None:
        return ()
    widths = np.sqrt(variances)
    flattest = np.linalg.eigh(whole / widths[:, None] / widths)[1][:, 0]
    return np.flatnonzero(np.abs(flattest) > 0.01 * np.abs(flattest).max())
