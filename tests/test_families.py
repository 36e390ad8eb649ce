"""Other families, same loop: properties, published numbers, other programs, bad input."""

import pickle
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from cases import CONVERGED, assert_same_mixture
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, special, stats

import emtools
from emtools import Collapse, Mixture, NotConverged, data, families
from emtools.em import iterate
from emtools.families import Chances, Family, Lines, Probabilities, Rates, Scales
from emtools.kinds import as_text, kind_of

HEADS, TOSSES = data.coin_tosses()
DEATHS, DAYS = data.deaths()
PATTERNS, SLIDES = data.carcinoma()
GRADES, RATERS = data.judgements()
STRETCH, TUNED = data.tones()
SCALE = (1, 2, 3, 4)
DAWID_SKENE = families.categorical(SCALE, RATERS)
FIXED = families.binomial(TOSSES)._replace(free_weights=False)
WAITS = np.array([0.1, 0.2, 0.25, 0.4, 0.7, 1.1, 1.6, 2.5, 4.0, 7.5, 9.0, 13.0, 20.0])


def shares_of_votes():
    """Each patient's grades as shares: what Dawid and Skene start from."""
    rows = DAWID_SKENE.rows(GRADES)
    votes = rows.reshape(45, 5, 4).sum(axis=1)
    return families.m_step(rows, votes / votes.sum(axis=1, keepdims=True), DAWID_SKENE)


# A small problem for every family: observations, a start, and the family.
PROBLEMS = {
    "poisson": (DEATHS, Rates([0.3, 0.7], [1, 2.5]), families.poisson),
    "zeros": (DEATHS, Rates([0.1, 0.5, 0.4], [0, 2, 3]), families.zero_inflated_poisson),
    "exponential": (WAITS, Scales([0.4, 0.6], [0.5, 8]), families.exponential),
    "coins": (HEADS, Chances([0.4, 0.6], [0.6, 0.5]), families.binomial(TOSSES)),
    "fixed coins": (HEADS, Chances([0.4, 0.6], [0.6, 0.5]), FIXED),
    "classes": (
        PATTERNS,
        Chances([0.4, 0.6], [[0.6, 0.7, 0.5, 0.4, 0.6, 0.5, 0.8], [0.2] * 7]),
        families.bernoulli,
    ),
    "raters": (GRADES, shares_of_votes(), DAWID_SKENE),
    "lines": (
        TUNED,
        Lines([0.4, 0.6], [[0, 1], [2, 0]], [0.1, 0.2]),
        families.linear(STRETCH),
    ),
    "bells": (WAITS, Mixture([0.4, 0.6], [1, 9], [1, 5]), families.gaussian),
}
every = pytest.mark.parametrize("name", PROBLEMS)


def problem(name):
    """Rows, a start as arrays, and the family."""
    x, start, family = PROBLEMS[name]
    return family.rows(x), type(start)(*(np.array(part, float) for part in start)), family


# Properties


@every
def test_responsibilities_sum_to_one(name):
    x, start, family = problem(name)
    resp, log_densities = families.e_step(x, start, family)
    assert resp.shape == (len(x), len(start.weights))
    assert_allclose(resp.sum(axis=1), 1, rtol=1e-14)
    assert log_densities.shape == (len(x),)


@every
def test_the_log_likelihood_never_falls(name):
    x, start, family = problem(name)
    fit = iterate(families.make_step(x, family), start, tol=0, max_iter=60)
    assert np.diff(fit.history).min() >= -1e-12 * abs(fit.log_likelihood)
    assert fit.history[-1] > fit.history[0] + 1e-3


@every
def test_no_component_beats_its_own_match(name):
    """The match is the weighted maximum: any small move away from it is worse."""
    x, start, family = problem(name)
    rng = np.random.default_rng(20)
    resp = rng.dirichlet(np.ones(len(start.weights)), size=len(x))
    if family.n_held:
        resp[x > 0, 0] = 0  # what the held component cannot give

    def height(mixture):
        log_joints = np.log(mixture.weights) + family.log_pdf(x, mixture)
        return (resp * np.where(resp > 0, log_joints, 0)).sum()

    best = families.m_step(x, resp, family)
    weights, *own = best
    for _ in range(20):
        moved = [part * np.exp(0.02 * rng.standard_normal(part.shape)) for part in own]
        moved = [np.minimum(part, 1) if "chances" in best._fields else part for part in moved]
        if "probabilities" in best._fields:
            moved = [part / part.sum(axis=-1, keepdims=True) for part in moved]
        assert height(type(best)(weights, *moved)) < height(best)


@every
def test_the_order_of_components_does_not_matter(name):
    x, start, family = problem(name)
    order = [0, *range(len(start.weights) - 1, 0, -1)] if name == "zeros" else [1, 0, 3, 2]
    order = [k for k in order if k < len(start.weights)]
    turned = type(start)(*(part[order] for part in start))
    new, log_likelihood = families.make_step(x, family)(start)
    new_turned, log_likelihood_turned = families.make_step(x, family)(turned)
    assert_allclose(log_likelihood_turned, log_likelihood, rtol=1e-13)
    for part, part_turned in zip(new, new_turned, strict=True):
        assert_allclose(part_turned, part[order], rtol=1e-12, atol=1e-14)


