"""Checks for the exercises of chapter 06, survive a collapse."""

from collections.abc import Callable
from functools import cache
from itertools import combinations

import numpy as np

from emtools import data, logspace
from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_turn,
    judge,
    not_yet,
    right,
    to_do,
    truth_of,
)
from emtools.em import iterate, step_on
from emtools.mixture import Mixture

FOUR = np.array([1.0, 2.0, 3.0, 10.0])


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


def how_strong(b: float | None, left_std: float | None) -> Verdict:
    """The scale of the prior that makes the right bell 0.5 wide, and what it does to the left."""
    return in_turn(
        judge(
            b,
            0.625,
            [
                (1.25, "Eq. (2) has 2b, and the variance on its left: 0.25, not 0.5."),
                (0.5, "The right bell owns one observation: N_k is 1, and a + 1 is 2."),
                (0.375, "2 (a + 1) is 4, not 2."),
                (0.25, "The right bell owns one observation: N_k is 1; and 2 (a + 1) is 4."),
                (1.75 / 2, "That is for the left bell's N_k; the right bell owns one."),
                (-0.375, "The sum of squares of the right bell is 0; the 2 is the left one's."),
            ],
            what="Put a sum of squares of 0, N_k = 1 and a variance of 0.25 into Eq. (2).",
        ),
        judge(
            left_std,
            np.sqrt(3.25 / 7),
            [
                (3.25 / 7, "That is its variance."),
                (np.sqrt(2 / 3), "That is without the prior."),
                (np.sqrt(4 / 7), "That is for b = 1, as in the text."),
                (np.sqrt(2.625 / 7), "2b, not b, above the line."),
                (np.sqrt(3.25 / 5), "The left bell owns three observations: 3 + 2 (a + 1) is 7."),
                (0.5, "That is the right one. The left one has a sum of squares of 2."),
            ],
            what="That b is right. Now Eq. (2) for the left bell: sum of squares 2, N_k = 3.",
            because="b = 0.625, and the left bell, which needed no help, goes from 0.816 to 0.681.",
        ),
    )


def mixture_of(*rows):
    """A mixture from rows of weight, mean and std, one for each component."""
    return Mixture(*np.array(rows, dtype=float).T)


A, B, C = (0.2, 50.0, 5.0), (0.3, 60.0, 4.0), (0.5, 80.0, 6.0)
THREE = mixture_of(A, B, C)
# What is compared with what, whether they are the same, and what a wrong answer has overlooked.
PAIRS = [
    (THREE, mixture_of(A, B, C), True, "A mixture is the same as itself."),
    (THREE, mixture_of(C, A, B), True, "Three components in another order are the same mixture."),
    (
        THREE,
        mixture_of(A, B, (0.5, 80.0, 6.001)),
        False,
        "With one std 6.001 instead of 6 it is another mixture.",
    ),
    (
        THREE,
        mixture_of(A, B, (0.5, 80.0, 6.00003)),
        False,
        "With one std 6.00003 instead of 6 it is another mixture: that is 5e-6 apart, and 1e-6 is "
        "allowed.",
    ),
    (
        THREE,
        mixture_of(C, A, (0.3, 60.0, 4.00000001)),
        True,
        "A std of 4.00000001 instead of 4 is within 1e-6.",
    ),
    (
        THREE,
        mixture_of((0.5, 50.0, 5.0), B, (0.2, 80.0, 6.0)),
        False,
        "Two components have exchanged their weights, which makes another mixture: a component's "
        "weight, mean and std must stay together.",
    ),
    (
        mixture_of((0.5, 70.0, 2.0), (0.5, 70.0, 9.0)),
        mixture_of((0.5, 70.0, 9.0), (0.5, 70.0, 2.0)),
        True,
        "Both means are 70, and the order differs: sorting by mean does not help here.",
    ),
    (
        mixture_of((0.5, 70.0, 2.0), (0.5, 70.0000001, 9.0)),
        mixture_of((0.5, 70.0, 9.0), (0.5, 70.0000001, 2.0)),
        True,
        "The means differ by 1e-7, which is rounding, and the order differs. Try every order.",
    ),
    (
        mixture_of((0.5, 50.0, 5.0), (0.5, 80.0, 5.00000001)),
        mixture_of((0.5, 80.0, 5.0), (0.5, 50.0, 5.00000001)),
        True,
        "Both stds are 5 within 1e-6, and the order differs: sorting by std does not help either.",
    ),
    (
        mixture_of((0.4, 50.0, 5.0), (0.4, 50.0, 5.0), (0.2, 80.0, 6.0)),
        mixture_of((0.4, 50.0, 5.0), (0.4, 60.0, 4.0), (0.2, 80.0, 6.0)),
        False,
        "Two bells of the first have one and the same partner in the second: one is left over.",
    ),
]


