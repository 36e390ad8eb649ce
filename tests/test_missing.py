"""Gaps, censored lifetimes and bins: properties, published numbers, other software, bad input."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from cases import mixture
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, optimize, special, stats

from emtools import Collapse, Mixture, NotConverged, arrays, data, missing
from emtools.acceleration import tried
from emtools.coordinates import free
from emtools.em import iterate, step_on
from emtools.missing import Bins, Exponential, Lifetimes, Normal, Survival

SADDLE = -30.033342386268  # REFERENCES, as the other numbers of Murray's points
SUMMIT = -29.974286410465
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def even(variance, covariance):
    """A normal about zero in two dimensions with equal variances."""
    return Normal(np.zeros(2), np.array([[variance, covariance], [covariance, variance]], float))


def murray_step():
    return step_on(missing.by_pattern(data.murray()), missing.e_step, missing.m_step)


def with_gaps(n_samples, n_features, seed, share=0.3):
    """Correlated rows of which a share of the entries is missing, never a pair of columns."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(n_features, n_features))
    X = rng.normal(size=(n_samples, n_features)) @ mixing + 3 * rng.normal(size=n_features)
    gaps = rng.random(X.shape) < share
    gaps[: n_features + 2] = False
    X[gaps] = np.nan
    return X


def any_normal(n_features, seed=0):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(n_features, n_features + 2))
    return Normal(rng.normal(size=n_features), root @ root.T)


def log_likelihood_of(X, normal):
    """Row by row, with SciPy's density."""
    total = 0.0
    for row in X:
        seen = ~np.isnan(row)
        if seen.any():
            marginal = normal.covariance[np.ix_(seen, seen)]
            total += stats.multivariate_normal(normal.mean[seen], marginal).logpdf(row[seen])
    return total


# Gaps: properties


def test_groups_hold_each_row_once_and_share_their_gaps():
    X = with_gaps(60, 3, seed=1)
    groups = missing.by_pattern(X)
    assert len(groups) > 3
    assert_array_equal(np.sort(np.concatenate(groups), axis=0), np.sort(X, axis=0))
    for rows in groups:
        assert (np.isnan(rows) == np.isnan(rows[0])).all()


@given(st.integers(0, 10**6), st.lists(st.booleans(), min_size=4, max_size=4))
def test_what_is_filled_in_is_the_conditional_normal(seed, gaps):
    """Against the other formula for it, by blocks of the inverse covariance."""
    normal, gaps = any_normal(4, seed), np.array(gaps)
    rows = np.random.default_rng(seed + 1).normal(size=(3, 4))
    rows[:, gaps] = np.nan
    filled, leftover = missing.fill_in(rows, normal)
    precision = np.linalg.inv(normal.covariance)
    own = np.linalg.inv(precision[np.ix_(gaps, gaps)])
    pull = (rows[:, ~gaps] - normal.mean[~gaps]) @ precision[np.ix_(~gaps, gaps)]
    assert_allclose(filled[:, gaps], normal.mean[gaps] - pull @ own, rtol=1e-6, atol=1e-8)
    assert_allclose(leftover[np.ix_(gaps, gaps)], own, rtol=1e-6, atol=1e-9)
    assert_array_equal(filled[:, ~gaps], rows[:, ~gaps])
    assert not leftover[~gaps].any()
    assert not leftover[:, ~gaps].any()


def test_a_row_of_which_nothing_is_seen_gets_the_mean_and_has_log_density_0():
    normal = any_normal(3)
    nothing = np.full((2, 3), np.nan)
    filled, leftover = missing.fill_in(nothing, normal)
    assert_allclose(filled, [normal.mean] * 2, rtol=1e-15)
    assert_allclose(leftover, normal.covariance, rtol=1e-15)
    assert_array_equal(missing.seen_log_density(nothing, normal), [0, 0])


def test_the_log_likelihood_is_that_of_what_is_seen():
    X, normal = with_gaps(40, 3, seed=2), any_normal(3)
    X[7] = np.nan
    _, log_likelihood = missing.e_step(missing.by_pattern(X), normal)
    assert_allclose(log_likelihood, log_likelihood_of(X, normal), rtol=1e-12)


def test_without_gaps_one_step_is_mean_and_covariance():
    X = with_gaps(30, 3, seed=3, share=0)
    step = step_on(missing.by_pattern(X), missing.e_step, missing.m_step)
    found, _ = step(any_normal(3))
    assert_allclose(found.mean, X.mean(axis=0), rtol=1e-12)
    assert_allclose(found.covariance, np.cov(X.T, bias=True), rtol=1e-12)


