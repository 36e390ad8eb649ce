"""Answers to the exercises of chapter 06, survive a collapse."""

from itertools import permutations

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import sorted_by_mean
from emtools.course.exercises import survive_a_collapse as check


def in_some_order(first, second):
    tables = (np.array(second)[:, list(order)] for order in permutations(range(len(second.means))))
    return any(np.allclose(first, table, rtol=1e-6, atol=0) for table in tables)


RIGHT = [
    (check.narrower_spike, [4.6960]),
    (check.narrower_spike, [np.array([2.3934 + np.log(10)])]),
    (check.who_collapses, [1, 2]),
    (check.how_strong, [0.625, 0.681]),
    (check.how_strong, [5 / 8, np.sqrt(3.25 / 7)]),
    (check.same_fit, [in_some_order]),
    (check.needle_on_a_floor, [-190.9436, 1]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.narrower_spike, [3.3934], "not 1"),
    (check.narrower_spike, [2.3934], "last line"),
    (check.narrower_spike, [0.0908], "rises"),
    (check.narrower_spike, [4.7], "Right so far: give four decimals"),
    (check.narrower_spike, [-9.12], "five decades"),
    (check.narrower_spike, [True], "True is not it"),
    (check.narrower_spike, [6.9986], "too far"),
    (check.narrower_spike, [3.0866], "not by 2"),
    (check.who_collapses, [2, 2], "counts from 0"),
    (check.who_collapses, [0, 2], "spread"),
    (check.who_collapses, [10, 2], "Which component"),
    (check.who_collapses, [1, 1], "4.3e-5"),
    (check.who_collapses, [1, 3], "nan"),
    (check.who_collapses, [1, 4], "stds of 3"),
    (check.how_strong, [1.25, 0.681], "2b"),
    (check.how_strong, [0.375, 0.681], "is 4, not 2"),
    (check.how_strong, [0.5, 0.681], "N_k is 1"),
    (check.how_strong, [0.875, 0.681], "left bell's N_k"),
    (check.how_strong, [-0.375, 0.681], "the 2 is the left one's"),
    (check.how_strong, [0.62, 0.681], "Right so far: give three decimals"),
    (check.how_strong, [3, 0.681], "Put a sum of squares of 0"),
    (check.how_strong, [0.625, 0.464], "variance"),
    (check.how_strong, [0.625, 0.816], "without the prior"),
    (check.how_strong, [0.625, 0.756], "b = 1"),
    (check.how_strong, [0.625, 0.612], "2b, not b"),
    (check.how_strong, [0.625, 0.806], "is 7"),
    (check.how_strong, [0.625, 0.5], "the right one"),
    (check.needle_on_a_floor, [-190.0712, 1], "without a floor"),
    (check.needle_on_a_floor, [-195.9697, 1], "runner-up"),
    (check.needle_on_a_floor, [-203.2896, 1], "lowest"),
    (check.needle_on_a_floor, [-193.0779, 1], "for the variance"),
    (check.needle_on_a_floor, [-190.94, 1], "Right so far: give four decimals"),
    (check.needle_on_a_floor, [-180.0, 1], "18 starts"),
    (check.needle_on_a_floor, [-190.9436, 0], "exactly there"),
    (check.needle_on_a_floor, [-190.9436, 2], "how many galaxies"),
    (check.needle_on_a_floor, [-190.9436, 5], "all of them"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def close(first, second):
    return np.allclose(first, second, rtol=1e-6, atol=0)


def once_matched(first, second):
    orders = permutations(range(len(first.means)))
    tables = (np.array(second)[:, list(order)] for order in orders)
    return close(first, min(tables, key=lambda table: np.abs(table - first)[1:].sum()))


@pytest.mark.parametrize(
    ("same", "right", "hint"),
    [
        (lambda first, second: [in_some_order(first, second)], True, "company"),
        (once_matched, True, "company"),
        (lambda first, second: np.array(in_some_order(first, second)), True, "company"),
        (close, None, "as they stand"),
        (lambda first, second: close(*map(sorted_by_mean, (first, second))), False, "by mean"),
        (lambda first, second: close(np.sort(first), np.sort(second)), False, "stay together"),
        (lambda first, second: True, False, "6.001"),
        (lambda first, second: False, False, "same as itself"),
        (lambda first, second: np.isclose(first, second), False, "9 answers"),
        (lambda first, second: "yes", False, "True or False"),
        (lambda first, second: None, False, "returned None"),
    ],
)
def test_functions_that_compare(same, right, hint):
    verdict = verdict_of(check.same_fit, same)
    assert verdict.right is right
    assert hint in verdict.message
