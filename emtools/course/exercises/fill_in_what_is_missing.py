"""Checks for the exercises of chapter 12, fill in what is missing."""

from collections.abc import Callable
from functools import cache

import numpy as np

from emtools import data
from emtools.course.exercises import (
    Verdict,
    answer_of,
    is_close,
    judge,
    not_yet,
    numbers_of,
    right,
    to_do,
)
from emtools.em import iterate, step_on
from emtools.missing import Bins, Normal, by_pattern, e_step, grouped_e_step, m_step
from emtools.mixture import Mixture


def guess_of_the_square(expected_square: float | None) -> Verdict:
    """E[x_2^2] given x_1 = 2, for variances 8/3 and covariance 4/3."""
    return judge(
        expected_square,
        3,
        [
            (1, "That is the square of the guess. The variance that is left comes on top."),
            (2, "That is the variance that is left. The square of the guess comes on top."),
            (11 / 3, "That adds the whole variance, 8/3; x_1 is known, so less of it is left."),
            (7 / 3, "That adds the covariance; what is left of the variance is 8/3 - 2/3."),
            (4, "That is the square of x_1, which is seen; we want that of x_2."),
        ],
        what="The guess is slope times 2; its square, plus the variance that is left over.",
        because="The guess is 1, and 2 is left of the variance 8/3.",
    )


def first_step_by_hand(variance: float | None, covariance: float | None) -> Verdict:
    """One EM step on Murray's points from variances 1 and covariance 0.5."""
    if variance is None or covariance is None:
        return to_do("Add up squares and products over the twelve rows, and divide by 12.")
    return judge(
        [variance, covariance],
        [27 / 12, 16 / 12],
        [
            ([24 / 12, 16 / 12], "That forgets the 0.75 left over in each of four gaps."),
            ([28 / 12, 16 / 12], "That adds the whole variance, 1, to each gap; 0.75 is left."),
            ([30 / 12, 16 / 12], "The 0.75 belongs to the four rows with a gap in this column."),
            ([27 / 11, 16 / 11], "Divide by the number of rows, 12, not by 11."),
            ([27, 16], "Those are the sums. Divide by 12."),
            ([27 / 12, 8 / 12], "Eight rows have a product of 2: each gap has a seen neighbour."),
            ([27 / 12, 16 / 27], "The second is the correlation; we want the covariance."),
            ([16 / 12, 27 / 12], "Variance first, then the covariance."),
            ([8 / 3, 4 / 3], "That is the limit; we want what one step makes of the start."),
            ([5 / 2, 0], "That is each column alone."),
            ([1, 0.5], "That is the start; we want what one step makes of it."),
        ],
        what="Squares: four of 1, four of 4, four of 1 + 0.75. Products: four that cancel, eight "
        "of 2. Divide by 12.",
        because="27/12 and 16/12: the guesses make the covariance, what is left the variance.",
    )


@cache
def with_one_more_point(n_iter):
    """Covariance (2, 2) after so many steps from correlation 0, with (1, 1) added to Murray's."""
    groups = by_pattern(np.vstack([data.murray(), [1.0, 1.0]]))
    start = Normal(np.zeros(2), np.eye(2))
    fit = iterate(step_on(groups, e_step, m_step), start, tol=0, max_iter=n_iter)
    return fit.parameters.covariance


def one_more_point(correlation: float | None) -> Verdict:
    """Where EM goes from correlation 0 with a thirteenth point."""
    end, first = with_one_more_point(500), with_one_more_point(1)
    variance, covariance = end[0]
    return judge(
        correlation,
        covariance / variance,
        [
            (0, "From there it leaves at once: the new point tips the balance. Take 2,000 steps."),
            (0.5, "That is the summit of the twelve points. Is the new one among the groups?"),
            (-covariance / variance, "The new point lies where both coordinates are positive."),
            (first[0, 1] / first[0, 0], "That is after one step. Take 2,000."),
            (covariance, "That is the covariance; divide it by the variance."),
        ],
        what="np.vstack([points, [1, 1]]), by_pattern, step_on, iterate with tol=0.",
        because="The saddle has gone, and the summit at the left with it: every start ends here.",
    )


