import numpy as np
import pytest
from cases import (
    CONVERGED,
    DOCUMENT_START,
    GALAXIES_START,
    arrays_step,
    assert_same_mixture,
    mixture,
    problems,
    responsibilities,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from emtools import arrays, loops
from emtools.mixture import log_density
from emtools.predict import sorted_by_mean

# Properties


@given(problems())
def test_responsibilities_sum_to_one(problem):
    x, start = problem
    resp = arrays.e_step(x, start)
    assert resp.shape == (len(x), len(start.weights))
    assert (resp >= 0).all()
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-14)


@given(responsibilities())
def test_weights_sum_to_one_and_the_overall_mean_is_kept(case):
    x, resp = case
    fitted = arrays.m_step(x, resp)
    assert [part.shape for part in fitted] == [(resp.shape[1],)] * 3
    assert_allclose(fitted.weights.sum(), 1, rtol=1e-13)
    assert_allclose(fitted.weights @ fitted.means, x.mean(), rtol=1e-12, atol=1e-12)
    spread = fitted.stds**2 + (fitted.means - x.mean()) ** 2
    assert_allclose(fitted.weights @ spread, x.var(), rtol=1e-12, atol=1e-12)


def test_one_hot_responsibilities_give_the_classes():
    resp = np.array([[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]])
    fitted = arrays.m_step(np.array([1, 2, 3, 10, 14]), resp)
    assert_same_mixture(fitted, mixture([0.6, 0.4], [2, 12], [np.sqrt(2 / 3), 2]), rtol=1e-14)


@given(problems(), st.data())
def test_one_hot_responsibilities_give_any_classes(problem, data):
    x, start = problem
    n_components = len(start.weights)
    more = [data.draw(st.integers(0, n_components - 1)) for _ in x[n_components:]]
    labels = np.array([*range(n_components), *more])  # nobody is left without an observation
    fitted = arrays.m_step(x, np.eye(n_components)[labels])
    classes = [x[labels == k] for k in range(n_components)]
    expected = mixture(
        [len(c) / len(x) for c in classes], [c.mean() for c in classes], [c.std() for c in classes]
    )
    assert_same_mixture(fitted, expected, rtol=1e-12, unit=10)


@given(problems())
def test_the_log_likelihood_never_falls(problem):
    x, start = problem
    fitted = arrays_step(x, start)
    assume(fitted.stds.min() > 1e-6)  # a width of zero has no density
    before, after = log_density(x, start).sum(), log_density(x, fitted).sum()
    assert after >= before - 1e-9 * max(1, abs(before))


@given(problems(), st.randoms())
def test_permuting_the_components_permutes_the_answer(problem, random):
    x, start = problem
    order = list(range(len(start.weights)))
    random.shuffle(order)
    permuted = mixture(*(part[order] for part in start))
    resp, once = arrays.e_step(x, start), arrays_step(x, start)
    assert_allclose(arrays.e_step(x, permuted), resp[:, order], rtol=1e-12)
    expected = mixture(*(part[order] for part in once))
    assert_same_mixture(arrays_step(x, permuted), expected, rtol=1e-11, unit=10)


@given(problems(), st.floats(0.1, 10), st.floats(-10, 10), st.sampled_from([-1, 1]))
def test_shifting_and_scaling_x_shifts_and_scales_the_answer(problem, size, shift, sign):
    x, (weights, means, stds) = problem
    scale = sign * size
    once = arrays_step(x, mixture(weights, means, stds))
    moved = arrays_step(scale * x + shift, mixture(weights, scale * means + shift, size * stds))
    expected = mixture(once.weights, scale * once.means + shift, size * once.stds)
    assert_same_mixture(moved, expected, rtol=1e-10, unit=100)


# The rung below


@given(problems(max_components=2))
def test_each_step_is_that_of_the_loops(problem):
    x, start = problem
    resp = arrays.e_step(x, start)
    by_loops = loops.e_step(x, (*start.means, *start.stds, *start.weights))
    assert_allclose(resp, by_loops, rtol=1e-12)
    by_loops = loops.as_mixture(loops.m_step(x, resp))
    assert_same_mixture(arrays.m_step(x, resp), by_loops, rtol=1e-12, unit=10)


def test_a_hundred_iterations_are_those_of_the_loops(waiting):
    parameters = (*DOCUMENT_START.means, *DOCUMENT_START.stds, 1, 1)  # from 1 and 1, as published
    fitted = DOCUMENT_START
    for _ in range(100):
        parameters = loops.m_step(waiting, loops.e_step(waiting, parameters))
        fitted = arrays_step(waiting, fitted)
        assert_same_mixture(fitted, loops.as_mixture(parameters), rtol=1e-12)


# Independent software, and by hand


