import itertools
import pickle
import tracemalloc
import warnings
from collections import namedtuple
from functools import partial
from timeit import repeat

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

import emtools
from emtools import (
    Mixture,
    MultivariateMixture,
    data,
    em,
    fit,
    fitting,
    kinds,
    logspace,
    multivariate,
    sample,
    starts,
)
from emtools.collapse import Collapse

FAITHFUL = data.old_faithful()
WAITING = FAITHFUL[:, 1]
GALAXIES = data.galaxies() / 1000
IRIS = data.iris()[0]
SPECIES = np.repeat([0, 1, 2], 50)

TWO_BELLS = Mixture([0.5, 0.5], [50, 80], [5, 5])
TWO_ELLIPSES = MultivariateMixture(
    [0.35, 0.65], [[2, 55], [4.3, 80]], [[[0.1, 0.5], [0.5, 35]], [[0.2, 1], [1, 35]]]
)
THREE_ELLIPSES = MultivariateMixture(
    [0.17, 0.36, 0.47], [[3.8, 77], [2, 54], [4.5, 81]], [[[0.1, 0.5], [0.5, 35]]] * 3
)
STRUCTURES = ["full", "tied", "diag", "spherical"]
seeds = st.integers(0, 100_000)


def moments(X, labels):
    """The start that knows the classes."""
    n_components = labels.max() + 1
    members = [X[labels == k] for k in range(n_components)]
    return MultivariateMixture(
        [len(m) / len(X) for m in members],
        [m.mean(axis=0) for m in members],
        [np.cov(m.T, bias=True) for m in members],
    )


def random_problem(seed, structure="full", n_samples=60):
    """Observations around one to three ellipses, and a start drawn from them."""
    rng = np.random.default_rng(seed)
    n_components, n_features = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    roots = rng.normal(size=(n_components, n_features, n_features + 2))
    truth = MultivariateMixture(
        rng.dirichlet(np.full(n_components, 5.0)),
        rng.normal(scale=3, size=(n_components, n_features)),
        roots @ roots.transpose(0, 2, 1) / (n_features + 2),
    )
    X = sample(truth, n_samples * n_components, rng)[0]
    begin = multivariate.mixture_at(X, starts.random_points(X, n_components, rng))
    return X, multivariate.STRUCTURES[structure](begin), rng


def assert_same(seen, said, spread, rtol):
    """Mixtures agree: weights absolutely, means and covariances in units of the data's spread."""
    assert type(seen) is type(said)
    assert_allclose(seen.weights, said.weights, atol=rtol, rtol=0)
    assert_allclose(seen.means / spread, said.means / spread, atol=rtol, rtol=0)
    if isinstance(seen, Mixture):
        assert_allclose(seen.stds / spread, said.stds / spread, atol=rtol, rtol=0)
    else:
        unit = np.multiply.outer(spread, spread)
        assert_allclose(seen.covariances / unit, said.covariances / unit, atol=rtol, rtol=0)


def transformed(mixture, matrix, offset):
    """The mixture of matrix @ x + offset."""
    return MultivariateMixture(
        mixture.weights,
        mixture.means @ matrix.T + offset,
        matrix @ mixture.covariances @ matrix.T,
    )


def scaled_condition(mixture):
    """The largest condition number of the covariances after scaling columns to unit variance."""
    widths = np.sqrt(np.diagonal(mixture.covariances, axis1=1, axis2=2))
    return np.linalg.cond(mixture.covariances / widths[:, :, None] / widths[:, None, :]).max()


class TestPublished:
    @pytest.mark.parametrize(
        ("covariance", "log_likelihood"),
        [
            ("full", -1130.26396018),
            ("tied", -1140.18675944),
            ("diag", -1147.80635254),
            ("spherical", -1709.52928218),
        ],
    )
    def test_old_faithful_in_two_dimensions(self, covariance, log_likelihood):
        """The values mclust and scikit-learn agree on."""
        found = fit(FAITHFUL, TWO_ELLIPSES, covariance=covariance)
        assert found.converged
        assert_allclose(found.log_likelihood, log_likelihood, atol=1e-7, rtol=0)
        drawn = fit(FAITHFUL, 2, covariance=covariance, rng=np.random.default_rng(0))
        assert_allclose(drawn.log_likelihood, log_likelihood, atol=1e-7, rtol=0)

    def test_old_faithful_parameters(self):
        mixture = fit(FAITHFUL, TWO_ELLIPSES).parameters
        assert_allclose(mixture.weights, [0.35587286, 0.64412714], rtol=1e-7)
        assert_allclose(
            mixture.means, [[2.0363885, 54.4785164], [4.2896620, 79.9681152]], rtol=1e-7
        )
        said = [
            [[0.06916767, 0.43516762], [0.43516762, 33.69728207]],
            [[0.16996844, 0.94060932], [0.94060932, 36.04621132]],
        ]
        assert_allclose(mixture.covariances, said, rtol=1e-6)

    def test_three_ellipses_of_one_shape(self):
        """What mclust prints, -1126.326, was stopped early."""
        found = fit(FAITHFUL, THREE_ELLIPSES, covariance="tied")
        assert_allclose(found.log_likelihood, -1126.31592782, atol=1e-7, rtol=0)
        assert_allclose(np.sort(found.parameters.weights), [0.1686, 0.3564, 0.4750], atol=5e-5)

    def test_iris_from_what_the_species_say(self):
        found = fit(IRIS, moments(IRIS, SPECIES))
        assert_allclose(found.log_likelihood, -180.185477131, atol=1e-7, rtol=0)
        assert_allclose(found.parameters.weights, [1 / 3, 0.29919319, 0.36747348], atol=1e-6)
        found = fit(IRIS, moments(IRIS, np.minimum(SPECIES, 1)))
        assert_allclose(found.log_likelihood, -214.354704370512, atol=1e-7, rtol=0)

    def test_prml(self):
        X = (FAITHFUL - FAITHFUL.mean(axis=0)) / FAITHFUL.std(axis=0)
        found = fit(X, MultivariateMixture([0.5, 0.5], [[-1.5, 1], [1.5, -1]], [np.eye(2)] * 2))
        for i, said in {1: -536.8877, 2: -527.8716, 5: -448.4569, 10: -395.5739}.items():
            assert_allclose(found.history[i], said, atol=5e-5, rtol=0)
        assert_allclose(found.log_likelihood, -385.4606956298, atol=1e-7, rtol=0)
        said = [[-1.2739676, -1.2099183], [0.7038525, 0.6684660]]
        assert_allclose(found.parameters.means, said, atol=1e-6)

    def test_spherical_alone_feels_a_change_of_units(self):
        """Standardised and put back on the raw scale: the same, but for spherical."""
        deviations = FAITHFUL.std(axis=0)
        X = (FAITHFUL - FAITHFUL.mean(axis=0)) / deviations
        jacobian = len(X) * np.log(deviations).sum()
        assert_allclose(jacobian, 744.8033, atol=5e-5)
        start = TWO_ELLIPSES._replace(
            means=(np.array(TWO_ELLIPSES.means) - FAITHFUL.mean(axis=0)) / deviations,
            covariances=np.array(TWO_ELLIPSES.covariances) / np.outer(deviations, deviations),
        )
        said = dict(
            zip(STRUCTURES, [-1130.26396018, -1140.18675944, -1147.80635254, None], strict=True)
        )
        for covariance in STRUCTURES[:3]:
            found = fit(X, start, covariance=covariance).log_likelihood - jacobian
            assert_allclose(found, said[covariance], atol=1e-7, rtol=0)
        found = fit(X, start, covariance="spherical").log_likelihood - jacobian
        assert_allclose(found, -1168.1347, atol=5e-5, rtol=0)

    def test_old_faithful_in_one_dimension(self):
        """Own widths, and one width for both (mclust's V and E)."""
        found = fit(WAITING, TWO_BELLS, tol=1e-13)
        assert_allclose(found.log_likelihood, -1034.00174983161, rtol=1e-12)
        assert_allclose(found.parameters.means, [54.614857, 80.091070], rtol=1e-6)
        found = fit(WAITING, TWO_BELLS, covariance="tied", tol=1e-13)
        assert_allclose(found.log_likelihood, -1034.00176035783, rtol=1e-12)
        assert_allclose(found.parameters.stds, [5.8690914, 5.8690914], rtol=1e-6)

    @pytest.mark.parametrize(
        ("n_components", "said"), [(1, -240.3379), (2, -220.0580), (3, -203.1792), (4, -197.4538)]
    )
    def test_galaxies_from_a_number(self, n_components, said):
        found = fit(GALAXIES, n_components, rng=np.random.default_rng(1), tol=1e-6)
        assert_allclose(found.log_likelihood, said, atol=1e-4, rtol=0)


