"""The answer that `fit` gives with its defaults: how often the right one, in how many steps.

Steps, since they are the same on every machine; seconds are measured by `make bench`.
"""

from functools import cache
from statistics import median

import numpy as np
import pytest

import emtools
from emtools import Mixture, MultivariateMixture, data

N_SEEDS = 20
WORK = {
    "waits 2": (data.waiting(), 2),
    "waits 3": (data.waiting(), 3),
    "waits 4": (data.waiting(), 4),
    "galaxies 4": (data.galaxies() / 1000, 4),
    "acidity 3": (data.acidity(), 3),
    "iris 3": (data.iris()[0], 3),
    "Old Faithful 2": (data.old_faithful(), 2),
    "one bell 2": (np.random.default_rng(7).normal(size=1000), 2),
}
# The highest that anybody has found, in nats, spikes excepted. (Of the waits one start in hundreds
# leads to -1029.3282239, with two bells 0.74 and 1.26 wide: the rule for spikes does not mind.)
BEST = {
    "waits 2": -1034.0017498,
    "waits 3": -1031.6347087,
    "waits 4": -1030.9018504,
    "galaxies 4": -197.4537638,
    "acidity 3": -178.7543971,
    "iris 3": -180.1854771,
    "Old Faithful 2": -1130.2639602,
    "one bell 2": -1357.2630300,
}
MOST_STEPS = {"waits 3": 1200, "galaxies 4": 700, "acidity 3": 700, "one bell 2": 3000}


@cache
def fits(name):
    """What twenty readers would get."""
    x, n_components = WORK[name]
    return [emtools.fit(x, n_components, rng=seed) for seed in range(N_SEEDS)]


class TestTheBestKnownEnd:
    @pytest.mark.parametrize("name", WORK)
    def test_is_found_in_18_of_20(self, name):
        missed = [BEST[name] - fit.log_likelihood for fit in fits(name)]
        missed = [round(nats, 7) for nats in missed if nats > 1e-6]
        assert len(missed) <= 2, f"missed by {missed} nats"

    @pytest.mark.parametrize("name", WORK)
    def test_is_one_to_believe(self, name):
        assert not any(fit.suspicious for fit in fits(name))
        assert all(fit.converged for fit in fits(name))

    @pytest.mark.parametrize("name", MOST_STEPS)
    def test_takes_few_steps(self, name):
        steps = [fit.n_steps for fit in fits(name)]
        assert median(steps) <= MOST_STEPS[name], f"median {median(steps)}, at most {max(steps)}"
        assert max(steps) <= 2 * MOST_STEPS[name]


class TestTheStartsThatAgree:
    @pytest.mark.parametrize("name", WORK)
    def test_are_counted(self, name):
        for fit in fits(name):
            followed = sum(end.n_starts for end in fit.ends)
            assert all(end.n_starts >= 1 for end in fit.ends)
            assert followed + fit.n_collapsed <= fit.n_starts

    @pytest.mark.parametrize("name", WORK)
    def test_are_those_of_the_highest_sane_end(self, name):
        for fit in fits(name):
            heights = [end.log_likelihood for end in fit.ends]
            assert heights == sorted(heights, reverse=True)
            winner = next(end for end in fit.ends if not end.suspicious)
            np.testing.assert_allclose(winner.log_likelihood, fit.log_likelihood, rtol=1e-12)
            for part, same in zip(winner.parameters, fit.parameters, strict=True):
                np.testing.assert_allclose(part, same, rtol=1e-8)

    @pytest.mark.parametrize("name", ["waits 2", "acidity 3", "Old Faithful 2"])
    def test_are_at_least_three_where_there_is_one_hill(self, name):
        assert min(fit.ends[0].n_starts for fit in fits(name)) >= 3

    def test_a_lower_end_is_told_apart(self):
        """Two ends of the galaxies: the lower one has been published, too (chapter 05)."""
        lower = [end for fit in fits("galaxies 4") for end in fit.ends[1:]]
        assert lower, "nobody has found another one"
        assert all(BEST["galaxies 4"] - end.log_likelihood > 0.01 for end in lower)


def row(n_groups, seed):
    """Groups of 50 numbers, 10 widths apart."""
    rng = np.random.default_rng(seed)
    return rng.normal(10 * np.arange(n_groups)[:, None], 1, (n_groups, 50))


def grid(n_rows, n_columns, seed):
    """Groups of 60 points of the plane, 10 widths apart."""
    rng = np.random.default_rng(seed)
    means = 10 * np.argwhere(np.ones((n_rows, n_columns)))
    return rng.normal(means[:, None], 1, (len(means), 60, 2))


def end_at(groups):
    """The log-likelihood of the end at which each group has a bell of its own."""
    weights, means = np.full(len(groups), 1 / len(groups)), groups.mean(axis=1)
    if groups.ndim == 2:
        start = Mixture(weights, means, groups.std(axis=1))
        return emtools.fit(groups.ravel(), start).log_likelihood
    covariances = np.stack([np.cov(group.T, bias=True) for group in groups])
    start = MultivariateMixture(weights, means, covariances)
    return emtools.fit(groups.reshape(-1, 2), start).log_likelihood


def missed(groups, seed):
    """How many nats `fit` stays below that end."""
    x = groups.reshape(-1, *groups.shape[2:])
    return end_at(groups) - emtools.fit(x, len(groups), rng=seed).log_likelihood


class TestGroupsThatLieApart:
    """A part of what was tried: K = 2 to 20 and all grids, with twenty seeds each, take minutes."""

    def test_are_found_in_a_row(self):
        runs = [(k, seed) for k in range(2, 11) for seed in range(4)] + [(15, 0), (20, 0)]
        nats = {(k, seed): missed(row(k, seed), seed) for k, seed in runs}
        assert sum(n > 1e-6 for n in nats.values()) <= 0.05 * len(nats), nats

    def test_are_found_in_a_grid(self):
        shapes = [(2, 2), (2, 3), (3, 3), (2, 5), (3, 4), (4, 4), (4, 5), (5, 5)]
        runs = [(*shape, seed) for shape in shapes for seed in range(4)]
        nats = {run: missed(grid(*run), run[-1]) for run in runs}
        assert sum(n > 1e-6 for n in nats.values()) <= 0.05 * len(nats), nats