@given(problems())
def test_responsibilities_are_bayes_rule_on_scipys_densities(problem):
    x, start = problem
    joint = start.weights * stats.norm.pdf(x[:, None], start.means, start.stds)
    expected = joint / joint.sum(axis=1, keepdims=True)
    assert_allclose(arrays.e_step(x, start), expected, rtol=1e-11)


@given(responsibilities())
def test_m_step_is_numpys_weighted_average(case):
    x, resp = case
    fitted = arrays.m_step(x, resp)
    for k in range(resp.shape[1]):
        mean = np.average(x, weights=resp[:, k])
        variance = np.average((x - mean) ** 2, weights=resp[:, k])
        assert_allclose(fitted.means[k], mean, rtol=1e-12, atol=1e-11)
        assert_allclose(fitted.stds[k], np.sqrt(variance), rtol=1e-12, atol=1e-11)
        assert_allclose(fitted.weights[k], resp[:, k].mean(), rtol=1e-12)


def test_one_e_step_by_hand():
    resp = arrays.e_step(np.array([66.0]), mixture([0.5, 0.5], [50, 80], [5, 5]))
    assert_allclose(resp, [[1 / (1 + np.exp(1.2)), 1 / (1 + np.exp(-1.2))]], rtol=1e-13)


def test_one_m_step_by_hand():
    resp = np.array([[1, 0], [1, 0], [0.5, 0.5], [0, 1], [0, 1]])
    fitted = arrays.m_step(np.array([50, 54, 66, 78, 82]), resp)
    expected = mixture([0.5, 0.5], [54.8, 77.2], np.sqrt([34.56, 34.56]))
    assert_same_mixture(fitted, expected, rtol=1e-14)


# Published numbers


def test_converged_fit_is_that_of_mixtools_mclust_and_scikit_learn(waiting):
    fitted = DOCUMENT_START
    for _ in range(150):
        fitted = arrays_step(waiting, fitted)
    assert_same_mixture(sorted_by_mean(fitted), CONVERGED, rtol=1e-6)


def test_soft_counts_of_the_waits(waiting):
    resp = arrays.e_step(waiting, mixture([0.5, 0.5], [50, 80], [5, 5]))
    assert_allclose(resp.sum(axis=0), (94.8005, 177.1995), rtol=0, atol=6e-5)


# Where it breaks, which chapter 03 shows


def test_thirteen_galaxies_underflow_and_nan_is_everywhere(galaxies):
    with np.errstate(invalid="ignore"):
        resp = arrays.e_step(galaxies, GALAXIES_START)
        fitted = arrays.m_step(galaxies, resp)
    rows = np.isnan(resp)
    assert rows.all(axis=1).sum() == rows.any(axis=1).sum() == 13
    assert np.isnan(fitted).all()


def test_galaxies_warn_where_nobody_silences_numpy(galaxies):
    with pytest.warns(RuntimeWarning, match="invalid value"):
        arrays.e_step(galaxies, GALAXIES_START)


@pytest.mark.parametrize(
    ("mixture", "last_good", "first_bad"),
    [
        pytest.param(CONVERGED, 306, 307, id="above the fit"),
        pytest.param(CONVERGED, -171, -172, id="below the fit"),
        pytest.param(DOCUMENT_START, 595, 605, id="the document's start"),
    ],
)
def test_how_far_a_wait_may_be(mixture, last_good, first_bad):
    with np.errstate(invalid="ignore"):
        resp = arrays.e_step(np.array([last_good, first_bad, 66.0]), mixture)
    assert np.isnan(resp).tolist() == [[False, False], [True, True], [False, False]]


def test_equal_means_and_equal_widths_never_come_apart(waiting):
    std = DOCUMENT_START.stds[0]
    fitted = mixture([0.5, 0.5], [70, 70], [std, std])
    for _ in range(20):
        fitted = arrays_step(waiting, fitted)
    expected = mixture([0.5, 0.5], [70.8971, 70.8971], [13.5700, 13.5700])
    assert_same_mixture(fitted, expected, rtol=5e-6)  # as printed, four decimals
    expected = mixture([0.5, 0.5], np.mean([waiting] * 2, axis=1), np.std([waiting] * 2, axis=1))
    assert_same_mixture(fitted, expected, rtol=1e-13)


def test_inputs_are_left_alone(waiting):
    before = waiting.copy(), mixture(*DOCUMENT_START)
    resp = arrays.e_step(waiting, DOCUMENT_START)
    kept = resp.copy()
    arrays.m_step(waiting, resp)
    assert_allclose(waiting, before[0], rtol=0)
    assert_allclose(resp, kept, rtol=0)
    assert_same_mixture(DOCUMENT_START, before[1], rtol=0)
