"""Checks for the exercises of chapter 05, start well, stop well."""

from collections.abc import Callable
from functools import cache

import numpy as np

from emtools import data, logspace
from emtools.course.exercises import (
    RETURNED_NONE,
    Verdict,
    answer_of,
    in_turn,
    is_close,
    judge,
    not_yet,
    right,
    to_do,
    truth_of,
)
from emtools.em import iterate, step_on
from emtools.mixture import Mixture

HALVES = np.array([0.5, 0.5])


def next_seed(probability_of_4: float | None) -> Verdict:
    """The chance that k-means++ takes 4 of 0, 2, 4, 7 when it has 0 and 7."""
    return judge(
        probability_of_4,
        9 / 13,
        [
            (16 / 20, "Those are distances to the 0. The 4 is nearer to the 7: 3."),
            (16 / 69, "Those are distances to the 0. The 4 is nearer to the 7: 3."),
            (9 / 34, "Those are distances to the 7. The 2 is nearer to the 0: 2."),
            (9 / 83, "Those are distances to the 7. The 2 is nearer to the 0: 2."),
            (16 / 41, "Those are distances to the farther seed; the nearer one counts."),
            (25 / 54, "Only the nearest seed counts, not the sum over both."),
            (3 / 5, "The distances are squared in Eq. (1)."),
            (4 / 13, "That is the probability of 2."),
            (1 / 2, "2 and 4 are not equally likely: which is farther from its nearest seed?"),
            (9 / 4, "Those are the odds of 4 against 2. What is the probability?"),
        ],
        what="For each number: how far is it to the nearest one chosen? Square, then Eq. (1).",
        because="2 is 2 from the 0, 4 is 3 from the 7: 9 / (4 + 9). Those chosen have distance 0.",
    )


def what_is_left(still_to_come: float | None, end: float | None) -> Verdict:
    """Aitken's estimate after gains of 9, 3 and 1, and where the run should end."""
    return in_turn(
        judge(
            still_to_come,
            0.5,
            [
                (1.5, "That counts the last gain, 1, again. The sum begins with g r."),
                (1 / 3, "That is the next gain. After it come more."),
                (1.0, "That is the last gain. What comes after it?"),
                (-1.5, "The ratio is the last gain over the one before, 1/3, not 3."),
                (4.5, "g is the last gain, 1, not the first."),
                (-105, "That is where it stands. How much is still to come?"),
                (-104.5, "That is the end. How much is still to come?"),
            ],
            what="The gains are 9, 3 and 1. Which ratio, and then Eq. (2)?",
        ),
        judge(
            end,
            -104.5,
            [
                (-105.5, "A log-likelihood rises: add what is still to come."),
                (-103.5, "The last gain is in -105 already."),
                (104.5, "A log-likelihood may be negative; this one is."),
                (-117.5, "Add it to the last log-likelihood, not to the first."),
            ],
            what="What is still to come is right. Add it to where the run stands.",
            because="1/3 + 1/9 + ... = 1/2, so it should end at -104.5, if the ratio stays.",
        ),
    )


@cache
def twins():
    """The chance that two of the waits are equal, and the log-likelihood of one bell on them."""
    waits = data.waiting()
    _, counts = np.unique(waits, return_counts=True)
    one = Mixture(np.ones(1), np.array([waits.mean()]), np.array([waits.std()]))
    return counts, logspace.e_step(waits, one)[1]


def twins_by_chance(probability: float | None, log_likelihood: float | None) -> Verdict:
    """How likely two equal means are, and where two bells stay that begin equal."""
    counts, of_one_bell = twins()
    n = counts.sum()
    pairs = (counts * (counts - 1)).sum() / (n * (n - 1))
    return in_turn(
        judge(
            probability,
            pairs,
            [
                ((counts**2).sum() / n**2, "The second is drawn from the 271 others."),
                (pairs / 2, "The second has to match the first: n (n - 1) pairs, in order."),
                (2 * pairs, "Count each pair of equal waits as often as each of all pairs."),
                (1 / len(counts), "The 51 values are not equally common."),
                (1 / n, "Equal in value; they need not be the same observation."),
            ],
            what="Of all pairs of two observations, which share holds two equal values?",
            rtol=2.5e-3,
        ),
        judge(
            log_likelihood,
            of_one_bell,
            [
                (-1132.5501181343407, "That is the start. Where is it after a step?"),
                (-1034.00174983161, "There the bells have moved apart. Begin with both at 78."),
            ],
            what="The probability is right. Now step from two bells with means of 78 and 78.",
            because="About one draw in forty gives twins, and twins stay one bell, at -1095.2888.",
            rtol=1e-6,
        ),
    )


def made_up():
    """A run that leaps 50 nats, rests while its gains grow from 1e-9 for 200 steps, and arrives."""
    growing = 1e-9 * 1.1 ** np.arange(200)
    gains = np.concatenate([[50.0], growing, growing[-1] * 0.5 ** np.arange(1, 300)])
    return np.cumsum([-1000.0, *gains])


@cache
def histories():
    """Three plateaus and the two bells: what each is called, its history, the steps allowed."""
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
    found = [
        (name, iterate(step, start, tol=0, max_iter=500).history, allowed)
        for name, start, allowed in runs
    ]
    return [*found[:2], ("run that leaps and rests", made_up(), 500), found[2]]


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
        if left > 0.1:
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
    tiny = answer_of(stop, [-1000.0, -1000.0 + 1e-12])
    fooled = not isinstance(tiny, Verdict) and truth_of(tiny) is True
    return right(
        f"It stops at {', '.join(said)}; each is less than 0.001 nats short."
        + fooled * " (One tiny gain is enough for it: a run that begins flatter would fool it.)"
    )


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
