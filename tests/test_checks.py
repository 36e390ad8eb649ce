import datetime
import math
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from emtools.checks import (
    check_choice,
    check_chunks,
    check_complete,
    check_enough,
    check_min_std,
    check_option,
    check_repeatable,
    check_size,
    check_stopping,
    check_stream,
    check_varied,
    checked_array,
    checked_n_starts,
    checked_observations,
    checked_rng,
    checked_sample_weight,
    checked_vector,
    is_real,
    is_whole,
)

FLOWERS = pd.DataFrame({"length": [1.5, 2, 3.25], "leaves": [4, 5, 6], "red": [True, False, True]})
NUMBERS = [[1.5, 4, 1], [2, 5, 0], [3.25, 6, 1]]


def refused(words, function, *arguments, **options):
    """Call what must raise a ValueError with exactly these words."""
    with pytest.raises(ValueError, match=r"\S") as info:
        function(*arguments, **options)
    assert str(info.value) == words


# What is welcome


@pytest.mark.parametrize(
    "good",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        range(1, 4),
        np.array([1, 2, 3], np.int8),
        np.array([1, 2, 3], np.uint64),
        np.array([1, 2, 3], np.float16),
        np.array([1, 2, 3], np.float32),
        np.array([1, 2, 3], np.longdouble),
        np.array([1, 2, 3], ">f8"),
        np.array([1, 9, 2, 9, 3])[::2],
        np.array([3, 2, 1])[::-1],
        np.array([True, 2, 3.0], object),
        np.array([np.True_, np.int8(2), np.float32(3)], object),
        [Decimal(1), Fraction(2), 3],
        np.ma.array([1.0, 2, 3]),
        [np.ma.array(1.0), 2, 3],
        pd.Series([1, 2, 3]),
        pd.Series([1, 2, 3], index=[7, 7, 7]),
        pd.Series([1, 2, 3], dtype="Int64"),
        pd.Series([1, 2, 3], dtype="Float64"),
        pd.Series([1, 2, 3], dtype="category"),
        pd.Series([1, 2.0, 3], dtype=object),
        pd.array([1, 2, 3], dtype="Int64"),
    ],
)
def test_whatever_holds_a_row_of_numbers_will_do(good):
    for checked in (checked_vector(good, "x"), checked_observations(good)):
        assert checked.dtype == np.float64
        assert checked.dtype.isnative
        assert checked.flags.c_contiguous
        assert_array_equal(checked, [1, 2, 3])


@pytest.mark.parametrize(
    "good",
    [
        NUMBERS,
        [tuple(row) for row in NUMBERS],
        np.array(NUMBERS, np.float32),
        np.asfortranarray(NUMBERS),
        np.array(NUMBERS, object),
        np.asfortranarray(np.array(NUMBERS, object)),
        np.ma.array(NUMBERS, mask=False),
        [np.ma.array(row) for row in NUMBERS],
        FLOWERS,
        FLOWERS.set_axis(["a", "b", "a"], axis=1),
        FLOWERS.set_index(pd.Index([9, 9, 9])),
        FLOWERS.convert_dtypes(),
        FLOWERS.astype(object),
        FLOWERS.astype("Float64").astype({"red": "boolean"}),
        FLOWERS.astype({"red": "category"}),
        FLOWERS.astype(pd.SparseDtype(float)),
    ],
)
def test_whatever_holds_a_table_of_numbers_will_do(good):
    for checked in (checked_array(good, "x", (2,)), checked_observations(good)):
        assert checked.dtype == np.float64
        assert checked.flags.c_contiguous
        assert checked.flags.writeable
        assert_array_equal(checked, NUMBERS)


@given(st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2)))
def test_a_frame_is_its_array(rows):
    rows = [*rows, [1.0, 2.0], [3.0, 4.0]]
    assert_array_equal(checked_observations(pd.DataFrame(rows, columns=["a", "b"])), rows)


@pytest.mark.parametrize("x", [np.array([1.0, 2, 3]), np.eye(3), np.arange(3), FLOWERS.copy()])
def test_a_checked_array_is_a_copy(x):
    kept = x.copy()
    if isinstance(x, np.ndarray):
        x.flags.writeable = False
    checked = checked_observations(x)
    checked[:] = 7
    assert_array_equal(x, kept)


