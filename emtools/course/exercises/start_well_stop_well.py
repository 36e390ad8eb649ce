"""Checks for the exercises of chapter 05, start well, stop well."""

from collections.abc import Callable

import numpy as np

from emtools import data, logspace
from emtools.course.exercises import (
    Verdict,
    in_short,
    in_turn,
    is_close,
    judge,
    not_yet,
    right,
    to_do,
)
from emtools.em import iterate, step_on
from emtools.mixture import Mixture

FOUR = np.array([1.0, 2.0, 3.0, 10.0])
HALVES = np.array([0.5, 0.5])


def narrower_spike(log_likelihood: float | None) -> Verdict:
    """Log-likelihood of 1, 2, 3, 10 with a spike 1e-5 wide."""
    spike = Mixture(np.array([0.75, 0.25]), np.array([2.0, 10.0]), np.array([np.sqrt(2 / 3), 1e-5]))
    expected = logspace.e_step(FOUR, spike)[1]
    decade = np.log(10)
    return judge(
        log_likelihood,
        expected,
        [
            (expected - decade + 1, "One decade is the natural logarithm of 10, not 1."),
            (expected - decade, "That is the last line of the table, for 0.0001."),
            (expected - 2 * decade, "It rises as the bell narrows."),
            (expected + decade, "That is one decade too far."),
            (expected - decade + np.log(2), "The width was divided by 10, not by 2."),
        ],
        what="How much does each line of the table add to the one before?",
        because="2.3934 + log 10 = 4.6960. There is no last decade: the likelihood has no maximum.",
    )


def who_collapses(component: int | None, n_steps: int | None) -> Verdict:
    """Which bell collapses onto the 10, and when its width is exactly 0."""
    if component is None or n_steps is None:
        return to_do("Step from stds of 1 and print the stds after each step.")
    return in_turn(
        judge(
            component,
            1,
            [
                (2, "The right bell it is, but Python counts from 0."),
                (0, "Component 0 owns 1, 2 and 3, which have a spread. Look at the other one."),
                (10, "10 is the observation it sits on. Which component is it?"),
            ],
            what="Look at which of the two stds goes to 0.",
        ),
        judge(
            n_steps,
            2,
            [
                (1, "After one step it is 4.3e-5 wide: narrow, but not 0."),
                (3, "After three steps everything is nan. When was the width 0?"),
                (4, "That is from stds of 3, as in the text. Start from 1."),
            ],
            what="The component is right. Count the steps until its std is exactly 0.",
            because="4.3e-5 after one step, 0 after two: a narrow start collapses sooner.",
        ),
    )


def prior_on_widths(m_step: Callable) -> Verdict:
    """An M-step whose widths follow the inverse-gamma prior."""
    hard = np.array([[1, 0], [1, 0], [1, 0], [0, 1]])
    soft = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    for resp, (a, b) in ((hard, (1.0, 1.0)), (hard, (1.0, 0.1)), (soft, (2.0, 0.5))):
        with np.errstate(all="ignore"):
            try:
                weights, means, stds = (
                    np.asarray(part, dtype=float) for part in m_step(FOUR, resp, a, b)
                )
            except Exception as error:  # whatever a reader's own code raises
                return not_yet(f"Your function stopped with {type(error).__name__}: {error}")
        plain, counts = logspace.m_step(FOUR, resp), resp.sum(axis=0)
        if not (is_close(weights, plain.weights) and is_close(means, plain.means)):
            return not_yet("The prior is on the widths; weights and means stay as in m_step.")
        if is_close(stds, plain.stds):
            return to_do("So far these are the widths of m_step. Eq. (3) adds 2b and 2(a + 1).")
        verdict = judge_widths(stds, counts * plain.stds**2, counts, a, b)
        if not verdict.right:
            return verdict
    return right(
        "With a = b = 1: 0.7559 and 0.6325. From spike(0.01) the log-likelihood falls from -2.2117 "
        "to -6.3775, by design: what climbs is its sum with the log prior."
    )


