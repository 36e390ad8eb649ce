"""Gaussians in D dimensions, with four structures of the covariances (chapter 07).

A covariance is never inverted and has no determinant taken: its Cholesky factor gives both the
distance and the volume. All of it is taught and takes good input for granted; `emtools.kinds` has
the checks.
"""

from typing import NamedTuple

import numpy as np


class MultivariateMixture(NamedTuple):
    """K normal densities in D dimensions: p(x) = sum_k weights[k] N(x; means[k], covariances[k]).

    A value, as `Mixture` is; tied, diagonal and spherical covariances are written out in full.
    """

    weights: np.ndarray  # (K,), pi_k >= 0, together 1
    means: np.ndarray  # (K, D), mu_k in the units of the data
    covariances: np.ndarray  # (K, D, D), Sigma_k, symmetric positive definite, units squared


def log_pdf(X, means, covariances):
    """Log density of each observation under each component.

    Parameters
    ----------
    X : (N, D) array
        Observations.
    means : (K, D) array
        In the units of X.
    covariances : (K, D, D) array
        Symmetric positive definite.

    Returns
    -------
    (N, K) array
        In nats.
    """
    factors = np.linalg.cholesky(covariances)  # (K, D, D): Sigma = L L^T
    residuals = (X - means[:, None]).transpose(0, 2, 1)  # (K, D, N)
    scaled = np.linalg.solve(factors, residuals)  # L scaled = x - mu
    log_volumes = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)  # (K,)
    distances = (scaled**2).sum(axis=1).T  # (N, K)
    return -0.5 * distances - log_volumes - X.shape[1] * np.log(2 * np.pi) / 2


def log_joint(X, mixture):
    """Log of the joint density of each observation and each label, log p(x_n, z_n = k).

    Parameters
    ----------
    X : (N, D) array
        Observations.
    mixture : MultivariateMixture
        K components; a weight of zero gives -inf.

    Returns
    -------
    (N, K) array
        In nats.
    """
    return np.log(mixture.weights) + log_pdf(X, mixture.means, mixture.covariances)


def e_step(X, mixture):
    """Responsibilities of K components for N observations, and the log-likelihood of the mixture.

    Parameters
    ----------
    X : (N, D) array
        Observations.
    mixture : MultivariateMixture
        K components.

    Returns
    -------
    resp : (N, K) array
        gamma_nk; each row sums to one.
    log_likelihood : float
        Sum of the log densities of all observations, in nats.
    """
    log_joints = log_joint(X, mixture)
    log_densities = np.logaddexp.reduce(log_joints, axis=1, keepdims=True)
    resp = np.exp(log_joints - log_densities)
    return resp, log_densities.sum()


def m_step(X, resp):
    """Weights, means and full covariances as averages weighted by the responsibilities.

    Parameters
    ----------
    X : (N, D) array
        Observations.
    resp : (N, K) array
        Responsibilities; each row sums to one, each column to more than zero.

    Returns
    -------
    MultivariateMixture
        K components; covariances are taken about the new means and divided by the soft counts.
    """
    counts = resp.sum(axis=0)
    means = resp.T @ X / counts[:, None]
    residuals = X - means[:, None]  # (K, N, D)
    weighted = resp.T[:, :, None] * residuals
    scatter = weighted.transpose(0, 2, 1) @ residuals  # (K, D, D)
    return MultivariateMixture(counts / len(X), means, scatter / counts[:, None, None])


def full(mixture):
    """Every component its own shape: nothing changes.

    Parameters
    ----------
    mixture : MultivariateMixture
        As `m_step` gives it. So for `tied`, `diag` and `spherical`.

    Returns
    -------
    MultivariateMixture
        With the covariances that maximise the bound among those of this structure.
    """
    return mixture


def tied(mixture):
    """One shape for all components: the average of theirs, weighted by the weights."""
    pooled = np.tensordot(mixture.weights, mixture.covariances, axes=1)  # (D, D)
    return mixture._replace(covariances=np.tile(pooled, (len(mixture.weights), 1, 1)))


def diag(mixture):
    """Ellipses along the axes: the variances stay, the rest is 0."""
    n_features = mixture.means.shape[1]
    return mixture._replace(covariances=mixture.covariances * np.eye(n_features))


def spherical(mixture):
    """Circles: one variance for all features, the average of theirs."""
    n_features = mixture.means.shape[1]
    variances = np.trace(mixture.covariances, axis1=1, axis2=2) / n_features  # (K,)
    return mixture._replace(covariances=variances[:, None, None] * np.eye(n_features))


STRUCTURES = {"full": full, "tied": tied, "diag": diag, "spherical": spherical}


def n_parameters(n_components, n_features, covariance="full"):
    """How many numbers can move freely in a mixture of this structure.

    Parameters
    ----------
    n_components, n_features : int
        K and D.
    covariance : str
        "full", "tied", "diag" or "spherical".

    Returns
    -------
    int
        K - 1 weights (they sum to one), K D means, and the covariances.
    """
    one_shape = n_features * (n_features + 1) // 2  # a symmetric matrix
    covariances = {
        "full": n_components * one_shape,
        "tied": one_shape,
        "diag": n_components * n_features,
        "spherical": n_components,
    }
    return n_components - 1 + n_components * n_features + covariances[covariance]


def mixture_at(X, means):
    """A mixture with these means, equal weights, and the covariance of all the data for each.

    Parameters
    ----------
    X : (N, D) array
        Observations, not all in one plane.
    means : (K, D) array
        As the functions of `emtools.starts` give them.

    Returns
    -------
    MultivariateMixture
        K components.
    """
    n_components = len(means)
    together = m_step(X, np.ones((len(X), 1)))  # one component that takes everything
    weights = np.full(n_components, 1 / n_components)
    return MultivariateMixture(weights, means, np.tile(together.covariances, (n_components, 1, 1)))
