"""Every door: what comes in is as asked for, or an error says what, where and what to do.

What a chapter teaches takes its input for granted; who is called from outside checks.
"""

import math
from pathlib import Path

import numpy as np

DEFAULT_STARTS = 10


def checked_array(values, name, dimensions):
    """Return a new float64 array, or say what is wrong with it.

    Parameters
    ----------
    values : array or nested sequence of numbers
        Integers, lists, float32 and non-contiguous arrays are welcome; never changed.
    name : str
        What the error message calls it.
    dimensions : tuple of int
        The numbers of dimensions it may have: ``(1,)`` for (N,), ``(1, 2)`` for (N,) or (N, D).

    Returns
    -------
    array of float64
        A copy, in C order, with at least one entry.

    Raises
    ------
    ValueError
        If it is masked, empty, not numeric, of another dimension or not finite; with how many and
        the first index.
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values; leave them out first: {name}.compressed()")
    try:
        array = np.asarray(values)
    except ValueError:  # a list of lists of unequal length
        shape = "be one row of numbers" if dimensions == (1,) else "have rows of equal length"
        raise ValueError(f"{name} must {shape}; its rows differ in length") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers; its type is {array.dtype}")
    if array.ndim not in dimensions:
        wanted = " or ".join(("zero", "one", "two", "three")[d] for d in dimensions)
        plural = "" if dimensions == (1,) else "s"
        raise ValueError(f"{name} must have {wanted} dimension{plural}; its shape is {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty")
    array = array.astype(np.float64, order="C")
    bad = ~np.isfinite(array)
    if bad.any():
        index = np.unravel_index(np.argmax(bad), array.shape)
        raise ValueError(
            f"{name} must be finite; {bad.sum()} of {array.size} values are not, "
            f"the first is {name}[{', '.join(map(str, index))}] = {array[index]}"
        )
    return array


def checked_vector(values, name):
    """Return a new (N,) float64 array, or say what is wrong with it (see `checked_array`)."""
    return checked_array(values, name, dimensions=(1,))


def checked_sample_weight(sample_weight, n_samples):
    """Return (N,) float weights >= 0, all 1 for None, or say what is wrong with them."""
    if sample_weight is None:
        return np.ones(n_samples)
    sample_weight = checked_vector(sample_weight, "sample_weight")
    if len(sample_weight) != n_samples:
        raise ValueError(
            f"sample_weight must have one entry for each observation; it has {len(sample_weight)}, "
            f"x has {n_samples}"
        )
    if (sample_weight < 0).any():
        n = int(np.argmax(sample_weight < 0))
        raise ValueError(f"sample_weight must not be negative; [{n}] is {sample_weight[n]}")
    if not sample_weight.any():
        raise ValueError("sample_weight must not be zero everywhere")
    if sample_weight.max() > 1e300 / n_samples:
        n = int(np.argmax(sample_weight))
        raise ValueError(
            f"sample_weight must be under {1e300 / n_samples:.3g}, so that sums of it are numbers; "
            f"[{n}] is {sample_weight[n]:.3g}. Divide all of them by it"
        )
    return sample_weight


def check_varied(lowest, highest, n_samples, dimensions, covariance="full", min_std=0.0):
    """Raise ValueError if a column, known by its extremes, is constant or its square overflows."""
    with np.errstate(over="ignore"):
        ranges = highest - lowest
    for d, width in enumerate(ranges):
        name = "x" if dimensions == 1 else f"column {d} of x"
        if width == 0:
            raise ValueError(
                f"{name} is constant: all {n_samples} observations (of positive weight) are "
                f"{lowest[d]}, so there is no width to estimate. Leave it out, or look again"
            )
        if not 1e-150 < width < 1e150:
            raise ValueError(
                f"{name} spans {width:.3g}, whose square float64 cannot hold; change its unit"
            )


def check_size(largest, name):
    """Raise ValueError if sums of squares of such numbers are more than float64 can hold."""
    if largest > 1e140:
        raise ValueError(
            f"{name} holds {largest:.3g} (plus or minus), whose square float64 cannot add up; "
            "change its unit"
        )


def check_enough(n_components, n_samples, n_features=1, covariance="full", min_std=0.0):
    """Raise ValueError unless there are from one to N components."""
    if n_components < 1:
        raise ValueError(f"start must be at least one component; it is {n_components}")
    if n_samples < n_components:
        raise ValueError(
            f"x has fewer observations (of positive weight) than there are components: {n_samples} "
            f"against {n_components}. Ask for fewer components"
        )


def checked_n_starts(start, n_starts):
    """Return how many starts to make, or say why not."""
    if n_starts is None:
        return DEFAULT_STARTS
    if not is_whole(n_starts) or n_starts < 1:
        raise ValueError(f"n_starts must be a whole number >= 1; it is {n_starts!r}")
    if not is_whole(start) and n_starts > 1:
        raise ValueError(
            f"n_starts is {n_starts}, but a mixture is one start; give the number of components "
            "instead, or leave n_starts out"
        )
    return n_starts


def check_choice(value, name, choices):
    """Raise ValueError unless the value is one of the words to choose from."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; it is {value!r}")


