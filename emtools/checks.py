"""Every door: what comes in is as asked for, or an error says what, where and what to do.

What a chapter teaches takes its input for granted; who is called from outside checks. A `check_...`
only looks; a `checked_...` returns what came in, in the form the rest works with. pandas is not
imported here: a frame or a series is known by what it can do.
"""

import math
from decimal import Decimal
from numbers import Real
from pathlib import Path

import numpy as np

DEFAULT_STARTS = 20

# What an array may hold that is no real number, by the kind of its dtype, and what to do then.
NO_NUMBERS = {
    "c": "complex ones. Take np.abs({x}), or both parts: np.column_stack([{x}.real, {x}.imag])",
    "M": "dates. Count from the first, in a unit: ({x} - np.min({x})) / np.timedelta64(1, 's')",
    "m": "time spans. Divide by a unit: {x} / np.timedelta64(1, 's')",
    "V": "records. Make columns of them: np.column_stack([{x}[f] for f in {x}.dtype.names])",
}

# What an option must be: in words, and as a test.
OPTIONS = {
    "tol": ("a number >= 0, in nats", lambda tol: is_real(tol) and 0 <= tol < math.inf),
    "max_iter": ("a whole number >= 0", lambda n: is_whole(n) and n >= 0),
    "n_starts": ("a whole number >= 1", lambda n: is_whole(n) and n >= 1),
    "n_chunks": ("a whole number >= 1, or None", lambda n: n is None or (is_whole(n) and n >= 1)),
    "exponent": ("over 0.5 and at most 1", lambda power: is_real(power) and 0.5 < power <= 1),
    "min_std": (
        "a standard deviation >= 0 in the units of x",
        lambda std: is_real(std) and 0 <= std < math.inf,
    ),
}


# Observations and other arrays


def checked_observations(x, name="x", one_row=False):
    """Return observations as a new float64 array, or say what is wrong with them.

    Parameters
    ----------
    x : (N,) or (N, D) array, nested sequence of numbers, or series or frame of pandas
        Integers, bools, float32, nullable columns, numbers held as objects and non-contiguous
        arrays are welcome; never changed.
    name : str
        What the error message calls them.
    one_row : bool
        Whether a table of one row and several columns is meant as one; otherwise it is taken for
        observations of one number that lie on their side.

    Returns
    -------
    (N,) or (N, D) array of float64
        A copy, in C order; N >= 1, D >= 1.

    Raises
    ------
    ValueError
        As `checked_array` does; for missing values it says how to leave out their rows.
    """
    X = checked_numbers(x, name, dimensions=(1, 2))
    check_finite(X, x, name, in_rows=True)
    if not one_row and len(X) == 1 < X.size:
        row = f"{name}.iloc[0]" if hasattr(x, "iloc") else f"{name}[0]"
        raise ValueError(
            f"{name} has one row of {X.size} columns, and one observation has no width. If it is "
            f"{X.size} observations of one number: {row}"
        )
    return X


def checked_array(values, name, dimensions):
    """Return a new float64 array, or say what is wrong with it.

    Parameters
    ----------
    values : array or nested sequence of numbers
        All that `checked_observations` takes; never changed.
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
        If it is masked, sparse, empty, not numeric (which entry or column), of another dimension,
        not finite (how many, the first place), or holds whole numbers that float64 would round.
    """
    array = checked_numbers(values, name, dimensions)
    check_finite(array, values, name)
    return array


def checked_vector(values, name):
    """Return a new (N,) float64 array, or say what is wrong with it (see `checked_array`)."""
    return checked_array(values, name, dimensions=(1,))


def checked_numbers(values, name, dimensions):
    """Return a new float64 array with NaN where a value is missing; else as `checked_array`."""
    check_dense(values, name)
    if is_frame(values):
        check_shape(values.shape, name, dimensions)
        return floats_of_frame(values, name)
    array = rectangular(values, name, dimensions)
    check_shape(array.shape, name, dimensions)
    return floats_of(array, values, name)