@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_are_copied_once(order):
    x = np.ones((50_000, 4), order=order)
    tracemalloc.start()
    checked_observations(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert x.nbytes <= peak < 1.5 * x.nbytes


# What is no array of numbers


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([], "x must not be empty; its shape is (0,)"),
        (np.zeros((3, 0)), "x must not be empty; its shape is (3, 0)"),
        (FLOWERS[:0], "x must not be empty; its shape is (0, 3)"),
        (3.0, "x must have one or two dimensions; its shape is ()"),
        (np.zeros((2, 2, 2)), "x must have one or two dimensions; its shape is (2, 2, 2)"),
        ([[1, 2], [3]], "x must have rows of equal length; its rows differ in length"),
        (None, "x must hold real numbers; it is None. Give a list or an array"),
        (
            "abc",
            "x must hold real numbers; it is 'abc'. Give a list or an array; "
            "emtools.data.read_csv reads a file",
        ),
        (b"abc", "x must hold real numbers; it is b'abc'. Give a list or an array"),
        ({"a": [1]}, "x must hold real numbers; it is {'a': [1]}. Give a list or an array"),
        (
            ["1", "2"],
            "x must hold real numbers; x[0] is '1'. Turn the text into numbers: np.array(x, float)",
        ),
        (
            np.array([b"1"]),
            "x must hold real numbers; x[0] is b'1'. Turn the text into numbers: "
            "np.array(x, float)",
        ),
        (
            ["1", "nan", "two", "three"],
            "x must hold real numbers; x[1] is 'nan'. Mend it, or leave out what is no number",
        ),
        (
            [[5.1, "setosa"], [4.9, "setosa"]],
            "x must hold real numbers; x[0, 1] is 'setosa'. Mend it, or leave out what is no "
            "number",
        ),
        (
            np.array([[1, 2], [None, "a" * 99]], object),
            f"x must hold real numbers; x[1, 1] is '{59 * 'a'}. Mend it, or leave out what is no "
            "number",
        ),
        (
            np.array([1, [2, 3]], object),
            "x must hold real numbers; x[1] is [2, 3]. Mend it, or leave out what is no number",
        ),
        (
            [1, None, 2j],
            "x must hold real numbers; x[2] is 2j. Mend it, or leave out what is no number",
        ),
        (
            np.array(["1", "a"], np.dtypes.StringDType()),
            "x must hold real numbers; x[1] is 'a'. Mend it, or leave out what is no number",
        ),
        (
            pd.Series([1, "a"], index=[8, 9]),
            "x must hold real numbers; x.iloc[1] is 'a'. Mend it, or leave out what is no number",
        ),
        (
            [datetime.datetime(2020, 1, 2), 1],
            "x must hold real numbers; x[0] is datetime.datetime(2020, 1, 2, 0, 0). Take the "
            "seconds: [time.timestamp() for time in x]",
        ),
        (
            [1, 2j],
            "x must hold real numbers; it holds complex ones. Take np.abs(x), or both parts: "
            "np.column_stack([x.real, x.imag])",
        ),
        (
            np.array(["2020-01-01", "NaT"], "M8[D]"),
            "x must hold real numbers; it holds dates. Count from the first, in a unit: "
            "(x - np.min(x)) / np.timedelta64(1, 's')",
        ),
        (
            np.array([3, 4], "m8[s]"),
            "x must hold real numbers; it holds time spans. Divide by a unit: "
            "x / np.timedelta64(1, 's')",
        ),
        (
            np.zeros(3, [("a", float), ("b", float)]),
            "x must hold real numbers; it holds records. Make columns of them: "
            "np.column_stack([x[f] for f in x.dtype.names])",
        ),
        (sparse.eye_array(3), "x is a sparse matrix; give x.toarray()"),
        (sparse.csr_matrix(np.eye(3)), "x is a sparse matrix; give x.toarray()"),
    ],
)
def test_what_holds_no_numbers_is_named(bad, words):
    refused(words, checked_observations, bad)
    refused(words, checked_array, bad, "x", (1, 2))


