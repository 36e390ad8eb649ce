"""Kinds of mixtures: checks, printing, and that a new kind is added in one place."""

import pickle
from collections import namedtuple
from typing import NamedTuple

import numpy as np
import pytest
from cases import assert_same_mixture, mixture
from numpy.testing import assert_allclose
from scipy import special, stats
from sklearn.mixture import GaussianMixture

import emtools
from emtools import Mixture, MultivariateMixture, data, fit, kinds
from emtools.course.report import report
from emtools.kinds import (
    Kind,
    as_text,
    check_square,
    checked_for,
    checked_multivariate,
    checked_parts,
    checked_univariate,
    describe,
    kind_of,
    register,
    table_text,
)

BELLS = mixture([0.25, 0.75], [5, 1], [1, 2])
ELLIPSES = MultivariateMixture(
    np.array([0.25, 0.75]),
    np.array([[1.0, 50.0], [2.0, 80.0]]),
    np.array([[[4.0, 1.0], [1.0, 9.0]], [[0.25, 0.0], [0.0, 1.0]]]),
)


# One dimension


def doors():
    return [
        pytest.param(checked_univariate, id="checked_univariate"),
        pytest.param(lambda parts: checked_for((9,), parts), id="checked_for"),
        pytest.param(lambda parts: emtools.log_density([1.0], parts), id="log_density"),
    ]


@pytest.mark.parametrize("door", doors())
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, r"mixture must be a Mixture\(weights, means, stds\).*; it is NoneType$"),
        (np.ones((3, 2)), r"it is ndarray"),
        ({"weights": [1]}, r"it is dict"),
        (2.5, r"it is float"),
        (([1], [0]), r"it is tuple of 2 parts"),
        ([[1], [0], [1], [2]], r"it is list of 4 parts"),
        (namedtuple("Coins", "weights biases")([1], [0.5]), r"it is Coins\(weights, biases\)$"),
        (Mixture, r"mixture must be a Mixture\(weights, means, stds\).*; it is "),
        (([], [], []), r"mixture\.weights must not be empty"),
        ((1, 0, 1), r"mixture\.weights must have one dimension; its shape is \(\)"),
        (([1], [[0]], [1]), r"mixture\.means must have one dimension; its shape is \(1, 1\)"),
        (([1], ["a"], [1]), r"mixture\.means must hold real numbers"),
        (([1], [1j], [1]), r"mixture\.means must hold real numbers"),
        (([1], [[0], [1, 2]], [1]), r"mixture\.means must .* rows differ in length"),
        (
            ([0.5, 0.5], [0, np.nan], [1, 1]),
            r"mixture\.means must be finite; 1 of 2 values are not, "
            r"the first is mixture\.means\[1\] = nan",
        ),
        (([np.inf, 0.5], [0, 1], [1, 1]), r"the first is mixture\.weights\[0\] = inf"),
        (
            ([0.5, 0.5], [0, 1], [1]),
            r"^mixture\.weights, mixture\.means and mixture\.stds must have one entry for each "
            r"component; they have 2, 2 and 1$",
        ),
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
        (([0.5, 0.5], [0, -1e200], [1, 1]), r"^means\[1\] of the mixture is -1e\+200, whose squ"),
        (([0.5, 0.5], [0, 1], [1e155, 1]), r"^stds\[0\] of the mixture is 1e\+155, whose square"),
        (([0.5, 0.5], [0, 1], [1, 1e-155]), r"^stds\[1\] of the mixture is 1e-155, whose square"),
    ],
)
def test_what_is_no_mixture_is_named(door, bad, message):
    with pytest.raises(ValueError, match=message):
        door(bad)


@pytest.mark.parametrize(
    "parts",
    [
        ((0.25, 0.75), [5, 1], [1, 2]),
        [(0.25, 0.75), [5, 1], [1, 2]],
        Mixture([0.25, 0.75], [5, 1], [1, 2]),
        namedtuple("Own", Mixture._fields)([0.25, 0.75], [5, 1], [1, 2]),
        tuple(np.array([[0.25, 0.75], [5, 1], [1, 2]], np.float32)),
        tuple(np.array([[0.25, 5, 1], [0.75, 1, 2]]).T),  # columns: not contiguous
        tuple(np.array([[0.25, 9, 0.75], [5, 9, 1], [1, 9, 2]])[:, ::2]),
    ],
)
def test_whatever_holds_a_mixture_will_do(parts):
    checked = checked_for((9,), parts)
    assert type(checked) is Mixture
    assert_same_mixture(checked, BELLS, rtol=1e-15)
    for part in checked:
        assert part.dtype == np.float64
        assert part.flags.c_contiguous


