"""Answers to the exercises of chapter 02, trade loops for arrays."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import Mixture, arrays, data
from emtools.course.exercises import trade_loops_for_arrays as check

WAITING = data.waiting()


DOCUMENT = (77, 53, np.std(WAITING), np.std(WAITING) / 2)


START = Mixture(np.array([0.5, 0.5]), np.array([77.0, 53.0]), np.array(DOCUMENT[2:]))


AFTER_4100 = Mixture(
    np.array([0.2100, 0.1536, 0.6363]),
    np.array([50.941, 59.818, 80.159]),
    np.array([3.752, 4.237, 5.792]),
)


RIGHT = [
    (check.shapes, [[(272, 2), (272,), (2,), (272,)]]),
    (check.shapes, [((272, 2), 272, 2, 272)]),
    (check.memory, [160]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.shapes, [[(272, 2), (272, 1), (2,), (272,)]], "Expression 2"),
    (check.shapes, [[(272, 2), (272,), (2, 1), (272,)]], "Expression 3"),
    (check.shapes, [[(272, 2)]], "four"),
    (check.shapes, [7], "list"),
    (check.shapes, ["(272, 2), (272,), (2,), (272,)"], "quotes"),
    (check.shapes, [[((1, 2), 3)] * 4], "four tuples"),
    (
        check.wrong_axis,
        [arrays.m_step(WAITING, arrays.e_step(WAITING, START))],
        "right mixture",
    ),
    (check.wrong_axis, [START], "axis=0"),
    (check.wrong_axis, [START._replace(weights=np.full(2, 1 / 272))], "Each weight is 1/272"),
    (check.count_first, [lambda x, resp, times: None], "returned None"),
    (check.count_first, [lambda x, resp, times: (1, 2)], "return a Mixture"),
    (check.count_first, [lambda x, resp, times: 1 / 0], "ZeroDivisionError"),
    (check.memory, [80], "each component"),
    (check.memory, [20], "8 bytes"),
    (check.memory, [153], "MiB"),
    (check.memory, [0.16], "gigabytes"),
    (check.three_bells, [START], "three components"),
    (
        check.three_bells,
        [Mixture(np.ones(3), np.zeros(3), -np.ones(3))],
        "all stds 5",
    ),
    (check.three_bells, [AFTER_4100], "thousands"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def test_a_forgotten_count_is_a_stub_and_a_forgotten_variance_is_not():
    def only_means(x, resp, times):
        owned = resp * times[:, None]
        counts = owned.sum(axis=0)
        means = owned.T @ x / counts
        return Mixture(counts / times.sum(), means, arrays.m_step(x, resp).stds)

    def unnormalised(x, resp, times):
        mixture = arrays.m_step(x, resp)
        return mixture._replace(weights=(resp * times[:, None]).sum(axis=0) / len(x))

    assert verdict_of(check.count_first, lambda x, r, t: arrays.m_step(x, r)).right is None
    assert "all use times" in verdict_of(check.count_first, only_means).message
    assert "sum to one" in verdict_of(check.count_first, unnormalised).message
