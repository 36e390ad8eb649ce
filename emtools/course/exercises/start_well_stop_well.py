"""Checks for the exercises of chapter 05, start well, stop well."""

from collections.abc import Callable
from functools import cache

import numpy as np

from emtools import data, logspace
from emtools.course.exercises import (
    RETURNED_NONE,
    Verdict,
    answer_of,
    in_short,
    in_turn,
    is_close,
    judge,
    not_yet,
    parts_of,
    right,
    to_do,
    truth_of,
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
            (expected - 6 * decade, "That is five decades down from 0.0001; it is one decade up."),
        ],
        what="How much does each line of the table add to the one before?",
        because="2.3934 + log 10 = 4.6960. There is no last decade: the likelihood has no maximum.",
        rtol=5e-5,
    )


def who_collapses(component: int | None, n_steps: int | None) -> Verdict:
    """Which bell collapses onto the 10, and when its width is exactly 0."""
    return in_turn(
        judge(
            component,
            1,
            [
                (2, "The right bell it is, but Python counts from 0."),
                (0, "Component 0 owns 1, 2 and 3, which have a spread. Look at the other one."),
                (10, "10 is the observation it sits on. Which component is it?"),
            ],
            what="Step from stds of 1 and print the stds after each step.",
            hint="Look at which of the two stds goes to 0.",
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
    hard = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    soft = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]])
    for resp, (a, b) in ((hard, (1.0, 1.0)), (hard, (1.0, 0.1)), (soft, (2.0, 0.5))):
        plain, counts = logspace.m_step(FOUR, resp), resp.sum(axis=0)
        made = answer_of(m_step, FOUR, resp, a, b)
        made = made if isinstance(made, Verdict) else parts_of(made, plain)
        if isinstance(made, Verdict):
            return made
        if not (is_close(made.weights, plain.weights) and is_close(made.means, plain.means)):
            return not_yet("The prior is on the widths; weights and means stay as in m_step.")
        if is_close(made.stds, plain.stds):
            return to_do("So far these are the widths of m_step. Eq. (3) adds 2b and 2(a + 1).")
        verdict = judge_widths(made.stds, counts * plain.stds**2, counts, a, b)
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
            (np.sqrt((squares + 2 * a) / (counts + 2 * (b + 1))), "a and b have changed places."),
            (
                np.sqrt((squares / counts + 2 * b) / (counts + 2 * (a + 1))),
                "Above the line stands the sum of squares, not the variance: multiply by N_k.",
            ),
            (np.sqrt(squares / counts + b), "That adds b to the variance, which is no prior."),
            (np.sqrt(squares / counts) + b, "That adds b to the width, which is no prior."),
        ],
        what=f"For a = {a:g}, b = {b:g} Eq. (3) gives {in_short(np.sqrt(expected))}.",
    )


@cache
def histories():
    """Two plateaus and the two bells: what each is called, its history, and the steps allowed."""
    x = data.waiting()
    step = step_on(x, logspace.e_step, logspace.m_step)
    near = Mixture(HALVES, x.mean() + np.array([-0.01, 0.01]), np.full(2, x.std()))
    nearer = near._replace(means=x.mean() + np.array([-0.0001, 0.0001]))
    apart = Mixture(HALVES, np.array([50.0, 80.0]), np.full(2, 5.0))
    runs = [
        ("plateau", near, 500),
        ("plateau that begins 0.0001 from the mean", nearer, 500),
        ("run of two bells", apart, 60),
    ]
    return [
        (name, iterate(step, start, tol=0, max_iter=500).history, allowed)
        for name, start, allowed in runs
    ]


def first_stop(stop, history):
    """At which step a rule first says stop; a Verdict if it never does or cannot say."""
    for n in range(len(history)):
        answer = answer_of(stop, history[: n + 1].tolist())
        if answer is RETURNED_NONE:  # as good as False, if it says True later
            continue
        answer = answer if isinstance(answer, Verdict) else truth_of(answer)
        if isinstance(answer, Verdict):
            return answer
        if answer:
            return n
    return answer or not_yet("It never stops within 500 steps.")


def is_stub(stop):
    """Whether a rule is the one that the exercise begins with: a gain under 1e-4."""
    said = [answer_of(stop, history) for history in ([0.0], [0, 9e-5], [0, 1.1e-4], [0.0, -1.0])]
    return [np.size(one) == 1 and bool(one) for one in said] == [False, True, False, True]


def rule_of_your_own(stop: Callable) -> Verdict:
    """A stopping rule that is not fooled by a plateau, nor a number of steps."""
    said = []
    for name, history, allowed in histories():
        n = first_stop(stop, history)
        if isinstance(n, Verdict):
            return not_yet(f"On the {name}: {n.message}")
        left = history[-1] - history[n]
        where = f"On the {name} it stops at step {n}, {history[n]:.4f}, {left:.3g} nats short"
        if n == 1 and is_stub(stop):
            return to_do(f"{where}. A small gain is not a small error.")
        if left > 1:
            return not_yet(f"{where}. Are the gains shrinking there, or growing?")
        if left > 1e-3:
            return not_yet(f"{where}; 0.001 is allowed.")
        if n > allowed:
            enough = int(np.argmax(history[-1] - history <= 1e-3))
            return not_yet(
                f"On the {name} it stops at step {n}. That run is within 0.001 nats after "
                f"{enough} steps; {allowed} are allowed. Does your rule look at the gains?"
            )
        said.append(f"step {n} of the {name}")
    return right(f"It stops at {', '.join(said)}; each is less than 0.001 nats short.")


@cache
def two_hills():
    """The log-likelihoods that the starts from 4 and 5 and from 4 and 7 lead to."""
    step = step_on(data.acidity(), logspace.e_step, logspace.m_step)
    starts = (Mixture(HALVES, np.array(means), np.ones(2)) for means in ([4.0, 5.0], [4.0, 7.0]))
    return [iterate(step, start).log_likelihood for start in starts]


def acid_lakes(from_4_and_5: float | None, from_4_and_7: float | None) -> Verdict:
    """Two starts for the acidity of lakes, and the hills they lead to."""
    if from_4_and_5 is None or from_4_and_7 is None:
        return to_do("Run iterate twice and take the log_likelihood of each Fit.")
    low, high = two_hills()
    if is_close(from_4_and_5, high, 1e-6) and is_close(from_4_and_7, low, 1e-6):
        return not_yet("The other way round: 4 and 5 first.")
    for name, answer, expected in (("4 and 5", from_4_and_5, low), ("4 and 7", from_4_and_7, high)):
        verdict = judge(
            answer,
            expected,
            [(low, "That is where 4 and 5 lead."), (high, "That is where 4 and 7 lead.")],
            what="Close: leave tol at its default."
            if is_close(answer, expected, 1e-3)
            else "Are the stds 1, the weights one half, the data data.acidity()?",
            rtol=1e-6,
        )
        if not verdict.right:
            return not_yet(f"From {name}: {verdict.message}")
    return right(
        "-187.2345 is what mclust prints for two bells of unequal widths, and -184.6447 is 2.6 "
        "nats higher. The well-known value is the lower hill."
    )
