"""Leaps: never lower, the ends of plain EM, in fewer calls; and the rates they live on."""

import math
from itertools import islice
from typing import NamedTuple

import numpy as np
import pytest
from cases import CONVERGED, assert_same_mixture, logspace_step, mixture, problems
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_less

from emtools import Mixture, MultivariateMixture, acceleration, data, logspace, multivariate
from emtools.acceleration import (
    Leap,
    Run,
    accelerated,
    aitken,
    anderson,
    bends_along,
    climb_in_leaps,
    leap_of,
    measured_rate,
    plain_squarem,
    point_at,
    quasi_newton,
    squarem,
    tried,
)
from emtools.bound import linkage_log_likelihood, linkage_step
from emtools.collapse import Collapse
from emtools.coordinates import free, scales
from emtools.em import climb, iterate, step_on

PROPOSALS = {"squarem": squarem, "anderson": lambda: anderson, "quasi_newton": lambda: quasi_newton}
each_proposal = pytest.mark.parametrize("name", PROPOSALS)

# The London deaths (Hasselblad 1969), as turboEM and SQUAREM have them; REFERENCES 6.
COUNTS, DAYS = data.deaths()
LOG_FACTORIALS = np.array([math.lgamma(count + 1) for count in COUNTS])
END = np.array([0.359885396985, 1.256095101224, 2.663404356632])
LINKAGE_END = 0.62682149787098241421


class Deaths(NamedTuple):
    weights: np.ndarray
    rates: np.ndarray


def deaths_step(deaths):
    log_pmf = COUNTS[:, None] * np.log(deaths.rates) - deaths.rates - LOG_FACTORIALS[:, None]
    table = np.log(deaths.weights) + log_pmf
    log_density = np.logaddexp.reduce(table, axis=1)
    days = np.exp(table - log_density[:, None]) * DAYS[:, None]
    counts = days.sum(axis=0)
    return Deaths(counts / counts.sum(), COUNTS @ days / counts), float(DAYS @ log_density)


def raw(deaths):
    return np.array([deaths.weights[0], *deaths.rates])


def raw_step(theta):
    new, log_likelihood = deaths_step(Deaths(np.array([theta[0], 1 - theta[0]]), theta[1:]))
    return raw(new), log_likelihood


def deaths_at(weight, *rates):
    return Deaths(np.array([weight, 1 - weight]), np.array(rates, float))


def follow(step, start, propose, n_calls):
    """The best points after each of so many calls."""
    return [best for best, _ in islice(accelerated(step, start, propose), n_calls)]


def heights(points):
    return np.array([point.log_likelihood for point in points])


# What is measured


def test_the_rate_of_linkage_and_aitkens_jump():
    path = [0.5]
    for _ in range(8):
        path.append(linkage_step(path[-1])[0])
    assert_allclose(measured_rate(*path[5:8]), 0.132778733746, rtol=1e-5)
    assert_allclose(aitken(*path[:3]) - LINKAGE_END, 3.0e-4, rtol=0.02)
    assert_allclose(path[2] - LINKAGE_END, -2.500447502e-3, rtol=1e-7)


@given(
    st.floats(-10, 10),
    st.floats(0.1, 10),
    st.floats(-0.9, 0.9).filter(lambda ratio: abs(ratio) > 0.01),
)
def test_aitken_is_exact_on_a_geometric_sequence(end, error, ratio):
    iterates = [end + error * ratio**n for n in range(3)]
    assert_allclose(aitken(*iterates), end, atol=1e-9 * (abs(end) + error) / (1 - abs(ratio)))
    assert_allclose(aitken(*map(np.array, zip(iterates, strict=True))), [end], atol=1e-8)
    assert_allclose(measured_rate(*iterates), abs(ratio), rtol=1e-6)


def test_a_leap_of_one_is_two_em_steps():
    first, second = np.array([1.0, 2.0]), np.array([0.5, 1.5])
    assert_allclose(leap_of(first, second, 1.0), first + second)


# SQUAREM as published: R's SQUAREM 2021.1