def check_dense(values, name):
    """Raise ValueError for a sparse matrix, and for masked values, in a list of rows, too."""
    if hasattr(values, "toarray"):
        raise ValueError(f"{name} is a sparse matrix; give {name}.toarray()")
    rows = values if isinstance(values, (list, tuple)) else [values]
    if any(isinstance(row, np.ma.MaskedArray) and np.ma.is_masked(row) for row in rows):
        first = f"{name} = np.ma.array({name}), then " if rows is values else ""
        rest = f"[~{name}.mask.any(axis=1)]" if np.ndim(values[0]) else ".compressed()"
        raise ValueError(f"{name} has masked values; leave them out first: {first}{name}{rest}")


def is_frame(values):
    """Whether this is a table whose columns have names and types of their own, as in pandas."""
    return all(hasattr(values, name) for name in ("columns", "items", "to_numpy"))


def rectangular(values, name, dimensions):
    """Return the values as an array of any type, or say why they are none."""
    try:
        array = np.asarray(values)
    except ValueError:  # a list of lists of unequal length
        shape = "be one row of numbers" if dimensions == (1,) else "have rows of equal length"
        raise ValueError(f"{name} must {shape}; its rows differ in length") from None
    if array.ndim == 0 and array.dtype.kind in "OUS":  # None, a word, a dict, a generator
        raise ValueError(
            f"{name} must hold real numbers; it is {values!r:.60}. Give a list or an array"
            + "; emtools.data.read_csv reads a file" * isinstance(values, (str, Path))
        )
    return array


def check_shape(shape, name, dimensions):
    """Raise ValueError for another number of dimensions than asked for, or no entry at all."""
    if len(shape) not in dimensions:
        wanted = " or ".join(("zero", "one", "two", "three")[d] for d in dimensions)
        plural = "" if dimensions == (1,) else "s"
        raise ValueError(f"{name} must have {wanted} dimension{plural}; its shape is {shape}")
    if 0 in shape:
        raise ValueError(f"{name} must not be empty; its shape is {shape}")


def floats_of_frame(frame, name):
    """The (N, D) floats of a frame, column by column: all together may share no numeric type."""
    texts = [label for label, column in frame.items() if first_text(np.asarray(column))]
    way_out = f"leave it out: {name}.drop(columns={texts})"
    floats = np.empty(frame.shape)
    for d, (label, column) in enumerate(frame.items()):
        floats[:, d] = floats_of(np.asarray(column), column, f"{name}[{label!r}]", way_out)
    return floats


def floats_of(array, values, name, way_out="leave out what is no number"):
    """The floats in an array of any type, NaN where one is missing, or an error for other content.

    `values` is what the array was made of, and `way_out` the advice about an entry that is text.
    """
    kind = array.dtype.kind
    if kind in NO_NUMBERS:
        held = NO_NUMBERS[kind].format(x=name)
        raise ValueError(f"{name} must hold real numbers; it holds {held}")
    if kind in "OUST":  # objects, and three kinds of text
        check_entries(array, values, name, way_out)
        floats = np.array([as_number(entry) for entry in array.ravel()]).reshape(array.shape)
    else:
        with np.errstate(over="ignore"):  # of float128; check_digits sees it
            floats = array.astype(np.float64, order="C")
    check_digits(array, floats, values, name)
    return floats


def check_entries(array, values, name, way_out):
    """Raise ValueError that names the first entry that is no number, if there is one."""
    found = first_text(array)
    if found:
        index, entry = np.unravel_index(found[0], array.shape), found[1]
        raise ValueError(
            f"{name} must hold real numbers; {place(values, name, index)} is {entry!r:.60}. "
            + advice_about(entry, name, way_out)
        )