def same_fit(same: Callable) -> Verdict:
    """Whether two mixtures are equal up to the order of their components."""
    for n, (first, second, expected, why) in enumerate(PAIRS):
        answer = answer_of(same, first, second)
        answer = answer if isinstance(answer, Verdict) else truth_of(answer)
        if isinstance(answer, Verdict):
            return answer
        if answer is not expected:
            if n == 1 and is_stub(same):
                return to_do(f"It compares as they stand. {why}")
            return not_yet(f"It says {answer}. {why}")
    return right("Order does not matter, company does: weight, mean and std go together.")


def is_stub(same):
    """Whether a function compares as they stand: it sees a change in each part, and the order."""
    others = [THREE._replace(**{name: getattr(THREE, name) * 1.01}) for name in THREE._fields]
    said = [answer_of(same, THREE, other) for other in (THREE, *others)]
    return [np.size(one) == 1 and bool(one) for one in said] == [True, False, False, False]


@cache
def best_of_five(floor):
    """The best of the chapter's starts for five bells on the galaxies, with a floor."""
    x = data.galaxies() / 1000

    def m_step(x, resp):
        mixture = logspace.m_step(x, resp)
        return mixture._replace(stds=np.maximum(mixture.stds, floor))

    step = step_on(x, logspace.e_step, m_step)
    starts = [
        Mixture(np.full(5, 0.2), np.array(means), np.full(5, std))
        for std in (1.0, 2.0, 4.0)
        for means in combinations([10.0, 16.0, 19.0, 21.0, 23.0, 33.0], 5)
    ]
    fits = [iterate(step, start, tol=1e-8) for start in starts]
    return max(fit.log_likelihood for fit in fits)


def needle_on_a_floor(log_likelihood: float | None, n_on_the_floor: int | None) -> Verdict:
    """Five bells for the galaxies with a floor of 0.1."""
    return in_turn(
        judge(
            log_likelihood,
            best_of_five(0.1),
            [
                (best_of_five(0.0), "That is without a floor."),
                (-195.96965842, "That is the runner-up. Is it the best of all the fits?"),
                (-203.28959, "That is the lowest end. Which is the best?"),
                (best_of_five(np.sqrt(0.1)), "That is a floor of 0.1 for the variance."),
                (best_of_five(0.01), "That is without a floor, or with 0.01: no bell sits on it."),
            ],
            what="restarts, with step_on(galaxies, e_step, ...) and m_step_with_floor; then best.",
            hint="Is the floor 0.1, and are all 18 starts run to the end?",
            rtol=1e-6,
        ),
        judge(
            n_on_the_floor,
            1,
            [
                (0, "Compare stds <= 0.1: np.maximum puts them exactly there."),
                (2, "That is how many galaxies it owns. How many bells are 0.1 wide?"),
                (5, "That is all of them; the others are wider than 0.1."),
            ],
            what="The log-likelihood is right. How many stds of that fit are 0.1?",
            because="The needle sits on the floor, 0.9 nats lower than before, and still wins: a "
            "floor keeps a bell from collapsing, and does not make it believable.",
        ),
    )