def test_a_row_of_which_nothing_is_seen_says_nothing():
    X = with_gaps(50, 3, seed=4)
    extra = np.vstack([X, np.full((20, 3), np.nan)])
    one, other = (missing.fit(data, any_normal(3)) for data in (X, extra))
    assert_allclose(one.log_likelihood, other.log_likelihood, rtol=1e-12)
    assert_allclose(one.parameters.covariance, other.parameters.covariance, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_log_likelihood_never_falls_and_covariances_are_symmetric(seed):
    X = with_gaps(40, 4, seed, share=0.4)
    step = step_on(missing.by_pattern(X), missing.e_step, missing.m_step)
    normal, history = any_normal(4, seed), []
    for _ in range(50):
        normal, log_likelihood = step(normal)
        history.append(log_likelihood)
        assert_array_equal(normal.covariance, normal.covariance.T)
    assert np.diff(history).min() > -1e-9


def test_columns_in_other_order_and_units_give_the_same_fit():
    X, start = with_gaps(60, 3, seed=5), any_normal(3)
    order, scale, shift = [2, 0, 1], np.array([1e3, 1, 1e-3]), np.array([1e6, 0, -5])
    begin = Normal(
        (start.mean * scale + shift)[order],
        (start.covariance * scale * scale[:, None])[np.ix_(order, order)],
    )
    plain = missing.fit(X, start, tol=0, max_iter=30).parameters
    moved = missing.fit((X * scale + shift)[:, order], begin, tol=0, max_iter=30).parameters
    assert_allclose(moved.mean, (plain.mean * scale + shift)[order], rtol=1e-9)
    expected = (plain.covariance * scale * scale[:, None])[np.ix_(order, order)]
    assert_allclose(moved.covariance, expected, rtol=1e-6)


def test_numbers_far_from_zero_keep_their_digits():
    X, start = with_gaps(60, 2, seed=6), any_normal(2)
    far = missing.fit(X + 2.0**30, start._replace(mean=start.mean + 2.0**30)).parameters
    assert_allclose(far.covariance, missing.fit(X, start).parameters.covariance, rtol=1e-5)


def test_the_end_is_the_one_that_a_general_optimiser_finds():
    X = with_gaps(40, 2, seed=7)

    def loss(free):
        root = np.array([[np.exp(free[2]), 0], [free[3], np.exp(free[4])]])
        return -log_likelihood_of(X, Normal(free[:2], root @ root.T))

    found = optimize.minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-6})
    fit = missing.fit(X, rng=1)
    assert_allclose(fit.log_likelihood, -found.fun, rtol=1e-9)
    assert_allclose(fit.parameters.mean, found.x[:2], rtol=1e-3)


def test_with_one_column_complete_the_end_has_a_closed_form():
    """Anderson (1957): the regression on complete rows, put on all of the complete column."""
    X = with_gaps(80, 2, seed=8, share=0)
    X[50:, 1] = np.nan
    x, y = X[:50].T
    slope = np.cov(x, y, bias=True)[0, 1] / x.var()
    mean = y.mean() + slope * (X[:, 0].mean() - x.mean())
    variance = y.var() + slope**2 * (X[:, 0].var() - x.var())
    found = missing.fit(X, any_normal(2), tol=0, max_iter=200).parameters
    assert_allclose(found.mean, [X[:, 0].mean(), mean], rtol=1e-9)
    expected = [[X[:, 0].var(), slope * X[:, 0].var()], [slope * X[:, 0].var(), variance]]
    assert_allclose(found.covariance, expected, rtol=1e-9)


def test_fill_gaps_gives_means_and_stds_in_the_places_of_the_gaps():
    X, normal = with_gaps(30, 3, seed=9), any_normal(3)
    filled, stds = missing.fill_gaps(X, normal)
    seen = ~np.isnan(X)
    assert_array_equal(filled[seen], X[seen])
    assert not stds[seen].any()
    for n in np.flatnonzero(~seen.all(axis=1)):
        row, leftover = missing.fill_in(X[n : n + 1], normal)
        assert_allclose(filled[n], row[0], rtol=1e-9)
        assert_allclose(stds[n], np.sqrt(np.diagonal(leftover)), rtol=1e-9)


def test_stds_of_gaps_are_as_wide_as_they_say():
    rng = np.random.default_rng(10)
    truth = rng.multivariate_normal([1, 2, 3], [[4, 3, 1], [3, 5, 2], [1, 2, 3]], size=4000)
    X = np.where(rng.random(truth.shape) < 0.3, np.nan, truth)
    filled, stds = missing.fill_gaps(X, missing.fit(X, rng=0))
    scaled = ((truth - filled) / np.where(stds > 0, stds, 1))[np.isnan(X)]
    assert_allclose([scaled.mean(), scaled.std()], [0, 1], atol=0.05)


def test_the_table_is_not_changed_and_other_tables_are_welcome():
    X = with_gaps(30, 2, seed=11)
    kept, start = X.copy(), any_normal(2)
    expected = missing.fit(X, start).parameters
    assert_array_equal(X, kept)
    masked = np.ma.masked_invalid(X)
    nullable = pd.DataFrame(X, columns=["a", "b"]).astype("Float64")
    nones = [[None if np.isnan(v) else v for v in row] for row in X]
    for other in (masked, nullable, nones, X.astype(object), np.asfortranarray(X)):
        assert_allclose(missing.fit(other, start).parameters.covariance, expected.covariance)
    assert_allclose(missing.fill_gaps(masked, expected), missing.fill_gaps(X, expected))


# Gaps: published numbers