@every
def test_weights_are_copies(name):
    x, start, family = problem(name)
    often = np.arange(1, len(x) + 1) % 3  # some rows not at all
    weighted, log_likelihood = families.make_step(x, family, often)(start)
    copies, log_likelihood_of_copies = families.make_step(np.repeat(x, often, axis=0), family)(
        start
    )
    assert_allclose(log_likelihood, log_likelihood_of_copies, rtol=1e-12)
    for part, other in zip(weighted, copies, strict=True):
        assert_allclose(part, other, rtol=1e-9, atol=1e-13)


@every
def test_one_hot_responsibilities_give_each_class_its_own_estimate(name):
    x, start, family = problem(name)
    n_components = len(start.weights)
    labels = np.arange(len(x)) % n_components
    new = families.m_step(x, np.eye(n_components)[labels], family)
    for k in range(n_components):
        alone = families.m_step(x[labels == k], np.ones(((labels == k).sum(), 1)), family)
        for part, of_one in zip(new[1:], alone[1:], strict=True):
            held = family.n_held and k > 0  # the first of one component would be the held one
            if not held:
                assert_allclose(part[k], of_one[0], rtol=1e-9, atol=1e-12)


@every
def test_a_start_is_taken_in_every_form_and_left_alone(name):
    x, start, family = PROBLEMS[name]
    rows, arrays, _ = problem(name)
    expected = iterate(families.make_step(rows, family), arrays, tol=0, max_iter=3)
    for part in arrays:
        part.flags.writeable = False
    forms = [start, tuple(start), [np.asarray(p).tolist() for p in start], arrays, expected]
    for form in forms[:-1]:
        fit = families.fit(x, form, family, tol=0, max_iter=3)
        assert type(fit.parameters) is family.type
        assert_allclose(fit.history, expected.history, rtol=1e-13)
    further = families.fit(x, expected, family, tol=0, max_iter=0)
    assert_allclose(further.log_likelihood, expected.log_likelihood, rtol=1e-13)


@every
def test_fit_finds_a_start_by_itself(name):
    x, start, family = PROBLEMS[name]
    from_start = families.fit(x, start, family, tol=1e-8)
    found = families.fit(x, len(start.weights), family, n_starts=25, rng=3, tol=1e-8)
    assert found.converged
    assert found.log_likelihood > from_start.log_likelihood - 1e-2
    again = families.fit(x, len(start.weights), family, n_starts=25, rng=3, tol=1e-8)
    assert_allclose(found.history, again.history, rtol=1e-12)


@every
def test_a_factor_common_to_all_weights_changes_no_estimate(name):
    x, start, family = PROBLEMS[name]
    fits = [
        families.fit(x, start, family, sample_weight=np.full(len(x), often), tol=1e-6)
        for often in (1.0, 256.0)
    ]
    assert fits[0].n_iter == fits[1].n_iter
    assert_allclose(256 * fits[0].log_likelihood, fits[1].log_likelihood, rtol=1e-13)


@every
def test_what_comes_after_a_fit_knows_the_parameters(name):
    x, start, family = problem(name)
    resp, log_densities = families.e_step(x, start, family)
    assert_allclose(emtools.log_density(x, start), log_densities, rtol=1e-12)
    assert_allclose(emtools.responsibilities(x, start), resp, rtol=1e-9, atol=1e-15)
    assert_array_equal(emtools.predict(x, start), resp.argmax(axis=1))
    turned = type(start)(*(part[::-1] for part in start))
    assert_allclose(
        emtools.sorted_by_mean(turned).weights, emtools.sorted_by_mean(start).weights, rtol=1e-15
    )
    assert as_text(start).startswith("component")
    assert repr(pickle.loads(pickle.dumps(start))) == repr(start)


@pytest.mark.parametrize("name", ["poisson", "zeros", "exponential", "classes", "raters", "bells"])
def test_draws_have_the_moments_of_their_component(name):
    x, start, family = problem(name)
    start = start._replace(weights=np.full(len(start.weights), 1 / len(start.weights)))
    drawn, labels = emtools.sample(start, 40_000, rng=5)
    assert drawn.shape[1:] == x.shape[1:] or name == "raters"
    matched = families.m_step(drawn, np.eye(len(start.weights))[labels], family)
    for part, own in zip(matched, start, strict=True):
        assert_allclose(part, own, atol=0.02 * max(1, np.max(own)))


@pytest.mark.parametrize(("name", "message"), [("coins", "how often"), ("lines", "at which regr")])
def test_some_draws_need_what_the_parameters_do_not_hold(name, message):
    with pytest.raises(ValueError, match=message):
        emtools.sample(problem(name)[1], 5, rng=1)


def test_moments_are_matched():
    """Whatever the responsibilities, the mixture's mean is the data's."""
    resp = np.random.default_rng(20).dirichlet([1, 1, 1], size=len(DEATHS)) * DAYS[:, None]
    new = families.m_step(DEATHS, resp, families.poisson)
    assert_allclose(new.weights @ new.rates, 2364 / 1096, rtol=1e-14)


