"""Hidden Markov models: equal to brute force, to published numbers, and in every unit."""

import itertools
import math
import time
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from emtools import data, hmm
from emtools.acceleration import tried
from emtools.collapse import Collapse
from emtools.coordinates import free, parameters_at
from emtools.em import NotConverged
from emtools.hmm import Categorical, Chain, Gaussian, Poisson

CONES = data.ice_cream() - 1
# The start of Eisner's spreadsheet: cold, hot; the last column is the chance to stop.
EISNER = Chain(
    np.array([0.5, 0.5]),
    np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]),
    Categorical(np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])),
)
WITHOUT_STOP = EISNER._replace(transitions=EISNER.transitions[:, :2] / 0.9)
QUAKES = data.earthquakes()[1]
BELLS = Chain(
    np.array([0.5, 0.5]), np.full((2, 2), 0.5), Gaussian(np.array([50.0, 80]), np.array([5.0, 5]))
)


class Trial(NamedTuple):
    time: Gaussian
    answer: Categorical


SPEED = Chain(
    np.array([0.0, 1]),
    np.array([[0.899, 0.101], [0.084, 0.916]]),
    Trial(
        Gaussian(np.array([5.52, 6.39]), np.array([0.202, 0.24])),
        Categorical(np.array([[0.472, 0.528], [0.098, 0.902]])),
    ),
)


def trials():
    series, log_times, right = data.speed()
    return [np.column_stack([log_times, right])[series == s] for s in (1, 2, 3)]


def random_chain(rng, kind, n_states=3, stops=False, zeros=False):
    start = rng.dirichlet(np.ones(n_states))
    transitions = rng.dirichlet(np.ones(n_states + stops), n_states)
    if zeros:
        start[0] = transitions[0, 1] = 0
        start, transitions = start / start.sum(), transitions / transitions.sum(1, keepdims=True)
    bells = Gaussian(rng.normal(size=n_states), rng.uniform(0.3, 2, n_states))
    symbols = Categorical(rng.dirichlet(np.ones(4), n_states))
    emissions = {
        "categorical": symbols,
        "poisson": Poisson(rng.uniform(0.5, 9, n_states)),
        "gaussian": bells,
        "several": Trial(bells, symbols),
    }
    return Chain(start, transitions, emissions[kind])


KINDS = ("categorical", "poisson", "gaussian", "several")


def scipy_log_emissions(x, emissions):
    """By SciPy, state by state."""
    if isinstance(emissions, Categorical):
        with np.errstate(divide="ignore"):
            return np.log(emissions.tables)[:, np.asarray(x, int)].T
    if isinstance(emissions, Poisson):
        return np.column_stack([stats.poisson.logpmf(x, rate) for rate in emissions.rates])
    if isinstance(emissions, Gaussian):
        return np.column_stack(
            [stats.norm.logpdf(x, *pair) for pair in zip(*emissions, strict=True)]
        )
    return sum(scipy_log_emissions(x[:, d], part) for d, part in enumerate(emissions))


def by_brute_force(x, chain):
    """Posteriors, expected moves, log-likelihood, and each path's share, from all K**T paths."""
    log_liks, n_states = scipy_log_emissions(x, chain.emissions), len(chain.start)
    moves, stop = chain.transitions[:, :n_states], chain.transitions[:, n_states:]
    resp, pairs, shares = np.zeros(log_liks.shape), np.zeros(moves.shape), {}
    for path in itertools.product(range(n_states), repeat=len(x)):
        p = chain.start[path[0]] * math.exp(sum(log_liks[t, k] for t, k in enumerate(path)))
        p *= math.prod(moves[pair] for pair in itertools.pairwise(path))
        p *= stop[path[-1], 0] if stop.size else 1
        resp[np.arange(len(x)), path] += p
        for pair in itertools.pairwise(path):
            pairs[pair] += p
        shares[path] = p
    total = sum(shares.values())
    return resp / total, pairs / total, math.log(total), shares


# Against brute force


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("length", [1, 2, 5, 8])
def test_both_recursions_and_viterbi_equal_brute_force(kind, stops, zeros, length):
    rng = np.random.default_rng(length)
    chain = random_chain(rng, kind, 3 if length < 8 else 2, stops, zeros)
    x, _ = hmm.sample(chain._replace(transitions=rows_without_stop(chain)), length, rng)
    resp, pairs, log_likelihood, shares = by_brute_force(x, chain)
    series = hmm.series_for(x, chain)
    log_liks = hmm.log_emissions(series.columns, chain.emissions)
    assert_allclose(log_liks, scipy_log_emissions(x, chain.emissions), rtol=1e-12)
    for e_step in (hmm.e_step, hmm.log_e_step):
        found = e_step(log_liks, chain)
        assert_allclose(found[0], resp, rtol=1e-12, atol=1e-14)
        assert_allclose(found[1][:, : len(pairs)], pairs, rtol=1e-11, atol=1e-14)
        assert_allclose(found[2], log_likelihood, rtol=1e-12)
        if stops:
            assert_allclose(found[1][:, -1], resp[-1], rtol=1e-12, atol=1e-14)
    best = shares[tuple(hmm.viterbi(x, chain).tolist())]  # there may be several as good
    assert_allclose(best, max(shares.values()), rtol=1e-12)


def rows_without_stop(chain):
    moves, _ = hmm.split(chain.transitions)
    return moves / moves.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_are_what_brute_force_makes_of_the_past(kind):
    chain = random_chain(np.random.default_rng(3), kind)
    x, _ = hmm.sample(chain, 5, 4)
    found = hmm.predictions(x, chain)
    assert found.shape == (6, 3)
    assert_allclose(found[0], chain.start, rtol=1e-15)
    for t in range(1, 6):
        last = by_brute_force(x[:t], chain)[0][-1]
        assert_allclose(found[t], last @ chain.transitions, rtol=1e-12)
    # As weights of a mixture they predict each day: together, the log-likelihood.
    log_liks = scipy_log_emissions(x, chain.emissions)
    daily = np.log((found[:-1] * np.exp(log_liks)).sum(axis=1))
    assert_allclose(daily.sum(), hmm.log_likelihood(x, chain), rtol=1e-12)