class TestAgainstScikitLearn:
    @pytest.fixture(autouse=True)
    def one_thread(self):
        """On matrices this small, threads only wait for each other."""
        with threadpool_limits(1):
            yield

    @staticmethod
    def peer(X, start, structure, **options):
        covariances = np.asarray(start.covariances)
        precisions = {
            "full": lambda: np.linalg.inv(covariances),
            "tied": lambda: np.linalg.inv(covariances[0]),
            "diag": lambda: 1 / np.diagonal(covariances, axis1=1, axis2=2),
            "spherical": lambda: 1 / covariances[:, 0, 0],
        }
        model = GaussianMixture(
            len(start.weights),
            covariance_type=structure,
            reg_covar=0,
            weights_init=start.weights,
            means_init=start.means,
            precisions_init=precisions[structure](),
            **options,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return model.fit(X)

    @staticmethod
    def mixture(model, structure):
        eye, seen = np.eye(model.means_.shape[1]), model.covariances_
        covariances = {
            "full": lambda: seen,
            "tied": lambda: np.tile(seen, (len(model.weights_), 1, 1)),
            "diag": lambda: seen[:, :, None] * eye,
            "spherical": lambda: seen[:, None, None] * eye,
        }
        return MultivariateMixture(model.weights_, model.means_, covariances[structure]())

    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_the_same_200_steps_on_50_problems(self, structure):
        for seed in range(50):
            X, start, _ = random_problem(seed, structure)
            ours = fit(X, start, covariance=structure, tol=0, max_iter=200)
            theirs = self.peer(X, start, structure, tol=0, max_iter=200)
            assert ours.n_iter == theirs.n_iter_ == 200
            said = self.mixture(theirs, structure)
            assert_same(ours.parameters, said, X.std(axis=0), rtol=1e-8)
            assert_allclose(ours.history[199], theirs.lower_bound_ * len(X), rtol=1e-10)
            assert_allclose(ours.log_likelihood, theirs.score(X) * len(X), rtol=1e-10)

    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_converged(self, structure):
        for seed in range(6):
            X, start, _ = random_problem(seed, structure)
            ours = fit(X, start, covariance=structure)
            theirs = self.peer(X, start, structure, tol=1e-15, max_iter=3000)
            assert ours.converged
            assert_allclose(ours.log_likelihood, theirs.score(X) * len(X), rtol=1e-8)

    def test_one_dimension(self):
        for seed in range(5):
            rng = np.random.default_rng(seed)
            x = rng.normal(rng.choice([-2.0, 0, 3], 150), rng.uniform(0.5, 1.5))
            start = starts.mixture_at(x, starts.quantiles(x, 3))
            ours = fit(x, start, tol=0, max_iter=100)
            wide = MultivariateMixture(
                start.weights, start.means[:, None], start.stds[:, None, None] ** 2
            )
            theirs = self.peer(x[:, None], wide, "full", tol=0, max_iter=100)
            said = Mixture(
                theirs.weights_, theirs.means_[:, 0], theirs.covariances_[:, 0, 0] ** 0.5
            )
            assert_same(ours.parameters, said, x.std(), rtol=1e-8)
            assert_allclose(ours.log_likelihood, theirs.score(x[:, None]) * 150, rtol=1e-10)


class TestPlainEM:
    @pytest.mark.parametrize("n_steps", [0, 1, 2, 10])
    def test_each_step_is_that_of_chapter_03(self, n_steps):
        start = Mixture(np.array([0.3, 0.2, 0.5]), np.array([70.0, 50, 85]), np.array([5.0, 4, 6]))
        step = em.step_on(WAITING, logspace.e_step, logspace.m_step)
        plain = em.iterate(step, start, tol=0, max_iter=n_steps)
        found = fit(WAITING, start, tol=0, max_iter=n_steps)
        assert_same(found.parameters, plain.parameters, WAITING.std(), rtol=1e-12)
        assert_allclose(found.history, plain.history, rtol=1e-13)
        assert (found.n_iter, found.history.shape) == (n_steps, (n_steps + 1,))

    def test_each_step_is_that_of_chapter_06(self):
        start = kinds.checked_multivariate(TWO_ELLIPSES)
        step = em.step_on(FAITHFUL, multivariate.e_step, multivariate.m_step)
        plain = em.iterate(step, start, tol=0, max_iter=10)
        found = fit(FAITHFUL, start, tol=0, max_iter=10)
        assert_same(found.parameters, plain.parameters, FAITHFUL.std(axis=0), rtol=1e-12)
        assert_allclose(found.history, plain.history, rtol=1e-13)

    def test_the_fit_says_what_its_mixture_says(self):
        for x, start in ((WAITING, TWO_BELLS), (FAITHFUL, TWO_ELLIPSES)):
            found = fit(x, start)
            said = emtools.log_density(x, found.parameters).sum()
            assert_allclose(found.log_likelihood, said, rtol=1e-13)
            assert found.history[-1] == found.log_likelihood
            assert isinstance(found.log_likelihood, float)

    def test_order_is_kept(self):
        backwards = Mixture([0.5, 0.5], [80, 50], [5, 5])
        found, said = fit(WAITING, backwards), fit(WAITING, TWO_BELLS)
        assert found.parameters.means[0] > found.parameters.means[1]
        assert_allclose(found.parameters.means[::-1], said.parameters.means, rtol=1e-9)

    @settings(deadline=None, max_examples=200)
    @given(seed=seeds, structure=st.sampled_from(STRUCTURES))
    def test_the_log_likelihood_never_falls(self, seed, structure):
        X, start, rng = random_problem(seed, structure, n_samples=30)
        min_std = rng.choice([0.0, 0.3])
        try:
            history = fit(
                X, start, covariance=structure, tol=0, max_iter=40, min_std=min_std
            ).history
        except Collapse as collapse:
            n_steps = max(0, collapse.iteration - 1)
            history = fit(
                X, start, covariance=structure, tol=0, max_iter=n_steps, min_std=min_std
            ).history
        assert np.all(np.diff(history) >= -1e-9 * np.maximum(1, np.abs(history[1:])))


class TestEquivariance:
    """Steps of the transformed problem are the transformed steps."""

    @settings(deadline=None, max_examples=30)
    @given(seed=seeds, structure=st.sampled_from(STRUCTURES))
    def test_shift_and_common_scale(self, seed, structure):
        X, start, rng = random_problem(seed, structure)
        matrix = 10.0 ** rng.uniform(-6, 6) * np.eye(X.shape[1])
        offset = 100 * rng.normal(size=X.shape[1]) * matrix[0, 0]
        self.check(X, start, structure, matrix, offset, n_steps=15)

    @settings(deadline=None, max_examples=30)
    @given(seed=seeds, structure=st.sampled_from(["full", "tied", "diag"]))
    def test_a_scale_for_each_column(self, seed, structure):
        X, start, rng = random_problem(seed, structure)
        matrix = np.diag(10.0 ** rng.uniform(-8, 8, X.shape[1]))
        self.check(X, start, structure, matrix, np.zeros(X.shape[1]), n_steps=15)

    @settings(deadline=None, max_examples=30)
    @given(seed=seeds, structure=st.sampled_from(["full", "tied"]))
    def test_affine_maps_of_condition_up_to_1e4(self, seed, structure):
        X, start, rng = random_problem(seed, structure)
        n_features = X.shape[1]
        left, right = (np.linalg.qr(rng.normal(size=(n_features,) * 2))[0] for _ in "ab")
        stretch = 10.0 ** np.concatenate([[0, 4], rng.uniform(0, 4, n_features)])[:n_features]
        matrix = left * stretch @ right
        # One step: what rounding takes in the first, EM enlarges wherever it moves fast.
        self.check(X, start, structure, matrix, rng.normal(size=n_features), n_steps=1)

    @staticmethod
    def check(X, start, structure, matrix, offset, n_steps):
        options = {"covariance": structure, "tol": 0, "max_iter": n_steps}
        there = transformed(start, matrix, offset)
        plain, moved = fit(X, start, **options), fit(X @ matrix.T + offset, there, **options)
        back = np.linalg.inv(matrix)
        seen = transformed(moved.parameters, back, -back @ offset)
        # A covariance of condition c is known to eps * c across; here c comes to 1e8 and more.
        condition = max(scaled_condition(there), scaled_condition(moved.parameters))
        rtol = max(1e-9, 8 * np.finfo(float).eps * condition)
        assert_same(seen, plain.parameters, X.std(axis=0), rtol=rtol)
        said = plain.history - len(X) * np.linalg.slogdet(matrix)[1]
        assert_allclose(moved.history, said, rtol=1e-10, atol=rtol * X.size)

    @settings(deadline=None, max_examples=30)
    @given(seed=seeds, structure=st.sampled_from(STRUCTURES))
    def test_permutations_of_samples_and_of_components(self, seed, structure):
        X, start, rng = random_problem(seed, structure)
        plain = fit(X, start, covariance=structure, tol=0, max_iter=15)
        order = rng.permutation(len(start.weights))
        turned = MultivariateMixture(*(part[order] for part in start))
        moved = fit(rng.permutation(X), turned, covariance=structure, tol=0, max_iter=15)
        said = MultivariateMixture(*(part[order] for part in plain.parameters))
        assert_same(moved.parameters, said, X.std(axis=0), rtol=1e-9)
        assert_allclose(moved.history, plain.history, rtol=1e-10)


class TestHardInputs:
    @pytest.mark.parametrize("scale", [1e-8, 1e8])
    def test_scale(self, scale):
        found, said = fit(WAITING * scale, 2, rng=0), fit(WAITING, 2, rng=0)
        for mixture in (found.parameters, said.parameters):
            assert mixture.stds.min() > 0
        start = TWO_BELLS._replace(means=np.array([50, 80]) * scale, stds=np.array([5, 5]) * scale)
        found, said = fit(WAITING * scale, start), fit(WAITING, TWO_BELLS)
        assert found.n_iter == said.n_iter
        assert_allclose(found.parameters.means / scale, said.parameters.means, rtol=1e-11)
        assert_allclose(found.parameters.stds / scale, said.parameters.stds, rtol=1e-11)
        said = said.log_likelihood - len(WAITING) * np.log(scale)
        assert_allclose(found.log_likelihood, said, rtol=1e-12)

    def test_a_mean_of_1e8_with_a_spread_of_1(self):
        """Against the same rounded data with the offset taken off, which is exact."""
        x = 1e8 + (WAITING - 70) / 13
        start = Mixture([0.5, 0.5], np.array([1e8 - 1.5, 1e8 + 0.8]), [0.4, 0.4])
        found = fit(x, start)
        said = fit(x - 1e8, start._replace(means=start.means - 1e8))
        assert_allclose(found.history, said.history, rtol=1e-13)
        assert_allclose(found.parameters.stds, said.parameters.stds, rtol=1e-12)
        spacing = np.spacing(1e8)
        assert_allclose(found.parameters.means - 1e8, said.parameters.means, atol=spacing)

    @pytest.mark.parametrize(("spacings", "collapses"), [(2, True), (20, False)])
    def test_a_width_of_a_few_float_spacings_is_none(self, spacings, collapses):
        """Around 1e8 numbers are 1.5e-8 apart; what is only that wide was rounded to it."""
        steps = spacings * np.spacing(1e8) * np.tile([-1, 1], 20)
        x = 1e8 + np.append(np.zeros(40), np.ones(40)) + np.append(steps, steps)
        start = Mixture([0.5, 0.5], [1e8, 1e8 + 1], [0.1, 0.1])
        if collapses:
            with pytest.raises(Collapse):
                fit(x, start)
        else:
            width = spacings * np.spacing(1e8)
            assert_allclose(fit(x, start).parameters.stds, [width, width], rtol=1e-6)

    def test_columns_whose_scales_differ_by_1e16(self):
        scale = np.array([1e-8, 1e8])
        start = transformed(kinds.checked_multivariate(TWO_ELLIPSES), np.diag(scale), 0)
        for covariance in ("full", "tied", "diag"):
            found = fit(FAITHFUL * scale, start, covariance=covariance)
            said = fit(FAITHFUL, TWO_ELLIPSES, covariance=covariance)
            assert_same(
                transformed(found.parameters, np.diag(1 / scale), 0),
                said.parameters,
                FAITHFUL.std(axis=0),
                rtol=1e-11,
            )
        drawn = fit(FAITHFUL * scale, 2, rng=np.random.default_rng(0))
        log_likelihood = drawn.log_likelihood + len(FAITHFUL) * np.log(scale).sum()
        assert_allclose(log_likelihood, -1130.26396018, atol=1e-7, rtol=0)

    def test_spherical_keeps_circles_whatever_the_columns(self):
        scale = np.array([1e-8, 1e8])
        start = transformed(kinds.checked_multivariate(TWO_ELLIPSES), np.diag(scale), 0)
        found = fit(FAITHFUL * scale, start, covariance="spherical").parameters
        for covariance in found.covariances:
            assert_allclose(covariance, covariance[0, 0] * np.eye(2), rtol=1e-15)
        assert_allclose(found.weights.sum(), 1, rtol=1e-14)

    @pytest.mark.parametrize(("x", "start"), [(WAITING, TWO_BELLS), (FAITHFUL, TWO_ELLIPSES)])
    def test_a_weight_of_3_is_three_copies(self, x, start):
        copies = np.random.default_rng(0).integers(0, 4, len(x))
        weighted = fit(x, start, sample_weight=copies, tol=0, max_iter=20)
        copied = fit(np.repeat(x, copies, axis=0), start, tol=0, max_iter=20)
        assert_same(weighted.parameters, copied.parameters, x.std(axis=0), rtol=1e-12)
        assert_allclose(weighted.history, copied.history, rtol=1e-12)

    def test_real_weights(self):
        """Halves are copies of which each counts half; the unit of the weights cancels."""
        copies = np.random.default_rng(0).integers(0, 5, len(WAITING))
        copied = fit(np.repeat(WAITING, copies), TWO_BELLS, tol=0, max_iter=20)
        for unit in (0.5, 1e-12, 1e12, np.pi):
            weighted = fit(WAITING, TWO_BELLS, sample_weight=copies * unit, tol=0, max_iter=20)
            assert_same(weighted.parameters, copied.parameters, WAITING.std(), rtol=1e-12)
            assert_allclose(weighted.history, copied.history * unit, rtol=1e-12)

    def test_few_of_a_great_many_have_not_vanished(self):
        """A weight of 1e13 is so many copies; 50 observations among them are still 50."""
        x = np.random.default_rng(0).normal([0.0, 100.0], size=(50, 2)).T.ravel()
        weights = np.repeat([1e13, 1.0], 50)
        means = fit(x, Mixture([0.5, 0.5], [0, 100], [1, 1]), sample_weight=weights).parameters[1]
        assert_allclose(means, [x[:50].mean(), x[50:].mean()], rtol=1e-9, atol=1e-9)

    def test_weights_near_the_largest_number(self):
        weights = np.full(272, 1e300 / 300)
        found = fit(WAITING, TWO_BELLS, sample_weight=weights).parameters
        assert_same(found, fit(WAITING, TWO_BELLS).parameters, WAITING.std(), rtol=1e-5)

    @pytest.mark.parametrize("extreme", [1e300, -1e300, 0.0])
    def test_a_weight_of_zero_is_an_absence(self, extreme):
        x = np.append(WAITING, extreme)
        weights = np.append(np.ones(len(WAITING)), 0)
        found = fit(x, TWO_BELLS, sample_weight=weights)
        assert_allclose(found.history, fit(WAITING, TWO_BELLS).history, rtol=1e-14)

    def test_duplicates(self):
        found = fit(np.repeat(WAITING, 5), TWO_BELLS)
        assert_allclose(found.parameters.means, fit(WAITING, TWO_BELLS).parameters.means, rtol=1e-6)
        rng = np.random.default_rng(1)
        x = np.append(rng.normal(size=60), np.full(20, 6.0))
        with pytest.raises(Collapse, match="component 1 "):
            fit(x, Mixture([0.7, 0.3], [0, 6], [1, 1]))
        with pytest.raises(Collapse):
            fit([0, 0, 0, 1, 1], 3, rng=rng)

    @pytest.mark.parametrize("n_components", [1, 2, 3, 5])
    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_from_k_observations_upwards_it_is_right_or_says_why_not(self, n_components, structure):
        rng = np.random.default_rng(n_components)
        for n_samples in range(max(2, n_components), n_components + 8):
            for X in (rng.normal(size=n_samples), rng.normal(size=(n_samples, 2))):
                if X.shape == (2, 2) and structure in ("full", "tied"):
                    with pytest.raises(ValueError, match="x has 2 rows for 2 columns, too few"):
                        fit(X, n_components, covariance=structure, n_starts=2, rng=rng)
                    continue
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", em.Doubtful)
                        found = fit(X, n_components, covariance=structure, n_starts=2, rng=rng)
                except Collapse:
                    continue
                assert found.converged
                one_more = fit(X, found.parameters, covariance=structure, tol=0, max_iter=1)
                assert one_more.log_likelihood - found.log_likelihood < 1e-6
                widths = found.parameters[2]
                smallest = widths if X.ndim == 1 else np.linalg.eigvalsh(widths) ** 0.5
                assert np.min(smallest) > 1e-10

    def test_as_many_ellipses_as_points_collapse(self):
        rng = np.random.default_rng(2)
        with pytest.raises(Collapse, match="all 20 starts collapsed"):
            fit(rng.normal(size=(4, 2)), 4, rng=rng)
        with pytest.raises(ValueError, match="x has 2 rows for 2 columns, too few"):
            fit(rng.normal(size=(2, 2)), 2, rng=rng)

    def test_plain_em_stays_at_a_symmetric_start_and_says_converged(self):
        """One bell twice, a saddle: this is what EM does."""
        start = Mixture([0.5, 0.5], [60, 60], [5, 5])
        found = fit(WAITING, start, accelerate=False)
        assert found.converged
        assert found.suspicious == "means[0] and means[1] are of one component twice"
        assert_allclose(found.parameters.means, np.full(2, WAITING.mean()), rtol=1e-12)
        assert_allclose(found.parameters.stds, np.full(2, WAITING.std()), rtol=1e-12)
        assert_allclose(found.log_likelihood, -1095.28880050, rtol=1e-10)
        ellipses = TWO_ELLIPSES._replace(means=[[3, 70]] * 2, covariances=[np.eye(2)] * 2)
        found = fit(FAITHFUL, ellipses, accelerate=False)
        assert found.converged
        assert_allclose(found.parameters.means[0], found.parameters.means[1], rtol=1e-12)
        assert_allclose(fit(WAITING, start).log_likelihood, -1034.00174983, rtol=1e-10)
        assert_allclose(fit(FAITHFUL, ellipses).log_likelihood, -1130.26396018, rtol=1e-10)

    def test_a_nearly_symmetric_start_is_carried_off(self):
        """The difference grows by some .06 a step from 1e-9; the first gains show nothing of it."""
        start = Mixture([0.5, 0.5], WAITING.mean() + np.array([-1e-9, 1e-9]), [WAITING.std()] * 2)
        plain = fit(WAITING, start, accelerate=False)
        assert_allclose(plain.log_likelihood, -1095.28880050, rtol=1e-10)
        found = fit(WAITING, start, tol=0, max_iter=600)
        assert_allclose(fit(WAITING, start).log_likelihood, -1034.00174983, rtol=1e-10)
        assert_allclose(found.log_likelihood, -1034.00174983, rtol=1e-10)

    def test_a_far_outlier(self):
        x = np.append(WAITING, 1000)
        with pytest.raises(
            Collapse, match=r"component 1 .*means\[1\] owns 1 observation, x\[272\] = 1000"
        ):
            fit(x, Mixture([0.5, 0.5], [60, 90], [WAITING.std()] * 2))
        found = fit(np.append(WAITING, 1e12), 1)
        assert_allclose(found.parameters.means, [np.append(WAITING, 1e12).mean()], rtol=1e-12)
        found = fit(x, Mixture([0.3, 0.6, 0.1], [50, 80, 1000], [5, 5, 5]), min_std=1)
        assert_allclose(found.parameters.means[:2], [54.614857, 80.091070], rtol=1e-6)
        assert_allclose([found.parameters.means[2], found.parameters.stds[2]], [1000, 1], rtol=1e-9)

    def test_constant_data(self):
        with pytest.raises(ValueError, match=r"x is constant: all 5 .* are 0.1"):
            fit(np.full(5, 0.1), 2)
        with pytest.raises(ValueError, match="column 1 of x is constant"):
            fit(np.column_stack([WAITING, np.ones(272)]), 2)
        with pytest.raises(ValueError, match="constant"):
            fit([1, 1, 2], 1, sample_weight=[1, 1, 0])

    def test_a_column_that_repeats_another(self):
        """Waiting in seconds as a third column: flat for full and tied, no problem for the rest."""
        for third in (60 * WAITING, 60 * WAITING + 3 * FAITHFUL[:, 0] + 1e6):
            X = np.column_stack([FAITHFUL, third])
            for covariance in ("full", "tied"):
                for n_components in (1, 2):
                    with pytest.raises(Collapse, match="no width is left in one direction"):
                        fit(X, n_components, covariance=covariance, n_starts=2)
            for covariance in ("diag", "spherical"):
                assert fit(X, 2, covariance=covariance, n_starts=2).converged

    def test_a_hundred_thousand_dependent_rows(self):
        """Sums of many roundings must not pass for a width."""
        x = np.random.default_rng(0).normal(size=100_000)
        for factor in (3.0, np.pi, 1e-7):
            with pytest.raises(Collapse):
                fit(np.column_stack([x, factor * x]), 1)

    @pytest.mark.parametrize(("across", "collapses"), [(2e-11, True), (1e-9, False)])
    def test_a_short_and_slanting_needle(self, across, collapses):
        """1e-5 of the spread long, in the direction (1, 1), and too narrow or not."""
        z = np.random.default_rng(0).normal(size=(2, 200))
        needle = np.column_stack([z[0] * 1e-5 + z[1] * across, z[0] * 1e-5 - z[1] * across])
        X = np.append(needle, np.random.default_rng(1).normal(1, 0.1, (200, 2)), axis=0)
        start = MultivariateMixture(
            [0.5, 0.5], [[0, 0], [1, 1]], [np.eye(2) * 1e-8, np.eye(2) * 0.01]
        )
        if collapses:
            with pytest.raises(Collapse, match=r"component 0 .* one direction"):
                fit(X, start)
        else:
            assert fit(X, start).converged

    def test_narrow_but_honest(self):
        """Widths of 1e-9 of the spread, and a correlation of 1 - 1e-12, are no collapse."""
        rng = np.random.default_rng(0)
        x = np.append(rng.normal(0, 1e-9, 200), rng.normal(1, 1e-9, 200))
        found = fit(x, Mixture([0.5, 0.5], [0, 1], [1e-8, 1e-8]))
        assert_allclose(found.parameters.stds, [1e-9, 1e-9], rtol=0.2)
        z = rng.normal(size=(2, 300))
        found = fit(np.column_stack([z[0], z[0] + 1e-6 * z[1]]), 1)
        smallest = np.linalg.eigvalsh(found.parameters.covariances[0])[0]
        assert_allclose(np.sqrt(smallest), 1e-6 / np.sqrt(2), rtol=0.2)


class TestCollapse:
    start = Mixture([0.5, 0.5], [2, 10], [3, 3])

    def test_onto_one_observation(self):
        with pytest.raises(Collapse, match="at iteration 3, component 1 ") as info:
            fit([1, 2, 3, 10], self.start)
        assert (info.value.component, info.value.iteration) == (1, 3)
        turned = Mixture([0.5, 0.5], [10, 2], [3, 3])
        with pytest.raises(Collapse, match="component 0 ") as info:
            fit([1, 2, 3, 10], turned)
        assert info.value.component == 0

    def test_not_before_it_happens(self):
        found = fit([1, 2, 3, 10], self.start, tol=0, max_iter=2)
        assert found.n_iter == 2
        assert found.parameters.stds[1] > 0

    @pytest.mark.parametrize(("min_std", "said"), [(0.1, -4.5143), (0.01, -2.2117)])
    def test_with_a_floor_it_ends_there(self, min_std, said):
        found = fit([1, 2, 3, 10], self.start, min_std=min_std)
        assert found.converged
        assert_allclose(found.parameters.stds, [np.sqrt(2 / 3), min_std], rtol=1e-6)
        assert_allclose(found.parameters.stds[1], min_std, rtol=1e-12)
        assert_allclose(found.log_likelihood, said, atol=5e-5)
        assert np.all(np.diff(found.history) >= 0)

    def test_a_floor_below_every_width_changes_nothing(self):
        for covariance in STRUCTURES:
            plain = fit(FAITHFUL, TWO_ELLIPSES, covariance=covariance)
            for min_std in (1e-300, 0.01):
                found = fit(FAITHFUL, TWO_ELLIPSES, covariance=covariance, min_std=min_std)
                assert_same(found.parameters, plain.parameters, FAITHFUL.std(axis=0), rtol=1e-12)

    def test_a_floor_with_columns_1e16_apart(self):
        """The min_std is under both columns' widths, though 1e18 times smaller than one of them."""
        X = np.column_stack([FAITHFUL, IRIS.repeat(2, axis=0)[:272, :2]]) * [1e-8, 1e8, 1e-8, 1e8]
        start = multivariate.mixture_at(X, X[[0, 1]])
        plain = fit(X, start, tol=0, max_iter=5)
        found = fit(X, start, tol=0, max_iter=5, min_std=1e-10)
        assert_same(found.parameters, plain.parameters, X.std(axis=0), rtol=1e-12)

    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_a_floor_in_two_dimensions(self, structure):
        """Eigenvalues in the units of the data, whatever the structure; it climbs, and stays so."""
        rng = np.random.default_rng(3)
        X = np.append(rng.normal(size=(30, 2)) * [1, 3], np.full((10, 2), 7.0), axis=0)
        start = MultivariateMixture([0.7, 0.3], [[0, 0], [7, 7]], [np.eye(2)] * 2)
        found = fit(X, start, covariance=structure, min_std=1.5)
        values = np.linalg.eigvalsh(found.parameters.covariances)
        assert_allclose(values.min(), 1.5**2, rtol=1e-9)
        assert np.all(np.diff(found.history) >= -1e-9 * abs(found.log_likelihood))
        restricted = multivariate.STRUCTURES[structure](found.parameters)
        assert_same(found.parameters, restricted, X.std(axis=0), rtol=1e-12)

    def test_a_floor_saves_dependent_columns(self):
        X = np.column_stack([WAITING, 2 * WAITING])
        found = fit(X, 1, min_std=0.5)
        values = np.linalg.eigvalsh(found.parameters.covariances[0])
        assert_allclose(values, [0.25, 5 * WAITING.var()], rtol=1e-9)

    def test_vanished(self):
        with pytest.raises(Collapse, match=r"at iteration 1, component 1 .* has vanished"):
            fit(WAITING, Mixture([0.5, 0.5], [70, 1e6], [10, 1]))
        with pytest.raises(Collapse, match=r"component 0 .* has vanished"):
            fit(WAITING, Mixture([0, 1], [50, 80], [5, 5]))

    def test_starts_that_collapse_are_dropped(self):
        """Of ten random starts on a lump and a bell some end on the lump, and would win."""
        x = np.append(np.random.default_rng(1).normal(size=60), np.full(5, 6.0))
        with pytest.warns(
            em.Doubtful, match="of 10 starts collapsed, and this is the best"
        ) as warned:
            found = fit(x, 2, rng=np.random.default_rng(0), n_starts=10)
        assert found.parameters.stds.min() > 1e-3
        assert found.n_collapsed > 5
        assert warned[0].filename == __file__

    def test_all_starts_collapse(self):
        with pytest.raises(Collapse, match="all 7 starts collapsed"):
            fit([1, 2, 3, 10], 4, n_starts=7)


class TestStarts:
    def test_the_generator_decides(self):
        first, again = (fit(GALAXIES, 4, rng=np.random.default_rng(3), n_starts=3) for _ in "ab")
        assert_allclose(first.history, again.history, rtol=0)

    def test_one_start_in_one_dimension_is_the_quantiles(self):
        found = fit(GALAXIES, 3, n_starts=1)
        said = fit(GALAXIES, starts.mixture_at(GALAXIES, starts.quantiles(GALAXIES, 3)))
        assert_allclose(found.history, said.history, rtol=1e-12)

    def test_more_starts_are_never_worse(self):
        few = fit(IRIS, 4, n_starts=2, min_std=0.05, rng=0)
        many = fit(IRIS, 4, n_starts=40, min_std=0.05, rng=0)
        assert many.log_likelihood > few.log_likelihood + 1

    def test_a_start_is_brought_into_the_structure(self):
        for structure, min_std in itertools.product(STRUCTURES, (0.0, 3.0)):
            found = fit(FAITHFUL, TWO_ELLIPSES, covariance=structure, min_std=min_std)
            assert np.all(np.diff(found.history) >= -1e-9 * abs(found.log_likelihood))

    def test_one_dimension_has_two_structures(self):
        for covariance in ("diag", "spherical"):
            found = fit(WAITING, TWO_BELLS, covariance=covariance)
            assert_allclose(found.history, fit(WAITING, TWO_BELLS).history, rtol=1e-14)


class TestInputs:
    @pytest.mark.parametrize(
        "x",
        [
            WAITING.astype(int),
            WAITING.astype(np.int8),
            WAITING.astype(np.float32),
            WAITING.tolist(),
            np.repeat(WAITING, 2)[::2],
            WAITING[::-1][::-1],
            FAITHFUL[:, 1],
        ],
    )
    def test_many_forms_of_the_same_data(self, x):
        assert_allclose(fit(x, TWO_BELLS).history, fit(WAITING, TWO_BELLS).history, rtol=1e-14)

    @pytest.mark.parametrize("X", [FAITHFUL.tolist(), np.asfortranarray(FAITHFUL), FAITHFUL[::-1]])
    def test_many_forms_of_rows(self, X):
        history = fit(X, TWO_ELLIPSES).history
        assert_allclose(history, fit(FAITHFUL, TWO_ELLIPSES).history, rtol=1e-12)

    def test_nothing_is_changed(self):
        x, X, weights = WAITING.copy(), FAITHFUL.copy(), np.ones(272)
        start = Mixture(*map(np.array, ([0.5, 0.5], [50.0, 80.0], [5.0, 5.0])))
        ellipses = kinds.checked_multivariate(TWO_ELLIPSES)
        for array in (x, X, weights, *start, *ellipses):
            array.flags.writeable = False
        fit(x, start, sample_weight=weights, min_std=6)
        for covariance in STRUCTURES:
            fit(X, ellipses, covariance=covariance, sample_weight=weights, min_std=6)

    def test_a_start_may_be_a_plain_tuple(self):
        said = fit(WAITING, TWO_BELLS)
        assert_allclose(fit(WAITING, tuple(TWO_BELLS)).history, said.history, rtol=0)
        assert isinstance(fit(FAITHFUL, list(TWO_ELLIPSES)).parameters, MultivariateMixture)

    def test_one_column_is_a_row_of_one(self):
        found = fit(WAITING[:, None], 2, rng=np.random.default_rng(0))
        assert isinstance(found.parameters, MultivariateMixture)
        assert_allclose(found.log_likelihood, -1034.00174983, rtol=1e-10)

    @pytest.mark.parametrize(
        ("x", "words"),
        [
            ([], "x must not be empty"),
            (np.empty((0, 2)), "x must not be empty"),
            (np.empty((5, 0)), "x must not be empty"),
            ([1, 2, np.nan, 4, np.inf], r"2 of 5 values are not, the first is x\[2\] = nan"),
            ([[1, 2], [3, np.nan]], r"1 of 4 values are not, the first is x\[1, 1\] = nan"),
            (["a", "b"], "x must hold real numbers"),
            ([1 + 2j, 3], "x must hold real numbers"),
            ([None, 1.0, 2.0], r"the first is x\[0\] = nan. It is a missing value"),
            ([[1, 2], [3]], "differ in length"),
            (3.0, "one or two dimensions"),
            (np.zeros((2, 2, 2)), "one or two dimensions"),
            ([1.0, 2.0], "fewer observations than there are components: 2 against 3"),
            ([1e200, -1e200, 0, 3], "x spans 2e.200"),
            ([1e-200, 2e-200, 0, 3e-200], "x spans 3e-200"),
        ],
    )
    def test_bad_x(self, x, words):
        with pytest.raises(ValueError, match=words):
            fit(x, 3, rng=0)

    @pytest.mark.parametrize(
        ("weights", "words"),
        [
            ([1, 2], "one entry for each observation; it has 2, x has 5"),
            ([1, 1, -1, 1, 1], r"negative; \[2\] is -1"),
            ([0, 0, 0, 0, 0], "zero everywhere"),
            ([1, 1, np.nan, 1, 1], r"finite; .* sample_weight\[2\]"),
            ([[1], [1], [1], [1], [1]], "one dimension"),
            ([1, 1, 1, 1e300, 2], r"must be under 2e\+299, .*; \[3\] is 1e\+300\. Divide all"),
            ([1, 0, 0, 0, 1], "fewer observations than there are components: 2 against 3"),
        ],
    )
    def test_bad_weights(self, weights, words):
        with pytest.raises(ValueError, match=words):
            fit([1, 2, 3, 4, 6], 3, sample_weight=weights)

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            (0, "at least one component"),
            (-1, "at least one component"),
            (2.0, "start must be"),
            (True, "start must be"),
            ("2", "start must be"),
            (None, "start must be"),
            ([0.5, 0.5], "mixture must be"),
            (Mixture([0.5, 0.6], [1, 2], [1, 1]), "sum to one"),
            (Mixture([-0.5, 1.5], [1, 2], [1, 1]), "negative"),
            (Mixture([0.5, 0.5], [1, 2], [1, 0]), r"positive; stds\[1\]"),
            (Mixture([0.5, 0.5], [1, 2], [1, -1]), r"positive; stds\[1\]"),
            (Mixture([0.5, 0.5], [1, np.nan], [1, 1]), "finite"),
            (Mixture([0.5, 0.5], [1], [1, 1]), "one entry for each"),
            (TWO_ELLIPSES, r"shape \(272,\), but this MultivariateMixture is for .* \(N, 2\)$"),
        ],
    )
    def test_bad_start(self, start, words):
        with pytest.raises(ValueError, match=words):
            fit(WAITING, start)

    def test_a_start_of_the_wrong_dimension(self):
        with pytest.raises(
            ValueError,
            match=r"shape \(272, 2\), but this Mixture is .*: give one col",
        ):
            fit(FAITHFUL, TWO_BELLS)
        with pytest.raises(ValueError, match=r"x has shape \(150, 4\), but this .* \(N, 2\)$"):
            fit(IRIS, TWO_ELLIPSES)
        singular = TWO_ELLIPSES._replace(covariances=[[[1, 1], [1, 1]]] * 2)
        with pytest.raises(ValueError, match=r"covariances\[0\] is not positive definite"):
            fit(FAITHFUL, singular)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"covariance": "round"}, "one of full, tied, diag, spherical"),
            ({"covariance": None}, "one of full, tied, diag, spherical"),
            ({"covariance": ["full"]}, "one of full, tied, diag, spherical"),
            ({"tol": -1}, "tol must be"),
            ({"tol": np.nan}, "tol must be"),
            ({"max_iter": 1.5}, "max_iter must be"),
            ({"n_starts": 0}, "n_starts must be"),
            ({"n_starts": 2.0}, "n_starts must be"),
            ({"min_std": -1}, "min_std must be"),
            ({"min_std": np.inf}, "min_std must be"),
            ({"min_std": "1"}, "min_std must be"),
            ({"rng": -3}, "rng must be"),
            ({"rng": np.random.RandomState(3)}, "rng must be"),
        ],
    )
    def test_bad_options(self, options, words):
        with pytest.raises(ValueError, match=words):
            fit(WAITING, 2, **options)

    def test_a_mixture_of_another_kind_is_not_taken_for_a_normal_one(self, monkeypatch):
        """Three fields of K numbers each, as a Mixture has, but other ones."""
        monkeypatch.setattr(kinds, "KINDS", dict(kinds.KINDS))
        gammas = namedtuple("Gammas", ["weights", "shapes", "scales"])
        normal = kinds.KINDS[Mixture._fields]
        kinds.register(normal._replace(type=gammas, checked=lambda parts: gammas(*parts)))
        with pytest.raises(ValueError, match=r"a Gammas is fitted by .*emtools\.em\.iterate"):
            fit(WAITING, gammas([0.5, 0.5], [50, 80], [5, 5]))

    def test_a_mixture_is_one_start(self):
        with pytest.raises(ValueError, match="a mixture is one start"):
            fit(WAITING, TWO_BELLS, n_starts=5)
        assert fit(WAITING, TWO_BELLS, n_starts=1).converged