@given(
    st.lists(st.integers(0, 20), min_size=3, max_size=12),
    st.lists(st.floats(0, 30), min_size=2, max_size=3),
    st.lists(st.integers(1, 9), min_size=12, max_size=12),
)
def test_a_poisson_step_climbs_and_keeps_the_mean(x, rates, often):
    x, often = np.array(x, float), np.array(often[: len(x)])
    start = Rates(np.full(len(rates), 1 / len(rates)), np.array(rates) + 0.01)
    step = families.make_step(x, families.poisson, often)
    new, before = step(start)
    after = families.e_step(x, new, families.poisson)[1] @ often
    assert after >= before - 1e-9 * max(1, abs(before))
    assert_allclose(new.weights @ new.rates, often @ x / often.sum(), rtol=1e-9, atol=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9),
    st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])), min_size=1, max_size=4),
)
def test_log_powers_are_scipys_xlogy(counts, chances):
    counts = np.array(counts, float)
    sides = np.column_stack([chances, 1 - np.array(chances)])
    expected = special.xlogy(counts[:, None], sides).sum(axis=2)
    assert_allclose(families.log_powers(counts, sides), expected, rtol=1e-12, atol=1e-12)


# Densities, against SciPy


def test_densities_are_scipys():
    mixture = Rates(np.ones(3), np.array([0.0, 1.5, 800.0]))
    counts = np.array([0.0, 1, 2, 900, 0])
    expected = stats.poisson.logpmf(counts[:, None], mixture.rates)
    assert_allclose(families.poisson_log_pdf(counts, mixture), expected, rtol=1e-12)
    mixture = Scales(np.ones(2), np.array([0.5, 70.0]))
    expected = stats.expon.logpdf(WAITS[:, None], scale=mixture.scales)
    assert_allclose(families.exponential_log_pdf(WAITS, mixture), expected, rtol=1e-12)
    mixture = Chances(np.ones(4), np.array([0.0, 0.3, 0.5, 1.0]))
    heads, tosses = np.array([0, 3, 10, 7, 1000]), np.array([10, 10, 10, 7, 5000])
    expected = stats.binom.logpmf(heads[:, None], tosses[:, None], mixture.chances)
    rows = families.heads_and_tails(heads, tosses)
    assert_allclose(families.binomial_log_pdf(rows, mixture), expected, rtol=1e-9)
    mixture = Chances(np.ones(2), np.array([[0.0, 0.3, 1.0], [0.5, 0.9, 0.2]]))
    x = np.array([[0.0, 1, 1], [1, 0, 1], [0, 0, 0]])
    expected = stats.bernoulli.logpmf(x[:, None], mixture.chances).sum(axis=2)
    assert_allclose(families.bernoulli_log_pdf(x, mixture), expected, rtol=1e-12)
    mixture = Lines(np.ones(2), np.array([[1.0, 2.0], [0.5, -3.0]]), np.array([0.5, 2.0]))
    x = np.array([[1.0, 0.2], [7.0, -1.0]])
    heights = mixture.coefficients[:, 0] + x[:, 1:] * mixture.coefficients[:, 1]
    expected = stats.norm.logpdf(x[:, :1], heights, mixture.stds)
    assert_allclose(families.linear_log_pdf(x, mixture), expected, rtol=1e-12)
    expected = stats.norm.logpdf(WAITS[:, None], CONVERGED.means, CONVERGED.stds)
    assert_allclose(families.normal_log_pdf(WAITS, CONVERGED), expected, rtol=1e-12)


def test_nothing_to_the_nothing_is_one():
    logs = families.log_powers(np.array([[0.0, 2.0], [1.0, 0.0]]), np.array([[0.0, 1.0]]))
    assert_array_equal(logs, [[0.0], [-np.inf]])


def test_log_factorials_of_large_counts():
    assert_allclose(
        families.log_factorial(np.array([0.0, 1, 5, 1e9, 5])),
        [0, 0, np.log(120), 19723265848.2269826, np.log(120)],
        rtol=1e-13,
        atol=1e-15,
    )


# Published numbers


def test_coins_step_for_step_with_mpmath():
    iterations, chances, heights = data.coin_iterates()
    constants = families.binomial_log_pdf(
        families.heads_and_tails(HEADS, TOSSES), Chances(np.ones(1), np.array([0.5]))
    ).sum() - 50 * np.log(0.5)
    for iteration, expected, height in zip(iterations, chances, heights, strict=True):
        fit = families.fit(HEADS, ([0.5, 0.5], [0.6, 0.5]), FIXED, tol=0, max_iter=int(iteration))
        assert_allclose(fit.parameters.chances, expected, rtol=1e-12)
        assert_allclose(fit.log_likelihood - constants, height, rtol=1e-12)
        assert_array_equal(fit.parameters.weights, [0.5, 0.5])
    assert_allclose(chances[-1], (0.7967890669226469, 0.5195831201451351), rtol=1e-13)


