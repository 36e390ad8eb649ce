import warnings

import numpy as np
import pytest
from cases import (
    CONVERGED,
    DOCUMENT_START,
    FIVE_BELLS,
    GALAXIES_START,
    arrays_step,
    assert_same_mixture,
    logspace_history,
    logspace_step,
    mixture,
    problems,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special, stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from emtools import Mixture, arrays, logspace
from emtools.predict import sorted_by_mean


@st.composite
def far_problems(draw):
    """Observations as far from the bells as 1e6 widths, where densities are long zero."""
    x, start = draw(problems())
    return x * draw(st.floats(1, 1e6)), start


# Properties


@given(far_problems())
def test_responsibilities_sum_to_one_however_far(problem):
    x, start = problem
    resp, log_likelihood = logspace.e_step(x, start)
    assert resp.shape == (len(x), len(start.weights))
    assert (resp >= 0).all()
    # log_joint has about eps |log_joint| of rounding, which exp turns into a relative error.
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-14 + 1e-15 * abs(log_likelihood))
    assert np.ndim(log_likelihood) == 0
    assert np.isfinite(log_likelihood)


@given(far_problems())
def test_the_log_likelihood_never_falls(problem):
    x, start = problem
    resp, before = logspace.e_step(x, start)
    assume(resp.sum(axis=0).min() > 1e-8)  # or the component vanishes
    fitted = logspace.m_step(x, resp)
    assume(fitted.stds.min() > 1e-9 * np.std(x))  # or it collapses; both are chapter 06's
    _, after = logspace.e_step(x, fitted)
    assert after >= before - 1e-9 * max(1, abs(before))


@pytest.mark.parametrize("start", [DOCUMENT_START, FIVE_BELLS])
def test_the_log_likelihood_of_the_waits_never_falls(waiting, start):
    history, _ = logspace_history(waiting, start, 300)
    assert np.diff(history).min() >= -1e-9 * np.abs(history).max()
    assert history[-1] > history[0] + 1


@given(problems(), st.randoms())
def test_permuting_the_components_permutes_the_answer(problem, random):
    x, start = problem
    order = list(range(len(start.weights)))
    random.shuffle(order)
    permuted = mixture(*(part[order] for part in start))
    resp, log_likelihood = logspace.e_step(x, start)
    permuted_resp, permuted_log_likelihood = logspace.e_step(x, permuted)
    assert_allclose(permuted_resp, resp[:, order], rtol=1e-11)
    assert_allclose(permuted_log_likelihood, log_likelihood, rtol=1e-12)


@given(problems(), st.floats(0.1, 10), st.floats(-10, 10), st.sampled_from([-1, 1]))
def test_shifting_and_scaling_x_shifts_and_scales_the_answer(problem, size, shift, sign):
    x, (weights, means, stds) = problem
    scale = sign * size
    once, log_likelihood = logspace_step(x, mixture(weights, means, stds))
    moved, moved_log_likelihood = logspace_step(
        scale * x + shift, mixture(weights, scale * means + shift, size * stds)
    )
    expected = mixture(once.weights, scale * once.means + shift, size * once.stds)
    assert_same_mixture(moved, expected, rtol=1e-10, unit=100)
    # The density has the unit 1 / (unit of x).
    expected = log_likelihood - len(x) * np.log(size)
    assert_allclose(moved_log_likelihood, expected, rtol=1e-11, atol=1e-9)


# The rung below


@given(problems())
def test_the_e_step_is_that_of_arrays(problem):
    x, start = problem
    resp, log_likelihood = logspace.e_step(x, start)
    assert_allclose(resp, arrays.e_step(x, start), rtol=1e-11)
    pdf = np.exp(-0.5 * ((x[:, None] - start.means) / start.stds) ** 2) / start.stds
    density = (start.weights * pdf).sum(axis=1) / np.sqrt(2 * np.pi)
    assert_allclose(log_likelihood, np.log(density).sum(), rtol=1e-12, atol=1e-12)


def test_the_m_step_is_that_of_arrays():
    assert logspace.m_step is arrays.m_step


@pytest.mark.parametrize("start", [DOCUMENT_START, FIVE_BELLS])
def test_a_hundred_iterations_are_those_of_arrays(waiting, start):
    by_arrays = by_logspace = start
    for _ in range(100):
        by_arrays = arrays_step(waiting, by_arrays)
        by_logspace, _ = logspace_step(waiting, by_logspace)
        assert_same_mixture(by_logspace, by_arrays, rtol=1e-12)


