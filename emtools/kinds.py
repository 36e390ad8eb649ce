"""What differs between kinds of mixtures, in one place; each is known by the names of its fields.

The rest of the package asks `kind_of(mixture)` and looks at no type. A new kind is one `Kind` and
one call of `register`: `log_density`, `responsibilities`, `predict`, `sample`, `sorted_by_mean`,
`report` and `repr` then know it. (`fit` is for the two Gaussian kinds; those of `emtools.families`
have a fit of their own, any other is fitted by `emtools.em.iterate` with a step of its own.) A
chapter's own NamedTuple with the same fields is as good as the one of the package. No chapter
teaches this: it is checks, printing and looking up.

In this order: looking up; checks that all kinds share; printing; the two Gaussian kinds.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from emtools import mixture as univariate
from emtools import multivariate
from emtools.checks import checked_array
from emtools.mixture import Mixture
from emtools.multivariate import MultivariateMixture

SMALLEST = np.sqrt(np.finfo(float).tiny)  # 1.5e-154: squares of smaller numbers lose digits
LARGEST = np.sqrt(np.finfo(float).max)  # 1.3e154: squares of larger ones overflow
ASYMMETRY = 1e-6  # of the widths: float32 explains 1e-7, a mistake is more
MOST_ROWS, MOST_FEATURES = 20, 4  # what a table shows at most


class Kind(NamedTuple):
    """What the package asks of a kind of mixture."""

    type: type  # a NamedTuple of arrays, each with one entry a component, `weights` among them
    checked: Callable  # (parts) -> the type with new float64 arrays, or ValueError: checked_parts
    log_joint: Callable  # (x, mixture) -> (N, K), in nats; weights of one come, too; x is finite,
    # and what else a kind asks of it, whole numbers for instance, is checked here
    draw: Callable  # (mixture, labels, rng) -> x, one observation for each label
    order: Callable  # (mixture) -> (K,) indices that sort the components
    table: Callable  # (mixture) -> heads, rows: the numbers to print, one row a component
    n_features: Callable  # (mixture) -> D, or None for observations of shape (N,)


KINDS = {}  # from the names of the fields to the Kind


def register(kind):
    """Make a kind known everywhere, and let its values print as a table.

    Parameters
    ----------
    kind : Kind
        Takes the place of a kind with the same names of fields.
    """
    KINDS[kind.type._fields] = kind
    kind.type.__repr__ = as_text  # here, so that the class stays as bare as its chapter has it


def kind_of(mixture):
    """The kind of a mixture, or of the parameters of a fit.

    Parameters
    ----------
    mixture : NamedTuple or Fit
        Any with the fields of a registered kind.

    Returns
    -------
    Kind

    Raises
    ------
    ValueError
        If it is neither.
    """
    kind = known_kind(parameters_of(mixture))
    if kind is None:
        known = " or ".join(f"a {signature(kind.type)}" for kind in KINDS.values())
        raise ValueError(f"mixture must be {known}; it is {describe(mixture)}")
    return kind


def known_kind(value):
    """The kind with the fields of this value, or None."""
    return KINDS.get(tuple(getattr(value, "_fields", ())))


def parameters_of(value):
    """The parameters of a fit; anything else as it is."""
    return getattr(value, "parameters", value)


def checked_for(shape, mixture):
    """Check that this is a good mixture for observations of this shape.

    Parameters
    ----------
    shape : tuple of int
        Of the observations, (N,) or (N, D).
    mixture : NamedTuple, Fit, or three sequences
        Three bare sequences are a `Mixture` for (N,) and a `MultivariateMixture` for (N, D).

    Returns
    -------
    NamedTuple
        The type of the kind, with new float64 arrays.

    Raises
    ------
    ValueError
        If it is not a good mixture, is for the other kind of observations, or has another number
        of features.
    """
    mixture = parameters_of(mixture)
    if type(mixture) in (tuple, list) and len(mixture) == 3:
        mixture = (Mixture if len(shape) == 1 else MultivariateMixture)(*mixture)
    kind = kind_of(mixture)
    mixture = kind.checked(mixture)
    check_fits(shape, kind.type.__name__, kind.n_features(mixture))
    return mixture


def check_fits(shape, name, n_features):
    """Raise ValueError unless a mixture of D (or None) features is for observations of this shape.

    The numbers are right more often than their shape, so the message says how to turn them.
    """
    wanted = () if n_features is None else (n_features,)
    if shape[1:] == wanted:
        return
    is_for = ", ".join(["N", *map(str, wanted)]) + "," * (n_features is None)
    raise ValueError(
        f"x has shape {shape}, but this {name} is for observations of shape ({is_for})"
        + way_to_turn(shape, n_features)
    )


def way_to_turn(shape, n_features):
    """What to give instead of observations of this shape, if that can be guessed."""
    if n_features is None:
        if shape[1] == 1:
            return ": give x[:, 0]"
        return ": give x[0]" if shape[0] == 1 else ": give one column, such as x[:, 0]"
    if len(shape) == 1:
        alone = "; one observation is a table of one row: x[None]" * (shape[0] == n_features)
        return ": give x[:, None]" if n_features == 1 else alone
    return ": is it x.T you mean?" if shape[0] == n_features else ""


# Checks that all kinds share


def checked_parts(parts, kind_type, dimensions):
    """Return the parts of a mixture as new float64 arrays, or say what is wrong with them.

    Parameters
    ----------
    parts : sequence
        In the order of the fields.
    kind_type : type
        The NamedTuple they should make.
    dimensions : sequence of int
        How many dimensions each must have.

    Returns
    -------
    list of array
        All of the same length K, the weights >= 0 and divided by their sum.

    Raises
    ------
    ValueError
        If there are not as many parts, one is not numeric, not finite or of other dimensions, the
        lengths disagree, a weight is negative, or the weights do not sum to one (within 1e-6).
    """
    names = [f"mixture.{name}" for name in kind_type._fields]
    if not isinstance(parts, (tuple, list)) or len(parts) != len(names):
        raise ValueError(f"mixture must be a {signature(kind_type)}; it is {describe(parts)}")
    arrays = [
        checked_array(part, name, dimensions=(dimension,))
        for part, name, dimension in zip(parts, names, dimensions, strict=True)
    ]
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"{listed(names)} must have one entry for each component; they have {listed(lengths)}"
        )
    place = kind_type._fields.index("weights")
    arrays[place] = checked_weights(arrays[place])
    return arrays


def checked_weights(weights):
    """Return (K,) weights that sum to one to rounding; ValueError if negative or off by 1e-6."""
    if (weights < 0).any():
        k = int(np.argmax(weights < 0))
        raise ValueError(f"mixture.weights must not be negative; weights[{k}] is {weights[k]}")
    if not abs(weights.sum() - 1) <= 1e-6:  # float32 weights are welcome
        raise ValueError(
            f"mixture.weights must sum to one; they sum to {weights.sum():.10g}. "
            "Divide them by their sum"
        )
    return weights / weights.sum()


def check_square(values, name, smallest=0.0):
    """Raise ValueError if float64 cannot hold the square of each value, or one is too small."""
    bad = (np.abs(values) > LARGEST) | (np.abs(values) < smallest)
    if bad.any():
        index = tuple(np.argwhere(bad)[0].tolist())
        raise ValueError(
            f"{name}[{', '.join(map(str, index))}] of the mixture is {values[index]:.3g}, whose "
            "square float64 cannot hold; change the unit of x"
        )


def signature(kind_type):
    """How to write a mixture: "Mixture(weights, means, stds)"."""
    return f"{kind_type.__name__}({', '.join(kind_type._fields)})"


def describe(value):
    """What an error message calls something that should have been a mixture."""
    value = parameters_of(value)
    if hasattr(value, "_fields"):
        return signature(value if isinstance(value, type) else type(value))
    parts = f" of {len(value)} parts" if isinstance(value, (tuple, list)) else ""
    return type(value).__name__ + parts


def listed(words):
    """Words as a sentence has them: "a, b and c"."""
    *most, last = map(str, words)
    return f"{', '.join(most)} and {last}"


# Printing


def as_text(parameters, digits=4):
    """A mixture of a known kind as a table, one row a component; anything else as Python writes it.

    Parameters
    ----------
    parameters : any
        What a fit has found.
    digits : int
        Significant digits.

    Returns
    -------
    str
        Without a newline at the end.
    """
    kind = known_kind(parameters)
    if kind is None:
        return repr(parameters)
    try:
        with np.errstate(all="ignore"):  # NaN for the width of a negative variance
            return table_text(*kind.table(parameters), digits)
    except (TypeError, ValueError, IndexError):  # no good mixture; to see it is the more needed
        parts = zip(parameters._fields, parameters, strict=True)
        written = ", ".join(f"{name}={part!r}" for name, part in parts)
        return f"{type(parameters).__name__}({written})"


def table_text(heads, rows, digits=4):
    """A table of numbers, one row a component, in columns of ten characters.

    Parameters
    ----------
    heads : sequence of str
        What stands above the columns.
    rows : sequence of sequences
        One for each component: numbers, or text that is printed as it is. Of more than 20
        components the first and the last are shown.
    digits : int
        Significant digits.

    Returns
    -------
    str
        Lines, the first with the heads.
    """
    lines = [("component", heads), *shortened(enumerate(rows), MOST_ROWS, ("...", ()))]
    return "\n".join(
        f"{first:>9}" + "".join(f" {in_words(cell, digits):>9}" for cell in cells)
        for first, cells in lines
    )


def shortened(items, most, dots="..."):
    """All items as a list; of more than `most` the first, dots and the last: `most` together."""
    items = list(items)
    return items if len(items) <= most else [*items[: most - 2], dots, items[-1]]


def in_words(value, digits=4):
    """One number as text: fixed point where it reads well, powers of ten where it does not.

    Parameters
    ----------
    value : float or str
        Any number, NaN and infinities included; text is left as it is.
    digits : int
        Significant digits.

    Returns
    -------
    str
        Never "-0.000" and never a type name.
    """
    if isinstance(value, str):
        return value
    value = float(value) + 0.0  # -0.0 + 0.0 is 0.0
    if not np.isfinite(value):
        return str(value)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if -4 <= int(exponent) < max(digits, 7):
        return f"{value:.{max(digits - 1 - int(exponent), 0)}f}"
    return f"{mantissa}e{int(exponent)}"


# One dimension


def checked_univariate(parts):
    """Return the parts as a `Mixture` of new float64 arrays, or say what is wrong with them.

    Parameters
    ----------
    parts : Mixture
        Or any three sequences in the order weights, means, stds.

    Returns
    -------
    Mixture

    Raises
    ------
    ValueError
        As `checked_parts` does, or if a std is not positive, or a square is beyond float64. The
        message names the part and the first bad index.
    """
    weights, means, stds = checked_parts(parts, Mixture, (1, 1, 1))
    if (stds <= 0).any():
        k = int(np.argmax(stds <= 0))
        raise ValueError(f"mixture.stds must be positive; stds[{k}] is {stds[k]}")
    check_square(means, "means")
    check_square(stds, "stds", SMALLEST)
    return Mixture(weights, means, stds)


def draw_univariate(mixture, labels, rng):
    """One observation from each label's bell, (N,)."""
    return rng.normal(mixture.means[labels], mixture.stds[labels])


