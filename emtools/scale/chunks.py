"""The same EM step on data of any size: a file, chunks, a cluster, a stream (chapter 12).

The sums of a step add up, whoever computed them. `fit_file`, `fit_chunks` and `fit_dask` differ in
who does, and nothing else; `fit_stream` sees each observation once and keeps running averages.
"""

from functools import partial, reduce
from itertools import islice
from pathlib import Path
from tokenize import TokenError
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.lib.format import open_memmap

from emtools import kernel
from emtools.checks import (
    check_choice,
    check_chunks,
    check_complete,
    check_enough,
    check_options,
    check_repeatable,
    check_size,
    check_stopping,
    check_stream,
    check_varied,
    checked_array,
    is_whole,
)
from emtools.em import Collapse, accepted, iterate, shown
from emtools.fitting import (
    Limits,
    Units,
    fit,
    guarded,
    in_own_units,
    own_floor,
    raised,
    refuse_collapsed,
)
from emtools.kinds import checked_for
from emtools.mixture import Mixture
from emtools.multivariate import STRUCTURES

CHUNK = 2**21  # numbers of a file in memory at a time: 16 MB
SAMPLE = 10_000  # about how many observations a number of components is fitted to for a start


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
        If the file does not hold what its header says, or no numbers; or as `fit_chunks` does.
    Collapse
        As `fit` does.
    """
    return fit_chunks(FileChunks(path), start, **options)


def fit_chunks(
    chunks,
    start,
    *,
    covariance="full",
    tol=1e-10,
    max_iter=100_000,
    floor=0.0,
    rng=None,
    progress=False,
):
    """Fit a Gaussian mixture to observations that come in chunks, again for each step.

    Parameters
    ----------
    chunks : iterable of (n,) or (n, D) arrays
        Gone through at least once for each step, so a list, or an object whose ``__iter__`` starts
        anew; one chunk is held at a time. All have the same type and number of columns.
    start : Mixture, MultivariateMixture or int
        Where to begin, or how many components; a number starts from the best of ten fits to about
        10,000 observations drawn at random.
    covariance : str
        "full", "tied", "diag" or "spherical", as for `fit`.
    tol, max_iter : float, int
        When to stop, as for `fit`.
    floor : float
        The smallest standard deviation allowed, in the units of the data.
    rng : numpy.random.Generator, optional
        Draws those observations and starts.
    progress : bool
        Whether to show bars, one for the steps and one for the chunks of each.

    Returns
    -------
    Fit
        What `fit` returns for all chunks laid end to end, to rounding.

    Raises
    ------
    ValueError
        If a chunk is empty, not finite (which chunk, which row), not numeric, or unlike the first
        in type or columns; if the chunks can be gone through only once or change in number; if
        another argument is not as above.
    Collapse
        If a component shrinks onto a point or vanishes.
    """
    check_choice(covariance, "covariance", STRUCTURES)
    check_options(floor, rng)
    check_stopping(tol, max_iter)
    for_each_chunk, on_chunk = ways_through(chunks, progress)
    survey = survey_of(for_each_chunk)
    if is_whole(start):
        start = start_from_some(for_each_chunk, survey, start, covariance, floor, rng)
    begin = as_multivariate(start, survey)
    check_enough(len(begin.weights), survey.n_samples)
    narrowest = own_floor(floor, units_of_data(len(survey.mean)))

    def add_up(sums_over):
        results = list(for_each_chunk(partial(sums_of_chunk, on_chunk, sums_over)))
        check_unchanged(results, survey.n_samples)
        return kernel.total(results)

    step = guarded(kernel.make_step(add_up, survey.mean, covariance), limits_of(survey), narrowest)
    begin = raised(STRUCTURES[covariance](begin), narrowest)
    found = iterate(step, begin, tol=tol, max_iter=max_iter, progress=progress)
    return found._replace(parameters=as_given(found.parameters, survey.dimensions))


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


def ways_through(chunks, progress):
    """How to call a function for each chunk, and how to take sums over one.

    Parameters
    ----------
    chunks : iterable of arrays, FileChunks or DaskChunks
    progress : bool
        Whether to show a bar for chunks that are gone through here.

    Returns
    -------
    for_each_chunk : function
        ``for_each_chunk(function)`` yields ``function(name, chunk)`` in the order of the chunks.
    on_chunk : function
        As `emtools.kernel.in_threads` gives it.

    Raises
    ------
    ValueError
        If these are not chunks, or can be gone through only once.
    """
    if isinstance(chunks, DaskChunks):
        return chunks.for_each, kernel.alone
    check_repeatable(chunks)

    def for_each_chunk(function):
        for number, chunk in enumerate(shown(chunks, progress, "chunks")):
            yield function(name_of(chunks, number), chunk)

    return for_each_chunk, kernel.in_threads(kernel.worthwhile_threads(CHUNK))


class DaskChunks:
    """Chunks that Dask holds: a function goes to them, and its results come back in order."""

    def __init__(self, chunks):
        try:
            import dask
        except ImportError:
            raise ImportError("fit_dask needs Dask: pip install dask distributed") from None
        self.dask = dask
        self.parts = dask.persist(*delayed_chunks(chunks))

    def for_each(self, function):
        """What the function gives for each name and chunk."""
        remote = self.dask.delayed(function, pure=False)
        names = [name_of(self.parts, number) for number in range(len(self.parts))]
        return self.dask.compute(*map(remote, names, self.parts), optimize_graph=False)


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


def sums_of_chunk(on_chunk, sums_over, name, chunk):
    """What ``sums_over(X, sample_weight)`` gives for one chunk; in threads if it is worth them."""
    X = np.asarray(chunk)
    on_chunk = on_chunk if kernel.worthwhile_threads(X.size) > 1 else kernel.alone
    with np.errstate(all="ignore"):
        return on_chunk(sums_over, X[:, None] if X.ndim == 1 else X, None)


def check_unchanged(results, n_samples):
    """Raise ValueError if the soft counts of a step do not add up to the observations there are."""
    counted = sum(sums[:, 0].sum() for sums, _ in results)
    overflowed = not all(np.isfinite(log_likelihood) for _, log_likelihood in results)
    if not overflowed and abs(counted - n_samples) > 0.5:
        raise ValueError(
            f"the chunks held {n_samples} observations at first, {counted:.0f} in a later step; "
            "they must be the same each time"
        )


def start_from_some(for_each_chunk, survey, n_components, covariance, floor, rng):
    """The best of ten fits to about 10,000 observations drawn at random, as a start for all."""
    check_enough(n_components, survey.n_samples)
    rng = np.random.default_rng(rng)
    draw = partial(some_rows, SAMPLE / survey.n_samples, int(rng.integers(2**32)))
    some = np.concatenate(list(for_each_chunk(draw)) or [np.empty(0)])
    try:
        found = fit(some, n_components, covariance=covariance, floor=floor, tol=1e-3, rng=rng)
        return found.parameters
    except Collapse:
        raise
    except ValueError as error:
        raise ValueError(
            f"no start was found among {len(some)} observations drawn from the chunks: {error}. "
            "Or give a mixture as start"
        ) from None


def some_rows(share, seed, name, chunk):
    """A share of a chunk's rows, drawn at random: the same ones each time, on any machine."""
    place = name.rpartition("[")[2]  # without the name that a file happens to have
    rng = np.random.default_rng([seed, crc32(place.encode())])
    return np.asarray(chunk)[rng.random(len(chunk)) < share]


