"""A cost model of one EM iteration: how much work it is, and what that takes here (chapter 15).

Both `work` and `measured_rates` speak of the same six things, so that a time is the sum of their
products. The model is of `emtools.kernel` with full covariances and is good to a factor of 2.
"""

from timeit import repeat
from typing import NamedTuple

import numpy as np

from emtools.kernel import CACHE, default_n_threads

ANOTHER_THREAD = 0.6  # of a processor: threads share the way to the memory; found by measuring
STARTING_THREADS = 500  # calls of NumPy that it takes to hand out the work; found by measuring


class Costs(NamedTuple):
    """One number of each kind: how many an iteration needs, or the seconds that one takes here."""

    exp: float  # exponentials of numbers in the cache
    log: float  # logarithms of numbers in the cache
    element: float  # products of two numbers in the cache: numbers of NumPy passes
    multiply_add: float  # multiplications, each with an addition, in matrix products
    byte: float  # bytes from memory
    call: float  # calls of NumPy, however little they have to do


def seconds(task, number=1):
    """The shortest of nine times, in seconds; the others were disturbed.

    Parameters
    ----------
    task : function
        Called without arguments.
    number : int
        How many calls are timed together, for tasks shorter than the clock can see.

    Returns
    -------
    float
        For one call.
    """
    return min(repeat(task, number=number, repeat=9)) / number


def measured_rates():
    """Measure this machine, in about a tenth of a second.

    Returns
    -------
    Costs
        In seconds on one processor; whatever else the machine is doing makes them longer.
    """
    x, out = np.linspace(0.5, 1, CACHE // 2), np.empty(CACHE // 2)  # as much as a piece
    rows, tables = np.ones((16, 64)), np.ones((8, 64, 256))  # 2**18 multiplications each
    far, few = np.ones(2**22), np.ones(2)  # 34 MB
    return Costs(
        exp=seconds(lambda: np.exp(x, out=out)) / x.size,
        log=seconds(lambda: np.log(x, out=out)) / x.size,
        element=seconds(lambda: np.multiply(x, x, out=out)) / x.size,
        multiply_add=seconds(lambda: rows @ tables) / 2**21,
        byte=seconds(far.sum) / far.nbytes,
        call=seconds(lambda: np.multiply(few, few, out=few), number=1000),
    )


def work(n_samples, n_features, n_components):
    """Count what one iteration does, with full covariances.

    Parameters
    ----------
    n_samples, n_features, n_components : int
        N, D and K.

    Returns
    -------
    Costs
        How many of each kind, of all threads together.
    """
    n_terms = 1 + n_features + n_features * (n_features + 1) // 2  # F
    n_pieces = np.ceil(n_samples * (n_terms + n_components + 1) / CACHE)
    passes = 4 * n_terms + 4 * n_components + 2
    return Costs(
        exp=n_samples * (n_components - 1),
        log=n_samples / 32,  # of products of 32
        element=n_samples * passes,
        multiply_add=n_samples * (2 * n_components - 1) * n_terms,
        byte=8 * n_samples * n_features,
        call=(100 if n_features == 1 else 200) + 15 * n_pieces,
    )


def predicted_seconds(n_samples, n_features, n_components, n_iter, rates, n_threads=None):
    """How long `emtools.fit` will take for so many iterations, to a factor of 2.

    Parameters
    ----------
    n_samples, n_features, n_components, n_iter : int
        N, D, K and how many iterations, from all starts together.
    rates : Costs
        What `measured_rates` found.
    n_threads : int, optional
        As many as `emtools.kernel` would use unless given.

    Returns
    -------
    float
        Seconds.
    """
    n_threads = n_threads or default_n_threads(n_samples * n_features)
    one_iteration = np.dot(work(n_samples, n_features, n_components), rates)
    speed_up = 1 + ANOTHER_THREAD * (n_threads - 1)
    return n_iter * (one_iteration / speed_up + STARTING_THREADS * (n_threads > 1) * rates.call)
