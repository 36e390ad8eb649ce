"""Standard errors: three ways that agree, published numbers, and refusals."""

import math
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pytest
from cases import mixture
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as some_arrays
from numpy.testing import assert_allclose

from emtools import (
    Mixture,
    MultivariateMixture,
    data,
    fit,
    logspace,
    missing,
    multivariate,
)
from emtools.acceleration import climb_in_leaps
from emtools.bound import LINKAGE, linkage_step
from emtools.collapse import Collapse
from emtools.em import step_on
from emtools.mixture import log_density, log_joint
from emtools.uncertainty import (
    bootstrap,
    by_jacobian,
    by_louis,
    cheapest,
    complete_information,
    map_jacobian,
    matched,
    missing_information,
    uncertainty,
)

LINKAGE_END = 0.62682149787098241421


def linkage_log_joint(theta):
    """Rows are classes, columns the two parts of the first; the others have one part only."""
    middle, last = np.log((1 - theta) / 4), np.log(theta / 4)
    table = [[np.log(0.5), last], [-np.inf, middle], [-np.inf, middle], [-np.inf, last]]
    return np.array(table, float)


class Coins(NamedTuple):
    chances: np.ndarray


HEADS = np.array([5, 9, 8, 4, 7])[:, None]  # of ten tosses each


def coins_log_joint(coins):
    return np.log(0.5) + HEADS * np.log(coins.chances) + (10 - HEADS) * np.log1p(-coins.chances)


def coins_step(coins):
    table = coins_log_joint(coins)
    log_likelihood = np.logaddexp.reduce(table, axis=1)
    resp = np.exp(table - log_likelihood[:, None])
    return Coins((HEADS * resp).sum(axis=0) / (10 * resp.sum(axis=0))), float(log_likelihood.sum())


def of_waits(mixture):
    return log_joint(data.waiting(), mixture)


@pytest.fixture(scope="module")
def waits():
    """The step on the waits, and where two bells end."""
    step = step_on(data.waiting(), logspace.e_step, logspace.m_step)
    start = mixture([0.5, 0.5], [50, 80], [5, 5])
    return step, climb_in_leaps(step, start, 1e-13, 500).parameters


# Published numbers


def test_linkage_by_two_routes():
    complete = complete_information(linkage_log_joint, LINKAGE_END, LINKAGE)
    missing = missing_information(linkage_log_joint, LINKAGE_END, LINKAGE)
    assert_allclose(complete, [[435.317853799]], rtol=1e-8)
    assert_allclose(missing, [[57.8009534043]], rtol=1e-8)
    louis = by_louis(linkage_log_joint, LINKAGE_END, LINKAGE)
    jacobian = by_jacobian(linkage_step, LINKAGE_END, 435.317853799)
    for found in (louis, jacobian):
        assert_allclose(found.errors, 0.0514673492009, rtol=1e-8)
        assert_allclose(found.covariance, [[0.00264888803377]], rtol=1e-8)
        assert_allclose(found.rates, [0.132778733746], rtol=1e-8)
        assert found.names == ("parameter",)


def test_waits_with_two_bells(waits):
    """EXERCISES 11, from a program of its own."""
    step, end = waits
    complete = complete_information(of_waits, end)
    for found in (by_louis(of_waits, end), by_jacobian(step, end, complete)):
        assert_allclose(found.errors.means, [0.6997, 0.5046], rtol=1e-4)
        assert_allclose(found.errors.stds, [0.537, 0.401], rtol=1e-3)
        assert_allclose(found.errors.weights, [0.0312, 0.0312], rtol=2e-3)
        assert_allclose(found.rates[0], 0.658052, rtol=1e-6)
    known = uncertainty(complete, complete, end)
    assert_allclose(known.errors.means, [0.5926, 0.4450], rtol=1e-4)
    assert_allclose(known.errors.stds, [0.419, 0.315], rtol=1e-3)
    assert_allclose(known.errors.weights, [0.0291, 0.0291], rtol=2e-3)


