"""Checks for the exercises of chapter 15, make it fast."""

from collections.abc import Callable

import numpy as np

from emtools import logspace
from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_turn,
    is_close,
    judge,
    not_yet,
    numbers_of,
    right,
    to_do,
)
from emtools.mixture import Mixture

START = Mixture(np.array([0.5, 0.5]), np.array([50.0, 80.0]), np.array([5.0, 5.0]))
FAR_LEFT, FAR_RIGHT = -600.0, 670.0  # minutes: log odds beyond what `exp` takes, either way


def ten_million(seconds: float | None, millions: float | None) -> Verdict:
    """Time of a step of chapter 03 at N = 10,000,000, and how many millions of waits fill 8 GB."""
    return in_turn(
        judge(
            seconds,
            1.2,
            [
                (0.12, "That is for a million."),
                (12, "Ten times the data, ten times the time, not a hundred times."),
                (120, "Ten times the data, ten times the time."),
                (1200, "In seconds, please."),
            ],
            what="Two numbers: seconds, and millions of waits.",
            hint="The time, in seconds: on the log-log picture the line has slope 1 there.",
            rtol=0.1,
        ),
        judge(
            millions,
            125,
            [
                (8000 / 56, "One of them is missing: x, or the table of one column."),
                (8000 / 48, "Those are the three tables alone. There is x, too, and a column."),
                (8000 / 40, "A table (N, 2) has two columns: five arrays, but eight columns."),
                (8000 / 24, "That is x and one table. Three are alive at the same time."),
                (8000 / 16, "That is one table. Three are alive at the same time, x and a column."),
                (8000 / 8, "That is x alone: what a step by pieces can do."),
                (1000 / 64, "In bytes, not bits."),
                (125e6, "In millions, please."),
                (8 * 1024**3 / 64e6, "8 GB are 8e9 bytes here; you took 8 GiB, of 1024**3 each."),
            ],
            what="The time is right. How many million waits are there when 8 GB are full?",
            hint="For each wait: 1 + 3 * 2 + 1 numbers, of 8 bytes each.",
            because="64 bytes for each wait. By slope 1 such a step takes 15 s; but when memory "
            "is full, the computer begins to use its disk, or ends the program, and the line "
            "breaks. By pieces only x itself grows: a billion waits in the same 8 GB.",
            rtol=0.03,
        ),
    )


def n_runs(runs: list[int] | None) -> Verdict:
    """How many runs four tables of a thousand observations and two components have in memory."""
    view = "`.T` is a view: it turns the shape round, and nothing in memory has moved."
    columns = 'With `order="F"` the columns lie one after the other, whatever the shape says.'
    return judge(
        runs,
        [1000, 1000, 2, 2],
        [
            ([1000, 2, 2, 2], view),
            ([1000, 2, 2, 1000], view),
            ([1000, 1000, 2, 1000], columns),
            ([1000, 1000, 1000, 2], "`ascontiguousarray` does move the numbers: that is its job."),
            ([1000, 1000, 1000, 1000], "Two of them lie otherwise. Which calls move numbers?"),
            (
                [2, 2, 1000, 1000],
                "The other way round: a component that alternates has short runs.",
            ),
            (
                [2, 1000, 1000, 1000],
                "The other way round: runs are as long as a component goes on.",
            ),
            (
                [2000, 2000, 2, 2],
                "A run of shape (N, 2) holds two numbers, so there are N of them.",
            ),
            ([2, 2, 2, 2], "In `table` the two components alternate: its runs hold two numbers."),
            (
                [1000, 1000, 1, 1],
                "A run ends where the next component begins: see the last strip of the picture.",
            ),
            ([1, 1, 2, 2], "Brackets as in the picture above: a run is never longer than a line."),
        ],
        what="Four numbers of runs, in the order of the list.",
        hint="Draw the picture of the section for eight of them: which calls move the numbers?",
        because="What counts is how the numbers lie, not what the shape says. So `.T` gained "
        "nothing on the page, and a copy in the new order gains each time it is used.",
    )