# Independent software


@given(far_problems())
def test_e_step_is_that_of_scipy(problem):
    x, start = problem
    joint = np.log(start.weights) + stats.norm.logpdf(x[:, None], start.means, start.stds)
    log_density = special.logsumexp(joint, axis=1, keepdims=True)
    resp, log_likelihood = logspace.e_step(x, start)
    assert_allclose(log_likelihood, log_density.sum(), rtol=1e-13)
    rounding = 1e-14 * np.abs(joint).max()
    assert_allclose(resp, np.exp(joint - log_density), rtol=1e-11 + rounding, atol=rounding)


@pytest.mark.parametrize(
    ("start", "n_iterations"),
    [(DOCUMENT_START, 50), (FIVE_BELLS, 50), (DOCUMENT_START, 1), (FIVE_BELLS, 2)],
)
def test_scikit_learn_takes_the_same_steps(waiting, start, n_iterations):
    history, fitted = logspace_history(waiting, start, n_iterations)
    peer, log_likelihood = scikit_learn(waiting, start, n_iterations)
    assert_same_mixture(fitted, peer, rtol=1e-10)
    assert_allclose(history[-1], log_likelihood, rtol=1e-12)


def test_scikit_learn_takes_the_same_steps_on_the_galaxies(galaxies):
    history, fitted = logspace_history(galaxies, GALAXIES_START, 50)
    peer, log_likelihood = scikit_learn(galaxies, GALAXIES_START, 50)
    assert_same_mixture(fitted, peer, rtol=1e-10)
    assert_allclose(history[-1], log_likelihood, rtol=1e-12)