def test_predictions_know_of_stops():
    stopping = EISNER._replace(transitions=np.array([[0.0, 0.0, 1.0], [0.1, 0.3, 0.6]]))
    found = hmm.predictions([0], stopping._replace(start=np.array([1.0, 0.0])))
    assert_allclose(found, [[1, 0], [0, 0]])
    found = hmm.predictions([0], stopping._replace(start=np.array([0.0, 1.0])))
    assert_allclose(found, [[0, 1], [0.25, 0.75]], rtol=1e-15)


# Scaled against log space


@pytest.mark.parametrize("length", [2, 33, 1000, 30_000])
def test_scaled_and_log_space_are_equal_at_every_length(length):
    chain = random_chain(np.random.default_rng(5), "poisson")
    x, _ = hmm.sample(chain, length, 6)
    log_liks = hmm.log_emissions([x.astype(float)], chain.emissions)
    scaled, in_logs = hmm.e_step(log_liks, chain), hmm.log_e_step(log_liks, chain)
    slack = 1e-12 if length <= 33 else 1e-12 * length
    assert_allclose(scaled[2], in_logs[2], rtol=1e-12)
    assert_allclose(scaled[0], in_logs[0], rtol=0, atol=slack)
    assert_allclose(scaled[1], in_logs[1], rtol=0, atol=slack * length)
    assert_allclose(scaled[1].sum(), length - 1, rtol=1e-12)


@pytest.mark.parametrize("length", [10**5, pytest.param(10**6, marks=pytest.mark.timing)])
def test_nothing_underflows_in_a_million_days(length):
    """The million is slow: `make timing` has it."""
    rng = np.random.default_rng(7)
    x = rng.poisson(20, length).astype(float)
    chain = Chain(np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.2, 0.8]]), Poisson([15.0, 26.0]))
    chain = hmm.checked_chain(chain)
    resp, pairs, log_likelihood = hmm.e_step(hmm.log_emissions([x], chain.emissions), chain)
    assert -4 * length < log_likelihood < -2 * length
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-10)
    assert_allclose(pairs.sum(), length - 1, rtol=1e-10)
    assert resp.min() > 0


def test_what_underflows_and_counts_after_all_is_taken_to_log_space():
    """Two states that never meet: the data first favour one, then the other, by far."""
    apart = Chain(np.array([0.5, 0.5]), np.eye(2), Gaussian(np.array([0.0, 40.0]), np.ones(2)))
    x = np.array([0.0, 0.0, 40.0, 40.0, 40.0])  # each day e^800 for one
    log_liks = hmm.log_emissions([x], apart.emissions)
    with np.errstate(all="ignore"):
        assert not np.isfinite(hmm.e_step(log_liks, apart)[2])
    resp, _, log_likelihood = hmm.careful_e_step(log_liks, apart)
    assert_allclose(resp, np.tile([0, 1], (5, 1)), atol=1e-300)
    expected = scipy_log_emissions(x, apart.emissions).sum(axis=0).max() + np.log(0.5)
    assert_allclose(log_likelihood, expected, rtol=1e-14)


def test_a_loss_that_leaves_finite_numbers_is_seen_too():
    """Ten days of e^-90 each, one way and then the other: no single scale is zero."""
    width = math.sqrt(180)
    apart = Chain(np.array([0.5, 0.5]), np.eye(2), Gaussian(np.array([0.0, width]), np.ones(2)))
    x = np.repeat([0.0, width], [10, 13])
    log_liks = hmm.log_emissions([x], apart.emissions)
    expected = by_brute_force_of_two(log_liks, apart)
    with np.errstate(all="ignore"):
        wrong = hmm.e_step(log_liks, apart)
    assert math.isfinite(wrong[2])
    assert abs(wrong[2] - expected) > 100
    resp, _, log_likelihood = hmm.careful_e_step(log_liks, apart)
    assert_allclose(log_likelihood, expected, rtol=1e-14)
    assert_allclose(resp[:, 1], 1, rtol=1e-12)


def by_brute_force_of_two(log_liks, chain):
    """Of a chain that never leaves its state."""
    return np.logaddexp(*(np.log(chain.start) + log_liks.sum(axis=0)))


def test_an_offset_that_no_density_survives():
    """A wait of 1000 minutes: both densities are 0.0, the ratios are not needed."""
    x = np.array([50.0, 1000, 80])
    assert_allclose(
        hmm.log_likelihood(x, BELLS),
        hmm.log_e_step(scipy_log_emissions(x, BELLS.emissions), BELLS)[2],
        rtol=1e-14,
    )


def test_zeros_are_minus_inf_without_a_warning():
    chain = EISNER._replace(start=np.array([0.0, 1.0]), emissions=Categorical(np.eye(3)[[0, 2]]))
    log_liks = hmm.log_emissions([np.array([2, 0])], chain.emissions)
    assert (log_liks == [[-np.inf, 0], [0, -np.inf]]).all()
    for e_step in (hmm.e_step, hmm.log_e_step):
        resp, _, log_likelihood = e_step(log_liks, chain)
        assert_array_equal(resp, [[0, 1], [1, 0]])
        assert_allclose(log_likelihood, math.log(0.1 * 0.1), rtol=1e-15)


def test_a_rate_of_zero_emits_nothing_but_zero():
    log_pdf = hmm.poisson_log_pdf(np.array([0.0, 1.0]), Poisson(np.array([0.0, 2.0])))
    assert_allclose(log_pdf, [[0, -2], [-np.inf, np.log(2) - 2]], rtol=1e-15)


