"""What a 1-D Gaussian mixture is: the value `Mixture`, its log density, sampling and sorting.

Chapter 01 introduces the value, chapter 03 its log density. `log_joint` and `log_density` are
taught and take good input for granted; `sample` and `sorted_by_mean` check theirs.
"""

from typing import NamedTuple

import numpy as np

from emtools.checks import checked_vector


class Mixture(NamedTuple):
    """K normal densities, mixed: p(x) = sum_k weights[k] N(x; means[k], stds[k]).

    A value: steps return a new mixture and never change one.
    """

    weights: np.ndarray  # (K,), pi_k >= 0, together 1
    means: np.ndarray  # (K,), mu_k in the units of the data
    stds: np.ndarray  # (K,), sigma_k > 0 in the units of the data


def log_joint(x, mixture):
    """Log of the joint density of each observation and each label, log p(x_n, z_n = k).

    Parameters
    ----------
    x : (N,) array
        Observations.
    mixture : Mixture
        K components; a weight of zero gives -inf.

    Returns
    -------
    (N, K) array
        In nats; exp(log_joint) has the unit 1 / (unit of x).
    """
    scaled = (x[:, None] - mixture.means) / mixture.stds
    log_peak = np.log(mixture.weights) - np.log(mixture.stds) - np.log(2 * np.pi) / 2  # (K,)
    return log_peak - 0.5 * scaled**2


def log_density(x, mixture):
    """Log density of the mixture at each observation, log p(x_n).

    Parameters
    ----------
    x : (N,) array
        Observations.
    mixture : Mixture
        K components.

    Returns
    -------
    (N,) array
        In nats; its sum is the log-likelihood of the mixture.
    """
    return np.logaddexp.reduce(log_joint(x, mixture), axis=1)


def sample(mixture, n_samples, rng):
    """Draw observations: for each, toss for a component, then draw from it.

    Parameters
    ----------
    mixture : Mixture
        K components; the weights must sum to one.
    n_samples : int
        How many observations, N >= 0.
    rng : numpy.random.Generator
        Where the randomness comes from, for example ``np.random.default_rng(1)``.

    Returns
    -------
    x : (N,) array
        The observations, in the units of the means.
    labels : (N,) array of int
        The component each was drawn from, z_n: what nobody writes down in real data.

    Raises
    ------
    ValueError
        If the mixture is not one, `n_samples` is not a whole number >= 0, or `rng` cannot draw.
    """
    mixture = checked_mixture(mixture)
    check_draw(n_samples, rng)
    labels = rng.choice(len(mixture.weights), size=n_samples, p=mixture.weights)
    return rng.normal(mixture.means[labels], mixture.stds[labels]), labels


def sorted_by_mean(mixture):
    """Put the components in the order of their means, so that two fits can be compared.

    Parameters
    ----------
    mixture : Mixture
        K components in any order.

    Returns
    -------
    Mixture
        The same mixture; components of equal mean keep their order.

    Raises
    ------
    ValueError
        If the mixture is not one (see `checked_mixture`).
    """
    mixture = checked_mixture(mixture)
    order = np.argsort(mixture.means, kind="stable")
    return Mixture(*(part[order] for part in mixture))


def checked_mixture(mixture):
    """Return the mixture with float64 arrays, or say what is wrong with it.

    Parameters
    ----------
    mixture : Mixture
        Or any three sequences in the order weights, means, stds.

    Returns
    -------
    Mixture
        Three new (K,) float64 arrays.

    Raises
    ------
    ValueError
        If there are not three parts, a part is not 1-D, not numeric or not finite, the shapes
        disagree, a weight is negative, the weights do not sum to one (within 1e-6), or a std
        is not positive. The message names the part and the first bad index.
    """
    if not isinstance(mixture, (tuple, list)) or len(mixture) != 3:
        raise ValueError(
            f"mixture must be a Mixture(weights, means, stds); it is {in_a_word(mixture)}"
        )
    weights, means, stds = (
        checked_vector(part, f"mixture.{name}")
        for part, name in zip(mixture, Mixture._fields, strict=True)
    )
    if not len(weights) == len(means) == len(stds):
        raise ValueError(
            "mixture.weights, mixture.means and mixture.stds must have one entry for each "
            f"component; they have {len(weights)}, {len(means)} and {len(stds)}"
        )
    check_weights(weights)
    if (stds <= 0).any():
        k = int(np.argmax(stds <= 0))
        raise ValueError(f"mixture.stds must be positive; stds[{k}] is {stds[k]}")
    return Mixture(weights / weights.sum(), means, stds)


def check_weights(weights):
    """Raise ValueError unless the (K,) weights are >= 0 and sum to one within 1e-6."""
    if (weights < 0).any():
        k = int(np.argmax(weights < 0))
        raise ValueError(f"mixture.weights must not be negative; weights[{k}] is {weights[k]}")
    if abs(weights.sum() - 1) > 1e-6:  # float32 weights are welcome
        raise ValueError(
            f"mixture.weights must sum to one; they sum to {weights.sum():.10g}. "
            "Divide them by their sum"
        )


def check_draw(n_samples, rng):
    """Raise ValueError unless `n_samples` is a whole number >= 0 and `rng` a Generator."""
    if not isinstance(n_samples, (int, np.integer)) or isinstance(n_samples, bool) or n_samples < 0:
        raise ValueError(f"n_samples must be a whole number >= 0; it is {n_samples!r}")
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"rng must be a numpy.random.Generator, such as np.random.default_rng(1); it is {rng!r}"
        )


def in_a_word(value):
    """What an error message calls something that should have been a mixture."""
    if hasattr(value, "parameters"):
        return f"a {type(value).__name__}; give its parameters: fit.parameters"
    parts = f" of {len(value)} parts" if isinstance(value, (tuple, list)) else ""
    return type(value).__name__ + parts
