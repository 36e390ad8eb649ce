import numpy as np
import pytest
from cases import CONVERGED, FIVE_BELLS, assert_same_mixture, mixture, problems
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special, stats

from emtools import Mixture, sample
from emtools.mixture import (
    checked_mixture,
    checked_vector,
    log_density,
    log_joint,
    sorted_by_mean,
)

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


# sample


def test_sample_draws_what_the_mixture_says():
    n_samples = 100_000
    x, labels = sample(FIVE_BELLS, n_samples, np.random.default_rng(1))
    assert x.shape == labels.shape == (n_samples,)
    assert labels.dtype.kind == "i"
    assert set(labels) == set(range(5))
    for k, (weight, mean, std) in enumerate(zip(*FIVE_BELLS, strict=True)):
        own = x[labels == k]
        # Each estimate is within five of its standard errors.
        assert abs(len(own) / n_samples - weight) < 5 * np.sqrt(weight * (1 - weight) / n_samples)
        assert abs(own.mean() - mean) < 5 * std / np.sqrt(len(own))
        assert abs(own.std() - std) < 5 * std / np.sqrt(2 * len(own))


def test_sample_follows_the_distribution_of_the_mixture():
    x, _ = sample(CONVERGED, 20_000, np.random.default_rng(2))
    weights, means, stds = checked_mixture(CONVERGED)
    cdf = lambda x: stats.norm.cdf(x[:, None], means, stds) @ weights  # noqa: E731
    assert stats.kstest(x, cdf).pvalue > 0.001


def test_the_same_seed_gives_the_same_sample():
    x, labels = sample(CONVERGED, 10, np.random.default_rng(3))
    again, labels_again = sample(CONVERGED, np.int64(10), np.random.default_rng(3))
    assert_allclose(again, x, rtol=0)
    assert (labels_again == labels).all()
    other, _ = sample(CONVERGED, 10, np.random.default_rng(4))
    assert (other != x).all()


def test_a_component_of_weight_zero_is_never_drawn():
    _, labels = sample(mixture([0, 1], [0, 9], [1, 1]), 100, np.random.default_rng(5))
    assert (labels == 1).all()


def test_a_sample_may_be_empty():
    x, labels = sample(CONVERGED, 0, np.random.default_rng(6))
    assert x.shape == labels.shape == (0,)


def test_sample_takes_plain_lists():
    x, _ = sample(([0.5, 0.5], [0, 100], [1, 1]), 4, np.random.default_rng(7))
    assert x.dtype == np.float64


@pytest.mark.parametrize("n_samples", [-1, 2.0, "3", None, True, [3]])
def test_sample_refuses_a_size_that_is_none(n_samples):
    with pytest.raises(ValueError, match=r"n_samples must be a whole number >= 0; it is "):
        sample(CONVERGED, n_samples, np.random.default_rng(8))


@pytest.mark.parametrize("rng", [0, None, np.random, np.random.RandomState(0)])
def test_sample_refuses_what_is_no_generator(rng):
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, such as"):
        sample(CONVERGED, 3, rng)


# sorted_by_mean


@given(problems())
def test_sorted_by_mean_sorts_and_keeps_components_whole(problem):
    _, start = problem
    ordered = sorted_by_mean(start)
    assert isinstance(ordered, Mixture)
    assert (np.diff(ordered.means) >= 0).all()
    before = sorted(zip(*(part.tolist() for part in checked_mixture(start)), strict=True))
    after = sorted(zip(*(part.tolist() for part in ordered), strict=True))
    assert_allclose(after, before, rtol=1e-15)


def test_components_of_equal_mean_keep_their_order():
    # Many, because NumPy's other sorts are stable, too, for a few.
    ordered = sorted_by_mean(mixture(np.full(40, 1 / 40), [7, 5] * 20, np.arange(1, 41)))
    stds = np.hstack([np.arange(2, 41, 2), np.arange(1, 41, 2)])
    expected = mixture(np.full(40, 1 / 40), [5] * 20 + [7] * 20, stds)
    assert_same_mixture(ordered, expected, rtol=1e-14)


# Bad mixtures, at every door


def doors():
    return [
        pytest.param(checked_mixture, id="checked_mixture"),
        pytest.param(sorted_by_mean, id="sorted_by_mean"),
        pytest.param(lambda m: sample(m, 3, np.random.default_rng(0)), id="sample"),
    ]