def first_text(array):
    """Where the first entry that is no number stands, and the entry; None if there is none.

    Text that does not even spell a number comes before text that does, such as "1".
    """
    if array.dtype.kind not in "OUST":
        return None
    found = [
        (i, entry) for i, entry in enumerate(array.ravel().tolist()) if as_number(entry) is None
    ]
    return next((pair for pair in found if not spells_number(pair[1])), next(iter(found), None))


def advice_about(entry, name, way_out):
    """What to do with an entry that is no number."""
    if hasattr(entry, "timestamp"):  # a date
        return f"Take the seconds: [time.timestamp() for time in {name}]"
    if spells_number(entry):
        return f"Turn the text into numbers: np.array({name}, float)"
    return f"Mend it, or {way_out}"


def as_number(entry):
    """The entry of a list or table as a float, NaN if missing, None if it is no real number."""
    if entry is None or type(entry).__name__ in ("NAType", "NaTType"):  # pd.NA, pd.NaT
        return math.nan
    if not isinstance(entry, (Real, Decimal, np.bool_)):
        return None
    try:
        return float(entry)
    except OverflowError:  # 10**400
        return math.inf if entry > 0 else -math.inf


def spells_number(entry):
    """Whether this is the text of a number."""
    try:
        return isinstance(entry, (str, bytes)) and not math.isnan(float(entry))
    except ValueError:
        return False


def check_digits(array, floats, values, name):
    """Raise ValueError if float64 has rounded whole numbers, such as time in nanoseconds."""
    if array.dtype.kind == "f" and array.dtype.itemsize <= 8:
        return
    far = np.abs(floats) >= 2**53  # up to here float64 has every whole number
    given, kept = array[far], floats[far]
    if array.dtype.kind in "iu":  # NumPy would compare them as floats
        lost = given % np.spacing(np.abs(kept)).astype(given.dtype) != 0
    else:
        lost = given != kept
    if lost.any():
        first = place(values, name, np.argwhere(far)[lost.argmax()])
        raise ValueError(
            f"{first} is {given[lost.argmax()]!s:.60}, which float64 would round: it holds all "
            "whole numbers up to 2**53 only. Subtract one of yours first: "
            f"{name} - np.min({name}, axis=0)"
        )


def check_finite(array, values, name, in_rows=False):
    """Raise ValueError if a number is not finite; `in_rows` if a row can be left out for it."""
    bad = ~np.isfinite(array)
    if not bad.any():
        return
    index = np.unravel_index(bad.argmax(), array.shape)
    cure = "Look for a division by 0 or a log of 0"
    if np.isnan(array[index]):
        cure = without_missing(array, values, name) if in_rows else "Look for a missing value"
    raise ValueError(
        f"{name} must be finite; {bad.sum()} of {array.size} values are not, "
        f"the first is {place(values, name, index)} = {array[index]}. {cure}"
    )


def without_missing(array, values, name):
    """How to leave out the rows with a missing value."""
    missing = np.isnan(array).reshape(len(array), -1)
    rows = missing.any(axis=1)
    if array.ndim == 2 and rows.all() and missing.all(axis=0).any():
        return f"Column {missing.all(axis=0).argmax()} has no value at all: leave it out"
    cure = f"{name}[~np.isnan({name}){'.any(axis=1)' if array.ndim > 1 else ''}]"
    if not isinstance(values, np.ndarray):
        cure = f"{name} = np.array({name}, float), then {cure}"
    if hasattr(values, "dropna"):
        cure = f"{name}.dropna()"
    count = f"{rows.sum()} of {len(rows)}"
    return f"It is a missing value; leave out the rows that have one, {count}: {cure}"


