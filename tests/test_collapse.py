import contextlib
import gc
import pickle
import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose

from emtools import MultivariateMixture, em
from emtools.collapse import (
    Collapse,
    best,
    find_collapse,
    gain_of,
    limits_of,
    narrowest,
    restarts,
    suspicion,
    twins,
    with_floor,
    with_twins_apart,
)
from emtools.fitting import Table
from emtools.kernel import packed, unpacked
from emtools.multivariate import STRUCTURES


def test_a_collapse_is_a_value_error_that_says_what_to_do_and_travels():
    error = Collapse(1, "has collapsed", "Take a rest")
    error.iteration, error.n_starts = 3, 10
    travelled = pickle.loads(pickle.dumps(error))
    assert isinstance(travelled, ValueError)
    assert (
        str(travelled)
        == str(error)
        == (
            "all 10 starts collapsed; in the first, at iteration 3, component 1 (counted from 0) "
            "has collapsed. Take a rest"
        )
    )
    assert (travelled.component, travelled.what, travelled.cure) == (
        1,
        "has collapsed",
        "Take a rest",
    )


class TestRestarts:
    @staticmethod
    def run(start):
        if start < 0:
            raise Collapse(-start, "has collapsed", "Rest", 5)
        return em.Fit(start, -abs(start - 3.0), np.zeros(1), 0, True)

    def test_collapses_are_counted_and_dropped(self):
        fits, collapses = restarts(self.run, [-1, 2, 3, -2, 4])
        assert [fit.parameters for fit in fits] == [2, 3, 4]
        assert [collapse.component for collapse in collapses] == [1, 2]
        assert best(fits).parameters == 3

    def test_all_collapse(self):
        with pytest.raises(Collapse, match=r"all 3 starts collapsed; .*component 2 .*") as info:
            restarts(self.run, [-2, -1, -1])
        assert (info.value.n_starts, info.value.iteration) == (3, 5)

    def test_one_that_collapses_speaks_for_itself(self):
        with pytest.raises(Collapse) as info:
            restarts(self.run, [-2])
        assert str(info.value).startswith("at iteration 5, component 2")

    def test_other_errors_pass_through(self):
        with pytest.raises(ZeroDivisionError):
            restarts(lambda start: 1 / start, [1, 0])

    @pytest.mark.parametrize("starts", [[-1, 2], [-1, -2], [2, -1]])
    def test_what_collapsed_runs_held_is_let_go(self, starts):
        """At once: the collector that looks for cycles does not see how large an array is."""

        class Observations:
            pass

        def step(start):
            if start < 0:
                raise Collapse(-start, "has collapsed", "Rest")
            return start, -1.0

        def run(start):
            observations = Observations()
            held.append(weakref.ref(observations))
            return em.iterate(lambda start: (observations, step(start))[1], start)

        held = []
        gc.disable()
        try:
            with contextlib.suppress(Collapse):
                restarts(run, starts)
            assert [reference() for reference in held] == [None] * 2
        finally:
            gc.enable()

    def test_of_equals_the_first_is_best(self):
        fits, _ = restarts(self.run, [2, 4])
        assert best(fits).parameters == 2


X = np.random.default_rng(0).normal(size=(400, 2)) * [1, 100] + [0, 1e3]


def mixture(weights, widths):
    """Components at the middle, with these standard deviations of the two columns."""
    covariances = np.array(widths, float)[:, :, None] ** 2 * np.eye(2)
    weights = np.array(weights, float)
    return MultivariateMixture(weights, np.zeros((len(weights), 2)), covariances)