@pytest.mark.parametrize("value", [BELLS, ELLIPSES])
def test_a_checked_mixture_is_a_copy_and_inputs_are_left_alone(value):
    start = type(value)(*(part.copy() for part in value))
    for part in start:
        part.flags.writeable = False
    for part, own, kept in zip(kind_of(start).checked(start), start, value, strict=True):
        assert not np.shares_memory(part, own)
        assert_allclose(own, kept, rtol=0)


def test_weights_off_by_rounding_are_rescaled():
    bells = checked_univariate(([0.5, 0.5 + 1e-9], [0, 1], [1, 1]))
    ellipses = checked_multivariate(ELLIPSES._replace(weights=[0.25, 0.75 + 1e-9]))
    for weights in (bells.weights, ellipses.weights):
        assert_allclose(weights.sum(), 1, rtol=1e-15)


def test_float32_weights_that_are_no_exact_numbers_are_welcome():
    thirds = checked_univariate((np.full(3, 1 / 3, np.float32), [0, 1, 2], [1, 1, 1])).weights
    assert_allclose(thirds.sum(), 1, rtol=1e-15)


def test_numbers_whose_squares_float64_holds_are_welcome():
    checked_univariate(([0.5, 0.5], [1e153, -1e153], [1e153, 1e-153]))
    checked_multivariate(([1], [[1e153, -1e153]], [[[1e306, 0], [0, 1e-306]]]))


# D dimensions


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        (0, [0.5, 0.6], "sum to one"),
        (0, [-0.5, 1.5], r"negative; weights\[0\]"),
        (0, [1.0], r"one entry for each component; they have 1, 2 and 2"),
        (0, [[0.5, 0.5]], "one dimension"),
        (1, [[0, 0], [1, np.nan]], r"finite; 1 of 4 .* mixture.means\[1, 1\]"),
        (1, [0, 1], "two dimensions"),
        (1, [["a", "b"], ["c", "d"]], "real numbers"),
        (1, [[0, 0], [1]], "differ in length"),
        (1, [[0, 0, 0], [1, 1, 1]], r"shapes \(K, D\) and .*; they have \(2, 3\) and \(2, 2, 2\)"),
        (1, [[0, 0], [1, 1e200]], r"^means\[1, 1\] of the mixture is 1e\+200, whose square"),
        (2, [[[1, 0], [0, 1]]], r"they have 2, 2 and 1"),
        (2, [[1, 0], [0, 1]], "three dimensions"),
        (2, [[[1, 0, 0], [0, 1, 0]]] * 2, r"they have \(2, 2\) and \(2, 2, 3\)"),
        (2, [[[1, 0], [0, 1]], [[1, 2], [2, 1]]], r"covariances\[1\] is not positive definite"),
        (2, [[[1, 0], [0, 1]], [[1, 1], [1, 1]]], r"covariances\[1\] is not positive definite"),
        (2, [[[1, 0], [0, 1]], [[1, 0.5], [0, 1]]], r"covariances\[1\] must be symmetric"),
        (2, [[[1, 0], [0, 0]], [[1, 0], [0, 1]]], r"covariances\[0\]\[1, 1\] is 0"),
        (2, [[[1, 0], [0, 1]], [[-1, 0], [0, 1]]], r"positive variances; .*\[1\]\[0, 0\] is -1"),
        (2, [[[1, 0], [0, 1]], [[1, 0], [0, 1e-310]]], r"^std\[1, 1\] of the mixture is 1e-155"),
        (2, [[[1, 0], [0, 1]], [[1e307, 1e307], [-1e307, 1e307]]], "must be symmetric"),
    ],
)
def test_what_is_wrong_in_d_dimensions_and_where(part, value, words):
    bad = [[0.5, 0.5], [[0, 0], [1, 1]], [[[1, 0], [0, 1]], [[2, 1], [1, 2]]]]
    assert isinstance(checked_multivariate(bad), MultivariateMixture)  # lists, integers
    bad[part] = value
    with pytest.raises(ValueError, match=words):
        checked_multivariate(bad)