# Against second differences of the log-likelihood itself, in the parameters themselves


def hessian(function, place, steps):
    """Second differences, extrapolated from two sizes."""

    def at_size(h):
        moves, n = np.diag(steps * h), len(place)
        return np.array([[
            sum(s * t * function(place + s * moves[i] + t * moves[j])
                for s in (1, -1) for t in (1, -1)) / (4 * h * h * steps[i] * steps[j])
            for j in range(n)] for i in range(n)])  # fmt: skip

    return (4 * at_size(1e-3) - at_size(2e-3)) / 3


def test_waits_against_the_curvature_of_the_log_likelihood(waits):
    x, end = data.waiting(), waits[1]

    def height(numbers):
        weight, *rest = numbers
        means, stds = np.reshape(rest, (2, 2))
        return log_density(x, Mixture(np.array([weight, 1 - weight]), means, stds)).sum()

    place = np.array([end.weights[0], *end.means, *end.stds])
    covariance = np.linalg.inv(-hessian(height, place, np.array([0.1, 1, 1, 1, 1])))
    found = by_louis(of_waits, end)
    free_ones = [0, 2, 3, 4, 5]  # the second weight is one minus the first
    assert_allclose(found.covariance[np.ix_(free_ones, free_ones)], covariance, rtol=1e-5)


def test_coins_against_the_curvature_of_the_log_likelihood():
    end = climb_in_leaps(coins_step, Coins(np.array([0.6, 0.5])), 1e-14, 500).parameters
    assert_allclose(end.chances, [0.7967890669226469, 0.5195831201451351], rtol=1e-7)

    def height(chances):
        return np.logaddexp.reduce(coins_log_joint(Coins(chances)), axis=1).sum()

    covariance = np.linalg.inv(-hessian(height, end.chances, np.array([0.1, 0.1])))
    complete = complete_information(coins_log_joint, end)
    for found in (by_louis(coins_log_joint, end), by_jacobian(coins_step, end, complete)):
        assert_allclose(found.covariance, covariance, rtol=1e-5)
        assert found.names == ("chances[0]", "chances[1]")


def test_one_bell_has_the_errors_of_the_textbook():
    x = data.waiting()
    n, std = len(x), np.std(x)
    one = mixture([1], [np.mean(x)], [std])
    found = by_louis(of_waits, one)
    assert_allclose(found.errors.means, std / math.sqrt(n), rtol=1e-8)
    assert_allclose(found.errors.stds, std / math.sqrt(2 * n), rtol=1e-8)
    assert_allclose(found.errors.weights, 0, atol=1e-9)
    assert_allclose(found.covariance[1, 2], 0, atol=1e-9)


def test_one_ellipse_has_the_errors_of_the_textbook():
    X = data.old_faithful()
    covariance = np.cov(X.T, ddof=0)
    one = MultivariateMixture(np.ones(1), X.mean(axis=0)[None], covariance[None])
    found = by_louis(lambda mixture: multivariate.log_joint(X, mixture), one)
    assert_allclose(found.covariance[1:3, 1:3], covariance / len(X), rtol=1e-6)
    variances = np.diag(covariance)
    wanted = (np.outer(variances, variances) + covariance**2) / len(X)
    assert_allclose(found.errors.covariances[0], np.sqrt(wanted), rtol=1e-6)
    assert found.names[-1] == "covariances[0, 1, 1]"


def test_two_ellipses_by_two_routes():
    X = data.old_faithful()
    step = step_on(X, multivariate.e_step, multivariate.m_step)

    def table(mixture):
        return multivariate.log_joint(X, mixture)

    means, shapes = np.array([[2.0, 55.0], [4.3, 80.0]]), np.array([np.diag([0.1, 36])] * 2)
    start = MultivariateMixture(np.array([0.4, 0.6]), means, shapes)
    end = climb_in_leaps(step, start, 1e-13, 500).parameters
    louis = by_louis(table, end)
    jacobian = by_jacobian(step, end, complete_information(table, end))
    assert_allclose(louis.covariance, jacobian.covariance, rtol=1e-5, atol=1e-9)