# Properties of the step


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.booleans(), st.integers(1, 3))
def test_a_step_never_lowers_the_log_likelihood(seed, kind, stops, n_series):
    rng = np.random.default_rng(seed)
    chain = random_chain(rng, kind, 2, stops)
    sequences = [hmm.sample(random_chain(rng, kind, 3), 12, rng)[0] for _ in range(n_series)]
    step, history = hmm.make_step(hmm.series_for(sequences, chain)), []
    for _ in range(6):
        try:
            chain, log_likelihood = step(chain)
        except Collapse:
            break
        history.append(log_likelihood)
        assert_allclose(chain.start.sum(), 1, rtol=1e-12)
        assert_allclose(chain.transitions.sum(axis=1), 1, rtol=1e-12)
    assert (np.diff(history) > -1e-9 * np.maximum(1, np.abs(history[:-1]))).all()


def test_a_step_is_at_the_top_of_its_bound():
    """Moving any one parameter of the M-step's answer lowers the expected log joint."""
    x = hmm.sample(random_chain(np.random.default_rng(1), "several"), 40, 2)[0]
    chain = random_chain(np.random.default_rng(2), "several")
    series = hmm.series_for(x, chain)
    resp, pairs, firsts, _ = hmm.e_step_of_all(series, chain)
    new, _ = hmm.make_step(series)(chain)

    def bound(chain):
        log_liks = scipy_log_emissions(x, chain.emissions)
        return (
            firsts @ np.log(chain.start)
            + (pairs * np.log(chain.transitions)).sum()
            + (resp * log_liks).sum()
        )

    top = bound(new)
    for size in (0.99, 1.01):
        bells, symbols = new.emissions
        shares = lambda rows: rows / rows.sum(axis=-1, keepdims=True)  # noqa: E731
        tilt = np.array([size, 1, 1])
        others = [
            new._replace(start=shares(new.start * tilt)),
            new._replace(transitions=shares(new.transitions * tilt)),
            new._replace(emissions=Trial(bells._replace(means=bells.means * size), symbols)),
            new._replace(emissions=Trial(bells._replace(stds=bells.stds * size), symbols)),
            new._replace(
                emissions=Trial(bells, Categorical(shares(symbols.tables * [size, 1, 1, 1])))
            ),
        ]
        assert all(bound(other) < top for other in others)


def test_one_state_is_the_plain_estimate():
    fit = hmm.fit(QUAKES, Chain([1.0], [[1.0]], Poisson([10.0])))
    assert_allclose(fit.parameters.emissions.rates, [QUAKES.mean()], rtol=1e-14)
    assert_allclose(fit.log_likelihood, -391.918928, rtol=1e-9)  # REFERENCES 8, m = 1


def test_equal_rows_of_transitions_are_the_mixture_of_chapter_01():
    from emtools import logspace
    from emtools.mixture import Mixture

    x = data.waiting()
    mixture = Mixture(np.array([0.3, 0.7]), np.array([50.0, 80]), np.array([5.0, 6]))
    chain = Chain(mixture.weights, np.tile(mixture.weights, (2, 1)), Gaussian(*mixture[1:]))
    resp, log_likelihood = logspace.e_step(x, mixture)
    assert_allclose(hmm.posteriors(x, chain), resp, rtol=1e-10, atol=1e-300)
    assert_allclose(hmm.log_likelihood(x, chain), log_likelihood, rtol=1e-14)


def test_states_in_another_order_give_the_answer_in_that_order():
    fit = hmm.fit(QUAKES, quakes_start(10, 20, 30))
    order = [2, 0, 1]
    turned = hmm.fit(QUAKES, hmm.in_order(quakes_start(10, 20, 30), order))
    assert_allclose(turned.log_likelihood, fit.log_likelihood, rtol=1e-12)
    expected = hmm.in_order(fit, order)
    assert_allclose(turned.parameters.emissions.rates, expected.emissions.rates, rtol=1e-6)
    assert_allclose(turned.parameters.transitions, expected.transitions, atol=1e-6)
    with_stop = hmm.in_order(EISNER, [1, 0])
    assert_allclose(hmm.log_likelihood(CONES, with_stop), hmm.log_likelihood(CONES, EISNER))
    assert_allclose(with_stop.transitions[:, 2], 0.1)


def test_shift_and_scale():
    x = data.waiting()
    fit = hmm.fit(x, BELLS)
    moved = BELLS._replace(
        emissions=Gaussian(BELLS.emissions.means * 60 + 1e6, 60 * np.ones(2) * 5)
    )
    there = hmm.fit(60 * x + 1e6, moved)
    assert_allclose(there.parameters.transitions, fit.parameters.transitions, rtol=1e-5)
    assert_allclose(there.parameters.emissions.stds, 60 * fit.parameters.emissions.stds, rtol=1e-5)
    assert_allclose(there.log_likelihood, fit.log_likelihood - len(x) * math.log(60), rtol=1e-10)


def test_several_series_count_as_such():
    """Twice the same series is twice the log-likelihood and the same fit; one long one is not."""
    once = hmm.fit(CONES, EISNER, tol=0, max_iter=5)
    twice = hmm.fit([CONES, CONES], EISNER, tol=0, max_iter=5)
    assert_allclose(twice.history, 2 * once.history, rtol=1e-13)
    assert_allclose(twice.parameters.transitions, once.parameters.transitions, rtol=1e-12)
    apart = hmm.log_likelihood([CONES[:10], CONES[10:]], WITHOUT_STOP)
    each = [hmm.log_likelihood(part, WITHOUT_STOP) for part in (CONES[:10], CONES[10:])]
    assert_allclose(apart, sum(each), rtol=1e-14)
    assert abs(apart - hmm.log_likelihood(CONES, WITHOUT_STOP)) > 0.1