@pytest.mark.parametrize("bad", [None, 3, ([1], [[0]]), "mixture"])
def test_what_is_no_multivariate_mixture_is_named(bad):
    message = r"mixture must be a MultivariateMixture\(weights, means, covariances\); it is "
    with pytest.raises(ValueError, match=message):
        checked_multivariate(bad)


def test_scales_of_columns_do_not_matter():
    """A correlation of one half between columns 1e16 apart."""
    checked_multivariate(([1.0], [[0, 0]], [[[1e-16, 0.5e0], [0.5e0, 1e16]]]))


@pytest.mark.parametrize("scale", [[1, 1], [1e-8, 1e8]])
def test_an_asymmetry_that_float32_explains_is_averaged_away(scale):
    def covariances(off):
        return np.array([[[1, 0.5 + off], [0.5, 1]]]) * np.outer(scale, scale)

    checked = checked_multivariate(([1], [[0, 0]], covariances(0.99e-6))).covariances[0]
    assert_allclose(checked, checked.T, rtol=0)
    assert_allclose(checked, covariances(0.495e-6)[0].T * [[1, 1], [1, 1]], rtol=1e-6)
    assert_allclose(checked[0, 1], (0.5 + 0.495e-6) * np.prod(scale), rtol=1e-12)
    with pytest.raises(ValueError, match=r"covariances\[0\] must be symmetric"):
        checked_multivariate(([1], [[0, 0]], covariances(1.01e-6)))
    with pytest.raises(ValueError, match=r"covariances\[0\] must be symmetric"):
        checked_multivariate(([1], [[0, 0]], covariances(-1.01e-6)))


def test_what_scikit_learn_finds_in_float32_is_a_start():
    X = data.iris()[0].astype(np.float32)
    theirs = GaussianMixture(3, random_state=0).fit(X)
    covariances = theirs.covariances_
    assert covariances.dtype == np.float32
    assert (covariances != covariances.swapaxes(1, 2)).any()
    start = MultivariateMixture(theirs.weights_, theirs.means_, covariances)
    assert_allclose(fit(X, start).log_likelihood, -180.185477, rtol=1e-6)


def test_symmetric_covariances_keep_every_digit():
    checked = checked_multivariate(ELLIPSES._replace(covariances=ELLIPSES.covariances / 3))
    assert_allclose(checked.covariances, ELLIPSES.covariances / 3, rtol=0)


# Shapes of observations


ONE_FEATURE = MultivariateMixture([1], [[0]], [[[1]]])


@pytest.mark.parametrize(
    ("shape", "value", "message"),
    [
        (
            (272, 1),
            BELLS,
            r"^x has shape \(272, 1\), but this Mixture is for .* shape \(N,\): give x\[:, 0\]$",
        ),
        ((1, 272), BELLS, r"\(1, 272\), but this Mixture is for .* \(N,\): give x\[0\]$"),
        (
            (272, 2),
            BELLS,
            r"\(272, 2\), but this Mixture is for .*: give one column, such as x\[:, 0\]$",
        ),
        (
            (272,),
            ONE_FEATURE,
            r"\(272,\), but this MultivariateMixture is for .* \(N, 1\): give x\[:, None\]$",
        ),
        (
            (2,),
            ELLIPSES,
            r"\(2,\), but this .* \(N, 2\); one observation is a table of one row: x\[None\]$",
        ),
        (
            (150, 4),
            ELLIPSES,
            r"^x has shape \(150, 4\), but this MultivariateMixture is for .* shape \(N, 2\)$",
        ),
        ((2, 150), ELLIPSES, r"\(2, 150\), but this .* \(N, 2\): is it x\.T you mean\?$"),
        ((1, 150), ONE_FEATURE, r"\(1, 150\), but .* \(N, 1\): is it x\.T you mean\?$"),
    ],
)
def test_a_shape_that_does_not_fit_gets_its_cure(shape, value, message):
    with pytest.raises(ValueError, match=message):
        checked_for(shape, value)


@pytest.mark.parametrize("shape", [(5, 1), (1, 1)])
def test_the_cures_are_right_for_one_column(shape):
    x = np.ones(shape)
    with pytest.raises(ValueError, match=r"x\[:, 0\]$"):
        checked_for(x.shape, BELLS)
    checked_for(x[:, 0].shape, BELLS)
    checked_for(x.shape, ONE_FEATURE)


