"""Mixtures to start from, problems to draw, and what "the same mixture" means; no tests here."""

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from emtools import Mixture, arrays, logspace

WAITING_STD = 13.569960017586371  # np.std(waiting), REFERENCES


def mixture(weights, means, stds):
    return Mixture(np.array(weights, float), np.array(means, float), np.array(stds, float))


# The document's start (RandomState(0) draws 77 and 53), with weights of one half.
DOCUMENT_START = mixture([0.5, 0.5], [77, 53], [WAITING_STD, WAITING_STD / 2])
FIVE_BELLS = mixture([0.1, 0.15, 0.2, 0.25, 0.3], [48, 56, 66, 78, 86], [6, 5, 7, 5, 6])
GALAXIES_START = mixture([0.5, 0.5], [20000, 22000], [100, 100])  # km/s
# The converged fit of two bells with unequal widths, as mixtools, mclust and scikit-learn give it.
CONVERGED = mixture([0.36088610, 0.63911390], [54.614857, 80.091070], [5.8712202, 5.8677339])


def assert_same_mixture(actual, expected, rtol, unit=0.0):
    """All three parts agree; `unit` is a length in the data's unit, for means close to zero."""
    assert_allclose(actual.weights, expected.weights, rtol=rtol)
    assert_allclose(actual.means, expected.means, rtol=rtol, atol=rtol * unit)
    assert_allclose(actual.stds, expected.stds, rtol=rtol, atol=rtol * unit)


def arrays_step(x, mixture):
    return arrays.m_step(x, arrays.e_step(x, mixture))


def logspace_step(x, mixture):
    resp, log_likelihood = logspace.e_step(x, mixture)
    return logspace.m_step(x, resp), log_likelihood


def logspace_history(x, mixture, n_iterations):
    """The log-likelihoods before each step and after the last, and the mixture reached."""
    history = []
    for _ in range(n_iterations):
        mixture, log_likelihood = logspace_step(x, mixture)
        history.append(log_likelihood)
    return [*history, logspace.e_step(x, mixture)[1]], mixture


@st.composite
def problems(draw, max_components=5):
    """Observations and a mixture near enough that nothing underflows; N is never K."""
    n_components = draw(st.integers(2, max_components))
    n_samples = draw(st.integers(n_components + 1, 25))
    sizes = {"min_size": n_components, "max_size": n_components}
    x = draw(st.lists(st.floats(-10, 10), min_size=n_samples, max_size=n_samples))
    assume(np.std(x) > 0.1)
    weights = np.array(draw(st.lists(st.floats(0.05, 1), **sizes)))
    means = draw(st.lists(st.floats(-10, 10), **sizes))
    stds = draw(st.lists(st.floats(1, 10), **sizes))
    return np.array(x), mixture(weights / weights.sum(), means, stds)


@st.composite
def responsibilities(draw):
    """Observations and any table whose rows sum to one and whose columns hold something."""
    x, start = draw(problems())
    shape = len(x), len(start.weights)
    table = draw(
        st.lists(st.floats(0, 1), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])
    )
    table = np.reshape(table, shape) + 1e-3
    return x, table / table.sum(axis=1, keepdims=True)