def test_free_weights_are_another_model():
    fit = families.fit(HEADS, ([0.5, 0.5], [0.6, 0.5]), families.binomial(10))
    assert_allclose(fit.parameters.chances, (0.7934, 0.5139), atol=5e-5)
    assert_allclose(fit.parameters.weights[0], 0.5228, atol=5e-5)
    fixed = families.fit(HEADS, ([0.5, 0.5], [0.6, 0.5]), FIXED)
    assert 0 < fit.log_likelihood - fixed.log_likelihood < 0.01


def test_deaths_as_squarem_and_flexmix_have_them():
    start = Rates([0.3, 0.7], [1, 2.5])
    first = families.fit(DEATHS, start, families.poisson, sample_weight=DAYS, tol=0, max_iter=1)
    assert_allclose(first.parameters.weights[0], 0.285690438368875, rtol=1e-13)
    assert_allclose(first.parameters.rates, (1.06138980766245, 2.59510090121861), rtol=1e-13)
    assert_allclose(first.log_likelihood, -1990.15566744671, rtol=1e-14)
    end = families.fit(DEATHS, start, families.poisson, sample_weight=DAYS, tol=0, max_iter=6000)
    assert_allclose(end.log_likelihood, -1989.94585988296, rtol=1e-14)
    assert_allclose(end.parameters.weights[0], 0.359885397, atol=5e-10)
    assert_allclose(end.parameters.rates, (1.2560951012, 2.6634043564), atol=5e-10)
    one = families.fit(DEATHS, 1, families.poisson, sample_weight=DAYS)
    assert_allclose(one.log_likelihood, -2001.3978, atol=5e-5)


def test_a_table_is_as_good_as_what_it_counts():
    every_day = np.repeat(DEATHS, DAYS)
    start = ([0.3, 0.7], [1, 2.5])
    table = families.fit(DEATHS, start, families.poisson, sample_weight=DAYS, tol=0, max_iter=50)
    days = families.fit(every_day, start, families.poisson, tol=0, max_iter=50)
    assert_allclose(table.history, days.history, rtol=1e-12)
    assert_allclose(table.parameters.rates, days.parameters.rates, rtol=1e-11)


def test_equal_rows_are_gone_through_once():
    x, often = families.merged(np.array([3.0, 1, 3, 3]), np.array([1.0, 2, 1, 0.5]))
    assert_array_equal(x, [1, 3])
    assert_array_equal(often, [2, 2.5])
    x, often = families.merged(np.array([[0.0, 1], [1, 1], [0, 1]]), np.ones(3))
    assert_array_equal(x, [[0, 1], [1, 1]])
    assert_array_equal(often, [2, 1])
    x = np.array([0.5, 0.5])
    assert families.merged(x, np.ones(2))[0] is x
    fit = families.fit([1, 1, 1, 2], 3, families.poisson, rng=1, tol=1e-4)
    assert_allclose(fit.parameters.weights @ fit.parameters.rates, 1.25, rtol=1e-12)


@pytest.mark.parametrize(
    ("n_components", "height", "rtol"),
    [(2, -317.256837300, 1e-11), (3, -293.704978781, 1e-11), (4, -289.285848794, 1e-11)],
)
def test_classes_as_polca_has_them(n_components, height, rtol):
    fit = families.fit(
        PATTERNS, n_components, families.bernoulli, sample_weight=SLIDES, n_starts=30, rng=1
    )
    assert_allclose(fit.log_likelihood, height, rtol=rtol)
    chances = fit.parameters.chances
    assert ((chances >= 0) & (chances <= 1)).all()
    shares = {2: (0.4988, 0.5012), 3: (0.1817, 0.3736, 0.4447)}
    if n_components in shares:
        assert_allclose(np.sort(fit.parameters.weights), shares[n_components], atol=5e-5)


def test_chances_end_at_exactly_0_and_1():
    found = families.fit(PATTERNS, 3, families.bernoulli, sample_weight=SLIDES, rng=1)
    far = families.fit(
        PATTERNS, found, families.bernoulli, sample_weight=SLIDES, tol=0, max_iter=2000
    )
    assert (far.parameters.chances == 0).sum() >= 5
    assert (far.parameters.chances == 1).sum() >= 2
    assert np.isfinite(far.history).all()
    assert_allclose(far.log_likelihood, -293.704978781, rtol=1e-11)


def test_raters_as_dawid_and_skene_have_them():
    fit = families.fit(GRADES, shares_of_votes(), DAWID_SKENE, tol=0, max_iter=2)
    assert_allclose(fit.history, (-205.0911, -194.5510, -193.1594), atol=5e-5)
    fit = families.fit(GRADES, shares_of_votes(), DAWID_SKENE)
    assert_allclose(fit.log_likelihood, -192.890881214205, rtol=1e-12)
    assert_allclose(fit.parameters.weights, (0.3996, 0.4220, 0.1118, 0.0667), atol=5e-5)
    first = [[0.889, 0.111, 0, 0], [0.071, 0.876, 0.053, 0], [0, 0.339, 0.661, 0]]
    assert_allclose(fit.parameters.probabilities[:, 0], [*first, [0, 0, 0.556, 0.444]], atol=5e-4)