def judge_widths(stds, squares, counts, a, b):
    """Compare widths with Eq. (3) and with the ways of getting it wrong."""
    expected = (squares + 2 * b) / (counts + 2 * (a + 1))
    return judge(
        stds,
        np.sqrt(expected),
        [
            (expected, "Those are variances; a Mixture holds standard deviations."),
            (np.sqrt((squares + 2 * b) / counts), "2(a + 1) is missing under the line."),
            (np.sqrt(squares / (counts + 2 * (a + 1))), "2b is missing above the line."),
            (np.sqrt((squares + b) / (counts + a + 1)), "Both additions come with a factor of 2."),
            (np.sqrt((squares + 2 * b) / (counts + 2 * a)), "It is a + 1, not a, under the line."),
            (
                np.sqrt((squares / counts + 2 * b) / (counts + 2 * (a + 1))),
                "Above the line stands the sum of squares, not the variance: multiply by N_k.",
            ),
            (np.sqrt(squares / counts + b), "That adds b to the variance, which is no prior."),
            (np.sqrt(squares / counts) + b, "That adds b to the width, which is no prior."),
        ],
        what=f"For a = {a:g}, b = {b:g} Eq. (3) gives {in_short(np.sqrt(expected))}.",
    )


def rule_of_your_own(stop: Callable) -> Verdict:
    """A stopping rule that is not fooled by a plateau."""
    x = data.waiting()
    step = step_on(x, logspace.e_step, logspace.m_step)
    near = Mixture(HALVES, x.mean() + np.array([-0.01, 0.01]), np.full(2, x.std()))
    runs = {
        "plateau": near,
        "run of two bells": Mixture(HALVES, np.array([50.0, 80.0]), np.full(2, 5.0)),
    }
    said = []
    for name, start in runs.items():
        history = iterate(step, start, tol=0, max_iter=500).history
        try:
            stops = (n for n in range(len(history)) if stop(list(history[: n + 1])))
            n = next(stops, None)
        except Exception as error:  # whatever a reader's own code raises
            return not_yet(f"Your rule stopped with {type(error).__name__}: {error}")
        if n is None:
            return not_yet(f"On the {name} it never stops within 500 steps.")
        left = history[-1] - history[n]
        where = f"On the {name} it stops at step {n}, {history[n]:.4f}, {left:.3g} nats short"
        if name == "plateau" and n == 1:
            return to_do(f"{where}. A small gain is not a small error.")
        if name == "plateau" and left > 1:
            return not_yet(f"{where}. Are the gains shrinking there, or growing?")
        if left > 1e-3:
            return not_yet(f"{where}; 0.001 is allowed.")
        said.append(f"step {n} of the {name}")
    return right(f"It stops at {' and '.join(said)}, each less than 0.001 nats short.")


def acid_lakes(from_4_and_5: float | None, from_4_and_7: float | None) -> Verdict:
    """Two starts for the acidity of lakes, and the hills they lead to."""
    if from_4_and_5 is None or from_4_and_7 is None:
        return to_do("Run iterate twice and take the log_likelihood of each Fit.")
    x = data.acidity()
    step = step_on(x, logspace.e_step, logspace.m_step)
    low, high = (
        iterate(step, Mixture(HALVES, np.array(means), np.ones(2))).log_likelihood
        for means in ([4.0, 5.0], [4.0, 7.0])
    )
    if is_close(from_4_and_5, high, 1e-6) and is_close(from_4_and_7, low, 1e-6):
        return not_yet("The other way round: 4 and 5 first.")
    for name, answer, expected in (("4 and 5", from_4_and_5, low), ("4 and 7", from_4_and_7, high)):
        if not is_close(answer, expected, 1e-6):
            early = is_close(answer, expected, 1e-3)
            hint = (
                "Close: hand over four decimals or more, and leave tol at its default."
                if early
                else "Are the stds 1, the weights one half, the data data.acidity()?"
            )
            return not_yet(f"From {name}: {in_short(answer)} is not it. {hint}")
    return right(
        "-187.2345 is what mclust prints for two bells of unequal widths, and -184.6447 is 2.6 "
        "nats higher. The well-known value is the lower hill."
    )
