"""The same fit on data of any size: a list of chunks, a file, a cluster (chapter 16).

The sums of a step add up, whoever computed them. `fit_chunks`, `fit_file` and `fit_dask` differ in
who goes through the chunks, and in nothing else; all else is `emtools.fitting.fit_source`.
"""

import warnings
from functools import cached_property, partial, reduce
from os import PathLike
from pathlib import Path
from tokenize import TokenError
from zlib import crc32

import numpy as np
from numpy.lib.format import open_memmap

from emtools.checks import check_chunks, check_repeatable, check_size, checked_observations
from emtools.collapse import Collapse
from emtools.em import with_progress
from emtools.fitting import fit, fit_source, given, summarise
from emtools.kernel import default_n_threads, exact_sums, in_this_thread, in_threads, total
from emtools.search import Group

CHUNK = 2**21  # numbers of a file in memory at a time: 16 MB
FOR_OTHERS = "For several files, or files of another kind: fit_chunks(Again(read), start)"
SAMPLE = 10_000  # about how many observations a number of components is fitted to for a start


def fit_chunks(
    chunks,
    start,
    *,
    covariance="full",
    tol=1e-10,
    max_iter=100_000,
    n_starts=None,
    min_std=0.0,
    rng=None,
    accelerate=True,
    progress=False,
):
    """Fit a Gaussian mixture to observations that come in chunks, again for each step.

    Parameters
    ----------
    chunks : iterable of (n,) or (n, D) arrays
        Gone through at least once for each step, so a list, or an object whose ``__iter__`` starts
        anew, such as `Again`; one chunk is held at a time. All have the same type and number of
        columns; those without a row are skipped.
    start : int, Mixture, MultivariateMixture or Fit
        How many components, or where to begin; a number starts from a fit to about 10,000
        observations drawn at random.
    covariance : str
        "full", "tied", "diag" or "spherical", as for `fit`.
    tol, max_iter : float, int
        When to stop, as for `fit`.
    n_starts : int, optional
        How many starts that fit tries if `start` is a number: 20 unless you say otherwise.
    min_std : float
        The smallest standard deviation allowed, in the units of the data.
    rng : int or numpy.random.Generator, optional
        Draws those observations and starts.
    accelerate : bool
        Whether to take fewer passes over the chunks, by longer steps, as for `fit`.
    progress : bool
        Whether to show bars, one for the steps and one for the chunks of each.

    Returns
    -------
    Fit
        What `fit` returns for all chunks laid end to end, to rounding.

    Raises
    ------
    ValueError
        If a chunk is not finite (which chunk, which row), not numeric, or unlike the first
        in type or columns; if the chunks can be gone through only once or change in number; if
        another argument is not as above.
    Collapse
        If a component shrinks onto a point or vanishes.

    Warns
    -----
    NotConverged
        If the run was stopped by `max_iter`.
    """
    source = chunks if isinstance(chunks, Chunks) else Chunks(chunks)
    source.progress = progress
    options = tol, max_iter, n_starts, min_std, rng, accelerate, progress
    return fit_source(source, start, covariance, *options)


def fit_file(path, start, **options):
    """Fit a Gaussian mixture to a .npy file, of which only a part is in memory at any time.

    Parameters
    ----------
    path : str or Path
        A file that `np.save` has written, of shape (N,) or (N, D); it may be larger than memory.
    start, **options
        As for `fit_chunks`.

    Returns
    -------
    Fit
        What `fit` returns for the whole, to rounding.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If this is not one file, or it does not hold what its header says, or no numbers; or as
        `fit_chunks` does.
    Collapse
        As `fit` does.
    """
    return fit_chunks(FileChunks(path), start, **options)