def test_what_comes_back_for_a_list_is_a_list():
    parts = [CONES[:10], CONES[10:]]
    for door, extra in ((hmm.posteriors, 0), (hmm.viterbi, 0), (hmm.predictions, 1)):
        found = door(parts, EISNER)
        assert isinstance(found, list)
        assert [len(one) for one in found] == [10 + extra, 23 + extra]
        for one, part in zip(found, parts, strict=True):
            assert_allclose(one, door(part, EISNER), rtol=1e-12)
            assert_allclose(door(part.tolist(), EISNER), one, rtol=1e-12)


def test_a_fixed_start_stays():
    fit = hmm.fit(QUAKES, quakes_start(15, 26), free_start=False)
    assert_allclose(fit.parameters.start, [0.5, 0.5], rtol=0)
    assert fit.log_likelihood < -341.8788


def test_nothing_that_comes_in_is_changed():
    x, kept = CONES.copy(), [part.copy() for part in EISNER[:2]]
    hmm.fit(x, EISNER)
    hmm.viterbi(x, EISNER)
    assert_array_equal(x, CONES)
    assert_allclose(EISNER[:2][1], kept[1], rtol=0)


def test_a_row_that_nothing_leaves_stays_as_it_was():
    """Series of one day are a mixture: the moves are never seen."""
    fit = hmm.fit([[v] for v in QUAKES], quakes_start(15, 26))
    assert_allclose(fit.parameters.transitions, quakes_start(15, 26).transitions, rtol=1e-12)
    assert_allclose(fit.log_likelihood, -360.369044, rtol=1e-8)  # REFERENCES 8: mixture, m = 2


# Published numbers


def quakes_start(*rates):
    n_states = len(rates)
    transitions = np.full((n_states, n_states), 0.1)
    np.fill_diagonal(transitions, 1 - 0.1 * (n_states - 1))
    return Chain(np.full(n_states, 1 / n_states), transitions, Poisson(np.array(rates, float)))


def test_ice_cream_by_iteration():
    """hmmlearn 0.3.3 with an absorbing third state (REFERENCES 8)."""
    fit = hmm.fit(CONES, EISNER, tol=0, max_iter=10)
    published = [
        -41.5378178211, -36.7422925932, -35.9576881140, -35.6511069384, -35.4061095555,
        -35.3342724478,
    ]  # fmt: skip
    assert_allclose(fit.history[[0, 1, 2, 3, 5, 10]], published, rtol=0, atol=1e-9)
    first = hmm.fit(CONES, EISNER, tol=0, max_iter=1).parameters
    assert_allclose(first.start[1], 0.870942135, atol=1e-9)
    moves = [[0.8757409712, 0.1089601953], [0.0925170273, 0.8651579682]]
    assert_allclose(first.transitions[:, :2], moves, atol=1e-9)
    tables = [
        [0.6765023795, 0.2188194361, 0.1046781844],
        [0.0583723031, 0.4250865364, 0.5165411606],
    ]
    assert_allclose(first.emissions.tables, tables, atol=1e-9)
    start, transitions, emissions = fit.parameters
    assert_allclose(start, [0, 1], atol=1e-9)
    moves = [[0.9337227858, 0.0662772142, 0], [0.0718414298, 0.8650084589, 0.0631501113]]
    assert_allclose(transitions, moves, atol=1e-9)
    tables = [
        [0.6407041022, 0.1480871011, 0.2112087967],
        [0.0001576594, 0.5341316672, 0.4657106733],
    ]
    assert_allclose(emissions.tables, tables, atol=1e-9)


def test_ice_cream_in_the_limit():
    assert_allclose(hmm.fit(CONES, EISNER).log_likelihood, -35.3328952745, atol=1e-9)
    fit = hmm.fit(CONES, EISNER, accelerate=False)
    assert fit.converged
    assert_allclose(fit.log_likelihood, -35.3328952745, atol=1e-9)
    moves = [[0.9337791875, 0.0662208125, 0], [0.0718663102, 0.8649442165, 0.0631894733]]
    assert_allclose(fit.parameters.transitions, moves, atol=1e-7)
    tables = [[0.6404814826, 0.1480701398, 0.2114483777], [0, 0.5343906993, 0.4656093007]]
    assert_allclose(fit.parameters.emissions.tables, tables, atol=1e-7)
    assert_allclose(hmm.posteriors(CONES, EISNER)[:3, 1], [0.870942, 0.976926, 0.989278], atol=5e-7)
    without = hmm.fit(CONES, WITHOUT_STOP)
    assert_allclose(without.history[:3], [-35.8637, -32.5475, -32.0598], atol=5e-5)
    assert_allclose(without.log_likelihood, -31.5598, atol=5e-5)


def test_ice_cream_from_another_start():
    """The unit test of a tagger in Scala, from public copies (REFERENCES 8)."""
    start = Chain(
        np.array([0.5, 0.5]),
        np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]),
        Categorical(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])),
    )
    found = hmm.fit(CONES, start, tol=0, max_iter=2).parameters
    assert_allclose(found.start, [0.019187795922706, 0.980812204077294], rtol=1e-12)
    assert_allclose(
        found.transitions,
        [
            [0.885892498643987, 0.112889237549318, 0.001218263806694],
            [0.085481356704799, 0.862166783465053, 0.052351859830148],
        ],
        rtol=1e-11,
    )
    assert_allclose(
        found.emissions.tables,
        [
            [0.714543877350896, 0.168586118793123, 0.116870003855980],
            [0.044341970791651, 0.458226316363542, 0.497431712844807],
        ],
        rtol=1e-11,
    )


def test_equal_rows_stay_equal():
    same = EISNER._replace(emissions=Categorical(np.full((2, 3), 1 / 3)))
    fit = hmm.fit(CONES, same)
    assert_allclose(fit.log_likelihood, -40.7354, atol=5e-5)
    assert_allclose(fit.parameters.emissions.tables, 1 / 3, rtol=1e-12)


