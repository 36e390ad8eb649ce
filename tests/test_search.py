"""Many short runs, the promising ones to the end: on hills that can be drawn, and on real data."""

import warnings
from itertools import chain, repeat

import numpy as np
import pytest
from numpy.testing import assert_allclose

import emtools
from emtools import (
    Mixture,
    MultivariateMixture,
    acceleration,
    data,
    em,
    fit,
    fitting,
    multivariate,
    search,
)
from emtools.collapse import Collapse
from emtools.search import Group, Model

WAITING = data.waiting()
GALAXIES = data.galaxies() / 1000
IRIS = data.iris()[0]


def hills(tops, heights):
    """A made-up EM on a line: each step goes half the way to the nearest top, 1 high or so."""

    def step(place):
        if place < -50:
            raise Collapse(0, "has collapsed", "Rest")
        nearest = int(np.argmin(np.abs(np.subtract(tops, place))))
        return (place + tops[nearest]) / 2, heights[nearest] - (place - tops[nearest]) ** 2

    return step


def model(step, **options):
    return Model(lambda: step, lambda place: place, prepared=float, **options)


class TestHills:
    step = staticmethod(hills([0.0, 10.0, 30.0], [1.0, 3.0, 2.0]))

    def found(self, starts, kept=5, followed=1, **options):
        return search.search(
            model(self.step, **options), [Group(starts, kept, followed)], 1e-9, 1000
        )

    def test_the_highest_wins_and_the_others_are_listed(self):
        found = self.found([-1.0, 1.0, 9.0, 12.0, 31.0, 29.0])
        assert_allclose(found.parameters, 10, atol=1e-4)
        assert_allclose(found.log_likelihood, 3, atol=1e-8)
        assert [round(end.log_likelihood, 4) for end in found.ends] == [3, 2, 1]
        assert [end.n_starts for end in found.ends] == [2, 2, 2]
        assert (found.n_starts, found.n_collapsed, found.converged) == (6, 0, True)
        assert found.history[-1] == found.log_likelihood
        assert len(found.history) == found.n_iter + 1

    @pytest.mark.parametrize(
        ("apart", "higher", "n_ends"), [(0.1, 0.01, 1), (0.1, 0.05, 2), (0.3, 0.01, 2), (1, 0, 2)]
    )
    def test_what_is_near_in_place_and_height_is_one_end(self, apart, higher, n_ends):
        step = hills([0.0, apart], [1.0, 1.0 + higher])
        found = search.search(model(step), [Group([0.0, apart], 2, 2)], 1e-9, 1000)
        assert [end.n_starts for end in found.ends] == [2 // n_ends] * n_ends
        assert_allclose(found.log_likelihood, 1 + higher, atol=1e-8)

    def test_what_is_suspicious_does_not_win(self):
        found = self.found(
            [1.0, 9.0, 31.0], suspicion=lambda place: "too good" if 5 < place < 20 else ""
        )
        assert_allclose(found.parameters, 30, atol=1e-4)
        assert [end.suspicious for end in found.ends] == ["too good", "", ""]
        assert found.suspicious == ""

    def test_if_all_are_suspicious_the_best_wins_and_says_so(self):
        found = self.found([1.0, 9.0], suspicion=lambda place: "a spike")
        assert_allclose(found.parameters, 10, atol=1e-4)
        assert found.suspicious == "a spike"

    def test_collapses_are_counted(self):
        found = self.found([-60.0, 9.0, -70.0])
        assert (found.n_starts, found.n_collapsed) == (3, 2)
        with pytest.raises(Collapse, match="all 2 starts collapsed; in the first, at iteration 0"):
            self.found([-60.0, -70.0])

    def test_only_so_many_are_kept(self):
        starts = [9.0, 31.0, 32.0, 1.0]
        assert len(self.found(starts, kept=1).ends) == 1
        assert len(self.found(starts, kept=4).ends) == 3

    def test_three_that_agree_are_enough(self):
        """Of one make the highest come first; what leads elsewhere is then not followed."""
        starts = [9.0, 9.1, 9.2, 31.0]
        assert len(self.found(starts).ends) == 1
        assert len(self.found(starts, followed=4).ends) == 2

    def test_ten_steps_for_each_start_and_twenty_for_those_that_are_kept(self):
        places = []

        def step(place):
            places.append(place)
            return self.step(place)

        found = search.search(model(step), [Group([9.0, 9.1, 9.2, 31.0, 1.0], 2, 1)], 1e-9, 1000)
        assert sum(place < 5 for place in places) == 10
        assert sum(place > 20 for place in places) == 20
        assert found.n_steps == len(places)

    def test_tol_0_follows_each_for_exactly_max_iter_steps(self):
        found = search.search(model(self.step), [Group([1.0, 9.0, 31.0], 1, 1)], 0, 7)
        assert (found.n_iter, found.n_steps, found.converged) == (7, 3 * 8, False)
        assert found.stopped == "max_iter"
        assert_allclose(found.parameters, 10 - 2.0**-7, rtol=1e-12)

    @pytest.mark.parametrize("max_iter", [0, 1, 5, 10, 15, 20, 21])
    def test_no_run_is_longer_than_max_iter(self, max_iter):
        found = search.search(model(self.step), [Group([1.0, 9.0], 2, 2)], 1e-300, max_iter)
        assert found.n_iter <= max_iter
        assert len(found.history) == found.n_iter + 1
        assert_allclose(found.log_likelihood, found.history[-1])

    @pytest.mark.parametrize(("height", "least", "most"), [(2.99, 0, 1e-11), (2.9, 1e-9, 1e-5)])
    def test_only_who_may_win_is_followed_to_the_very_end(self, height, least, most):
        def step(place):
            top, here = (10, 3.0) if place < 20 else (30, height)
            return place + 0.1 * (top - place), here - (place - top) ** 2

        found = search.search(model(step), [Group([9.0, 29.0], 2, 2)], 1e-12, 1000, False)
        best, other = found.ends
        assert 3 - best.log_likelihood < 1e-11
        assert least <= height - other.log_likelihood < most

    def test_no_end_is_lost_while_it_is_polished(self):
        """Others than the first are come near to only; the best of them collapses at its end."""

        def step(place):
            if 0 < abs(place - 10) < 1e-5:
                raise Collapse(0, "has collapsed", "Rest")
            top, height = (10, 3.0) if place < 20 else (30, 2.99)
            return place + 0.1 * (top - place), height - (place - top) ** 2

        groups = [Group([8.0, 30.0], 2, 2)]
        found = search.search(model(step), groups, 1e-12, 1000, accelerate=False)
        assert (found.parameters, found.log_likelihood) == (30, 2.99)
        assert (found.n_starts, found.n_collapsed, len(found.ends)) == (2, 1, 1)

    def test_if_all_that_were_kept_collapse_the_others_are_followed(self):
        def step(place):
            if place > 150:
                raise Collapse(0, "has collapsed", "Rest")
            return (place + 1, place) if place > 50 else (place / 2, -(place**2))

        groups = [Group([125.0, 125.0, 1.0, 2.0], 1, 1)]
        found = search.search(model(step), groups, 1e-9, 1000)
        assert_allclose(found.parameters, 0, atol=1e-4)
        assert (found.n_starts, found.n_collapsed) == (4, 2)
        with pytest.raises(Collapse, match="all 2 starts collapsed; in the first, at iteration 26"):
            search.search(model(step), [Group([125.0, 125.0], 1, 1)], 1e-9, 1000, False)

    @pytest.mark.parametrize(("aside", "end"), [(9.0, 3.0), (-1.0, 2.0)])
    def test_a_step_to_the_side_counts_if_it_leads_up(self, aside, end):
        """Here every place near 30 is a pass; one way leads up, the other down."""

        def apart(place):
            return aside if place > 20 else None

        found = self.found([31.0], apart=apart)
        assert_allclose(found.log_likelihood, end, atol=1e-8)
        assert found.history[-1] == found.log_likelihood == found.ends[0].log_likelihood
        assert np.diff(found.history).min() >= 0
        assert len(found.history) == found.n_iter + 1

    def test_a_step_to_the_side_into_a_collapse(self):
        """Of a start that was given the pass is shown; of several it counts as a collapse."""

        def apart(place):
            return -60.0 if place > 20 else None

        assert_allclose(self.found([31.0], apart=apart).log_likelihood, 2, atol=1e-8)
        found = self.found([31.0, 1.0], followed=2, apart=apart)
        assert_allclose(found.log_likelihood, 1, atol=1e-8)
        assert (found.n_collapsed, len(found.ends)) == (1, 1)

    def test_what_is_about_to_collapse_is_near_to_nothing(self):
        flat = MultivariateMixture(np.ones(1), np.zeros((1, 2)), np.array([[[1, 2], [2, 1.0]]]))
        seeking = search.Search(Model(None, lambda mixture: mixture), 1e-9, 10)
        spot = seeking.spot(flat, 0.0)
        assert not search.is_near(spot, spot)

    def test_groups_take_turns(self):
        tops = [0.0, 100, 200, 300, 400]
        step, followed = hills(tops, [9.0, 8, 7, 6, 5]), []

        class Recorded(search.Search):
            def follow(self, candidate):
                followed.append(candidate.parameters)
                super().follow(candidate)

        groups = [Group(tops[:3], 3, 1), Group(tops[3:], 2, 0)]
        Recorded(model(step), 1e-9, 1000).found(groups)
        assert followed == [0, 100, 300, 200, 400]

    def test_of_five_leaps_the_one_that_was_worth_most_says_what_is_left(self):
        run = acceleration.Run(None, 1.0, acceleration.quasi_newton, 1e-9)
        run.history, run.leap = [0.0, 1.0], acceleration.Leap(np.zeros(1), 1e-10)
        run.worths.extend([100, 1, 1, 1, 1])
        run.why_stop(True)
        assert run.n_below == 0
        run.worths.append(1)
        run.why_stop(True)
        assert run.n_below == 1

    def test_hopes_of_next_to_nothing(self):
        hopes = chain([np.float64(1e-320)], repeat(np.float64(0)))
        run = acceleration.Run(
            lambda place: (0.9 * place, -(place**2)),
            1.0,
            lambda best, memory: acceleration.Leap(-best.numbers / 2, next(hopes)),
            1e-9,
        ).go_on(20)
        assert run.stopped == "tol"
        assert len(run.history) == 5


class TestWhatFitSays:
    def test_in_a_few_lines(self):
        lines = repr(fit(GALAXIES, 4, rng=0)).splitlines()
        assert lines[0].startswith("log-likelihood -197.4537638 after ")
        assert lines[1].startswith("20 starts, ")
        assert lines[1].endswith(" steps in all; ends found:")
        assert lines[2].startswith("  -197.45376")
        assert " starts" in lines[2]
        assert len(lines) < 13

    def test_of_many_ends_the_first_five(self):
        ends = tuple(em.End(-float(i), i, 1, "a spike" * (i == 1)) for i in range(7))
        lines = repr(em.Fit(0, 0.0, np.zeros(1), 0, True, n_starts=7, ends=ends)).splitlines()
        assert lines[2:-1] == [
            "  -0 from 1 start",
            "  -1 from 1 start, suspicious",
            *[f"  -{i} from 1 start" for i in (2, 3, 4)],
            "  and 2 lower ones",
        ]

    def test_ends_are_ends(self):
        """EM, run on from each, gains next to nothing; all are of the kind that was asked for."""
        found = fit(GALAXIES, 4, rng=0)
        assert len(found.ends) > 1
        assert found.ends[0].parameters is found.parameters
        for end in found.ends:
            assert isinstance(end.parameters, Mixture)
            on = fit(GALAXIES, end.parameters, tol=1e-13)
            assert abs(on.log_likelihood - end.log_likelihood) < 1e-4
        assert sum(end.n_starts for end in found.ends) <= found.n_starts

    @pytest.mark.parametrize(
        ("n_collapsed", "suspicious", "said"),
        [
            (10, "", []),
            (11, "", ["11 of 20 starts collapsed"]),
            (0, "a spike", ["no end was found that is not suspicious: a spike"]),
            (11, "a spike", ["11 of 20", "not suspicious: a spike"]),
        ],
    )
    def test_what_is_doubtful_is_told(self, n_collapsed, suspicious, said):
        found = em.Fit(0, 0.0, np.zeros(1), 0, True, "tol", 1, 20, n_collapsed, (), suspicious)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            em.warn_if_doubtful(found, 2)
        assert len(warned) == len(said)
        for warning, text in zip(warned, said, strict=True):
            assert text in str(warning.message)
            assert warning.category is em.Doubtful
            assert warning.filename == __file__

    def test_a_given_start_has_one_end(self):
        found = fit(WAITING, Mixture([0.5, 0.5], [50, 80], [5, 5]))
        assert (found.n_starts, found.n_collapsed, len(found.ends)) == (1, 0, 1)
        assert found.n_steps == found.n_iter + 1
        assert "starts" not in repr(found)


class TestSuspicious:
    def test_the_irises_are_the_species(self):
        for seed in range(5):
            assert_allclose(fit(IRIS, 3, rng=seed).log_likelihood, -180.185477131, rtol=1e-9)

    def test_five_birds(self):
        """Penguins: five birds of three species in a bell of their own, ten nats above the sane."""
        table, _ = data.penguins()
        X = table[np.isfinite(table).all(axis=1)]
        labels = emtools.predict(X, fit(X, 3, rng=1))
        labels[[90, 184, 188, 280, 291]] = 3
        found = fit(X, multivariate.m_step(X, np.eye(4)[labels]))
        assert found.log_likelihood > -5130.377539 + 5
        assert "times as wide as the others" in found.suspicious

    @pytest.mark.parametrize("accelerate", [True, False])
    def test_six_flowers(self, accelerate):
        """Irises: half a nat above the species, a bell on six of all three, .0004 cm wide."""
        start = multivariate.mixture_at(IRIS, IRIS[[24, 102, 1]])
        found = fit(IRIS, start, accelerate=accelerate)
        assert_allclose(found.log_likelihood, -179.70770848, rtol=1e-10)
        least = np.linalg.eigvalsh(found.parameters.covariances)[0, 0]
        assert_allclose(np.sqrt(least), 0.00043, rtol=0.01)
        assert "5.97 observations" in found.suspicious

    def test_two_galaxies(self):
        """K = 5, -190.071: a bell .043 wide, from a start of its own."""
        narrow = Mixture(np.full(5, 0.2), [9.7, 16.1, 19.9, 22.9, 33], [0.4, 0.05, 0.6, 1, 1])
        found = fit(GALAXIES, narrow)
        assert_allclose(found.log_likelihood, -190.071, atol=1e-3)
        assert "2 observations" in found.suspicious
        assert fit(GALAXIES, 5, rng=3).suspicious == ""

    @pytest.mark.parametrize(
        ("x", "n_components"),
        [
            *[(WAITING, k) for k in (2, 3)],
            *[(GALAXIES, k) for k in (2, 3, 4)],
            *[(data.acidity(), k) for k in (2, 3)],
            *[(data.enzyme(), k) for k in (2, 3)],
            *[(data.old_faithful(), k) for k in (2, 3)],
            *[(IRIS, k) for k in (2, 3)],
        ],
    )
    def test_published_optima_are_sane(self, x, n_components):
        assert fit(x, n_components, rng=0).suspicious == ""

    @pytest.mark.parametrize("n_samples", [400, 1000, 5000])
    def test_a_narrow_group_that_is_there_is_believed(self, n_samples):
        """One in twenty observations is of a line a hundredth as wide as the rest."""
        rng = np.random.default_rng(0)
        line = rng.normal(0.5, 0.01, n_samples // 20)
        x = np.append(rng.normal(size=n_samples - len(line)), line)
        found = fit(x, Mixture([0.95, 0.05], [0, 0.5], [1, 0.02]))
        assert found.parameters.stds[1] < 0.02
        assert found.suspicious == ""

    @pytest.mark.parametrize("seed", range(5))
    def test_a_narrow_group_of_chance_is_not(self, seed):
        x = np.random.default_rng(seed).normal(size=300)
        found = fit(x, 2, rng=0)
        for end in found.ends:
            stds = end.parameters.stds
            if stds.min() < 0.02 * stds.max():
                assert end.suspicious
        assert found.suspicious == ""


class TestWrongWithoutAWord:
    """What `fit` once got wrong in silence, each with two more inputs of its kind."""

    @pytest.mark.parametrize(
        ("x", "n_components"),
        [
            ([2.0] * 10 + [5.0, 7.0, 8.0], 2),
            ([0.0] * 30 + [1.0] * 5 + [2.0] * 3 + [5.0], 2),  # counts, three quarters zeros
            ([10.0] * 20 + [3.0, 4.0, 4.5], 2),  # a sensor at its limit
        ],
    )
    def test_a_repeated_value_makes_no_identical_bells(self, x, n_components):
        for seed in range(3):
            with pytest.raises(Collapse, match="all of this value"):
                fit(x, n_components, rng=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", em.Doubtful)
            floored = fit(x, n_components, rng=0, min_std=0.1)
        assert floored.parameters.stds.min() == 0.1
        assert "twice" not in floored.suspicious

    def test_starts_know_the_weights(self):
        x = [-2, -1, -0.5, 0.5, 1, 2, 18, 19, 19.5, 20.5, 21, 22, 2e4, -2e4, 2.2e4, -2.4e4]
        weights = np.append(np.ones(12), np.full(4, 1e-25))
        said = fit(x[:12], 2, rng=0)
        assert_allclose(said.log_likelihood, -28.702723, rtol=1e-7)
        for far in (weights, np.append(np.ones(12), np.zeros(4))):
            found = fit(x, 2, sample_weight=far, rng=0)
            assert_allclose(found.log_likelihood, -28.702723, rtol=1e-7)

    @pytest.mark.parametrize("x", [[2.0] * 10 + [5, 7, 8], [0.0] * 30 + [1, 2]])
    def test_no_start_has_a_mean_twice(self, x):
        groups = fitting.Table(x, None).starts(2, "full", 20, 0, np.random.default_rng(0))
        for start in [*groups[0].starts, *groups[1].starts]:
            assert len(np.unique(start.means)) == 2

    def test_the_first_start_is_at_weighted_quantiles(self):
        x, weights = np.arange(40.0), np.repeat([1, 9], 20)
        tables = fitting.Table(x, weights), fitting.Table(x.repeat(weights), np.ones(200))
        means = []
        for table in tables:
            first = table.starts(3, "full", 20, 0, np.random.default_rng(0))[0].starts[0]
            means.append(first.means + table.centre)
        assert_allclose(*means, atol=0.5)

    def test_nor_do_hundreds_of_light_ones_decide(self):
        rng = np.random.default_rng(3)
        heavy, light = (
            np.append(rng.normal(0, 1, 60), rng.normal(9, 1, 60)),
            rng.uniform(-99, 99, 500),
        )
        found = fit(
            np.append(heavy, light),
            2,
            sample_weight=np.append(np.ones(120), np.full(500, 1e-12)),
            rng=0,
        )
        assert_allclose(found.parameters.means, fit(heavy, 2, rng=0).parameters.means, rtol=1e-5)

    @pytest.mark.parametrize("apart", [0.01, 0.05, 1e-6])
    def test_nearly_equal_means_do_not_stop_at_the_saddle(self, apart):
        rng = np.random.default_rng(8)
        x = np.append(rng.normal(0, 1, 1000), rng.normal(8, 1, 1000))
        start = Mixture([0.5, 0.5], x.mean() + np.array([-apart, apart]), [4, 4])
        said = fit(x, Mixture([0.5, 0.5], [0, 8], [1, 1])).log_likelihood
        assert_allclose(fit(x, start).log_likelihood, said, rtol=1e-9)

    def test_in_two_dimensions_neither(self):
        X = data.old_faithful()
        means = X.mean(axis=0) + np.array([[1e-4, 0], [-1e-4, 0]])
        start = MultivariateMixture([0.5, 0.5], means, [np.cov(X.T)] * 2)
        assert_allclose(fit(X, start).log_likelihood, -1130.26396018, rtol=1e-9)

    @pytest.mark.parametrize("max_iter", [0, 1, 5, 19, 20, 21])
    def test_a_run_may_be_over_at_the_saddle(self, max_iter):
        start = Mixture([0.5, 0.5], [70, 70], [9, 9])
        with pytest.warns(em.NotConverged):
            found = fit(WAITING, start, max_iter=max_iter)
        assert found.n_iter <= max_iter

    @pytest.mark.parametrize("chance", [0.5, 0.8, 0.95])
    def test_two_bells_that_cross_are_no_twins(self, chance):
        """The same mean and the same widths, but not the same correlation."""
        rng = np.random.default_rng(0)
        slanted = np.array([[[1, sign * chance], [sign * chance, 1]] for sign in (1, -1)])
        X = np.concatenate([rng.multivariate_normal([0, 0], shape, 5000) for shape in slanted])
        found = fit(X, MultivariateMixture([0.5, 0.5], np.zeros((2, 2)), slanted))
        assert found.suspicious == ""
        assert_allclose(found.parameters.covariances, slanted, atol=0.1)
        assert fit(X, 2, rng=0).suspicious == ""

    @pytest.mark.parametrize("n_tied", [4, 5])
    def test_most_starts_collapsing_is_told(self, n_tied):
        """Some end on a lump of equal values, and would win."""
        x = np.append(np.random.default_rng(1).normal(size=60), np.full(n_tied, 6.0))
        with pytest.warns(em.Doubtful, match=r"\d+ of 20 starts collapsed") as warned:
            found = fit(x, 2, rng=0)
        assert found.n_collapsed > 10
        assert f"{found.n_collapsed} collapsed" in repr(found)
        assert warned[0].filename == __file__


class TestPlainOrInLeaps:
    @pytest.mark.parametrize("x", [WAITING, GALAXIES, data.old_faithful()])
    def test_the_same_end(self, x):
        plain = fit(x, 2, rng=0, accelerate=False)
        leaps = fit(x, 2, rng=0)
        assert_allclose(plain.log_likelihood, leaps.log_likelihood, rtol=1e-10)
        assert leaps.n_steps < 1.1 * plain.n_steps

    def test_plain_is_em_to_the_last_digit(self):
        start = Mixture([0.3, 0.3, 0.4], [50, 65, 80], [5, 5, 5])
        plain = fit(WAITING, start, accelerate=False, tol=1e-6)
        counted = fit(WAITING, start, tol=0, max_iter=plain.n_iter)
        assert_allclose(plain.history, counted.history, rtol=0)

    def test_the_first_twenty_steps_from_a_given_start_are_plain(self):
        """They stay on the hill of that start; a leap from far away need not."""
        start = Mixture([0.3, 0.3, 0.4], [50, 65, 80], [5, 5, 5])
        plain = fit(WAITING, start, tol=0, max_iter=20)
        leaps = fit(WAITING, start)
        assert_allclose(leaps.history[:21], plain.history, rtol=0)
        assert leaps.n_iter < 200

    @pytest.mark.parametrize("structure", ["full", "tied", "diag", "spherical"])
    @pytest.mark.parametrize("min_std", [0, 0.3, 8])
    def test_leaps_keep_the_structure_and_the_floor(self, structure, min_std):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", em.Doubtful)  # 8 minutes make two of three the same
            found = fit(data.old_faithful(), 3, covariance=structure, min_std=min_std, rng=0)
        covariances = found.parameters.covariances
        widths = np.sqrt(np.linalg.eigvalsh(covariances))
        assert widths.min() >= min_std * (1 - 1e-12)
        if structure == "tied":
            assert_allclose(covariances, covariances[[0, 0, 0]], rtol=0)
        if structure in ("diag", "spherical"):
            assert_allclose(covariances[:, 0, 1], 0, rtol=0)
        if structure == "spherical":
            assert_allclose(covariances[:, 0, 0], covariances[:, 1, 1], rtol=0)
        start = emtools.sorted_by_mean(found)
        one = fit(
            data.old_faithful(), start, covariance=structure, min_std=min_std, tol=0, max_iter=1
        )
        assert abs(one.log_likelihood - found.log_likelihood) < 1e-7

    def test_the_log_likelihood_never_falls(self):
        for seed in range(5):
            history = fit(GALAXIES, 3, rng=seed).history
            assert np.diff(history).min() >= -1e-9 * abs(history[-1])

    def test_short_runs_at_once_are_those_one_by_one(self, monkeypatch):
        weights = np.random.default_rng(0).uniform(0.5, 2, 272)
        for structure in ("full", "tied", "diag", "spherical"):
            options = {"covariance": structure, "rng": 0, "sample_weight": weights}
            said = fit(data.old_faithful(), 3, **options)
            with monkeypatch.context() as patch:
                patch.setattr(fitting, "FEW", 0)
                seen = fit(data.old_faithful(), 3, **options)
            assert_allclose(seen.log_likelihood, said.log_likelihood, rtol=1e-9)
            assert_allclose(seen.history[:10], said.history[:10], rtol=1e-9)


class TestConsistent:
    """Whatever is asked of whatever data, what a fit says of itself agrees."""

    @staticmethod
    def problem(rng):
        """Data of some kind, a number of components, and options."""
        n_samples = int(rng.choice([2, 5, 20, 60, 200]))
        shape = [(n_samples,), (n_samples, 1), (n_samples, 3)][rng.integers(3)]
        x = rng.normal(size=shape)
        kind = rng.choice(["normal", "groups", "counts", "tied", "heavy"])
        if kind == "groups":
            x += 10 * rng.integers(0, 4, size=(n_samples,) + (1,) * (x.ndim - 1))
        elif kind == "counts":
            x = rng.integers(0, 6, size=shape).astype(float)
        elif kind == "tied":
            x[: n_samples // 3] = x[0]
        elif kind == "heavy":
            x = rng.standard_cauchy(size=shape)
        unit = rng.choice([1, 1e-100, 1e100])
        varied = np.exp(3 * rng.normal(size=n_samples)), rng.choice([0, 1e-25, 1e25, 1], n_samples)
        weights = [None, None, *varied]
        options = {
            "covariance": str(rng.choice(["full", "tied", "diag", "spherical"])),
            "sample_weight": weights[rng.integers(4)],
            "tol": float(rng.choice([1e-10, 1e-3, 1e-300, 1e10, 0])),
            "max_iter": int(rng.choice([0, 1, 9, 10, 11, 20, 21, 30])),
            "n_starts": int(rng.choice([1, 2, 20])),
            "min_std": rng.choice([0, 0, 1e-3, 0.5, 5]) * unit,
            "accelerate": bool(rng.random() < 0.8),
        }
        return x * unit, int(rng.choice([1, 2, 3, 6])), options

    @pytest.mark.parametrize("seed", range(80))
    def test_a_fit_agrees_with_itself(self, seed):
        rng = np.random.default_rng(seed)
        x, n_components, options = self.problem(rng)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", em.Doubtful)
            warnings.simplefilter("ignore", em.NotConverged)
            try:
                found = fit(x, n_components, rng=seed, **options)
            except ValueError:  # a collapse, or nothing that can be fitted
                return
        history, ends = found.history, found.ends
        assert np.isfinite(history).all()
        assert history[-1] == found.log_likelihood
        assert len(history) == found.n_iter + 1 <= options["max_iter"] + 1
        assert (np.diff(history) >= -1e-9 * np.abs(history[1:])).all()
        assert found.converged == (found.stopped in ("tol", "noise"))
        heights = [end.log_likelihood for end in ends]
        assert heights == sorted(heights, reverse=True)
        (winner,) = (end for end in ends if end.parameters is found.parameters)
        assert (winner.log_likelihood, winner.suspicious) == (history[-1], found.suspicious)
        sane = [end.log_likelihood for end in ends if not end.suspicious]
        assert winner.log_likelihood == max(sane or heights)
        assert sum(end.n_starts for end in ends) + found.n_collapsed <= found.n_starts
        assert found.n_starts <= options["n_starts"]
        for end in ends:
            assert all(np.isfinite(part).all() for part in end.parameters)
        if options["tol"] == 0:
            assert found.n_iter == options["max_iter"]


def test_a_bar_says_how_the_search_stands():
    class Bar:
        said = ()

        def set_postfix_str(self, text, refresh=True):
            self.said += (text,)

        def update(self, n_steps):
            assert n_steps > 0

    bar = Bar()
    step = hills([0.0, 10.0], [1.0, 3.0])
    search.search(model(step), [Group([-60.0, 1.0, 9.0], 3, 3)], 1e-9, 100, bar=bar)
    assert bar.said[0].startswith("3 starts")
    assert any("1 collapsed" in text for text in bar.said)
    assert any(" left" in text for text in bar.said)
    assert "best 3.000000 from 1" in bar.said[-1]