def test_murray_by_hand():
    normal = even(8 / 3, 4 / 3)
    filled, leftover = missing.fill_in(np.array([[np.nan, 2.0]]), normal)
    assert_allclose(filled, [[1, 2]], rtol=1e-12)
    assert_allclose(leftover, [[2, 0], [0, 0]], atol=1e-12)
    first, _ = murray_step()(even(1, 0.5))
    assert_allclose(first.covariance, [[2.25, 4 / 3], [4 / 3, 2.25]], rtol=1e-12)


@pytest.mark.parametrize(("start", "rho"), [(0.5, 0.5), (-0.9, -0.5)])
def test_murray_has_two_summits(start, rho):
    fit = iterate(murray_step(), even(1, start), tol=0, max_iter=400)
    assert_allclose(fit.log_likelihood, SUMMIT, rtol=1e-13)
    assert_allclose(fit.parameters.covariance, even(8 / 3, rho * 8 / 3).covariance, rtol=1e-9)
    assert_allclose(fit.parameters.mean, 0, atol=1e-12)


def test_murray_stays_on_the_saddle_and_leaves_it_from_beside():
    stays = iterate(murray_step(), even(1, 0), tol=0, max_iter=400)
    assert_allclose(stays.log_likelihood, SADDLE, rtol=1e-13)
    assert_allclose(stays.parameters.covariance, even(2.5, 0).covariance, rtol=1e-12)
    for beside, n_steps in ((1e-8, 266), (1e-3, 88)):
        leaves = iterate(murray_step(), even(1, beside), tol=0, max_iter=400)
        assert np.argmax(leaves.history > -30) == n_steps
        assert_allclose(leaves.log_likelihood, SUMMIT, rtol=1e-12)


def test_fit_does_not_begin_on_the_saddle():
    for seed in range(10):
        fit = missing.fit(data.murray(), rng=seed)
        assert_allclose(fit.log_likelihood, SUMMIT, rtol=1e-11)
        assert_allclose(abs(fit.parameters.covariance[0, 1]), 4 / 3, rtol=1e-4)


def test_fit_tells_of_both_summits_of_murray():
    fit = missing.fit(data.murray(), n_starts=10, rng=0)
    assert (fit.n_starts, fit.n_collapsed, len(fit.ends)) == (10, 0, 2)
    assert_allclose([end.log_likelihood for end in fit.ends], SUMMIT, rtol=1e-9)
    correlations = sorted(end.parameters.covariance[0, 1] for end in fit.ends)
    assert_allclose(correlations, [-4 / 3, 4 / 3], rtol=1e-3)
    assert 3 <= sum(end.n_starts for end in fit.ends) <= 10
    assert fit.n_steps > fit.n_iter
    assert "10 starts" in repr(fit)
    one = missing.fit(data.murray(), even(1, 0.5))
    assert (one.n_starts, len(one.ends)) == (1, 1)


def test_ends_are_where_the_data_are():
    X = with_gaps(50, 2, seed=15) + 1e4
    fit = missing.fit(X, rng=0)
    for end in fit.ends:
        assert_allclose(end.parameters.mean, fit.parameters.mean, rtol=1e-6)
        assert_allclose(log_likelihood_of(X, end.parameters), end.log_likelihood, rtol=1e-9)


# Gaps: leaps


def agree(leaps, plain, saved):
    """Whether the ends are the same, and the steps so many times fewer."""
    assert leaps.converged
    assert_allclose(leaps.log_likelihood, plain.log_likelihood, rtol=0, atol=1e-8)
    assert np.diff(leaps.history).min() > -1e-9
    assert leaps.n_iter * saved <= plain.n_iter


@pytest.mark.parametrize(("rho", "saved"), [(0.5, 2), (-0.9, 2), (0.01, 3)])
def test_leaps_reach_murrays_summits(rho, saved):
    leaps, plain = (missing.fit(data.murray(), even(1, rho), accelerate=a) for a in (True, False))
    agree(leaps, plain, saved)
    covariance = leaps.parameters.covariance
    assert_allclose(covariance, even(8 / 3, np.sign(rho) * 4 / 3).covariance, rtol=1e-4)
    assert_allclose(covariance, covariance.T, rtol=1e-14)


@pytest.mark.parametrize(("seed", "saved"), [(1, 1.5), (0, 3), (6, 4)])
def test_where_much_is_missing_leaps_take_far_fewer_steps(seed, saved):
    X = with_gaps(40, 4, seed, share=0.6)
    leaps, plain = (missing.fit(X, n_starts=1, rng=seed, accelerate=a) for a in (True, False))
    agree(leaps, plain, saved)


def test_a_step_survives_normals_that_a_leap_may_try():
    X, normal, rng = with_gaps(30, 3, seed=16), any_normal(3), np.random.default_rng(0)
    step = step_on(missing.by_pattern(X), missing.e_step, missing.m_step)
    step = missing.with_width(step, range(3))
    assert tried(step, free(normal), normal) is not None
    seen = 0
    for size in (1, 10, 1e3, 1e200, 1e307):
        for _ in range(20):
            seen += tried(step, free(normal) + size * rng.normal(size=9), normal) is None
    assert seen >= 50


