import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from emtools import arrays, data, em, logspace, starts
from emtools.collapse import Collapse
from emtools.mixture import Mixture

WAITING = data.waiting()
GALAXIES = data.galaxies() / 1000
HALVES = np.array([0.5, 0.5])
TWO_BELLS = Mixture(HALVES, np.array([50.0, 80.0]), np.array([5.0, 5.0]))
THREE_BELLS = Mixture(np.full(3, 1 / 3), np.array([50.0, 65.0, 80.0]), np.full(3, 5.0))
PLATEAU = Mixture(HALVES, WAITING.mean() + np.array([-0.01, 0.01]), np.full(2, WAITING.std()))


def step_on(x):
    return em.step_on(x, logspace.e_step, logspace.m_step)


def halving(gap):
    """A made-up EM: each step halves the distance to 0 and reports it as a log-likelihood."""
    return gap / 2, -gap


@pytest.fixture(scope="module")
def limits():
    """Log-likelihoods to which the runs below climb, each followed to a last gain of noise."""
    return {
        2: em.iterate(step_on(WAITING), TWO_BELLS, tol=1e-13).log_likelihood,
        3: em.iterate(step_on(WAITING), THREE_BELLS, tol=1e-13).log_likelihood,
    }


class TestIterate:
    def test_history_belongs_to_the_parameters(self):
        fit = em.iterate(step_on(WAITING), TWO_BELLS, tol=0, max_iter=7)
        mixture = TWO_BELLS
        for i in range(8):
            resp, log_likelihood = logspace.e_step(WAITING, mixture)
            assert_allclose(fit.history[i], log_likelihood, rtol=1e-15)
            if i < 7:
                mixture = logspace.m_step(WAITING, resp)
        for seen, said in zip(fit.parameters, mixture, strict=True):
            assert_allclose(seen, said, rtol=1e-15)
        assert fit.log_likelihood == fit.history[-1]
        assert (fit.n_iter, fit.converged, fit.history.shape) == (7, False, (8,))
        assert (type(fit.converged), type(fit.log_likelihood)) == (bool, float)

    @given(st.integers(0, 300))
    def test_tol_0_runs_exactly_max_iter_even_when_nothing_moves(self, max_iter):
        calls = []

        def step(parameters):
            calls.append(parameters)
            return parameters, -1.0

        fit = em.iterate(step, 0, tol=0, max_iter=max_iter)
        assert (fit.n_iter, fit.converged, len(calls)) == (max_iter, False, max_iter + 1)
        assert_allclose(fit.history, np.full(max_iter + 1, -1.0), rtol=0)

    def test_max_iter_0_evaluates_the_start(self):
        fit = em.iterate(halving, 8.0, tol=0, max_iter=0)
        assert fit == em.Fit(8.0, -8.0, fit.history, 0, False, "max_iter")

    def test_a_run_that_max_iter_stops_warns(self):
        with pytest.warns(
            em.NotConverged, match="stopped by max_iter after 3 iterations"
        ) as warned:
            fit = em.iterate(halving, 8.0, max_iter=3)
        assert not fit.converged
        assert warned[0].filename == __file__  # where the reader called it
        em.iterate(halving, 8.0, tol=0, max_iter=3)  # so many were asked for

    def test_a_fit_prints_a_few_lines(self):
        fit = em.iterate(halving, 8.0, tol=0, max_iter=3)
        assert repr(fit) == "log-likelihood -1 after 3 iterations, not converged\n1.0"

    def test_noise_stops_as_converged(self):
        fit = em.iterate(lambda p: (p, -1234.5), 0)
        assert (fit.n_iter, fit.converged) == (1, True)

    @pytest.mark.parametrize(("fall", "n_iter"), [(4e-9, 2), (6e-9, 4)])
    def test_a_small_fall_is_rounding_and_a_larger_one_is_not(self, fall, n_iter):
        """EM never falls: up to 1e-9 of the log-likelihood it ends the run, beyond it does not."""
        history = [-10.0, -5.0, -5.0 - fall, -4.0, -4.0]
        fit = em.iterate(lambda i: (i + 1, history[i]), 0)
        assert (fit.n_iter, fit.converged) == (n_iter, True)

    def test_what_counts_as_noise(self):
        """32 eps of the log-likelihood, or of 1 if that is larger: rounding, and what it leaves."""
        eps = np.finfo(float).eps
        for history, size in [([0.0], 1), ([-1e-5], 1), ([-3e6], 3e6), ([3e6], 3e6)]:
            small, large = (history[0] + factor * eps * size for factor in (24, 40))
            assert em.is_noise([*history, small])
            assert not em.is_noise([*history, large])

    def test_a_million_observations_stop_at_rounding_noise(self):
        """Gains jitter by some eps of the log-likelihood for ever; tol is far below them."""
        rng = np.random.default_rng(0)

        def step(gap):
            return gap / 2, -4e6 - gap + 2e-8 * rng.uniform(-1, 1)

        fit = em.iterate(step, 1.0, tol=1e-12)
        assert fit.converged
        assert fit.n_iter < 100

    @given(st.floats(0.05, 0.97), st.sampled_from([1e-2, 1e-4, 1e-6]))
    def test_on_a_geometric_history_it_stops_at_the_first_step_within_tol(self, ratio, tol):
        fit = em.iterate(lambda gap: (gap * ratio, -gap), 1.0, tol=tol)
        assert fit.converged
        assert fit.parameters < tol * (1 + 1e-6)
        if fit.n_iter > 4:  # the rule needs four gains
            assert fit.parameters / ratio > tol * (1 - 1e-6)

    @pytest.mark.parametrize(("tol", "n_iter"), [(1e-4, 12), (1e-6, 17), (1e-8, 23)])
    def test_two_bells_stop_where_they_should(self, tol, n_iter, limits):
        fit = em.iterate(step_on(WAITING), TWO_BELLS, tol=tol)
        assert (fit.n_iter, fit.converged) == (n_iter, True)
        assert limits[2] - fit.log_likelihood < tol

    def test_the_plateau_is_not_the_end(self, limits):
        """The last gain is under 1e-5 with 61 nats to go, and the ratio of gains is above 1."""
        fit = em.iterate(step_on(WAITING), PLATEAU, tol=1e-4)
        assert limits[2] - fit.history[2] > 61
        assert 0 < fit.history[2] - fit.history[1] < 1e-5
        assert fit.n_iter == 77
        assert_allclose(limits[2] - fit.log_likelihood, 9.39e-5, rtol=1e-3)

    def test_it_is_an_estimate_and_no_bound(self, limits):
        fit = em.iterate(step_on(WAITING), THREE_BELLS, tol=1e-4)
        assert_allclose(limits[3] - fit.log_likelihood, 4.0e-4, rtol=0.01)
        fit = em.iterate(step_on(WAITING), THREE_BELLS, tol=1e-6)
        assert abs(fit.n_iter - 1590) < 20  # rounding decides when a ratio of .996 has settled
        assert_allclose(limits[3] - fit.log_likelihood, 1.0e-6, rtol=0.05)

    def test_collapse_gets_its_iteration(self):
        def step(gap):
            if gap < 0.2:
                raise Collapse(1, "has collapsed", "Rest")
            return gap / 2, -gap

        with pytest.raises(Collapse, match="at iteration 3, component 1 ") as info:
            em.iterate(step, 1.0)
        assert (info.value.component, info.value.iteration) == (1, 3)
        assert em.iterate(step, 1.0, tol=0, max_iter=2).n_iter == 2  # before it has happened

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_a_log_likelihood_that_is_not_finite_is_no_result(self, bad):
        with pytest.raises(ValueError, match=f"log-likelihood is {bad} at iteration 2"):
            em.iterate(lambda i: (i + 1, bad if i == 2 else float(i)), 0)

    @pytest.mark.parametrize("tol", [-1e-3, np.nan, np.inf, "1e-3", None, True])
    def test_bad_tol(self, tol):
        with pytest.raises(ValueError, match="tol must be"):
            em.iterate(halving, 1.0, tol=tol)

    @pytest.mark.parametrize("max_iter", [-1, 2.5, 10.0, "10", None, True])
    def test_bad_max_iter(self, max_iter):
        with pytest.raises(ValueError, match="max_iter must be"):
            em.iterate(halving, 1.0, max_iter=max_iter)

    def test_numpy_numbers_are_numbers(self):
        fit = em.iterate(halving, 1.0, tol=np.float32(0), max_iter=np.int64(3))
        assert fit.n_iter == 3