def test_the_name_is_the_callers():
    refused(
        "chunks[3] must hold real numbers; chunks[3][1] is 'a'. Mend it, or leave out what is no "
        "number",
        checked_observations,
        [1, "a"],
        name="chunks[3]",
    )


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([], "w must not be empty; its shape is (0,)"),
        (3.0, "w must have one dimension; its shape is ()"),
        ([[1, 2], [3, 4]], "w must have one dimension; its shape is (2, 2)"),
        (np.zeros((3, 0)), "w must have one dimension; its shape is (3, 0)"),
        (FLOWERS, "w must have one dimension; its shape is (3, 3)"),
        ([[1, 2], [3]], "w must be one row of numbers; its rows differ in length"),
        (
            [1, np.nan, np.inf],
            "w must be finite; 2 of 3 values are not, the first is w[1] = nan. Look for a missing "
            "value",
        ),
        (
            [1, None],
            "w must be finite; 1 of 2 values are not, the first is w[1] = nan. Look for a missing "
            "value",
        ),
        (
            [-np.inf],
            "w must be finite; 1 of 1 values are not, the first is w[0] = -inf. Look for a "
            "division by 0 or a log of 0",
        ),
    ],
)
def test_what_is_no_vector_is_named(bad, words):
    refused(words, checked_vector, bad, "w")


# Columns of a frame


def test_every_column_of_text_is_named_and_the_first_text():
    bad = FLOWERS.assign(species=[None, "setosa", "b"], zone="z", note=[1, 2.5, None])
    bad["note"] = bad["note"].astype(object)
    refused(
        "x['species'] must hold real numbers; x['species'].iloc[1] is 'setosa'. Mend it, or leave "
        "it out: x.drop(columns=['species', 'zone'])",
        checked_observations,
        bad,
    )
    assert_array_equal(checked_observations(bad[["length", "leaves", "red"]]), NUMBERS)


def test_text_that_spells_numbers_is_for_the_reader_to_convert():
    refused(
        "x['a'] must hold real numbers; x['a'].iloc[0] is '1'. Turn the text into numbers: "
        "np.array(x['a'], float)",
        checked_observations,
        pd.DataFrame({"a": ["1", "2"], "b": [3, 4]}),
    )


def test_dates_in_a_frame():
    times = pd.to_datetime(["2020-01-01", "2020-01-02"])
    refused(
        "x['when'] must hold real numbers; it holds dates. Count from the first, in a unit: "
        "(x['when'] - np.min(x['when'])) / np.timedelta64(1, 's')",
        checked_observations,
        pd.DataFrame({"a": [1, 2.0], "when": times}),
    )
    refused(
        "x['when'] must hold real numbers; x['when'].iloc[0] is Timestamp('2020-01-01 "
        "00:00:00+0000', tz='UTC'). Take the seconds: [time.timestamp() for time in x['when']]",
        checked_observations,
        pd.DataFrame({"a": [1, 2.0], "when": times.tz_localize("UTC")}),
    )


# Missing and infinite values


@pytest.mark.parametrize(
    ("bad", "where", "rows", "cure"),
    [
        (np.array([1, np.nan, np.nan]), "x[1]", "2 of 3", "x[~np.isnan(x)]"),
        (
            np.array([[1, 2, 3], [np.nan, 4, np.nan], [5, 6, 7]]),
            "x[1, 0]",
            "1 of 3",
            "x[~np.isnan(x).any(axis=1)]",
        ),
        ([1, None], "x[1]", "1 of 2", "x = np.array(x, float), then x[~np.isnan(x)]"),
        (
            [[1, 2], [math.nan, 3]],
            "x[1, 0]",
            "1 of 2",
            "x = np.array(x, float), then x[~np.isnan(x).any(axis=1)]",
        ),
        ([1, pd.NA], "x[1]", "1 of 2", "x = np.array(x, float), then x[~np.isnan(x)]"),
        ([pd.NaT, 1], "x[0]", "1 of 2", "x = np.array(x, float), then x[~np.isnan(x)]"),
        (pd.Series([1, 2, None]), "x.iloc[2]", "1 of 3", "x.dropna()"),
        (pd.Series([1, 2, None], dtype="Int64"), "x.iloc[2]", "1 of 3", "x.dropna()"),
        (pd.Series([True, None], dtype="boolean"), "x.iloc[1]", "1 of 2", "x.dropna()"),
        (pd.array([1, None], dtype="Float64"), "x[1]", "1 of 2", "x.dropna()"),
        (FLOWERS.assign(leaves=[1, None, 2]), "x['leaves'].iloc[1]", "1 of 3", "x.dropna()"),
        (
            FLOWERS.assign(leaves=[1, None, 2]).convert_dtypes(),
            "x['leaves'].iloc[1]",
            "1 of 3",
            "x.dropna()",
        ),
        (
            FLOWERS.assign(leaves=[None, None, 2]).astype(object),
            "x['leaves'].iloc[0]",
            "2 of 3",
            "x.dropna()",
        ),
    ],
)
def test_a_missing_value_is_called_missing(bad, where, rows, cure):
    n_missing = int(np.sum(pd.isna(np.asarray(bad, object))))
    refused(
        f"x must be finite; {n_missing} of {np.size(bad)} values are not, the first is {where} = "
        f"nan. It is a missing value; leave out the rows that have one, {rows}: {cure}",
        checked_observations,
        bad,
    )


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([1, np.inf, np.nan], "2 of 3 values are not, the first is x[1] = inf"),
        ([[1, 2], [-np.inf, 3]], "1 of 4 values are not, the first is x[1, 0] = -inf"),
        (pd.Series([1, np.inf]), "1 of 2 values are not, the first is x.iloc[1] = inf"),
        (
            FLOWERS.assign(length=[1, np.inf, 2]),
            "1 of 9 values are not, the first is x['length'].iloc[1] = inf",
        ),
    ],
)
def test_an_infinite_value(bad, words):
    words = f"x must be finite; {words}. Look for a division by 0 or a log of 0"
    refused(words, checked_observations, bad)
    refused(words, checked_array, bad, "x", (1, 2))


