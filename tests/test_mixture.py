import numpy as np
import pytest
from cases import CONVERGED, FIVE_BELLS, mixture, problems
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import special, stats

from emtools.checks import checked_vector
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
