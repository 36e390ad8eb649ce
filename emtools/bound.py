"""The lower bound that touches the log-likelihood, and the gap between them (chapter 04).

First for one parameter, the linkage data of Dempster, Laird and Rubin (1977), so that both can be
drawn as curves; then for any table of log joints, whatever the mixture. Nothing is checked here.
"""

import numpy as np

# 197 animals in four classes of probability 1/2 + theta/4, (1 - theta)/4, (1 - theta)/4, theta/4.
LINKAGE = np.array([125, 18, 20, 34])


def linkage_log_likelihood(theta):
    """Log-likelihood of the linkage data, without the multinomial coefficient.

    Parameters
    ----------
    theta : float or (M,) array
        The parameter, between 0 and 1.

    Returns
    -------
    float or (M,) array
        In nats.
    """
    cells = [1 / 2 + theta / 4, (1 - theta) / 4, (1 - theta) / 4, theta / 4]
    return LINKAGE @ np.log(cells)


def linkage_e_step(theta):
    """Responsibility of the theta/4 part of the first class for an animal in that class.

    Parameters
    ----------
    theta : float
        The parameter, between 0 and 1.

    Returns
    -------
    float
        A probability; the 1/2 part has the rest.
    """
    return (theta / 4) / (1 / 2 + theta / 4)


def linkage_m_step(resp):
    """The share of theta/4 animals among all whose class depends on theta.

    Parameters
    ----------
    resp : float
        What share of the first class is counted as theta/4.

    Returns
    -------
    float
        The theta that maximises `linkage_bound` for this responsibility.
    """
    linked = LINKAGE[0] * resp + LINKAGE[3]
    return linked / (linked + LINKAGE[1] + LINKAGE[2])


def linkage_bound(resp, theta):
    """Lower bound F(q, theta) on the log-likelihood of the linkage data.

    Parameters
    ----------
    resp : float
        q: any probability strictly between 0 and 1; `linkage_e_step` gives the one that touches.
    theta : float or (M,) array
        The parameter, between 0 and 1.

    Returns
    -------
    float or (M,) array
        In nats; never above `linkage_log_likelihood(theta)`.
    """
    first = (1 - resp) * np.log(1 / 2 / (1 - resp)) + resp * np.log(theta / 4 / resp)
    others = LINKAGE[1:] @ np.log([(1 - theta) / 4, (1 - theta) / 4, theta / 4])
    return LINKAGE[0] * first + others


def linkage_step(theta):
    """One EM step on the linkage data.

    Parameters
    ----------
    theta : float
        The parameter, between 0 and 1.

    Returns
    -------
    new_theta : float
    log_likelihood : float
        Of the theta that was given, in nats.
    """
    return linkage_m_step(linkage_e_step(theta)), linkage_log_likelihood(theta)


def log_posterior(log_joints):
    """Log responsibilities, log p(z_n = k | x_n): the labels' distribution given the observations.

    Parameters
    ----------
    log_joints : (N, K) array
        log p(x_n, z_n = k).

    Returns
    -------
    (N, K) array
        In nats; exp of each row sums to one.
    """
    return log_joints - np.logaddexp.reduce(log_joints, axis=1, keepdims=True)


def expected_log_joint(log_joints, resp):
    """Q: the log joint of observations and labels, averaged over the labels.

    Parameters
    ----------
    log_joints : (N, K) array
        log p(x_n, z_n = k).
    resp : (N, K) array
        Any distribution over the labels; each row sums to one.

    Returns
    -------
    float
        In nats; a label that resp rules out counts for nothing, even where log_joints are -inf.
    """
    possible = resp > 0
    return np.sum(resp[possible] * log_joints[possible])


def entropy(resp):
    """Entropy of the labels, summed over the observations.

    Parameters
    ----------
    resp : (N, K) array
        Any distribution over the labels; each row sums to one.

    Returns
    -------
    float
        In nats, 0 for one-hot rows, N log K at most.
    """
    possible = resp > 0  # 0 log 0 is 0
    return -np.sum(resp[possible] * np.log(resp[possible]))


def lower_bound(log_joints, resp):
    """Lower bound F(q, theta) on the log-likelihood.

    Parameters
    ----------
    log_joints : (N, K) array
        log p(x_n, z_n = k) under theta.
    resp : (N, K) array
        q: any distribution over the labels; each row sums to one.

    Returns
    -------
    float
        In nats; the log-likelihood minus `kl_divergence(resp, log_posterior(log_joints))`.
    """
    return expected_log_joint(log_joints, resp) + entropy(resp)


def kl_divergence(resp, log_posteriors):
    """KL(q || posterior): how far the bound lies below the log-likelihood.

    Parameters
    ----------
    resp : (N, K) array
        q: any distribution over the labels; each row sums to one.
    log_posteriors : (N, K) array
        Log responsibilities, as `log_posterior` gives them.

    Returns
    -------
    float
        In nats, summed over the observations; 0 only where q is the posterior.
    """
    possible = resp > 0
    return np.sum(resp[possible] * (np.log(resp[possible]) - log_posteriors[possible]))
