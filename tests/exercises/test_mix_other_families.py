"""Answers to the exercises of chapter 10, mix other families."""

import numpy as np
import pytest
from scipy import stats
from verdicts import verdict_of

from emtools.course.exercises import mix_other_families as check
from emtools.families import averages, log_powers


def log_pdf(x, mixture):
    sides = np.column_stack([1 - mixture.hits, mixture.hits])
    return log_powers(np.column_stack([x - 1, np.ones(len(x))]), sides)


def match(x, resp):
    return 1 / averages(x, resp)


RIGHT = [
    (check.quiet_day, [0.6576]),
    (check.extra_zeros, [0.4509, 0.0666, 2.3109]),
    (check.tries_log_pdf, [log_pdf]),
    (check.tries_log_pdf, [lambda x, mixture: stats.geom.logpmf(x[:, None], mixture.hits)]),
    (check.tries_log_pdf, [lambda x, mixture: log_pdf(x, mixture).tolist()]),
    (check.match_tries, [match]),
    (check.match_tries, [lambda x, resp: resp.sum(axis=0) / (resp.T @ x)]),
    (check.one_toss, [0.36, 0.7714]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


def test_a_match_may_return_a_tuple():
    assert verdict_of(check.match_tries, lambda x, resp: (match(x, resp),)).right is True


WRONG = [
    (check.quiet_day, [0.8176], "without the weights"),
    (check.quiet_day, [0.3], "before you saw"),
    (check.quiet_day, [0.3424], "second component"),
    (check.quiet_day, [0.1104], "Divide by the sum"),
    (check.quiet_day, [0.3679], "density alone"),
    (check.quiet_day, [0.1463], "not the rate"),
    (check.quiet_day, [0.66], "Right so far: give three decimals"),
    (check.quiet_day, [5], "Weight times exp"),
    (check.extra_zeros, [0.1, 0.0666, 2.3109], "before you know"),
    (check.extra_zeros, [0.4249, 0.0666, 2.3109], "too: 0.9"),
    (check.extra_zeros, [0.8808, 0.0666, 2.3109], "without the weights"),
    (check.extra_zeros, [0.5491, 0.0666, 2.3109], "other component"),
    (check.extra_zeros, [1, 0.0666, 2.3109], "gives zeros as well"),
    (check.extra_zeros, [0.4509, 0.4509, 2.3109], "q again"),
    (check.extra_zeros, [0.4509, 0.1478, 2.3109], "Not all zeros"),
    (check.extra_zeros, [0.4509, 73.04, 2.3109], "number of days"),
    (check.extra_zeros, [0.4509, 0.9334, 2.3109], "other component"),
    (check.extra_zeros, [0.4509, 0.0666, 2.5310], "leaves out all zeros"),
    (check.extra_zeros, [0.4509, 0.0666, 2.1569], "no zero is left out"),
    (check.extra_zeros, [0.4509, 0.0666, 2.3475], "not 1 - q"),
    (check.extra_zeros, [0.4509, 0.0666, 2.0132], "do not multiply"),
    (check.one_toss, [0.25, 0.7714], "share of a head"),
    (check.one_toss, [0.7714, 0.36], "second coin's"),
    (check.one_toss, [0.6, 0.7714], "all heads"),
    (check.one_toss, [0.2, 0.7714], "where it starts"),
    (check.one_toss, [0.64, 0.7714], "tails"),
    (check.one_toss, [0.3, 0.7714], "its own soft count"),
    (check.one_toss, [0.2727, 0.7714], "60 heads and 40"),
    (check.one_toss, [0.36, 0.75], "share of a head"),
    (check.one_toss, [0.36, 0.6], "where it starts"),
    (check.one_toss, [0.36, 0.2286], "tails"),
    (check.one_toss, [0.36, 0.6923], "60 heads and 40"),
    (check.one_toss, [0.36, 0.9], "its own soft count"),
    (check.one_toss, [0.36, 0.1], "0.6 / 0.8"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def parts(x, mixture):
    return x[:, None] - 1, np.log(mixture.hits), np.log(1 - mixture.hits)


def plainly(x, mixture):
    misses, hit, miss = parts(x, mixture)
    return misses * miss + hit


def one_more(x, mixture):
    misses, hit, miss = parts(x, mixture)
    return (misses + 1) * miss + hit


def no_hit(x, mixture):
    misses, _, miss = parts(x, mixture)
    return misses * miss


def swapped(x, mixture):
    misses, hit, miss = parts(x, mixture)
    return misses * hit + miss


@pytest.mark.parametrize(
    ("function", "right", "hint"),
    [
        (plainly, False, "0 misses times log 0"),
        (one_more, False, "x - 1 misses"),
        (no_hit, False, "add log h"),
        (swapped, False, "it misses with 1 - h"),
        (lambda x, mixture: np.exp(log_pdf(x, mixture)), False, "Its logarithm"),
        (lambda x, mixture: log_pdf(x, mixture) / np.log(10), False, "natural"),
        (lambda x, mixture: log_pdf(x, mixture) + np.log(mixture.weights), False, "weights"),
        (lambda x, mixture: log_pdf(x, mixture).T, False, "changed places"),
        (lambda x, mixture: log_pdf(x, mixture)[:, 0], False, "the shape (4, 2)"),
        (lambda x, mixture: np.nan_to_num(plainly(x, mixture), nan=-9.0), False, "certain"),
        (lambda x, mixture: 3 * log_pdf(x, mixture), False, "log h is wanted"),
        (lambda x, mixture: "no", False, "(N, K) array"),
        (lambda x, mixture: np.zeros((len(x), 2)), None, "zero everywhere"),
        (lambda x, mixture: None, False, "returned None"),
    ],
)
def test_log_densities(function, right, hint):
    verdict = verdict_of(check.tries_log_pdf, function)
    assert verdict.right is right
    assert hint in verdict.message


@pytest.mark.parametrize(
    ("function", "right", "hint"),
    [
        (averages, False, "mean number of tries"),
        (lambda x, resp: np.full(2, 1 / x.mean()), False, "weigh by resp"),
        (lambda x, resp: len(x) / (resp.T @ x), False, "not by N"),
        (lambda x, resp: averages(1 / x, resp), False, "The mean of 1 / x"),
        (lambda x, resp: 1 / averages(x - 1, resp), False, "counts all tries"),
        (lambda x, resp: 1 / (1 + averages(x, resp)), False, "counts the hit already"),
        (lambda x, resp: 1 / (resp.T @ x), False, "divided by the soft count"),
        (lambda x, resp: resp.mean(axis=0), False, "Those are the weights"),
        (lambda x, resp: [0.1, 0.9], False, "for each component"),
        (lambda x, resp: np.full(2, 0.5), None, "whatever the data"),
        (lambda x, resp: None, False, "returned None"),
    ],
)
def test_matches(function, right, hint):
    verdict = verdict_of(check.match_tries, function)
    assert verdict.right is right
    assert hint in verdict.message