def table_univariate(mixture):
    """Weight, mean and std of each component."""
    return ["weight", "mean", "std"], list(zip(*mixture, strict=True))


def by_mean(mixture):
    """Indices that sort by the means; in D dimensions by the first feature, ties by the next."""
    means = mixture.means.reshape(len(mixture.weights), -1)
    return np.lexsort(means.T[::-1])  # the last key counts first; what is equal keeps its order


# D dimensions


def checked_multivariate(parts):
    """Return the parts as a `MultivariateMixture` of new float64 arrays, or say what is wrong.

    Parameters
    ----------
    parts : MultivariateMixture
        Or any three sequences in the order weights, means, covariances.

    Returns
    -------
    MultivariateMixture
        With exactly symmetric covariances.

    Raises
    ------
    ValueError
        As `checked_parts` does, or if the numbers of features disagree, a covariance is not
        symmetric (within 1e-6 of its widths) or not positive definite, or a square is beyond
        float64.
    """
    weights, means, covariances = checked_parts(parts, MultivariateMixture, (1, 2, 3))
    n_features = means.shape[1]
    if covariances.shape[1:] != (n_features, n_features):
        raise ValueError(
            "mixture.means and mixture.covariances must have the shapes (K, D) and (K, D, D); they "
            f"have {means.shape} and {covariances.shape}"
        )
    check_square(means, "means")
    return MultivariateMixture(weights, means, checked_covariances(covariances))


