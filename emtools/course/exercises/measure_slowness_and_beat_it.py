"""Checks for the exercises of chapter 11, measure slowness and beat it."""

import math
from collections.abc import Callable

import numpy as np

from emtools import data
from emtools.acceleration import plain_squarem
from emtools.bound import linkage_step
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

COUNTS, DAYS = data.deaths()
LOG_FACTORIALS = np.array([math.lgamma(count + 1) for count in COUNTS])
SHOWN = (0.5, 2.1, 2.2)  # the start that the chapter shows
COMPLETE, MISSING = 435.317853799, 57.8009534043  # of the linkage data, REFERENCES 1


def deaths_step(theta):
    """The EM step on the deaths, on the first weight and both rates as three bare numbers."""
    rates, weights = theta[1:], np.array([theta[0], 1 - theta[0]])
    log_pmf = COUNTS[:, None] * np.log(rates) - rates - LOG_FACTORIALS[:, None]
    table = np.log(weights) + log_pmf
    log_density = np.logaddexp.reduce(table, axis=1)
    days = np.exp(table - log_density[:, None]) * DAYS[:, None]
    counts = days.sum(axis=0)
    return np.array([counts[0] / counts.sum(), *(COUNTS @ days / counts)]), DAYS @ log_density


def read_a_rate(rate: float | None, height_rate: float | None) -> Verdict:
    """The rate of the linkage data, from two errors, and that of the log-likelihood."""
    if rate is None or height_rate is None:
        return to_do("Set both factors.")
    exact = 5.865761e-6 / 4.417552e-5
    square = exact**2
    first = judge(
        rate,
        exact,
        [
            (1 / exact, "That is one over it: the later error over the earlier one."),
            (square, "That is the factor of the log-likelihood; the parameter's is its root."),
            (math.log(exact), "That is the slope on a logarithmic axis; the rate is its exp."),
            (math.log10(exact), "That is the slope in digits a step; the rate is 10 to that."),
            (-exact, "Both errors have the same sign, so the rate is positive."),
        ],
        what="For the rate, divide the later error by the earlier one.",
        rtol=2e-3,  # three digits
    )
    second = judge(
        height_rate,
        square,
        [
            (
                exact,
                "The top is a parabola: what the log-likelihood lacks goes with the square of "
                "the error.",
            ),
            (2 * exact, "Not twice the rate: its square."),
            (math.sqrt(exact), "Not the root of the rate: its square."),
            (1 / square, "That is one over it."),
        ],
        what="At the top of a parabola the loss of height goes with the square of the distance.",
        because="It is 0.1328, and 0.0176 for the log-likelihood: height converges first.",
        rtol=2e-3,
    )
    return in_turn(first, second)


def two_more_digits(more_steps: float | None, distance: float | None) -> Verdict:
    """How many steps two digits take on the deaths, and what a small step leaves."""
    if more_steps is None or distance is None:
        return to_do("Set the number of steps, and the distance.")
    rate = 0.995666
    exact = math.log(100) / -math.log(rate)
    left = 1e-9 * rate / (1 - rate)
    first = judge(
        more_steps,
        round(exact),
        [
            (exact / 2, "That is for one digit; two digits are a factor of 100."),
            (math.log(2) / -math.log(rate), "That halves the error; two digits are a factor 100."),
            (2 / (1 - rate), "Two digits are a factor of 100, so it is log(100) over -log(rate)."),
            (-exact, "The right size, with the sign turned: log(rate) is negative."),
            (100 / (1 - rate), "The error is multiplied by the rate each step: take logarithms."),
        ],
        what="rate ** steps must be 1/100.",
        rtol=2e-3,
    )
    second = judge(
        distance,
        left,
        [
            (1e-9, "That is the step itself; all the steps to come add up."),
            (1e-9 * rate, "That is the next step alone; all the steps to come add up."),
            (1e-9 * (1 - rate), "Divide by 1 - rate, the steps to come are many."),
        ],
        what="All moves to come add up to rate / (1 - rate) of the last.",
        because="About 1060 steps; and the end is 230 times as far as the step is long.",
        rtol=1e-2,
    )
    return in_turn(first, second)


def halfway(theta):
    """A step that halves the distance to 3: its rate is one half."""
    return (theta + 3) / 2, -((theta - 3) ** 2)


def error_by_slope(standard_error: Callable) -> Verdict:
    """A standard error from the slope of the EM map and the complete information."""
    theta = float(np.roots([197, -15, -68]).max())
    answer = answer_of(standard_error, linkage_step, theta, COMPLETE)
    if isinstance(answer, Verdict):
        return answer
    if is_close(answer, COMPLETE, 1e-12):
        return to_do("Differentiate the step at theta, and take away the share that is missing.")
    observed = COMPLETE - MISSING
    first = judge(
        answer,
        1 / math.sqrt(observed),
        [
            (1 / observed, "That is the variance; the error is its root."),
            (
                1 / math.sqrt(COMPLETE),
                "That takes the labels as known: times 1 - slope, of step(theta)[0].",
            ),
            (1 / math.sqrt(MISSING), "That is from the missing information: use 1 - slope."),
            (1 / math.sqrt(COMPLETE + MISSING), "Missing information is taken away, not added."),
            (
                1 / math.sqrt(COMPLETE - 2 * MISSING),
                "The slope is twice too large: from theta - h to theta + h it is 2 h.",
            ),
            (math.sqrt(observed), "That is one over it."),
            (observed, "That is the observed information; the error is one over its root."),
            (MISSING / COMPLETE, "That is the slope of the map, the missing share. Go on."),
        ],
        what="Slope of the map by a small difference, then 1 / sqrt(complete * (1 - slope)).",
        rtol=1e-6,
    )
    if not first.right and is_close(answer, 1 / math.sqrt(observed), 3e-3):
        return not_yet("Nearly. Take a smaller difference, and one to either side of theta.")
    if not first.right:
        return first
    again = answer_of(standard_error, halfway, 3.0, 8.0)
    if isinstance(again, Verdict):
        return again
    if not is_close(again, 0.5, 1e-6):
        return not_yet(
            "Right for linkage, but another step, which halves the distance to 3, with complete "
            f"information 8 has the error 0.5, not {numbers_of(again)}. Use what is handed over."
        )
    return right("0.0514673, without a second derivative of the log-likelihood.")


def throw_it_out(start: list | None) -> Verdict:
    """A start from which SQUAREM without a safeguard leaves the space of the parameters."""
    if start is None:
        return to_do("Set three numbers: the first weight and both rates.")
    numbers = numbers_of(start)
    if numbers is None or numbers.shape != (3,) or not np.isfinite(numbers).all():
        return not_yet("Three numbers are wanted: the first weight and both rates.")
    numbers = numbers.astype(float)
    weight, *rates = numbers.tolist()
    if not (0 < weight < 1 and min(rates) > 0 and max(rates) <= 20):
        return not_yet("Begin inside: a weight between 0 and 1, and rates above 0 and up to 20.")
    if is_close(numbers, SHOWN) or is_close(numbers, (0.5, 2.2, 2.1)):
        return not_yet("That is the start of the chapter. Find another.")
    with np.errstate(all="ignore"):
        path, n_calls = plain_squarem(deaths_step, numbers, 1e-8, 3000)
    for n, (share, *means) in enumerate(path):
        if not (0 <= share <= 1 and min(means) >= 0):
            return right(f"It is outside after {n} rounds. Free coordinates have no outside.")
    return not_yet(
        f"From there it stays inside, {n_calls} calls of the step. Leaps are longest where EM's "
        "steps hardly change: try two rates that are nearly equal."
    )
