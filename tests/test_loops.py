import numpy as np
import pytest
from cases import (
    CONVERGED,
    DOCUMENT_START,
    WAITING_STD,
    assert_same_mixture,
    mixture,
    problems,
)
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from emtools import data, loops
from emtools.predict import sorted_by_mean

START = (77.0, 53.0, WAITING_STD, WAITING_STD / 2, 1, 1)  # what the document's seed 0 draws

# The document's own loop, run as published (NumPy 2.3.5, np.random.seed(0)).
PUBLISHED = dict(zip(*data.document_iterates(), strict=True))
RTOL = {1: 1e-12, 2: 1e-12, 5: 1e-12, 25: 1e-10, 100: 1e-10}


def run(x, parameters, n_iterations):
    for _ in range(n_iterations):
        parameters = loops.m_step(x, loops.e_step(x, parameters))
    return parameters


def flat(start):
    """The six scalars of a `Mixture` of two, in the document's order."""
    return *start.means, *start.stds, *start.weights


# Properties


@given(problems(max_components=2))
def test_responsibilities_sum_to_one(problem):
    x, start = problem
    resp = np.array(loops.e_step(x, flat(start)))
    assert resp.shape == (len(x), 2)
    assert (resp >= 0).all()
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-14)


def test_one_hot_responsibilities_give_the_classes():
    resp = [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]]
    result = loops.m_step([1, 2, 3, 10, 14], resp)
    assert_allclose(result, (2, 12, np.sqrt(2 / 3), 2, 0.6, 0.4), rtol=1e-14)


@given(problems(max_components=2))
def test_exchanging_the_components_exchanges_the_answer(problem):
    x, start = problem
    exchange = [1, 0, 3, 2, 5, 4]
    once = run(x, flat(start), 1)
    swapped = run(x, tuple(np.array(flat(start))[exchange]), 1)
    assert_allclose(np.array(swapped)[exchange], once, rtol=1e-12, atol=1e-12)


@given(problems(max_components=2), st.floats(0.1, 10), st.floats(-10, 10))
def test_shifting_and_scaling_x_shifts_and_scales_the_answer(problem, scale, shift):
    x, (weights, means, stds) = problem
    once = loops.as_mixture(run(x, (*means, *stds, *weights), 1))
    moved = run(scale * x + shift, (*(scale * means + shift), *(scale * stds), *weights), 1)
    expected = mixture(once.weights, scale * once.means + shift, scale * once.stds)
    assert_same_mixture(loops.as_mixture(moved), expected, rtol=1e-10, unit=100)


@given(problems(max_components=2), st.floats(0.01, 100))
def test_a_common_factor_in_the_weights_cancels(problem, factor):
    x, (weights, means, stds) = problem
    plain = loops.e_step(x, (*means, *stds, *weights))
    assert_allclose(loops.e_step(x, (*means, *stds, *(factor * weights))), plain, rtol=1e-12)


# Independent software, and by hand


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(10, 100))
def test_normal_pdf_is_that_of_scipy(x_n, mean, std):
    assert_allclose(loops.normal_pdf(x_n, mean, std), stats.norm.pdf(x_n, mean, std), rtol=1e-12)


def test_one_e_step_by_hand():
    resp = loops.e_step([66], (50, 80, 5, 5, 0.5, 0.5))  # z = 3.2 and -2.8
    assert_allclose(resp, [[1 / (1 + np.exp(1.2)), 1 / (1 + np.exp(-1.2))]], rtol=1e-13)


def test_one_m_step_by_hand():
    resp = [[1, 0], [1, 0], [0.5, 0.5], [0, 1], [0, 1]]
    result = loops.m_step([50, 54, 66, 78, 82], resp)
    assert_allclose(result, (54.8, 77.2, np.sqrt(34.56), np.sqrt(34.56), 0.5, 0.5), rtol=1e-14)


# Published numbers


def test_the_draws_of_the_document(waiting):
    start = loops.em(waiting, 0, np.random.RandomState(0))
    assert_allclose(np.hstack(start), START, rtol=1e-15)


@pytest.mark.parametrize("n_iterations", PUBLISHED)
def test_the_documents_own_loop_from_its_draws(waiting, n_iterations):
    parameters = loops.em(waiting, n_iterations, np.random.RandomState(0))
    assert_allclose(np.hstack(parameters), PUBLISHED[n_iterations], rtol=RTOL[n_iterations])