def test_earthquakes():
    two, three = (
        hmm.fit(QUAKES, quakes_start(*rates), tol=0, max_iter=150)
        for rates in ((10, 30), (10, 20, 30))
    )
    assert_allclose(two.log_likelihood, -341.87870101, atol=1e-8)
    assert_allclose(two.parameters.emissions.rates, [15.42076190, 26.01823567], atol=1e-6)
    assert_allclose(
        two.parameters.transitions,
        [[0.9283739, 0.0716261], [0.1190344, 0.8809656]],
        atol=1e-6,
    )
    assert_allclose(three.log_likelihood, -328.52748338, atol=1e-8)
    rates = [13.13376169, 19.71316408, 29.70972333]
    assert_allclose(three.parameters.emissions.rates, rates, atol=1e-6)


def test_speed_at_given_parameters():
    """As depmixS4's own test asserts; three series, times and answers together."""
    assert_allclose(hmm.log_likelihood(trials(), SPEED), -296.115107102, atol=5e-10)
    bare = SPEED._replace(emissions=tuple(SPEED.emissions))
    assert_allclose(hmm.log_likelihood(trials(), bare), -296.115107102, atol=5e-10)
    fit = hmm.fit(trials(), SPEED)
    assert isinstance(fit.parameters.emissions, Trial)
    assert fit.log_likelihood > -296.1078


def test_old_faithful_as_hmmlearn_has_it():
    """Numbers of hmmlearn 0.3.3 (log, no priors, min_covar 0), from the same start."""
    fit = hmm.fit(data.waiting(), BELLS, tol=0, max_iter=200)
    published = [-1089.7809153683, -1001.7020210813, -998.9131605859, -997.3120989343]
    assert_allclose(fit.history[[0, 1, 2, 5]], published, rtol=1e-12)
    assert_allclose(fit.history[[10, 200]], [-997.2196981988, -997.2188157077], rtol=1e-12)
    found = fit.parameters
    moves = [0.06976635, 0.93023365, 0.58283355, 0.41716645]
    assert_allclose(found.transitions.ravel(), moves, atol=2e-8)
    assert_allclose(found.emissions.means, [55.43570709, 80.52662444], atol=2e-8)
    assert_allclose(found.emissions.stds, [6.6090377, 5.47837314], atol=2e-7)


def test_parity_with_hmmlearn():
    theirs = pytest.importorskip("hmmlearn.hmm", reason="hmmlearn is not installed")
    model = theirs.PoissonHMM(2, init_params="", params="stl", n_iter=30, tol=0)
    start = quakes_start(10, 30)
    model.startprob_, model.transmat_ = start.start, start.transitions
    model.lambdas_ = start.emissions.rates[:, None]
    model.fit(QUAKES[:, None])
    ours = hmm.fit(QUAKES, start, tol=0, max_iter=30).parameters
    assert_allclose(ours.emissions.rates, model.lambdas_[:, 0], rtol=1e-9)
    assert_allclose(ours.transitions, model.transmat_, rtol=1e-8)
    assert_allclose(hmm.posteriors(QUAKES, ours), model.predict_proba(QUAKES[:, None]), atol=1e-9)
    assert_array_equal(hmm.viterbi(QUAKES, ours), model.predict(QUAKES[:, None]))


def test_a_fit_or_a_namedtuple_of_the_same_fields_is_a_start():
    class Bells(NamedTuple):
        means: np.ndarray
        stds: np.ndarray

    fit = hmm.fit(data.waiting(), BELLS, tol=0, max_iter=3)
    again = hmm.fit(data.waiting(), fit, tol=0, max_iter=2)
    whole = hmm.fit(data.waiting(), BELLS, tol=0, max_iter=5)
    assert_allclose(again.history, whole.history[3:], rtol=1e-12)
    own = hmm.fit(data.waiting(), BELLS._replace(emissions=Bells(*BELLS.emissions)))
    assert_allclose(own.log_likelihood, -997.2188157077, rtol=1e-12)


def test_pandas_lists_and_float32_are_welcome():
    expected = hmm.log_likelihood(QUAKES, quakes_start(15, 26))
    for x in (pd.Series(QUAKES), QUAKES.tolist(), QUAKES.astype(np.float32), tuple(QUAKES)):
        assert_allclose(hmm.log_likelihood(x, quakes_start(15, 26)), expected, rtol=1e-15)
    frames = [pd.DataFrame(table, columns=["time", "answer"]) for table in trials()]
    assert_allclose(hmm.log_likelihood(frames, SPEED), -296.115107102, atol=5e-10)
    by_series = [pd.Series(CONES[:9]), pd.Series(CONES[9:])]
    assert len(hmm.viterbi(by_series, EISNER)) == 2


# Leaps

CASES = {
    "ice cream": (CONES, EISNER),
    "ice cream without stops": (CONES, WITHOUT_STOP),
    "earthquakes, 2": (QUAKES, quakes_start(10, 30)),
    "earthquakes, 3": (QUAKES, quakes_start(10, 20, 30)),
    "waits": (data.waiting(), BELLS),
    "speed": (trials(), SPEED._replace(start=np.array([0.3, 0.7]))),
}