def plain_dawid_skene(probabilities, weights, n_steps):
    """The same model in plain loops, patient by patient, multiplying: an independent program."""
    log_likelihood = 0.0
    for _ in range(n_steps + 1):
        sums, counts, log_likelihood = np.zeros((4, 5, 4)), np.zeros(4), 0.0
        for row in GRADES:
            joint = weights.copy()
            for grade, rater in zip(row, RATERS, strict=True):
                joint = joint * probabilities[:, rater, grade - 1]
            log_likelihood += np.log(joint.sum())
            for k in range(4):
                share = joint[k] / joint.sum()
                counts[k] += share
                for grade, rater in zip(row, RATERS, strict=True):
                    sums[k, rater, grade - 1] += share
        probabilities = sums / sums.sum(axis=2, keepdims=True)
        weights = counts / 45
    return log_likelihood


def test_there_is_a_higher_end_for_the_raters_than_the_usual_start_finds():
    fit = families.fit(GRADES, 4, DAWID_SKENE, n_starts=60, rng=1)
    assert_allclose(fit.log_likelihood, -191.56885645, rtol=1e-9)
    weights, probabilities = fit.parameters
    assert_allclose(plain_dawid_skene(probabilities, weights, 0), fit.log_likelihood, rtol=1e-13)
    assert_allclose(plain_dawid_skene(probabilities, weights, 20), fit.log_likelihood, rtol=1e-10)


@pytest.mark.parametrize("start", [2, ([0.4, 0.6], [[0, 1], [2, 0]], [0.1, 0.2])])
def test_tones_from_unlike_starts(start):
    fit = families.fit(TUNED, start, families.linear(STRETCH), n_starts=None, rng=1)
    assert_allclose(fit.log_likelihood, 141.1984022997, rtol=1e-11)
    weights, lines, stds = emtools.sorted_by_mean(fit)
    assert_allclose(weights, (0.30227974, 0.69772026), atol=2e-6)
    assert_allclose(lines, [[-0.01927473, 0.9922955], [1.91638014, 0.04254851]], atol=5e-6)
    assert_allclose(stds, (0.13283407, 0.04619207), atol=2e-6)


def test_one_line_is_numpys_polynomial():
    fit = families.fit(TUNED, 1, families.linear(np.column_stack([STRETCH, STRETCH**2])))
    assert_allclose(fit.parameters.coefficients[0], np.polyfit(STRETCH, TUNED, 2)[::-1], rtol=1e-9)


def test_one_toss_a_set_has_many_ends_of_one_height():
    x = np.repeat([1, 0], [60, 40])
    ends = [
        families.fit(x, ([0.5, 0.5], chances), families.binomial(1))
        for chances in ((0.3, 0.8), (0.5, 0.7), (0.1, 0.9))
    ]
    for fit in ends:
        assert_allclose(fit.log_likelihood, 60 * np.log(0.6) + 40 * np.log(0.4), rtol=1e-13)
        assert_allclose(fit.parameters.weights @ fit.parameters.chances, 0.6, rtol=1e-12)
    assert np.ptp([fit.parameters.chances[0] for fit in ends]) > 0.3


# Other programs


def test_zero_inflation_is_the_direct_maximum():
    fit = families.fit(DEATHS, 2, families.zero_inflated_poisson, sample_weight=DAYS)

    def minus(free):
        extra, rate = 1 / (1 + np.exp(-free[0])), np.exp(free[1])
        pmf = (1 - extra) * stats.poisson.pmf(DEATHS, rate)
        return -DAYS @ np.log(pmf + extra * (DEATHS == 0))

    peak = optimize.minimize(minus, [-2.0, 0.7], method="BFGS", options={"gtol": 1e-9})
    assert_allclose(fit.log_likelihood, -peak.fun, rtol=1e-11)
    assert_allclose(fit.parameters.weights[0], 1 / (1 + np.exp(-peak.x[0])), rtol=1e-4)
    assert_allclose(fit.parameters.rates, [0, np.exp(peak.x[1])], rtol=1e-5)
    assert_allclose(fit.parameters.weights[0], 0.0496, atol=5e-5)
    assert_allclose(fit.parameters.rates[1], 2.2694, atol=5e-5)


def test_the_first_step_of_zero_inflation_by_hand():
    start = Rates([0.1, 0.9], [0, 2])
    fit = families.fit(
        DEATHS, start, families.zero_inflated_poisson, sample_weight=DAYS, tol=0, max_iter=1
    )
    assert_allclose(fit.parameters.weights[0], 0.0666, atol=5e-5)
    assert_allclose(fit.parameters.rates[1], 2.3109, atol=5e-5)
    assert fit.parameters.rates[0] == 0


def test_exponential_mixture_is_the_direct_maximum():
    fit = families.fit(WAITS, ([0.4, 0.6], [0.5, 8]), families.exponential)

    def minus(free):
        share, scales = 1 / (1 + np.exp(-free[0])), np.exp(free[1:])
        pdf = stats.expon.pdf(WAITS[:, None], scale=scales)
        return -np.log(share * pdf[:, 0] + (1 - share) * pdf[:, 1]).sum()

    peak = optimize.minimize(minus, [-0.4, -0.7, 2.0], method="BFGS", options={"gtol": 1e-8})
    assert_allclose(fit.log_likelihood, -peak.fun, rtol=1e-10)
    assert_allclose(fit.parameters.scales, np.exp(peak.x[1:]), rtol=1e-3)