@pytest.mark.parametrize(
    ("start", "tol", "n_calls"),
    [
        ([0.3, 1, 2.5], 1e-7, 66),
        ([0.3, 1, 2.5], 1e-8, 72),
        ([0.3, 1, 2.5], 1e-10, 78),
        ([0.5, 1, 3], 1e-7, 60),
        ([0.5, 1, 3], 1e-8, 66),
        ([0.5, 1, 3], 1e-10, 66),
        ([0.4462944499, 5.3433980730, 0.8713512983], 1e-8, 72),
    ],
)
def test_plain_squarem_calls_the_step_as_often_as_published(start, tol, n_calls):
    path, counted = plain_squarem(raw_step, np.array(start, float), tol)
    assert counted == n_calls
    share, *rates = path[-1]
    assert_allclose([min(share, 1 - share), *sorted(rates)], END, rtol=1e-4)


def test_plain_squarem_falls_twice():
    path, _ = plain_squarem(raw_step, np.array([0.3, 1.0, 2.5]), 1e-8)
    rises = np.diff([raw_step(theta)[1] for theta in path])
    assert (rises < -1e-9).sum() == 2


def test_plain_squarem_leaves_the_space_and_ends_by_its_cap():
    with np.errstate(all="ignore"):
        path, n_calls = plain_squarem(raw_step, np.array([0.5, 2.1, 2.2]), 1e-8, max_calls=30)
    assert 30 <= n_calls < 34
    assert np.isnan(path[-1]).all()


# The deaths, within 2.3e-6 of the end, which is where EM's 2586 steps lead


def calls_until_near(propose, start):
    points = follow(deaths_step, start, propose, 3000)
    away = np.array([np.linalg.norm(raw(point.parameters) - END) for point in points])
    assert (np.diff(heights(points)) > -1e-9).all()
    return int(np.argmax(away < 2.3e-6)) + 1


@pytest.mark.parametrize(
    ("propose", "most"), [(squarem(), 80), (anderson, 40), (quasi_newton, 40)], ids=PROPOSALS
)
def test_deaths(propose, most):
    assert calls_until_near(propose, deaths_at(0.3, 1, 2.5)) <= most


def test_without_proposals_it_is_em():
    assert calls_until_near(None, deaths_at(0.3, 1, 2.5)) == 2586
    x, start = data.waiting(), mixture([0.5, 0.5], [50, 80], [5, 5])
    step = step_on(x, logspace.e_step, logspace.m_step)
    points = follow(step, start, None, 21)
    assert_allclose(heights(points), climb(step, start, 0, 20).history, rtol=0)


# Never lower, and the same ends


@each_proposal
@given(problem=problems())
def test_never_lower_whatever_the_mixture(name, problem):
    x, start = problem

    def step(parameters):
        new, log_likelihood = logspace_step(x, parameters)
        if not (new.stds > 1e-3).all():
            raise ValueError("too narrow for this test")
        return new, log_likelihood

    run = accelerated(step, start, PROPOSALS[name]())
    found = []
    try:
        for best, _ in islice(run, 60):
            found.append(best)
    except ValueError:
        assume(found)  # EM itself collapses here
    values = heights(found)
    assert (np.diff(values) >= -1e-9 * np.abs(values).max()).all()
    for best in found:
        assert_allclose(best.parameters.weights.sum(), 1)
        assert (best.parameters.stds > 0).all()


@each_proposal
def test_two_bells_on_the_waits_end_where_the_peers_do(name):
    step = step_on(data.waiting(), logspace.e_step, logspace.m_step)
    start = mixture([0.5, 0.5], [50, 80], [5, 5])
    fit = climb_in_leaps(step, start, 1e-12, 500, PROPOSALS[name]())
    assert fit.converged
    assert_allclose(fit.log_likelihood, -1034.00174983161, rtol=1e-12)
    assert_same_mixture(fit.parameters, CONVERGED, rtol=3e-6)


def overlapping(seed, n_components, n_samples, gap):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet([4] * n_components)
    means = gap * np.arange(n_components) + rng.normal(0, 0.2, n_components)
    stds = rng.uniform(0.7, 1.3, n_components)
    labels = rng.choice(n_components, n_samples, p=weights)
    x = rng.normal(means[labels], stds[labels])
    return step_on(x, logspace.e_step, logspace.m_step), Mixture(weights, means, stds)