def checked_covariances(covariances):
    """Return (K, D, D) covariances, each averaged with its transpose; ValueError if one is none."""
    variances = np.diagonal(covariances, axis1=1, axis2=2)  # (K, D)
    if (variances <= 0).any():
        k, d = np.argwhere(variances <= 0)[0].tolist()
        name = f"mixture.covariances[{k}]"
        raise ValueError(
            f"{name} must have positive variances; {name}[{d}, {d}] is {variances[k, d]}"
        )
    widths = np.sqrt(variances)
    check_square(widths, "std", SMALLEST)
    halves, turned = covariances / 2, covariances.swapaxes(1, 2) / 2  # halves cannot overflow
    limits = ASYMMETRY / 2 * widths[:, :, None] * widths[:, None, :]
    uneven = (np.abs(halves - turned) > limits).any(axis=(1, 2))
    if uneven.any():
        raise ValueError(
            f"mixture.covariances[{np.argmax(uneven)}] must be symmetric; it differs from its "
            "transpose"
        )
    for k, covariance in enumerate(halves + turned):
        check_definite(covariance, f"mixture.covariances[{k}]")
    return halves + turned


def check_definite(covariance, name):
    """Raise ValueError unless the (D, D) array has a Cholesky factor."""
    try:
        np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ValueError(
            f"{name} is not positive definite: some direction has no width. A feature that is a "
            "sum or multiple of others is one cause; standard deviations off the diagonal another"
        ) from None