def fit_dask(chunks, start, **options):
    """Fit a Gaussian mixture to a Dask array, or to delayed chunks, where they are.

    Each step sends the mixture to the chunks and brings their sums back. Chunks stay in the memory
    of the workers (without a `dask.distributed.Client`, of this process); if a worker is lost, Dask
    makes its chunks again and nothing else changes.

    Parameters
    ----------
    chunks : dask.array.Array or list of dask.delayed.Delayed
        An array of shape (N,) or (N, D), or chunks of shape (n,) or (n, D) as for `fit_chunks`.
    start, **options
        As for `fit_chunks`; `progress` shows a bar for the steps only.

    Returns
    -------
    Fit
        What `fit` returns for the whole, to rounding. Sums are added in the order of the chunks,
        whichever worker is the first to finish.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError, Collapse
        As `fit_chunks` does.
    """
    return fit_chunks(DaskChunks(chunks), start, **options)


class Again:
    """Chunks that a function reads, from the beginning each time they are gone through.

    Parameters
    ----------
    read : function
        Called without arguments; returns a new iterator over chunks: a generator function, say.
    """

    def __init__(self, read):
        self.read = read

    def __iter__(self):
        return iter(self.read())


class Chunks:
    """Chunks that are gone through here: what `fit_source` needs to know of them.

    Who holds chunks elsewhere has a `for_each` and a `name` of its own; nothing else differs.
    """

    centre, unit, columns, progress = 0.0, 1.0, None, False  # numbers as they come, each once
    stacklevel = 4  # of a warning, so that it shows the line of the reader's that called

    def __init__(self, chunks):
        check_repeatable(chunks)
        self.chunks = chunks

    def __len__(self):
        return len(self.chunks)

    def __iter__(self):
        return iter(self.chunks)

    @cached_property
    def on_chunk(self):
        """Who takes sums over one chunk."""
        return in_threads(default_n_threads(CHUNK))

    def for_each(self, function):
        """What ``function(name, chunk)`` gives for each chunk that has a row, in their order."""
        chunks = with_progress(self, self.progress, "chunks")
        results = (function(self.name(number), chunk) for number, chunk in enumerate(chunks))
        return [result for result in results if result is not None]

    def name(self, number):
        """What an error message calls a chunk."""
        return f"chunks[{number}]"

    @cached_property
    def summary(self):
        """What one look at all chunks tells, or a ValueError that says which of them is amiss."""
        summaries = self.for_each(summarise_chunk)
        if not summaries:
            raise ValueError("there are no chunks with observations: nothing to fit")
        return reduce(merged, summaries)

    def add_up(self, chunk_sums):
        """The sums over all chunks, as `emtools.kernel.make_step` asks for them."""
        results = self.for_each(partial(sums_of_chunk, self.on_chunk, chunk_sums))
        sums, log_likelihood = total(results)
        if np.isfinite(log_likelihood):
            check_unchanged(sums, chunk_sums.args[-1], self.summary)
        elif chunk_sums.func is exact_sums:  # nobody will try again: has a chunk gone bad?
            self.for_each(summarise_chunk)
        return sums, log_likelihood

    def for_each_row(self, function):
        """What ``function(name, X, rows)`` gives for the (n, D) rows of each chunk."""
        return self.for_each(partial(on_rows, function))

    def short_runs(self, *_):
        """None: there is one start."""

    def starts(self, n_components, covariance, n_starts, min_std, rng):
        """The best of several fits to about 10,000 observations drawn at random, for all."""
        share = SAMPLE / self.summary.n_samples
        some = np.concatenate(self.for_each(partial(some_rows, share, int(rng.integers(2**32)))))
        options = {"covariance": covariance, "n_starts": n_starts, "min_std": min_std}
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                found = fit(some, n_components, tol=1e-3, rng=rng, **options)
        except Collapse as collapse:
            collapse.cure += f". (x: {len(some)} observations drawn from the chunks for a start)"
            raise
        except ValueError as error:
            raise ValueError(
                f"no start was found among {len(some)} observations drawn from the chunks: "
                f"{error}. Or give a mixture as start"
            ) from None
        for warning in said:  # again, with the line that called
            warnings.warn(warning.message, stacklevel=self.stacklevel)
        return [Group([given(found, self.summary, self.centre)], 1, 1)]