class TestLimits:
    """Each number of the contract, from both sides."""

    def limits(self, x=X, sample_weight=None):
        table = Table(x, sample_weight)
        return limits_of(table.summary, table.centre)

    @pytest.mark.parametrize("structure", ["full", "diag"])
    @pytest.mark.parametrize(("observations", "vanished"), [(0.9e-8, True), (1.1e-8, False)])
    def test_vanished_is_under_1e_8_observations(self, structure, observations, vanished):
        share = observations / len(X)
        found = find_collapse(
            packed(mixture([1 - share, share], [[1, 100]] * 2), structure), self.limits()
        )
        assert found == ((1, "has vanished: no observation is left to it") if vanished else None)

    def test_of_weighted_observations_the_lightest_counts(self):
        weights = np.full(400, 1e13)
        weights[:50] = 1
        for unit in (1e-20, 1, 1e20):
            limits = self.limits(sample_weight=weights * unit)
            assert_allclose(limits.weight, 1e-8 / weights.sum(), rtol=1e-12)

    @pytest.mark.parametrize("structure", ["full", "tied", "diag"])
    @pytest.mark.parametrize("column", [0, 1])
    @pytest.mark.parametrize(("share", "collapsed"), [(0.9e-10, True), (1.1e-10, False)])
    def test_collapsed_is_under_1e_10_of_a_columns_spread(
        self, structure, column, share, collapsed
    ):
        widths = np.array([[1.0, 100], [1, 100]])
        widths[:, column] = share * X[:, column].std()
        found = find_collapse(packed(mixture([0.5, 0.5], widths), structure), self.limits())
        assert found == ((0, "has collapsed: no width is left to it") if collapsed else None)

    @pytest.mark.parametrize(("spacings", "collapsed"), [(3.9, True), (4.1, False)])
    def test_or_under_4_float_spacings_where_they_are_wider(self, spacings, collapsed):
        x = 1e8 + X[:, :1]
        width = spacings * np.spacing(1e8 + np.abs(X[:, 0]).max())
        narrow = MultivariateMixture(np.ones(1), np.zeros((1, 1)), np.full((1, 1), width**2))
        assert (find_collapse(narrow, self.limits(x)) is not None) == collapsed

    @pytest.mark.parametrize(("times", "collapsed"), [(0.5, True), (2, False)])
    def test_flat_is_what_rounding_leaves_of_a_correlation(self, times, collapsed):
        """The smallest eigenvalue of a correlation matrix, 1 - r, under 64 D eps."""
        r = 1 - times * 64 * 2 * np.finfo(float).eps
        needle = mixture([0.5, 0.5], [[1, 100]] * 2)
        needle.covariances[1, [0, 1], [1, 0]] = 100 * r
        found = find_collapse(needle, self.limits())
        said = 1, "has collapsed: no width is left in one direction"
        assert found == (said if collapsed else None)

    @pytest.mark.parametrize(("across", "collapsed"), [(0.9e-10, True), (1.2e-10, False)])
    def test_a_short_and_slanting_needle(self, across, collapsed):
        """Its correlation is tame and each column wide enough; the narrow direction is not."""
        spread = X[:, 0].std()
        needle = mixture([0.5, 0.5], [[1, 100]] * 2)
        turn = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
        shape = turn @ np.diag([(1e-9 * spread) ** 2, (across * spread) ** 2]) @ turn
        needle.covariances[1] = shape * np.outer([1, 100], [1, 100])
        found = find_collapse(needle, self.limits(X / X.std(axis=0) * spread * [1, 100]))
        assert (found == (1, "has collapsed: no width is left in one direction")) == collapsed

    def test_of_negative_numbers_the_farthest_counts(self):
        x = -1e8 - np.arange(5.0)
        assert_allclose(self.limits(x).variances, (4 * np.spacing(1e8 + 4)) ** 2, rtol=1e-12)


class TestFloor:
    @pytest.mark.parametrize("structure", STRUCTURES)
    @pytest.mark.parametrize("min_std", [1e-300, 0.5, 3, 1e3])
    def test_no_direction_is_narrower(self, structure, min_std):
        start = STRUCTURES[structure](mixture([0.3, 0.7], [[1, 100], [2, 50]]))
        floored = unpacked(with_floor(packed(start, structure), min_std))
        values = np.linalg.eigvalsh(floored.covariances)
        said = np.maximum(np.linalg.eigvalsh(start.covariances), min_std**2)
        assert_allclose(values, said, rtol=1e-12)

    def test_no_floor_changes_nothing(self):
        start = mixture([0.3, 0.7], [[1, 100], [2, 50]])
        assert with_floor(start, 0.0) is start
        assert with_floor(start, 0.9) is start

    def test_nan_passes_through(self):
        """The log-likelihood will say so; there is nothing to raise."""
        bad = mixture([0.3, 0.7], [[1, np.nan], [2, 50]])
        assert with_floor(bad, 1.0) is bad

    def test_widths_whose_squares_are_next_to_nothing(self):
        tiny = mixture([0.3, 0.7], [[1e-100, 1e-100]] * 2)
        assert with_floor(tiny, 1e-250) is tiny


