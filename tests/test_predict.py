"""After a fit: densities, responsibilities, labels, draws and order, for both kinds of mixtures."""

import re
import subprocess
import sys
import tracemalloc
from collections import namedtuple

import numpy as np
import pytest
from cases import CONVERGED, FIVE_BELLS, assert_same_mixture, mixture, problems
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

import emtools
from emtools import (
    Mixture,
    MultivariateMixture,
    data,
    fit,
    log_density,
    logspace,
    multivariate,
    predict,
    responsibilities,
    sample,
    sorted_by_mean,
)
from emtools.predict import PIECE, checked_rows, row_slices

FAITHFUL = data.old_faithful()
WAITING = FAITHFUL[:, 1]
IRIS = data.iris()[0]
TWO_BELLS = Mixture([0.5, 0.5], [50, 80], [5, 5])
TWO_ELLIPSES = MultivariateMixture(
    [0.35, 0.65], [[2, 55], [4.3, 80]], [[[0.1, 0.5], [0.5, 35]], [[0.2, 1], [1, 35]]]
)
THREE_FUNCTIONS = [responsibilities, predict, log_density]
seeds = st.integers(0, 100_000)


def random_mixture(rng, n_components, n_features):
    roots = rng.normal(size=(n_components, n_features, n_features + 2))
    return MultivariateMixture(
        rng.dirichlet(np.full(n_components, 5.0)),
        rng.normal(scale=4, size=(n_components, n_features)),
        roots @ roots.transpose(0, 2, 1) / (n_features + 2),
    )


def flat_ellipses(weights=(0.25, 0.75)):
    """Two of the same shape, so that far up the second axis only the weights tell them apart."""
    return MultivariateMixture(weights, [[-2, 0], [2, 0]], [np.diag([1, 1e-4])] * 2)