class TestAitkenGap:
    @given(st.floats(0.01, 0.99), st.floats(-1e3, 1e3))
    def test_exact_for_a_geometric_history(self, ratio, limit):
        history = [limit - 1000 * ratio**i for i in range(6)]
        assert_allclose(em.aitken_gap(history), 1000 * ratio**5, rtol=1e-6)

    def test_refuses_before_four_gains(self):
        history = [-(0.5**i) for i in range(5)]
        assert all(np.isinf(em.aitken_gap(history[:n])) for n in range(5))
        assert_allclose(em.aitken_gap(history), 0.5**4, rtol=1e-12)

    @pytest.mark.parametrize(
        "gains",
        [
            [1, 1.2, 1.44, 1.728],  # growing
            [1, 1, 1, 1],  # a ratio of exactly one
            [1, 0.5, 0.25, -0.1],  # a fall
            [1, 0, 0, 0],
            [-1, -0.5, -0.25, -0.125],  # falling for ever
            [1, 0.5, 0.25, 0.1],  # the ratio moves from .5 to .4
            [1, 0.4, 0.2, 0.1],  # it has only just come to rest
        ],
    )
    def test_refuses_what_has_not_settled(self, gains):
        assert np.isinf(em.aitken_gap(np.cumsum([0, *gains])))

    def test_accepts_a_change_under_5_percent_of_one_minus_the_ratio(self):
        for change, settled in ((0.0049, True), (0.0051, False)):
            gains = np.cumprod([1, 0.9 - change, 0.9 - change, 0.9])
            assert np.isfinite(em.aitken_gap(np.cumsum([0, *gains]))) == settled

    def test_old_faithful_step_9_good_and_step_57_fooled(self, limits):
        history = em.iterate(step_on(WAITING), TWO_BELLS, tol=0, max_iter=9).history
        assert_allclose(em.aitken_gap(history), 5.93e-4, rtol=1e-3)
        assert_allclose(limits[2] - history[-1], 5.91e-4, rtol=1e-3)
        history = em.iterate(step_on(WAITING), THREE_BELLS, tol=0, max_iter=57).history
        assert_allclose(em.aitken_gap(history), 2.1e-5, rtol=0.01)
        assert_allclose(limits[3] - history[-1], 3.4e-4, rtol=0.01)