def scikit_learn(x, start, n_iterations):
    """Where scikit-learn's EM is after exactly so many iterations, and the log-likelihood there."""
    model = GaussianMixture(
        n_components=len(start.weights),
        tol=0,
        reg_covar=0,
        max_iter=n_iterations,
        weights_init=start.weights,
        means_init=start.means[:, None],
        precisions_init=1 / start.stds[:, None, None] ** 2,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # tol=0 never converges: as meant
        model.fit(x[:, None])
    stds = np.sqrt(model.covariances_.ravel())
    return Mixture(model.weights_, model.means_.ravel(), stds), model.score(x[:, None]) * len(x)


# Published numbers


def test_converged_fit_is_that_of_mixtools_mclust_and_scikit_learn(waiting):
    history, fitted = logspace_history(waiting, DOCUMENT_START, 150)
    assert_same_mixture(sorted_by_mean(fitted), CONVERGED, rtol=1e-6)
    assert_allclose(history[-1], -1034.00174983161, rtol=1e-12)


def test_log_likelihoods_from_the_documents_start(waiting):
    history, _ = logspace_history(waiting, DOCUMENT_START, 100)
    expected = (-1112.5050, -1046.8711, -1038.4399, -1034.6224)
    assert_allclose([history[n] for n in (0, 1, 2, 5)], expected, rtol=0, atol=6e-5)
    expected = (-1034.00174987, -1034.00174983)
    assert_allclose([history[n] for n in (25, 100)], expected, rtol=0, atol=6e-9)


def test_weights_of_one_make_the_first_log_likelihood_too_high(waiting):
    ones = mixture([1, 1], DOCUMENT_START.means, DOCUMENT_START.stds)
    history, _ = logspace_history(waiting, ones, 1)
    assert_allclose(history, (-923.9690, -1046.8711), rtol=0, atol=6e-5)
    start, _ = logspace_history(waiting, DOCUMENT_START, 0)
    assert_allclose(history[0] - start[0], 272 * np.log(2), rtol=1e-12)


def test_galaxies_go_where_scikit_learn_goes(galaxies):
    total = np.exp(logspace.log_joint(galaxies, GALAXIES_START)).sum(axis=1)
    assert np.count_nonzero(total) == 82 - 13  # in exp space 13 rows are 0 / 0
    history, fitted = logspace_history(galaxies, GALAXIES_START, 150)
    assert_allclose(history[:3], (-64480.3522, -813.1343, -806.9238), rtol=0, atol=6e-5)
    assert_allclose(history[-1], -786.6792100289, rtol=1e-12)
    expected = mixture(
        [0.25475647, 0.74524353], [19276.533741, 21358.587367], [8189.973015, 1890.295314]
    )
    assert_same_mixture(fitted, expected, rtol=1e-7)


def test_a_log_likelihood_has_a_unit(galaxies):
    in_km, _ = logspace_history(galaxies, GALAXIES_START, 150)
    weights, means, stds = GALAXIES_START
    in_1000_km, _ = logspace_history(
        galaxies / 1000, mixture(weights, means / 1000, stds / 1000), 150
    )
    assert_allclose(in_1000_km[-1], -220.2433, rtol=0, atol=6e-5)
    assert_allclose(in_km[-1], in_1000_km[-1] - 82 * np.log(1000), rtol=1e-12)


def test_one_two_three():
    history, _ = logspace_history(np.array([1, 2, 3]), mixture([0.5, 0.5], [1, 3], [1, 1]), 2)
    assert_allclose(history, (-4.3893, -3.5492, -3.4868), rtol=0, atol=6e-5)


def test_whose_are_the_waits_between_the_bells():
    resp, _ = logspace.e_step(np.arange(60, 71), CONVERGED)
    expected = (0.992, 0.984, 0.967, 0.934, 0.871, 0.763, 0.606, 0.424, 0.260, 0.143, 0.074)
    assert_allclose(resp[:, 0], expected, rtol=0, atol=6e-4)


@pytest.mark.parametrize("far", [307, 310, 400, 1000, 1e6, -1e6])
def test_a_wait_however_far_has_an_answer(far):
    with np.errstate(invalid="ignore"):
        assert np.isnan(arrays.e_step(np.array([far]), CONVERGED)).all()
    resp, log_likelihood = logspace.e_step(np.array([far]), CONVERGED)
    assert_allclose(resp.sum(), 1, rtol=1e-15)
    assert np.isfinite(log_likelihood)


def test_a_wait_of_400_minutes_belongs_to_the_long_bell():
    resp, _ = logspace.e_step(np.array([400.0]), CONVERGED)
    assert_allclose(resp, [[5.6e-107, 1]], rtol=0.01)


def test_the_cure_for_underflow_uncovers_collapse(waiting):
    _, converged = logspace_history(waiting, DOCUMENT_START, 150)
    far = np.append(waiting, 1000.0)
    history, fitted = logspace_history(far, converged, 13)
    # 157 widths away, the eighth digit of the fit shows in the eighth of the log-likelihood.
    assert_allclose(history[:2], (-13326.2005, -1452.4654), rtol=1e-7)
    fitted, _ = logspace_step(far, fitted)
    k = np.argmin(fitted.stds)
    assert_allclose(fitted.means[k], 1000, rtol=1e-12)
    assert_allclose(fitted.stds[k], 0, atol=1e-9)


def test_a_product_of_densities_is_zero_where_its_logarithm_is_not(waiting):
    joint = logspace.log_joint(waiting, CONVERGED)
    product = np.cumprod(np.exp(joint).sum(axis=1))
    assert np.count_nonzero(product) == 196  # after 197 waits it is 0
    _, log_likelihood = logspace.e_step(waiting, CONVERGED)
    assert_allclose(log_likelihood, -1034.0017, rtol=0, atol=6e-5)
    assert_allclose(np.exp(log_likelihood), 0, atol=0)


# Where float64 ends


def test_where_float64_ends():
    z = np.array([38.6, 38.604])
    assert (np.exp(-(z**2) / 2) > 0).tolist() == [True, False]
    assert_allclose(np.exp(-(38.6**2) / 2), 5e-324, rtol=0.1)
    assert (np.exp([-745.13, -745.14]) > 0).tolist() == [True, False]
    assert (np.exp(np.float32([-103.97, -103.98])) > 0).tolist() == [True, False]


def test_a_component_of_weight_zero_gets_nothing():
    with np.errstate(divide="ignore"):  # log(0)
        resp, log_likelihood = logspace.e_step(
            np.array([1.0, 9, 5]), mixture([1, 0], [0, 9], [1, 1])
        )
    assert_allclose(resp, [[1, 0]] * 3, rtol=1e-15)
    assert_allclose(log_likelihood, stats.norm.logpdf([1, 9, 5]).sum(), rtol=1e-14)


def test_inputs_are_left_alone(waiting):
    before = waiting.copy(), mixture(*DOCUMENT_START)
    logspace.e_step(waiting, DOCUMENT_START)
    assert_allclose(waiting, before[0], rtol=0)
    assert_same_mixture(DOCUMENT_START, before[1], rtol=0)
