"""Checks for the exercises of chapter 13, add time."""

from collections.abc import Callable

import numpy as np

from emtools import data, hmm
from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_short,
    in_turn,
    is_close,
    judge,
    not_yet,
    numbers_of,
    right,
    to_do,
)
from emtools.hmm import Categorical, Chain

WEATHER = Chain(
    np.array([0.5, 0.5]),
    np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]),
    Categorical(np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])),
)


def forward_by_hand(alpha: list[float] | None) -> Verdict:
    """Plain forward variables of the second day, for moves that are not symmetric."""
    start, moves = np.array([0.4, 0.6]), np.array([[0.6, 0.4], [0.1, 0.9]])
    two, three = np.array([0.2, 0.2]), np.array([0.1, 0.7])
    first = start * two
    expected = (first @ moves) * three
    return judge(
        alpha,
        expected,
        [
            (expected[::-1], "In the order cold, hot, please."),
            ((moves @ first) * three, "Row i of the moves is where i goes *to*: alpha @ moves."),
            (first @ moves, "The second day's cones are missing: times (.1, .7)."),
            ((start @ moves) * three, "The first day's cones are missing: times (.2, .2)."),
            (first * three, "No move yet: from day one to day two the weather may change."),
            (first, "That is day one; we want day two."),
            (
                ((start * three) @ moves) * two,
                "Two cones come first, then three: the days have changed places.",
            ),
            (expected.sum(), "That is their sum. Two numbers, please: one for each state."),
            (expected / expected.sum(), "That is scaled to sum one; the plain variables, please."),
        ],
        what="Two numbers, cold and hot: Eq. (2), once for the start and once for the step.",
        because="(.08, .12) on day one, (.06, .14) after the move, then times (.1, .7).",
    )


def first_day(alone: float | None, of_all: float | None) -> Verdict:
    """How probable a hot first day is, given that day alone and given all 33."""
    cones = data.ice_cream() - 1
    resp = hmm.posteriors(cones, WEATHER)
    return in_turn(
        judge(
            alone,
            0.5,
            [
                (resp[0, 1], "That is what all days say. Day one alone had two cones."),
                ([0.5, 0.5], "Cold and hot, that is; the second alone, please."),
                (0.1, "That is a joint, p(two cones, hot). Divide by both together."),
                (0.2, "That is p(two cones | hot). Bayes' rule, please."),
            ],
            what="Two cones, from a start of one half each: what does Bayes' rule say?",
        ),
        judge(
            of_all,
            resp[0, 1],
            [
                (resp[0], "Cold and hot, that is; the second alone, please."),
                (resp[0, 0], "That is the probability of a cold day."),
                (0.5, "That is what day one says by itself; the days after it say more."),
                (resp[-1, 1], "That is the last day."),
                (resp[1, 1], "That is the second day."),
            ],
            what="`e_step` with `weather` has it in its first table.",
            because="Two cones say nothing. The two days of three cones that follow say: hot.",
        ),
    )


def equal_rows(log_likelihood: float | None, three_cones: float | None) -> Verdict:
    """Where EM ends if both states start with the same table."""
    cones = data.ice_cream() - 1
    same = WEATHER._replace(emissions=Categorical(np.full((2, 3), 1 / 3)))
    end = hmm.fit(cones, same)
    best = hmm.fit(cones, WEATHER)
    history = hmm.fit(cones, same, tol=0, max_iter=1).history
    return in_turn(
        judge(
            log_likelihood,
            end.log_likelihood,
            [
                (best.log_likelihood, "That is the end from unequal rows. Give both rows thirds."),
                (history[0], "That is the start's; let EM run to its end."),
                (33 * np.log(1 / 3), "Almost: the stop at the end counts, too."),
            ],
            what="Give both rows of the table thirds, and `iterate`.",
            rtol=1e-6,
        ),
        judge(
            three_cones,
            1 / 3,
            [
                (best.parameters.emissions.tables[1, 2], "That is the end from unequal rows."),
                (best.parameters.emissions.tables[0, 2], "That is the end from unequal rows."),
            ],
            what="Look at `.parameters.emissions.tables`, hot, three cones.",
            because="States that emit alike stay alike: the days cannot tell them apart, and EM "
            "moves by what the days tell. Thirds, because there were eleven days of each kind.",
        ),
    )


