"""Answers to the exercises of chapter 12, fill in what is missing."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools.course.exercises import fill_in_what_is_missing as check
from emtools.missing import Exponential


def shorter(times, scale):
    """Expected lifetimes of those that ended before these times."""
    return scale - times / np.expm1(times / scale)


def answer(times, known, scale):
    return np.where(known, times, shorter(times, scale)).mean()


RIGHT = [
    (check.guess_of_the_square, [3.0]),
    (check.first_step_by_hand, [2.25, 1.3333]),
    (check.one_more_point, [0.6268]),
    (check.left_censored_step, [answer]),
    (check.left_censored_step, [lambda *given: Exponential(answer(*given))]),
    (check.mean_in_a_bin, [71.41]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


def where(function):
    """A step that takes this for what is not known."""
    return lambda times, known, scale: np.where(known, times, function(times, scale)).mean()


WRONG = [
    (check.guess_of_the_square, [1], "square of the guess"),
    (check.guess_of_the_square, [2], "variance that is left"),
    (check.guess_of_the_square, [3.667], "whole variance"),
    (check.guess_of_the_square, [2.333], "the covariance"),
    (check.guess_of_the_square, [4], "which is seen"),
    (check.guess_of_the_square, [5], "slope times 2"),
    (check.first_step_by_hand, [2, 1.3333], "forgets the 0.75"),
    (check.first_step_by_hand, [2.3333, 1.3333], "0.75 is left"),
    (check.first_step_by_hand, [2.5, 1.3333], "four rows with a gap"),
    (check.first_step_by_hand, [2.4545, 1.4545], "not by 11"),
    (check.first_step_by_hand, [27, 16], "the sums"),
    (check.first_step_by_hand, [2.25, 0.6667], "Eight rows"),
    (check.first_step_by_hand, [2.25, 0.5926], "correlation"),
    (check.first_step_by_hand, [1.3333, 2.25], "Variance first"),
    (check.first_step_by_hand, [2.6667, 1.3333], "the limit"),
    (check.first_step_by_hand, [2.5, 0], "each column alone"),
    (check.first_step_by_hand, [1, 0.5], "the start"),
    (check.first_step_by_hand, [3, 1], "Squares: four of 1"),
    (check.one_more_point, [0], "leaves at once"),
    (check.one_more_point, [0.5], "twelve points"),
    (check.one_more_point, [-0.6268], "both coordinates are positive"),
    (check.one_more_point, [1.6123], "divide it by the variance"),
    (check.one_more_point, [0.9], "np.vstack"),
    (check.left_censored_step, [where(lambda t, s: t + s)], "still to come"),
    (check.left_censored_step, [where(lambda t, s: s)], "for all that is not known"),
    (check.left_censored_step, [where(lambda t, s: t / 2)], "Half of t"),
    (check.left_censored_step, [where(lambda t, s: 2 * s - shorter(t, s))], "Minus, not plus"),
    (check.left_censored_step, [lambda t, k, s: t[k].mean()], "leaves out"),
    (check.left_censored_step, [lambda t, k, s: shorter(t, s)[~k].mean()], "mean of all"),
    (check.left_censored_step, [lambda t, k, s: answer(t, ~k, s)], "True in `known` marks"),
    (check.left_censored_step, [lambda t, k, s: shorter(t, s).mean()], "stays as it is"),
    (check.left_censored_step, [lambda t, k, s: answer(t, k, s) * len(t)], "the sum"),
    (check.left_censored_step, [lambda t, k, s: np.where(k, t, shorter(t, s))], "the E-step"),
    (check.left_censored_step, [lambda t, k, s: (answer(t, k, s), -1.0)], "one number"),
    (check.left_censored_step, [lambda t, k, s: 3.0], "the new mean is not 3"),
    (check.left_censored_step, [lambda t, k, s: answer(t, k, 6.5)], "From 2.5"),
    (check.mean_in_a_bin, [74.5], "middle of the bin"),
    (check.mean_in_a_bin, [60], "whole bell"),
    (check.mean_in_a_bin, [69.5], "the edge"),
    (check.mean_in_a_bin, [77.59], "wrong side"),
    (check.mean_in_a_bin, [[1, 71.40925, 2.87036]], "the second alone"),
    (check.mean_in_a_bin, [2.870], "the variance in the bin"),
    (check.mean_in_a_bin, [71.4], "two decimals"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def test_one_step_with_one_more_point_is_told_from_the_end():
    first = check.with_one_more_point(1)
    verdict = verdict_of(check.one_more_point, first[0, 1] / first[0, 0])
    assert verdict.right is False
    assert "after one step" in verdict.message


def test_the_stub_is_to_do():
    assert verdict_of(check.left_censored_step, lambda t, k, s: t.mean()).right is None