# Masked values

MASKED = np.ma.masked_greater([[1.0, 2], [3, 99], [4, 5]], 90)


@pytest.mark.parametrize(
    ("bad", "cure"),
    [
        (MASKED[:, 1], "x.compressed()"),
        (MASKED, "x[~x.mask.any(axis=1)]"),
        (list(MASKED), "x = np.ma.array(x), then x[~x.mask.any(axis=1)]"),
        (tuple(MASKED), "x = np.ma.array(x), then x[~x.mask.any(axis=1)]"),
        ([1.0, np.ma.masked], "x = np.ma.array(x), then x.compressed()"),
    ],
)
def test_masked_values_are_refused(bad, cure):
    refused(f"x has masked values; leave them out first: {cure}", checked_observations, bad)


# Whole numbers that float64 would round


def rounded(entry, name="x", where="[0]"):
    return (
        f"{name}{where} is {entry}, which float64 would round: it holds all whole numbers up to "
        f"2**53 only. Subtract one of yours first: {name} - np.min({name}, axis=0)"
    )


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.array([2**53 + 1, 3]), rounded(2**53 + 1)),
        (np.array([3, -(2**53) - 1]), rounded(-(2**53) - 1, where="[1]")),
        (np.array([2**63 - 1, 3]), rounded(2**63 - 1)),
        (np.array([2**64 - 1, 3], np.uint64), rounded(2**64 - 1)),
        (np.array([2**54, 2**54 + 1], ">i8"), rounded(2**54 + 1, where="[1]")),
        ([2**70 + 1, 1], rounded(2**70 + 1)),
        ([[2**54, 1], [2**54 + 1, 1]], rounded(2**54 + 1, where="[1, 0]")),
        (np.array([[1, 2**54 + 1], [2**54 + 3, 1]]).T, rounded(2**54 + 3, where="[0, 1]")),
        ([1, -(10**400)], rounded(f"-1{'0' * 58}", where="[1]")),
        (pd.Series([3, 2**60 + 1]), rounded(2**60 + 1, where=".iloc[1]")),
        (pd.DataFrame({"a": [0.5], "t": [2**60 + 1]}), rounded(2**60 + 1, "x['t']", ".iloc[0]")),
    ],
)
def test_whole_numbers_that_would_be_rounded(bad, words):
    refused(words, checked_observations, bad)


@given(st.integers(-(2**63), 2**63 - 1))
def test_only_whole_numbers_that_change_are_refused(n):
    if int(float(n)) == n:
        assert checked_observations(np.array([n]))[0] == n
    else:
        refused(rounded(n), checked_observations, np.array([n]))


@given(st.integers(0, 2**64 - 1))
def test_only_natural_numbers_that_change_are_refused(n):
    x = np.array([n], np.uint64)
    if int(float(n)) == n:
        assert checked_observations(x)[0] == float(n)
    else:
        refused(rounded(n), checked_observations, x)


