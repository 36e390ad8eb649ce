import hashlib
import os
import signal
import subprocess
import sys
import threading
import weakref
from functools import reduce

import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from chunked import (
    BOTH,
    FAITHFUL,
    STRUCTURES,
    TWO_BELLS,
    TWO_ELLIPSES,
    UNEVEN,
    WAITING,
    assert_same_fit,
    assert_same_parameters,
    cut,
)
from distributed import Client, LocalCluster
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import emtools
from emtools import Mixture, MultivariateMixture, em, fit, kernel
from emtools.collapse import Collapse
from emtools.scale.chunks import fit_chunks, fit_dask, fit_file, merged, summarise_chunk
from emtools.scale.stream import fit_stream

TENTHS = MultivariateMixture([0.35, 0.65], [[20, 55], [43, 80]], [[[10, 5], [5, 35]]] * 2)


class Again:
    """Chunks that are made anew each time they are gone through."""

    name = "an attribute of the reader's, which is nobody's business"

    def __init__(self, make):
        self.make, self.n_passes = make, 0

    def __iter__(self):
        self.n_passes += 1
        yield from self.make(self.n_passes)


class TestChunks:
    @BOTH
    @pytest.mark.parametrize("structure", STRUCTURES)
    @pytest.mark.parametrize("places", [(), (1,), (100, 200), UNEVEN, tuple(range(7, 272, 7))])
    def test_the_same_as_fit(self, x, start, structure, places):
        options = {"covariance": structure, "tol": 0, "max_iter": 20}
        seen = fit_chunks(cut(x, *places), start, **options)
        assert_same_fit(seen, fit(x, start, **options))

    @given(
        places=st.lists(st.integers(1, 271), unique=True, max_size=12),
        structure=st.sampled_from(STRUCTURES),
        both=st.sampled_from([(WAITING, TWO_BELLS), (FAITHFUL, TWO_ELLIPSES)]),
    )
    def test_wherever_they_are_cut(self, places, structure, both):
        x, start = both
        options = {"covariance": structure, "tol": 0, "max_iter": 3}
        seen = fit_chunks(cut(x, *sorted(places)), start, **options)
        assert_same_fit(seen, fit(x, start, **options))

    @BOTH
    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_to_the_end(self, x, start, structure):
        seen = fit_chunks(cut(x, 50, 60), start, covariance=structure)
        said = fit(x, start, covariance=structure)
        assert seen.converged
        assert_allclose(seen.log_likelihood, said.log_likelihood, rtol=1e-10)
        assert_allclose(seen.parameters.means, said.parameters.means, rtol=1e-6)

    def test_published(self):
        """The values of mclust and scikit-learn, and the fit in one dimension."""
        for structure, said in {"full": -1130.26396018, "spherical": -1709.52928218}.items():
            found = fit_chunks(cut(FAITHFUL, *UNEVEN), TWO_ELLIPSES, covariance=structure)
            assert_allclose(found.log_likelihood, said, atol=1e-7, rtol=0)
        found = fit_chunks(cut(WAITING, *UNEVEN), TWO_BELLS)
        assert_allclose(found.log_likelihood, -1034.00174983, rtol=1e-10)
        assert_allclose(found.parameters.means, [54.614857, 80.091070], rtol=1e-6)

    @pytest.mark.parametrize("dtype", ["float32", "int16", "uint8", ">f8", "bool"])
    def test_other_types(self, dtype):
        x = (WAITING > 70 if dtype == "bool" else WAITING).astype(dtype)
        start = Mixture([1], [0.3], [0.7]) if dtype == "bool" else TWO_BELLS
        seen = fit_chunks(cut(x, *UNEVEN), start, tol=0, max_iter=10)
        assert_same_fit(seen, fit(x, start, tol=0, max_iter=10))

    def test_lists_and_strides(self):
        said = fit(FAITHFUL, TWO_ELLIPSES, tol=0, max_iter=10)
        wide = np.repeat(FAITHFUL, 2, axis=1)[::-1]
        for X in (wide[::-1, ::2], np.asfortranarray(FAITHFUL)):
            assert_same_fit(fit_chunks(cut(X, 90), TWO_ELLIPSES, tol=0, max_iter=10), said)
        chunks = [part.tolist() for part in cut(FAITHFUL, 90)]
        assert_same_fit(fit_chunks(chunks, TWO_ELLIPSES, tol=0, max_iter=10), said)

    def test_one_column_is_a_table(self):
        start = MultivariateMixture([0.5, 0.5], [[50], [80]], [[[25]], [[25]]])
        seen = fit_chunks(cut(WAITING[:, None], 90), start, tol=0, max_iter=10)
        assert_same_fit(seen, fit(WAITING[:, None], start, tol=0, max_iter=10))

    @BOTH
    def test_nothing_is_modified(self, x, start):
        chunks = cut(x.copy(), *UNEVEN)
        for chunk in chunks:
            chunk.flags.writeable = False
        fit_chunks(chunks, start, min_std=1)
        fit_chunks(chunks, 2, rng=0)
        fit_stream(chunks, start)
        assert_allclose(np.concatenate(chunks), x, rtol=0)

    @pytest.mark.parametrize("structure", STRUCTURES)
    @pytest.mark.parametrize("min_std", [1e-300, 0.01, 0.5, 7])
    def test_floor(self, structure, min_std):
        options = {"covariance": structure, "tol": 0, "max_iter": 10, "min_std": min_std}
        for x, start in ((WAITING, TWO_BELLS), (FAITHFUL, TWO_ELLIPSES)):
            assert_same_fit(fit_chunks(cut(x, *UNEVEN), start, **options), fit(x, start, **options))

    def test_a_floor_holds(self):
        start = Mixture([0.5, 0.5], [2, 10], [3, 3])
        with pytest.raises(
            Collapse, match=r"iteration 3, .*owns 1 observation, chunks\[1\]\[1\] = 10"
        ):
            fit_chunks([[1, 2], [3, 10]], start)
        found = fit_chunks([[1, 2], [3, 10]], start, min_std=0.1)
        assert_allclose(found.parameters.stds, [np.sqrt(2 / 3), 0.1], rtol=1e-6)

    def test_vanished(self):
        with pytest.raises(Collapse, match=r"component 1 .* has vanished"):
            fit_chunks(cut(WAITING, 9), Mixture([0.5, 0.5], [70, 1e6], [10, 1]))

    @pytest.mark.parametrize("scale", [1e-100, 1e-8, 1e8, 1e100])
    def test_any_unit_will_do(self, scale):
        start = TWO_BELLS._replace(means=np.array([50, 80]) * scale, stds=np.array([5, 5]) * scale)
        seen = fit_chunks(cut(WAITING * scale, *UNEVEN), start, tol=0, max_iter=10)
        said = fit(WAITING * scale, start, tol=0, max_iter=10)
        assert_allclose(seen.history, said.history, rtol=1e-10)
        assert_allclose(seen.parameters.means, said.parameters.means, rtol=1e-10)
        assert_allclose(seen.parameters.stds, said.parameters.stds, rtol=1e-10)

    def test_far_from_zero(self):
        """A mean of 1e8 and a spread of 1: as many digits as float64 has for the means, 1.5e-8."""
        x = 1e8 + (WAITING - 70) / 13
        start = Mixture([0.5, 0.5], [1e8 - 1.5, 1e8 + 0.8], [0.4, 0.4])
        seen = fit_chunks(cut(x, *UNEVEN), start, accelerate=False)
        said = fit(x, start, accelerate=False)
        assert_allclose(seen.history, said.history, rtol=1e-9)
        assert_allclose(seen.log_likelihood, said.log_likelihood, rtol=1e-12)
        assert_allclose(seen.parameters.stds, said.parameters.stds, atol=1.5e-8, rtol=0)
        assert_allclose(seen.parameters.means, said.parameters.means, atol=1.5e-8, rtol=0)

    @given(
        places=st.lists(st.integers(1, 271), unique=True, max_size=12),
        offset=st.sampled_from([0, 1e8]),
    )
    def test_the_first_look(self, places, offset):
        """Its mean is where the sums are taken about, its squares tell the spread."""
        X = FAITHFUL + offset
        looks = [summarise_chunk(f"chunk {n}", x) for n, x in enumerate(cut(X, *sorted(places)))]
        seen = reduce(merged, looks)
        assert (seen.name, seen.n_samples, seen.dimensions) == ("chunk 0", 272, 2)
        assert_allclose(seen.mean, X.mean(axis=0), rtol=1e-14)
        assert_allclose(seen.squares, 272 * X.var(axis=0), rtol=1e-12 if offset == 0 else 1e-7)
        assert_allclose([seen.lowest, seen.highest], [X.min(axis=0), X.max(axis=0)], rtol=0)

    def test_what_counts_as_no_width_is_what_fit_says(self):
        """1e-10 of the spread of all chunks, of which each alone has next to none."""
        start = Mixture([0.5, 0.5], [0, 1], [1e-9, 1e-9])
        for width, collapses in ((3e-11, True), (3e-10, False)):
            x = np.repeat([0.0, 1], 40) + width * np.tile([-1, 1], 40)
            if collapses:
                with pytest.raises(Collapse, match=r"component 0 "):
                    fit_chunks(cut(x, 40), start)
            else:
                assert_allclose(fit_chunks(cut(x, 40), start).parameters.stds, width, rtol=1e-6)

    @BOTH
    def test_chunks_without_a_row_are_skipped(self, x, start):
        """A filter may leave them anywhere; the names of the others do not change."""
        chunks = [x[:0], [], *cut(x, 90), x[:0].tolist(), x[:0]]
        assert_same_fit(fit_chunks(chunks, start), fit_chunks(cut(x, 90), start))
        assert fit_chunks(chunks, 2, rng=0).converged
        seen, said = fit_stream(chunks, start), fit_stream(cut(x, 90), start)
        assert_same_parameters(seen.parameters, said.parameters, rtol=1e-15)
        assert_allclose(seen.scores, said.scores, rtol=1e-15)
        bad = [x[:0], x, np.full_like(x, np.nan)]
        for run in (fit_chunks, fit_stream):
            with pytest.raises(ValueError, match=r"the first is chunks\[2\]\[0"):
                run(bad, start)

    @BOTH
    def test_a_fit_is_a_start(self, x, start):
        found = fit(x, start)
        assert fit_chunks(cut(x, 90), found).n_iter <= 5
        assert fit_stream(cut(x, 90), found).n_samples == 272

    def test_they_may_be_made_anew(self):
        chunks = Again(lambda n_passes: (part for part in cut(FAITHFUL, *UNEVEN)))
        seen = fit_chunks(chunks, TWO_ELLIPSES, tol=0, max_iter=5)
        assert_same_fit(seen, fit(FAITHFUL, TWO_ELLIPSES, tol=0, max_iter=5))
        assert 7 <= chunks.n_passes <= 10

    def test_one_chunk_is_held_at_a_time(self):
        references = []

        def make(n_passes):
            for part in cut(WAITING, 50, 100, 150, 200):
                held = sum(reference() is not None for reference in references)
                assert held <= 1  # the one before, until this one takes its place
                chunk = part.copy()
                references.append(weakref.ref(chunk))
                yield chunk
                del chunk

        fit_chunks(Again(make), TWO_BELLS, tol=0, max_iter=2)
        assert len(references) >= 20

    def test_no_thread_is_left(self, monkeypatch):
        monkeypatch.setattr("emtools.scale.chunks.default_n_threads", lambda size: 2)
        seen, exact_sums = set(), kernel.exact_sums

        def noted(*given):
            seen.add(threading.current_thread())
            return exact_sums(*given)

        monkeypatch.setattr(kernel, "exact_sums", noted)
        monkeypatch.setattr(kernel, "SIZE_LIMIT", 0)

        def pools():
            return {t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")}

        before = pools()
        fit_chunks(cut(WAITING, 50), TWO_BELLS)
        bad = Again(lambda n_passes: [WAITING, WAITING[:100]][: 3 - n_passes])
        with pytest.raises(ValueError, match="the same each time"):
            fit_chunks(bad, TWO_BELLS)
        assert threading.main_thread() not in seen  # there was a pool, so something could be left
        assert seen
        for thread in (pools() - before) | seen:
            thread.join(5)
            assert not thread.is_alive()


class TestContract:
    def test_the_order_of_bytes_may_differ(self):
        chunks = cut(FAITHFUL, 100)
        chunks[1] = chunks[1].astype(">f8")
        assert_same_fit(fit_chunks(chunks, TWO_ELLIPSES), fit(FAITHFUL, TWO_ELLIPSES))

    def test_features_are_about_the_mean(self, exact_passes):
        """About another point, the lowest observation say, this step would go the exact way."""
        groups = np.random.default_rng(0).normal([-7, 7], 0.45, size=(200, 2)).T + 1e3
        start = Mixture([0.5, 0.5], [993, 1007], [0.45, 0.45])
        fit_chunks(list(groups), start, tol=0, max_iter=5)
        assert not exact_passes

    @BOTH
    def test_a_fit(self, x, start):
        found = fit_chunks(cut(x, *UNEVEN), start)
        assert found.converged
        assert found.history.shape == (found.n_iter + 1,)
        assert isinstance(found.log_likelihood, float)
        assert_allclose(found.history[-1], found.log_likelihood, rtol=0)
        assert_allclose(found.history[0], emtools.log_density(x, start).sum(), rtol=1e-12)
        said = emtools.log_density(x, found.parameters).sum()
        assert_allclose(found.log_likelihood, said, rtol=1e-12)
        assert np.all(np.diff(found.history) >= -1e-9 * abs(found.log_likelihood))

    @pytest.mark.parametrize("n_steps", [0, 1, 7])
    def test_max_iter(self, n_steps):
        found = fit_chunks(cut(WAITING, 30), TWO_BELLS, tol=0, max_iter=n_steps)
        assert (found.n_iter, found.converged, len(found.history)) == (n_steps, False, n_steps + 1)
        with pytest.warns(
            em.NotConverged, match="stopped by max_iter after 3 iterations"
        ) as warned:
            assert fit_chunks(cut(WAITING, 30), TWO_BELLS, max_iter=3).converged is False
        assert warned[0].filename == __file__

    def test_a_warning_shows_the_line_that_called(self, tmp_path):
        np.save(tmp_path / "x.npy", WAITING)
        calls = (
            (fit_chunks, [WAITING]),
            (fit_file, tmp_path / "x.npy"),
            (fit_dask, delayed([WAITING])),
        )
        for run, x in calls:
            with pytest.warns(em.NotConverged) as warned:
                run(x, TWO_BELLS, max_iter=3)
            assert [warning.filename for warning in warned] == [__file__]

    def test_tol(self):
        early, late = (fit_chunks(cut(WAITING, 30), TWO_BELLS, tol=tol) for tol in (1, 1e-10))
        assert early.converged
        assert early.n_iter < late.n_iter
        assert 0 < late.log_likelihood - early.log_likelihood < 2

    def test_the_order_of_components_is_kept(self):
        found = fit_chunks(cut(WAITING, 30), Mixture([0.5, 0.5], [80, 50], [5, 5]))
        assert found.parameters.means[0] > found.parameters.means[1]


class TestFrames:
    frame = pd.DataFrame(FAITHFUL, columns=["eruption", "wait"])

    def test_whatever_their_columns_hold_numbers_in(self):
        said = fit(FAITHFUL, TWO_ELLIPSES)
        for frame in (self.frame, self.frame.convert_dtypes(), self.frame.astype(object)):
            chunks = [frame[:100], frame[100:]]
            assert_same_fit(fit_chunks(chunks, TWO_ELLIPSES), said)
            assert fit_stream(chunks, TWO_ELLIPSES).n_samples == 272

    def test_columns_in_another_order_are_noticed(self):
        chunks = [self.frame[:100], self.frame[100:][["wait", "eruption"]]]
        for run in (fit_chunks, fit_stream):
            with pytest.raises(ValueError, match=r"chunks\[1\] has the columns \['wait', 'eru"):
                run(chunks, TWO_ELLIPSES)


class TestFromANumber:
    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_as_good_as_fit(self, structure):
        for x in (WAITING, FAITHFUL):
            rng = np.random.default_rng(0)
            seen = fit_chunks(cut(x, *UNEVEN), 2, covariance=structure, rng=rng)
            said = fit(x, 2, covariance=structure, rng=np.random.default_rng(0))
            assert type(seen.parameters) is type(said.parameters)
            assert_allclose(seen.log_likelihood, said.log_likelihood, atol=1e-8, rtol=0)

    def test_the_same_seed_gives_the_same(self):
        x = np.random.default_rng(3).normal([-2.0, 0, 3, 9], size=(6000, 4)).ravel()
        chunks = cut(x, 1000, 11000)

        def seen(seed):
            return fit_chunks(chunks, 3, rng=np.random.default_rng(seed), tol=0, max_iter=2)

        assert_same_fit(seen(5), seen(5), rtol=1e-14)
        assert abs(seen(5).history[0] - seen(6).history[0]) > 1e-9 * abs(seen(5).history[0])

    def test_the_start_is_drawn_from_all_chunks(self):
        """In order, as in a file somebody has sorted: the first chunk alone would tell nothing."""
        x = np.sort(np.random.default_rng(3).normal([0.0, 10, 30], size=(10_000, 3)).ravel())
        found = fit_chunks(
            np.array_split(x, 7), 3, rng=np.random.default_rng(1), tol=0, max_iter=1
        ).parameters
        assert_allclose(np.sort(found.means), [0, 10, 30], atol=0.1)
        assert_allclose(found.stds, 1, rtol=0.1)

    @pytest.mark.parametrize("options", [{"min_std": 0.1}, {"covariance": "tied"}])
    def test_the_start_is_fitted_under_the_same_options(self, options):
        """Forty equal values: without min_std or tie, all starts collapse onto them."""
        x = np.append(np.random.default_rng(0).normal(size=60), np.full(40, 9.0))
        with pytest.raises(Collapse, match="all 20 starts"):
            fit_chunks(cut(x, 50), 2, rng=np.random.default_rng(0))
        found = fit_chunks(cut(x, 50), 2, rng=np.random.default_rng(0), **options).parameters
        assert_allclose(np.sort(found.means), [x[:60].mean(), 9], atol=1e-3)

    def test_the_start_rests_on_ten_thousand_rows_drawn_anew_in_each_chunk(self, monkeypatch):
        drawn = []

        def noted(some, *arguments, **options):
            drawn.append(some)
            return fit(some, *arguments, **options)

        monkeypatch.setattr("emtools.scale.chunks.fit", noted)
        x = np.tile(np.arange(10_000.0), 10)  # ten equal chunks
        fit_chunks(np.split(x, 10), 1, rng=0, tol=0, max_iter=1)
        [some] = drawn
        assert abs(len(some) - 10_000) < 5 * 100
        kinds = len(np.unique(some))  # 10,000 draws of 10,000 kinds: 1 - 0.9**10 of them
        assert abs(kinds / 10_000 - (1 - 0.9**10)) < 0.03

    def test_a_column_that_hardly_varies_leaves_no_start(self):
        """The rows that are drawn know nothing of the one that differs."""
        X = np.column_stack([np.arange(100_000.0), np.zeros(100_000)])
        X[77, 1] = 1
        with pytest.raises(ValueError, match=r"no start was found .*: column 1 of x is const"):
            fit_chunks(np.split(X, 10), 2, rng=1)

    def test_without_an_rng(self):
        assert_allclose(
            fit_chunks(cut(WAITING, 9), 2).log_likelihood, -1034.0017498, rtol=1e-9, atol=0
        )


class TestFile:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "observations.npy"

    @BOTH
    @pytest.mark.parametrize("numbers", [None, 1, 20, 150])
    def test_the_same_as_fit(self, x, start, numbers, path, monkeypatch):
        """With so many numbers in memory at a time, of 272 or 544; 20 leave a few over."""
        if numbers is not None:
            monkeypatch.setattr("emtools.scale.chunks.CHUNK", numbers)
        np.save(path, x)
        seen = fit_file(path, start, tol=0, max_iter=10)
        assert_same_fit(seen, fit(x, start, tol=0, max_iter=10))

    @pytest.mark.parametrize("dtype", ["f4", ">f8", ">f4", "<i2", "u1"])
    def test_other_types(self, dtype, path, monkeypatch):
        monkeypatch.setattr("emtools.scale.chunks.CHUNK", 100)
        for x, start in ((WAITING, TWO_BELLS), (np.round(FAITHFUL * [10, 1]), TENTHS)):
            x = x.astype(dtype)
            np.save(path, x)
            seen = fit_file(str(path), start, tol=0, max_iter=10)
            assert_same_fit(seen, fit(x, start, tol=0, max_iter=10))

    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_fortran_order(self, structure, path, monkeypatch):
        monkeypatch.setattr("emtools.scale.chunks.CHUNK", 90)
        np.save(path, np.asfortranarray(FAITHFUL))
        options = {"covariance": structure, "tol": 0, "max_iter": 10}
        seen = fit_file(path, TWO_ELLIPSES, **options)
        assert_same_fit(seen, fit(FAITHFUL, TWO_ELLIPSES, **options))

    def test_from_a_number(self, path, monkeypatch):
        monkeypatch.setattr("emtools.scale.chunks.CHUNK", 100)
        np.save(path, FAITHFUL)
        found = fit_file(path, 2, rng=np.random.default_rng(0))
        assert_allclose(found.log_likelihood, -1130.26396018, atol=1e-7, rtol=0)

    def test_the_start_does_not_depend_on_the_name_of_the_file(self, path, monkeypatch):
        """Nor on whether the rows come from a file: the draw goes by their place."""
        monkeypatch.setattr("emtools.scale.chunks.SAMPLE", 100)
        monkeypatch.setattr("emtools.scale.chunks.CHUNK", 100)
        other = path.with_name("another.npy")
        for name in (path, other):
            np.save(name, FAITHFUL)
        first, again = (fit_file(name, 2, rng=0, tol=0, max_iter=0) for name in (path, other))
        assert_same_fit(again, first, rtol=0)

    def test_the_file_stays_as_it_is(self, path):
        np.save(path, FAITHFUL)
        os.utime(path, (1e9, 1e9))
        before = path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).digest()
        fit_file(path, 2, min_std=1)
        assert (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).digest()) == before
        assert [found.name for found in path.parent.iterdir()] == [path.name]

    def test_a_file_that_cannot_be_written(self, path, monkeypatch):
        """Root may write anything, so what is asked for is looked at, too."""
        modes, opened = [], emtools.scale.chunks.open_memmap
        monkeypatch.setattr(
            emtools.scale.chunks,
            "open_memmap",
            lambda p, mode: modes.append(mode) or opened(p, mode=mode),
        )
        np.save(path, WAITING)
        path.chmod(0o444)
        assert fit_file(path, TWO_BELLS).converged
        assert set(modes) == {"r"}

    def test_memory(self, path):
        """Of 80 MB of numbers a few chunks of 8 MB are in memory at any time."""
        pytest.importorskip("resource")  # Windows has none
        np.save(path, np.random.default_rng(0).normal([0.0, 5], size=(5_000_000, 2)).ravel())
        # A process counts what the one it came from held before: start it from a small one.
        small = (
            "import subprocess, sys; subprocess.run([sys.executable, *sys.argv[1:]], check=True)"
        )
        measured = subprocess.run(
            [sys.executable, "-c", small, "-c", MEASURED, path],
            capture_output=True,
            text=True,
            check=True,
        )
        used, of_the_whole = map(float, measured.stdout.split())
        assert used < 60
        assert of_the_whole > 75  # so this would have been seen