def test_without_the_conditional_variance_the_correlation_is_too_high_and_the_likelihood_falls():
    groups, normal, history = missing.by_pattern(data.murray()), even(1, 0.5), []
    for _ in range(400):
        (filled, _), log_likelihood = missing.e_step(groups, normal)
        history.append(log_likelihood)
        normal = missing.m_step(groups, (filled, np.zeros((2, 2))))
    assert_allclose(history[1:4], [-30.6726, -31.0236, -31.4735], atol=6e-5)
    assert_allclose(history[-1], -31.7771, atol=6e-5)
    correlation = normal.covariance[0, 1] / normal.covariance[0, 0]
    assert_allclose(correlation, np.sqrt(3) / 2, rtol=1e-9)


# Lifetimes


def test_five_lifetimes_by_hand():
    five = Lifetimes(np.array([2.0, 5, 8, 10, 10]), np.array([True, True, True, False, False]))
    exponential, seen = Exponential(5.0), []
    for _ in range(5):
        expected, _ = missing.censored_e_step(five, exponential)
        exponential = missing.censored_m_step(five, expected)
        seen.append(exponential.scale)
    assert_allclose(seen, [9, 10.6, 11.24, 11.496, 11.5984], rtol=1e-12)
    errors = np.array([5.0, *seen]) - 35 / 3
    assert_allclose(errors[1:] / errors[:-1], 2 / 5, rtol=1e-12)  # the share of the censored


@pytest.mark.parametrize("seed", range(5))
def test_censored_lifetimes_end_at_the_closed_form_and_at_scipys(seed):
    rng = np.random.default_rng(seed)
    times, ended = rng.exponential(5, 30), rng.random(30) < 0.6
    fit = missing.fit_censored(times, ended, tol=0, max_iter=200)
    assert_allclose(fit.parameters.scale, times.sum() / ended.sum(), rtol=1e-12)
    censored = stats.CensoredData(uncensored=times[ended], right=times[~ended])
    assert_allclose(fit.parameters.scale, stats.expon.fit(censored, floc=0)[1], rtol=1e-5)
    at = stats.expon(scale=fit.parameters.scale)
    likelihood = at.logpdf(times[ended]).sum() + at.logsf(times[~ended]).sum()
    assert_allclose(fit.log_likelihood, likelihood, rtol=1e-12)
    assert np.diff(fit.history).min() > -1e-9


def test_remission_times():
    """359 weeks, 9 relapses; 0.7529 and 0.4482 are a textbook's, as a public test quotes it."""
    times, relapsed = data.remission()
    assert_array_equal(times, WEEKS)
    assert_array_equal(relapsed, RELAPSED)
    fit = missing.fit_censored(times, relapsed)
    assert_allclose(fit.parameters.scale, 359 / 9, rtol=1e-5)
    ends, surviving = missing.kaplan_meier(times, relapsed)
    assert_array_equal(ends, [6, 7, 10, 13, 16, 22, 23])
    by_hand = np.cumprod([18 / 21, 16 / 17, 14 / 15, 11 / 12, 10 / 11, 6 / 7, 5 / 6])
    assert_allclose(surviving, by_hand, rtol=1e-14)
    assert_allclose(surviving[[2, 6]], [0.7529, 0.4482], atol=5e-5)


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_kaplan_meier_is_scipys_and_a_fixed_point_of_em(seed, n_samples):
    rng = np.random.default_rng(seed)
    times, ended = rng.integers(1, 20, n_samples).astype(float), rng.random(n_samples) < 0.6
    ended[0] = True
    ends, surviving = missing.kaplan_meier(times, ended)
    censored = stats.CensoredData(uncensored=times[ended], right=times[~ended])
    assert_allclose(surviving, stats.ecdf(censored).sf.evaluate(ends), rtol=1e-12, atol=1e-14)
    lifetimes = Lifetimes(times, ended)
    probabilities = -np.diff(surviving, prepend=1)
    if len(missing.possible_ends(lifetimes)) > len(ends):
        probabilities = np.append(probabilities, surviving[-1])
    resp, _ = missing.survival_e_step(lifetimes, Survival(probabilities))
    again = missing.survival_m_step(lifetimes, resp)
    assert_allclose(again.probabilities, probabilities, rtol=1e-12, atol=1e-14)


def test_em_reaches_kaplan_meier_from_equal_probabilities():
    lifetimes = Lifetimes(np.array(WEEKS, float), np.array(RELAPSED, bool))
    step = step_on(lifetimes, missing.survival_e_step, missing.survival_m_step)
    fit = iterate(step, Survival(np.full(8, 1 / 8)), tol=0, max_iter=200)
    surviving = 1 - np.cumsum(fit.parameters.probabilities)[:-1]
    assert_allclose(surviving, missing.kaplan_meier(WEEKS, RELAPSED)[1], rtol=1e-12)
    assert np.diff(fit.history).min() > -1e-9