def test_a_bar_for_the_steps_and_one_for_the_starts(capsys):
    said = fit(WAITING, TWO_BELLS)
    assert capsys.readouterr() == ("", "")
    assert_allclose(fit(WAITING, TWO_BELLS, progress=True).history, said.history, rtol=0)
    assert "EM" in capsys.readouterr().err
    found = fit(WAITING, 2, n_starts=3, progress=True)
    said = capsys.readouterr().err
    assert f"{found.n_steps} steps" in said
    assert "3 starts, best -1034.00" in said


def test_the_kernel_can_be_exchanged(monkeypatch):
    """fit asks `kernel` for one step for all its starts, and for nothing else."""
    asked, make_step = [], fitting.make_step

    def other(add_up, centre, covariance):
        asked.append((centre.shape, covariance))
        return make_step(add_up, centre, covariance)

    monkeypatch.setattr(fitting, "make_step", other)
    fit(FAITHFUL, 2, covariance="tied", n_starts=3, rng=0)
    assert asked == [((2,), "tied")]


class TestAsAUser:
    def test_a_seed_is_as_good_as_a_generator(self):
        first, again = fit(GALAXIES, 3, rng=7), fit(GALAXIES, 3, rng=np.random.default_rng(7))
        assert_allclose(first.history, again.history, rtol=0)
        assert np.any(fit(GALAXIES, 3, rng=8).history[0] != first.history[0])

    def test_a_fit_is_a_start(self):
        found = fit(WAITING, TWO_BELLS)
        again = fit(WAITING, found)
        assert again.n_iter <= 5
        assert_allclose(again.log_likelihood, found.log_likelihood, rtol=1e-12)

    def test_a_frame_of_pandas(self):
        frame = pd.DataFrame(FAITHFUL, columns=["eruption", "wait"])
        said = fit(FAITHFUL, TWO_ELLIPSES).history
        for table in (frame, frame.convert_dtypes(), frame.astype(object)):
            assert_allclose(fit(table, TWO_ELLIPSES).history, said, rtol=1e-12)
        assert_allclose(
            fit(frame["wait"], TWO_BELLS).history, fit(WAITING, TWO_BELLS).history, rtol=1e-14
        )
        frame.loc[3, "wait"] = None
        for table in (frame, frame.convert_dtypes()):
            with pytest.raises(ValueError, match=r"x\['wait'\]\.iloc\[3\].*missing.*x\.dropna\(\)"):
                fit(table, 2, rng=0)
        assert fit(frame.dropna(), TWO_ELLIPSES).converged
        frame["day"] = "Monday"
        with pytest.raises(ValueError, match=r"x\['day'\]\.iloc\[0\] is 'Monday'.*drop\(columns="):
            fit(frame, 2, rng=0)

    def test_a_row_that_lies_on_its_side(self):
        with pytest.raises(ValueError, match=r"one row of 272 columns, .*: x\[0\]"):
            fit(WAITING[None], 2, rng=0)
        with pytest.raises(ValueError, match=r"x has 2 rows for 272 columns.*x\.T"):
            fit(FAITHFUL.T, 2, rng=0)
        with pytest.raises(ValueError, match=r"\(272, 1\), but this Mixture .*: give x\[:, 0\]"):
            fit(WAITING[:, None], TWO_BELLS)

    def test_masked_rows_in_a_list_are_refused(self):
        rows = list(np.ma.masked_greater(FAITHFUL, 90))
        with pytest.raises(ValueError, match="masked"):
            fit(rows, 2, rng=0)

    def test_a_run_that_max_iter_stops_warns_where_it_was_called(self):
        with pytest.warns(
            em.NotConverged, match="stopped by max_iter after 3 iterations"
        ) as warned:
            fit(WAITING, 2, rng=0, max_iter=3)
        assert [warning.filename for warning in warned] == [__file__]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", em.NotConverged)  # as a user would silence it
            fit(WAITING, 2, rng=0, max_iter=3)
        fit(WAITING, 2, rng=0, tol=0, max_iter=3)

    def test_it_prints_a_few_lines(self):
        for found in (fit(WAITING, TWO_BELLS), fit(FAITHFUL, TWO_ELLIPSES)):
            lines = repr(found).splitlines()
            assert lines[0].startswith("log-likelihood -1")
            assert lines[0].endswith("iterations, converged")
            assert len(lines) == 4
            assert repr(found.parameters) == "\n".join(lines[1:])

    def test_a_fit_can_be_pickled(self):
        found = fit(FAITHFUL, TWO_ELLIPSES)
        again = pickle.loads(pickle.dumps(found))
        assert isinstance(again.parameters, MultivariateMixture)
        assert repr(again) == repr(found)

    def test_constant_columns_where_the_fit_needs_no_width_of_theirs(self):
        X = np.column_stack([FAITHFUL, np.full(272, 5.0)])
        circles = fit(X, 2, covariance="spherical", rng=0).parameters
        assert_allclose(circles.means[:, 2], 5, rtol=1e-12)
        found = fit(X, 2, min_std=0.1, rng=0).parameters
        assert_allclose(found.covariances[:, 2, 2], 0.01, rtol=1e-9)
        with pytest.raises(ValueError, match="columns 2 and 3 of x are constant"):
            fit(np.column_stack([X, np.ones(272)]), 2, rng=0)

    def test_numbers_no_square_can_hold(self):
        with pytest.raises(ValueError, match=r"means\[1\] of the mixture is 1e\+200"):
            fit(WAITING, TWO_BELLS._replace(means=[50, 1e200]))
        with pytest.raises(ValueError, match=r"min_std is 1e\+160"):
            fit(WAITING, 2, min_std=1e160, rng=0)
        stamps = 1_700_000_000_000_000_001 + np.arange(50) ** 2
        with pytest.raises(ValueError, match=r"2\*\*53"):
            fit(stamps, 2, rng=0)

    def test_covariances_of_float32_are_a_start(self):
        """As scikit-learn returns them: symmetric to what float32 holds."""
        start = kinds.checked_multivariate(TWO_ELLIPSES)
        uneven = start.covariances.astype(np.float32)
        uneven[:, 0, 1] *= np.float32(1 + 3e-7)
        found = fit(FAITHFUL, start._replace(covariances=uneven))
        assert_allclose(found.log_likelihood, -1130.26396018, rtol=1e-9)