def test_lines_are_the_direct_maximum():
    fit = families.fit(TUNED, ([0.4, 0.6], [[0, 1], [2, 0]], [0.1, 0.2]), families.linear(STRETCH))

    def minus(free):
        share, lines, stds = 1 / (1 + np.exp(-free[0])), free[1:5].reshape(2, 2), np.exp(free[5:])
        heights = lines[:, 0] + STRETCH[:, None] * lines[:, 1]
        return -np.log(stats.norm.pdf(TUNED[:, None], heights, stds) @ [share, 1 - share]).sum()

    begin = [-0.8, 0, 1, 1.9, 0, -2, -3]
    peak = optimize.minimize(minus, begin, method="BFGS", options={"gtol": 1e-5})
    assert_allclose(fit.log_likelihood, -peak.fun, rtol=1e-9)
    assert_allclose(fit.parameters.coefficients.ravel(), peak.x[1:5], atol=1e-5)
    assert_allclose(fit.parameters.stds, np.exp(peak.x[5:]), rtol=1e-4)


def test_raters_are_those_of_plain_loops():
    weights, probabilities = shares_of_votes()
    fit = families.fit(GRADES, shares_of_votes(), DAWID_SKENE, tol=0, max_iter=7)
    assert_allclose(plain_dawid_skene(probabilities, weights, 7), fit.log_likelihood, rtol=1e-13)


def test_bells_are_those_of_the_one_call(waiting):
    start = Mixture([0.5, 0.5], [50, 80], [5, 5])
    ours = families.fit(waiting, start, families.gaussian, tol=1e-12)
    assert_same_mixture(ours.parameters, CONVERGED, rtol=1e-6)
    theirs = emtools.fit(waiting, start, tol=1e-12)
    assert_allclose(ours.log_likelihood, theirs.log_likelihood, rtol=1e-13)


# Fitting


def test_missing_and_repeated_judgements():
    """Absent judgements change nothing; repeated ones count."""
    table = GRADES.astype(float)
    table[3, 2:4], table[40, 1] = np.nan, np.nan
    rows = DAWID_SKENE.rows(table).reshape(45, 5, 4)
    assert_array_equal(rows.sum(axis=(1, 2))[[3, 40, 0]], [5, 6, 7])
    assert_array_equal(rows[3, 0], [0, 2, 0, 0])
    assert rows[3, 1].sum() == 0
    fit = families.fit(table, shares_of_votes(), DAWID_SKENE)
    assert np.isfinite(fit.log_likelihood)
    assert_allclose(fit.parameters.probabilities.sum(axis=2), 1, rtol=1e-13)
    names = families.categorical(SCALE, ["a", "a", "a", "b", "c", "d", "e"])
    assert_array_equal(names.rows(table).reshape(45, 5, 4), rows)


def test_who_has_judged_nobody_of_a_class_may_say_anything():
    x = np.array([[1, 0, 1, 0], [0, 1, 0, 0.0]])  # the second rater has not judged the second
    matched = families.match_judgements(x, np.eye(2), 2)
    assert_array_equal(matched, [[[1, 0], [1, 0]], [[0, 1], [0.5, 0.5]]])


def test_frames_and_truth_values_are_welcome():
    frame = pd.DataFrame(GRADES).astype(object)
    frame.iloc[3, 2] = None
    frame = frame.convert_dtypes()
    table = GRADES.astype(float)
    table[3, 2] = np.nan
    assert_array_equal(DAWID_SKENE.rows(frame), DAWID_SKENE.rows(table))
    start = problem("classes")[1]
    of_bools = families.fit(PATTERNS == 1, start, families.bernoulli, tol=0, max_iter=2)
    of_ints = families.fit(PATTERNS, start, families.bernoulli, tol=0, max_iter=2)
    assert_allclose(of_bools.history, of_ints.history, rtol=1e-15)
    counts = pd.Series(DEATHS, dtype="Int64")
    fit = families.fit(counts, ([1], [2]), families.poisson, sample_weight=pd.Series(DAYS))
    assert_allclose(fit.parameters.rates, 2364 / 1096, rtol=1e-13)


def test_rows_without_weight_are_absent():
    weight = np.r_[np.ones(45), 0]
    table = np.vstack([GRADES, [1, 1, 1, 1, 1, 1, 1]])
    fit = families.fit(table, shares_of_votes(), DAWID_SKENE, sample_weight=weight)
    assert_allclose(fit.log_likelihood, -192.890881214205, rtol=1e-12)


def test_what_is_absent_may_be_impossible():
    fit = families.fit([0, 0, 5], ([1], [0]), families.poisson, sample_weight=[1, 1, 0])
    assert_allclose(fit.history, 0, atol=1e-15)


