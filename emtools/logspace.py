"""The E-step in log space, with the log-likelihood; what the rest of the course uses (chapter 03).

`log_joint` and `log_density` stand in `emtools.mixture` because they say what a mixture is; the
M-step is that of `emtools.arrays` because it has no densities in it.
"""

import numpy as np

from emtools.arrays import m_step
from emtools.mixture import log_density, log_joint

__all__ = ["e_step", "log_density", "log_joint", "m_step"]


def e_step(x, mixture):
    """Responsibilities of K components for N observations, and the log-likelihood of the mixture.

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
    log_likelihood : float
        Sum of the log densities of all observations, in nats.
    """
    log_joints = log_joint(x, mixture)
    log_densities = np.logaddexp.reduce(log_joints, axis=1, keepdims=True)
    resp = np.exp(log_joints - log_densities)
    return resp, log_densities.sum()