MEASURED = """
import resource, sys
import numpy as np
from emtools import Mixture
from emtools.scale import chunks
from emtools.scale.chunks import fit_file

chunks.CHUNK = 2**20  # 8 MB: ten chunks

def peak():  # MB; macOS counts bytes, others kB
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

before = peak()
fit_file(sys.argv[1], Mixture([0.5, 0.5], [1, 4], [1, 1]), tol=0, max_iter=3)
print(peak() - before)
np.load(sys.argv[1])
print(peak() - before)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    options = {
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": None,
        "local_directory": tmp_path_factory.mktemp("dask"),
        "silence_logs": 60,  # more than critical: a worker is killed and a chunk refused on purpose
    }
    with LocalCluster(n_workers=2, **options) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.wait_for_workers(2, timeout=20)
        yield client


def delayed(chunks):
    return [dask.delayed(chunk) for chunk in chunks]


class TestDaskItself:
    """On Dask's own schedulers, without a cluster."""

    @pytest.fixture(autouse=True, params=["threads", "synchronous"])
    def scheduler(self, request):
        with dask.config.set(scheduler=request.param):
            yield

    @BOTH
    def test_the_same_as_fit(self, x, start):
        said = fit(x, start, tol=0, max_iter=5)
        array = da.from_array(x, chunks=100)
        for chunks in (array, delayed(cut(x, *UNEVEN)), iter(delayed(cut(x, 9)))):
            assert_same_fit(fit_dask(chunks, start, tol=0, max_iter=5), said)

    def test_from_a_number(self):
        array = da.from_array(FAITHFUL, chunks=(100, 1))
        found = fit_dask(array, 2, rng=np.random.default_rng(1))
        assert_allclose(found.log_likelihood, -1130.26396018, atol=1e-7, rtol=0)

    def test_chunks_of_unknown_length(self):
        array = da.from_array(FAITHFUL, chunks=(100, 2))
        array = array[array[:, 0] > 2]
        said = fit(FAITHFUL[FAITHFUL[:, 0] > 2], TWO_ELLIPSES, tol=0, max_iter=5)
        assert_same_fit(fit_dask(array, TWO_ELLIPSES, tol=0, max_iter=5), said)

    @pytest.mark.parametrize(
        ("chunks", "words"),
        [
            (FAITHFUL, r"one ndarray of shape \(272, 2\); use emtools.fit"),
            (dask.delayed(FAITHFUL), "one Delayed; give a list of them"),
            ("x.npy", "use fit_file"),
            (3, "iterable of arrays; it is int"),
            ([], "there are no chunks with observations"),
            (da.zeros((0, 2)), "no chunks with observations"),
            (da.zeros((4, 2, 2)), r"chunks\[0\] must have one or two dimensions"),
            (da.zeros(4) + np.inf, r"chunks\[0\] must be finite"),
            (da.zeros(4), "x is constant"),
            (delayed([WAITING, FAITHFUL]), r"chunks\[1\] has 2 columns, but chunks\[0\] has one"),
            (delayed([WAITING, WAITING.astype(int)]), r"chunks\[1\] holds int64, but chunks\[0\]"),
        ],
    )
    def test_bad_chunks(self, chunks, words):
        with pytest.raises(ValueError, match=words):
            fit_dask(chunks, 2)