def test_time_in_nanoseconds_is_refused_and_fine_after_the_cure():
    x = 1_700_000_000_000_000_000 + np.arange(5)
    refused(rounded(x[1], where="[1]"), checked_observations, x)
    assert_array_equal(checked_observations(x - np.min(x, axis=0)), np.arange(5))


def test_more_digits_than_float64_has():
    thirds = np.arange(3) / np.longdouble(3)
    assert_allclose(checked_observations(thirds), np.arange(3) / 3, rtol=1e-15)
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match=f"= {bad}"):
            checked_observations(np.array([1, bad], np.longdouble))
    if np.finfo(np.longdouble).nmant == 52:
        return  # longdouble is float64 on this machine
    far = np.longdouble(2) ** 60 + np.arange(3) / np.longdouble(4)
    refused(rounded(str(far[1]), where="[1]"), checked_observations, far)
    huge = np.array([1, np.longdouble("1e4000")])
    refused(rounded("1e+4000", where="[1]"), checked_observations, huge)


# Each cure, followed


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        (np.array([1, np.nan, 3]), [1, 3]),
        (np.array([[1, 2], [np.nan, 3], [4, 5]]), [[1, 2], [4, 5]]),
        ([1, None, 3], [1, 3]),
        ([[1, 2], [None, 3], [4, 5]], [[1, 2], [4, 5]]),
        (FLOWERS.assign(leaves=[4, None, 6]), NUMBERS[::2]),
        (FLOWERS.assign(leaves=[4, None, 6]).convert_dtypes(), NUMBERS[::2]),
        (pd.Series([1, None, 3], dtype="Int64"), [1, 3]),
        (pd.array([1, None, 3], dtype="Int64"), [1, 3]),
        (MASKED, [[1, 2], [4, 5]]),
        (MASKED[:, 1], [2, 5]),
        (list(MASKED), [[1, 2], [4, 5]]),
        (FLOWERS.assign(species=["a", "b", "c"], zone=[1, 2, "d"]), NUMBERS),
        (["1", "2.5"], [1, 2.5]),
        (pd.Series(["1", "2.5"]), [1, 2.5]),
        (sparse.eye_array(2), np.eye(2)),
        ([3 + 4j, 1], [5, 1]),
        (np.array(["2020-01-01", "2020-01-02"], "M8[D]"), [0, 86400]),
        (pd.Series(pd.to_datetime(["2020-01-01", "2020-01-02"])), [0, 86400]),
        ([datetime.datetime.fromtimestamp(9), datetime.datetime.fromtimestamp(7)], [9, 7]),
        (pd.Series(pd.to_datetime([9e9, 7e9], utc=True)), [9, 7]),
        (np.array([3, 4], "m8[m]"), [180, 240]),
        (np.array([(1, 2), (3, 4)], [("a", float), ("b", int)]), [[1, 2], [3, 4]]),
        (np.array([2**60 + 1, 2**60 + 3]), [0, 2]),
        ([2**60 + 1, 2**60 + 3], [0, 2]),
        (np.array([[2**60 + 1, 5], [2**60 + 3, 6]]), [[0, 0], [2, 1]]),
        (np.array([2**64 - 1, 2**64 - 3], np.uint64), [2, 0]),
        (pd.Series([2**60 + 1, 2**60 + 3]), [0, 2]),
        ([[1, 2, 3]], [1, 2, 3]),
        (np.ones((1, 9)), np.ones(9)),
        (FLOWERS[:1], NUMBERS[0]),
    ],
)
def test_who_does_as_the_message_says_gets_through(bad, good):
    with pytest.raises(ValueError, match=r"[:;] ") as info:
        checked_observations(bad)
    x = bad
    for step in cure_in(str(info.value)):
        scope = {"x": x, "np": np}
        exec(step if step.startswith("x = ") else f"x = {step}", scope)
        x = scope["x"]
    assert_array_equal(checked_observations(x), good)


def cure_in(message):
    """The code in a message: what it ends with, or the first of two ways."""
    if "complex" in message:
        return ["np.abs(x)"]
    for before in (": ", "; give "):
        _, found, code = message.rpartition(before)
        if found and code.startswith(("x", "np.", "[", "(")):
            return code.split(", then ")
    raise AssertionError(f"no code in: {message}")


# One row


