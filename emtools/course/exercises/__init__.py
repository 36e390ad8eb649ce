"""One check per exercise, in one module per chapter; what a check returns is shown as text.

What a reader hands over is read in one place: numbers by `is_close` and `judge`, which take a
number, a one-element array, a list or a tuple alike; functions by `answer_of`, which calls them on
copies, with `parts_of` and `truth_of` for what they return.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np

IN_WORDS = ("no", "one", "two", "three", "four", "five", "six")


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer; a notebook shows it as its message."""

    right: bool | None  # None: not tried yet
    message: str

    def __repr__(self):
        """The message, headed by the verdict."""
        heading = {True: "Right.", False: "Not yet.", None: "To do."}[self.right]
        return f"{heading} {self.message}"


def to_do(what):
    """The stub is still in place: say what to do next."""
    return Verdict(None, what)


def right(why):
    """The answer is right: say what it shows."""
    return Verdict(True, why)


def not_yet(why):
    """The answer is wrong: say what is wrong with it."""
    return Verdict(False, why)


RETURNED_NONE = not_yet("Your function returned None. Does it end with return?")


def is_close(answer, expected, rtol=1e-3, atol=1e-12):
    """Whether the answer has the expected shape and numbers; False for anything not numeric.

    Parameters
    ----------
    answer : anything
        What a reader typed, or what a function of theirs returned.
    expected : float or sequence
        The number or numbers looked for. Axes of length one do not count: a one-element array is
        as good as a number.
    rtol, atol : float
        Relative and absolute tolerance: 1e-3 for numbers worked out by hand. Numbers in float32
        are never asked for more than float32 holds.

    Returns
    -------
    bool
    """
    numbers = numbers_of(answer)
    expected = np.squeeze(np.asarray(expected, dtype=float))
    if numbers is None or numbers.shape != expected.shape:
        return False
    if numbers.dtype == np.float32:
        single = np.finfo(np.float32)
        rtol, atol = max(rtol, 4 * float(single.eps)), max(atol, float(single.tiny))
    return bool(np.allclose(numbers.astype(float), expected, rtol=rtol, atol=atol))