def how_narrow(wrong: float | None, safe: float | None) -> Verdict:
    """Widths at which Eq. (4) says 1e-6 nats and at which the shelf goes the safe way.

    Eq. (4) of the chapter says which epsilon: an answer with half of it (the rounding error at its
    worst) is not accepted, but told apart.
    """
    eps = np.finfo(float).eps
    return in_turn(
        judge(
            wrong,
            500 * np.sqrt(eps / 1e-6),
            [
                (500 * eps / 1e-6, "Eq. (4) has a square: distance over width, squared."),
                (500**2 * eps / 1e-6, "That is the width squared. Take the root."),
                (500 * np.sqrt(eps / 2 / 1e-6), "With half of epsilon: Eq. (4) has 2.2e-16."),
                (1000 * np.sqrt(eps / 1e-6), "The centre is 500 away, not 1000."),
                (500 * np.sqrt(1e-6 / eps), "Upside down: narrow bells have large errors."),
            ],
            what="Two widths, in the unit of the data.",
            hint="The first width: solve eps * (500 / width)**2 = 1e-6.",
            rtol=1e-2,
        ),
        judge(
            safe,
            500 / np.sqrt(1000),
            [
                (500 / np.sqrt(500), "`drops` is *twice* the loss; its limit is 1000."),
                (500 / np.sqrt(2000), "`drops` is twice the loss already: compare it with 1000."),
                (500 / 1000, "`drops` has a square: distance over width, squared."),
                (500**2 / 1000, "That is the width squared. Take the root."),
                (1000 / np.sqrt(1000), "The centre is 500 away, not 1000."),
            ],
            what="The first width is right. The second: look at `parabolas`.",
            hint="The second width: `drops` is (500 / width)**2, and its limit is 1000.",
            because="The shelf leaves the fast way at a width two thousand times larger than it "
            "must, if a millionth of a nat were allowed. There Eq. (4) says 2e-13 nats, and the "
            "log-likelihood of a million observations is still right to a millionth of a nat.",
            rtol=1e-2,
        ),
    )


def shares_from_odds(function: Callable | None) -> Verdict:
    """Responsibilities by log odds, for observations so far off that odds overflow."""
    if function is None:
        return to_do("A function of the log joint, (K, n).")
    x = np.array([FAR_LEFT, 45.0, 64.0, 66.0, 90.0, FAR_RIGHT])
    joint = logspace.log_joint(x, START).T
    expected = logspace.e_step(x, START)[0].T
    with np.errstate(all="ignore"):
        found = answer_of(function, joint)
    if isinstance(found, Verdict):
        return found
    numbers = numbers_of(found)
    if numbers is None or numbers.shape != expected.shape:
        if numbers is not None and numbers.shape == expected.T.shape:
            return not_yet("A row for each component, please: shape (2, 6), not (6, 2).")
        return not_yet("Return the responsibilities, an array of the shape of the log joint.")
    if is_close(numbers, joint):
        return to_do("That is the log joint still. Eq. (3) makes responsibilities of it.")
    if is_close(numbers, expected, 1e-6, 1e-9):
        if not holds_for_three(function):
            return not_yet(
                "Right for two bells. With three, two of them may both be far likelier than "
                "component 0: was a nan covered up, or are odds cut at one value?"
            )
        return right(
            "No odds overflow any more. The maximum of each column always works; to keep the rung "
            "cheap, the shelf takes the component that is likeliest over all and looks whether the "
            "result is finite."
        )
    return not_yet(slip_of_odds(numbers, joint, expected))


def holds_for_three(function):
    """Whether it is right where the odds of two components overflow, and one is the likelier."""
    three = Mixture(np.full(3, 1 / 3), np.array([50.0, 80.0, 81.0]), np.full(3, 5.0))
    x = np.array([64.0, FAR_RIGHT])
    with np.errstate(all="ignore"):
        found = answer_of(function, logspace.log_joint(x, three).T)
    return is_close(found, logspace.e_step(x, three)[0].T, 1e-6, 1e-9)


def slip_of_odds(numbers, joint, expected):
    """What to say of wrong responsibilities."""
    if is_close(numbers, expected[::-1], 1e-6, 1e-9):
        return "The two components have changed places: one row each, in their order."
    left, right_end = np.isfinite(numbers[:, [0, -1]]).all(axis=0)
    if not left and not right_end:
        return "Both the wait far left and the one far right are nan or inf."
    if not right_end:
        return (
            f"The wait of {FAR_RIGHT:g} minutes is nan: its log odds are "
            f"{joint[1, -1] - joint[0, -1]:.0f}, and exp of more than 709.8 is inf. Against which "
            "component are the odds small?"
        )
    if not left:
        return (
            "That moves the trouble to the other end: with component 1 taken out, the odds at "
            f"{FAR_LEFT:g} overflow. Choose anew for each observation which one is taken out."
        )
    if not np.isfinite(numbers).all():
        return "There is a nan or inf among them."
    if not is_close(numbers.sum(axis=0), np.ones(numbers.shape[1]), 1e-3):
        return (
            "The responsibilities of an observation sum to one; here they do not. Was a nan "
            "covered up? Its true value is 0 or 1."
        )
    if is_close(numbers[:, 1:-1], expected[:, 1:-1], 1e-6, 1e-9):
        return "Right in the middle, but not for the two waits far out."
    return "They sum to one, but are not those of chapter 03. Is it Eq. (3) still?"