class TestCluster:
    @pytest.mark.parametrize("structure", STRUCTURES)
    def test_an_array(self, client, structure):
        options = {"covariance": structure, "tol": 0, "max_iter": 5}
        array = da.from_array(FAITHFUL, chunks=(40, 1))
        seen = fit_dask(array, TWO_ELLIPSES, **options)
        assert_same_fit(seen, fit(FAITHFUL, TWO_ELLIPSES, **options))

    def test_one_dimension_and_delayed_chunks(self, client):
        said = fit(WAITING, TWO_BELLS, tol=0, max_iter=5)
        for chunks in (da.from_array(WAITING, chunks=40), delayed(cut(WAITING, *UNEVEN))):
            assert_same_fit(fit_dask(chunks, TWO_BELLS, tol=0, max_iter=5), said)

    def test_to_the_end(self, client):
        found = fit_dask(delayed(cut(FAITHFUL, *UNEVEN)), 2, rng=np.random.default_rng(1))
        assert found.converged
        assert_allclose(found.log_likelihood, -1130.26396018, atol=1e-7, rtol=0)

    def test_both_workers_work_and_one_gives_exactly_the_same(self, client, tmp_path):
        class Signed:
            """A chunk that notes the process that looks at it."""

            def __init__(self, chunk, place):
                self.chunk, self.place = chunk, place

            def __array__(self, dtype=None, copy=None):
                (self.place / str(os.getpid())).touch()
                return self.chunk

        def seen(place):
            place.mkdir()
            chunks = [dask.delayed(Signed)(part, place) for part in np.array_split(FAITHFUL, 9)]
            found = fit_dask(chunks, TWO_ELLIPSES, tol=0, max_iter=5)
            return found, {int(path.name) for path in place.iterdir()}

        together, pids = seen(tmp_path / "together")
        assert pids == set(client.run(os.getpid).values())
        address, pid = next(iter(client.run(os.getpid).items()))
        with dask.annotate(workers=[address], allow_other_workers=False):
            alone, pids = seen(tmp_path / "alone")
        assert pids == {pid}
        assert_same_fit(alone, together, rtol=0)

    def test_a_worker_killed_in_the_middle(self, client, tmp_path):
        """In the ninth look at a chunk, inside the process that looks, and once only."""
        marker = tmp_path / "killed"

        class Deadly:
            def __init__(self, chunk):
                self.chunk, self.n_looks = chunk, 0

            def __array__(self, dtype=None, copy=None):
                self.n_looks += 1
                if self.n_looks == 9 and not marker.exists():
                    marker.write_text(str(os.getpid()))
                    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
                return self.chunk

        parts = np.array_split(FAITHFUL, 8)
        said = fit_dask(delayed(parts), TWO_ELLIPSES)
        before = set(client.run(os.getpid).values())
        chunks = [
            dask.delayed(Deadly if n == 3 else np.array)(part) for n, part in enumerate(parts)
        ]
        seen = fit_dask(chunks, TWO_ELLIPSES)
        assert_same_fit(seen, said, rtol=0)
        client.wait_for_workers(2, timeout=20)
        after = set(client.run(os.getpid).values())
        assert before - after == {int(marker.read_text())}

    def test_a_bad_chunk_on_a_worker(self, client):
        X = FAITHFUL.copy()
        X[77, 1] = np.nan
        with pytest.raises(ValueError, match=r"the first is chunks\[1\]\[37, 1\] = nan"):
            fit_dask(da.from_array(X, chunks=(40, 1)), TWO_ELLIPSES)
        assert client.submit(sum, [1, 2]).result(timeout=10) == 3
        assert len(client.run(os.getpid)) == 2
        assert fit_dask(delayed(cut(WAITING, 30)), TWO_BELLS, tol=0, max_iter=2).n_iter == 2

    def test_a_chunk_that_cannot_be_made(self, client):
        def load(name):
            raise FileNotFoundError(name)

        with pytest.raises(FileNotFoundError, match="part 1"):
            fit_dask([dask.delayed(load)("part 1"), dask.delayed(WAITING)], TWO_BELLS)

    def test_nothing_is_left_on_the_workers(self, client):
        fit_dask(da.from_array(FAITHFUL, chunks=(40, 1)), TWO_ELLIPSES, tol=0, max_iter=2)
        for _ in range(100):
            if not sum(client.run(lambda dask_worker: len(dask_worker.data)).values()):
                return
            threading.Event().wait(0.05)
        pytest.fail("chunks are still in the workers' memory after five seconds")


