"""Answers to the exercises of chapter 04, see why EM climbs."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools.course.exercises import see_why_em_climbs as check

MUSEUM = {"right": 0, "1 variance as std": 1, "2 old mean": 2, "6 wrong axis": 6}
museum, inspect, waiting, start = MUSEUM, None, None, None  # names that a reader has at hand


RIGHT = [
    (check.linkage_by_hand, [0.6320]),
    (check.coins_by_hand, [0.7130, 0.5813]),
    (check.coins_by_hand, [np.array([0.71301224]), np.array([0.58133931])]),
    (check.coins_by_hand, [[0.71301224], [0.58133931]]),
    (check.ignorant_bound, [-3102.6384, 2012.8575]),
    (check.ignorant_bound, [np.array([-3102.638]), np.array([2012.857])]),
    (check.catch_an_exhibit, [lambda exhibit: [exhibit != 2], MUSEUM]),
    (check.catch_an_exhibit, [lambda exhibit: np.array([[exhibit != 2]]), MUSEUM]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.linkage_by_hand, [0.717472], "split in half"),
    (check.linkage_by_hand, [0.472222], "none of the 125"),
    (check.linkage_by_hand, [0.807107], "all 125"),
    (check.linkage_by_hand, [0.25], "responsibility"),
    (check.linkage_by_hand, [2 / 3], "the start"),
    (check.coins_by_hand, [0.4259, 0.2341], "all fifty"),
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
    (check.catch_an_exhibit, [lambda exhibit: np.isclose(exhibit, [0, 1]), MUSEUM], "np.allclose"),
    (check.catch_an_exhibit, [lambda exhibit: np.ones((272, 2)) > 0, MUSEUM], "544 answers"),
    (check.catch_an_exhibit, [lambda exhibit: np.array([]), MUSEUM], "0 answers"),
    (check.catch_an_exhibit, [lambda exhibit: [True, False], MUSEUM], "2 answers"),
    (check.catch_an_exhibit, [lambda exhibit: [False], MUSEUM], "right code"),
    (check.catch_an_exhibit, [lambda exhibit: [True], MUSEUM], "So far"),
    (check.catch_an_exhibit, [lambda exhibit: exhibit is museum["right"], MUSEUM], "`museum`"),
    (check.catch_an_exhibit, [lambda exhibit: inspect(exhibit)["climbs"], MUSEUM], "`inspect`"),
    (check.catch_an_exhibit, [lambda exhibit: True], "Hand over the museum"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def run(exhibit, *_):
    """The chapter's `run`, as far as the stub below needs it."""
    return exhibit, None


def never_falls(history):
    return history not in (1, 6)


def test_the_stub_is_to_do_and_an_attempt_that_sees_as_little_is_not():
    def believes(exhibit):
        history, _ = run(exhibit, waiting, start, 40)
        return never_falls(history)

    assert verdict_of(check.catch_an_exhibit, believes, MUSEUM).right is None
    falls = (1, 6)
    assert verdict_of(check.catch_an_exhibit, lambda e: e not in falls, MUSEUM).right is False


def test_it_is_said_what_was_caught():
    verdict = verdict_of(check.catch_an_exhibit, lambda e: e != 2, MUSEUM)
    assert verdict.right
    assert "2 old mean" in verdict.message