def check_min_std(min_std):
    """Raise ValueError unless this is a standard deviation >= 0."""
    if not is_real(min_std) or not 0 <= min_std < 1e150:
        raise ValueError(
            f"min_std must be a standard deviation >= 0 in the units of x; it is {min_std!r}"
        )


def checked_rng(rng, required=False):
    """Stub until the doors are merged."""
    if rng is not None and not is_whole(rng) and not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a seed or a numpy.random.Generator; it is {rng!r}")
    return np.random.default_rng(rng)


def checked_observations(x, name="x", one_row=False):
    """Stub until the doors are merged."""
    return checked_array(x, name, (1, 2))


def check_stopping(tol, max_iter):
    """Raise ValueError unless `tol` is a number >= 0 and `max_iter` a whole number >= 0."""
    if not is_real(tol) or not 0 <= tol < math.inf:
        raise ValueError(f"tol must be a number >= 0, in nats; it is {tol!r}")
    if not is_whole(max_iter) or max_iter < 0:
        raise ValueError(f"max_iter must be a whole number >= 0; it is {max_iter!r}")


def check_chunks(chunks):
    """Raise ValueError for what is likely to be meant as chunks and is not."""
    if isinstance(chunks, (str, Path)):
        raise ValueError(f"chunks must be arrays; for a file, use fit_file({str(chunks)!r}, ...)")
    if hasattr(chunks, "shape"):
        raise ValueError(
            f"chunks is one {type(chunks).__name__} of shape {chunks.shape}; use emtools.fit (or "
            "fit_dask for a Dask array), or give a list of arrays"
        )
    if not hasattr(chunks, "__iter__"):
        raise ValueError(f"chunks must be an iterable of arrays; it is {type(chunks).__name__}")


def check_repeatable(chunks):
    """Raise ValueError unless these are chunks that can be gone through again and again."""
    check_chunks(chunks)
    if iter(chunks) is iter(chunks):
        raise ValueError(
            "these chunks can be gone through only once, but every step needs them again; give a "
            "list, or use fit_stream, which needs them once"
        )


def check_stream(chunks, start, exponent, n_chunks):
    """Raise ValueError for what is not chunks, a start, an exponent or a number of chunks."""
    check_chunks(chunks)
    if is_whole(start):
        raise ValueError(
            f"start must be a mixture, because a stream is seen only once; it is {start}. "
            "emtools.fit finds one from the first observations"
        )
    if not is_real(exponent) or not 0.5 < exponent <= 1:
        raise ValueError(f"exponent must be over 0.5 and at most 1; it is {exponent!r}")
    if n_chunks is not None and (not is_whole(n_chunks) or n_chunks < 1):
        raise ValueError(f"n_chunks must be a whole number >= 1, or None; it is {n_chunks!r}")


def check_complete(n_seen, n_chunks):
    """Raise ValueError if the stream has ended at once, or before the number asked for."""
    if n_seen == 0:
        raise ValueError("there are no chunks: nothing to learn from")
    if n_chunks is not None and n_seen < n_chunks:
        raise ValueError(
            f"the stream has ended after {n_seen} of {n_chunks} chunks; leave n_chunks out to take "
            "what there is"
        )


def is_whole(value):
    """Whether this is an integer, NumPy's included (True and False are not)."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_real(value):
    """Whether this is a real number, NumPy's included (True and False are not)."""
    return is_whole(value) or isinstance(value, (float, np.floating))