def overlapping_clouds(seed, n_components, n_samples, gap):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet([4] * n_components)
    means = rng.uniform(-gap, gap, (n_components, 2))
    factors = rng.normal(0, 0.4, (n_components, 2, 2)) + np.eye(2)
    labels = rng.choice(n_components, n_samples, p=weights)
    noise = np.einsum("nij,nj->ni", factors[labels], rng.normal(size=(n_samples, 2)))
    start = MultivariateMixture(weights, means, factors @ factors.swapaxes(1, 2))
    return step_on(means[labels] + noise, multivariate.e_step, multivariate.m_step), start


SLOW = [  # EM needs 1,000 to 6,000 steps for each
    *[(overlapping, seed, 2, 400, 1.5) for seed in (0, 5, 7)],
    *[(overlapping, seed, 3, 400, 2.0) for seed in (3, 5)],
    *[(overlapping, seed, 4, 500, 2.0) for seed in (0, 2, 4)],
    (overlapping_clouds, 1, 3, 400, 2.0),
    (overlapping_clouds, 0, 4, 600, 2.5),
]


def test_ten_slow_mixtures_end_at_the_limit_of_em_in_a_tenth_of_its_calls():
    ratios = []
    for make, *arguments in SLOW:
        step, start = make(*arguments)
        slow = climb(step, start, 1e-11, 30_000)
        near = slow.log_likelihood - 1e-8
        quick = heights(follow(step, start, quasi_newton, 400))
        assert abs(quick[-1] - slow.log_likelihood) < 1e-8  # no wrong limit
        n_em, n_leaps = (int(np.argmax(h >= near)) + 1 for h in (slow.history, quick))
        assert n_em > 900
        ratios.append(n_em / n_leaps)
    assert np.median(ratios) > 10


def test_a_pass_is_left_where_anderson_stays():
    x = data.waiting()
    step = step_on(x, logspace.e_step, logspace.m_step)
    start = mixture([1 / 3] * 3, np.quantile(x, [1 / 6, 1 / 2, 5 / 6]), [np.std(x)] * 3)
    stuck = follow(step, start, anderson, 100)[-1].parameters
    assert step(stuck)[1] < -1033.9  # 2.3 nats under what EM reaches from here
    on = climb_in_leaps(step, stuck, 1e-10, 1000)
    assert_allclose(on.log_likelihood, -1031.6347087199, rtol=1e-12)
    assert on.n_iter < 100


def test_one_bell_too_many():
    x = np.random.default_rng(1).standard_normal(1000)
    step = step_on(x, logspace.e_step, logspace.m_step)
    fit = climb_in_leaps(step, mixture([0.5, 0.5], [-1, 1], [1, 1]), 1e-10, 1000)
    assert fit.converged
    assert fit.n_iter < 300  # EM: 17,000
    assert fit.log_likelihood > -1404.46010


# The safeguard


def parabola_step(theta):
    """EM on a parabola with its top at 3: each step goes a tenth of the way."""
    return theta + (3 - theta) / 10, -float(np.sum((theta - 3) ** 2))


def test_a_leap_that_lands_lower_is_refused_and_the_next_one_is_shorter():
    called = []

    def step(theta):
        called.append(float(theta[0]))
        return parabola_step(theta)

    def too_far(best, memory):
        return Leap(np.array([100.0]), math.inf)

    points = follow(step, np.array([0.0]), too_far, 5)
    assert_allclose(called, [0, 0.3, 100.3, 25.3, 6.55])  # a leap of 100, then a quarter each time
    assert [float(point.parameters[0]) for point in points] == [0, *[called[1]] * 4]


def test_a_leap_that_lands_higher_allows_three_times_as_much():
    called = []

    def step(theta):
        called.append(float(theta[0]))
        return theta + 0.01, float(theta[0]) if theta[0] < 50 else -1.0

    def too_far(best, memory):
        return Leap(np.array([100.0]), math.inf)

    follow(step, np.array([0.0]), too_far, 6)
    assert_allclose(called, [0, 0.01, 100.01, 25.01, 100.01, 25.01 + 75 / 4])