class TestWeights:
    x = np.array([0, 0.5, 1, 1.5, 7, 8, 9, 10])
    start = Mixture([0.5, 0.5], [3, 5], [4, 4])

    @pytest.mark.parametrize("factor", [1e-300, 1e-13, 0.3, 1e13, 1e290])
    def test_a_common_factor_changes_no_estimate_and_no_step(self, factor):
        plain = fit(self.x, self.start)
        assert_allclose(plain.parameters.means, [0.75, 8.5], rtol=1e-6)
        found = fit(self.x, self.start, sample_weight=np.full(8, factor))
        assert (found.n_iter, found.converged) == (plain.n_iter, True)
        assert_same(found.parameters, plain.parameters, self.x.std(), rtol=1e-12)
        assert_allclose(found.history, plain.history * factor, rtol=1e-12)

    def test_nor_if_they_differ(self):
        weights = np.random.default_rng(0).uniform(0.1, 5, 272)
        plain = fit(WAITING, TWO_BELLS, sample_weight=weights, accelerate=False)
        for factor in (1e-200, 1e-13, np.pi, 1e200):
            found = fit(WAITING, TWO_BELLS, sample_weight=weights * factor, accelerate=False)
            assert found.n_iter == plain.n_iter
            assert_same(found.parameters, plain.parameters, WAITING.std(), rtol=1e-12)

    def test_counts_start_where_copies_do(self):
        """Years, and how many of each: 1,500 nats are lost if starts see the years alone."""
        r = np.random.default_rng(0)
        groups = (20, 2, 4000), (30, 2, 4000), (38, 1.5, 3000), (100, 60, 60)
        years = np.concatenate([r.normal(*group) for group in groups])
        counts = np.histogram(years, bins=np.arange(-0.5, 200.5))[0]
        options = {"min_std": 0.5, "tol": 1e-3, "n_starts": 3, "rng": 0}
        found = fit(np.arange(200), 4, sample_weight=counts, **options)
        said = fit(np.repeat(np.arange(200), counts), 4, **options)
        assert abs(found.log_likelihood - said.log_likelihood) < 1

    def test_one_heavy_observation_leaves_others_to_start_from(self):
        weights = np.append(1e6, np.ones(271))
        start = fit(WAITING, 3, sample_weight=weights, n_starts=1, rng=0, tol=0, max_iter=0)
        assert len(np.unique(start.parameters.means)) == 3

    def test_the_shape_of_a_start_is_weighted(self):
        weights = np.random.default_rng(0).uniform(0.1, 5, 272)
        options = {"sample_weight": weights, "tol": 0, "max_iter": 0, "rng": 0}
        said = np.cov(FAITHFUL.T, aweights=weights, bias=True)
        found = fit(FAITHFUL, 1, **options).parameters
        assert_allclose(found.covariances[0], said, rtol=1e-9)
        found = fit(FAITHFUL, 1, covariance="diag", **options).parameters
        assert_allclose(found.covariances[0], np.diag(np.diag(said)), rtol=1e-9)

    def test_the_order_of_weights_does_not_matter(self):
        weights = np.append(1e-6, np.ones(271))
        found = fit(WAITING, TWO_BELLS, sample_weight=weights, tol=1e-4)
        turned = fit(WAITING[::-1], TWO_BELLS, sample_weight=weights[::-1], tol=1e-4)
        assert found.n_iter == turned.n_iter

    def test_equal_weights_cost_nothing(self):
        assert fitting.Table(WAITING, np.full(272, 3.0)).sample_weight is None

    def test_whatever_the_weights_absent_ones_are_absent(self):
        weights = np.where(WAITING > 60, 2.5, 0)
        found = fit(WAITING, TWO_BELLS, sample_weight=weights, tol=0, max_iter=20)
        said = fit(WAITING[WAITING > 60], TWO_BELLS, tol=0, max_iter=20)
        assert_allclose(found.history, 2.5 * said.history, rtol=1e-13)


