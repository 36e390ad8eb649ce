"""The cost model: what it counts, how it grows, and that it is right to a factor of 2."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from emtools.kernel import CACHE, step_on
from emtools.multivariate import MultivariateMixture
from emtools.scale import costs

# Seconds as measured once; the tests below need numbers, not these.
RATES = costs.Costs(8e-10, 8e-10, 2e-10, 4e-11, 3e-11, 3e-7)


def test_rates_are_positive_and_in_a_sane_order():
    rates = costs.measured_rates()
    assert np.isfinite(rates).all()
    assert min(rates) > 0
    assert rates.multiply_add < rates.exp < rates.call < 1e-4
    assert max(rates[:5]) < 1e-7  # a tenth of a microsecond each would be a slow machine


def test_the_shortest_time_of_one_call_counts():
    calls = []
    assert 0 <= costs.seconds(lambda: calls.append(0), number=10) < 1e-3
    assert len(calls) == 90


def test_work_counted_by_hand():
    """Two bells in one dimension: one odd and two products each, and a logarithm for 32."""
    work = costs.work(1000, 1, 2)
    assert (work.exp, work.log, work.byte) == (1000, 1000 / 32, 8000)
    assert work.multiply_add == 1000 * (1 + 2) * 3  # one row of odds, two rows of sums, 3 features
    assert work.element == 1000 * (4 * 3 + 4 * 2 + 2)  # table, rows of odds, totals
    assert work.call == 100 + 15  # one piece
    work = costs.work(1000, 2, 3)  # 1, two features, three products; two rows of odds
    assert (work.exp, work.log, work.byte) == (2000, 1000 / 32, 16_000)
    assert work.multiply_add == 1000 * (2 + 3) * 6
    assert work.element == 1000 * (4 * 6 + 4 * 3 + 2)
    assert work.call == 200 + 15
    assert costs.work(10**6, 2, 3).call == 200 + 15 * np.ceil(10**6 * (6 + 3 + 1) / CACHE)


@pytest.mark.parametrize(("n_features", "n_components"), [(1, 2), (3, 5), (8, 8)])
def test_what_belongs_to_observations_grows_with_them(n_features, n_components):
    small = costs.work(10_000, n_features, n_components)
    large = costs.work(70_000, n_features, n_components)
    assert_allclose(large[:5], 7 * np.array(small[:5]), rtol=1e-12)
    assert large.call >= small.call


def test_linear_in_many_observations_and_iterations():
    time = costs.predicted_seconds(10**7, 2, 3, 10, RATES, n_threads=1)
    assert_allclose(
        costs.predicted_seconds(10**8, 2, 3, 10, RATES, n_threads=1) / time, 10, rtol=0.01
    )
    assert_allclose(
        costs.predicted_seconds(10**7, 2, 3, 70, RATES, n_threads=1) / time, 7, rtol=1e-12
    )


def test_few_observations_cost_their_calls():
    time = costs.predicted_seconds(10, 1, 2, 1, RATES)
    assert 100 * RATES.call < time < 150 * RATES.call
    assert costs.work(10 * CACHE, 1, 2).call > costs.work(10, 1, 2).call


def test_grows_with_features_and_components():
    for fixed in (1, 2, 8):
        features = [costs.predicted_seconds(10**5, d, fixed, 1, RATES, 1) for d in range(1, 20)]
        bells = [costs.predicted_seconds(10**5, fixed, k, 1, RATES, 1) for k in range(1, 20)]
        assert (np.diff(features) > 0).all()
        assert (np.diff(bells) > 0).all()


def test_threads_help_the_many_and_hinder_the_few():
    few = [costs.predicted_seconds(100, 1, 2, 1, RATES, n) for n in (1, 2)]
    many = [costs.predicted_seconds(10**6, 4, 4, 1, RATES, n) for n in (1, 2, 3)]
    assert few[0] < few[1]
    assert many[0] > many[1] > many[2] > many[0] / 3
    alone = costs.predicted_seconds(1000, 1, 2, 1, RATES)  # too few for the kernel's threads
    assert_allclose(alone, costs.predicted_seconds(1000, 1, 2, 1, RATES, 1), rtol=1e-12)


def test_threads_are_those_of_the_kernel(monkeypatch):
    """Asked for as many numbers as X has."""
    for n_threads in (1, 3):
        monkeypatch.setattr(costs, "default_n_threads", lambda size, n=n_threads: n + (size != 42))
        said = costs.predicted_seconds(14, 3, 2, 1, RATES, n_threads)
        assert_allclose(costs.predicted_seconds(14, 3, 2, 1, RATES), said, rtol=1e-12)


def test_what_is_timed_is_what_is_counted(monkeypatch):
    """Rates are a time over the work that was timed: exponentials, multiplications, bytes."""
    monkeypatch.setattr(costs, "seconds", lambda task, number=1: work_of(task()))
    rates = costs.measured_rates()
    assert_allclose([rates.exp, rates.log, rates.element, rates.multiply_add], 1, rtol=1e-12)
    assert_allclose(rates.byte, 1, rtol=1e-12)


def work_of(result):
    """How much work made this: numbers written, or bytes summed up, or multiplications by ones."""
    if np.ndim(result) == 0:
        return 8 * result  # a sum of ones counts them
    if result.ndim == 3:
        return result.sum()  # each entry counts the multiplications that made it
    return result.size


def ratio(n_samples, n_features, n_components):
    """Predicted over measured time of one iteration, in one thread."""
    rng = np.random.default_rng(5)
    means = rng.normal(size=(n_components, n_features))
    circles = np.tile(np.eye(n_features), (n_components, 1, 1))
    mixture = MultivariateMixture(np.full(n_components, 1 / n_components), means, circles)
    X = rng.normal(size=(n_samples, n_features))
    step = step_on(X, np.ones(n_samples), "full", n_threads=1)
    sizes = n_samples, n_features, n_components
    predicted = costs.predicted_seconds(*sizes, 1, costs.measured_rates(), n_threads=1)
    return predicted / costs.seconds(lambda: step(mixture))


@pytest.mark.timing
@pytest.mark.parametrize("sizes", [(10**6, 1, 2), (10**5, 2, 3), (50_000, 8, 8)])
def test_right_to_a_factor_of_two(sizes):
    """The median of several, each with its own rates: the machine may be busy with other tests."""
    ratios = [ratio(*sizes) for _ in range(5)]
    assert 0.5 < np.median(ratios) < 2, ratios