def place(values, name, index):
    """What to type to see this entry of the values: x[3, 1], or x['width'].iloc[3] of a frame."""
    if not hasattr(values, "iloc"):
        return f"{name}[{', '.join(map(str, index))}]"
    column = f"[{values.columns[index[1]]!r}]" if is_frame(values) else ""
    return f"{name}{column}.iloc[{index[0]}]"


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
        raise ValueError(
            f"sample_weight must not be negative; [{n}] is {sample_weight[n]}. 0 leaves an "
            "observation out"
        )
    if not sample_weight.any():
        raise ValueError("sample_weight must not be zero everywhere; leave it out to count all")
    if sample_weight.max() > 1e300 / n_samples:
        n = int(np.argmax(sample_weight))
        raise ValueError(
            f"sample_weight must be under {1e300 / n_samples:.3g}, so that sums of it are numbers; "
            f"[{n}] is {sample_weight[n]:.3g}. Divide all of them by it"
        )
    return sample_weight


# Whether the observations are enough for the model


def check_varied(lowest, highest, n_samples, dimensions, covariance="full", min_std=0.0):
    """Raise ValueError if columns are constant where each needs a width, or squares overflow.

    Parameters
    ----------
    lowest, highest : (D,) arrays
        The extremes of each column.
    n_samples : int
        How many observations they are taken from.
    dimensions : int
        1 for x of shape (N,), 2 for (N, D).
    covariance : str
        With "spherical" one column that varies gives all of them their width.
    min_std : float
        If positive, it is the width of constant columns, which are welcome then.

    Raises
    ------
    ValueError
        With all constant columns, or the first whose range is not between 1e-150 and 1e150.
    """
    with np.errstate(over="ignore"):
        ranges = highest - lowest
    flat = ranges == 0
    has_width = min_std > 0 or (covariance == "spherical" and not flat.all())
    if flat.any() and not has_width:
        refuse_constant(np.flatnonzero(flat).tolist(), lowest, n_samples, dimensions)
    for d in np.flatnonzero(~flat):
        if not 1e-150 < ranges[d] < 1e150:
            name = "x" if dimensions == 1 else f"column {d} of x"
            raise ValueError(
                f"{name} spans {ranges[d]:.3g}, whose square float64 cannot hold; change its unit"
            )


def refuse_constant(columns, lowest, n_samples, dimensions):
    """Raise ValueError that names these constant columns."""
    *most, last = map(str, columns)
    which = f"columns {', '.join(most)} and {last} of x are" if most else f"column {last} of x is"
    values = "the same" if most else lowest[columns[0]]
    cure = f"Leave {'them' if most else 'it'} out"
    if dimensions == 1:
        which, cure = "x is", "Look at where it comes from"
    raise ValueError(
        f"{which} constant: all {n_samples} observations are {values}, so "
        f"there is no width to estimate. {cure}, or give min_std, the smallest width there may be"
    )


def check_size(largest, name):
    """Raise ValueError if sums of squares of such numbers are more than float64 can hold."""
    if largest > 1e140:
        raise ValueError(
            f"{name} holds {largest:.3g} (plus or minus), whose square float64 cannot add up; "
            "change its unit"
        )


def check_enough(n_components, n_samples, n_features=1, covariance="full", min_std=0.0):
    """Raise ValueError unless there are observations enough for each component to have a shape.

    Parameters
    ----------
    n_components, n_samples, n_features : int
        K, N and D.
    covariance : str
        "full" and "tied" shapes need more observations than features, or they are flat.
    min_std : float
        If positive, no shape is flat.

    Raises
    ------
    ValueError
        If K < 1 or N < K; or if N <= D, D > 1, and the shape of all the data would be flat.
    """
    if n_components < 1:
        raise ValueError(f"start must be at least one component; it is {n_components}")
    if n_samples < n_components:
        raise ValueError(
            f"x has fewer observations than there are components: {n_samples} "
            f"against {n_components}. Ask for fewer components"
        )
    has_shape = covariance in ("full", "tied") and min_std == 0
    if has_shape and n_features > 1 and n_samples <= n_features:
        raise ValueError(
            f"x has {n_samples} rows for {n_features} columns, too few for a "
            f'covariance that is "{covariance}". Give x.T if they have changed places; otherwise '
            'covariance="diag", or min_std'
        )


# Options