def test_without_censoring_survival_is_the_share_of_longer_ones():
    times = np.array([3.0, 1, 4, 1, 5, 9, 2, 6])
    ends, surviving = missing.kaplan_meier(times, np.ones(8, bool))
    assert_allclose(surviving, [(times > end).mean() for end in ends], rtol=1e-12, atol=1e-15)


def test_leaps_reach_the_mean_lifetime():
    leaps, plain = (missing.fit_censored(WEEKS, RELAPSED, accelerate=a) for a in (True, False))
    agree(leaps, plain, 0.5)  # ten steps to see that nothing is left; plain EM has a rule for that
    times = np.random.default_rng(0).exponential(5, 200)
    short = (np.minimum(times, 0.2), times < 0.2)
    leaps, plain = (missing.fit_censored(*short, 1.0, accelerate=a) for a in (True, False))
    agree(leaps, plain, 3)
    assert_allclose(leaps.parameters.scale, short[0].sum() / short[1].sum(), rtol=1e-6)
    assert np.ndim(leaps.parameters.scale) == 0


# Bins


STANDARD = mixture([1], [0], [1])
ENDS = [
    (-1, 1), (8.3, 9), (8.3, np.inf), (20, 21), (39, 40), (100, 101), (-np.inf, np.inf),
    (-12, -10), (-3, 12), (0.1, 0.2), (-np.inf, -50), (-0.5, np.inf), (5, 5.001),
]  # fmt: skip


def log_mass_of(low, high):
    """Log of the normal probability between two points, by SciPy's tails."""
    if low > 0:
        low, high = -high, -low
    return special.log_ndtr(high) + np.log1p(
        -np.exp(special.log_ndtr(low) - special.log_ndtr(high))
    )


@pytest.mark.parametrize(("low", "high"), ENDS)
def test_masses_and_moments_of_a_bin(low, high):
    (_, means, variances), log_likelihood = missing.grouped_e_step(
        Bins(np.ones(1), np.array([low, high], float)), STANDARD
    )
    expected = log_mass_of(low, high) if np.isfinite([low, high]).any() else 0
    assert_allclose(log_likelihood, expected, rtol=1e-9 if high - low < 0.1 else 1e-13, atol=1e-13)
    near = np.clip(0, low, high)
    ends = max(low, -np.sqrt(near**2 + 80)), min(high, np.sqrt(near**2 + 80))

    def part(power):
        def height(t):
            return np.exp(-(t - near) * (t + near) / 2) * (t - near) ** power

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", integrate.IntegrationWarning)
            return integrate.quad(height, *ends, epsabs=0, epsrel=1e-13)[0]

    mean = part(1) / part(0)
    assert_allclose(means[0, 0], near + mean, rtol=1e-11, atol=1e-13)
    assert_allclose(variances[0, 0], part(2) / part(0) - mean**2, rtol=1e-6)


def test_a_tail_where_the_difference_of_two_cdfs_is_zero():
    assert stats.norm.cdf(9) - stats.norm.cdf(8.5) == 0
    bins = Bins(np.ones(2), np.array([8.5, 9, 60]))
    (resp, *_), log_likelihood = missing.grouped_e_step(bins, STANDARD)
    assert_allclose(np.exp(log_likelihood), 9.4e-18 * 1.1286e-19, rtol=0.02)
    assert_allclose(resp, 1, rtol=1e-15)


def test_bins_that_cover_the_line_share_out_one():
    edges = np.array([-np.inf, -3, 0, 0.1, 2, 7, np.inf])
    _, log_mass = missing.places(edges, mixture([0.5, 0.5], [-1, 40], [0.3, 5]))
    assert_allclose(np.exp(log_mass).sum(axis=(0, 2)), 1, rtol=1e-13)


def test_fine_bins_are_as_good_as_the_observations(waiting):
    start = mixture([0.3, 0.7], [50, 80], [5, 6])
    width = 2.0**-10
    edges = np.arange(42.5 * 1024, 97 * 1024) * width + width / 2
    bins = Bins(np.histogram(waiting, edges)[0].astype(float), edges)
    moments, _ = missing.grouped_e_step(bins, start)
    plain = arrays.m_step(waiting, arrays.e_step(waiting, start))
    grouped = missing.grouped_m_step(bins, moments)
    for ours, theirs in zip(grouped, plain, strict=True):
        assert_allclose(ours, theirs, rtol=1e-6)
    assert bins.counts.sum() == 272


@pytest.mark.parametrize(
    ("width", "stds"), [(10, [5.5715, 6.5732]), (5, [5.3887, 5.9521])], ids=str
)
def test_waits_in_bins(waiting, width, stds):
    edges = np.arange(39.5, 100, width)
    fit = missing.fit_grouped(*np.histogram(waiting, edges), 2, rng=0)
    assert_allclose(np.sort(fit.parameters.stds), stds, atol=6e-5)