class TestUnits:
    @pytest.mark.parametrize("structure", ["full", "tied", "diag"])
    def test_the_unit_of_a_column_changes_no_start(self, structure):
        """k-means++ sees every column: in metres or in millimetres, it draws the same rows."""
        units = np.array([1e-5, 1, 1e3, 60])
        for seed in range(4):
            options = {"covariance": structure, "rng": seed, "n_starts": 1, "tol": 0, "max_iter": 0}
            plain, scaled = fit(IRIS, 3, **options), fit(IRIS * units, 3, **options)
            assert_allclose(scaled.parameters.means, plain.parameters.means * units, rtol=1e-12)

    def test_each_column_is_seen(self):
        """The second column tells the groups apart; the first is only larger."""
        rng = np.random.default_rng(0)
        X = np.column_stack([1e6 * rng.normal(size=300), np.repeat([0.0, 10, 20], 100)])
        X[:, 1] += rng.normal(size=300) / 10
        n_hit = 0
        for seed in range(20):
            means = fit(X, 3, rng=seed, n_starts=1, tol=0, max_iter=0).parameters.means
            n_hit += len(np.unique(means[:, 1].round(-1))) == 3
        assert n_hit >= 8  # 20 * 2 / 9 by chance

    def test_one_component_is_started_once(self, capsys):
        assert fit(WAITING, 1, rng=0, progress=True).n_starts == 1
        assert "1 start," in capsys.readouterr().err

    def test_quantiles_that_coincide_are_no_start(self):
        """Equal components would stay equal for ever."""
        x = np.append(np.zeros(90), np.arange(1.0, 11))
        start = fit(x, 2, n_starts=1, rng=0, tol=0, max_iter=0).parameters
        assert start.means[0] != start.means[1]