def test_without_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    with pytest.raises(ImportError, match="pip install"):
        fit_dask([WAITING], TWO_BELLS)


class TestBadChunks:
    """The same words from those who go through the chunks again and from the one who does not."""

    @pytest.fixture(params=[fit_chunks, fit_stream])
    def run(self, request):
        return request.param

    @pytest.mark.parametrize(
        ("chunks", "words"),
        [
            ([], "there are no chunks"),
            ([FAITHFUL, FAITHFUL[:, :1]], r"chunks\[1\] has 1 columns, but chunks\[0\] has 2"),
            ([FAITHFUL, WAITING], r"chunks\[1\] has one dimension, but chunks\[0\] has 2 columns"),
            (
                [FAITHFUL, FAITHFUL, FAITHFUL.astype("f4")],
                r"chunks\[2\] holds float32, but chunks\[0\] holds float64",
            ),
            ([FAITHFUL[:0], []], "there are no chunks"),
            ([FAITHFUL, np.empty((5, 0))], r"chunks\[1\] must not be empty"),
            (
                [FAITHFUL, np.where(FAITHFUL == 79, np.nan, FAITHFUL)],
                r"chunks\[1\] must be finite; \d+ of 544 .* first is chunks\[1\]\[0, 1\] = nan",
            ),
            (
                [FAITHFUL, np.append(FAITHFUL, [[1, -np.inf]], axis=0)],
                r"1 of 546 .* the first is chunks\[1\]\[272, 1\] = -inf",
            ),
            ([FAITHFUL, FAITHFUL.astype(str)], r"chunks\[1\] must hold real numbers"),
            ([FAITHFUL, "text"], r"chunks\[1\] must hold real numbers"),
            ([FAITHFUL, None], r"chunks\[1\] must hold real numbers"),
            ([FAITHFUL + 1j], r"chunks\[0\] must hold real numbers"),
            ([FAITHFUL[0, 0]], r"chunks\[0\] must have one or two dimensions"),
            ([FAITHFUL[None]], r"chunks\[0\] must have one or two dimensions"),
            ([[[1, 2], [3]]], r"chunks\[0\] must have rows of equal length"),
            ([np.ma.masked_greater(FAITHFUL, 90)], r"chunks\[0\] has masked values"),
            ([FAITHFUL, FAITHFUL * 1e200], r"chunks\[1\] holds 9.6e\+201 .* change its unit"),
            ([FAITHFUL, FAITHFUL * -1e200], r"chunks\[1\] holds 9.6e\+201 .* change its unit"),
            (FAITHFUL, r"chunks is one ndarray of shape \(272, 2\); use emtools.fit"),
            (da.from_array(FAITHFUL), r"chunks is one Array of shape .* fit_dask"),
            ("x.npy", r"for a file, use fit_file\('x.npy'"),
            (3, "iterable of arrays; it is int"),
            (None, "iterable of arrays; it is NoneType"),
        ],
    )
    def test_what_and_where(self, run, chunks, words):
        with pytest.raises(ValueError, match=words):
            run(chunks, TWO_ELLIPSES)

    def test_a_path(self, run, tmp_path):
        with pytest.raises(ValueError, match="for a file, use fit_file"):
            run(tmp_path / "x.npy", TWO_BELLS)

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            (TWO_BELLS, r"but this Mixture is for observations of shape \(N,\)"),
            (
                MultivariateMixture([1], [[0, 0, 0]], [np.eye(3)]),
                r"this MultivariateMixture is for observations of shape \(N, 3\)",
            ),
            (TWO_ELLIPSES._replace(weights=[0.5, 0.6]), "sum to one"),
            (TWO_ELLIPSES._replace(covariances=[[[1, 1], [1, 1]]] * 2), "not positive definite"),
            (None, "start must be"),
            ("2", "start must be"),
            (2.0, "start must be"),
            (True, "start must be"),
        ],
    )
    def test_bad_start(self, run, start, words):
        with pytest.raises(ValueError, match=words):
            run(cut(FAITHFUL, 9), start)

    def test_a_mixture_for_tables(self, run):
        with pytest.raises(ValueError, match=r"shape \(\d+,\), but this MultivariateMixture"):
            run(cut(WAITING, 9), TWO_ELLIPSES)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"covariance": "round"}, "one of full, tied, diag, spherical"),
            ({"min_std": -1}, "min_std must be"),
            ({"min_std": np.nan}, "min_std must be"),
        ],
    )
    def test_bad_options(self, run, options, words):
        with pytest.raises(ValueError, match=words):
            run(cut(WAITING, 9), TWO_BELLS, **options)