def numbers_of(answer):
    """The numbers of an answer, without axes of length one; None for anything not numeric.

    Parameters
    ----------
    answer : anything
        Truth values are not numbers; text that spells a number is one; masked values are nan.

    Returns
    -------
    array of integers or floats, in the answer's own precision, or None
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if isinstance(answer, np.ma.MaskedArray):
                answer = answer.astype(float).filled(np.nan)
            try:
                numbers = np.asarray(answer)
            except ValueError:  # one-element arrays and numbers in one list
                numbers = np.asarray([np.squeeze(part) for part in answer])
            if numbers.dtype.kind == "c" and not numbers.imag.any():
                numbers = numbers.real
            if numbers.dtype.kind == "O" and any(part is None for part in numbers.flat):
                return None
            if numbers.dtype.kind in "OSU":
                numbers = numbers.astype(float)
    except Exception:  # whatever a reader hands over
        return None
    return np.squeeze(numbers) if numbers.dtype.kind in "iuf" else None


def judge(answer, expected, slips, *, what, because="", rtol=1e-3, hint=None):
    """Compare an answer with the right one and with the wrong ones that we know by their number.

    An answer that is right as far as its digits go is told how many are wanted.

    Parameters
    ----------
    answer : anything
        What a reader typed; None while the stub is in place.
    expected : float or sequence
        The right answer.
    slips : list of (float or sequence, str)
        Wrong answers with what went wrong in each.
    what : str
        What to do, said while the stub is in place.
    because : str
        What the right answer shows; nothing if another part of the exercise follows.
    rtol : float
        Relative tolerance.
    hint : str, optional
        What helps with a wrong answer that is none of the slips; `what`, if not given.

    Returns
    -------
    Verdict
    """
    if answer is None:
        return to_do(what)
    answer = list(answer.values()) if isinstance(answer, dict) else answer
    if is_fit(answer):
        return not_yet("That is a whole Fit. Which part is asked for: its .log_likelihood?")
    if callable(answer):
        return not_yet("That is a function; hand over what it returns.")
    if is_close(answer, expected, rtol):
        return right(because)
    for number, slip in slips:
        if is_close(answer, number, 2 * rtol):
            return not_yet(slip)
    if is_short(answer, expected, rtol):
        return not_yet(f"Right so far: give {digits_for(expected, rtol)}.")
    for number, slip in slips:
        if is_short(answer, number, rtol):
            return not_yet(slip)
    return not_yet(f"{in_short(answer)} is not it. {what if hint is None else hint}")


def is_short(answer, expected, rtol=1e-3):
    """Whether an answer is right as far as it goes: rounded or cut, to two digits at least.

    Parameters
    ----------
    answer : anything
        What a reader typed.
    expected : float or sequence
        The number or numbers looked for.
    rtol : float
        Some of several numbers may be right to this already.

    Returns
    -------
    bool
    """
    numbers, expected = numbers_of(answer), np.squeeze(np.asarray(expected, dtype=float))
    if numbers is None or numbers.shape != expected.shape:
        return False
    pairs = zip(numbers.ravel(), expected.ravel(), strict=True)
    return all(is_close(one, exact, rtol) or is_cut(one, exact) for one, exact in pairs)


def is_cut(number, exact):
    """Whether a number is the exact one, rounded or cut to the decimals that it has."""
    if not (np.isfinite(number) and np.isfinite(exact)):
        return False
    number = number if number.dtype.kind == "f" else np.float64(number)
    decimals = len(np.format_float_positional(number, trim="-").partition(".")[2])
    with np.errstate(all="ignore"):
        scaled, typed = exact * 10.0**decimals, round(float(number) * 10.0**decimals)
        return abs(typed) >= 10 and typed in (np.round(scaled), np.trunc(scaled))


def digits_for(expected, rtol):
    """How many decimals are enough for a relative tolerance, in words."""
    sizes = np.abs(np.ravel(np.asarray(expected, dtype=float)))
    smallest = sizes[sizes > 0].min()
    decimals = max(0, math.ceil(-math.log10(2 * rtol * smallest)))
    if decimals < len(IN_WORDS):
        return f"{IN_WORDS[decimals]} decimal{'' if decimals == 1 else 's'}"
    return f"{decimals + math.floor(math.log10(smallest)) + 1} significant digits"


def in_turn(*parts):
    """The verdict on an exercise of several parts: the first that is not right, or else the last.

    Parameters
    ----------
    *parts : Verdict
        One for each part, in the order in which a reader answers them.

    Returns
    -------
    Verdict
    """
    return next((part for part in parts if not part.right), parts[-1])


def answer_of(function, *arguments):
    """What a reader's function returns, or the verdict if it returns nothing.

    Parameters
    ----------
    function : anything
        What a reader handed over.
    *arguments : anything
        Arrays, and arrays in lists and tuples, are copied: the function may work in place.

    Returns
    -------
    anything, or Verdict
        The latter for what is no function, for one that stops, and, `RETURNED_NONE`, for one that
        returns None.
    """
    if not callable(function):
        return not_yet(f"Hand over a function, by its name alone: {in_short(function)} is none.")
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            answer = function(*[copied(argument) for argument in arguments])
    except Exception as error:  # whatever a reader's own code raises
        return not_yet(f"Your function stopped with {type(error).__name__}: {error}")
    return RETURNED_NONE if answer is None else answer


def copied(value):
    """An array, or a list or tuple of arrays, that may be changed in place; others as they are."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list):
        return [copied(part) for part in value]
    if isinstance(value, tuple):
        parts = [copied(part) for part in value]
        return value._make(parts) if hasattr(value, "_make") else tuple(parts)
    return value