def cases():
    """Chains and series on which the likeliest path differs from what it may be taken for."""
    rng = np.random.default_rng(0)
    for n_states, length in ((2, 6), (3, 8), (3, 1)):
        start = rng.dirichlet(np.ones(n_states))
        moves = rng.dirichlet(np.full(n_states, 0.7), n_states)
        yield rng.normal(size=(length, n_states)), np.log(start), np.log(moves)


def log_joint_of(path, log_liks, log_start, log_moves):
    """The log joint of the observations and one path."""
    steps = log_moves[path[:-1], path[1:]].sum()
    return log_start[path[0]] + steps + log_liks[np.arange(len(path)), path].sum()


def likeliest_path(best_path: Callable) -> Verdict:
    """Viterbi's algorithm in log space, without stops."""
    answers = []
    for case in cases():
        log_liks = case[0]
        path = answer_of(best_path, *case)
        if isinstance(path, Verdict):
            return path
        n_days, n_states = log_liks.shape
        numbers = numbers_of(path)
        if numbers is None or np.ravel(numbers).shape != (n_days,):
            return not_yet(
                f"Your function should return {n_days} states for {n_days} days, not "
                f"{in_short(path)}."
            )
        path = np.ravel(numbers)
        if not (np.isin(path, range(n_states))).all():
            return not_yet(f"The states are 0 to {n_states - 1}; there is {in_short(path)}.")
        answers.append((path.astype(int), case))
    if all(is_close(path, case[0].argmax(axis=1)) for path, case in answers):
        return to_do("So far it looks at each day alone. What does getting there cost?")
    scores = [log_joint_of(path, *case) for path, case in answers]
    bests = [log_joint_of(viterbi(*case), *case) for _, case in answers]
    if np.allclose(scores, bests, rtol=1e-9):
        return right(
            "A forward pass with max for sum, and a way back along who won. Ties, if there are "
            "any, may be broken either way."
        )
    for slip, words in SLIPS:
        if all(is_close(path, slip(*case)) for path, case in answers):
            return not_yet(words)
    worst = int(np.argmin(np.subtract(scores, bests)))
    return not_yet(
        f"For one of the series there is a likelier path, by {bests[worst] - scores[worst]:.4g} "
        "nats. Of all ways to get to a state keep the best, and remember where it came from."
    )


def viterbi(log_liks, log_start, log_moves):
    """The right answer."""
    return hmm.best_path(log_liks, log_start, log_moves, np.zeros(len(log_start)))


def filtered(log_liks, log_start, log_moves):
    """The likeliest state of each day, given the days up to it."""
    return hmm.log_forward(log_liks, log_start, log_moves)[0].argmax(axis=1)


def smoothed(log_liks, log_start, log_moves):
    """The likeliest state of each day, given all days."""
    chain = Chain(np.exp(log_start), np.exp(log_moves), None)
    return hmm.log_e_step(log_liks, chain)[0].argmax(axis=1)


def best_so_far(log_liks, log_start, log_moves):
    """The state in which the best path up to each day ends: no way back."""
    return np.array(
        [viterbi(log_liks[: t + 1], log_start, log_moves)[-1] for t in range(len(log_liks))]
    )


SLIPS = [
    (
        lambda *case: viterbi(*case)[::-1],
        "That is the right path backwards: it was collected from the last day to the first.",
    ),
    (
        lambda log_liks, log_start, log_moves: viterbi(log_liks, log_start, log_moves.T),
        "The moves are taken the wrong way round: row i is where i goes *to*.",
    ),
    (
        lambda log_liks, log_start, log_moves: viterbi(log_liks, 0 * log_start, log_moves),
        "The start is missing.",
    ),
    (best_so_far, "That is the best state so far, each day. The way back is missing."),
    (filtered, "Those are the likeliest states given the past: sums, where max should stand."),
    (smoothed, "Those are the likeliest states, day by day; we want the likeliest path."),
]
