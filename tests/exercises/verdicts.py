"""What the tests of all chapters' exercises share."""

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd

from emtools import Mixture
from emtools.em import Fit


def verdict_of(exercise, *answers):
    """The verdict on some answers, which always says one of three things first."""
    verdict = exercise(*answers)
    assert repr(verdict).startswith(("Right. ", "Not yet. ", "To do. "))
    assert len(verdict.message) > 10
    return verdict


class Stubborn:
    """It will not say what it is, nor turn into an array."""

    def __repr__(self):
        raise RuntimeError("no repr")

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")


def in_itself():
    """A list that holds itself."""
    answer = []
    answer.append(answer)
    return answer


def in_place(*given):
    """Spoils whatever can be spoilt, and returns its first argument."""
    for one in given:
        for part in one if isinstance(one, (list, tuple)) else [one]:
            if isinstance(part, np.ndarray):
                part[...] = 0
        if isinstance(one, list):
            one.clear()
    return given[0]


MIXTURE = Mixture(np.array([0.5, 0.5]), np.array([50.0, 80.0]), np.array([5.0, 5.0]))

# Made anew for each check: a generator is empty the second time.
NONSENSE = {
    "None": lambda: None,
    "True": lambda: True,
    "text": lambda: "text",
    "empty text": lambda: "",
    "text of a number": lambda: "0.5",
    "bytes": lambda: b"1",
    "empty list": lambda: [],
    "nan": lambda: np.nan,
    "minus inf": lambda: -np.inf,
    "huge number": lambda: 10**5000,
    "nested list": lambda: [[[1.0], [2.0]], [[3.0], [4.0]]],
    "ragged list": lambda: [[1.0, 2.0], [3.0], []],
    "list in itself": in_itself,
    "list of None": lambda: [None, None],
    "dict": lambda: {},
    "full dict": lambda: {"weights": 1, "means": 2},
    "set": lambda: {1.5, 2.5},
    "generator": lambda: (n for n in range(4)),
    "class": lambda: float,
    "object": object,
    "stubborn object": Stubborn,
    "NotImplemented": lambda: NotImplemented,
    "NumPy scalar": lambda: np.float64(3.25),
    "float32": lambda: np.float32(3.25),
    "array without axes": lambda: np.array(3.25),
    "one-element array": lambda: np.array([3.25]),
    "float32 array": lambda: np.full((2, 3), 0.5, dtype=np.float32),
    "array of integers": lambda: np.arange(12),
    "table": lambda: np.zeros((3, 3)),
    "empty array": lambda: np.zeros((0, 2)),
    "complex": lambda: 1 + 2j,
    "complex array": lambda: np.array([1 + 2j, 3j]),
    "array of truth values": lambda: np.array([True, False]),
    "array of objects": lambda: np.array([None, {}, "x"], dtype=object),
    "masked array": lambda: np.ma.masked_greater([1.0, 2.0, 3.0], 1.5),
    "masked number": lambda: np.ma.masked,
    "date": lambda: np.datetime64("2026-01-01"),
    "record": lambda: np.zeros(2, dtype=[("a", float), ("b", int)]),
    "Fit": lambda: Fit(MIXTURE, -1.0, np.zeros(2), 1, True),
    "Mixture": lambda: Mixture(*(part.copy() for part in MIXTURE)),
    "Mixture of text": lambda: Mixture("a", "b", "c"),
    "Mixture of numbers": lambda: Mixture(1, 2, 3),
    "Mixture of nan": lambda: Mixture(*np.full((3, 2), np.nan)),
    "huge array": lambda: np.zeros(10**6),
    "fraction": lambda: Fraction(1, 3),
    "series": lambda: pd.Series([1.0, 2.0]),
    "frame": lambda: pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
    "nullable series": lambda: pd.Series([1, None], dtype="Int64"),
    "no arguments": lambda: lambda: 0,
    "too many arguments": lambda: lambda a, b, c, d, e, f: 0,
    "fails": lambda: lambda *given: 1 / 0,
    "fails without a word": lambda: lambda *given: next(iter(())),
    "for ever": lambda: lambda *given: itertools.count(),
    "its argument": lambda: lambda *given: given[0],
    "its last argument": lambda: lambda *given: given[-1],
    "in place": lambda: in_place,
}


def returning(nonsense):
    """The same nonsense, as what a function returns."""
    return lambda: lambda *given: nonsense()


RETURNED = {f"returns {name}": returning(nonsense) for name, nonsense in NONSENSE.items()}


def as_float32(answer):
    """Numbers, arrays and mixtures of them in single precision; anything else as it is."""
    if isinstance(answer, tuple) and hasattr(answer, "_make"):
        return answer._make(as_float32(part) for part in answer)
    return np.asarray(answer, dtype=np.float32)


def in_other_forms(answer):
    """The same numbers as a reader may hold them: by name, of one answer."""
    if isinstance(answer, tuple) and hasattr(answer, "_make"):
        lists = answer._make(np.asarray(part).tolist() for part in answer)
        return {"of lists": lists, "of float32": as_float32(answer)}
    array = np.asarray(answer) if not is_ragged(answer) else None
    if array is None or array.dtype.kind not in "iuf":
        return {"list": list(answer), "tuple": tuple(answer)}
    forms = {"array": array, "float32": as_float32(answer), "objects": array.astype(object)}
    if np.all(array == np.round(array)):
        forms |= {"integers": array.astype(int), "uint16": as_unsigned(array)}
    if array.size == 1:
        number = array.item()
        forms |= {"number": number, "list of one": [number], "tuple of one": (number,)}
        return forms | {
            "without axes": np.array(number),
            "one element": np.array([number]),
            "one by one": np.array([[number]]),
            "series": pd.Series([number]),
        }
    flat = array.ravel()
    forms |= {"list": flat.tolist(), "tuple": tuple(flat.tolist()), "series": pd.Series(flat)}
    one_by_one = [np.array([number]) for number in flat]
    return forms | {"list of arrays": one_by_one, "mixed list": [*one_by_one[:-1], flat[-1]]}


def as_unsigned(array):
    """Whole numbers without a sign where they have none; otherwise plain integers."""
    return array.astype(np.uint16 if array.min() >= 0 else int)


def is_ragged(answer):
    """Whether an answer is no array of numbers: parts of different lengths."""
    try:
        np.asarray(answer)
    except ValueError:
        return any(np.ndim(part) > 1 or np.size(part) != 1 for part in answer)
    return False