def test_bare_parts_are_what_the_shape_says():
    assert type(checked_for((9,), tuple(BELLS))) is Mixture
    assert type(checked_for((9, 2), list(ELLIPSES))) is MultivariateMixture
    with pytest.raises(ValueError, match=r"mixture must be a Mixture.*; it is tuple of 3 parts"):
        kind_of(tuple(BELLS))


def test_a_fit_is_as_good_as_its_parameters():
    found = fit(data.waiting(), BELLS._replace(means=[50, 80], stds=[5, 5]))
    assert_same_mixture(checked_for((9,), found), found.parameters, rtol=1e-15)
    assert kind_of(found) is kind_of(found.parameters)


def test_a_fit_of_something_else_is_named():
    with pytest.raises(ValueError, match=r"it is float$"):
        kind_of(namedtuple("Fit", "parameters history")(0.5, [1]))


def test_what_an_error_calls_it():
    assert [describe(v) for v in (1.0, [1, 2], BELLS, Mixture)] == [
        "float",
        "list of 2 parts",
        "Mixture(weights, means, stds)",
        "Mixture(weights, means, stds)",
    ]


# Printing


BELLS_TABLE = (
    "component    weight      mean       std\n"
    "        0    0.2500     5.000     1.000\n"
    "        1    0.7500     1.000     2.000"
)


def test_a_mixture_prints_as_a_table():
    assert repr(BELLS) == str(BELLS) == f"{BELLS}" == as_text(BELLS) == BELLS_TABLE
    assert repr(ELLIPSES) == (
        "component    weight   mean[0]   mean[1]    std[0]    std[1]\n"
        "        0    0.2500     1.000     50.00     2.000     3.000\n"
        "        1    0.7500     2.000     80.00    0.5000     1.000"
    )


def test_report_and_repr_know_the_same(capsys):
    for value in (BELLS, ELLIPSES):
        report(value)
        assert capsys.readouterr().out == repr(value) + "\n"
    start = BELLS._replace(means=[50, 80], stds=[5, 5])
    report(fit(data.waiting(), start, tol=0, max_iter=1), "found", digits=2)
    assert capsys.readouterr().out.startswith("found\ncomponent    weight")
    assert "0.25 " in as_text(BELLS, digits=2)


def test_a_chapters_own_value_prints_as_a_table_too():
    assert as_text(namedtuple("Own", Mixture._fields)(*BELLS)) == BELLS_TABLE


def test_many_features_are_shortened():
    def heads(n_features):
        means = np.arange(2.0 * n_features).reshape(2, -1)
        covariances = [np.diag(np.arange(1.0, n_features + 1)) ** 2] * 2
        lines = repr(MultivariateMixture([0.5, 0.5], means, covariances)).splitlines()
        assert len({len(line) for line in lines}) == 1
        return lines[0].split(), lines[2].split()

    four = [f"{name}[{d}]" for name in ("mean", "std") for d in range(4)]
    assert heads(4)[0] == ["component", "weight", *four]
    names, numbers = heads(5)
    assert names[2:] == [
        "mean[0]",
        "mean[1]",
        "...",
        "mean[4]",
        "std[0]",
        "std[1]",
        "...",
        "std[4]",
    ]
    assert numbers[2:] == ["5.000", "6.000", "...", "9.000", "1.000", "2.000", "...", "5.000"]


def test_many_components_are_shortened():
    def first_column(n_components):
        many = mixture(
            np.full(n_components, 1 / n_components), range(n_components), [1] * n_components
        )
        return [line.split()[0] for line in repr(many).splitlines()[1:]]

    assert first_column(20) == [str(k) for k in range(20)]
    assert first_column(21) == [*map(str, range(18)), "...", "20"]


def test_long_numbers_do_not_touch():
    line = table_text(["a", "b"], [[-1.5e-107, 12345.678901]], digits=9).splitlines()[1]
    assert line.split() == ["0", "-1.50000000e-107", "12345.6789"]


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (Mixture([1], 3, None), "Mixture(weights=[1], means=3, stds=None)"),
        (Mixture([1], [2], [1, 2]), "Mixture(weights=[1], means=[2], stds=[1, 2])"),
        (Mixture(["a"], [2], [1]), "0         a     2.000     1.000"),
        (Mixture([np.nan], [np.inf], [-1]), "0       nan       inf    -1.000"),
        (MultivariateMixture([1], [[2]], [[[-1]]]), "0     1.000     2.000       nan"),
        (
            MultivariateMixture([1], [2], [3]),
            "MultivariateMixture(weights=[1], means=[2], covariances=[3])",
        ),
    ],
)
def test_a_bad_mixture_prints_all_the_same(bad, text):
    assert repr(bad).splitlines()[-1].strip() == text


