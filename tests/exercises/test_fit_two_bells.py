"""Answers to the exercises of chapter 01, fit two bells with a plain loop."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import data, loops
from emtools.course.exercises import fit_two_bells as check

WAITING = data.waiting()


DOCUMENT = (77, 53, np.std(WAITING), np.std(WAITING) / 2)


def after(n_iterations, parameters):
    for _ in range(n_iterations):
        parameters = loops.m_step(WAITING, loops.e_step(WAITING, parameters))
    return parameters


def as_array(values):
    return [np.array([value]) for value in values]


RIGHT = [
    (check.e_step_by_hand, [0.2315]),
    (check.e_step_by_hand, [np.float64(0.231475)]),
    (check.m_step_by_hand, [54.8, 5.879]),
    (check.lopsided_weights, [after(1, (*DOCUMENT, 9, 1))]),
    (check.lopsided_weights, [[74.2955, 52.1903, 11.7534, 4.8840, 0.8463, 0.1537]]),
    (check.lopsided_weights, [loops.as_mixture(after(1, (*DOCUMENT, 9, 1)))]),
    (check.lopsided_weights, [as_array(after(1, (*DOCUMENT, 0.9, 0.1)))]),
    (check.other_way_round, [after(100, (53, 77, *DOCUMENT[2:], 1, 1))]),
    (check.other_way_round, [[54.61, 80.09, 5.871, 5.868, 0.3609, 0.6391]]),
    (check.one_wild_value, [1000, 7]),
    (check.one_wild_value, [np.array([1000.0]), 7]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.e_step_by_hand, [0.0832], "one half"),
    (check.e_step_by_hand, [0.4502], "squared"),
    (check.e_step_by_hand, [0.4667], "distances"),
    (check.e_step_by_hand, [0.7685], "long bell"),
    (check.e_step_by_hand, [0], "all or nothing"),
    (check.e_step_by_hand, [23.15], "between 0 and 1"),
    (check.e_step_by_hand, ["a quarter"], "a quarter"),
    (check.e_step_by_hand, [1], "wholly"),
    (check.e_step_by_hand, [3.3201], "odds of long"),
    (check.e_step_by_hand, [0.23], "Four digits"),
    (check.e_step_by_hand, [0.6062], "fitted bells"),
    (check.m_step_by_hand, [45.667, 5.879], "not by 3"),
    (check.m_step_by_hand, [5.879, 54.8], "comes first"),
    (check.m_step_by_hand, [54.8, 5.3666], "not by 3"),
    (check.m_step_by_hand, [27.4, 5.879], "soft count"),
    (check.m_step_by_hand, [52, 5.879], "left out"),
    (check.m_step_by_hand, [56.667, 5.879], "counted whole"),
    (check.m_step_by_hand, [54.8, 34.56], "square root"),
    (check.m_step_by_hand, [54.8, 4.157], "not by 5"),
    (check.m_step_by_hand, [54.8, 7.5895], "Two slips"),
    (check.lopsided_weights, [after(1, (*DOCUMENT, 1, 1))], "equal weights"),
    (check.lopsided_weights, [after(100, (*DOCUMENT, 9, 1))], "many iterations"),
    (check.lopsided_weights, [after(2, (*DOCUMENT, 9, 1))], "two iterations"),
    (check.lopsided_weights, [after(1, (*DOCUMENT, 1, 9))], "1 and 9"),
    (check.lopsided_weights, [after(1, (77, 53, *2 * DOCUMENT[2:3], 9, 1))], "equally wide"),
    (check.lopsided_weights, [after(1, (77, 53, *DOCUMENT[3:1:-1], 9, 1))], "wrong way round"),
    (check.lopsided_weights, [Ellipsis], "Hand over"),
    (check.other_way_round, [after(100, (*DOCUMENT, 1, 1))], "77 and 53"),
    (check.other_way_round, [after(1, (53, 77, *DOCUMENT[2:], 1, 1))], "one iteration"),
    (check.other_way_round, [after(2, (53, 77, *DOCUMENT[2:], 1, 1))], "100 iterations"),
    (check.one_wild_value, [96, 7], "No bell ends up on 96"),
    (check.one_wild_value, [1000, 8], "nan appears"),
    (check.one_wild_value, [1000, 1], "all 273"),
    (check.one_wild_value, [np.nan, 8], "before the nan"),
    (check.one_wild_value, [1000, 6], "still 2.87"),
    (check.one_wild_value, [272, 7], "index"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message
