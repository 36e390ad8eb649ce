import itertools
import weakref

import numpy as np
import pytest
from chunked import (
    BOTH,
    FAITHFUL,
    STRUCTURES,
    TWO_BELLS,
    TWO_ELLIPSES,
    UNEVEN,
    WAITING,
    assert_same_parameters,
    cut,
)
from numpy.testing import assert_allclose

import emtools
from emtools import Mixture, MultivariateMixture, fit, kinds, multivariate
from emtools.collapse import Collapse
from emtools.scale.stream import fit_stream


def share(chunks, exponent, dtype=float):
    """Eta of the last of these chunks: (k + 2)**-exponent if all are of one length."""
    lengths = [len(chunk) for chunk in chunks]
    rows = np.asarray(lengths, dtype) / max(lengths)
    return rows[-1] * (rows.sum() + 1) ** -exponent


def stepwise(chunks, mixture, exponent=0.7, structure="full"):
    """Stepwise EM from its formula: s <- (1 - eta) s + eta s_chunk, eta = (k + 2)**-exponent."""
    weights, means, covariances = multivariate.STRUCTURES[structure](mixture)
    second = covariances + np.einsum("ki,kj->kij", means, means)
    s = [weights, weights[:, None] * means, weights[:, None, None] * second]
    mixture, scores = MultivariateMixture(weights, means, covariances), []
    for k, X in enumerate(chunks):
        resp, log_likelihood = multivariate.e_step(X, mixture)
        scores.append(log_likelihood / len(X))
        products = np.einsum("nk,ni,nj->kij", resp, X, X)
        s_chunk = [part / len(X) for part in (resp.sum(axis=0), resp.T @ X, products)]
        eta = share(chunks[: k + 1], exponent)
        s = [(1 - eta) * old + eta * new for old, new in zip(s, s_chunk, strict=True)]
        means = s[1] / s[0][:, None]
        covariances = s[2] / s[0][:, None, None] - np.einsum("ki,kj->kij", means, means)
        mixture = multivariate.STRUCTURES[structure](MultivariateMixture(s[0], means, covariances))
    return mixture, scores


def stepwise_in_one_dimension(chunks, mixture, exponent, min_std=0):
    """The same for (n,) chunks, in the precision of the mixture, about its first means."""
    (weights, means, stds), origins, scores = mixture, mixture.means, []
    s, stds = [weights, 0 * weights, weights * stds**2], np.maximum(stds, min_std)
    for k, x in enumerate(chunks):
        scaled = (x[:, None] - means) / stds
        joint = np.log(weights / stds) - scaled**2 / 2 - np.log(2 * np.pi) / 2
        log_density = np.logaddexp.reduce(joint, axis=1, keepdims=True)
        scores.append(log_density.mean())
        resp, shifted = np.exp(joint - log_density), x[:, None] - origins
        eta = share(chunks[: k + 1], float(exponent), weights.dtype)
        s = [(1 - eta) * s[j] + eta * (resp * shifted**j).sum(axis=0) / len(x) for j in range(3)]
        shifts = s[1] / s[0]
        weights, means = s[0], origins + shifts
        stds = np.maximum(np.sqrt(s[2] / s[0] - shifts**2), min_std)
    return Mixture(weights, means, stds), scores


