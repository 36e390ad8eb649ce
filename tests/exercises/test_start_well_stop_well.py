"""Answers to the exercises of chapter 05, start well, stop well."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools.course.exercises import start_well_stop_well as check
from emtools.em import Fit, aitken_gap

RIGHT = [
    (check.next_seed, [0.692]),
    (check.next_seed, [np.array([9 / 13])]),
    (check.what_is_left, [0.5, -104.5]),
    (check.twins_by_chance, [0.0248, -1095.2888]),
    (check.twins_by_chance, [0.024826351, -1095.2888005]),
    (check.rule_of_your_own, [lambda history: aitken_gap(history) < 1e-3]),
    (check.acid_lakes, [-187.2345, -184.6447]),
    (check.acid_lakes, [-187.234513217, np.float64(-184.64470891)]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.next_seed, [0.8], "distances to the 0"),
    (check.next_seed, [0.2319], "distances to the 0"),
    (check.next_seed, [9 / 34], "distances to the 7"),
    (check.next_seed, [0.1084], "distances to the 7"),
    (check.next_seed, [0.6], "squared"),
    (check.next_seed, [25 / 54], "not the sum"),
    (check.next_seed, [0.3902], "farther seed"),
    (check.next_seed, [0.3077], "probability of 2"),
    (check.next_seed, [0.5], "not equally likely"),
    (check.next_seed, [2.25], "odds"),
    (check.next_seed, [0.7], "how far is it"),
    (check.next_seed, [0.69], "Right so far: give three decimals"),
    (check.what_is_left, [1.5, -103.5], "again"),
    (check.what_is_left, [0.333, -104.667], "next gain"),
    (check.what_is_left, [1, -104], "last gain"),
    (check.what_is_left, [-1.5, -106.5], "1/3, not 3"),
    (check.what_is_left, [4.5, -100.5], "not the first"),
    (check.what_is_left, [-105, 0.5], "where it stands"),
    (check.what_is_left, [-104.5, 0.5], "That is the end"),
    (check.what_is_left, [0.5, -105.5], "rises"),
    (check.what_is_left, [0.5, -103.5], "already"),
    (check.what_is_left, [0.5, 104.5], "negative"),
    (check.what_is_left, [0.5, -117.5], "not to the first"),
    (check.twins_by_chance, [0.0284, -1095.2888], "271 others"),
    (check.twins_by_chance, [0.0124, -1095.2888], "in order"),
    (check.twins_by_chance, [0.0497, -1095.2888], "as often"),
    (check.twins_by_chance, [1 / 51, -1095.2888], "equally common"),
    (check.twins_by_chance, [1 / 272, -1095.2888], "same observation"),
    (check.twins_by_chance, [0.025, -1095.2888], "Right so far: give four decimals"),
    (check.twins_by_chance, [0.0248, -1132.5501], "the start"),
    (check.twins_by_chance, [0.0248, -1034.0017], "moved apart"),
    (check.twins_by_chance, [0.0248, -1095.29], "Right so far: give three decimals"),
    (check.acid_lakes, [-184.6447, -187.2345], "other way round"),
    (check.acid_lakes, [-187.2345, -187.2345], "where 4 and 5 lead"),
    (check.acid_lakes, [-187.23, -184.64], "From 4 and 5: Right so far: give four decimals"),
    (check.acid_lakes, [Fit(None, -187.2345, [], 0, True), -184.6447], ".log_likelihood"),
    (
        check.acid_lakes,
        [-187.25, -184.6447],
        "From 4 and 5: -187.25 is not it. Close",
    ),
    (
        check.acid_lakes,
        [-187.2345, -190.0],
        "From 4 and 7: -190 is not it. Are the stds",
    ),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def smaller_than(tol):
    return lambda history: len(history) > 1 and history[-1] - history[-2] < tol


def plain_aitken(history):
    if len(history) < 3:
        return False
    before, gain = np.diff(history[-3:])
    return gain * gain / before / (1 - gain / before) < 1e-4


@pytest.mark.parametrize(
    ("stop", "right", "hint"),
    [
        (lambda history: len(history) > 4 and aitken_gap(history) < 1e-4, True, "step 77"),
        (lambda history: aitken_gap(history) < 1e-3, True, "step 75"),
        (lambda history: [aitken_gap(history) < 1e-3], True, "step 75"),
        (lambda history: True if aitken_gap(history) < 1e-3 else None, True, "step 75"),
        (lambda history: None, False, "returned None"),
        (lambda history: np.diff(history) < 1e-4, False, "0 answers"),
        (lambda history: "no", False, "True or False"),
        (lambda history: history.pop() > 0, False, "never stops"),
        (lambda history: len(history) > 300, False, "60 are allowed"),
        (lambda history: len(history) > 120, False, "leaps and rests"),
        (smaller_than(1e-6), False, "begins 0.0001 from the mean it stops at step 1"),
        (smaller_than(1e-5), False, "On the plateau it stops at step 1"),
        (lambda history: len(history) > 1 and history[-1] - history[-2] < 1e-4, None, "-1095.2888"),
        (plain_aitken, False, "growing"),
        (lambda h: len(h) > 40 and h[-1] - h[-2] < 1e-6, False, "leaps and rests it stops at step"),
        (lambda h: smaller_than(1e-6)(h) and h[-1] - h[0] > 1, False, "leaps and rests it stops"),
        (lambda history: len(history) > 72, False, "0.001 is allowed"),
        (lambda history: False, False, "never stops"),
    ],
)
def test_stopping_rules(stop, right, hint):
    verdict = verdict_of(check.rule_of_your_own, stop)
    assert verdict.right is right
    assert hint in verdict.message