class Tries(NamedTuple):
    """Parameters of a reader's family: how often one tries until it works."""

    weights: np.ndarray
    hits: np.ndarray


def tries_log_pdf(x, mixture):
    return np.log(mixture.hits) + (x[:, None] - 1) * np.log(1 - mixture.hits)


@pytest.mark.parametrize("form", [np.asarray, lambda array: (array,)])
def test_a_family_of_ones_own_needs_two_functions(form):
    geometric = Family(Tries, tries_log_pdf, lambda x, resp: form(1 / families.averages(x, resp)))
    x = np.concatenate([np.arange(1, 5), [6, 9, 15, 22, 40, 31]])
    fit = families.fit(x, 2, geometric, rng=1)
    pmf = stats.geom.pmf(x[:, None], fit.parameters.hits)
    assert_allclose(fit.log_likelihood, np.log(pmf @ fit.parameters.weights).sum(), rtol=1e-12)
    one = families.fit(x, 1, geometric)
    assert_allclose(one.parameters.hits, 1 / x.mean(), rtol=1e-12)
    assert fit.log_likelihood > one.log_likelihood
    with pytest.raises(ValueError, match="mixture must be"):
        emtools.predict(x, fit)  # nobody has said how


@pytest.mark.parametrize(
    ("log_pdf", "match", "message"),
    [
        (tries_log_pdf, lambda x, resp: 0.5, r"match must return .* hits have the shape \(\)"),
        (tries_log_pdf, lambda x, resp: np.ones((3, 2)), r"for 2 of them its hits .* \(3, 2\)"),
        (
            lambda x, mixture: tries_log_pdf(x, mixture).T,
            lambda x, resp: 1 / families.averages(x, resp),
            r"log_pdf must return a row for each of 4 observations, .* 2 .*; its shape is \(2, 4\)",
        ),
    ],
)
def test_a_family_with_wrong_shapes_is_told(log_pdf, match, message):
    with pytest.raises(ValueError, match=message):
        families.fit([1, 2, 5, 9], 2, Family(Tries, log_pdf, match), rng=1)


@pytest.mark.parametrize(
    ("name", "n_free"),
    [
        ("poisson", 3),
        ("zeros", 4),
        ("exponential", 3),
        ("coins", 3),
        ("fixed coins", 2),
        ("classes", 15),
        ("raters", 63),
        ("lines", 7),
        ("bells", 5),
    ],
)
def test_free_parameters_are_counted(name, n_free):
    _, start, family = problem(name)
    assert families.n_parameters(start, family) == n_free


def test_the_table_of_many_parameters_is_cut():
    text = as_text(problem("raters")[1])
    assert "prob[0, 0]" in text
    assert "..." in text
    assert as_text(problem("lines")[1]).split("\n")[0].split()[2:4] == ["coef[0]", "coef[1]"]


def test_kinds_are_found_by_their_fields():
    assert kind_of(problem("coins")[1]).type is Chances
    assert kind_of(problem("raters")[1]).type is Probabilities


# What goes wrong


def test_a_line_that_shrinks_onto_its_points_is_a_collapse():
    y = STRETCH.copy()
    y[:75] += 1 + np.sin(np.arange(75))
    start = ([0.5, 0.5], [[0.0, 1.0], [1.0, 1.0]], [0.01, 1.0])
    with pytest.raises(Collapse, match=r"component 0 .* no width") as caught:
        families.fit(y, start, families.linear(STRETCH))
    assert caught.value.iteration > 0


def test_a_component_without_observations_is_a_collapse():
    start = Rates([0.5, 0.5], [2, 1e6])
    with pytest.raises(Collapse, match=r"component 1 .* vanished"):
        families.fit(DEATHS, start, families.poisson)


def test_zeros_are_a_spike_of_no_scale():
    x = np.r_[np.zeros(5), WAITS]
    with pytest.raises(Collapse, match=r"component 0 .* no width"):
        families.fit(x, ([0.5, 0.5], [1e-3, 8]), families.exponential)


def test_a_run_that_is_cut_short_warns():
    with pytest.warns(NotConverged):
        families.fit(DEATHS, ([0.3, 0.7], [1, 2.5]), families.poisson, max_iter=3)


def fit(x, start, family, **options):
    return lambda: families.fit(x, start, family, **options)