def test_the_end_is_one_that_a_general_optimiser_does_not_leave(waiting):
    edges = np.array([-np.inf, *np.arange(45, 95, 4.0), np.inf])
    counts = np.histogram(waiting, edges)[0]
    fit = missing.fit_grouped(counts, edges, 2, rng=0)

    def loss(free):
        share, means, stds = special.expit(free[0]), free[1:3], np.exp(free[3:])
        chance = np.diff(stats.norm.cdf(edges[:, None], means, stds), axis=0) @ [share, 1 - share]
        return -counts @ np.log(chance)

    weights, means, stds = fit.parameters
    begin = np.array([special.logit(weights[0]), *means, *np.log(stds)])
    assert_allclose(loss(begin), -fit.log_likelihood, rtol=1e-12)
    assert np.abs(optimize.approx_fprime(begin, loss, 1e-6)).max() < 2e-3
    assert optimize.minimize(loss, begin + 0.1).fun > -fit.log_likelihood - 1e-6


def test_grouped_fits_never_fall_and_move_with_their_unit(waiting):
    counts, edges = np.histogram(waiting, np.arange(40, 101, 4.0))
    start = mixture([0.5, 0.5], [50, 80], [5, 5])
    fit = missing.fit_grouped(counts, edges, start, tol=0, max_iter=60)
    assert np.diff(fit.history).min() > -1e-9
    moved = start._replace(means=start.means * 60 + 2.0**24, stds=start.stds * 60)
    far = missing.fit_grouped(7 * counts, edges * 60 + 2.0**24, moved, tol=0, max_iter=60)
    assert_allclose(far.history, 7 * fit.history, rtol=1e-9)
    assert_allclose(far.parameters.stds, 60 * fit.parameters.stds, rtol=1e-9)
    assert_allclose(far.parameters.means, 60 * fit.parameters.means + 2.0**24, rtol=1e-12)


def test_one_component_in_open_bins_is_the_normal_that_fills_them():
    edges = np.array([-np.inf, -1, 0, 1, np.inf])
    counts = np.round(1e6 * np.diff(stats.norm.cdf(edges, 0.3, 1.7)))
    found = missing.fit_grouped(counts, edges, 1).parameters
    assert_allclose([found.means[0], found.stds[0]], [0.3, 1.7], rtol=1e-4)


@pytest.mark.parametrize(("width", "saved"), [(10, 3), (5, 1)])
def test_leaps_and_plain_steps_have_the_same_end_for_waits_in_bins(waiting, width, saved):
    counts, edges = np.histogram(waiting, np.arange(39.5, 101, width))
    start = mixture([0.5, 0.5], [50, 80], [5, 5])
    leaps, plain = (missing.fit_grouped(counts, edges, start, accelerate=a) for a in (True, False))
    agree(leaps, plain, saved)
    for one, other in zip(leaps.parameters, plain.parameters, strict=True):
        assert_allclose(one, other, rtol=1e-3)


def test_a_component_too_many_costs_leaps_a_tenth_of_the_steps(waiting):
    counts, edges = np.histogram(waiting, np.arange(39.5, 101, 3))
    start = mixture([0.3, 0.3, 0.4], [50, 60, 80], [5, 5, 5])
    leaps, plain = (missing.fit_grouped(counts, edges, start, accelerate=a) for a in (True, False))
    agree(leaps, plain, 10)


def test_what_other_starts_have_found_is_told_in_the_units_of_the_edges(waiting):
    counts, edges = np.histogram(waiting, np.arange(39.5, 101, 3))
    fit = missing.fit_grouped(counts, edges, 3, rng=0)
    assert fit.n_starts == 10
    assert len(fit.ends) > 1
    assert sum(end.n_starts for end in fit.ends) <= 10 - fit.n_collapsed
    assert fit.n_steps > fit.n_iter
    for end in (fit, *fit.ends):
        assert (np.diff(end.parameters.means) > 0).all()
        _, log_likelihood = missing.grouped_e_step(Bins(counts, edges), end.parameters)
        assert_allclose(log_likelihood, end.log_likelihood, rtol=1e-9)


def test_a_step_survives_mixtures_that_a_leap_may_try(waiting):
    counts, edges = np.histogram(waiting, np.arange(40, 101, 4.0))
    bins, start = Bins(counts, edges), mixture([0.5, 0.5], [50, 80], [5, 5])
    step = step_on(bins, missing.grouped_e_step, missing.grouped_m_step)
    step, rng, seen = missing.with_observations(step, bins), np.random.default_rng(0), 0
    assert tried(step, free(start), start) is not None
    for size in (1, 30, 1e3, 1e200, 1e307):
        for _ in range(20):
            seen += tried(step, free(start) + size * rng.normal(size=6), start) is None
    assert seen >= 50


# Where to begin


def test_a_drawn_normal_has_the_columns_means_and_widths_and_correlations_of_its_own():
    X = with_gaps(50, 3, seed=14) * [1, 100, 1e-3]
    one, other = (missing.drawn_normal(X, np.random.default_rng(seed)) for seed in (0, 1))
    for normal in (one, other):
        assert_allclose(normal.mean, np.nanmean(X, axis=0), rtol=1e-12)
        assert_allclose(np.diagonal(normal.covariance), np.nanvar(X, axis=0), rtol=1e-12)
        assert np.linalg.eigvalsh(normal.covariance).min() > 0
    assert abs(one.covariance[0, 1] / other.covariance[0, 1] - 1) > 0.01