def check_option(name, value):
    """Raise ValueError unless the value is what `OPTIONS` says of this name."""
    words, fits = OPTIONS[name]
    if not fits(value):
        raise ValueError(f"{name} must be {words}; it is {value!r}")


def check_stopping(tol, max_iter):
    """Raise ValueError unless `tol` is a number >= 0 and `max_iter` a whole number >= 0."""
    check_option("tol", tol)
    check_option("max_iter", max_iter)


def check_min_std(min_std):
    """Raise ValueError unless this is a standard deviation >= 0 that can be squared."""
    check_option("min_std", min_std)
    if min_std > 1e150:
        raise ValueError(
            f"min_std is {min_std:.3g}, whose square float64 cannot hold; change the unit of x"
        )


def checked_n_starts(start, n_starts):
    """Return how many starts to make, or say why not."""
    if n_starts is None:
        return DEFAULT_STARTS
    check_option("n_starts", n_starts)
    if not is_whole(start) and n_starts > 1:
        raise ValueError(
            f"n_starts is {n_starts}, but a mixture is one start; give the number of components "
            "instead, or leave n_starts out"
        )
    return n_starts


def checked_rng(rng, required=False):
    """Return what draws, or say what to give.

    Parameters
    ----------
    rng : numpy.random.Generator, int or None
        A Generator is itself, an int >= 0 a seed; None draws other numbers each time.
    required : bool
        Whether None is refused.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If it is anything else.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    if (rng is None and not required) or (is_whole(rng) and rng >= 0):
        return np.random.default_rng(rng)
    raise ValueError(
        "rng must be a seed, a whole number >= 0, or a numpy.random.Generator, such as "
        f"np.random.default_rng(1); it is {rng!r}"
    )


def check_choice(value, name, choices):
    """Raise ValueError unless the value is one of the words to choose from."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}; it is {value!r}")


# Chunks


def check_chunks(chunks):
    """Raise ValueError for what is likely to be meant as chunks and is not."""
    if isinstance(chunks, (str, Path)):
        raise ValueError(f"chunks must be arrays; for a file, use fit_file({str(chunks)!r}, ...)")
    if hasattr(chunks, "shape"):
        raise ValueError(
            f"chunks is one {type(chunks).__name__} of shape {chunks.shape}; use emtools.fit (or "
            "fit_dask for a Dask array), or give a list of arrays, or "
            "emtools.scale.chunks.Again for what is on a disk"
        )
    if not hasattr(chunks, "__iter__"):
        raise ValueError(f"chunks must be an iterable of arrays; it is {type(chunks).__name__}")


def check_repeatable(chunks):
    """Raise ValueError unless these are chunks that can be gone through again and again."""
    check_chunks(chunks)
    if iter(chunks) is iter(chunks):
        raise ValueError(
            "these chunks can be gone through only once, but every step needs them again; give a "
            "list, or Again(read), or use fit_stream, which needs them once"
        )


def check_stream(chunks, start, exponent, n_chunks):
    """Raise ValueError for what is not chunks, a start, an exponent or a number of chunks."""
    check_chunks(chunks)
    if is_whole(start):
        raise ValueError(
            f"start must be a mixture, because a stream is seen only once; it is {start}. "
            "emtools.fit finds one from the first observations"
        )
    check_option("exponent", exponent)
    check_option("n_chunks", n_chunks)


def check_complete(n_seen, n_chunks):
    """Raise ValueError if the stream has ended at once, or before the number asked for."""
    if n_seen == 0:
        raise ValueError("there are no chunks: nothing to learn from")
    if n_chunks is not None and n_seen < n_chunks:
        raise ValueError(
            f"the stream has ended after {n_seen} of {n_chunks} chunks; leave n_chunks out to take "
            "what there is"
        )


# Numbers


def is_whole(value):
    """Whether this is an integer, NumPy's included (True and False are not)."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_real(value):
    """Whether this is a real number, NumPy's included (True and False are not)."""
    return is_whole(value) or isinstance(value, (float, np.floating))