class TestAgainstTheChapters:
    def test_chapter_03_says_the_same(self):
        found = fit(WAITING, TWO_BELLS)
        resp, log_likelihood = logspace.e_step(WAITING, found.parameters)
        assert_allclose(responsibilities(WAITING, found.parameters), resp, rtol=1e-12)
        assert_allclose(log_density(WAITING, found.parameters).sum(), log_likelihood, rtol=1e-13)
        assert_allclose(predict(WAITING, found.parameters), resp.argmax(axis=1), rtol=0)

    def test_chapter_06_says_the_same(self):
        found = fit(FAITHFUL, TWO_ELLIPSES)
        resp, log_likelihood = multivariate.e_step(FAITHFUL, found.parameters)
        assert_allclose(responsibilities(FAITHFUL, found.parameters), resp, rtol=1e-12)
        assert_allclose(log_density(FAITHFUL, found.parameters).sum(), log_likelihood, rtol=1e-13)
        assert_allclose(np.bincount(predict(FAITHFUL, found.parameters)), [97, 175], rtol=0)

    @given(seeds)
    def test_any_mixture_in_d_dimensions(self, seed):
        rng = np.random.default_rng(seed)
        ellipses = random_mixture(rng, int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        X, _ = sample(ellipses, 30, rng)
        resp, log_likelihood = multivariate.e_step(X, ellipses)
        assert_allclose(responsibilities(X, ellipses), resp, rtol=1e-10, atol=1e-300)
        assert_allclose(log_density(X, ellipses).sum(), log_likelihood, rtol=1e-12)

    @pytest.mark.parametrize("function", THREE_FUNCTIONS)
    def test_a_fit_is_as_good_as_its_parameters(self, function):
        for x, start in ((WAITING, TWO_BELLS), (FAITHFUL, TWO_ELLIPSES)):
            found = fit(x, start)
            assert_allclose(function(x, found), function(x, found.parameters), rtol=0)

    @pytest.mark.parametrize("function", THREE_FUNCTIONS)
    def test_a_chapters_own_value_is_as_good(self, function):
        own = namedtuple("MultivariateMixture", MultivariateMixture._fields)(*TWO_ELLIPSES)
        assert_allclose(function(FAITHFUL, own), function(FAITHFUL, TWO_ELLIPSES), rtol=0)
        assert sample(own, 3, np.random.default_rng(0))[0].shape == (3, 2)

    def test_the_example_in_the_packages_docstring(self, capsys):
        start = emtools.__doc__.index("    import emtools")
        example = re.match(r"((    .*)?\n)+", emtools.__doc__[start:]).group()
        exec("\n".join(line[4:] for line in example.splitlines()), {})
        assert capsys.readouterr().out == (
            "component    weight      mean       std\n"
            "        0    0.3609     54.61     5.871\n"
            "        1    0.6391     80.09     5.868\n"
        )


class TestFarOut:
    @pytest.mark.parametrize("height", [1, 1e5, 1e9, 1e150])
    def test_weights_still_count(self, height):
        x = [[0, height], [0, -height]]
        assert_allclose(responsibilities(x, flat_ellipses()), [[0.25, 0.75]] * 2, rtol=1e-14)
        assert predict(x, flat_ellipses()).tolist() == [1, 1]
        assert predict(x, flat_ellipses([0.75, 0.25])).tolist() == [0, 0]

    def test_in_one_dimension(self):
        same = Mixture([0.25, 0.75], [0, 0], [1e-3, 1e-3])
        assert_allclose(responsibilities([1e9, -1e100], same), [[0.25, 0.75]] * 2, rtol=1e-14)
        assert_allclose(responsibilities([1e9], TWO_BELLS), [[0, 1]], rtol=0)

    @pytest.mark.parametrize("tiny", [1e-300, 1e-320])
    def test_tiny_weights_still_count(self, tiny):
        """The first has nearly all the weight, but is 1e10 widths away."""
        far = Mixture([1, tiny / 4, 3 * tiny / 4], [1e10, 0, 0], [1, 1, 1])
        assert_allclose(responsibilities([0], far), [[0, 0.25, 0.75]], rtol=1e-2, atol=0)
        assert predict([0], far).tolist() == [2]

    @given(seeds, st.floats(0, 150))
    def test_rows_sum_to_one(self, seed, exponent):
        rng = np.random.default_rng(seed)
        ellipses = random_mixture(rng, int(rng.integers(1, 5)), int(rng.integers(1, 5)))
        X = 10**exponent * rng.normal(size=(9, ellipses.means.shape[1]))
        resp = responsibilities(X, ellipses)
        assert_allclose(resp.sum(axis=1), 1, rtol=1e-14)
        assert (resp >= 0).all()
        assert_allclose(predict(X, ellipses), resp.argmax(axis=1), rtol=0)

    def test_a_weight_of_zero_gets_nothing(self):
        assert_allclose(responsibilities([50.0], Mixture([0, 1], [50, 80], [5, 5])), [[0, 1]])
        assert predict([50.0], Mixture([0, 1], [50, 80], [5, 5])).tolist() == [1]

    def test_a_weight_of_zero_nearby_hides_no_one_far_away(self):
        three = MultivariateMixture(
            [0, 0.25, 0.75], [[0, 1e9], [-2, 0], [2, 0]], [np.eye(2), *flat_ellipses().covariances]
        )
        assert_allclose(responsibilities([[0, 1e9]], three), [[0, 0.25, 0.75]], rtol=1e-14)
        assert predict([[0, 1e9]], three).tolist() == [2]

    def test_one_component_out_of_reach(self):
        bells = Mixture([0.5, 0.5], [0, 1e153], [1e-5, 1e153])
        assert_allclose(responsibilities([1e153], bells), [[0, 1]], rtol=0)
        assert np.isfinite(log_density([1e153], bells)).all()

    @pytest.mark.parametrize("function", [responsibilities, predict])
    def test_beyond_float64(self, function):
        message = r"^2 of 4 observations are more than 1e154 .* the first is x\[1\]; no label"
        with pytest.raises(ValueError, match=message):
            function([50, 1e300, 80, -1e300], TWO_BELLS)
        with pytest.raises(ValueError, match=r"^1 of 2 observations .* the first is x\[1\]"):
            function([[0, 0], [1e300, 1e300]], flat_ellipses())
        assert predict([1e100, -1e100], TWO_BELLS).shape == (2,)

    @pytest.mark.parametrize("function", [responsibilities, predict])
    def test_those_beyond_float64_are_counted_over_all_pieces(self, function):
        x = np.full(2 * PIECE, 50.0)
        x[[PIECE - 5, PIECE + 7, -1]] = 1e300
        message = f"^3 of {len(x)} observations .* the first is x\\[{PIECE - 5}\\]"
        with pytest.raises(ValueError, match=message):
            function(x, TWO_BELLS)

    def test_the_density_beyond_float64_is_minus_infinity(self):
        assert np.isneginf(log_density([1e300], TWO_BELLS)[0])
        for variances in ([1e-20, 1], [1, 1e-20]):  # in the second, inf times 0 is NaN
            narrow = MultivariateMixture([1], [[0, 0]], [np.diag(variances)])
            assert np.isneginf(log_density([[1e300, 1], [1, 1e300]], narrow)).all()


class TestObservations:
    def test_lists_and_new_observations(self):
        assert predict([40, 66, 100], TWO_BELLS).tolist() == [0, 1, 1]
        assert responsibilities([66], TWO_BELLS).shape == (1, 2)
        assert predict([[1, 50], [5, 90]], TWO_ELLIPSES).tolist() == [0, 1]

    def test_of_equals_the_first(self):
        assert predict([70], Mixture([0.5, 0.5], [60, 80], [5, 5])).tolist() == [0]

    @pytest.mark.parametrize("function", THREE_FUNCTIONS)
    @pytest.mark.parametrize(
        "X",
        [
            FAITHFUL.tolist(),
            np.asfortranarray(FAITHFUL),
            np.repeat(FAITHFUL, 2, axis=1)[:, ::2],
            FAITHFUL.astype(">f8"),
            FAITHFUL.astype(np.longdouble),
        ],
    )
    def test_many_forms_of_the_same_data(self, function, X):
        expected = function(FAITHFUL, TWO_ELLIPSES)
        assert_allclose(function(X, TWO_ELLIPSES), expected, rtol=1e-12)

    @pytest.mark.parametrize("function", THREE_FUNCTIONS)
    def test_nothing_is_changed(self, function):
        for x, value in ((WAITING.copy(), TWO_BELLS), (FAITHFUL.copy(), TWO_ELLIPSES)):
            value = type(value)(*(np.array(part, float) for part in value))
            for array in (x, *value):
                array.flags.writeable = False
            function(x, value)

    @pytest.mark.parametrize("function", THREE_FUNCTIONS)
    def test_bad_input(self, function):
        with pytest.raises(ValueError, match=r"shape \(272, 2\), but this Mixture"):
            function(FAITHFUL, TWO_BELLS)
        with pytest.raises(ValueError, match=r"shape \(272,\), but this MultivariateMixture"):
            function(WAITING, TWO_ELLIPSES)
        with pytest.raises(ValueError, match=r"x has shape \(150, 4\)"):
            function(IRIS, TWO_ELLIPSES)
        with pytest.raises(ValueError, match=r"x\[:, 0\]"):
            function(WAITING[:, None], TWO_BELLS)
        with pytest.raises(ValueError, match="sum to one"):
            function([1.0], Mixture([0.5, 0.6], [50, 80], [5, 5]))
        with pytest.raises(ValueError, match="mixture must be"):
            function([1.0], 2)

    @pytest.mark.parametrize("function", THREE_FUNCTIONS)
    @pytest.mark.parametrize(
        ("x", "words"),
        [
            (np.array([1.0, np.nan, np.inf]), r"2 of 3 values are not, the first is x\[1\] = nan"),
            ([1.0, np.nan], r"1 of 2 values are not, the first is x\[1\] = nan"),
            (np.array([]), "x must not be empty"),
            (np.ma.array([1.0, 2.0], mask=[False, True]), "x has masked values"),
            (np.float64(3), "x must have one or two dimensions"),
            (np.zeros((2, 2, 2)), "x must have one or two dimensions"),
            (["a"], "x must hold real numbers"),
        ],
    )
    def test_bad_observations(self, function, x, words):
        with pytest.raises(ValueError, match=words):
            function(x, TWO_BELLS)


class TestMemory:
    def test_good_arrays_are_not_copied(self):
        for x in (WAITING, FAITHFUL, FAITHFUL[:, 0], FAITHFUL.T):
            assert np.shares_memory(checked_rows(x), x)
            assert checked_rows(x).shape == x.shape

    def test_others_become_float64(self):
        for x in (WAITING.astype(int), WAITING.astype(">f8"), WAITING.tolist()):
            rows = checked_rows(x)
            assert rows.dtype == np.float64
            assert rows.dtype.isnative
            assert_allclose(rows, WAITING, rtol=0)

    @pytest.mark.parametrize(
        ("shape", "n_components"), [((7,), 3), ((10**6,), 2), ((5000, 8), 10), ((999, 400), 10)]
    )
    def test_pieces_hold_every_row_once(self, shape, n_components):
        x = np.broadcast_to(0.0, shape)
        value = mixture(np.ones(n_components), [0], [1])
        seen = np.concatenate([np.arange(len(x))[rows] for rows in row_slices(x, value)])
        assert_allclose(seen, np.arange(len(x)), rtol=0)
        sizes = {len(x[rows]) for rows in list(row_slices(x, value))[:-1]}
        n_features = x[0].size
        assert all(n >= 2 * n_features for n in sizes)
        assert all(n <= max(2 * n_features, PIECE / n_features / n_components) for n in sizes)

    @pytest.mark.parametrize("function", THREE_FUNCTIONS)
    def test_pieces_change_no_result(self, function, monkeypatch):
        X = np.random.default_rng(0).normal(size=(500, 2)) * [1, 6] + [3, 70]
        expected = function(X, TWO_ELLIPSES)
        monkeypatch.setattr(sys.modules["emtools.predict"], "PIECE", 40)  # ten rows
        assert len(list(row_slices(X, TWO_ELLIPSES))) == 50
        assert_allclose(function(X, TWO_ELLIPSES), expected, rtol=1e-12)

    @pytest.mark.parametrize(
        ("function", "own"), [(log_density, 8), (predict, 8), (responsibilities, 80)]
    )
    def test_200_000_rows_take_little_more_than_their_result(self, function, own):
        """In proportion, 250 MB for a million rows would be 50; in pieces it is far less."""
        rng = np.random.default_rng(0)
        X, ellipses = rng.normal(size=(200_000, 8)), random_mixture(rng, 10, 8)
        tracemalloc.start()
        function(X, ellipses)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 200_000 * own + 10e6

    @pytest.mark.parametrize("name", ["log_density", "predict", "responsibilities"])
    def test_the_process_takes_no_more_either(self, name, tmp_path):
        """What LAPACK and NumPy take past Python's bookkeeping shows here."""
        code = (
            "import resource, numpy as np, emtools\n"
            "X, K = np.random.default_rng(0).normal(size=(200_000, 8)), 10\n"
            "value = emtools.MultivariateMixture([1 / K] * K, X[:K], [np.eye(8)] * K)\n"
            f"emtools.{name}(X[:100], value)\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
            f"before = peak(); emtools.{name}(X, value); print(peak() - before)"
        )
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert float(done.stdout) < 50


class TestSample:
    def test_draws_what_the_mixture_says(self):
        n_samples = 100_000
        x, labels = sample(FIVE_BELLS, n_samples, np.random.default_rng(1))
        assert x.shape == labels.shape == (n_samples,)
        assert labels.dtype.kind == "i"
        assert set(labels) == set(range(5))
        for k, (weight, mean, std) in enumerate(zip(*FIVE_BELLS, strict=True)):
            own = x[labels == k]
            # Each estimate is within five of its standard errors.
            error = 5 * np.sqrt(weight * (1 - weight) / n_samples)
            assert abs(len(own) / n_samples - weight) < error
            assert abs(own.mean() - mean) < 5 * std / np.sqrt(len(own))
            assert abs(own.std() - std) < 5 * std / np.sqrt(2 * len(own))

    def test_follows_the_distribution_of_the_mixture(self):
        x, _ = sample(CONVERGED, 20_000, np.random.default_rng(2))
        weights = CONVERGED.weights / CONVERGED.weights.sum()
        cdf = lambda x: stats.norm.cdf(x[:, None], CONVERGED.means, CONVERGED.stds) @ weights  # noqa: E731
        assert stats.kstest(x, cdf).pvalue > 0.001

    def test_moments_in_d_dimensions(self):
        ellipses = random_mixture(np.random.default_rng(3), 2, 3)
        X, labels = sample(ellipses, 40_000, np.random.default_rng(4))
        assert_allclose(np.bincount(labels) / 40_000, ellipses.weights, atol=0.01)
        for k in range(2):
            members = X[labels == k]
            widths = np.sqrt(np.diagonal(ellipses.covariances[k]))
            error = 5 / np.sqrt(len(members))
            assert np.all(abs(members.mean(axis=0) - ellipses.means[k]) < error * widths)
            off = np.cov(members.T) - ellipses.covariances[k]
            assert np.all(abs(off) < 1.5 * error * np.outer(widths, widths))

    @pytest.mark.parametrize(("value", "shape"), [(TWO_BELLS, (7,)), (TWO_ELLIPSES, (7, 2))])
    def test_the_same_seed_gives_the_same_sample(self, value, shape):
        x, labels = sample(value, 7, np.random.default_rng(3))
        assert (x.shape, labels.shape) == (shape, (7,))
        for rng in (np.random.default_rng(3), 3, np.int64(3)):
            again, labels_again = sample(value, np.int64(7), rng)
            assert_allclose(again, x, rtol=0)
            assert (labels_again == labels).all()
        assert (sample(value, 7, np.random.default_rng(4))[0] != x).all()

    def test_a_generator_goes_on(self):
        rng = np.random.default_rng(3)
        assert (sample(TWO_BELLS, 7, rng)[0] != sample(TWO_BELLS, 7, rng)[0]).all()

    def test_from_a_fit(self):
        found = fit(FAITHFUL, TWO_ELLIPSES)
        assert_allclose(sample(found, 5, 1)[0], sample(found.parameters, 5, 1)[0], rtol=0)

    def test_a_component_of_weight_zero_is_never_drawn(self):
        _, labels = sample(mixture([0, 1], [0, 9], [1, 1]), 100, np.random.default_rng(5))
        assert (labels == 1).all()

    def test_may_be_empty(self):
        for value, shape in ((CONVERGED, (0,)), (TWO_ELLIPSES, (0, 2))):
            x, labels = sample(value, 0, np.random.default_rng(6))
            assert (x.shape, labels.shape) == (shape, (0,))

    @pytest.mark.parametrize("value", [TWO_BELLS, TWO_ELLIPSES])
    @pytest.mark.parametrize("n_samples", [-1, 2.0, "3", None, True, [3]])
    def test_refuses_a_size_that_is_none(self, value, n_samples):
        with pytest.raises(ValueError, match=r"n_samples must be a whole number >= 0; it is "):
            sample(value, n_samples, np.random.default_rng(8))

    @pytest.mark.parametrize("rng", [None, -1, 1.0, "1", True, np.random, np.random.RandomState(0)])
    def test_refuses_what_is_no_generator(self, rng):
        with pytest.raises(ValueError, match=r"^rng must be .*numpy\.random\.Generator"):
            sample(CONVERGED, 3, rng)

    def test_a_generator_must_be_given(self):
        with pytest.raises(TypeError, match="rng"):
            sample(CONVERGED, 3)

    def test_refuses_what_is_no_mixture(self):
        with pytest.raises(ValueError, match="mixture must be"):
            sample(tuple(CONVERGED), 3, np.random.default_rng(1))
        with pytest.raises(ValueError, match="sum to one"):
            sample(CONVERGED._replace(weights=[1, 1]), 3, np.random.default_rng(1))


class TestSortedByMean:
    @given(problems())
    def test_sorts_and_keeps_components_whole(self, problem):
        _, start = problem
        ordered = sorted_by_mean(start)
        assert isinstance(ordered, Mixture)
        assert (np.diff(ordered.means) >= 0).all()
        before = sorted(zip(*(part.tolist() for part in start), strict=True))
        after = sorted(zip(*(part.tolist() for part in ordered), strict=True))
        assert_allclose(sorted(after), before, rtol=1e-15)

    def test_components_of_equal_mean_keep_their_order(self):
        # Many, because NumPy's other sorts are stable, too, for a few.
        ordered = sorted_by_mean(mixture(np.full(40, 1 / 40), [7, 5] * 20, np.arange(1, 41)))
        stds = np.hstack([np.arange(2, 41, 2), np.arange(1, 41, 2)])
        expected = mixture(np.full(40, 1 / 40), [5] * 20 + [7] * 20, stds)
        assert_same_mixture(ordered, expected, rtol=1e-14)

    def test_by_the_first_feature_then_the_next(self):
        means = [[2, 1], [1, 9], [2, 0], [1, 8], [0, 100]]
        value = MultivariateMixture(
            [0.1, 0.15, 0.2, 0.25, 0.3], means, [np.eye(2) * (k + 1) for k in range(5)]
        )
        ordered = sorted_by_mean(value)
        assert isinstance(ordered, MultivariateMixture)
        assert_allclose(ordered.means, sorted(means), rtol=0)
        assert_allclose(ordered.weights, [0.3, 0.25, 0.15, 0.2, 0.1], rtol=1e-15)
        assert_allclose(ordered.covariances[:, 0, 0], [5, 4, 2, 3, 1], rtol=0)

    def test_two_orders_of_the_same_fit(self):
        swapped = MultivariateMixture(*(np.array(part)[::-1] for part in TWO_ELLIPSES))
        one, other = (sorted_by_mean(fit(FAITHFUL, s)) for s in (TWO_ELLIPSES, swapped))
        for a, b in zip(one, other, strict=True):
            assert_allclose(a, b, rtol=1e-6)

    def test_refuses_what_is_no_mixture(self):
        with pytest.raises(ValueError, match="mixture must be"):
            sorted_by_mean([1, 2])
        with pytest.raises(ValueError, match="positive"):
            sorted_by_mean(TWO_BELLS._replace(stds=[1, 0]))

    def test_nothing_is_changed(self):
        value = mixture([0.25, 0.75], [5, 1], [1, 2])
        for part in value:
            part.flags.writeable = False
        sorted_by_mean(value)
        assert_allclose(value.means, [5, 1], rtol=0)


def test_data_come_with_the_package(tmp_path):
    code = "import emtools, sys; print(len(emtools.data.waiting()), 'matplotlib' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["272", "False"]


def test_help_begins_with_fit():
    first, *_ = emtools.__doc__.splitlines()
    assert "emtools.fit(x" in first


@pytest.mark.parametrize("function", [log_density, responsibilities, predict])
def test_arguments_that_have_changed_places_are_recognised(function):
    x = np.array([50.0, 66, 80])
    for swapped, name in ((TWO_BELLS, "Mixture"), (emtools.fit(x, 1, rng=0), "Fit")):
        with pytest.raises(ValueError, match=f"it is a {name}. Observations come first"):
            function(swapped, x)
