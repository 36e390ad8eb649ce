"""Answers to the exercises of chapter 11, measure slowness and beat it."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools.course.exercises import measure_slowness_and_beat_it as check


def standard_error(step, theta, complete, h=1e-4):
    slope = (step(theta + h)[0] - step(theta - h)[0]) / (2 * h)
    return 1 / np.sqrt(complete * (1 - slope))


def twice_the_slope(step, theta, complete, h=1e-4):
    return 1 / np.sqrt(complete * (1 - (step(theta + h)[0] - step(theta - h)[0]) / h))


def from_one_side(step, theta, complete, h=1e-2):
    return 1 / np.sqrt(complete * (1 - (step(theta + h)[0] - theta) / h))


RIGHT = [
    (check.read_a_rate, [0.132783, 0.017631]),
    (check.read_a_rate, [0.13278, 0.01763]),
    (check.read_a_rate, [0.133, 0.0176]),
    (check.two_more_digits, [1060, 2.297e-7]),
    (check.two_more_digits, [1061, 2.3e-7]),
    (check.two_more_digits, [1060.25, 2.31e-7]),
    (check.error_by_slope, [standard_error]),
    (check.throw_it_out, [[0.5, 2.0, 2.1]]),
    (check.throw_it_out, [np.array([0.3, 3, 3.2])]),
    (check.throw_it_out, [(0.9, 2.0, 1.9)]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.read_a_rate, [7.531, 0.0176], "one over it"),
    (check.read_a_rate, [0.017631, 0.1328], "log-likelihood"),
    (check.read_a_rate, [-2.019, 0.0176], "slope on a logarithmic axis"),
    (check.read_a_rate, [-0.8769, 0.0176], "digits a step"),
    (check.read_a_rate, [-0.13278, 0.0176], "same sign"),
    (check.read_a_rate, [0.13278, 0.13278], "square"),
    (check.read_a_rate, [0.13278, 0.26557], "Not twice"),
    (check.two_more_digits, [530, 2.3e-7], "one digit"),
    (check.two_more_digits, [159.6, 2.3e-7], "halves"),
    (check.two_more_digits, [461.5, 2.3e-7], "log(100)"),
    (check.two_more_digits, [-1060, 2.3e-7], "sign turned"),
    (check.two_more_digits, [23073, 2.3e-7], "logarithms"),
    (check.two_more_digits, [1060, 1e-9], "add up"),
    (check.two_more_digits, [1060, 4.33e-12], "1 - rate"),
    (check.read_a_rate, [0.13, 0.0176], "Right so far"),
    (check.error_by_slope, [lambda s, t, c: 1 / np.sqrt(c)], "labels as known"),
    (check.error_by_slope, [twice_the_slope], "it is 2 h"),
    (check.error_by_slope, [from_one_side], "smaller difference"),
    (check.error_by_slope, [lambda s, t, c: 57.8009534043**-0.5], "missing information"),
    (check.error_by_slope, [lambda s, t, c: (c + 57.8009534043) ** -0.5], "not added"),
    (check.error_by_slope, [lambda s, t, c: standard_error(s, t, c) ** 2], "variance"),
    (check.error_by_slope, [lambda s, t, c: c - 57.8009534], "observed information"),
    (check.error_by_slope, [lambda s, t, c: 57.8009534 / c], "missing share"),
    (check.error_by_slope, [lambda s, t, c: 0.0514673492], "another step"),
    (check.error_by_slope, [lambda s, t, c: None], "returned None"),
    (check.error_by_slope, [lambda s, t, c: 1 / 0], "ZeroDivisionError"),
    (check.throw_it_out, [[0.5, 2.1, 2.2]], "of the chapter"),
    (check.throw_it_out, [[0.5, 2.2, 2.1]], "of the chapter"),
    (check.throw_it_out, [[0.3, 1, 2.5]], "stays inside, 72 calls"),
    (check.throw_it_out, [[1.3, 1, 2.5]], "Begin inside"),
    (check.throw_it_out, [[0.3, -1, 2.5]], "Begin inside"),
    (check.throw_it_out, [[0.3, 1, 100]], "Begin inside"),
    (check.throw_it_out, [[0.3, 1]], "Three numbers"),
    (check.throw_it_out, [[0.3, np.nan, 2]], "Three numbers"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def test_the_stub_is_to_do():
    assert verdict_of(check.error_by_slope, lambda step, theta, complete: complete).right is None
