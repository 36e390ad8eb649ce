import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from emtools import bound, data
from emtools.em import iterate
from emtools.logspace import e_step, m_step
from emtools.mixture import Mixture, log_joint

WAITING = data.waiting()
START = Mixture(np.array([0.5, 0.5]), np.array([50.0, 80.0]), np.array([5.0, 5.0]))

# Two coins, Do and Batzoglou (2008): heads in five sets of ten tosses.
HEADS, TOSSES = np.array([5, 9, 8, 4, 7]), 10


def coins_log_joint(chances):
    heads = HEADS[:, None] * np.log(chances) + (TOSSES - HEADS[:, None]) * np.log1p(-chances)
    return np.log(0.5) + heads


def coins_step(chances):
    joint = coins_log_joint(chances)
    resp = np.exp(bound.log_posterior(joint))
    return HEADS @ resp / (TOSSES * resp.sum(axis=0)), bound.lower_bound(joint, resp)


def random_problem(rng):
    """Waiting times under a random mixture, and a random table q with some zeros in it."""
    n_components = int(rng.integers(2, 5))
    mixture = Mixture(
        rng.dirichlet(np.ones(n_components)),
        rng.uniform(40, 100, n_components),
        rng.uniform(1, 30, n_components),
    )
    resp = rng.dirichlet(np.full(n_components, 0.3), size=len(WAITING))
    resp[rng.random(len(WAITING)) < 0.1] = np.eye(n_components)[0]
    return log_joint(WAITING, mixture), resp


def test_log_likelihood_is_bound_plus_kl_at_100_random_problems():
    rng = np.random.default_rng(4)
    for _ in range(100):
        joint, resp = random_problem(rng)
        log_likelihood = np.logaddexp.reduce(joint, axis=1).sum()
        kl = bound.kl_divergence(resp, bound.log_posterior(joint))
        assert_allclose(bound.lower_bound(joint, resp) + kl, log_likelihood, rtol=1e-12)
        assert kl > 0


def test_linkage_log_likelihood_is_bound_plus_kl_at_100_random_problems():
    rng = np.random.default_rng(5)
    for resp, theta in rng.uniform(0.001, 0.999, (100, 2)):
        right = bound.linkage_e_step(theta)
        kl = 125 * (resp * np.log(resp / right) + (1 - resp) * np.log((1 - resp) / (1 - right)))
        log_likelihood = bound.linkage_log_likelihood(theta)
        assert_allclose(bound.linkage_bound(resp, theta) + kl, log_likelihood, rtol=1e-12)


def test_bound_touches_after_the_e_step():
    resp, log_likelihood = e_step(WAITING, START)
    joint = log_joint(WAITING, START)
    assert_allclose(bound.lower_bound(joint, resp), log_likelihood, rtol=1e-14)
    assert_allclose(bound.kl_divergence(resp, bound.log_posterior(joint)), 0, atol=1e-12)
    theta = np.linspace(0.05, 0.95, 19)
    touching = bound.linkage_bound(bound.linkage_e_step(theta), theta)
    assert_allclose(touching, bound.linkage_log_likelihood(theta), rtol=1e-14)


def test_linkage_bound_is_below_everywhere_and_its_top_is_the_m_step():
    theta = np.linspace(0.001, 0.999, 999)
    for resp in (0.1, 0.2, 0.5, 0.9):
        curve = bound.linkage_bound(resp, theta)
        assert np.all(curve <= bound.linkage_log_likelihood(theta))
        top = bound.linkage_m_step(resp)
        assert np.all(curve <= bound.linkage_bound(resp, top))
        assert abs(theta[curve.argmax()] - top) < 1e-3


def test_q_rises_in_the_m_step_of_old_faithful():
    """Numbers computed independently: Q, entropy and bound on both sides of one M-step."""
    resp, log_likelihood = e_step(WAITING, START)
    new = m_step(WAITING, resp)
    before, after = log_joint(WAITING, START), log_joint(WAITING, new)
    seen = [
        bound.expected_log_joint(before, resp),
        bound.entropy(resp),
        log_likelihood,
        bound.expected_log_joint(after, resp),
        bound.lower_bound(after, resp),
        e_step(WAITING, new)[1],
    ]
    said = [-1097.2293, 7.4484, -1089.7809, -1042.7982, -1035.3498, -1034.4536]
    assert_allclose(seen, said, atol=5e-5, rtol=0)