# Properties


def test_weights_have_errors_that_cancel(waits):
    found = by_louis(of_waits, waits[1])
    assert_allclose(found.covariance[:2].sum(axis=0), 0, atol=1e-8)
    assert (np.linalg.eigvalsh(found.covariance) > -1e-9).all()
    assert (found.rates < 1).all()


def test_other_units_and_other_orders(waits):
    end = waits[1]
    seconds = Mixture(end.weights, end.means * 60, end.stds * 60)
    found = by_louis(lambda mixture: log_joint(data.waiting() * 60, mixture), seconds)
    plain = by_louis(of_waits, end)
    assert_allclose(found.errors.means, plain.errors.means * 60, rtol=1e-6)
    assert_allclose(found.errors.weights, plain.errors.weights, rtol=1e-6)
    turned = by_louis(of_waits, Mixture(*(part[::-1] for part in end)))
    assert_allclose(turned.errors.means, plain.errors.means[::-1], rtol=1e-6)


def test_a_sample_weight_is_a_repeated_observation(waits):
    values, counts = np.unique(data.waiting(), return_counts=True)
    found = by_louis(lambda mixture: log_joint(values, mixture), waits[1], counts)
    assert_allclose(found.covariance, by_louis(of_waits, waits[1]).covariance, rtol=1e-7, atol=1e-9)


def test_a_fit_is_as_good_as_its_parameters(waits):
    step, end = waits
    fit = climb_in_leaps(step, end, 1e-10, 50)
    assert_allclose(by_louis(of_waits, fit).covariance, by_louis(of_waits, end).covariance, 1e-4)


def test_the_jacobian_of_a_linear_map_is_the_map():
    slope = np.array([[0.5, 0.2], [-0.1, 0.3]])
    found = map_jacobian(lambda theta: (slope @ theta, 0.0), np.array([1.0, 2.0]))
    assert_allclose(found, slope, rtol=1e-9)


# Refusals


def test_at_a_pass_there_is_none(waits):
    twins = mixture([0.5, 0.5], [data.waiting().mean()] * 2, [data.waiting().std()] * 2)
    with pytest.raises(ValueError, match="flat or rises"):
        by_louis(of_waits, twins)
    with pytest.raises(ValueError, match="flat or rises"):
        by_jacobian(waits[0], twins, complete_information(of_waits, twins))


def test_before_the_end_there_is_none(waits):
    early = waits[0](mixture([0.5, 0.5], [50, 80], [5, 5]))[0]
    with pytest.raises(ValueError, match=r"no maximum, about .* nats are left"):
        by_louis(of_waits, early)


def test_a_diagonal_fit_is_no_maximum_among_the_full_ones():
    X = data.old_faithful()
    diagonal = fit(X, 2, covariance="diag", rng=0)
    with pytest.raises(ValueError, match=r"diagonal.*bootstrap"):
        by_louis(lambda mixture: multivariate.log_joint(X, mixture), diagonal)


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        (mixture([0, 1], [50, 80], [5, 5]), r"weights\[0\] is 0"),
        (Coins(np.array([0.5, 1.0])), r"chances\[1\] is 1"),
        (Coins(np.array([[0.5, 0.3], [0.2, 0.0]])), r"chances\[1, 1\] is 0"),
    ],
)
def test_at_the_edge_there_is_none(parameters, where):
    with pytest.raises(ValueError, match=where):
        by_louis(of_waits, parameters)
    with pytest.raises(ValueError, match=where):
        by_jacobian(coins_step, parameters, np.eye(2))


# The bootstrap