def test_one_row_is_taken_for_a_column_on_its_side():
    words = "x has one row of 272 columns, and one observation has no width. "
    words += "If it is 272 observations of one number: x[0]"
    refused(words, checked_observations, np.ones((1, 272)))
    refused(words.replace("272", "2").replace("x", "y"), checked_observations, [[1, 2]], name="y")
    refused(
        "x has one row of 3 columns, and one observation has no width. "
        "If it is 3 observations of one number: x.iloc[0]",
        checked_observations,
        FLOWERS[:1],
    )


def test_one_row_that_is_meant():
    assert_array_equal(checked_observations([[1, 2]], one_row=True), [[1, 2]])
    assert_array_equal(checked_observations([[1]]), [[1]])
    assert_array_equal(checked_observations([1]), [1])
    assert_array_equal(checked_observations([[1], [2]]), [[1], [2]])
    assert_array_equal(checked_array([[1, 2]], "x", (2,)), [[1, 2]])


# Weights of the observations


def test_weights():
    assert_array_equal(checked_sample_weight(None, 3), np.ones(3))
    assert_array_equal(checked_sample_weight([0, 2, 0.5], 3), [0, 2, 0.5])
    assert_array_equal(checked_sample_weight(pd.Series([1, 2]), 2), [1, 2])
    assert_array_equal(checked_sample_weight([1e299 / 2, 1], 2), [1e299 / 2, 1])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ([1, 2], "sample_weight must have one entry for each observation; it has 2, x has 3"),
        (
            [1, -2, -3],
            "sample_weight must not be negative; [1] is -2.0. 0 leaves an observation out",
        ),
        ([0, 0, 0], "sample_weight must not be zero everywhere; leave it out to count all"),
        (
            [1, 4e299, 2],
            "sample_weight must be under 3.33e+299, so that sums of it are numbers; [1] is 4e+299. "
            "Divide all of them by it",
        ),
        ([[1], [1], [1]], "sample_weight must have one dimension; its shape is (3, 1)"),
        (
            [1, np.nan, 1],
            "sample_weight must be finite; 1 of 3 values are not, the first is sample_weight[1] = "
            "nan. Look for a missing value",
        ),
    ],
)
def test_bad_weights(bad, words):
    refused(words, checked_sample_weight, bad, 3)


# Whether there is enough to learn from


def vary(x, dimensions=2, **options):
    x = np.asarray(x, float)
    check_varied(x.min(axis=0), x.max(axis=0), len(x), dimensions, **options)


CURE = ", or give min_std, the smallest width there may be"
ONE_FLAT = [[1, 7, 3], [2, 7, 5]]
TWO_FLAT = [[0.5, 7, 3, 2], [0.5, 7, 4, 1]]


@pytest.mark.parametrize(
    ("x", "dimensions", "words"),
    [
        (
            [[0.1], [0.1], [0.1]],
            1,
            "x is constant: all 3 observations are 0.1, so there is no width "
            f"to estimate. Look at where it comes from{CURE}",
        ),
        (
            ONE_FLAT,
            2,
            "column 1 of x is constant: all 2 observations are 7.0, so there "
            f"is no width to estimate. Leave it out{CURE}",
        ),
        (
            [[5], [5]],
            2,
            "column 0 of x is constant: all 2 observations are 5.0, so there "
            f"is no width to estimate. Leave it out{CURE}",
        ),
        (
            TWO_FLAT,
            2,
            "columns 0 and 1 of x are constant: all 2 observations are the "
            f"same, so there is no width to estimate. Leave them out{CURE}",
        ),
        (
            [[1, 2, 3, 4], [1, 2, 8, 4]],
            2,
            "columns 0, 1 and 3 of x are constant: all 2 observations are the "
            f"same, so there is no width to estimate. Leave them out{CURE}",
        ),
    ],
)
@pytest.mark.parametrize("covariance", ["full", "tied", "diag"])
def test_all_constant_columns_are_named(x, dimensions, words, covariance):
    refused(words, vary, x, dimensions)
    refused(words, vary, x, dimensions, covariance=covariance)
    vary(x, dimensions, covariance=covariance, min_std=1e-3)


def test_circles_need_one_column_that_varies():
    vary(ONE_FLAT, covariance="spherical")
    vary(TWO_FLAT, covariance="spherical")
    for x, dimensions in (([[1], [1]], 1), ([[1], [1]], 2), ([[1, 2], [1, 2]], 2)):
        with pytest.raises(ValueError, match="constant"):
            vary(x, dimensions, covariance="spherical")
        vary(x, dimensions, covariance="spherical", min_std=1)