@pytest.mark.parametrize("name", CASES)
def test_leaps_and_plain_steps_have_the_same_end(name):
    x, start = CASES[name]
    leaps, plain = hmm.fit(x, start), hmm.fit(x, start, accelerate=False)
    assert_allclose(leaps.log_likelihood, plain.log_likelihood, rtol=0, atol=1e-8)
    assert leaps.converged
    assert leaps.n_iter <= plain.n_iter + 10  # who leaps looks ten times before it gives up
    assert np.diff(leaps.history).min() > -1e-9
    found, expected = leaps.parameters, plain.parameters
    assert_allclose(hmm.log_likelihood(x, found), leaps.log_likelihood, rtol=1e-12)
    assert_allclose(found.start, expected.start, atol=1e-4)
    assert_allclose(found.transitions, expected.transitions, atol=1e-4)
    assert_allclose(found.transitions.sum(axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize(
    ("sequences", "emissions"),
    [
        (CONES, "categorical"),
        (data.waiting(), "gaussian"),
        (trials(), ("gaussian", "categorical")),
    ],
    ids=["ice cream", "waits", "speed"],
)
def test_where_em_is_slow_leaps_take_at_most_half_the_steps(sequences, emissions):
    """A state more than the data ask for; one start."""
    options = {"emissions": emissions, "n_starts": 1, "rng": 1 - isinstance(emissions, tuple)}
    leaps = hmm.fit(sequences, 3, **options)
    plain = hmm.fit(sequences, 3, accelerate=False, **options)
    assert leaps.log_likelihood > plain.log_likelihood - 1e-8  # the cones have a higher hill
    assert np.diff(leaps.history).min() > -1e-9
    is_same_hill = leaps.log_likelihood < plain.log_likelihood + 1e-8
    assert (3 if is_same_hill else 2) * leaps.n_steps <= plain.n_steps


def test_zeros_of_the_start_stay_zeros():
    """From left to right, on data that would rather go back."""
    moves = np.array([[0.9, 0.1, 0], [0, 0.9, 0.1], [0, 0, 1.0]])
    start = Chain(np.array([1.0, 0, 0]), moves, Poisson(np.array([20.0, 15, 25])))
    leaps, plain = hmm.fit(QUAKES, start), hmm.fit(QUAKES, start, accelerate=False)
    assert 2 * leaps.n_iter < plain.n_iter
    assert_allclose(leaps.log_likelihood, plain.log_likelihood, rtol=0, atol=1e-8)
    assert leaps.log_likelihood < -350 < hmm.fit(QUAKES, quakes_start(10, 20, 30)).log_likelihood
    assert_array_equal(leaps.parameters.start, [1, 0, 0])
    assert not leaps.parameters.transitions[moves == 0].any()


def test_symbols_that_a_state_cannot_emit_stay_so():
    tables = np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0.2, 0.5, 0.3]])
    moves = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    start = Chain(np.full(3, 1 / 3), moves, Categorical(tables))
    leaps, plain = hmm.fit(CONES, start), hmm.fit(CONES, start, accelerate=False)
    assert 20 < leaps.n_iter <= plain.n_iter + 10
    assert_allclose(leaps.log_likelihood, plain.log_likelihood, rtol=0, atol=1e-8)
    assert_array_equal(leaps.parameters.emissions.tables[tables == 0], [0, 0])


def test_a_rate_of_zero_stays_zero():
    x = np.array([0, 0, 0, 1, 0, 0, 4, 2, 5, 0, 0, 1, 0, 0, 0, 3, 6, 1, 1, 0, 0, 0, 1] * 3)
    start = quakes_start(0, 2, 4)
    leaps, plain = hmm.fit(x, start), hmm.fit(x, start, accelerate=False)
    assert leaps.n_iter > 20
    assert leaps.parameters.emissions.rates[0] == 0
    assert_allclose(leaps.log_likelihood, plain.log_likelihood, rtol=0, atol=1e-8)
    free = hmm.fit(x, quakes_start(0.1, 2, 4))
    assert free.log_likelihood > leaps.log_likelihood + 0.01  # it would grow


def test_a_start_that_is_held_does_not_move_in_leaps():
    held = np.array([0.3, 0.1, 0.6])
    bells = Gaussian(np.array([50.0, 70, 85]), np.full(3, 6.0))
    start = Chain(held, np.full((3, 3), 1 / 3), bells)
    leaps = hmm.fit(data.waiting(), start, free_start=False)
    plain = hmm.fit(data.waiting(), start, free_start=False, accelerate=False)
    assert 20 < leaps.n_iter < plain.n_iter
    assert_allclose(leaps.log_likelihood, plain.log_likelihood, rtol=0, atol=1e-8)
    assert_array_equal(leaps.parameters.start, held)
    for end in leaps.ends:
        assert_array_equal(end.parameters.start, held)


def test_leaps_do_not_go_below_the_smallest_width():
    bells = Gaussian(np.array([50.0, 70, 85]), np.full(3, 6.0))
    start = Chain(np.full(3, 1 / 3), np.full((3, 3), 1 / 3), bells)
    leaps = hmm.fit(data.waiting(), start, min_std=5.5)
    plain = hmm.fit(data.waiting(), start, min_std=5.5, accelerate=False)
    assert 20 < leaps.n_iter < plain.n_iter
    assert leaps.parameters.emissions.stds.min() == 5.5
    assert_allclose(leaps.log_likelihood, plain.log_likelihood, rtol=0, atol=1e-8)
    assert_allclose(hmm.log_likelihood(data.waiting(), leaps), leaps.log_likelihood, rtol=1e-12)


def test_what_a_leap_must_not_change_is_put_back():
    parts = (Poisson(np.array([0.0, 3])), BELLS.emissions, EISNER.emissions)
    start, leapt = BELLS._replace(emissions=parts), (Poisson(np.array([1e-9, 4])),)
    leapt += (Gaussian(np.array([48.0, 81]), np.array([1.0, 6])), EISNER.emissions)
    chain = Chain(np.array([0.4, 0.6]), BELLS.transitions, leapt)
    found = hmm.mending(start, free_start=False, min_std=2.0)(chain)
    assert_array_equal(found.start, start.start)
    assert_array_equal(found.emissions[0].rates, [0, 4])
    assert_array_equal(found.emissions[1], [[48, 81], [2, 6]])
    assert_array_equal(found.emissions[2].tables, EISNER.emissions.tables)
    assert_array_equal(hmm.mending(start, free_start=True, min_std=2.0)(chain).start, [0.4, 0.6])


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_survives_what_a_leap_may_try(kind):
    """Far out there is a log-likelihood or none, but neither a crash nor a warning."""
    chain = random_chain(np.random.default_rng(1), kind, stops=True)
    x, _ = hmm.sample(chain._replace(transitions=rows_without_stop(chain)), 12, 2)
    step, numbers = hmm.make_step(hmm.series_for(x, chain)), free(chain)
    assert_allclose(parameters_at(numbers, chain).transitions, chain.transitions, rtol=1e-14)
    assert tried(step, numbers, chain) is not None
    rng, seen = np.random.default_rng(3), 0
    for size in (1, 30, 1e3, 1e6, 1e200, 1e307):
        for _ in range(20):
            moved = size * rng.normal(size=len(numbers))
            seen += tried(step, numbers + moved, chain) is None
    assert seen >= 40  # where squares of roots overflow, at the least


