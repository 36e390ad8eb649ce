"""Answers to the exercises of chapter 04, see why EM climbs."""

import pytest
from verdicts import verdict_of

from emtools.course.exercises import see_why_em_climbs as check

MUSEUM = {"right": 0, "1 variance as std": 1, "2 old mean": 2, "6 wrong axis": 6}


RIGHT = [
    (check.linkage_by_hand, [0.6320]),
    (check.coins_by_hand, [0.7130, 0.5813]),
    (check.ignorant_bound, [-3102.6384, 2012.8575]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.linkage_by_hand, [0.717472], "split in half"),
    (check.linkage_by_hand, [0.472222], "none of the 125"),
    (check.linkage_by_hand, [0.807107], "all 125"),
    (check.linkage_by_hand, [0.25], "responsibility"),
    (check.coins_by_hand, [0.5813, 0.7130], "swapped"),
    (check.coins_by_hand, [0.8, 0.45], "share it out"),
    (check.coins_by_hand, [0.66, 0.66], "for ever"),
    (check.coins_by_hand, [0.7967, 0.5197], "tenth step"),
    (check.coins_by_hand, [0.7, 0.5], "expected tosses"),
    (check.ignorant_bound, [-3102.6384, -2012.8575], "never negative"),
    (check.ignorant_bound, [-1089.7809153683, 0], "touches"),
    (check.catch_an_exhibit, [lambda exhibit: False, MUSEUM], "right code"),
    (check.catch_an_exhibit, [lambda exhibit: 1 / 0, MUSEUM], "ZeroDivisionError"),
    (check.catch_an_exhibit, [lambda exhibit: None, MUSEUM], "returned None"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def test_a_test_that_sees_only_what_falls_is_a_stub():
    falls = (1, 6)
    assert verdict_of(check.catch_an_exhibit, lambda e: e not in falls, MUSEUM).right is None
    verdict = verdict_of(check.catch_an_exhibit, lambda e: e != 2, MUSEUM)
    assert verdict.right
    assert "2 old mean" in verdict.message
