"""Answers to the exercises of chapter 15, make it fast."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools.course.exercises import make_it_fast as check


def by_maximum(joint):
    odds = np.exp(joint - joint.max(axis=0))
    return odds / odds.sum(axis=0)


def against(component):
    def shares(joint):
        odds = np.exp(joint - joint[component])
        return odds / odds.sum(axis=0)

    return shares


def by_limits(joint):
    odds = np.exp(np.clip(joint[1:] - joint[0], -700, 700))
    first = 1 / (1 + odds.sum(axis=0))
    return np.vstack([first[None], odds * first])


RIGHT = [
    (check.ten_million, [1.2, 125]),
    (check.ten_million, [1.25, 128]),
    (check.how_narrow, [0.0074, 15.8]),
    (check.how_narrow, [0.00745058, 15.8114]),
    (check.n_runs, [[1000, 1000, 2, 2]]),
    (check.shares_from_odds, [by_maximum]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.ten_million, [0.12, 125], "for a million"),
    (check.ten_million, [12, 125], "not a hundred"),
    (check.ten_million, [3.4, 125], "slope 1"),
    (check.ten_million, [1.2, 142.9], "One of them is missing"),
    (check.ten_million, [1.2, 166.7], "three tables alone"),
    (check.ten_million, [1.2, 200], "eight columns"),
    (check.ten_million, [1.2, 333], "x and one table"),
    (check.ten_million, [1.2, 500], "That is one table"),
    (check.ten_million, [1.2, 1000], "x alone"),
    (check.ten_million, [1.2, 15.6], "not bits"),
    (check.ten_million, [1.2, 125e6], "In millions"),
    (check.ten_million, [1.2, 134.2], "GiB"),
    (check.ten_million, [1.2, 7], "1 + 3 * 2 + 1"),
    (check.ten_million, [[], []], "An empty list is not it"),
    (check.how_narrow, [1.11e-7, 15.8], "has a square"),
    (check.how_narrow, [5.55e-5, 15.8], "Take the root"),
    (check.how_narrow, [0.00527, 15.8], "half of epsilon"),
    (check.how_narrow, [0.0149, 15.8], "not 1000"),
    (check.how_narrow, [3.355e7, 15.8], "Upside down"),
    (check.how_narrow, [0.02, 15.8], "solve eps"),
    (check.how_narrow, [0.00745, 16], "Right so far: give one decimal."),
    (check.how_narrow, [0.00745, 22.4], "*twice*"),
    (check.how_narrow, [0.00745, 11.18], "twice the loss already"),
    (check.how_narrow, [0.00745, 0.5], "has a square"),
    (check.how_narrow, [0.00745, 250], "Take the root"),
    (check.how_narrow, [0.00745, 31.6], "not 1000"),
    (check.how_narrow, [0.00745, 20], "its limit is 1000"),
    (check.n_runs, [[1000, 1000, 1, 1]], "next component begins"),
    (check.n_runs, [[1000, 2, 2, 2]], "is a view"),
    (check.n_runs, [[1000, 2, 2, 1000]], "is a view"),
    (check.n_runs, [[1000, 1000, 2, 1000]], "columns lie one after the other"),
    (check.n_runs, [[1000, 1000, 1000, 2]], "does move the numbers"),
    (check.n_runs, [[1000] * 4], "Two of them"),
    (check.n_runs, [[2, 2, 1000, 1000]], "other way round"),
    (check.n_runs, [[2, 1000, 1000, 1000]], "other way round"),
    (check.n_runs, [[2000, 2000, 2, 2]], "holds two numbers"),
    (check.n_runs, [[2, 2, 2, 2]], "alternate"),
    (check.n_runs, [[1, 1, 2, 2]], "as in the picture"),
    (check.n_runs, [[1000, 2]], "Draw the picture"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


@pytest.mark.parametrize(
    ("function", "right", "hint"),
    [
        (None, None, "A function"),
        (against(0), False, "wait of 670 minutes is nan: its log odds are 726"),
        (against(1), False, "to the other end"),
        (lambda joint: np.nan_to_num(against(0)(joint)), False, "covered up"),
        (lambda joint: joint, None, "log joint still"),
        (lambda joint: by_maximum(joint)[::-1], False, "changed places"),
        (lambda joint: by_maximum(joint).T, False, "A row for each component"),
        (lambda joint: np.exp(joint) / np.exp(joint).sum(axis=0), False, "Both the wait"),
        (lambda joint: by_maximum(joint / 2), False, "Is it Eq. (3) still"),
        (lambda joint: by_maximum(np.clip(joint, -700, 0)), False, "two waits far out"),
        (lambda joint: by_maximum(joint).sum(axis=0), False, "of the shape of the log joint"),
        (by_limits, False, "With three"),
        (lambda joint: np.nan_to_num(against(0)(joint), nan=1.0), False, "With three"),
        (lambda joint: 1 / 0, False, "ZeroDivisionError"),
    ],
)
def test_shares_from_odds(function, right, hint):
    with np.errstate(all="ignore"):
        verdict = verdict_of(check.shares_from_odds, function)
    assert verdict.right is right
    assert hint in verdict.message
