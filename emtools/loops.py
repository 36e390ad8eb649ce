"""The document's EM for two 1-D Gaussians, observation by observation (chapter 01).

Six scalar parameters, in this order: mean_1, mean_2, std_1, std_2, weight_1, weight_2. It behaves
as the published loop does, warts included: the means of the start are one-element arrays, the
weights start from 1 and 1, nothing is checked, and the number of iterations is fixed.
"""

import numpy as np

from emtools.mixture import Mixture


def normal_pdf(x_n, mean, std):
    """Normal density of one observation, in 1 / (unit of x).

    Parameters
    ----------
    x_n, mean, std : float
        The observation, the mean and the standard deviation, in the same unit.

    Returns
    -------
    float
    """
    scaled = (x_n - mean) / std
    return np.exp(-0.5 * scaled**2) / (std * np.sqrt(2 * np.pi))


def e_step(x, parameters):
    """Responsibilities of both components for every observation.

    Parameters
    ----------
    x : sequence of N floats
        Observations.
    parameters : tuple of six floats
        mean_1, mean_2, std_1, std_2, weight_1, weight_2; a common factor in the weights cancels.

    Returns
    -------
    list of N pairs
        [resp_1, resp_2], which sum to one.
    """
    mean_1, mean_2, std_1, std_2, weight_1, weight_2 = parameters
    resp = []
    for x_n in x:
        joint_1 = weight_1 * normal_pdf(x_n, mean_1, std_1)
        joint_2 = weight_2 * normal_pdf(x_n, mean_2, std_2)
        total = joint_1 + joint_2
        resp.append([joint_1 / total, joint_2 / total])
    return resp


def m_step(x, resp):
    """Weighted averages of the observations, the weights being their responsibilities.

    Parameters
    ----------
    x : sequence of N floats
        Observations.
    resp : sequence of N pairs
        Responsibilities.

    Returns
    -------
    tuple of six floats
        mean_1, mean_2, std_1, std_2, weight_1, weight_2.
    """
    count_1, count_2, sum_1, sum_2 = 0, 0, 0, 0
    for x_n, (resp_1, resp_2) in zip(x, resp, strict=True):
        count_1, count_2 = count_1 + resp_1, count_2 + resp_2
        sum_1, sum_2 = sum_1 + resp_1 * x_n, sum_2 + resp_2 * x_n
    mean_1, mean_2 = sum_1 / count_1, sum_2 / count_2
    squares_1, squares_2 = 0, 0
    for x_n, (resp_1, resp_2) in zip(x, resp, strict=True):
        squares_1 = squares_1 + resp_1 * (x_n - mean_1) ** 2
        squares_2 = squares_2 + resp_2 * (x_n - mean_2) ** 2
    std_1, std_2 = np.sqrt(squares_1 / count_1), np.sqrt(squares_2 / count_2)
    return mean_1, mean_2, std_1, std_2, count_1 / len(x), count_2 / len(x)


def em(x, n_iterations, rng):
    """Fit two bells by a fixed number of iterations from means drawn from the data.

    Parameters
    ----------
    x : sequence of N floats
        Observations.
    n_iterations : int
        How many times an E-step is followed by an M-step.
    rng : numpy.random.Generator or numpy.random.RandomState
        Draws the two means; the document's own draws are those of ``RandomState(seed)``.

    Returns
    -------
    tuple of six one-element arrays
        mean_1, mean_2, std_1, std_2, weight_1, weight_2.
    """
    mean_1, mean_2 = rng.choice(x, 1), rng.choice(x, 1)
    parameters = mean_1, mean_2, np.std(x), np.std(x) / 2, 1, 1
    for _ in range(n_iterations):
        resp = e_step(x, parameters)
        parameters = m_step(x, resp)
    return parameters


def as_mixture(parameters):
    """The six scalars as a `Mixture` of two components.

    Parameters
    ----------
    parameters : tuple of six floats or one-element arrays
        mean_1, mean_2, std_1, std_2, weight_1, weight_2.

    Returns
    -------
    Mixture
        Three (2,) arrays, in the same order; nothing is rescaled.
    """
    means, stds, weights = np.reshape([np.squeeze(p) for p in parameters], (3, 2))
    return Mixture(weights, means, stds)