@pytest.mark.parametrize("n_iterations", PUBLISHED)
def test_the_documents_own_loop_from_its_start(waiting, n_iterations):
    parameters = run(waiting, START, n_iterations)
    assert_allclose(parameters, PUBLISHED[n_iterations], rtol=RTOL[n_iterations])


def test_converged_fit_is_that_of_mixtools_mclust_and_scikit_learn(waiting):
    fitted = sorted_by_mean(loops.as_mixture(run(waiting, START, 100)))
    assert_same_mixture(fitted, CONVERGED, rtol=1e-6)


def test_from_weights_nine_to_one(waiting):
    parameters = run(waiting, (*START[:4], 9, 1), 1)
    expected = (74.2955, 52.1903, 11.7534, 4.8840, 0.8463, 0.1537)
    assert_allclose(parameters, expected, rtol=0, atol=6e-5)
    assert_allclose(run(waiting, parameters, 99), PUBLISHED[100], rtol=1e-5)


def test_equal_means_with_unequal_widths_come_apart(waiting):
    start = tuple(np.hstack(loops.em(waiting, 0, np.random.RandomState(52))))
    assert_allclose(start[:2], (81, 81), rtol=1e-15)
    assert_same_mixture(loops.as_mixture(run(waiting, start, 120)), CONVERGED, rtol=1e-5)


# The warts it keeps


def test_em_returns_one_element_arrays(waiting):
    for parameters in (
        loops.em(waiting, 0, np.random.RandomState(0))[:2],
        loops.em(waiting, 1, np.random.RandomState(0)),
        loops.em(waiting, 1, np.random.default_rng(0)),
    ):
        assert [np.shape(p) for p in parameters] == [(1,)] * len(parameters)


def test_weights_of_one_are_as_good_as_one_half(waiting):
    halves = (*START[:4], 0.5, 0.5)
    assert_allclose(run(waiting, START, 1), run(waiting, halves, 1), rtol=1e-15)


def test_a_far_point_collapses_a_bell_and_nothing_says_so(waiting):
    far = np.append(waiting, 1000.0)
    with np.errstate(all="ignore"):
        six, seven, eight = (loops.em(far, n, np.random.RandomState(0)) for n in (6, 7, 8))
    assert six[2] > 1
    assert_allclose(seven[0], 1000, rtol=1e-15)
    assert_allclose(seven[2], 0, rtol=0, atol=0)
    assert np.isnan(eight).all()


def test_equal_means_and_equal_widths_never_come_apart(waiting):
    stuck = run(waiting, (70, 70, WAITING_STD, WAITING_STD, 1, 1), 20)
    assert_allclose(stuck, (70.8971, 70.8971, 13.5700, 13.5700, 0.5, 0.5), rtol=0, atol=6e-5)
    assert_allclose(stuck[:2], waiting.mean(), rtol=1e-13)
    assert_allclose(stuck[2:4], waiting.std(), rtol=1e-13)


def test_a_constant_sample_gives_nan():
    with np.errstate(all="ignore"):
        assert np.isnan(loops.em(np.full(5, 3.0), 1, np.random.RandomState(0))).all()


# As a mixture


def test_as_mixture_keeps_the_order_and_rescales_nothing():
    expected = mixture([1, 9], [53, 77], [6, 14])
    assert_same_mixture(loops.as_mixture((53, 77, 6, 14, 1, 9)), expected, rtol=1e-15)
    boxed = loops.as_mixture([np.array([p]) for p in (53, 77, 6, 14, 1, 9)])
    assert_same_mixture(boxed, expected, rtol=1e-15)
    assert [part.shape for part in boxed] == [(2,)] * 3


def test_the_start_as_a_mixture(waiting):
    weights, means, stds = loops.as_mixture(loops.em(waiting, 0, np.random.RandomState(0)))
    assert_same_mixture(mixture(weights / 2, means, stds), DOCUMENT_START, rtol=1e-15)


def test_inputs_are_left_alone(waiting):
    before = waiting.copy()
    resp = loops.e_step(waiting, START)
    kept = np.array(resp)
    loops.m_step(waiting, resp)
    loops.em(waiting, 1, np.random.RandomState(0))
    assert_allclose(waiting, before, rtol=0)
    assert_allclose(resp, kept, rtol=0)