class TestBadInput:
    @pytest.mark.parametrize(
        "options", [{"tol": -1}, {"max_iter": 1.5}, {"rng": -3}, {"min_std": ""}]
    )
    def test_bad_options_before_any_chunk(self, options):
        chunks = Again(lambda n_passes: [WAITING])
        with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
            fit_chunks(chunks, TWO_BELLS, **options)
        assert chunks.n_passes == 0

    @pytest.mark.parametrize("start", [TWO_BELLS, 2])
    def test_chunks_that_can_be_gone_through_only_once(self, start):
        stream = (chunk for chunk in cut(WAITING, 9))
        with pytest.raises(ValueError, match=r"only once.*fit_stream"):
            fit_chunks(stream, start)
        assert len(list(stream)) == 2  # nothing is taken from it

        class Worn:
            kept = map(np.array, cut(WAITING, 9))

            def __iter__(self):
                return self.kept

        with pytest.raises(ValueError, match=r"only once.*fit_stream"):
            fit_chunks(Worn(), start)

    @pytest.mark.parametrize("start", [TWO_BELLS, 2])
    def test_chunks_that_change(self, start):
        fewer = Again(lambda n_passes: cut(WAITING, 9)[: 1 if n_passes > 4 else 2])
        with pytest.raises(ValueError, match=r"held 272 observations at first, 9 in a later step"):
            fit_chunks(fewer, start)
        more = Again(lambda n_passes: [WAITING] * (2 if n_passes > 4 else 1))
        with pytest.raises(ValueError, match=r"held 272 observations at first, 544 in a later"):
            fit_chunks(more, start)

    def test_one_observation_less(self):
        less = Again(lambda n_passes: [WAITING[: 271 if n_passes > 4 else 272]])
        with pytest.raises(ValueError, match="held 272 observations at first, 271 in a later"):
            fit_chunks(less, TWO_BELLS)

    def test_odds_that_overflow_are_no_change_of_chunks(self):
        """A step that is done again by residuals leaves sums that do not add up."""
        up = np.append(np.linspace(600, 708, 39), 709.5) / 37
        x = np.append(np.linspace(-20, -17, 60), up)
        start = Mixture(np.full(3, 1 / 3), [-18.5, 18.5, 18.5], np.ones(3))
        found = fit_chunks(cut(x, 50), start, tol=0, max_iter=1)
        assert_same_fit(found, fit(x, start, tol=0, max_iter=1))

    def test_the_largest_numbers(self):
        for size in (-9e139, 9e139):
            x = np.array([0.0, 1, 2, 3, 9, 10]) / 10 * size
            start, few = Mixture([0.5, 0.5], [0, size], [abs(size)] * 2), {"tol": 0, "max_iter": 9}
            assert_same_fit(fit_chunks(cut(x, 3), start, **few), fit(x, start, **few))
            with pytest.raises(
                ValueError, match=r"chunks\[1\] holds 1.17e\+140 .* change its unit"
            ):
                fit_chunks(cut(1.3 * x, 3), TWO_BELLS)

    def test_constant(self):
        with pytest.raises(ValueError, match=r"x is constant: all 5 .* are 0.1"):
            fit_chunks([np.full(2, 0.1), np.full(3, 0.1)], 2)
        X = np.column_stack([WAITING, np.ones(272)])
        with pytest.raises(ValueError, match="column 1 of x is constant"):
            fit_chunks(cut(X, 9), 2)
        with pytest.raises(ValueError, match="x spans 2e-200"):
            fit_chunks([[1e-200, 3e-200]], 1)

    def test_constant_in_each_chunk_is_no_harm(self):
        x = np.repeat([1.0, 2, 3, 5], 5)
        found = fit_chunks(cut(x, 5, 10, 15), 1).parameters
        assert_same_parameters(
            found, Mixture(np.ones(1), x.mean(keepdims=True), x.std(keepdims=True))
        )

    @pytest.mark.parametrize("start", [3, Mixture([0.2, 0.3, 0.5], [1, 2, 3], [1, 1, 1])])
    def test_too_few(self, start):
        with pytest.raises(ValueError, match=r"fewer observations .* 2 against 3"):
            fit_chunks([[1.0], [2.0]], start)

    @pytest.mark.parametrize("start", [0, -1])
    def test_no_components(self, start):
        with pytest.raises(ValueError, match="at least one component"):
            fit_chunks([[1.0], [2.0]], start)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"exponent": 0.5}, "exponent must be over 0.5 and at most 1; it is 0.5"),
            ({"exponent": 1.1}, "exponent must be"),
            ({"exponent": np.nan}, "exponent must be"),
            ({"exponent": "1"}, "exponent must be"),
            ({"exponent": True}, "exponent must be"),
            ({"n_chunks": 0}, "n_chunks must be a whole number >= 1"),
            ({"n_chunks": 2.0}, "n_chunks must be"),
            ({"start": 2}, "start must be a mixture, because a stream is seen only once"),
        ],
    )
    def test_bad_stream_before_any_chunk(self, options, words):
        stream = iter(cut(WAITING, 9))
        with pytest.raises(ValueError, match=words):
            fit_stream(stream, **{"start": TWO_BELLS, **options})
        assert len(list(stream)) == 2

    def test_a_stream_that_ends_early(self):
        with pytest.raises(ValueError, match="the stream has ended after 2 of 3 chunks"):
            fit_stream(cut(WAITING, 9), TWO_BELLS, n_chunks=3)
        with pytest.raises(ValueError, match="there are no chunks"):
            fit_stream(iter([]), TWO_BELLS, n_chunks=3)

    def test_what_the_stream_itself_raises_comes_through(self):
        def broken():
            yield WAITING
            raise ConnectionError("the line is dead")

        with pytest.raises(ConnectionError, match="the line is dead"):
            fit_stream(broken(), TWO_BELLS)
        with pytest.raises(ConnectionError, match="the line is dead"):
            fit_chunks(Again(lambda n_passes: broken()), TWO_BELLS)