class TestTwins:
    @staticmethod
    def mixture(means, covariances):
        n_components = len(means)
        weights = np.full(n_components, 1 / n_components)
        return MultivariateMixture(weights, np.array(means, float), np.array(covariances, float))

    @pytest.mark.parametrize(
        ("means", "variances", "pair"),
        [
            ([0, 1, 0.04], [1, 1, 1], (0, 2)),
            ([0, 1, 0.06], [1, 1, 1], None),
            ([0, 1, 0], [1, 1, 1.09], (0, 2)),
            ([0, 1, 0], [1, 1, 1.12], None),
            ([5, 1, 1], [1, 1, 1], (1, 2)),
            ([0, 0.4], [100, 100], (0, 1)),
        ],
    )
    def test_in_one_dimension(self, means, variances, pair):
        mixture = self.mixture(np.transpose([means]), np.transpose([variances]))
        assert twins(mixture) == pair
        moved = with_twins_apart(mixture)
        if pair is None:
            assert moved is None
        else:
            one, other = moved.means[list(pair), 0] - mixture.means[list(pair), 0]
            width = np.sqrt(variances[0])
            assert_allclose([one, other], [-width / 2, width / 2], rtol=0.05)

    @pytest.mark.parametrize(("covariance", "pair"), [(0.5, (0, 1)), (0.53, (0, 1)), (0.6, None)])
    def test_they_lean_the_same_way(self, covariance, pair):
        shapes = [[[4, 1], [1, 1]], [[4, 2 * covariance], [2 * covariance, 1]]]
        assert twins(self.mixture([[0, 0], [0, 0]], shapes)) == pair

    def test_near_in_one_column_is_not_near(self):
        assert twins(self.mixture([[0, 0], [0, 1]], np.ones((2, 2)))) is None


class TestNarrowest:
    @pytest.mark.parametrize("unit", [1, 1e-150, 1e150])
    @pytest.mark.parametrize("light", [0.2, 1e-25])
    def test_whatever_the_unit(self, unit, light):
        weights = np.array([1 - 2 * light, light, light])
        variances = np.array([[4e-4, 1], [1, 4], [1, 4]]) * unit * unit
        packed = MultivariateMixture(weights, np.zeros((3, 2)), variances)
        component, ratio = narrowest(packed)
        assert component == 0
        assert_allclose(ratio, 0.02)
        full = packed._replace(covariances=variances[:, :, None] * np.eye(2))
        assert_allclose(narrowest(full)[1], 0.02)

    def test_the_others_count_by_their_weights(self):
        mixture = MultivariateMixture(
            np.array([0.2, 0.6, 0.2]), np.zeros((3, 1)), np.array([[0.04], [1.0], [5.0]])
        )
        assert_allclose(narrowest(mixture), (0, np.sqrt(0.04 / 2)))

    def test_in_a_slanting_direction(self):
        needle = np.array([[1, 0.9999], [0.9999, 1]])
        mixture = MultivariateMixture(
            np.array([0.5, 0.5]), np.zeros((2, 2)), np.array([np.eye(2), needle])
        )
        assert_allclose(narrowest(mixture), (1, 0.01), rtol=1e-9)

    def test_rounding_leaves_a_width_of_nothing(self):
        flat = np.array([[1, 1 + 1e-15], [1 + 1e-15, 1]])
        shapes = np.array([flat, np.eye(2), np.eye(2)])
        mixture = MultivariateMixture(np.ones(3) / 3, np.zeros((3, 2)), shapes)
        assert narrowest(mixture) == (0, 0)


class TestSuspicion:
    pair = MultivariateMixture(np.array([0.2, 0.8]), np.array([[0.0], [5.0]]), np.ones((2, 1)))

    def test_one_component_twice(self):
        same = self.pair._replace(means=np.zeros((2, 1)))
        said = suspicion(same, None, 100, "full")
        assert said == "means[0] and means[1] are of one component twice"

    def test_the_gain_is_over_the_others_alone(self):
        """Whose weights sum to one, and of whose steps the last that does not collapse counts."""
        weights = []

        def step(mixture):
            weights.append(mixture.weights.tolist())
            if len(weights) == 4:
                raise np.linalg.LinAlgError
            return mixture, [-10.0, -30.0, -25.0][len(weights) - 1]

        assert gain_of(0, self.pair, step) == 15
        assert weights == [[0.2, 0.8], [1], [1], [1]]