def test_what_other_starts_have_found_is_told():
    fit = hmm.fit(QUAKES, 4, emissions="poisson", n_starts=10, rng=0)
    assert fit.n_starts == 10
    assert 1 < len(fit.ends) < 10
    assert sum(end.n_starts for end in fit.ends) <= 10 - fit.n_collapsed
    assert fit.ends[0].log_likelihood == fit.log_likelihood
    assert np.diff([end.log_likelihood for end in fit.ends]).max() <= 0
    assert fit.n_steps > fit.n_iter
    for end in fit.ends:
        assert_allclose(hmm.log_likelihood(QUAKES, end.parameters), end.log_likelihood, rtol=1e-9)
        assert (np.diff(end.parameters.emissions.rates) >= 0).all()
    assert "10 starts" in repr(fit)
    one = hmm.fit(QUAKES, quakes_start(10, 30))
    assert (one.n_starts, one.n_collapsed, len(one.ends)) == (1, 0, 1)


# Starts from a number, samples, printing


@pytest.mark.parametrize(
    ("sequences", "n_states", "emissions", "log_likelihood"),
    [
        (QUAKES, 3, "poisson", -328.52748338),
        (data.waiting(), 2, "gaussian", -997.21881571),
        (trials(), 2, ("gaussian", "categorical"), -296.10777683),
        (trials(), 2, Trial("gaussian", "categorical"), -296.10777683),
    ],
)
def test_a_number_of_states_is_enough(sequences, n_states, emissions, log_likelihood):
    fit = hmm.fit(sequences, n_states, emissions=emissions, n_starts=5, rng=1)
    assert_allclose(fit.log_likelihood, log_likelihood, atol=1e-6)
    if isinstance(emissions, tuple):
        assert type(fit.parameters.emissions) is type(emissions)
    again = hmm.fit(sequences, n_states, emissions=emissions, n_starts=5, rng=1)
    assert_allclose(again.history, fit.history, rtol=0)


def test_symbols_from_a_number_of_states():
    fit = hmm.fit(CONES, 2, emissions="categorical", rng=2)
    assert fit.parameters.emissions.tables.shape == (2, 3)
    assert fit.log_likelihood > -31.57


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_of_the_chain(kind):
    chain = random_chain(np.random.default_rng(8), kind)
    x, labels = hmm.sample(chain, 20_000, 9)
    assert x.shape == ((20_000, 2) if kind == "several" else (20_000,))
    pairs = np.zeros((3, 3))
    np.add.at(pairs, (labels[:-1], labels[1:]), 1)
    assert_allclose(pairs / pairs.sum(axis=1, keepdims=True), chain.transitions, atol=0.03)
    of_states = np.eye(3)[labels]
    found = hmm.new_emissions(hmm.series_for(x, chain).columns, of_states, chain.emissions)
    for ours, theirs in zip(hmm.parts_of(found), hmm.parts_of(chain.emissions), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert_allclose(a, b, atol=0.15)
    assert_array_equal(hmm.sample(chain, 50, 9)[1], hmm.sample(chain, 50, 9)[1])


def test_a_sample_stops_by_its_chance():
    lengths = [len(hmm.sample(EISNER, 1000, seed)[0]) for seed in range(300)]
    assert 8.5 < np.mean(lengths) < 11.5  # a geometric of mean 10
    assert len(hmm.sample(EISNER, 1, 0)[0]) == 1


def test_a_fit_prints_as_a_table():
    text = repr(hmm.fit(CONES, EISNER))
    assert "converged" in text
    head, cold, hot = text.splitlines()[1:]
    assert head.split() == ["state", "start", "to", "0", "to", "1", "stop", "p(0)", "p(1)", "p(2)"]
    assert cold.split()[0] == "0"
    assert hot.split() == [
        "1",
        "1.0000",
        "0.0719",
        "0.8649",
        "0.0632",
        "0.0000",
        "0.5344",
        "0.4656",
    ]
    assert "means" in repr(SPEED)
    assert repr(Chain(1, 2, 3)) == "Chain(1, 2, 3)"


# What goes wrong


def test_a_state_that_vanishes_is_a_collapse_with_its_cure():
    far = BELLS._replace(emissions=Gaussian(np.array([60.0, 1e6]), np.array([10.0, 1.0])))
    with pytest.raises(
        Collapse, match=r"at iteration 0, component 1 .* has vanished.*fewer states"
    ):
        hmm.fit(data.waiting(), far)


def test_a_bell_that_narrows_is_a_collapse_and_a_floor_cures_it():
    x = np.append(data.waiting(), 400.0)
    start = BELLS._replace(emissions=Gaussian(np.array([70.0, 390.0]), np.array([15.0, 5.0])))
    with pytest.raises(Collapse, match=r"component 1 .* no width is left.*min_std"):
        hmm.fit(x, start)
    fit = hmm.fit(x, start, min_std=2.0)
    assert_allclose(fit.parameters.emissions.stds[1], 2, rtol=1e-15)
    assert (np.diff(fit.history) > -1e-9 * 1000).all()


def test_max_iter_warns():
    with pytest.warns(NotConverged):
        hmm.fit(CONES, EISNER, max_iter=3)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], r"sequences has length 0; leave it out"),
        ([CONES, []], r"sequences\[1\] has length 0; leave it out"),
        (CONES + 1, r"hold symbols, whole numbers from 0 to 2; \[1\] is 3\. Give sequences - 1"),
        ([CONES, [0, 1.5]], r"sequences\[1\] must hold symbols.* \[1\] is 1\.5"),
        ([0, -1], r"\[1\] is -1"),
        ([0, np.nan], r"must be finite"),
        (CONES[:, None], r"one dimension; its shape is \(33, 1\)\. Give sequences\[:, 0\]"),
        (CONES.reshape(3, 11), r"Give list\(sequences\), if its rows are series"),
        (["a", "b"], r"must hold real numbers"),
        (3, r"must have one dimension"),
        (None, r"must hold real numbers; it is None"),
    ],
)
@pytest.mark.parametrize(
    "door", [hmm.fit, hmm.posteriors, hmm.viterbi, hmm.predictions, hmm.log_likelihood]
)
def test_bad_observations_are_named(door, sequences, message):
    with pytest.raises(ValueError, match=message):
        door(sequences, EISNER)