class TestBadFile:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "observations.npy"

    def check(self, path, words):
        before = path.read_bytes()
        with pytest.raises(ValueError, match=words) as info:
            fit_file(path, TWO_BELLS)
        assert "observations.npy" in str(info.value)
        assert path.read_bytes() == before
        assert [found.name for found in path.parent.iterdir()] == [path.name]

    def test_missing(self, path):
        with pytest.raises(FileNotFoundError, match=r"observations\.npy"):
            fit_file(path, TWO_BELLS)

    @pytest.mark.parametrize("content", [b"", b"1.0\n2.0\n3.0\n", b"\x93NUMPY", b"\x00" * 1000])
    def test_not_npy(self, path, content):
        path.write_bytes(content)
        self.check(path, r"observations\.npy is not a whole \.npy file of numbers")

    @pytest.mark.parametrize(
        ("good", "bad"),
        [
            (b"(272,)", b"(272, "),
            (b"(272,)", b"(-72,)"),
            (b"(272,), }      ", b"(10000000000000000000000,), }"),
            (b"'<f8'", b"',f8'"),
            (b"'<f8'", b"'<q9'"),
            (b"'descr'", b"'dtype'"),
        ],
    )
    def test_damaged_header(self, path, good, bad):
        np.save(path, WAITING)
        content = path.read_bytes()
        assert content.count(good) == 1
        path.write_bytes(content.replace(good, bad, 1))
        self.check(path, r"observations\.npy is not a whole \.npy file of numbers")

    @pytest.mark.parametrize("n_bytes", [20, 100, 130, 1000, -1])
    def test_truncated(self, path, n_bytes):
        np.save(path, WAITING)
        path.write_bytes(path.read_bytes()[:n_bytes])
        self.check(path, r"observations\.npy is not a whole \.npy file of numbers")

    def test_pickled_objects(self, path):
        np.save(path, np.array([1, None, "a"], dtype=object), allow_pickle=True)
        self.check(path, r"not a whole \.npy file of numbers: .*objects")

    @pytest.mark.parametrize("suffix", [".npz", ".npy"])
    def test_zip(self, path, suffix):
        with path.open("wb") as file:
            np.savez(file, WAITING)
        self.check(path.rename(path.with_name("observations.npy" + suffix)), "not a whole")

    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (np.float64(3), r"must hold \(N,\) or \(N, D\) numbers; its shape is \(\)"),
            (np.zeros((3, 2, 2)), r"must hold .* its shape is \(3, 2, 2\)"),
            (np.zeros((0, 2)), r"must hold .* its shape is \(0, 2\)"),
            (np.zeros((3, 0)), r"must hold .* its shape is \(3, 0\)"),
            (np.array(["a", "b"]), r"observations\.npy\[0:2\] must hold real numbers"),
            (np.zeros(3, "f8,i4"), r"observations\.npy\[0:3\] must hold real numbers"),
            (WAITING + 1j, r"observations\.npy\[0:272\] must hold real numbers"),
            (FAITHFUL, r"shape \(272, 2\), but this Mixture"),
        ],
    )
    def test_not_numbers_in_one_or_two_dimensions(self, path, array, words):
        np.save(path, array)
        with pytest.raises(ValueError, match=words):
            fit_file(path, TWO_BELLS)

    def test_not_finite(self, path, monkeypatch):
        """Which rows of the file, and which of those."""
        monkeypatch.setattr("emtools.scale.chunks.CHUNK", 100)
        x = WAITING.copy()
        x[[211, 250]] = np.nan, np.inf
        np.save(path, x)
        self.check(path, r"2 of 72 values are not, .* observations\.npy\[200:272\]\[11\] = nan")
        X = FAITHFUL.copy()
        X[60, 1] = np.nan
        np.save(path, X)
        with pytest.raises(ValueError, match=r"observations\.npy\[50:100\]\[10, 1\] = nan"):
            fit_file(path, TWO_ELLIPSES)


