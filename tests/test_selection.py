"""How many components: criteria, comparisons, held-out density and the bootstrap of the ratio."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from cases import CONVERGED
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import PredefinedSplit, cross_val_score

from emtools import Collapse, Mixture, MultivariateMixture, bound, data, fit, sample, selection
from emtools.multivariate import STRUCTURES, n_parameters
from emtools.selection import (
    aic,
    bic,
    bootstrap_ratios,
    compare,
    count_parameters,
    criteria,
    cross_validate,
    entropies,
    folds,
    held_out,
    icl,
    label_costs,
    likelihood_ratio_test,
    p_value,
)

FAITHFUL = data.old_faithful()
WAITING = FAITHFUL[:, 1]
TWO = Mixture(np.array([0.5, 0.5]), np.array([50.0, 80.0]), np.array([5.0, 5.0]))
LOOSE = {"n_starts": 3, "tol": 1e-2}  # enough where two decimals are looked at
seeds = st.integers(0, 100_000)


def random_resp(seed):
    rng = np.random.default_rng(seed)
    resp = rng.dirichlet(np.full(rng.integers(1, 6), 0.3), size=20)
    resp[0] = np.eye(resp.shape[1])[0]  # exact zeros
    return resp


class TestFormulas:
    def test_each_parameter_costs_2_or_log_n(self):
        assert_allclose(aic(-10.0, 3), 26, rtol=1e-15)
        assert_allclose(bic(-10.0, 3, np.e**2), 26, rtol=1e-15)
        assert_allclose(bic(-10.0, 3, np.e**3), 29, rtol=1e-15)
        assert_allclose(icl(-10.0, 3, np.e**2, 4.0), 34, rtol=1e-15)

    @given(seeds)
    def test_entropies_are_those_of_scipy_and_sum_to_chapter_04s(self, seed):
        resp = random_resp(seed)
        assert_allclose(entropies(resp), stats.entropy(resp, axis=1), rtol=1e-12, atol=1e-15)
        assert_allclose(entropies(resp).sum(), bound.entropy(resp), rtol=1e-12, atol=1e-13)

    @given(seeds)
    def test_a_label_costs_no_more_than_the_entropy_and_nothing_where_it_is_certain(self, seed):
        resp = random_resp(seed)
        assert (label_costs(resp) <= entropies(resp) + 1e-12).all()
        assert_allclose(label_costs(resp), -np.log(np.sort(resp)[:, -1]), rtol=1e-15)
        assert_allclose([label_costs(resp)[0], entropies(resp)[0]], 0, atol=1e-15)

    @given(seeds, st.integers(2, 30), st.integers(2, 12))
    def test_folds_are_as_even_as_can_be(self, seed, n_samples, n_folds):
        n_folds = min(n_folds, n_samples)
        sizes = np.bincount(folds(n_samples, n_folds, np.random.default_rng(seed)))
        assert len(sizes) == n_folds
        assert np.ptp(sizes) <= 1
        assert sizes.sum() == n_samples

    def test_folds_are_drawn(self):
        first, second = (folds(50, 5, np.random.default_rng(seed)) for seed in (0, 1))
        assert (first != second).any()

    def test_held_out_never_shows_a_fold_to_its_own_fit(self):
        fold = np.array([0, 1, 2, 0, 1, 2, 2])
        seen = []

        def score(rows, fitted_to):
            assert not (rows & fitted_to).any()
            assert (rows | fitted_to).all()
            seen.append(rows)
            return rows.sum()

        assert_allclose(held_out(fold, lambda rows: rows, score), [2, 2, 3])
        assert_allclose(sum(seen), 1)

    def test_collapsed_draws_are_counted_and_left_out(self):
        def ratio_of(x):
            if x % 3 == 0:
                raise Collapse(0, "has collapsed", "Start elsewhere")
            return 10.0 * x

        ratios, n_collapsed = bootstrap_ratios(range(1, 8), ratio_of)
        assert_allclose(ratios, [10, 20, 40, 50, 70])
        assert n_collapsed == 2

    def test_another_error_is_not_taken_for_a_collapse(self):
        with pytest.raises(ZeroDivisionError):
            bootstrap_ratios([0], lambda x: 1 / x)

    @pytest.mark.parametrize(
        ("observed", "expected"), [(100, 1 / 5), (4, 2 / 5), (3.5, 2 / 5), (0, 1)]
    )
    def test_no_p_is_less_than_one_in_b_plus_1(self, observed, expected):
        assert_allclose(p_value(observed, np.array([1.0, 2.0, 3.0, 4.0])), expected, rtol=1e-15)


def peer_of(mixture, covariance):
    """The same mixture as scikit-learn holds it."""
    shapes = mixture.covariances
    held = {
        "full": shapes,
        "tied": shapes[0],
        "diag": np.diagonal(shapes, axis1=1, axis2=2),
        "spherical": shapes[:, 0, 0],
    }[covariance]
    peer = GaussianMixture(len(mixture.weights), covariance_type=covariance)
    peer.weights_, peer.means_, peer.covariances_ = mixture.weights, mixture.means, held
    roots = np.linalg.cholesky(np.linalg.inv(shapes))
    peer.precisions_cholesky_ = {
        "full": roots,
        "tied": roots[0],
        "diag": np.abs(held) ** -0.5,
        "spherical": np.abs(held) ** -0.5,
    }[covariance]
    return peer


def ellipses(n_components, covariance, seed=0):
    rng = np.random.default_rng(seed)
    roots = rng.normal(size=(n_components, 2, 4)) * [[1], [10]]
    mixture = MultivariateMixture(
        rng.dirichlet(np.full(n_components, 5.0)),
        rng.normal([3, 70], [1, 10], size=(n_components, 2)),
        roots @ roots.transpose(0, 2, 1),
    )
    return STRUCTURES[covariance](mixture)


class TestCriteria:
    @pytest.mark.parametrize("covariance", STRUCTURES)
    @pytest.mark.parametrize("n_components", [2, 3])
    def test_scikit_learn_has_the_same(self, covariance, n_components):
        mixture = ellipses(n_components, covariance)
        peer, ours = peer_of(mixture, covariance), criteria(FAITHFUL, mixture)
        assert_allclose(ours.aic, peer.aic(FAITHFUL), rtol=1e-10)
        assert_allclose(ours.bic, peer.bic(FAITHFUL), rtol=1e-10)
        resp = peer.predict_proba(FAITHFUL)
        soft, hard = stats.entropy(resp, axis=1).sum(), -np.log(resp.max(axis=1)).sum()
        assert_allclose(ours.icl, peer.bic(FAITHFUL) + 2 * soft, rtol=1e-10)
        assert_allclose(ours.icl_hard, peer.bic(FAITHFUL) + 2 * hard, rtol=1e-10)

    def test_one_component_has_no_labels_in_doubt(self):
        found = criteria(WAITING, fit(WAITING, 1))
        assert_allclose([found.icl, found.icl_hard], found.bic, rtol=1e-14)

    @pytest.mark.parametrize(
        ("covariance", "published"), [("full", 2096.03250999), ("tied", 2090.42672898)]
    )
    def test_old_faithful_as_mclust_has_it(self, covariance, published):
        found = fit(WAITING, TWO, covariance=covariance)
        assert_allclose(criteria(WAITING, found).bic, published, rtol=1e-10)

    def test_galaxies_as_mclust_has_them(self):
        start = Mixture([0.04, 0.09, 0.87], [33.0, 9.7, 21.4], [0.9, 0.4, 2.2])
        galaxies = data.galaxies() / 1000
        assert_allclose(criteria(galaxies, fit(galaxies, start)).bic, 441.612209908366, rtol=1e-11)

    def test_weights_count_as_numbers_of_observations(self):
        values, times = np.unique(WAITING, return_counts=True)
        found = fit(values, TWO, sample_weight=times)
        counted = criteria(values, found, sample_weight=times)
        each = criteria(WAITING, found.parameters)
        assert counted.n_samples == 272
        assert_allclose(counted, each, rtol=1e-11)

    def test_a_weight_of_zero_is_no_observation(self):
        x = np.append(WAITING, 1e200)  # whose log density is -inf
        weight = np.append(np.ones(272), 0)
        assert_allclose(
            criteria(x, CONVERGED, sample_weight=weight), criteria(WAITING, CONVERGED), rtol=1e-13
        )

    @given(seeds)
    def test_the_order_of_components_does_not_count(self, seed):
        mixture = ellipses(3, "full", seed)
        turned = MultivariateMixture(*(part[[2, 0, 1]] for part in mixture))
        assert_allclose(criteria(FAITHFUL, turned), criteria(FAITHFUL, mixture), rtol=1e-9)

    @pytest.mark.parametrize("factor", [0.001, 60.0])
    def test_another_unit_moves_all_by_the_same(self, factor):
        moved = CONVERGED._replace(means=CONVERGED.means * factor, stds=CONVERGED.stds * factor)
        here, there = criteria(WAITING, CONVERGED), criteria(WAITING * factor, moved)
        shift = 2 * 272 * np.log(factor)
        assert_allclose(np.array(there[4:]) - np.array(here[4:]), shift, rtol=1e-9)

    def test_a_number_of_parameters_of_ones_own(self):
        found = criteria(WAITING, CONVERGED, n_free=2)
        assert_allclose(found.bic - criteria(WAITING, CONVERGED).bic, -3 * np.log(272), rtol=1e-9)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"found": 3}, "mixture must be a Mixture"),
            ({"x": CONVERGED}, "Observations come first"),
            ({"x": FAITHFUL}, "give one column"),
            ({"x": WAITING[:-1]}, "fitted to other observations or with other sample weights"),
            ({"sample_weight": np.full(272, 2.0)}, "other sample weights"),
            ({"sample_weight": [1.0]}, "one entry for each observation"),
            ({"covariance": "round"}, "must be one of full, tied, diag, spherical"),
            ({"covariance": "tied"}, 'no covariances that are "tied"; they are "spherical"'),
            ({"n_free": 2.5}, "whole number >= 0; it is 2.5"),
            ({"n_free": -1}, "whole number >= 0; it is -1"),
        ],
    )
    def test_bad_input_is_named(self, change, message):
        given = {"x": WAITING, "found": fit(WAITING, TWO)} | change
        with pytest.raises(ValueError, match=message):
            criteria(given.pop("x"), given.pop("found"), **given)


class TestCounting:
    @pytest.mark.parametrize("covariance", STRUCTURES)
    @pytest.mark.parametrize("n_components", [1, 2, 4])
    def test_the_structure_is_read_off_what_fit_returns(self, covariance, n_components):
        found = fit(FAITHFUL, n_components, covariance=covariance, rng=0, **LOOSE)
        expected = n_parameters(n_components, 2, covariance)
        assert count_parameters(found) == expected
        assert count_parameters(found, covariance) == expected

    @pytest.mark.parametrize(("covariance", "expected"), [("full", 5), ("tied", 4), ("diag", 5)])
    def test_in_one_dimension(self, covariance, expected):
        assert count_parameters(fit(WAITING, TWO, covariance=covariance)) == expected
        assert count_parameters(fit(WAITING[:, None], 2, covariance=covariance, rng=0)) == expected

    def test_what_is_said_comes_before_what_is_read(self):
        even = CONVERGED._replace(stds=np.array([5.0, 5.0]))
        assert count_parameters(even) == 4
        assert count_parameters(even, "full") == 5

    def test_widths_that_differ_by_little_are_not_tied(self):
        assert count_parameters(CONVERGED._replace(stds=np.array([5.0, 5.0 + 1e-6]))) == 5

    @pytest.mark.parametrize("unit", [[1e-6, 1e6], [1e-6, 1e-6], [1e6, 1e6]])
    def test_the_units_of_the_columns_do_not_count(self, unit):
        mixture, unit = ellipses(2, "full"), np.array(unit)
        moved = mixture._replace(
            means=mixture.means * unit, covariances=mixture.covariances * np.outer(unit, unit)
        )
        assert count_parameters(moved) == n_parameters(2, 2)


class TestHeldOut:
    FOLD = np.arange(272) % 5

    def test_scikit_learn_has_the_same(self):
        peer = GaussianMixture(
            2,
            tol=0,
            reg_covar=0,
            max_iter=200,
            weights_init=TWO.weights,
            means_init=TWO.means[:, None],
            precisions_init=1 / TWO.stds[:, None, None] ** 2,
        )
        with pytest.warns(UserWarning, match="not converge"):
            theirs = cross_val_score(peer, WAITING[:, None], cv=PredefinedSplit(self.FOLD))
        ours = cross_validate(WAITING, 2, n_folds=self.FOLD, rng=0)
        assert_allclose(ours, theirs, rtol=1e-6)  # of first order in what is left to gain

    def test_weights_count_as_copies(self):
        times = 1 + self.FOLD % 3
        fold = np.arange(272) % 4
        few = cross_validate(WAITING, 1, n_folds=fold, sample_weight=times)
        many = cross_validate(np.repeat(WAITING, times), 1, n_folds=np.repeat(fold, times))
        assert_allclose(few, many, rtol=1e-12)

    def test_a_weight_of_zero_is_no_observation(self):
        x, weight = np.append(WAITING, 1e200), np.append(np.ones(272), 0)
        fold = np.append(self.FOLD, 0)
        with_it = cross_validate(x, 1, n_folds=fold, sample_weight=weight)
        assert_allclose(with_it, cross_validate(WAITING, 1, n_folds=self.FOLD), rtol=1e-12)

    def test_one_observation_a_fold(self):
        x = WAITING[:12]
        scores = cross_validate(x, 1, n_folds=12, rng=0)
        each = [
            stats.norm.logpdf(x[n], np.delete(x, n).mean(), np.delete(x, n).std())
            for n in range(12)
        ]
        assert_allclose(np.sort(scores), np.sort(each), rtol=1e-10)

    def test_a_fold_whose_fit_collapses_is_nan(self):
        x = np.append(np.repeat([0.0, 1.0], 5), WAITING)
        fold = np.arange(len(x)) >= 10  # without the waits, two values are left for two bells
        scores = cross_validate(x, 2, n_folds=fold.astype(int), rng=0, **LOOSE)
        assert np.isnan(scores).tolist() == [False, True]

    def test_a_fold_without_which_nothing_can_be_fitted_is_named(self):
        x, fold = np.array([1.0, 1.0, 2.0, 3.0]), np.array([7, 7, 8, 8])
        with pytest.raises(ValueError, match="without fold 8: x is constant"):
            cross_validate(x, 1, n_folds=fold)

    def test_the_same_seed_gives_the_same(self):
        first, second = (cross_validate(WAITING, 2, rng=4, **LOOSE) for _ in range(2))
        assert_allclose(first, second, rtol=1e-15)

    @pytest.mark.parametrize(
        ("n_folds", "message"),
        [
            (1, "between 2 and the number of observations, 272; it is 1"),
            (273, "it is 273"),
            (2.0, "it is 2.0"),
            ("ten", "it is 'ten'"),
            (np.zeros(272, int), "all observations into one fold"),
            (np.arange(271), r"shape \(272,\).*array of shape \(271,\)"),
            (np.linspace(0, 1, 272), "whole numbers or text"),
        ],
    )
    def test_bad_folds_are_named(self, n_folds, message):
        with pytest.raises(ValueError, match=message):
            cross_validate(WAITING, 1, n_folds=n_folds)

    def test_labels_may_be_text(self):
        label = np.where(self.FOLD == 0, "first", "other")
        assert cross_validate(WAITING, 1, n_folds=label).shape == (2,)


class TestCompare:
    def test_each_row_is_the_fit_of_its_own_call(self):
        found = compare(WAITING, 3, covariance="tied", rng=0, **LOOSE)
        assert [row.n_components for row in found.rows] == [1, 2, 3]
        for row, one in zip(found.rows, found.fits, strict=True):
            assert_allclose(row, criteria(WAITING, one, covariance="tied"), rtol=1e-15)
            assert row.n_free == 2 * row.n_components

    def test_some_numbers_only_in_any_order(self):
        found = compare(WAITING, [3, 1], rng=0, **LOOSE)
        assert [len(one.parameters.weights) for one in found.fits] == [3, 1]
        assert found.held_out is None

    def test_folds_are_the_same_for_all(self):
        found = compare(WAITING, [1, 1], n_folds=5, rng=0)
        assert_allclose(found.held_out[0], found.held_out[1], rtol=1e-12)
        fold = np.arange(272) % 5
        found = compare(WAITING, [1, 2], n_folds=fold, rng=0)
        assert_allclose(found.held_out[1], cross_validate(WAITING, 2, n_folds=fold, rng=1))

    def test_the_table_stars_the_best_of_each_column(self):
        found = compare(WAITING, 2, n_folds=2, rng=0)
        head, first, second = str(found).splitlines()
        assert head.split() == [
            *("components", "parameters", "log-lik.", "AIC", "BIC"),
            *("ICL", "ICL,", "hard", "held", "out", "error"),
        ]
        assert f"{stats.sem(found.held_out[1]):.2g}" in second
        assert "*" not in first
        assert second.split()[:5] == ["2", "5", "-1034.002", "2078.003*", "2096.033*"]
        assert second.count("*") == 5

    def test_a_collapse_is_a_row_of_nan_and_no_end(self):
        x = np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0])
        found = compare(x, 2, rng=0)
        assert isinstance(found.fits[1], Collapse)
        assert np.isnan(found.rows[1].bic)
        assert found.rows[1].n_free == 5
        assert "All starts collapsed with 2 components." in str(found)
        assert [line.count("*") for line in str(found).splitlines()[1:3]] == [4, 0]
        assert "*" not in str(compare(x, [2], rng=0))

    def test_a_fall_of_the_log_likelihood_is_told(self):
        found = compare(WAITING, 2, rng=0)
        assert "falls" not in str(found)
        low = found.rows[1]._replace(log_likelihood=-1096.0)
        assert "With 2 components the log-likelihood falls" in str(
            found._replace(rows=(found.rows[0], low))
        )

    def test_a_suspicious_end_is_told(self):
        found = compare(WAITING, 2, rng=0, **LOOSE)
        odd = SimpleNamespace(suspicious="a bell much too narrow")
        text = str(found._replace(fits=(found.fits[0], odd)))
        assert "With 2 components the fit is suspicious: a bell much too narrow" in text
        assert "suspicious" not in str(found)

    def test_folds_that_collapse_are_told(self):
        found = compare(WAITING, [1], n_folds=4, rng=0)
        held = found.held_out.copy()
        held[0, 1] = np.nan
        text = str(found._replace(held_out=held))
        assert "1 of 4 folds collapsed" in text
        assert "nan" not in text

    @pytest.mark.parametrize("sizes", [0, -1, 2.0, "three", [], [1, 0], [1, 2.5], True, None])
    def test_bad_numbers_of_components_are_named(self, sizes):
        with pytest.raises(ValueError, match="n_components must be a whole number >= 1"):
            compare(WAITING, sizes)

    def test_what_fit_refuses_is_refused(self):
        with pytest.raises(ValueError, match="x must be finite"):
            compare([1.0, np.nan], 2)
        with pytest.raises(ValueError, match="fewer observations"):
            compare([1.0, 2.0], 3)


class TestRatio:
    def test_the_ratio_of_old_faithful(self):
        found = likelihood_ratio_test(WAITING, 1, n_draws=9, rng=0, **LOOSE)
        assert_allclose(found.likelihood_ratio, 122.574, atol=0.03)  # tol=1e-2
        assert_allclose(found.p_value, 1 / (len(found.ratios) + 1), rtol=1e-15)
        assert len(found.ratios) + found.n_collapsed == 9
        assert "1 against 2 components: likelihood ratio 122.5" in str(found)
        assert f"{found.n_collapsed} more collapsed" in str(found)

    def test_data_of_one_bell_are_not_called_two(self):
        x, _ = sample(fit(WAITING, 1), 100, 3)
        assert likelihood_ratio_test(x, 1, n_draws=9, rng=0, **LOOSE).p_value > 0.1

    def test_draws_are_as_many_as_the_observations_and_searched_alike(self, monkeypatch):
        seen, heights = [], []

        def counted(x, size, **options):
            seen.append((len(x), size, options["tol"], options["covariance"]))
            found = fit(x, size, **options)
            heights.append(found.log_likelihood)
            return found

        monkeypatch.setattr(selection, "fit", counted)
        found = likelihood_ratio_test(
            WAITING[:40], 1, n_draws=2, rng=0, tol=0.1, n_starts=1, covariance="tied"
        )
        assert seen == [(40, size, 0.1, "tied") for size in (1, 2)] * 3
        gains = np.diff(np.reshape(heights, (3, 2)))[:, 0]
        assert_allclose([found.likelihood_ratio, *found.ratios], 2 * gains, rtol=1e-12)

    def test_counts_are_as_many_observations(self, monkeypatch):
        drawn = []
        monkeypatch.setattr(
            selection, "sample", lambda *given: drawn.append(given[1]) or sample(*given)
        )
        values, times = np.unique(WAITING, return_counts=True)
        found = likelihood_ratio_test(
            values, 1, sample_weight=times, n_draws=3, rng=0, covariance="tied", **LOOSE
        )
        assert_allclose(found.likelihood_ratio, 122.574, atol=0.03)
        assert drawn == [272] * 3

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"n_draws": 0}, "n_draws must be a whole number >= 1; it is 0"),
            ({"n_draws": 9.5}, "it is 9.5"),
            ({"n_components": 0}, "n_components must be"),
            ({"sample_weight": np.full(272, 1.001)}, "sums to 272.272"),
            ({"rng": "seed"}, "rng must be a seed"),
        ],
    )
    def test_bad_input_is_named(self, change, message):
        given = {"n_components": 1} | change
        with pytest.raises(ValueError, match=message):
            likelihood_ratio_test(WAITING, given.pop("n_components"), **given)

    def test_suspicious_draws_are_counted_without_a_word_for_each(self, monkeypatch):
        def doubtful(x, size, **options):
            warnings.warn("doubtful", UserWarning, stacklevel=1) if x is not WAITING else None
            return SimpleNamespace(
                parameters=fit(WAITING, 1).parameters,
                log_likelihood=float(size),
                suspicious="a spike" if size == 2 else "",
            )

        monkeypatch.setattr(selection, "fit", doubtful)
        found = likelihood_ratio_test(WAITING, 1, n_draws=3, rng=0)
        assert_allclose(found.ratios, 2)
        assert found.n_suspicious == 3
        assert "3 of these draws have a suspicious larger fit" in str(found)

    def test_negative_ratios_are_told(self):
        found = likelihood_ratio_test(WAITING, 1, n_draws=1, rng=0, **LOOSE)
        assert "negative" not in str(found)
        assert "1 ratios are negative" in str(found._replace(ratios=np.array([-2.0, 3.0])))

    def test_bars_end(self, capfd):
        likelihood_ratio_test(WAITING, 1, n_draws=2, rng=0, progress=True, **LOOSE)
        cross_validate(WAITING, 1, n_folds=3, rng=0, progress=True)
        compare(WAITING, 1, rng=0, progress=True)
        said = capfd.readouterr().err
        assert all(f"{label}:   0%" in said for label in ("draws", "folds", "components"))
        assert said.endswith("\r")  # each has taken itself away