@pytest.mark.parametrize(
    ("sequences", "emissions", "message"),
    [
        ([3, 2.5], "poisson", r"must hold counts.* \[1\] is 2\.5\. Gaussian ones take any"),
        ([3, -2], "poisson", r"must hold counts.* \[1\] is -2"),
        ([1.0, 1e200, 3], "gaussian", r"holds 1e\+200"),
        ([2.0, 2, 2], "gaussian", r"sequences is constant, 2.* Give min_std"),
        (np.ones((4, 2)), ("gaussian", "categorical"), r"column 0 of sequences is constant"),
        (np.ones((4, 3)), ("gaussian", "categorical"), r"one column for each of 2 emissions"),
        (np.ones(4), ("gaussian", "categorical"), r"must have two dimensions"),
        ([1.0, 2, 3], "normal", r"emissions must be one of categorical, poisson, gaussian"),
        ([1.0, 2, 3], None, r"emissions must be one of"),
        ([1.0], "gaussian", r"fewer observations than"),
    ],
)
def test_bad_observations_and_names_from_a_number(sequences, emissions, message):
    with pytest.raises(ValueError, match=message):
        hmm.fit(sequences, 2, emissions=emissions, rng=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": [0.5, 0.6]}, r"start must sum to one; it sums to 1\.1"),
        ({"start": [1.5, -0.5]}, r"start must not be negative; \[1\] is -0\.5"),
        ({"start": [1.0]}, r"transitions must be 1 x 1, as start has 1 entries, or 1 x 2"),
        ({"transitions": [[0.8, 0.1], [0.1, 0.8]]}, r"transitions\[0\].*0\.9.*the chance to stop"),
        (
            {"transitions": [[1, 0], [0.6, 0.6]]},
            r"transitions\[1\] must sum to one; it sums to 1\.2",
        ),
        ({"transitions": [1.0, 0.0]}, r"transitions must have two dimensions"),
        ({"emissions": Categorical([[0.5, 0.5], [0.5, 0.4]])}, r"emissions\.tables\[1\].* 0\.9"),
        ({"emissions": Categorical([[0.5, 0.5]])}, r"one entry for each of 2 states; it has 1"),
        ({"emissions": Poisson([1.0, -1.0])}, r"emissions\.rates must not be negative; \[1\]"),
        ({"emissions": Gaussian([1.0, 2.0], [1.0, 0.0])}, r"emissions\.stds must be positive"),
        ({"emissions": (Poisson([1.0]), 3)}, r"emissions must be Categorical"),
        ({"emissions": Trial(Gaussian([1, 2], [1, -1]), None)}, r"emissions must be Categorical"),
        (
            {"emissions": Trial(Gaussian([1, 2], [1, -1]), Poisson([1, 2]))},
            r"emissions\.time\.stds must be positive",
        ),
        ({"emissions": ()}, r"emissions must be Categorical"),
    ],
)
def test_a_bad_chain_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        hmm.fit(CONES, EISNER._replace(**changes))


def test_what_is_no_chain():
    with pytest.raises(ValueError, match=r"must be a Chain.*it is a str"):
        hmm.fit(CONES, "two")
    with pytest.raises(ValueError, match=r"a Chain says itself"):
        hmm.fit(CONES, EISNER, emissions="poisson")
    with pytest.raises(ValueError, match=r"n_starts is 3"):
        hmm.fit(CONES, EISNER, n_starts=3)
    with pytest.raises(ValueError, match=r"order must hold each of 0 to 1 once"):
        hmm.in_order(EISNER, [0, 0])
    with pytest.raises(ValueError, match=r"n_samples must be a whole number >= 1"):
        hmm.sample(EISNER, 0, 1)


def test_an_impossible_series_says_where():
    never = EISNER._replace(emissions=Categorical(np.array([[0.5, 0.5, 0], [0.5, 0.5, 0]])))
    with pytest.raises(ValueError, match=r"the series is impossible.* leads to observation 1"):
        hmm.log_likelihood([0, 2, 1], never)
    with pytest.raises(ValueError, match=r"series 1 is impossible.* observation 0"):
        hmm.viterbi([[0], [2]], never)
    endless = EISNER._replace(transitions=np.array([[0.5, 0.5, 0], [0.5, 0.5, 0]]))
    with pytest.raises(ValueError, match=r"it cannot stop"):
        hmm.fit(CONES, endless)


@pytest.mark.timing
def test_an_iteration_of_a_hundred_thousand_days_takes_at_most_a_second_and_a_half():
    rng = np.random.default_rng(0)
    chain = Chain(np.full(5, 0.2), rng.dirichlet(np.ones(5), 5), Poisson(np.arange(1, 6.0)))
    step, seconds = hmm.make_step(hmm.series_for(rng.poisson(3, 100_000), chain)), []
    for _ in range(3):
        began = time.perf_counter()
        step(chain)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 1.5