class FileChunks:
    """The rows of a .npy file, some at a time: mapped into memory and let go again.

    The map is opened anew for each chunk, because pages that have been looked at count as this
    process's memory for as long as their map is open.
    """

    def __init__(self, path):
        self.path = Path(path)
        array = self.opened()
        if array.ndim not in (1, 2) or array.size == 0:
            raise ValueError(f"{path} must hold (N,) or (N, D) numbers; its shape is {array.shape}")
        if self.path.stat().st_size > array.offset + array.nbytes:
            raise ValueError(
                f"{path} goes on after its array of shape {array.shape}; a file must hold one array"
            )
        self.n_samples = len(array)
        self.n_rows = max(1, CHUNK // (array.size // len(array)))

    def opened(self):
        """The file as a memory map, or a ValueError if it is not what it says."""
        try:
            return open_memmap(self.path, mode="r")
        except (ValueError, OverflowError, SyntaxError, TokenError) as error:  # a bad header
            raise ValueError(f"{self.path} is not a whole .npy file of numbers: {error}") from None

    def __len__(self):
        return -(-self.n_samples // self.n_rows)

    def __iter__(self):
        for start in range(0, self.n_samples, self.n_rows):
            yield self.opened()[start : start + self.n_rows]

    def name(self, number):
        """What an error message calls a chunk."""
        start = number * self.n_rows
        return f"{self.path.name}[{start}:{min(start + self.n_rows, self.n_samples)}]"


def name_of(chunks, number):
    """What an error message calls a chunk."""
    return chunks.name(number) if isinstance(chunks, FileChunks) else f"chunks[{number}]"


class Survey(NamedTuple):
    """What a first look at some observations tells."""

    name: str  # of the first chunk
    dtype: np.dtype
    dimensions: int  # 1 for (n,), 2 for (n, D)
    n_samples: int
    mean: np.ndarray  # (D,)
    squares: np.ndarray  # (D,), sums of squared deviations from the mean
    lowest: np.ndarray  # (D,)
    highest: np.ndarray  # (D,)


def survey_of(for_each_chunk):
    """The survey of all chunks, or a ValueError that says which of them is not as it should be."""
    surveys = iter(for_each_chunk(survey_chunk))
    first = next(surveys, None)
    if first is None:
        raise ValueError("there are no chunks: nothing to fit")
    survey = reduce(merged, surveys, first)
    check_varied(survey.lowest, survey.highest, survey.n_samples, survey.dimensions)
    return survey


def survey_chunk(name, chunk):
    """Check one chunk and survey it.

    Parameters
    ----------
    name : str
        What an error message calls it.
    chunk : (n,) or (n, D) array
        Observations.

    Returns
    -------
    Survey

    Raises
    ------
    ValueError
        If the chunk is empty, not numeric, not finite, too large or of another dimension.
    """
    X = checked_array(chunk, name, dimensions=(1, 2))
    rows = X.reshape(len(X), -1)
    lowest, highest = rows.min(axis=0), rows.max(axis=0)
    check_size(max(highest.max(), -lowest.min()), name)
    mean = rows.mean(axis=0)
    rows -= mean
    np.multiply(rows, rows, out=rows)
    dtype = np.asarray(chunk).dtype.newbyteorder("=")  # the order of bytes costs no digits
    return Survey(name, dtype, X.ndim, len(X), mean, rows.sum(axis=0), lowest, highest)


def merged(one, other):
    """The survey of two parts together (Chan, Golub and LeVeque 1983); ValueError if unlike."""
    check_alike(one, other)
    n, m = one.n_samples, other.n_samples
    shift = other.mean - one.mean
    return Survey(
        one.name,
        one.dtype,
        one.dimensions,
        n + m,
        one.mean + shift * (m / (n + m)),
        one.squares + other.squares + shift**2 * (n * m / (n + m)),
        np.minimum(one.lowest, other.lowest),
        np.maximum(one.highest, other.highest),
    )


def check_alike(one, other):
    """Raise ValueError unless two surveys are of the same type and number of columns."""
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


def columns(survey):
    """How an error message describes the shape of a chunk."""
    return "one dimension" if survey.dimensions == 1 else f"{len(survey.mean)} columns"


def limits_of(survey):
    """What counts as collapsed among these observations."""
    spread = np.sqrt(survey.squares / survey.n_samples)
    return Limits(survey.n_samples, 1e-10 * spread, np.zeros_like(spread))


def as_multivariate(mixture, survey):
    """A checked mixture for these observations, in the form of the kernel."""
    if not isinstance(mixture, (tuple, list)):
        raise ValueError(f"start must be a mixture or a number of components; it is {mixture!r}")
    shape = (survey.n_samples, len(survey.mean))[: survey.dimensions]
    return in_own_units(checked_for(shape, mixture), units_of_data(len(survey.mean)))


def units_of_data(n_features):
    """The units that leave data as they are, so that no chunk has to be rescaled."""
    return Units(np.zeros(n_features), np.ones(n_features))


def as_given(mixture, dimensions):
    """The kernel's mixture in the form that belongs to observations of these dimensions."""
    if dimensions == 2:
        return mixture
    weights, means, covariances = mixture
    return Mixture(weights, means[:, 0], np.sqrt(covariances[:, 0, 0]))


class Stream(NamedTuple):
    """What a stream leaves behind."""

    parameters: NamedTuple  # a Mixture for (n,) chunks, a MultivariateMixture for (n, D)
    scores: np.ndarray  # (n_chunks,), mean log density of each chunk before it was learned from
    n_samples: int  # observations seen


def fit_stream(
    chunks, start, *, exponent=0.7, n_chunks=None, covariance="full", floor=0.0, progress=False
):
    """Follow a stream by stepwise (online) EM: every observation is seen once.

    The averages of the features, from which an M-step is made, are kept and moved towards those of
    each chunk by a share of ``(k + 2)**-exponent`` for chunk k = 0, 1, ... (Cappé and Moulines
    2009; the form is that of Liang and Klein 2009). The log-likelihood may fall on the way. The
    averages are kept as moments, so that each component's features can be about its own mean: about
    any other point a narrow component far from it would lose its digits.

    Parameters
    ----------
    chunks : iterable of (n,) or (n, D) arrays
        Gone through once; a generator will do. Alike in type and columns.
    start : Mixture or MultivariateMixture
        Where to begin.
    exponent : float
        Over 0.5, so that the noise of single chunks dies out, and at most 1, so that the start is
        forgotten: slowly at 1, where 1 / (k + 1) of it is left after k chunks.
    n_chunks : int, optional
        How many chunks to take; all there are unless given.
    covariance : str
        "full", "tied", "diag" or "spherical", as for `fit`.
    floor : float
        The smallest standard deviation allowed, in the units of the data.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Stream

    Raises
    ------
    ValueError
        If a chunk is not as above (which chunk, which row), a column is constant to the end, the
        stream ends before `n_chunks`, a log-likelihood is not finite, or another argument is not
        as above.
    Collapse
        If a component shrinks onto a point or vanishes; the iteration is the number of the chunk.
    """
    check_choice(covariance, "covariance", STRUCTURES)
    check_options(floor, None)
    check_stream(chunks, start, exponent, n_chunks)
    structure, squares_only = STRUCTURES[covariance], covariance in kernel.SQUARES_ONLY
    scores = []
    for number, chunk in enumerate(shown(islice(chunks, n_chunks), progress, "chunks")):
        seen = survey_chunk(f"chunks[{number}]", chunk)
        if number == 0:
            survey, moments = seen, as_multivariate(start, seen)
            narrowest = own_floor(floor, units_of_data(len(seen.mean)))
            mixture = raised(structure(moments), narrowest)
        else:
            survey = merged(survey, seen)
        refuse_at(number, mixture, limits_of(survey))
        sums_of = partial(stream_sums, chunk, squares_only)
        sums, log_likelihood = accepted(sums_of, mixture, number)
        averages = averages_of(moments, squares_only)
        share = (number + 2) ** -float(exponent)
        averages = (1 - share) * averages + share * sums / seen.n_samples  # Eq. (5)
        moments = kernel.m_step(averages, moments.means)
        mixture = raised(structure(moments), narrowest)
        scores.append(log_likelihood / seen.n_samples)
    check_complete(len(scores), n_chunks)
    if survey.n_samples > 1:
        check_varied(survey.lowest, survey.highest, survey.n_samples, survey.dimensions)
    refuse_at(len(scores), mixture, limits_of(survey))
    return Stream(as_given(mixture, survey.dimensions), np.array(scores), survey.n_samples)


def stream_sums(chunk, squares_only, mixture):
    """The sums of one chunk, with the features of each component about its mean."""
    sums_over = partial(kernel.exact_sums, mixture, mixture.means, squares_only)
    return sums_of_chunk(kernel.alone, sums_over, None, chunk)


def averages_of(mixture, squares_only):
    """The averages of the features about the means that make this mixture, (K, F)."""
    weights, means, covariances = mixture
    i, j = kernel.pairs(means.shape[1], squares_only)
    averages = [np.ones((len(means), 1)), np.zeros_like(means), covariances[:, i, j]]
    return weights[:, None] * np.concatenate(averages, axis=1)


def refuse_at(number, mixture, limits):
    """Raise Collapse with the number of chunks learned from, if a component has collapsed."""
    try:
        refuse_collapsed(mixture, limits)
    except Collapse as collapse:
        raise Collapse(collapse.component, collapse.what, number) from None