def test_drawn_mixtures_begin_at_quantiles_and_then_anywhere_in_the_bins(waiting):
    counts, edges = np.histogram(waiting, np.arange(42.5, 97))
    starts = missing.drawn_mixtures(Bins(counts, edges), 4, 20, np.random.default_rng(0))
    assert len(starts) == 20
    assert_allclose(starts[0].means, np.quantile(waiting, [1 / 8, 3 / 8, 5 / 8, 7 / 8]), atol=1)
    means = np.array([start.means for start in starts[1:]])
    assert len(np.unique(means)) == means.size
    assert 42.5 < means.min() < 50 < 90 < means.max() < 96.5
    for start in starts:
        assert_allclose(start.stds, waiting.std() / 4, rtol=1e-3)


def test_open_bins_are_taken_as_wide_as_their_neighbours():
    low, high = missing.closed(np.array([-np.inf, 0, 1, 3, np.inf]))
    assert_array_equal(low, [-1, 0, 1, 3])
    assert_array_equal(high, [0, 1, 3, 5])


def test_a_narrow_start_may_widen(waiting):
    counts, edges = np.histogram(waiting, np.arange(39.5, 100, 10))
    found = missing.fit_grouped(counts, edges, mixture([1], [54.5], [0.5])).parameters
    assert_allclose(found.stds, waiting.std(), rtol=0.05)


# What collapses


def test_a_flat_covariance_is_named_with_its_columns():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    X[:, 2] = X[:, 0] - 2 * X[:, 1]
    X[5, 2] = np.nan
    with pytest.raises(Collapse, match=r"all 4 starts .* iteration \d+, the covariance .* 0, 1, 2"):
        missing.fit(X, rng=0)


def test_two_rows_that_show_both_columns_are_too_few():
    X = np.array([[0, 0], [1, 1], [3, np.nan], [5, np.nan], [np.nan, 4], [np.nan, -4]])
    with pytest.raises(Collapse, match="Too few rows show these columns together"):
        missing.fit(X, rng=0)


def test_a_component_within_two_bins_has_collapsed():
    counts = np.zeros(12)
    counts[[2, 3]], counts[7:] = (40, 40), (5, 20, 30, 20, 5)
    with pytest.raises(Collapse, match=r"component 0 .* lies within two bins") as raised:
        missing.fit_grouped(counts, np.arange(13), mixture([0.5, 0.5], [3, 9.5], [1, 1]))
    assert raised.value.component == 0


def test_a_component_within_two_bins_is_seen_on_the_way():
    counts = np.zeros(12)
    counts[[2, 3]], counts[7:] = (40, 40), (5, 20, 30, 20, 5)
    start = mixture([0.5, 0.5], [3, 9.5], [1, 1])
    with pytest.raises(Collapse, match=r"at iteration \d\d, component 0"):
        missing.fit_grouped(counts, np.arange(13), start, tol=0, max_iter=10**6)


def test_an_end_within_two_bins_is_none_even_if_it_widens():
    """A plateau: it would take thousands of steps to leave the bins."""
    counts, edges = np.histogram(data.waiting(), np.arange(39.5, 101, 10))
    bins = Bins(counts.astype(float), edges)
    narrow = mixture([0.05, 0.95], [46.2, 72.2], [0.7, 12.7])
    with pytest.raises(Collapse, match=r"component 0 .* lies within two bins"):
        missing.check_width(bins, narrow)
    missing.check_width(bins, narrow, np.array([False, True]))
    missing.check_width(bins, mixture([0.34, 0.66], [53.9, 79.6], [5.6, 6.6]))


def test_a_component_without_observations_has_vanished():
    start = mixture([0.5, 0.5], [5, 1000], [1, 1])
    with pytest.raises(Collapse, match=r"component 1 .* vanished.* fewer components"):
        missing.fit_grouped([1, 5, 9, 5, 1, 2, 3], np.arange(8) + 1.5, start)


def test_a_run_that_was_stopped_warns_once():
    with pytest.warns(NotConverged, match="stopped by max_iter after 3") as said:
        missing.fit(with_gaps(60, 3, seed=12), max_iter=3, rng=0)
    assert len(said) == 1
    assert said[0].filename == __file__


# Bad input


