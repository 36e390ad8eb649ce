"""What a 1-D Gaussian mixture is: the value `Mixture`, its log joint and its log density.

Chapter 01 introduces the value, chapter 03 the densities, which take good input for granted;
`emtools.log_density` checks it first.
"""

from typing import NamedTuple

import numpy as np


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
