"""One check per exercise, in one module per chapter; what a check returns is shown as text."""

from dataclasses import dataclass

import numpy as np


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


def is_close(answer, expected, rtol=1e-3):
    """Whether the answer has the expected shape and numbers; False for anything not numeric.

    Parameters
    ----------
    answer : anything
        What a reader typed.
    expected : float or sequence
        The number or numbers looked for.
    rtol : float
        Relative tolerance: 1e-3 for numbers worked out by hand.

    Returns
    -------
    bool
    """
    try:
        answer = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return False
    expected = np.asarray(expected, dtype=float)
    if expected.ndim == 0 and answer.size == 1:  # a one-element array is as good as a number
        answer = answer.reshape(())
    return answer.shape == expected.shape and np.allclose(answer, expected, rtol=rtol, atol=1e-12)


def judge(answer, expected, slips, *, what, because="", rtol=1e-3):
    """Compare an answer with the right one and with the wrong ones that we know by their number.

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

    Returns
    -------
    Verdict
    """
    if answer is None:
        return to_do(what)
    if is_close(answer, expected, rtol):
        return right(because)
    for number, slip in slips:
        if is_close(answer, number, 2 * rtol):
            return not_yet(slip)
    return not_yet(f"{in_short(answer)} is not it. {what}")


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


def in_short(answer):
    """An answer as a message quotes it: numbers with six digits, anything else cut short."""
    try:
        numbers = [f"{number:.6g}" for number in np.ravel(np.asarray(answer, dtype=float))]
    except (TypeError, ValueError):
        return repr(answer)[:80]
    return ", ".join(numbers[:8]) + (", ..." if len(numbers) > 8 else "")
