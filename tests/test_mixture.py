import numpy as np
import pytest
from cases import CONVERGED, FIVE_BELLS, mixture, problems
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special, stats

from emtools.mixture import log_density, log_joint

# The log density


@given(problems())
def test_log_joint_is_log_weight_plus_scipys_log_density(problem):
    x, start = problem
    expected = np.log(start.weights) + stats.norm.logpdf(x[:, None], start.means, start.stds)
    assert_allclose(log_joint(x, start), expected, rtol=1e-12, atol=1e-12)


@given(problems())
def test_log_density_is_scipys_logsumexp(problem):
    x, start = problem
    expected = special.logsumexp(log_joint(x, start), axis=1)
    assert log_density(x, start).shape == x.shape
    assert_allclose(log_density(x, start), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("start", [CONVERGED, FIVE_BELLS])
def test_the_density_integrates_to_one(start):
    x = np.linspace(-50, 200, 5001)
    assert_allclose(np.trapezoid(np.exp(log_density(x, start)), x), 1, rtol=1e-6)


def test_the_log_density_far_away_is_finite():
    assert_allclose(log_density(np.array([1e9]), mixture([1], [0], [1])), -5e17, rtol=1e-12)


def test_log_likelihood_of_the_waits(waiting):
    assert_allclose(log_density(waiting, CONVERGED).sum(), -1034.00174983161, rtol=1e-12)


@given(problems(), st.randoms())
def test_permuting_the_components_changes_no_density(problem, random):
    x, start = problem
    order = list(range(len(start.weights)))
    random.shuffle(order)
    permuted = mixture(*(part[order] for part in start))
    assert_allclose(log_joint(x, permuted), log_joint(x, start)[:, order], rtol=1e-15)
    assert_allclose(log_density(x, permuted), log_density(x, start), rtol=1e-12, atol=1e-12)


def test_log_sum_exp_by_hand():
    joint = np.array([[-1000, -1000], [-1000, -1001], [0, -800], [1000, 1000], [-np.inf, -np.inf]])
    expected = (-999.3069, -999.6867, 0, 1000.6931, -np.inf)
    assert_allclose(np.logaddexp.reduce(joint, axis=1), expected, rtol=0, atol=6e-5)