@pytest.mark.parametrize("door", doors())
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, r"mixture must be a Mixture\(weights, means, stds\); it is NoneType"),
        (np.ones((3, 2)), r"it is ndarray"),
        ({"weights": [1]}, r"it is dict"),
        (([1], [0]), r"it is tuple of 2 parts"),
        ([[1], [0], [1], [2]], r"it is list of 4 parts"),
        (([], [], []), r"mixture\.weights must not be empty"),
        ((1, 0, 1), r"mixture\.weights must have one dimension; its shape is \(\)"),
        (([1], [[0]], [1]), r"mixture\.means must have one dimension; its shape is \(1, 1\)"),
        (([1], ["a"], [1]), r"mixture\.means must hold real numbers; its type is <U1"),
        (([1], [0], [None]), r"mixture\.stds must hold real numbers; its type is object"),
        (([1], [1j], [1]), r"mixture\.means must hold real numbers; its type is complex128"),
        (([1], [[0], [1, 2]], [1]), r"mixture\.means must be one row .* rows differ in length"),
        (
            ([0.5, 0.5], [0, np.nan], [1, 1]),
            r"mixture\.means must be finite; 1 of 2 values are not, "
            r"the first is mixture\.means\[1\] = nan",
        ),
        (([np.inf, 0.5], [0, 1], [1, 1]), r"the first is mixture\.weights\[0\] = inf"),
        (([0.5, 0.5], [0, 1], [1]), r"one entry for each component; they have 2, 2 and 1"),
        (([1], [0, 1], [1, 1]), r"they have 1, 2 and 2"),
        (
            ([0.5, 0.75, -0.25], [0, 1, 2], [1, 1, 1]),
            r"mixture\.weights must not be negative; weights\[2\] is -0\.25",
        ),
        (
            ([1, 1], [0, 1], [1, 1]),
            r"mixture\.weights must sum to one; they sum to 2\. Divide them by their sum",
        ),
        (([0.5, 0.5 + 1e-5], [0, 1], [1, 1]), r"they sum to 1\.00001\."),
        (([0.5, 0.5], [0, 1], [1, 0]), r"mixture\.stds must be positive; stds\[1\] is 0"),
        (([0.5, 0.5], [0, 1], [-2, 1]), r"mixture\.stds must be positive; stds\[0\] is -2"),
    ],
)
def test_what_is_no_mixture_is_named(door, bad, message):
    with pytest.raises(ValueError, match=message):
        door(bad)


@pytest.mark.parametrize("door", doors())
def test_inputs_are_left_alone(door):
    given_parts = mixture([0.25, 0.75], [5, 1], [1, 2])
    kept = mixture(*given_parts)
    door(given_parts)
    assert_same_mixture(given_parts, kept, rtol=0)
    for part in given_parts:
        part.flags.writeable = False
    door(given_parts)


@pytest.mark.parametrize(
    "parts",
    [
        ((0.25, 0.75), [5, 1], [1, 2]),
        Mixture([0.25, 0.75], [5, 1], [1, 2]),
        tuple(np.array([[0.25, 0.75], [5, 1], [1, 2]], np.float32)),
        tuple(np.array([[0.25, 5, 1], [0.75, 1, 2]]).T),  # columns: not contiguous
        tuple(np.array([[0.25, 9, 0.75], [5, 9, 1], [1, 9, 2]])[:, ::2]),
    ],
)
def test_whatever_holds_a_mixture_will_do(parts):
    checked = checked_mixture(parts)
    assert isinstance(checked, Mixture)
    assert_same_mixture(checked, mixture([0.25, 0.75], [5, 1], [1, 2]), rtol=1e-15)
    for part in checked:
        assert part.dtype == np.float64
        assert part.flags.c_contiguous


def test_a_checked_mixture_is_a_copy():
    start = mixture([0.25, 0.75], [5, 1], [1, 2])
    for part, own in zip(checked_mixture(start), start, strict=True):
        assert not np.shares_memory(part, own)


def test_weights_off_by_rounding_are_rescaled():
    checked = checked_mixture(([0.5, 0.5 + 1e-9], [0, 1], [1, 1]))
    assert_allclose(checked.weights.sum(), 1, rtol=1e-15)


# Bad vectors


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], r"^x must not be empty$"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), r"^x has masked values; leave them out"),
        (3.0, r"^x must have one dimension; its shape is \(\)$"),
        (None, r"^x must hold real numbers; its type is object$"),
        ("abc", r"^x must hold real numbers; its type is <U3$"),
        (["1", "2"], r"^x must hold real numbers; its type is <U1$"),
        ([1, None], r"^x must hold real numbers; its type is object$"),
        ([1, 2j], r"^x must hold real numbers; its type is complex128$"),
        (np.array(["2020-01-01"], "M8[D]"), r"^x must hold real numbers; its type is datetime64"),
        ([[1, 2], [3, 4]], r"^x must have one dimension; its shape is \(2, 2\)$"),
        (np.zeros((3, 0)), r"^x must have one dimension; its shape is \(3, 0\)$"),
        ([[1, 2], [3]], r"^x must be one row of numbers; its rows differ in length$"),
        (
            [1, np.nan, np.inf],
            r"^x must be finite; 2 of 3 values are not, the first is x\[1\] = nan$",
        ),
        ([-np.inf], r"^x must be finite; 1 of 1 values are not, the first is x\[0\] = -inf$"),
    ],
)
def test_what_is_no_vector_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        checked_vector(bad, "x")


@pytest.mark.parametrize(
    "good",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        range(1, 4),
        np.array([1, 2, 3], np.int8),
        np.array([1, 2, 3], np.uint64),
        np.array([1, 2, 3], np.float32),
        np.array([1, 2, 3], ">f8"),
        np.array([1, 9, 2, 9, 3])[::2],
        np.array([3, 2, 1])[::-1],
    ],
)
def test_whatever_holds_a_row_of_numbers_will_do(good):
    checked = checked_vector(good, "x")
    assert checked.dtype == np.float64
    assert_allclose(checked, [1, 2, 3], rtol=1e-15)


def test_a_checked_vector_is_a_copy():
    x = np.array([1.0, 2, 3])
    x.flags.writeable = False
    checked = checked_vector(x, "x")
    checked[0] = 7
    assert_allclose(x, [1, 2, 3], rtol=0)


def test_float32_weights_that_are_no_exact_numbers_are_welcome():
    thirds = checked_mixture((np.full(3, 1 / 3, np.float32), [0, 1, 2], [1, 1, 1])).weights
    assert_allclose(thirds.sum(), 1, rtol=1e-15)
