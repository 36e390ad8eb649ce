"""Checks for the exercises of chapter 01, fit two bells with a plain loop."""

import numpy as np

from emtools import data, loops
from emtools.course.exercises import (
    Verdict,
    in_short,
    in_turn,
    is_close,
    judge,
    not_yet,
    numbers_of,
    to_do,
)
from emtools.mixture import Mixture


def after(n_iterations, means, weights, shrunk=(1, 2)):
    """The six parameters that the document's widths lead to, or the std shrunk by other factors."""
    x = data.waiting()
    parameters = *means, *(np.std(x) / np.array(shrunk)), *weights
    for _ in range(n_iterations):
        parameters = loops.m_step(x, loops.e_step(x, parameters))
    return np.array(parameters)


def e_step_by_hand(share: float | None) -> Verdict:
    """Share of the short bell in a wait of 66 minutes."""
    return judge(
        share,
        1 / (1 + np.exp(1.2)),
        [
            (1 / (1 + np.exp(2.4)), "The exponent in Eq. (1) has a factor of one half."),
            (1 / (1 + np.exp(0.2)), "The scaled residuals are squared in Eq. (1)."),
            (14 / 30, "That compares distances. Eq. (3) compares densities."),
            (1 / (1 + np.exp(-1.2)), "That is the share of the long bell."),
            (
                [1 / (1 + np.exp(-1.2)), 1 / (1 + np.exp(1.2))],
                "Those are both shares, long and short; hand over the second alone.",
            ),
            (np.exp(-1.2), "Those are the odds of short to long; the share is odds / (1 + odds)."),
            (np.exp(1.2), "Those are the odds of long to short; the share is 1 / (1 + odds)."),
            (0.6062, "That is what the fitted bells say. The guess has means 80 and 50, 5 wide."),
            (0.23, "Four digits, please: 0.23 could be luck."),
            (23.15, "That is a percentage; a share is a number between 0 and 1."),
            (1, "66 is not wholly short: it is nearer to 80. A share is not all or nothing."),
            (0, "66 is nearer to 80, but a share says how sure that is; it is not all or nothing."),
        ],
        what="Work out both scaled residuals of 66, then the odds, then the short bell's share.",
        because="The residuals are 3.2 and 2.8, so the odds are exp(-1.2) to 1. "
        "The fitted bells say 61 %: the answer depends on the bells.",
    )


def m_step_by_hand(mean: float | None, std: float | None) -> Verdict:
    """Mean and standard deviation of the short bell from five waits."""
    if mean is None or std is None:
        return to_do("Set both short_mean and short_std.")
    return in_turn(
        judge(
            mean,
            54.8,
            [
                (27.4, "The mean is divided by the soft count 2.5, not by all 5 waits."),
                (52, "The wait of 66 is left out of the mean; half of it is the short bell's."),
                (170 / 3, "The wait of 66 is counted whole in the mean; its share is one half."),
                (77.2, "That is the mean of the long bell."),
                (137 / 3, "The mean is divided by the soft count 2.5, not by 3."),
                (np.sqrt(34.56), "That is the standard deviation; the mean comes first."),
            ],
            what="The mean is Eq. (4), left.",
        ),
        judge(
            std,
            np.sqrt(34.56),
            [
                (34.56, "That is the variance; the standard deviation is its square root."),
                (np.sqrt(17.28), "The sum of squares is divided by the soft count 2.5, not by 5."),
                (np.sqrt(59.648), "The square of 66 counts half as well: its share is one half."),
                (np.sqrt(149.12 / 3), "The square of 66 counts half, and the divisor is 2.5."),
                (
                    np.sqrt(57.6),
                    "Two slips give this number: dividing by the soft count minus one, or "
                    "measuring the distances from 50 instead of from the new mean 54.8.",
                ),
                (np.sqrt(28.8), "The sum of squares is divided by the soft count 2.5, not by 3."),
            ],
            what="The mean is right. The standard deviation is Eq. (4), middle, and a square root.",
            because="The soft count is 2.5, the mean 137/2.5 = 54.8, "
            "the variance 86.4/2.5 = 34.56.",
        ),
    )


def lopsided_weights(parameters: tuple | None) -> Verdict:
    """One iteration from weights 9 and 1."""
    if parameters is None:
        return to_do("Call e_step and m_step once, from weights 9 and 1.")
    parameters = flattened(parameters)
    return judge(
        parameters,
        after(1, (77, 53), (9, 1)),
        [
            (
                after(1, (77, 53), (1, 1)),
                "These are the numbers from equal weights; start from 9 and 1.",
            ),
            (
                after(100, (77, 53), (9, 1)),
                "That is after many iterations; the check wants the first.",
            ),
            (
                after(2, (77, 53), (9, 1)),
                "That is after two iterations; the check wants the first.",
            ),
            (
                after(1, (77, 53), (1, 9)),
                "These are the weights 1 and 9; the 9 belongs to the first bell, the one at 77.",
            ),
            (
                after(1, (77, 53), (9, 1), shrunk=(1, 1)),
                "Both bells start equally wide here; the second starts half as wide.",
            ),
            (
                after(1, (77, 53), (9, 1), shrunk=(2, 1)),
                "The widths are the wrong way round: the first bell starts twice as wide.",
            ),
        ],
        what="Hand over the six numbers that m_step returns after one iteration.",
        because="A factor that both weights share cancels; their ratio does not. "
        "After a hundred iterations the fit is the same all the same: here the start is forgotten.",
    )


def other_way_round(parameters: tuple | None) -> Verdict:
    """A hundred iterations from means 53 and 77."""
    if parameters is None:
        return to_do("Run 100 iterations from means 53 and 77.")
    return judge(
        flattened(parameters),
        after(100, (53, 77), (1, 1)),
        [
            (
                after(100, (77, 53), (1, 1)),
                "This is the fit from means 77 and 53: the first bell is the long one.",
            ),
            (after(1, (53, 77), (1, 1)), "That is after one iteration; we want the hundredth."),
        ],
        what="Run 100 iterations from means 53 and 77, with widths np.std(waiting) and half of "
        "it, and weights 1 and 1.",
        because="It is the same mixture, with the two bells listed in the other order. "
        "Sort by mean before comparing two fits.",
    )


def one_wild_value(observation: float | None, iteration: int | None) -> Verdict:
    """On which observation a bell ends up, and when its width is zero."""
    if observation is None or iteration is None:
        return to_do("Print the parameters after each of ten iterations and look at the widths.")
    if is_close(iteration, 1):
        return not_yet(
            "At iteration 1 there is nan only if the widths come from the 272 waits; "
            "take np.std of all 273, as em does."
        )
    if is_close(observation, 272):
        return not_yet("272 is its index; give the wait in minutes.")
    if not is_close(observation, 1000.0):
        return not_yet(
            f"No bell ends up on {in_short(observation)}. Look at the means before the nan."
        )
    return judge(
        iteration,
        7,
        [
            (8, "8 is when the nan appears. One iteration earlier the width is exactly 0."),
            (6, "After 6 iterations the width is still 2.87 minutes."),
        ],
        what="The observation is right. Count the iterations until a width is exactly 0.",
        because="The bell owns this one wait, and one wait has no spread. Its density is now "
        "infinite, and the next E-step divides by zero.",
    )


def flattened(parameters):
    """The six parameters of a Mixture in the order of the loop; anything else as it is."""
    if not all(hasattr(parameters, name) for name in Mixture._fields):
        return parameters
    numbers = numbers_of([parameters.means, parameters.stds, parameters.weights])
    return parameters if numbers is None else numbers.ravel()
