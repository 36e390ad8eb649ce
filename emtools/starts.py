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


def kmeans_plus_plus(x, n_components, rng):
    """K observations far from each other: each drawn by its squared distance to the nearest so far.

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

    Notes
    -----
    Arthur and Vassilvitskii (2007), "k-means++: the advantages of careful seeding".
    """
    points = x.reshape(len(x), -1)  # (N, D), with D = 1 for plain numbers
    chosen = [rng.integers(len(x))]
    nearest = np.full(len(x), np.inf)
    for _ in range(n_components - 1):
        squares = ((points - points[chosen[-1]]) ** 2).sum(axis=1)
        nearest = np.minimum(nearest, squares)
        if not nearest.any():  # fewer different observations than components: any will do
            nearest = np.ones(len(x))
        chosen.append(rng.choice(len(x), p=nearest / nearest.sum()))
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