BAD = [
    (fit([1, 2.5], 1, families.poisson), r"x must be whole numbers >= 0; x\[1\] is 2.5. poisson"),
    (fit([1, -2], 1, families.poisson), r"x\[1\] is -2"),
    (fit([[1, 2]], 1, families.poisson), r"one dimension"),
    (fit([1, np.nan], 1, families.poisson), r"x must be finite"),
    (fit([1.0, -1], 1, families.exponential), r"x\[1\] is -1. Count from another"),
    (fit([0.0, 0], 1, families.exponential), r"zero everywhere"),
    (fit([1.0, 1], 1, families.gaussian), r"constant"),
    (fit([5, 11], 1, families.binomial(10)), r"x\[1\] is 11 heads of 10 tosses. Have they changed"),
    (fit([5, 0], 1, families.binomial([10, 0])), r"x\[1\] is 0 heads of 0 tosses. Leave out"),
    (fit([5, 1], 1, families.binomial([10, 9, 8])), r"tosses must have one entry .* 3, x has 2"),
    (fit([5, 1.5], 1, families.binomial(10)), r"x\[1\] is 1.5. binomial"),
    (fit([5, 1], 1, families.binomial([10, 9.5])), r"tosses\[1\] is 9.5"),
    (fit([5, 1], 1, families.binomial), r"family must be given its tosses: binomial\(tosses\)"),
    (fit([[0, 1], [0, 2]], 1, families.bernoulli), r"x\[1, 1\] is 2. Compare"),
    (fit([0, 1], 1, families.bernoulli), r"x\[:, None\]"),
    (fit([[1, 5], [2, 1]], 1, families.categorical([1, 2])), r"x\[0, 1\] is 5, .* 1 and 2. Mend"),
    (
        fit([[1, 2], [np.nan, np.nan]], 1, families.categorical([1, 2])),
        r"nobody has judged x\[1\]. Leave such rows",
    ),
    (
        fit([[1, np.nan], [2, np.nan]], 1, families.categorical([1, 2])),
        r"rater 1 has judged nobody",
    ),
    (fit([[1, 2], [2, 1]], 1, families.categorical([1, 2], [0])), r"raters must name the rater"),
    (fit([[1, 2], [2, 1]], 1, families.categorical), r"given its grades"),
    (lambda: families.categorical(4), r"grades must have one dimension"),
    (fit([1.0, 2, 3], 1, families.linear([1, 1, 1])), r"regressors\[:, 0\] is constant, 1: it"),
    (fit([1.0, 2, 3], 1, families.linear([1, 2])), r"regressors must have one entry .* 2, x has 3"),
    (
        fit([1.0, 2, 3, 5], 1, families.linear([[1, 2], [2, 4], [3, 6], [5, 10]])),
        r"can be told from the others",
    ),
    (fit([1.0, 2, 3], 1, families.linear), r"given its regressors"),
    (fit([1, 2], 1, "poisson"), r"family must be a Family\(type, .*; it is 'poisson'"),
    (fit([1, 2], 3, families.poisson), r"fewer observations than .* 2 against 3"),
    (fit([1, 2], 0, families.poisson), r"at least one component"),
    (fit([1, 2], 1, families.poisson, sample_weight=[1]), r"sample_weight must have one entry"),
    (fit([1, 2], 1, families.poisson, tol=-1), r"tol must be"),
    (fit([1, 2], 1, families.poisson, rng="a"), r"rng must be"),
    (fit([1, 2], ([1], [1]), families.poisson, n_starts=5), r"n_starts is 5"),
    (
        fit([1, 2], "two", families.poisson),
        r"start must be a whole number .* Rates\(weights",
    ),
    (fit([1, 2], ([1], [1], [1]), families.poisson), r"it is tuple of 3 parts"),
    (fit([1, 2], ([0.5, 0.6], [1, 2]), families.poisson), r"weights must sum to one"),
    (fit([1, 2], ([0.5, 0.5], [1]), families.poisson), r"one entry for each .* 2 and 1"),
    (fit([1, 2], ([1], [-1]), families.poisson), r"mixture.rates must be >= 0; .*rates\[0\] is -1"),
    (fit([1, 2], ([1], [0]), families.poisson), r"2 of 2 observations are impossible .* is 1.0"),
    (fit([1, 2], ([1], [0]), families.exponential), r"mixture.scales must be > 0"),
    (fit([1, 2], ([1], [1.5]), families.binomial(2)), r"mixture.chances must be between 0 and 1"),
    (
        fit(PATTERNS, ([1], [[0.5] * 6]), families.bernoulli),
        r"chances must have the shape \(1, 7\)",
    ),
    (fit(PATTERNS, ([1], [0.5]), families.bernoulli), r"chances must have the shape \(1, 7\)"),
    (
        fit([[1, 2], [2, 1]], ([1], [[[0.5, 0.4], [0.5, 0.5]]]), families.categorical([1, 2])),
        r"sum to one over the grades; .*\[0, 0\] sums to 0.9",
    ),
    (lambda: emtools.predict([1.5], Rates([1], [1])), r"x\[0\] is 1.5"),
    (lambda: emtools.predict([-1.5], Scales([1], [1])), r"x\[0\] is -1.5"),
    (lambda: emtools.predict([[1, 2.5]], Chances([1], [0.5])), r"Give heads and tails"),
    (lambda: emtools.predict([1, 2], Chances([1], [0.5])), r"shape \(N, 2\)"),
    (lambda: emtools.predict([[1, 2]], Chances([1], [[0.5, 0.5]])), r"zeros and ones"),
    (
        lambda: emtools.predict([[0.5, 0.5]], Probabilities([1], [[[0.5, 0.5]]])),
        r"counts of grades",
    ),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_told_with_place_and_cure(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_input_is_never_changed():
    for x, start, family in PROBLEMS.values():
        x = x.copy()
        x.flags.writeable = False
        families.fit(x, start, family, tol=0, max_iter=2)