class TestProgress:
    @pytest.mark.parametrize("n_chunks", [None, 2])
    def test_of_a_stream(self, capsys, n_chunks):
        said = fit_stream(cut(WAITING, 9), TWO_BELLS, n_chunks=n_chunks)
        assert capsys.readouterr() == ("", "")
        seen = fit_stream(cut(WAITING, 9), TWO_BELLS, n_chunks=n_chunks, progress=True)
        assert "chunks" in capsys.readouterr().err
        assert_same_parameters(seen.parameters, said.parameters, rtol=0)

    def test_of_chunks(self, capsys):
        said = fit_chunks(cut(WAITING, 9), TWO_BELLS)
        assert capsys.readouterr() == ("", "")
        seen = fit_chunks(cut(WAITING, 9), TWO_BELLS, progress=True)
        shown = capsys.readouterr().err
        assert "EM" in shown
        assert "chunks" in shown
        assert "/2 [" in shown  # how many there are is known
        assert_same_fit(seen, said, rtol=0)
        fit_chunks(Again(lambda n_passes: cut(WAITING, 9)), TWO_BELLS, progress=True)
        assert "chunks" in capsys.readouterr().err

    def test_of_a_file(self, capsys, tmp_path, monkeypatch):
        monkeypatch.setattr("emtools.scale.chunks.CHUNK", 100)
        np.save(tmp_path / "x.npy", WAITING)
        fit_file(tmp_path / "x.npy", TWO_BELLS)
        assert capsys.readouterr() == ("", "")
        fit_file(tmp_path / "x.npy", TWO_BELLS, progress=True)
        shown = capsys.readouterr().err
        assert "EM" in shown
        assert "/3 [" in shown

    def test_of_dask(self, capsys):
        with dask.config.set(scheduler="synchronous"):
            fit_dask(delayed(cut(WAITING, 9)), TWO_BELLS)
            assert capsys.readouterr() == ("", "")
            fit_dask(delayed(cut(WAITING, 9)), TWO_BELLS, progress=True)
            assert "EM" in capsys.readouterr().err