def test_bootstrap_matches_components_and_counts_collapses(waits):
    end, n_asked = waits[1], 0

    def refit(sample):
        nonlocal n_asked
        n_asked += 1
        if n_asked % 5 == 0:
            raise Collapse(0, "owns 1 observation", "none")
        step = step_on(sample, logspace.e_step, logspace.m_step)
        start = Mixture(*(part[:: 1 if n_asked % 2 else -1] for part in end))
        return climb_in_leaps(step, start, 1e-6, 300)

    found = bootstrap(data.waiting(), refit, end, np.random.default_rng(0), 100)
    assert found.n_collapsed == 20
    errors = by_louis(of_waits, end).errors
    assert_allclose(found.errors.means, errors.means, rtol=0.4)  # not 13 minutes
    assert found.names == by_louis(of_waits, end).names
    assert_allclose(found.covariance[:2].sum(axis=0), 0, atol=1e-8)


def test_bootstrap_of_the_mean_is_the_textbooks():
    x = data.waiting()

    def refit(sample):
        return mixture([1], [sample.mean()], [sample.std()])

    found = bootstrap(x, refit, refit(x), np.random.default_rng(0), 2000)
    assert_allclose(found.errors.means, x.std() / math.sqrt(len(x)), rtol=0.05)


def test_bootstrap_refuses():
    def collapses(sample):
        raise Collapse(0, "owns 1 observation", "none")

    one = mixture([1], [0], [1])
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="10 of 10 samples collapsed"):
        bootstrap(np.arange(5.0), collapses, one, rng, 10)
    with pytest.raises(ValueError, match="at least 2"):
        bootstrap(np.arange(5.0), collapses, one, rng, 1)
    with pytest.raises(KeyError):  # a mistake is no collapse
        bootstrap(np.arange(5.0), lambda sample: {}["no"], one, rng, 3)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_matched_undoes_any_order(order):
    reference = mixture([0.2, 0.3, 0.5], [0, 5, 10], [1, 2, 1])
    near = mixture([0.25, 0.3, 0.45], [0.5, 5.2, 9], [1.2, 1.8, 1.1])
    shuffled = Mixture(*(part[list(order)] for part in near))
    assert_allclose(np.ravel(matched(shuffled, reference)), np.ravel(near))
    clouds = [
        MultivariateMixture(
            m.weights, np.stack([m.means] * 2, 1), m.stds[:, None, None] * np.eye(2)
        )
        for m in (shuffled, reference, near)
    ]
    assert_allclose(matched(*clouds[:2]).means, clouds[2].means)


def test_what_has_no_components_is_not_matched():
    assert matched(0.5, 0.6) == 0.5


@given(some_arrays(float, (4, 4), elements=st.floats(0, 100)))
def test_cheapest_is_the_best_of_all_orders(costs):
    rows = range(4)
    best = min(sum(costs[rows, list(order)]) for order in permutations(rows))
    assert_allclose(costs[rows, cheapest(costs)].sum(), best)


def test_other_models_of_the_course():
    """Lifetimes by the map's slope, the closed form scale / sqrt(events); gaps by the bootstrap."""
    times, ended = np.array([2.0, 5, 8, 10, 10]), np.array([True, True, True, False, False])
    found = missing.fit_censored(times, ended)
    lifetimes = missing.checked_lifetimes(times, ended)
    step = step_on(lifetimes, missing.censored_e_step, missing.censored_m_step)
    said = by_jacobian(step, found, [[5.0]])  # of log scale: one for each lifetime
    assert_allclose(said.errors.scale, found.parameters.scale / np.sqrt(3), rtol=1e-5)
    assert_allclose(said.rates, [2 / 5], rtol=1e-5)  # the share that is censored
    X = data.old_faithful()
    X[np.random.default_rng(0).random(272) < 0.4, 1] = np.nan
    found = missing.fit(X, rng=0)
    said = bootstrap(X, lambda rows: missing.fit(rows, found), found, np.random.default_rng(1), 30)
    complete = np.sqrt(found.parameters.covariance[0, 0] / 272)
    assert_allclose(said.errors.mean[0], complete, rtol=0.4)
    assert said.errors.mean[1] > np.sqrt(found.parameters.covariance[1, 1] / 272)