def test_after_three_refusals_an_em_step_starts_afresh():
    def downhill(best, memory):
        return Leap(-best.move, math.inf)

    points = follow(parabola_step, np.array([0.0]), downhill, 9)
    values = [float(point.parameters[0]) for point in points]
    # a call of the start, an EM step, three refusals; the next call is an EM step without memory
    assert_allclose(values[:5], [0, 0.3, 0.3, 0.3, 0.3])
    assert_allclose(values[5], 0.57)


@pytest.mark.parametrize(
    "error", [ValueError("no"), Collapse(0, "one observation", "no cure"), ZeroDivisionError()]
)
def test_a_leap_to_where_the_step_raises_is_refused(error):
    def step(theta):
        if theta[0] > 1:
            raise error
        return parabola_step(theta)

    def far(best, memory):
        return Leap(np.array([50.0]), math.inf)

    points = follow(step, np.array([0.0]), far, 5)
    assert all(point.parameters[0] <= 1 for point in points)


def test_what_em_itself_raises_is_raised():
    def step(theta):
        if theta[0] > 1:
            raise Collapse(0, "one observation", "no cure")
        return parabola_step(theta)

    with pytest.raises(Collapse):
        follow(step, np.array([0.0]), None, 10)
    with pytest.raises(KeyError):  # a mistake in a step is no refusal
        tried(lambda theta: {}["no"], np.array([0.0]), np.array([0.0]))


def test_nan_is_refused():
    assert tried(lambda theta: (theta, math.nan), np.zeros(1), np.zeros(1)) is None
    assert tried(lambda theta: (theta * math.nan, 0.0), np.zeros(1), np.zeros(1)) is None


@each_proposal
def test_linkage_with_steps_that_would_leave_its_space(name):
    def step(theta):
        if not 0 < theta < 1:
            raise ValueError("outside")
        return linkage_step(theta)

    for start in (1e-6, 0.5, 1 - 1e-6):
        points = follow(step, start, PROPOSALS[name](), 60)
        assert_allclose(points[-1].parameters, LINKAGE_END, rtol=1e-9)
        assert points[-1].log_likelihood >= linkage_log_likelihood(LINKAGE_END) - 1e-11


@each_proposal
def test_a_weight_of_zero_stays_and_the_rest_is_fitted(name):
    x = data.waiting()
    step = step_on(x, logspace.e_step, logspace.m_step)
    start = mixture([0.5, 0.5, 0], [50, 80, 60], [5, 5, 5])

    def guarded(parameters):
        with np.errstate(all="ignore"):
            new, log_likelihood = step(parameters)
        stays = parameters.weights < 1e-200
        parts = [np.where(stays, old, part) for part, old in zip(new, parameters, strict=True)]
        return Mixture(*parts), log_likelihood

    best = follow(guarded, start, PROPOSALS[name](), 80)[-1]
    assert best.parameters.weights[2] < 1e-200
    assert_allclose(best.log_likelihood, -1034.00174983161, rtol=1e-10)


# The proposals near the end, where every step is linear


def linear_step(slope, end):
    def step(theta):
        move = (np.eye(len(end)) - slope) @ (end - theta)
        return theta + move, -float((end - theta) @ (np.eye(len(end)) - slope) @ (end - theta)) / 2

    return step


@pytest.mark.parametrize("propose", [anderson, quasi_newton])
def test_on_a_linear_step_as_many_leaps_as_there_are_numbers_do(propose):
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    slope, end = turn @ np.diag([0.99, 0.7, 0.2]) @ turn.T, np.array([1.0, 2, 3])
    points = follow(linear_step(slope, end), np.zeros(3), propose, 9)
    assert_allclose(points[-1].parameters, end, rtol=1e-7)


