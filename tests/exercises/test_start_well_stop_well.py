"""Answers to the exercises of chapter 05, start well, stop well."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import arrays
from emtools.course.exercises import start_well_stop_well as check
from emtools.em import Fit, aitken_gap

RIGHT = [
    (check.narrower_spike, [4.6960]),
    (check.narrower_spike, [np.array([2.3934 + np.log(10)])]),
    (check.who_collapses, [1, 2]),
    (check.acid_lakes, [-187.2345, -184.6447]),
    (check.acid_lakes, [-187.234513217, np.float64(-184.64470891)]),
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


def with_widths(variance):
    """An M-step whose variances come from the sums of squares, the soft counts, a and b."""

    def m_step(x, resp, a, b):
        mixture, counts = arrays.m_step(x, resp), resp.sum(axis=0)
        squares = counts * mixture.stds**2
        return mixture._replace(stds=np.sqrt(variance(squares, counts, a, b)))

    return m_step


def test_a_prior_on_the_widths():
    right = with_widths(lambda s, n, a, b: (s + 2 * b) / (n + 2 * (a + 1)))
    assert verdict_of(check.prior_on_widths, right).right is True
    plain = verdict_of(check.prior_on_widths, lambda x, resp, a, b: arrays.m_step(x, resp))
    assert plain.right is None


@pytest.mark.parametrize(
    ("variance", "hint"),
    [
        (lambda s, n, a, b: ((s + 2 * b) / (n + 2 * (a + 1))) ** 2, "variances"),
        (lambda s, n, a, b: (s + 2 * b) / n, "2(a + 1) is missing"),
        (lambda s, n, a, b: s / (n + 2 * (a + 1)), "2b is missing"),
        (lambda s, n, a, b: (s + b) / (n + a + 1), "factor of 2"),
        (lambda s, n, a, b: (s + 2 * b) / (n + 2 * a), "not a"),
        (lambda s, n, a, b: (s / n + 2 * b) / (n + 2 * (a + 1)), "multiply by N_k"),
        (lambda s, n, a, b: s / n + b, "adds b to the variance"),
        (lambda s, n, a, b: (np.sqrt(s / n) + b) ** 2, "adds b to the width"),
        (lambda s, n, a, b: (s + 2 * a) / (n + 2 * (b + 1)), "changed places"),
        (lambda s, n, a, b: s * 0 + 7, "gives 0.755929"),
    ],
)
def test_wrong_priors_are_recognised(variance, hint):
    verdict = verdict_of(check.prior_on_widths, with_widths(variance))
    assert verdict.right is False
    assert hint in verdict.message


def in_place(x, resp, a, b):
    resp /= resp.sum(axis=1, keepdims=True)
    counts, stds = resp.sum(axis=0), np.zeros_like(resp[0])
    means = x @ resp / counts
    for k in range(2):
        stds[k] = np.sqrt((resp[:, k] @ (x - means[k]) ** 2 + 2 * b) / (counts[k] + 2 * (a + 1)))
    x += 1
    return counts / len(x), means, stds


def test_an_m_step_may_work_in_place_and_hand_over_a_tuple():
    assert verdict_of(check.prior_on_widths, in_place).right is True


@pytest.mark.parametrize(
    ("m_step", "hint"),
    [
        (lambda x, resp, a, b: None, "returned None"),
        (lambda x, resp, a, b: np.ones(2), "weights, means and stds, not an array of shape (2,)"),
        (lambda x, resp, a, b: (np.ones(2), np.ones(2), 1.0), "The stds should have the shape"),
        (lambda x, resp, a, b: (arrays.m_step(x, resp), 0.0), "without the log-likelihood"),
    ],
)
def test_an_m_step_that_returns_something_else(m_step, hint):
    verdict = verdict_of(check.prior_on_widths, m_step)
    assert verdict.right is False
    assert hint in verdict.message


def test_the_prior_leaves_weights_and_means_alone():
    def moved(x, resp, a, b):
        mixture = arrays.m_step(x, resp)
        return mixture._replace(means=mixture.means + 1)

    assert "weights and means stay" in verdict_of(check.prior_on_widths, moved).message


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
        (lambda history: len(history) > 120, False, "60 are allowed"),
        (smaller_than(1e-6), False, "begins 0.0001 from the mean it stops at step 1"),
        (smaller_than(1e-5), False, "On the plateau it stops at step 1"),
        (lambda history: len(history) > 1 and history[-1] - history[-2] < 1e-4, None, "-1095.2888"),
        (plain_aitken, False, "growing"),
        (lambda history: len(history) > 72, False, "0.001 is allowed"),
        (lambda history: False, False, "never stops"),
    ],
)
def test_stopping_rules(stop, right, hint):
    verdict = verdict_of(check.rule_of_your_own, stop)
    assert verdict.right is right
    assert hint in verdict.message