GOOD = [[1.0, 2], [2, 1], [3, 5], [4, np.nan]]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([1, 2, np.nan], "two dimensions"),
        ([[1, np.nan], [2, np.nan], [4, np.nan]], "column 1 of X has no value at all: leave it"),
        ([[1, np.nan], [2, 3]], "column 1 of X is constant: all 1 values"),
        ([[1, 7], [2, 7], [3, np.nan]], "column 1 of X is constant: all 2 values seen are 7"),
        ([[1, 2], [2, 3], [np.inf, 3]], r"X\[2, 0\] is inf. If it stands for a missing value"),
        (
            [[1, np.nan], [2, np.nan], [np.nan, 3], [np.nan, 5]],
            "columns 0 and 1 of X are never seen together",
        ),
        ([["a", 1], [2, 3]], "X must hold real numbers"),
        ([[1e200, 1], [-1e200, 2], [0, 3]], "column 0 of X holds numbers whose square"),
        (pd.DataFrame({"a": [1.0, 2], "b": [None, None]}), "column 'b' of X has no value at all"),
    ],
)
def test_tables_that_cannot_be_fitted(X, message):
    with pytest.raises(ValueError, match=message):
        missing.fit(X)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (3, r"start must be a Normal\(mean, covariance\); it is 3"),
        ((np.zeros(3), np.eye(3)), r"as X has 2 columns; they have \(3,\) and \(3, 3\)"),
        ((np.zeros(2), -np.eye(2)), "start.covariance is not positive definite"),
        ((np.zeros(2), np.array([[1, 0.5], [0.2, 1]])), "must be symmetric"),
        ((np.array([0, np.nan]), np.eye(2)), r"start.mean must be finite"),
    ],
)
def test_starts_that_are_no_normal(start, message):
    with pytest.raises(ValueError, match=message):
        missing.fit(GOOD, start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tol": -1}, "tol must be"),
        ({"max_iter": 1.5}, "max_iter must be"),
        ({"n_starts": 0}, "n_starts must be"),
        ({"rng": "x"}, "rng must be"),
        ({"n_starts": 3, "start": any_normal(2)}, "n_starts is 3, but start is one start"),
    ],
)
def test_options_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        missing.fit(GOOD, **options)


@pytest.mark.parametrize(
    ("times", "ended", "message"),
    [
        ([1, -2], [1, 1], r"times must not be negative; times\[1\] is -2"),
        ([1, 2], [1], "one entry for each time; it has 1, times has 2"),
        ([1, 2], [0, 0], "ended must be True somewhere"),
        ([1, 2], [1, 2], r"ended must be True where the end was seen.*\[1\] is 2"),
        ([1, np.nan], [1, 1], "times must be finite"),
        ([0, 2], [1, 0], "must not be 0 at every end"),
        ([], [], "times must not be empty"),
    ],
)
def test_lifetimes_that_are_none(times, ended, message):
    for door in (missing.fit_censored, missing.kaplan_meier):
        with pytest.raises(ValueError, match=message):
            door(times, ended)


@pytest.mark.parametrize("start", [0, -1, [1, 2], "x"])
def test_a_mean_lifetime_to_begin_with(start):
    with pytest.raises(ValueError, match="start must"):
        missing.fit_censored([1, 2], [1, 0], start)


@pytest.mark.parametrize(
    ("counts", "edges", "start", "message"),
    [
        ([1, 2, 3], [0, 1, 2], 1, "one entry more than counts; it has 3, counts has 3"),
        ([1, 2, 3], [0, 2, 1, 3], 1, r"ascend, or bins overlap; edges\[1\] is 2.* edges\[2\] is 1"),
        ([1, 2, 3], [0, 1, 1, 3], 1, "ascend, or bins overlap"),
        ([1, 2, 3], [0, 1, np.nan, 3], 1, r"edges must be numbers.*\[2\] is nan"),
        ([1, 2, 3], [0, np.inf, 2, 3], 1, r"edges must be numbers.*\[1\] is inf"),
        ([1, 2, 3], [np.inf, 0, 1, 2], 1, "edges must ascend"),
        ([4], [-np.inf, np.inf], 1, "not both of two"),
        ([1, -2, 3], [0, 1, 2, 3], 1, r"whole numbers >= 0; counts\[1\] is -2"),
        ([1, 2.5, 3], [0, 1, 2, 3], 1, r"whole numbers >= 0; counts\[1\] is 2.5"),
        ([0, 0, 0], [0, 1, 2, 3], 1, "counts must not be 0 everywhere"),
        ([1, 0, 0], [0, 1, 2, 3], 2, "fewer observations than there are components"),
        ([1, 2, 3, 4, 5], range(6), 2, "5 bins are too few for 2 components: they say 4 things"),
        ([1, 2, 3], [0, 1, 2, 3], 0, "start must be at least one component"),
        ([1, 2, 3], [0, 1, 2, 3], "x", "mixture must be"),
        ([1, 2, 3], [0, 1e-200, 2, 3], 1, "whose square float64 cannot hold"),
    ],
)
def test_bins_that_are_none(counts, edges, start, message):
    with pytest.raises(ValueError, match=message):
        missing.fit_grouped(counts, edges, start)


@pytest.mark.parametrize("seed", range(3))
def test_a_start_that_is_a_fit_goes_on_from_it(seed):
    fit = missing.fit(with_gaps(50, 2, seed), rng=0)
    again = missing.fit(with_gaps(50, 2, seed), fit)
    assert again.n_iter < fit.n_iter
    counts, edges = np.histogram(data.waiting(), np.arange(40, 101, 5.0))
    found = missing.fit_grouped(counts, edges, 2, rng=seed)
    assert missing.fit_grouped(counts, edges, found).n_iter < found.n_iter
    assert isinstance(found.parameters, Mixture)
    censored = missing.fit_censored(WEEKS, RELAPSED)
    assert missing.fit_censored(WEEKS, RELAPSED, censored).n_iter < censored.n_iter