class TestStream:
    @pytest.mark.parametrize("exponent", [0.51, 0.7, 1, np.int64(1), np.uint8(1), np.float32(0.75)])
    def test_the_formula(self, exponent):
        """In one dimension, written out."""
        mixture = Mixture(*map(np.array, TWO_BELLS))
        chunks = cut(WAITING, *UNEVEN)
        seen = fit_stream(chunks, mixture, exponent=exponent)
        mixture, scores = stepwise_in_one_dimension(chunks, mixture, exponent)
        assert_same_parameters(seen.parameters, mixture)
        assert_allclose(seen.scores, scores, rtol=1e-10)
        assert (seen.n_samples, seen.scores.shape) == (272, (6,))

    def test_the_formula_with_a_floor(self):
        """Averages are kept as they are; only the mixture made of them is raised."""
        start, chunks = Mixture(*map(np.array, TWO_BELLS)), cut(WAITING, *range(40, 272, 40))
        found, scores = stepwise_in_one_dimension(chunks, start, 0.7, min_std=5.97)
        seen = fit_stream(chunks, start, min_std=5.97)
        assert_same_parameters(seen.parameters, found)
        assert_allclose(seen.scores, scores, rtol=1e-10)
        assert found.stds.min() == 5.97 < found.stds.max()

    @pytest.mark.parametrize("width", [1e-3, 1e-6, 1e-7, 1e-8])
    def test_two_narrow_groups_far_apart(self, width):
        """About a common point, 1e-8 would have no digit left; truth in extended precision."""
        rng = np.random.default_rng(0)
        groups = width * rng.normal(size=(100, 2, 50)) + np.array([[0.0], [1.0]])
        start = Mixture(np.array([0.5, 0.5]), np.array([0.0, 1.0]), np.full(2, 1.5 * width))
        groups = list(groups.reshape(100, 100))
        seen = fit_stream(groups, start).parameters
        long = [np.asarray(part, np.longdouble) for part in start]
        said, _ = stepwise_in_one_dimension(groups, Mixture(*long), 0.7)
        assert_allclose(seen.weights, said.weights.astype(float), rtol=1e-12)
        assert_allclose(seen.means, said.means.astype(float), rtol=1e-12, atol=1e-9 * width)
        assert_allclose(seen.stds, said.stds.astype(float), rtol=1e-16 / width + 1e-12)

    def test_an_outlier_takes_no_digits_from_the_rest(self):
        rng = np.random.default_rng(0)
        chunks = [rng.normal(size=100) for _ in range(30)]
        chunks[10][7] = 1e10
        seen = fit_stream(chunks, Mixture([0.99, 0.01], [0, 1e10], [1, 1e9])).parameters
        assert_allclose(seen.stds[0], 1, rtol=0.1)

    def test_chunks_are_let_go(self):
        """The one that is worked on, and the one that its maker holds; the first, too."""
        references = []

        def make():
            for part in np.array_split(WAITING, 9):
                held = sum(reference() is not None for reference in references)
                assert held <= 1
                chunk = part.copy()
                references.append(weakref.ref(chunk))
                yield chunk
                del chunk

        assert fit_stream(make(), TWO_BELLS).n_samples == 272

    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_the_formula_in_two_dimensions(self, structure):
        chunks = cut(FAITHFUL, *range(20, 272, 20))
        start = kinds.checked_multivariate(TWO_ELLIPSES)
        seen = fit_stream(chunks, TWO_ELLIPSES, covariance=structure)
        mixture, scores = stepwise(chunks, start, structure=structure)
        assert_same_parameters(seen.parameters, mixture)
        assert_allclose(seen.scores, scores, rtol=1e-10)

    @pytest.mark.parametrize("far", [1e6, 1e8])
    def test_the_data_may_move_far_from_the_first_chunk(self, far):
        """Sums about a point that far off would keep no digit of the widths."""
        rng = np.random.default_rng(0)
        chunks = [np.array([0.1]), *(far + rng.normal(size=(400, 50)))]
        seen = fit_stream(chunks, Mixture([1.0], [far], [1.0]), exponent=0.51).parameters
        assert_allclose(seen.means, far, atol=0.5, rtol=0)
        assert_allclose(seen.stds, 1, atol=0.1, rtol=0)

    def test_a_constant_stream_has_no_width(self):
        with pytest.raises(ValueError, match="x is constant: all 100 observations"):
            fit_stream([np.full(50, 3.0)] * 2, TWO_BELLS)

    def test_tied_in_one_dimension(self):
        seen = fit_stream(cut(WAITING, 90, 180), TWO_BELLS, covariance="tied").parameters
        assert isinstance(seen, Mixture)
        assert_allclose(seen.stds[0], seen.stds[1], rtol=1e-14)

    @BOTH
    def test_scores_are_of_the_mixture_before(self, x, start):
        """So each is an honest guess of the next chunk."""
        chunks = cut(x, *UNEVEN)
        seen = fit_stream(chunks, start)
        for k, chunk in enumerate(chunks):
            before = fit_stream(chunks, start, n_chunks=k).parameters if k else start
            said = emtools.log_density(chunk, before).mean()
            assert_allclose(seen.scores[k], said, rtol=1e-10)

    def test_many_passes_come_to_the_fit(self):
        chunks = np.array_split(np.random.default_rng(0).permutation(FAITHFUL), 8)
        stream = itertools.chain.from_iterable(itertools.repeat(chunks, 400))
        seen = fit_stream(stream, TWO_ELLIPSES, exponent=1).parameters
        said = fit(FAITHFUL, TWO_ELLIPSES)
        assert_allclose(
            emtools.log_density(FAITHFUL, seen).sum(), said.log_likelihood, atol=1e-4, rtol=0
        )
        assert_allclose(seen.means, said.parameters.means, rtol=1e-3)

    @pytest.mark.parametrize("exponent", [0.6, 0.7])
    def test_the_truth(self, exponent):
        """Within five standard errors of well separated bells, of 200,000 observations."""
        truth = Mixture(np.array([0.3, 0.7]), np.array([-4.0, 4]), np.array([1.0, 1.5]))
        x, _ = emtools.sample(truth, 200_000, np.random.default_rng(1))
        start = Mixture([0.5, 0.5], [-1, 1], [3, 3])
        found = fit_stream(np.array_split(x, 200), start, exponent=exponent).parameters
        n_samples = 1000 * 200**exponent  # of the last 1 / eta chunks, on which most of it rests
        counts = n_samples * truth.weights
        errors = np.abs([ours - theirs for ours, theirs in zip(found, truth, strict=True)])
        assert np.all(errors[0] < 5 * np.sqrt(0.21 / n_samples))
        assert np.all(errors[1] < 5 * truth.stds / np.sqrt(counts))
        assert np.all(errors[2] < 5 * truth.stds / np.sqrt(2 * counts))

    def test_a_generator_is_gone_through_once(self):
        seen = fit_stream((chunk for chunk in cut(WAITING, *UNEVEN)), TWO_BELLS)
        said = fit_stream(cut(WAITING, *UNEVEN), TWO_BELLS)
        assert_same_parameters(seen.parameters, said.parameters, rtol=1e-15)
        assert_allclose(seen.scores, said.scores, rtol=1e-15)

    def test_no_more_is_taken_than_asked_for(self):
        stream = iter(np.array_split(WAITING, 9))
        first = fit_stream(stream, TWO_BELLS, n_chunks=4)
        assert len(first.scores) == 4
        rest = list(stream)
        assert len(rest) == 5
        assert_allclose(rest[0], np.array_split(WAITING, 9)[4], rtol=0)

    def test_lists_and_integers(self):
        x = WAITING.astype(int)
        seen = fit_stream([x[:100].tolist(), x[100:]], TWO_BELLS)
        said = fit_stream([x[:100].astype(float), x[100:].astype(float)], TWO_BELLS)
        assert_same_parameters(seen.parameters, said.parameters)

    def test_collapse_says_after_how_many_chunks(self):
        """One far observation, again and again, until nothing but it is left to its component."""
        start = Mixture([0.5, 0.5], [0, 10], [1, 1])
        rng = np.random.default_rng(0)
        chunks = [np.append(rng.normal(size=20), 10) for _ in range(2000)]
        with pytest.raises(Collapse, match=r"component 1 .* has collapsed") as info:
            fit_stream(chunks, start, exponent=0.51)
        number = info.value.iteration
        assert 0 < number < 2000
        calm = fit_stream(chunks, start, exponent=0.51, n_chunks=number - 1)
        assert calm.parameters.stds[1] < 1e-6
        with pytest.raises(Collapse) as info:
            fit_stream(chunks, start, exponent=0.51, n_chunks=number)
        assert info.value.iteration == number

    def test_a_start_that_has_collapsed(self):
        start = Mixture([0.5, 0.5], [50, 80], [5, 1e-12])
        with pytest.raises(Collapse, match="at iteration 0, component 1 "):
            fit_stream([WAITING], start)
        with pytest.raises(Collapse, match=r"component 0 .* has vanished"):
            fit_stream([WAITING], Mixture([0, 1], [50, 80], [5, 5]))

    @pytest.mark.parametrize("structure", STRUCTURES)
    @pytest.mark.parametrize("min_std", [1e-300, 3])
    def test_floor(self, structure, min_std):
        chunks = cut(FAITHFUL, *UNEVEN)
        found = fit_stream(chunks, TWO_ELLIPSES, covariance=structure, min_std=min_std).parameters
        smallest = np.linalg.eigvalsh(found.covariances).min()
        if min_std < 1:
            said = fit_stream(chunks, TWO_ELLIPSES, covariance=structure)
            assert_same_parameters(found, said.parameters, rtol=1e-15)
        elif structure == "spherical":
            assert smallest > min_std**2
        else:
            assert_allclose(smallest, min_std**2, rtol=1e-9)

    @BOTH
    def test_a_floor_holds_from_the_start(self, x, start):
        found = fit_stream([x], start, min_std=50)
        wide = [50, 50] if x.ndim == 1 else [2500 * np.eye(2)] * 2
        said = emtools.log_density(x, start._replace(**{start._fields[2]: wide})).mean()
        assert_allclose(found.scores[0], said, rtol=1e-12)


