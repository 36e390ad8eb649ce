import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from emtools import bound, data, em, logspace, multivariate, sample
from emtools.mixture import Mixture
from emtools.multivariate import MultivariateMixture

FAITHFUL = data.old_faithful()
STANDARDISED = (FAITHFUL - FAITHFUL.mean(axis=0)) / FAITHFUL.std(axis=0)
PRML = MultivariateMixture(
    np.array([0.5, 0.5]), np.array([[-1.5, 1.0], [1.5, -1.0]]), np.tile(np.eye(2), (2, 1, 1))
)
STRUCTURES = sorted(multivariate.STRUCTURES)
seeds = st.integers(0, 100_000)


def random_mixture(rng, n_components, n_features):
    roots = rng.normal(size=(n_components, n_features, n_features + 2))
    return MultivariateMixture(
        rng.dirichlet(np.full(n_components, 5.0)),
        rng.normal(scale=4, size=(n_components, n_features)),
        roots @ roots.transpose(0, 2, 1) / (n_features + 2),
    )


def random_problem(seed):
    rng = np.random.default_rng(seed)
    n_components, n_features = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    mixture = random_mixture(rng, n_components, n_features)
    return sample(mixture, 60, rng)[0], mixture, rng


class TestLogPdf:
    def test_by_hand(self):
        """L = [[2, 0], [1, 1]], scaled = (1, 2), log density -5/2 - log 2 - log 2 pi."""
        seen = multivariate.log_pdf(
            np.array([[2.0, 3.0]]), np.zeros((1, 2)), np.array([[[4.0, 2.0], [2.0, 2.0]]])
        )
        assert_allclose(seen, [[-2.5 - np.log(2) - np.log(2 * np.pi)]], rtol=1e-14)
        assert_allclose(seen, -5.0310, atol=5e-5)

    @settings(deadline=None)
    @given(seeds)
    def test_scipy(self, seed):
        X, mixture, _ = random_problem(seed)
        seen = multivariate.log_pdf(X, mixture.means, mixture.covariances)
        said = [
            multivariate_normal(mean, covariance).logpdf(X)
            for mean, covariance in zip(mixture.means, mixture.covariances, strict=True)
        ]
        assert_allclose(seen.T, said, rtol=1e-9)

    def test_400_features(self):
        """Here the determinant of .1 I is 0.0 in float64; half its log is -460.5."""
        said = -200 * np.log(2 * np.pi) - 200 * np.log(0.1)
        seen = multivariate.log_pdf(np.zeros((1, 400)), np.zeros((1, 400)), 0.1 * np.eye(400)[None])
        assert_allclose(seen, [[said]], rtol=1e-12)

    def test_columns_whose_scales_differ_by_1e16(self):
        scale = np.array([1e-8, 1e8])
        covariance = np.array([[4.0, 2.0], [2.0, 2.0]])
        x = np.array([[2.0, 3.0]])
        plain = multivariate.log_pdf(x, np.zeros((1, 2)), covariance[None])
        scaled = multivariate.log_pdf(
            x * scale, np.zeros((1, 2)), (covariance * np.outer(scale, scale))[None]
        )
        assert_allclose(scaled, plain - np.log(scale).sum(), rtol=1e-13)
        swapped = multivariate.log_pdf(
            (x * scale)[:, ::-1],
            np.zeros((1, 2)),
            (covariance * np.outer(scale, scale))[None, ::-1, ::-1],
        )
        assert_allclose(swapped, scaled, rtol=1e-13)


