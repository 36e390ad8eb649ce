"""Where to begin: means drawn from the data, spread over it, or its quantiles (chapter 05).

Each function gives means; `mixture_at` makes a mixture of them. All take good input for granted:
`emtools.fit` checks it first.
"""

import numpy as np

from emtools.mixture import Mixture


def random_points(x, n_components, rng):
    """K different observations, each as likely as any other.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations, N >= K.
    n_components : int
        K.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    (K,) or (K, D) array
        Means, in the units of x.
    """
    return x[rng.choice(len(x), size=n_components, replace=False)]


def kmeans_plus_plus(x, n_components, rng, n_tries=1):
    """K observations far from each other: each drawn by its squared distance to the nearest so far.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations, N >= K.
    n_components : int
        K.
    rng : numpy.random.Generator
        Where the randomness comes from.
    n_tries : int
        How many to draw for each; the one that brings the others nearest is taken.

    Returns
    -------
    (K,) or (K, D) array
        Means, in the units of x.

    Notes
    -----
    Arthur and Vassilvitskii (2007), "k-means++: the advantages of careful seeding"; they found
    several tries to be better.
    """
    points = x.reshape(len(x), -1)  # (N, D), with D = 1 for plain numbers
    chosen = [rng.integers(len(x))]
    nearest = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(n_components - 1):
        if not nearest.any():  # fewer different observations than components: any will do
            nearest = np.ones(len(x))
        drawn = rng.choice(len(x), size=n_tries, p=nearest / nearest.sum())
        squares = np.stack([((points - points[n]) ** 2).sum(axis=1) for n in drawn])
        nearer = np.minimum(nearest, squares)
        best = nearer.sum(axis=1).argmin()
        chosen.append(drawn[best])
        nearest = nearer[best]
    return x[chosen]


def quantiles(x, n_components):
    """The middles of K equal shares of the sorted observations; no randomness.

    Parameters
    ----------
    x : (N,) array
        Observations.
    n_components : int
        K.

    Returns
    -------
    (K,) array
        Means in ascending order, in the units of x.
    """
    return np.quantile(x, (np.arange(n_components) + 0.5) / n_components)


def mixture_at(x, means):
    """A mixture with these means, equal weights, and the width of all the data for each.

    Parameters
    ----------
    x : (N,) array
        Observations, not all equal.
    means : (K,) array
        As one of the functions above gives them.

    Returns
    -------
    Mixture
        K components.
    """
    n_components = len(means)
    weights = np.full(n_components, 1 / n_components)
    return Mixture(weights, means, np.full(n_components, np.std(x)))


def mixture_about(x, means):
    """A mixture with these means, and weights and a width as if each observation had its nearest.

    Parameters
    ----------
    x : (N,) array
        Observations.
    means : (K,) array
        Observed values, fewer than there are different ones.

    Returns
    -------
    Mixture
        K components of one width.
    """
    nearest = np.abs(x[:, None] - means).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(means))
    std = np.sqrt(np.mean((x - means[nearest]) ** 2))
    return Mixture(counts / len(x), means, np.full(len(means), std))


def short_run(step, start, n_steps):
    """A few steps from a start, to see how promising it is.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood`` (of the parameters it was given).
    start : any
        The first parameters.
    n_steps : int
        How many.

    Returns
    -------
    parameters : as `start`
        After the last step.
    history : list of float
        Log-likelihoods of the parameters before it.
    """
    parameters, history = start, []
    for _ in range(n_steps):
        parameters, log_likelihood = step(parameters)
        history.append(log_likelihood)
    return parameters, history