@pytest.mark.parametrize("min_std", [0, 1])
def test_ranges_that_have_no_square(min_std):
    tail = "whose square float64 cannot hold; change its unit"
    for x, dimensions, start in [
        ([[0], [1e150]], 1, "x spans 1e+150"),
        ([[0, 0], [1, 1e151]], 2, "column 1 of x spans 1e+151"),
        ([[0, 0], [1e-150, 1]], 2, "column 0 of x spans 1e-150"),
        ([[-1e308], [1e308]], 1, "x spans inf"),
    ]:
        refused(f"{start}, {tail}", vary, x, dimensions, min_std=min_std)
    vary([[0, 0], [9.9e149, 1.1e-150]], min_std=min_std)


def test_sizes():
    check_size(1e140, "x")
    refused(
        "chunks[2] holds 1.01e+140 (plus or minus), whose square float64 cannot add up; change its "
        "unit",
        check_size,
        1.01e140,
        "chunks[2]",
    )


def test_enough_for_each_component():
    check_enough(3, 3)
    check_enough(1, 1)
    refused("start must be at least one component; it is 0", check_enough, 0, 3)
    refused(
        "x has fewer observations than there are components: 2 against 3. Ask for fewer components",
        check_enough,
        3,
        2,
    )


@pytest.mark.parametrize("covariance", ["full", "tied"])
def test_enough_for_a_shape(covariance):
    words = (
        "x has 2 rows for 272 columns, too few for a covariance that is "
        f'"{covariance}". Give x.T if they have changed places; otherwise covariance="diag", or '
        "min_std"
    )
    refused(words, check_enough, 2, 2, 272, covariance)
    refused(words, check_enough, 2, 2, n_features=272, covariance=covariance)
    with pytest.raises(ValueError, match=r"x has 3 rows for 3 columns"):
        check_enough(1, 3, 3, covariance)
    check_enough(1, 4, 3, covariance)
    check_enough(1, 1, 1, covariance)
    check_enough(2, 2, 272, covariance, min_std=0.1)
    check_enough(2, 2, 272, "diag")
    check_enough(2, 2, 272, "spherical")


# Options


@pytest.mark.parametrize(
    ("name", "good", "bad", "words"),
    [
        ("tol", [0, 1e-10, 3, np.float32(1)], [-1e-9, np.nan, np.inf], "a number >= 0, in nats"),
        ("max_iter", [0, 7, np.int8(3)], [-1, 1.0, np.nan, np.inf], "a whole number >= 0"),
        ("n_starts", [1, 7, np.int8(3)], [0, -1, 1.0, None], "a whole number >= 1"),
        ("n_chunks", [1, 7, None], [0, -1, 1.0], "a whole number >= 1, or None"),
        ("exponent", [0.51, 1, 1.0], [0.5, 1.01, np.nan, None], "over 0.5 and at most 1"),
        (
            "min_std",
            [0, 0.1, 3, np.float32(1)],
            [-1e-9, np.nan, np.inf, None],
            "a standard deviation >= 0 in the units of x",
        ),
    ],
)
def test_options(name, good, bad, words):
    for value in good:
        check_option(name, value)
    for value in [*bad, "1", True, [1], np.ones(2), 1j]:
        refused(f"{name} must be {words}; it is {value!r}", check_option, name, value)


def test_stopping():
    check_stopping(0, 0)
    refused("tol must be a number >= 0, in nats; it is -1", check_stopping, -1, 5)
    refused("max_iter must be a whole number >= 0; it is 1.5", check_stopping, 0, 1.5)


def test_min_std():
    check_min_std(1e150)
    refused(
        "min_std is 1.1e+150, whose square float64 cannot hold; change the unit of x",
        check_min_std,
        1.1e150,
    )
    refused(
        "min_std must be a standard deviation >= 0 in the units of x; it is -1", check_min_std, -1
    )


def test_numbers_of_starts():
    assert checked_n_starts(2, None) == 20
    assert checked_n_starts("a mixture", None) == 20
    assert checked_n_starts(2, 3) == 3
    assert checked_n_starts("a mixture", 1) == 1
    refused("n_starts must be a whole number >= 1; it is 0", checked_n_starts, 2, 0)
    refused(
        "n_starts is 2, but a mixture is one start; give the number of components instead, or "
        "leave n_starts out",
        checked_n_starts,
        "a mixture",
        2,
    )