class TestSteps:
    @settings(deadline=None)
    @given(seeds)
    def test_responsibilities_sum_to_one(self, seed):
        X, mixture, _ = random_problem(seed)
        resp, _ = multivariate.e_step(X, mixture)
        assert_allclose(resp.sum(axis=1), 1, rtol=1e-12)
        assert np.all(resp >= 0)

    @settings(deadline=None)
    @given(seeds)
    def test_one_hot_responsibilities_give_the_moments_of_the_classes(self, seed):
        X, mixture, rng = random_problem(seed)
        n_components = len(mixture.weights)
        labels = np.concatenate(
            [np.arange(n_components).repeat(2), rng.integers(0, n_components, 52)]
        )
        labels = labels[: len(X)]
        X = X[: len(labels)]
        new = multivariate.m_step(X, np.eye(n_components)[labels])
        for k in range(n_components):
            members = X[labels == k]
            assert_allclose(new.weights[k], len(members) / len(X), rtol=1e-12)
            assert_allclose(new.means[k], members.mean(axis=0), rtol=1e-9, atol=1e-12)
            assert_allclose(
                new.covariances[k],
                np.atleast_2d(np.cov(members.T, bias=True)),
                rtol=1e-9,
                atol=1e-12,
            )

    @settings(deadline=None)
    @given(seeds)
    def test_one_feature_is_chapter_03(self, seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=30)
        plain = Mixture(rng.dirichlet(np.ones(3)), rng.normal(size=3), rng.uniform(0.5, 2, 3))
        same = MultivariateMixture(
            plain.weights, plain.means[:, None], plain.stds[:, None, None] ** 2
        )
        resp, log_likelihood = logspace.e_step(x, plain)
        seen, seen_log_likelihood = multivariate.e_step(x[:, None], same)
        assert_allclose(seen, resp, rtol=1e-10, atol=1e-300)
        assert_allclose(seen_log_likelihood, log_likelihood, rtol=1e-12)
        new, said = multivariate.m_step(x[:, None], resp), logspace.m_step(x, resp)
        assert_allclose(new.weights, said.weights, rtol=1e-12)
        assert_allclose(new.means[:, 0], said.means, rtol=1e-9, atol=1e-12)
        assert_allclose(new.covariances[:, 0, 0], said.stds**2, rtol=1e-10)

    @pytest.mark.parametrize("structure", STRUCTURES)
    @settings(deadline=None, max_examples=30)
    @given(seed=seeds)
    def test_the_structured_m_step_maximises_the_bound(self, structure, seed):
        """Against neighbours of the same structure: none has a larger expected log joint."""
        X, mixture, rng = random_problem(seed)
        resp = rng.dirichlet(np.ones(len(mixture.weights)), size=len(X))  # any q will do
        restrict = multivariate.STRUCTURES[structure]
        best = restrict(multivariate.m_step(X, resp))
        assume(np.linalg.cond(best.covariances).max() < 1e10)  # too few observations for a shape
        top = bound.expected_log_joint(multivariate.log_joint(X, best), resp)
        for _ in range(5):
            n_components, n_features = best.means.shape
            root = np.eye(n_features) + 0.05 * rng.normal(
                size=(n_components, n_features, n_features)
            )
            moved = root @ best.covariances @ root.transpose(0, 2, 1)
            weights = best.weights * np.exp(0.05 * rng.normal(size=n_components))
            other = restrict(MultivariateMixture(weights / weights.sum(), best.means, moved))
            q = bound.expected_log_joint(multivariate.log_joint(X, other), resp)
            assert q <= top + 1e-9 * abs(top)

    def test_prml_run(self):
        """The set-up of PRML's figure 9.8; log-likelihoods from scikit-learn."""
        step = em.step_on(STANDARDISED, multivariate.e_step, multivariate.m_step)
        history = em.iterate(step, PRML, tol=0, max_iter=60).history
        said = {0: -1150.2020, 1: -536.8877, 2: -527.8716, 3: -502.6238, 4: -461.5516}
        said |= {5: -448.4569, 10: -395.5739}
        for i, log_likelihood in said.items():
            assert_allclose(history[i], log_likelihood, atol=5e-5, rtol=0)
        assert_allclose(history[20], -385.46069563, atol=5e-9, rtol=0)
        assert_allclose(history[60], -385.4606956298, atol=1e-7, rtol=0)


class TestStructures:
    mixture = MultivariateMixture(
        np.array([0.25, 0.75]),
        np.zeros((2, 2)),
        np.array([[[4.0, 1.0], [1.0, 2.0]], [[8.0, -1.0], [-1.0, 4.0]]]),
    )

    @pytest.mark.parametrize(
        ("structure", "said"),
        [
            ("full", [[[4, 1], [1, 2]], [[8, -1], [-1, 4]]]),
            ("tied", [[[7, -0.5], [-0.5, 3.5]]] * 2),
            ("diag", [[[4, 0], [0, 2]], [[8, 0], [0, 4]]]),
            ("spherical", [[[3, 0], [0, 3]], [[6, 0], [0, 6]]]),
        ],
    )
    def test_by_hand(self, structure, said):
        new = multivariate.STRUCTURES[structure](self.mixture)
        assert_allclose(new.covariances, said, rtol=1e-15)
        again = multivariate.STRUCTURES[structure](new)
        assert_allclose(again.covariances, said, rtol=1e-15)

    def test_how_many_parameters(self):
        counts = [multivariate.n_parameters(2, 2, c) for c in ("full", "tied", "diag", "spherical")]
        assert counts == [11, 8, 9, 7]
        counts = [multivariate.n_parameters(3, 4, c) for c in ("full", "tied", "diag", "spherical")]
        assert counts == [44, 24, 26, 17]
        assert multivariate.n_parameters(3, 1) == 8  # 3 K - 1


def test_mixture_at():
    mixture = multivariate.mixture_at(FAITHFUL, FAITHFUL[:3])
    assert_allclose(mixture.weights, [1 / 3] * 3, rtol=1e-15)
    assert_allclose(mixture.means, FAITHFUL[:3], rtol=0)
    for covariance in mixture.covariances:
        assert_allclose(covariance, np.cov(FAITHFUL.T, bias=True), rtol=1e-12)