class TestShare:
    """What a chunk counts beside those before it."""

    def test_a_short_chunk_counts_by_its_rows(self):
        """Ten chunks of 2000 waits, and a last one of two: it has next to nothing to say."""
        x = np.resize(WAITING, 20_002)
        whole = fit_stream(np.split(x[:20_000], 10), TWO_BELLS).parameters
        with_rest = fit_stream([*np.split(x[:20_000], 10), np.array([96.0, 95.0])], TWO_BELLS)
        assert_allclose(with_rest.parameters.means, whole.means, rtol=1e-3)

    def test_at_one_every_row_counts_the_same(self):
        """One bell: the mean of all rows, and of as many at the start's mean as a chunk has."""
        chunks = cut(WAITING, 100, 150)
        seen = fit_stream(chunks, Mixture([1.0], [60.0], [9.0]), exponent=1).parameters
        longest = max(map(len, chunks))
        assert len(chunks[-1]) == longest
        parts = [60.0 * 100, WAITING[:100].sum()]  # the first chunk was the longest then
        before = sum(parts) / 200
        second = 50 / (150 + 100)
        before = (1 - second) * before + second * WAITING[100:150].mean()
        third = 122 / (272 + 122)
        expected = (1 - third) * before + third * WAITING[150:].mean()
        assert_allclose(seen.means, expected, rtol=1e-12)

    def test_a_constant_share(self):
        chunks = np.split(WAITING, 16)
        seen = fit_stream(chunks, Mixture([1.0], [60.0], [9.0]), constant=0.25).parameters
        mean = 60.0
        for chunk in chunks:
            mean += 0.25 * (chunk.mean() - mean)
        assert_allclose(seen.means, mean, rtol=1e-12)

    def test_a_constant_share_follows_a_drift(self):
        drifting = [WAITING + shift for shift in (0, 0, 0, 0, *[40] * 30)]
        falling, constant = (
            fit_stream(drifting, TWO_BELLS, **options).parameters
            for options in ({"exponent": 1}, {"constant": 0.3})
        )
        assert_allclose(constant.weights @ constant.means, WAITING.mean() + 40, rtol=1e-3)
        assert falling.weights @ falling.means < WAITING.mean() + 36

    @pytest.mark.parametrize("constant", [0, 1, -0.1, 1.5, np.nan, "0.1", True, [0.1]])
    def test_no_share(self, constant):
        with pytest.raises(ValueError, match="constant must be the share of a chunk"):
            fit_stream([WAITING], TWO_BELLS, constant=constant)