class TestCost:
    """In steps, which do not depend on the machine."""

    @pytest.mark.parametrize(
        ("x", "n_components", "most"),
        [
            (WAITING, 2, 320),
            (GALAXIES, 3, 400),
            (FAITHFUL, 2, 320),
            (IRIS, 3, 450),
            (data.enzyme(), 2, 320),
        ],
    )
    def test_steps_of_all_runs(self, x, n_components, most):
        for seed in range(3):
            assert fit(x, n_components, rng=seed).n_steps <= most

    def test_steps_are_counted(self, monkeypatch):
        n_steps, make_step = [0], fitting.make_step

        def counted(*arguments):
            step = make_step(*arguments)

            def counted_step(mixture):
                n_steps[0] += 1
                return step(mixture)

            return counted_step

        monkeypatch.setattr(fitting, "make_step", counted)
        monkeypatch.setattr(fitting, "FEW", 0)  # all short runs one by one
        said = fit(WAITING, 3, rng=0).n_steps
        assert said <= n_steps[0] <= said + 40  # some more to look at what is suspicious

    @pytest.mark.parametrize("structure", ["diag", "spherical"])
    def test_memory_of_a_thousand_columns(self, structure):
        """20 MB, 16 of which are the covariances that it returns; D x D work would take 300."""
        X = np.random.default_rng(0).normal(size=(400, 1000))
        X[:200] += 1
        options = {"covariance": structure, "tol": 0, "max_iter": 5, "rng": 0}
        tracemalloc.start()
        try:
            fit(X, 2, n_starts=1, **options)
            assert tracemalloc.get_traced_memory()[1] < 20e6
        finally:
            tracemalloc.stop()

    @pytest.mark.timing
    @pytest.mark.parametrize("structure", ["diag", "spherical"])
    def test_time_of_a_thousand_columns(self, structure):
        """Five steps, and the start, within three times scikit-learn's time for the same."""
        X = np.random.default_rng(0).normal(size=(400, 1000))
        X[:200] += 1
        ours = partial(fit, X, 2, covariance=structure, n_starts=1, tol=0, max_iter=5, rng=0)
        peer = GaussianMixture(2, covariance_type=structure, max_iter=5, tol=0, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            seconds, theirs = (
                min(repeat(f, number=1, repeat=9)) for f in (ours, lambda: peer.fit(X))
            )
        assert seconds < 3 * theirs