def test_bends_are_the_curvature_in_the_directions_travelled():
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    hessian = turn @ np.diag([-0.5, 0.1, 0.8, 1.0]) @ turn.T
    travelled = rng.normal(size=(4, 4))
    curvatures, axes = bends_along(travelled, -travelled @ hessian)
    assert_allclose(curvatures, [-0.5, 0.1, 0.8, 1.0], atol=1e-9)
    assert_allclose(axes @ axes.T, np.eye(4), atol=1e-9)
    assert_allclose(np.abs(axes @ turn), np.eye(4), atol=1e-8)


def test_points_that_are_one_give_no_leap():
    here = point_at(parabola_step, np.array([1.0]))
    assert quasi_newton(here, (here,)) is None


def test_a_run_without_leaps_never_asks_for_free_coordinates(monkeypatch):
    monkeypatch.setattr("emtools.acceleration.free", lambda _: pytest.fail("asked"))
    run = islice(accelerated(deaths_step, deaths_at(0.3, 1, 2.5), None), 5)
    assert_array_less(0, np.diff([best.log_likelihood for best, _ in run]))


def test_squarem_leaps_only_after_an_em_step():
    start = point_at(deaths_step, deaths_at(0.3, 1, 2.5))
    after = point_at(deaths_step, start.new)
    other = point_at(deaths_step, deaths_at(0.4, 1, 3))
    propose = squarem()
    assert propose(other, (start,)) is None
    assert propose(after, (start,)) is None  # with alpha = 1: an EM step
    leap = propose(point_at(deaths_step, after.new), (start, after))
    assert leap.settles
    assert leap.move.shape == (4,)


# A run


def test_a_run_goes_on_where_it_was():
    step = step_on(data.waiting(), logspace.e_step, logspace.m_step)
    start = mixture([0.5, 0.5], [50, 80], [5, 5])
    whole = Run(step, start, quasi_newton, 1e-10).go_on(12)
    parts = Run(step, start, quasi_newton, 1e-10).go_on(5).go_on(7)
    assert whole.history == parts.history
    fit = parts.fit("max_iter")
    assert (fit.n_iter, fit.stopped, fit.converged) == (11, "max_iter", False)
    assert fit.log_likelihood == step(fit.parameters)[1]


def test_a_run_says_why_it_ended_and_then_calls_no_more():
    n_calls = 0
    step = step_on(data.waiting(), logspace.e_step, logspace.m_step)

    def counted(parameters):
        nonlocal n_calls
        n_calls += 1
        return step(parameters)

    run = Run(counted, mixture([0.5, 0.5], [50, 80], [5, 5]), quasi_newton, 1e-10).go_on(500)
    assert run.stopped == "tol"
    assert len(run.history) == n_calls
    run.go_on(10)
    assert len(run.history) == n_calls
    assert run.fit().converged


def test_iterate_accelerates_on_request_and_never_at_tol_0():
    step = step_on(data.waiting(), logspace.e_step, logspace.m_step)
    start = mixture([1 / 3] * 3, [50, 60, 80], [5] * 3)
    quick, slow = (iterate(step, start, accelerate=which) for which in (True, False))
    assert quick.n_iter < slow.n_iter / 10
    assert_allclose(quick.log_likelihood, slow.log_likelihood, rtol=1e-11)
    exact = iterate(step, start, tol=0, max_iter=15, accelerate=True)
    assert_allclose(exact.history, slow.history[:16], rtol=0)


def test_in_units_of_the_complete_data_the_em_step_is_the_gradient():
    """Eq. (6) of the chapter, close to an end: per observation, up to correlations left out."""
    x = data.waiting()
    step = step_on(x, logspace.e_step, logspace.m_step)
    here = CONVERGED._replace(means=CONVERGED.means + 0.01)
    units = scales(here)
    move = (free(step(here)[0]) - free(here)) * units
    gradient = []
    for k in range(2):
        h = 1e-4 * np.eye(2)[k]
        pair = [step(here._replace(means=here.means + sign * h))[1] for sign in (1, -1)]
        gradient.append((pair[0] - pair[1]) / 2e-4 / len(x))
    assert_allclose(move[2:4], gradient / units[2:4], rtol=0.02)


def test_names_that_others_use_are_there():
    assert acceleration.length(np.array([3.0, 4.0])) == 5
