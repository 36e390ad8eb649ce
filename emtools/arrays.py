"""The E-step and M-step of `emtools.loops` on whole arrays, for any number of components."""

import numpy as np

from emtools.mixture import Mixture


def e_step(x, mixture):
    """Responsibilities of K components for N observations.

    Takes for granted that no observation is so far from every component that all its densities
    underflow; there it returns NaN, which chapter 03 shows and cures.

    Parameters
    ----------
    x : (N,) array
        Observations.
    mixture : Mixture
        K components.

    Returns
    -------
    resp : (N, K) array
        gamma_nk; each row sums to one.
    """
    scaled = (x[:, None] - mixture.means) / mixture.stds
    pdf = np.exp(-0.5 * scaled**2) / (mixture.stds * np.sqrt(2 * np.pi))
    joint = mixture.weights * pdf
    return joint / joint.sum(axis=1, keepdims=True)


def m_step(x, resp):
    """Weights, means and standard deviations as averages weighted by the responsibilities.

    Parameters
    ----------
    x : (N,) array
        Observations.
    resp : (N, K) array
        Responsibilities; each row sums to one, each column to more than zero.

    Returns
    -------
    Mixture
        K components; the variance is taken about the new mean and divided by the soft count.
    """
    counts = resp.sum(axis=0)
    means = resp.T @ x / counts
    squares = (x[:, None] - means) ** 2
    variances = (resp * squares).sum(axis=0) / counts
    return Mixture(counts / len(x), means, np.sqrt(variances))