def parts_of(answer, like):
    """The parts of a mixture that a function returned, or the verdict if it is none.

    Parameters
    ----------
    answer : anything
        What the function returned; a tuple of the same parts will do, and a Verdict stays one.
    like : Mixture or MultivariateMixture
        One with parts of the right shapes.

    Returns
    -------
    same type as `like`, with arrays of floats, or Verdict
    """
    if isinstance(answer, Verdict):
        return answer
    names = ", ".join(like._fields[:-1]) + " and " + like._fields[-1]
    wanted = f"Your function should return a {type(like).__name__}: {names}"
    if is_fit(answer):
        return not_yet(f"{wanted}. That is a whole Fit: return its .parameters.")
    if isinstance(answer, tuple) and len(answer) == 2 and isinstance(answer[0], tuple):
        return not_yet(f"{wanted}, alone: without the log-likelihood.")
    if not isinstance(answer, (tuple, list)) or len(answer) != len(like):
        return not_yet(f"{wanted}, not {kind_of(answer)}.")
    parts = []
    for name, part, model in zip(like._fields, answer, like, strict=True):
        numbers = numbers_of(part)
        if numbers is None:
            return not_yet(f"{wanted}. Its {name} are {in_short(part)}, which are no numbers.")
        if np.shape(part) != model.shape:
            return not_yet(f"The {name} should have the shape {model.shape}, not {np.shape(part)}.")
        parts.append(numbers.reshape(model.shape))
    return like._make(parts)


def letters_of(answer, among):
    """The letters that a reader chose, as a set; None for none, and for others than those offered.

    Parameters
    ----------
    answer : anything
        Text such as "ab" or "a, b", in capitals or not, or a list of letters.
    among : str
        The letters that are offered.

    Returns
    -------
    set of str, or None
    """
    if not isinstance(answer, (str, list, tuple, set)):
        return None
    letters = set("".join(map(str, answer)).lower()) - set(", ")
    return letters if letters and letters <= set(among) else None


def truth_of(answer):
    """The one truth value that a function returned, or the verdict if it is none.

    Parameters
    ----------
    answer : anything
        What the function returned; an array or a list of one truth value will do.

    Returns
    -------
    bool, or Verdict
    """
    try:
        answers = np.asarray(answer)
    except Exception:  # whatever a reader's function returns
        answers = np.asarray(None)
    if answers.size != 1 and answers.dtype.kind in "biuf":
        return not_yet(
            f"Your function returned {answers.size} answers, and we want one. Are all of them "
            "meant, or any? `np.all` and `np.any` say so, or `np.allclose`."
        )
    if answers.dtype.kind not in "biuf":
        return not_yet(f"Your function should return True or False, not {kind_of(answer)}.")
    return bool(answers.item())


def is_fit(answer):
    """Whether an answer is a Fit: that of `emtools`, or the one that a reader's chapter defines."""
    return isinstance(answer, tuple) and "log_likelihood" in getattr(answer, "_fields", ())


def kind_of(answer):
    """What kind of thing an answer is, for a message."""
    if isinstance(answer, (tuple, list)):
        return f"a {type(answer).__name__} of {len(answer)}"
    if isinstance(answer, np.ndarray) and answer.ndim:
        return f"an array of shape {answer.shape}"
    return f"a value of type {type(answer).__name__}"


def in_short(answer):
    """An answer as a message quotes it: numbers with six digits, anything else cut short."""
    numbers = numbers_of(answer)
    if numbers is None:
        try:
            return " ".join(repr(answer).split())[:80]
        except Exception:  # whatever a reader hands over
            return kind_of(answer)
    if numbers.size == 0:
        return f"An empty {type(answer).__name__}"
    quoted = [f"{number:.6g}" for number in numbers.ravel()[:8]]
    return ", ".join(quoted) + (", ..." if numbers.size > 8 else "")