def test_other_parameters_print_as_python_writes_them():
    assert as_text(0.25) == "0.25"
    assert as_text((1, 2)) == "(1, 2)"
    coins = namedtuple("Coins", "weights biases")([1], [0.5])
    assert as_text(coins) == "Coins(weights=[1], biases=[0.5])"


def test_a_mixture_is_pickled_as_before():
    assert_same_mixture(pickle.loads(pickle.dumps(BELLS)), BELLS, rtol=0)


# A new kind: counts, each from one of K Poisson distributions


class Poissons(NamedTuple):
    weights: np.ndarray
    rates: np.ndarray


def checked_poissons(parts):
    weights, rates = checked_parts(parts, Poissons, (1, 1))
    if (rates <= 0).any():
        raise ValueError(f"mixture.rates must be positive; they are {rates}")
    check_square(rates, "rates")
    return Poissons(weights, rates)


def poissons_log_joint(x, value):
    x = x[:, None]
    return np.log(value.weights) + x * np.log(value.rates) - value.rates - special.gammaln(x + 1)


POISSONS = Kind(
    Poissons,
    checked=checked_poissons,
    log_joint=poissons_log_joint,
    draw=lambda value, labels, rng: rng.poisson(value.rates[labels]),
    order=lambda value: np.argsort(value.rates, kind="stable"),
    table=lambda value: (["weight", "rate"], list(zip(*value, strict=True))),
    n_features=lambda value: None,
)


@pytest.fixture
def poissons():
    register(POISSONS)
    yield Poissons([0.75, 0.25], [12, 2])
    del kinds.KINDS[Poissons._fields]


class TestANewKind:
    x = np.arange(40)

    def test_densities_responsibilities_and_labels(self, poissons):
        joint = np.log(poissons.weights) + stats.poisson.logpmf(self.x[:, None], poissons.rates)
        density = special.logsumexp(joint, axis=1)
        assert_allclose(emtools.log_density(self.x, poissons), density, rtol=1e-12)
        resp = emtools.responsibilities(self.x, poissons)
        assert_allclose(resp, np.exp(joint - density[:, None]), rtol=1e-10)
        assert_allclose(emtools.predict(self.x, poissons), resp.argmax(axis=1), rtol=0)

    def test_draws(self, poissons):
        x, labels = emtools.sample(poissons, 10_000, rng=1)
        assert_allclose(np.bincount(labels) / 10_000, poissons.weights, atol=0.025)
        for k in (0, 1):
            assert_allclose(x[labels == k].mean(), poissons.rates[k], rtol=0.05)

    def test_order(self, poissons):
        ordered = emtools.sorted_by_mean(poissons)
        assert type(ordered) is Poissons
        assert_allclose(ordered.rates, [2, 12], rtol=0)
        assert_allclose(ordered.weights, [0.25, 0.75], rtol=1e-15)

    def test_print(self, poissons, capsys):
        table = (
            "component    weight      rate\n"
            "        0    0.7500     12.00\n"
            "        1    0.2500     2.000"
        )
        assert repr(poissons) == table
        report(poissons, "counts")
        assert capsys.readouterr().out == f"counts\n{table}\n"

    def test_checks(self, poissons):
        with pytest.raises(ValueError, match=r"\(40, 1\), but this Poissons .*: give x\[:, 0\]"):
            emtools.predict(self.x[:, None], poissons)
        with pytest.raises(ValueError, match=r"^mixture\.weights and mixture\.rates must have one"):
            emtools.predict(self.x, poissons._replace(rates=[3]))
        with pytest.raises(ValueError, match=r"rates must be positive"):
            emtools.predict(self.x, poissons._replace(rates=[3, 0]))

    def test_it_is_gone_when_it_is_taken_out(self):
        with pytest.raises(ValueError, match=r"it is Poissons\(weights, rates\)"):
            emtools.predict(self.x, Poissons([0.75, 0.25], [12, 2]))
