"""Answers to the exercises of chapter 03, work in log space."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import arrays, logspace
from emtools.course.exercises import work_in_log_space as check


def shifted_by(pull):
    """Log-sum-exp with any number pulled out; the maximum of -inf alone is minded."""

    def log_sum_exp(row):
        m = np.nan_to_num(pull(row), neginf=0.0)
        return m + np.log(np.sum(np.exp(row - m)))

    return log_sum_exp


RIGHT = [
    (check.lse_by_hand, [-999.3069, 0]),
    (check.lse_by_hand, [-1000 + np.log(2), 0.0]),
    (check.lse_by_hand, [-999.307, 0]),
    (check.smallest_wait, [306.2]),
    (check.smallest_wait, [306.19698]),
    (check.smallest_wait, [306.6]),
    (check.smallest_wait, [306.74]),
    (check.smallest_wait, [307]),
    (check.smallest_wait, [np.array([306.2])]),
    (check.smallest_wait, [[306.6]]),
    (check.build_lse, [shifted_by(np.max)]),
    (check.judge_a_cure, [lambda x, mixture: logspace.e_step(x, mixture)[0]]),
    (check.other_units, [-220.2433]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.lse_by_hand, [-2000, 0], "multiplies"),
    (check.lse_by_hand, [-np.inf, 0], "maximum out"),
    (check.lse_by_hand, [-1000, 0], "log 2"),
    (check.lse_by_hand, [-1000.6931, 0], "added"),
    (check.lse_by_hand, [-999.3069, -800], "Which term"),
    (check.smallest_wait, [306], "longer waits"),
    (check.smallest_wait, [[306.9]], "at shorter waits"),
    (check.smallest_wait, [310], "at shorter waits"),
    (check.smallest_wait, [[306.2, 307.0]], "one number"),
    (check.smallest_wait, [-200], "one number"),
    (check.smallest_wait, [38.6], "standard deviations"),
    (check.smallest_wait, [118.7], "5.87 minutes each"),
    (check.smallest_wait, [281.2], "still alive"),
    (check.build_lse, [lambda row: np.max(row)], "easy row"),
    (check.build_lse, [lambda row: None], "end with return"),
    (check.build_lse, [lambda row: str(np.logaddexp.reduce(row))], "not text"),
    (check.build_lse, [lambda row: np.logaddexp.reduce(row)], "NumPy's own"),
    (check.build_lse, [np.logaddexp.reduce], "NumPy's own"),
    (check.build_lse, [shifted_by(lambda row: np.max(np.abs(row)))], "not the maximum"),
    (
        check.build_lse,
        [lambda row: np.max(row) + np.log(np.sum(np.exp(row - np.max(row))))],
        "-inf alone",
    ),
    (check.judge_a_cure, [lambda x, m: x @ m], "stopped"),
    (check.judge_a_cure, [lambda x, m: np.ones(3)], "one row for each wait"),
    (check.judge_a_cure, [lambda x, m: 0.5], "one row for each wait"),
    (check.judge_a_cure, [lambda x, m: np.ones((len(x), 1))], "one row for each wait"),
    (check.judge_a_cure, [lambda x, m: None], "end with return"),
    (check.judge_a_cure, [logspace.e_step], "alone"),
    (check.judge_a_cure, [lambda x, m: np.full((len(x), 2), 0.5)], "66 minutes"),
    (check.other_units, [-786.6792], "divided"),
    (check.other_units, [-779.7715], "82 densities"),
    (check.other_units, [-2.685894], "score"),
    (check.other_units, [-220.3589], "misprint"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def joint_density(x, mixture):
    scaled = (x[:, None] - mixture.means) / mixture.stds
    return mixture.weights * np.exp(-0.5 * scaled**2) / (mixture.stds * np.sqrt(2 * np.pi))


CURES = {
    "half and half": lambda joint: (joint + 1e-300) / (joint + 1e-300).sum(1, keepdims=True),
    "sums to 0": lambda joint: joint / (joint.sum(axis=1, keepdims=True) + 1e-300),
    "still nan": lambda joint: joint / joint.sum(axis=1, keepdims=True),
}


@pytest.mark.parametrize("hint", CURES)
def test_cover_ups_are_recognised(hint):
    verdict = verdict_of(check.judge_a_cure, lambda x, m: CURES[hint](joint_density(x, m)))
    assert verdict.right is False
    assert hint in verdict.message


def test_only_an_untouched_stub_is_still_to_do():
    def log_sum_exp(row):
        return np.log(np.sum(np.exp(row)))

    def e_step_cured(x, mixture):
        return arrays.e_step(x, mixture)

    def e_step_again(x, mixture):
        resp = arrays.e_step(x, mixture)
        return resp / resp.sum(axis=1, keepdims=True)

    assert verdict_of(check.build_lse, log_sum_exp).right is None
    assert verdict_of(check.judge_a_cure, e_step_cured).right is None
    assert verdict_of(check.judge_a_cure, e_step_again).right is False