class TestPublished:
    def test_1_2_3(self):
        """A question asked in public: why did the log-likelihood decrease?"""
        x = np.array([1.0, 2.0, 3.0])
        start = Mixture(HALVES, np.array([1.0, 3.0]), np.ones(2))
        right = em.iterate(step_on(x), start, tol=0, max_iter=2)
        assert_allclose(right.history, [-4.3893, -3.5492, -3.4868], atol=5e-5, rtol=0)

        def variance_as_std(x, resp):
            new = arrays.m_step(x, resp)
            return new._replace(stds=new.stds**2)

        wrong = em.iterate(
            em.step_on(x, logspace.e_step, variance_as_std), start, tol=0, max_iter=2
        )
        assert_allclose(wrong.history, [-4.3893, -3.6760, -6.1948], atol=5e-5, rtol=0)

    def test_old_faithful(self):
        """The values mclust, mixtools and scikit-learn agree on."""
        fit = em.iterate(step_on(WAITING), TWO_BELLS, tol=1e-13)
        assert_allclose(fit.log_likelihood, -1034.00174983161, rtol=1e-12)
        assert_allclose(fit.parameters.weights, [0.36088610, 0.63911390], rtol=1e-6)
        assert_allclose(fit.parameters.means, [54.614857, 80.091070], rtol=1e-6)
        assert_allclose(fit.parameters.stds, [5.8712202, 5.8677339], rtol=1e-6)

    def test_map_of_the_galaxies(self):
        """225 starts, one std of 1000 km/s: four ends, each with its number of cells."""
        grid = np.linspace(9, 34.3, 15)
        step, ends = step_on(GALAXIES), Counter()
        for first in grid:
            for second in grid:
                start = Mixture(HALVES, np.array([first, second]), np.ones(2))
                ends[round(em.iterate(step, start, tol=1e-8).log_likelihood, 4)] += 1
        assert ends == {-220.2433: 74, -220.0580: 70, -236.8751: 66, -240.3379: 15}

    @pytest.mark.parametrize(
        ("means", "std", "said"),
        [
            ((10, 22), 1, -220.058),
            ((20, 22), 1, -220.243),
            ((21, 33), 1, -236.875),
            ((10, 21, 33), 1, -203.179),
            ((20, 22, 24), 4, -212.080),
            ((10, 20, 22), 1, -209.733),
            ((10, 16, 23, 33), 1, -197.454),
            ((10, 20, 22, 24), 1, -199.253),
            ((10, 20, 23, 33), 1, -202.161),
            ((16, 20, 23, 33), 1, -206.460),
        ],
    )
    def test_maxima_of_the_galaxies(self, means, std, said):
        n_components = len(means)
        start = Mixture(
            np.full(n_components, 1 / n_components),
            np.array(means, dtype=float),
            np.full(n_components, float(std)),
        )
        fit = em.iterate(step_on(GALAXIES), start, tol=1e-6)
        assert_allclose(fit.log_likelihood, said, atol=1e-3, rtol=0)


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 100_000))
def test_the_log_likelihood_never_falls(seed):
    """200 random problems in one dimension, followed until they collapse or for 50 steps."""
    rng = np.random.default_rng(seed)
    n_components = int(rng.integers(1, 5))
    x = rng.normal(rng.choice(rng.uniform(-10, 10, 3), 40), rng.uniform(0.3, 3))
    step = step_on(x)

    def careful(mixture):
        if mixture.stds.min() < 1e-6:
            raise Collapse(int(mixture.stds.argmin()), "has collapsed", "Rest")
        return step(mixture)

    start = starts.mixture_at(x, starts.random_points(x, n_components, rng))
    for max_iter in (50, 5, 1):
        try:
            history = em.iterate(careful, start, tol=0, max_iter=max_iter).history
            break
        except Collapse:
            continue
    assert np.all(np.diff(history) >= -1e-9 * np.maximum(1, np.abs(history[1:])))


class TestProgress:
    def test_a_bar_changes_nothing_and_is_silent_by_default(self, capsys):
        quiet = em.iterate(step_on(WAITING), TWO_BELLS)
        assert capsys.readouterr() == ("", "")
        shown = em.iterate(step_on(WAITING), TWO_BELLS, progress=True)
        assert "EM" in capsys.readouterr().err
        assert_allclose(shown.history, quiet.history, rtol=0)

    def test_importing_stays_light(self):
        heavy = ["tqdm", "matplotlib", "ipywidgets", "scipy", "sklearn", "pandas", "IPython"]
        code = f"""
import sys, emtools, emtools.bound
emtools.fit([1.0, 2, 3, 7, 8, 9], 2, n_starts=1)
print([name for name in {heavy} if name in sys.modules])
"""
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert run.stdout.strip() == "[]"