def draw_multivariate(mixture, labels, rng):
    """One observation from each label's ellipse, (N, D)."""
    X = rng.standard_normal((len(labels), mixture.means.shape[1]))
    for k, factor in enumerate(np.linalg.cholesky(mixture.covariances)):
        own = labels == k
        X[own] = mixture.means[k] + X[own] @ factor.T
    return X


def table_multivariate(mixture):
    """Weight, then mean and std of each feature; of more than four the first and the last."""
    weights, means, covariances = map(np.asarray, mixture)
    stds = np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))  # (K, D)
    heads = [[f"{name}[{d}]" for d in range(means.shape[1])] for name in ("mean", "std")]
    rows = zip(weights, means, stds, strict=True)
    cut = [(first, *(shortened(part, MOST_FEATURES) for part in parts)) for first, *parts in rows]
    mean_heads, std_heads = (shortened(names, MOST_FEATURES) for names in heads)
    return ["weight", *mean_heads, *std_heads], [[w, *mean, *std] for w, mean, std in cut]


register(
    Kind(
        Mixture,
        checked=checked_univariate,
        log_joint=univariate.log_joint,
        draw=draw_univariate,
        order=by_mean,
        table=table_univariate,
        n_features=lambda mixture: None,
    )
)
register(
    Kind(
        MultivariateMixture,
        checked=checked_multivariate,
        log_joint=multivariate.log_joint,
        draw=draw_multivariate,
        order=by_mean,
        table=table_multivariate,
        n_features=lambda mixture: mixture.means.shape[1],
    )
)