def test_bound_of_an_ignorant_and_of_a_hard_q():
    joint = log_joint(WAITING, START)
    ignorant = np.full((len(WAITING), 2), 0.5)
    assert_allclose(bound.lower_bound(joint, ignorant), -3102.6384, atol=5e-5, rtol=0)
    gap = bound.kl_divergence(ignorant, bound.log_posterior(joint))
    assert_allclose(gap, 2012.8575, atol=5e-5, rtol=0)
    hard = np.eye(2)[joint.argmax(axis=1)]
    assert_allclose(bound.lower_bound(joint, hard), -1093.9744, atol=5e-5, rtol=0)


def test_an_impossible_label_counts_for_nothing():
    joint = np.array([[np.log(0.5), -np.inf], [np.log(0.25), np.log(0.25)]])
    resp = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert_allclose(bound.lower_bound(joint, resp), 2 * np.log(0.5), rtol=1e-15)
    assert_allclose(bound.log_posterior(joint)[0], [0, -np.inf])
    assert_allclose(bound.kl_divergence(resp, bound.log_posterior(joint)), 0, atol=1e-15)


@given(st.integers(1, 30), st.integers(1, 6))
def test_entropy_lies_between_sure_and_ignorant(n_samples, n_components):
    ignorant = np.full((n_samples, n_components), 1 / n_components)
    assert_allclose(bound.entropy(ignorant), n_samples * np.log(n_components), atol=1e-12)
    assert bound.entropy(np.eye(n_components)) == 0
    rng = np.random.default_rng(n_samples)
    some = rng.dirichlet(np.ones(n_components), size=n_samples)
    assert -1e-12 <= bound.entropy(some) <= n_samples * np.log(n_components) + 1e-12


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_bound_never_exceeds_the_log_likelihood(seed):
    joint, resp = random_problem(np.random.default_rng(seed))
    assert bound.lower_bound(joint, resp) <= np.logaddexp.reduce(joint, axis=1).sum()


def test_linkage_is_the_published_data():
    assert_allclose(bound.LINKAGE, data.linkage(), rtol=0)


def test_linkage_iterates():
    """Recomputed with 40 digits (mpmath); the table of Dempster, Laird and Rubin (1977)."""
    said = data.linkage_iterates()[1][:9]
    theta = [0.5]
    for _ in range(8):
        theta.append(bound.linkage_step(theta[-1])[0])
    assert_allclose(theta, said, rtol=1e-12)


def test_linkage_limit_is_the_root_of_its_quadratic():
    fit = iterate(bound.linkage_step, 0.5)
    assert fit.converged
    theta = fit.parameters
    for _ in range(20):  # the log-likelihood is flat at the top: 20 more steps settle theta
        theta = bound.linkage_step(theta)[0]
    assert_allclose(theta, 0.62682149787098241421, rtol=1e-14)
    assert_allclose(theta, (15 + np.sqrt(15**2 + 4 * 197 * 68)) / (2 * 197), rtol=1e-14)


def test_linkage_lengths_of_the_picture():
    theta, first = bound.linkage_step(0.5)
    top = bound.linkage_bound(bound.linkage_e_step(0.5), theta)
    second = bound.linkage_step(theta)[1]
    assert_allclose(theta, 59 / 97, rtol=1e-15)
    assert_allclose([first, top, second], [-208.4702447, -206.1789498, -205.7798187], atol=5e-8)
    third = bound.linkage_step(theta)[0]
    tops = [
        bound.linkage_bound(bound.linkage_e_step(theta), third),
        bound.linkage_log_likelihood(third),
    ]
    assert_allclose(tops, [-205.7247028, -205.7170642], atol=5e-8)


@pytest.mark.parametrize("heads_and_tails_swapped", [False, True])
def test_two_coins_after_1_10_and_in_the_limit(heads_and_tails_swapped, monkeypatch):
    """Recomputed with mpmath from Do and Batzoglou's start (.6, .5)."""
    start = np.array([0.6, 0.5])
    said = {
        1: [0.7130122354005161, 0.5813393083136626],
        10: [0.7967441494752116, 0.5196586622041123],
        200: [0.7967890669226469, 0.5195831201451351],
    }
    if heads_and_tails_swapped:  # the same story told of tails
        monkeypatch.setitem(globals(), "HEADS", TOSSES - HEADS)
        start = 1 - start
    for n_steps, chances in said.items():
        fit = iterate(coins_step, start, tol=0, max_iter=n_steps)
        seen = 1 - fit.parameters if heads_and_tails_swapped else fit.parameters
        assert_allclose(seen, chances, rtol=1e-12)
    assert_allclose(fit.history[0], -33.09386251983316, rtol=1e-12)
    assert_allclose(fit.log_likelihood, -31.5702002359969, rtol=1e-12)