def test_what_can_draw():
    generator = np.random.default_rng(1)
    assert checked_rng(generator) is generator
    assert checked_rng(generator, required=True) is generator
    for seed in (0, 5, np.int64(5)):
        expected = np.random.default_rng(seed).random(3)
        assert_array_equal(checked_rng(seed).random(3), expected)
        assert_array_equal(checked_rng(seed, required=True).random(3), expected)
    assert (checked_rng(None).random(3) != checked_rng(None).random(3)).any()


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("bad", [-1, 1.0, True, "1", [1], np.random, np.random.RandomState(0)])
def test_what_cannot_draw(bad, required):
    words = (
        "rng must be a seed, a whole number >= 0, or a numpy.random.Generator, such as "
        f"np.random.default_rng(1); it is {bad!r}"
    )
    refused(words, checked_rng, bad, required)


def test_a_generator_that_must_be_given():
    with pytest.raises(ValueError, match=r"^rng must be a seed, .* it is None$"):
        checked_rng(None, required=True)


def test_choices():
    check_choice("full", "covariance", ("full", "tied"))
    check_choice("full", "covariance", {"full": 1})
    for bad in ("round", None, ["full"], ""):
        words = f"covariance must be one of full, tied; it is {bad!r}"
        refused(words, check_choice, bad, "covariance", ("full", "tied"))
        refused(words, check_choice, bad, "covariance", {"full": 1, "tied": 2})


# Chunks


class Delayed:
    shape = (4, 2)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("a.npy", "chunks must be arrays; for a file, use fit_file('a.npy', ...)"),
        (Path("a.npy"), "chunks must be arrays; for a file, use fit_file('a.npy', ...)"),
        (
            np.ones((3, 2)),
            "chunks is one ndarray of shape (3, 2); use emtools.fit (or fit_dask for a Dask "
            "array), or give a list of arrays, or emtools.scale.chunks.Again for what is on a disk",
        ),
        (
            Delayed(),
            "chunks is one Delayed of shape (4, 2); use emtools.fit (or fit_dask for a Dask "
            "array), or give a list of arrays, or emtools.scale.chunks.Again for what is on a disk",
        ),
        (3, "chunks must be an iterable of arrays; it is int"),
        (None, "chunks must be an iterable of arrays; it is NoneType"),
    ],
)
def test_what_is_no_chunks(bad, words):
    refused(words, check_chunks, bad)
    refused(words, check_repeatable, bad)
    refused(words, check_stream, bad, "a mixture", 0.6, None)


def test_chunks_that_can_be_gone_through_only_once():
    for good in ([np.ones(3)], (np.ones(3),), {1: 2}):
        check_repeatable(good)
    once = iter([np.ones(3)])
    check_chunks(once)
    refused(
        "these chunks can be gone through only once, but every step needs them again; give a "
        "list, or Again(read), or use fit_stream, which needs them once",
        check_repeatable,
        once,
    )
    assert len(list(once)) == 1


def test_streams():
    check_stream(iter([]), "a mixture", 0.6, 3)
    refused(
        "start must be a mixture, because a stream is seen only once; it is 2. emtools.fit finds "
        "one from the first observations",
        check_stream,
        [],
        2,
        0.6,
        None,
    )
    refused("exponent must be over 0.5 and at most 1; it is 0.5", check_stream, [], "a", 0.5, None)
    refused("n_chunks must be a whole number >= 1, or None; it is 0", check_stream, [], "a", 0.6, 0)


def test_a_stream_that_ends():
    check_complete(3, None)
    check_complete(3, 3)
    refused("there are no chunks: nothing to learn from", check_complete, 0, None)
    refused(
        "the stream has ended after 2 of 3 chunks; leave n_chunks out to take what there is",
        check_complete,
        2,
        3,
    )


# Numbers


def test_whole_and_real_numbers():
    for whole in (3, -1, np.int8(3), np.uint64(3)):
        assert is_whole(whole)
        assert is_real(whole)
    for real in (3.0, np.nan, np.float32(3), np.longdouble(3)):
        assert not is_whole(real)
        assert is_real(real)
    for neither in (True, np.True_, None, "3", 1j, Fraction(1, 2), np.ones(1)):
        assert not is_whole(neither)
        assert not is_real(neither)
