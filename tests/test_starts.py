import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from emtools import data, starts

FAITHFUL = data.old_faithful()


@pytest.mark.parametrize("draw", [starts.random_points, starts.kmeans_plus_plus])
@pytest.mark.parametrize("x", [FAITHFUL[:, 1], FAITHFUL])
def test_means_are_observations_and_the_seed_decides(draw, x):
    means = draw(x, 5, np.random.default_rng(1))
    assert means.shape == (5, *x.shape[1:])
    assert all((x == mean).reshape(len(x), -1).all(axis=1).any() for mean in means)
    assert_allclose(means, draw(x, 5, np.random.default_rng(1)), rtol=0)
    assert np.any(means != draw(x, 5, np.random.default_rng(2)))


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 1000))
def test_random_points_never_takes_one_twice(n_components, more, seed):
    x = np.arange(n_components + more, dtype=float)
    means = starts.random_points(x, n_components, np.random.default_rng(seed))
    assert len(set(means)) == n_components


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(0, 1000))
def test_kmeans_plus_plus_takes_all_of_k_different_values(n_components, seed):
    """A value taken has distance 0 and is not drawn again, however many copies there are."""
    x = np.repeat(np.arange(n_components, dtype=float), 3)
    means = starts.kmeans_plus_plus(x, n_components, np.random.default_rng(seed))
    assert sorted(means) == list(range(n_components))


def test_kmeans_plus_plus_with_fewer_values_than_components():
    means = starts.kmeans_plus_plus(np.array([1.0, 1, 2]), 3, np.random.default_rng(0))
    assert set(means) == {1.0, 2.0}


def test_kmeans_plus_plus_draws_by_squared_distance():
    """From 0 the next is 1 or 3 with odds 1 to 9; from 1, 0 or 3 with 1 to 4; from 3, 9 to 4."""
    x, rng = np.array([0.0, 1.0, 3.0]), np.random.default_rng(3)
    pairs = np.array([starts.kmeans_plus_plus(x, 2, rng) for _ in range(6000)])
    said = {(0, 1): 1 / 10, (0, 3): 9 / 10, (1, 0): 1 / 5, (1, 3): 4 / 5, (3, 0): 9 / 13}
    for (first, second), chance in said.items():
        seen = np.mean((pairs == (first, second)).all(axis=1))
        assert abs(seen - chance / 3) < 4 * np.sqrt(chance / 3 / 6000)


def test_quantiles_by_hand():
    assert_allclose(starts.quantiles(np.array([4.0, 2, 1, 3, 5]), 2), [2, 4])
    assert_allclose(starts.quantiles(np.arange(101.0), 4), [12.5, 37.5, 62.5, 87.5])
    assert_allclose(starts.quantiles(np.arange(101.0), 1), [50])


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=30), st.integers(1, 3))
def test_quantiles_do_not_depend_on_the_order_of_the_data(values, n_components):
    x = np.array(values)
    means = starts.quantiles(x, n_components)
    assert_allclose(means, starts.quantiles(x[::-1], n_components), rtol=0)
    assert np.all(np.diff(means) >= 0)


def test_around():
    mixture = starts.mixture_at(FAITHFUL[:, 1], np.array([50.0, 60.0, 80.0]))
    assert_allclose(mixture.weights, [1 / 3] * 3, rtol=1e-15)
    assert_allclose(mixture.means, [50, 60, 80], rtol=0)
    assert_allclose(mixture.stds, [13.569960017586371] * 3, rtol=1e-14)


def test_nothing_is_changed():
    x = FAITHFUL.copy()
    x.flags.writeable = False
    starts.random_points(x, 3, np.random.default_rng(0))
    starts.kmeans_plus_plus(x, 3, np.random.default_rng(0))
    starts.mixture_at(x[:, 0], starts.quantiles(x[:, 0], 3))