class FileChunks(Chunks):
    """The rows of a .npy file, some at a time: mapped into memory and let go again.

    The map is opened anew for each chunk, because pages that have been looked at count as this
    process's memory for as long as their map is open.
    """

    stacklevel = 5

    def __init__(self, path):
        if not isinstance(path, (str, PathLike)):
            raise ValueError(
                f"path must be one .npy file; it is a {type(path).__name__}. {FOR_OTHERS}"
            )
        self.path = Path(path)
        array = self.opened()
        if array.ndim not in (1, 2) or array.size == 0:
            raise ValueError(f"{path} must hold (N,) or (N, D) numbers; its shape is {array.shape}")
        self.n_samples = len(array)
        self.n_rows = max(1, CHUNK // (array.size // len(array)))

    def opened(self):
        """The file as a memory map, or a ValueError if it is not what it says."""
        try:
            return open_memmap(self.path, mode="r")
        except (ValueError, OverflowError, SyntaxError, TokenError) as error:  # a damaged header
            raise ValueError(
                f"{self.path} is not a whole .npy file of numbers: {error}. {FOR_OTHERS}"
            ) from None

    def __len__(self):
        return -(-self.n_samples // self.n_rows)

    def __iter__(self):
        for start in range(0, self.n_samples, self.n_rows):
            yield self.opened()[start : start + self.n_rows]

    def name(self, number):
        """What an error message calls a chunk."""
        start = number * self.n_rows
        return f"{self.path.name}[{start}:{min(start + self.n_rows, self.n_samples)}]"


class DaskChunks(Chunks):
    """Chunks that Dask holds: a function goes to them, and its results come back in order."""

    stacklevel = 5

    def __init__(self, chunks):
        try:
            import dask
        except ImportError:
            raise ImportError("fit_dask needs Dask: pip install dask distributed") from None
        self.dask = dask
        super().__init__(dask.persist(*delayed_chunks(chunks)))
        self.on_chunk = in_this_thread  # a worker has processors of its own

    def for_each(self, function):
        """What ``function(name, chunk)`` gives for each chunk that has a row, in their order.

        A step's function is another each time, so there is nothing to hash and nothing to fuse.
        """
        remote = self.dask.delayed(function, pure=False)
        names = map(self.name, range(len(self.chunks)))
        results = self.dask.compute(*map(remote, names, self.chunks), optimize_graph=False)
        return [result for result in results if result is not None]


def delayed_chunks(chunks):
    """The chunks of a Dask array, all columns together, or the list of delayed chunks itself."""
    from dask.array import Array
    from dask.delayed import Delayed

    if isinstance(chunks, Delayed):
        raise ValueError("chunks is one Delayed; give a list of them, or a Dask array")
    if not isinstance(chunks, Array):
        check_chunks(chunks)
        return list(chunks)
    if chunks.ndim == 2:
        chunks = chunks.rechunk({1: -1})
    return chunks.to_delayed().ravel().tolist()


def is_empty(chunk):
    """Whether a chunk has no row, as a filter may leave it."""
    shape = getattr(chunk, "shape", None)
    return shape[0] == 0 if shape else isinstance(chunk, (list, tuple)) and not chunk


def summarise_chunk(name, chunk):
    """Check one chunk and summarise it; None if it has no row.

    Parameters
    ----------
    name : str
        What an error message calls it.
    chunk : (n,) or (n, D) array
        Observations.

    Returns
    -------
    Summary or None

    Raises
    ------
    ValueError
        If the chunk is not numeric, not finite, too large or of another dimension.
    """
    if is_empty(chunk):
        return None
    X = checked_observations(chunk, name, one_row=True)
    check_size(max(X.max(), -X.min()), name)
    dtype = np.asarray(chunk).dtype.newbyteorder("=")  # the order of bytes costs no digits
    return summarise(name, X)._replace(dtype=dtype, columns=tuple(getattr(chunk, "columns", ())))


def merged(one, other):
    """The summary of two parts together (Chan, Golub and LeVeque 1983); ValueError if unlike."""
    check_alike(one, other)
    weight = one.total + other.total
    shift = other.mean - one.mean
    return one._replace(
        n_samples=one.n_samples + other.n_samples,
        total=weight,
        mean=one.mean + shift * (other.total / weight),
        squares=one.squares + other.squares + shift**2 * (one.total * other.total / weight),
        lowest=np.minimum(one.lowest, other.lowest),
        highest=np.maximum(one.highest, other.highest),
    )


def check_alike(one, other):
    """Raise ValueError unless two summaries are of the same type and number of columns."""
    first, name = one.name, other.name
    if (one.dimensions, len(one.mean)) != (other.dimensions, len(other.mean)):
        raise ValueError(
            f"{name} has {columns(other)}, but {first} has {columns(one)}; all chunks need the same"
        )
    if one.dtype != other.dtype:
        raise ValueError(
            f"{name} holds {other.dtype}, but {first} holds {one.dtype}; convert one of them, so "
            "that no digits are lost unnoticed"
        )
    if one.columns != other.columns:
        raise ValueError(
            f"{name} has the columns {list(other.columns)}, but {first} has {list(one.columns)}; "
            "put them in the same order"
        )


def columns(summary):
    """How an error message describes the shape of a chunk."""
    return "one dimension" if summary.dimensions == 1 else f"{len(summary.mean)} columns"


def sums_of_chunk(on_chunk, chunk_sums, name, chunk):
    """What ``chunk_sums(X, sample_weight)`` gives for one chunk; in threads if worth them."""
    if is_empty(chunk):
        return None
    X = rows_of(chunk)
    on_chunk = on_chunk if default_n_threads(X.size) > 1 else in_this_thread
    with np.errstate(all="ignore"):
        return on_chunk(chunk_sums, X, None)


def rows_of(chunk):
    """The (n, D) numbers of a checked chunk; a copy only of those that are held as objects."""
    X = np.asarray(chunk)
    return (X.astype(float) if X.dtype == object else X).reshape(len(X), -1)


def check_unchanged(sums, origins, summary):
    """Raise ValueError if the sums of a step are not of the observations there were at first.

    Responsibilities sum to one, so the sums of all components together do not depend on the
    mixture: they are how many observations there are, and n times their mean.

    Parameters
    ----------
    sums : (K, F) array
        Of the terms, finite.
    origins : (D,) or (K, D) array
        Where the terms are zero.
    summary : Summary
        What the first look at the observations told.
    """
    n_samples, n_features = summary.n_samples, len(summary.mean)
    counts, linear = sums[:, :1], sums[:, 1 : 1 + n_features]
    if abs(counts.sum() - n_samples) > 0.5:
        raise ValueError(
            f"the chunks held {n_samples} observations at first, {counts.sum():.0f} in a later "
            "step; they must be the same each time"
        )
    moves = (linear + counts * (origins - summary.mean)).sum(axis=0) / n_samples
    largest = np.maximum(np.abs(summary.lowest), np.abs(summary.highest))
    rounding = 1e-6 * summary.spread + 1e-12 * largest
    if (np.abs(moves) > rounding).any():
        column = int(np.argmax(np.abs(moves) / (rounding + np.finfo(float).tiny)))
        where = f" of column {column}" if n_features > 1 else ""
        raise ValueError(
            f"the chunks have changed since they were first gone through: their mean{where} was "
            f"{summary.mean[column]:.10g}, and is {summary.mean[column] + moves[column]:.10g} in a "
            "later step; they must be the same each time"
        )


def some_rows(share, seed, name, chunk):
    """A share of a chunk's rows, drawn at random: the same ones each time, on any machine."""
    if is_empty(chunk):
        return None
    place = name.rpartition("[")[2]  # without the name that a file happens to have
    rng = np.random.default_rng([seed, crc32(place.encode())])
    return np.asarray(chunk)[rng.random(len(chunk)) < share]


def on_rows(function, name, chunk):
    """What ``function(name, X, rows)`` gives for a chunk as (n, D) numbers."""
    if is_empty(chunk):
        return None
    name += ".iloc" * hasattr(chunk, "iloc")
    return function(name, np.asarray(rows_of(chunk), float), range(len(chunk)))