def left_censored_step(step: Callable) -> Verdict:
    """One EM step for an exponential of which some times are only known to be shorter."""
    if step is None:
        return to_do("Write the function, and hand it over.")
    problems = [
        (np.array([2.0, 5, 9, 4, 6]), np.array([True, True, True, False, False]), 6.5),
        (np.array([1.0, 9, 3, 12]), np.array([False, True, False, True]), 2.5),
    ]
    verdicts = []
    for times, known, scale in problems:
        answer = answer_of(step, times, known, scale)
        if isinstance(answer, Verdict):
            return answer
        verdicts.append(judge_step(answer, times, known, scale))
    return next((verdict for verdict in verdicts if not verdict.right), verdicts[0])


def judge_step(answer, times, known, scale):
    """The verdict on what one step returned for one set of times."""
    shorter = scale - times / np.expm1(times / scale)
    expected = np.where(known, times, shorter)
    slips = [
        (times + scale * ~known, "That adds what is still to come; these have ended before t."),
        (np.where(known, times, scale), "That takes the mean lifetime for all that is not known."),
        (np.where(known, times, times / 2), "Half of t is too simple: short lives are likelier."),
        (np.where(known, times, 2 * scale - shorter), "Minus, not plus."),
        (times[known], "That leaves out those that are not known."),
        (np.where(known, shorter, times), "True in `known` marks the times that are known."),
        (shorter, "A time that is known stays as it is."),
        (shorter[~known], "The mean of all, please: those that are known belong to it."),
    ]
    if is_close(answer, expected.mean(), rtol=1e-6):
        return right("Each of them is taken as less than half its bound: short lives are likelier.")
    if is_close(answer, times.mean()):
        return to_do("So far it takes every time as known. Put the expectation for the others.")
    if is_close(answer, expected):
        return not_yet("Those are the expected lifetimes, the E-step. The M-step is their mean.")
    if is_close(answer, expected.sum()):
        return not_yet("That is the sum of the expected lifetimes; we want their mean.")
    for lifetimes, slip in slips:
        if is_close(answer, lifetimes.mean()):
            return not_yet(slip)
    numbers = numbers_of(answer)
    if numbers is None or numbers.size != 1:
        return not_yet("Your function should return one number, the new mean lifetime.")
    return not_yet(
        f"From {scale:g}, with times {times.tolist()}, the new mean is not {numbers.item():.6g}. "
        "Expected lifetimes first, then their mean."
    )


def mean_in_a_bin(mean: float | None) -> Verdict:
    """The mean of a bell at 60, 5 wide, between 69.5 and 79.5."""
    bins = Bins(np.ones(1), np.array([69.5, 79.5]))
    bell = Mixture(np.ones(1), np.array([60.0]), np.array([5.0]))
    (_, means, variances), _ = grouped_e_step(bins, bell)
    return judge(
        mean,
        means[0, 0],
        [
            (74.5, "That is the middle of the bin. The bell falls steeply there."),
            (60, "That is the mean of the whole bell; we want that of its part in the bin."),
            (69.5, "That is the edge; the bell reaches further."),
            (149 - means[0, 0], "On the wrong side of the middle: the bell is at the left."),
            (
                [1, means[0, 0], variances[0, 0]],
                "Those are responsibility, mean and variance; the second alone, please.",
            ),
            (variances[0, 0], "That is the variance in the bin; the mean is the second of three."),
        ],
        what="(resp, means, variances), log_likelihood = grouped_e_step(Bins(...), Mixture(...)).",
        because="The midpoint would be 3.09 minutes too far out, and so the bell too wide.",
        rtol=1e-4,
    )
