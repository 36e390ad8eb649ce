"""Answers to the exercises of chapter 09, choose how many."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools.course.exercises import choose_how_many as check


def within_one_error(scores):
    means = scores.mean(axis=1)
    best = means.argmax()
    error = scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
    return int(np.argmax(means >= means[best] - error)) + 1


def p_of_those_that_came(observed, ratios):
    kept = ratios[~np.isnan(ratios)]
    return (1 + np.sum(kept >= observed)) / (len(kept) + 1)


RIGHT = [
    (check.enzyme_bill, [139.66]),
    (check.enzyme_bill, [2 * 47.8268 + 8 * np.log(245)]),
    (check.copies_are_not_data, [4117.26, 4022.89]),
    (check.copies_are_not_data, [4117.262, 4022.890]),
    (check.simplest, [within_one_error]),
    (check.honest_p, [p_of_those_that_came]),
    (check.third_bell, [-178.7544]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.enzyme_bill, [-139.66], "mclust's sign"),
    (check.enzyme_bill, [-51.64], "negative, so -2 l is positive"),
    (check.enzyme_bill, [51.64], "l has lost its own"),
    (check.enzyme_bill, [145.165], "not 9"),
    (check.enzyme_bill, [112.157], "counts bells"),
    (check.enzyme_bill, [128.661], "Two of the weights"),
    (check.enzyme_bill, [134.162], "that is 8"),
    (check.enzyme_bill, [123.160], "p of two bells"),
    (check.enzyme_bill, [111.654], "the AIC"),
    (check.enzyme_bill, [91.837], "counts twice"),
    (check.enzyme_bill, [69.832], "half of it"),
    (check.enzyme_bill, [114.767], "natural logarithm"),
    (check.enzyme_bill, [183.674], "not 2 p"),
    (check.enzyme_bill, [141.617], "lower hill"),
    (check.enzyme_bill, [136.786], "two bells"),
    (check.enzyme_bill, [140], "Right so far: give two decimals"),
    (check.enzyme_bill, [150.0], "Put l, p"),
    (check.copies_are_not_data, [441.612, 443.382], "82 rows"),
    (check.copies_are_not_data, [460.033, 468.715], "adds its own log density"),
    (check.copies_are_not_data, [4098.838, 3997.55], "N is 820 now"),
    (check.copies_are_not_data, [4416.122, 4433.81], "price of a parameter does not"),
    (check.copies_are_not_data, [4600.33, 4687.15], "in log N already"),
    (check.copies_are_not_data, [4079.585, 3971.075], "the AIC"),
    (check.copies_are_not_data, [-4117.26, -4022.89], "mclust's sign"),
    (check.copies_are_not_data, [4123.97, 4029.6], "p is 8"),
    (check.copies_are_not_data, [4022.89, 4117.26], "That is four bells"),
    (check.copies_are_not_data, [4117.26, 4117.26], "That is three bells"),
    (check.copies_are_not_data, [4117.26, 443.382], "82 rows"),
    (check.copies_are_not_data, [4117.26, 4029.6], "p is 11"),
    (check.third_bell, [-181.7054], "right bell cut"),
    (check.third_bell, [-184.6447], "with two bells"),
    (check.third_bell, [-185.9493], "one width"),
    (check.third_bell, [-187.2345], "lower hill"),
    (check.third_bell, [-178.75], "Right so far: give four decimals"),
    (check.third_bell, [-150.0], "two runs"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def best_of(scores):
    return int(scores.mean(axis=1).argmax()) + 1


def with_error(error_of, found=lambda place: place + 1):
    def rule(scores):
        means = scores.mean(axis=1)
        return found(int(np.argmax(means >= means.max() - error_of(scores, means.argmax()))))

    return rule


def sem(scores, best, ddof=1):
    return scores[best].std(ddof=ddof) / np.sqrt(scores.shape[1])


def down_from_the_best(scores):
    means = scores.mean(axis=1)
    best = size = means.argmax()
    while size and means[size - 1] >= means[best] - sem(scores, best):
        size -= 1
    return size + 1


def largest_within(scores):
    means = scores.mean(axis=1)
    return int(np.flatnonzero(means >= means.max() - sem(scores, means.argmax()))[-1]) + 1


@pytest.mark.parametrize(
    ("function", "right", "hint"),
    [
        (with_error(sem), True, "simpler"),
        (lambda scores: [np.array([within_one_error(scores)])], True, "simpler"),
        (best_of, None, "takes the best"),
        (with_error(sem, int), False, "counted from 0"),
        (with_error(lambda t, best: t[best].std(ddof=1)), False, "one standard deviation"),
        (with_error(lambda t, best: sem(t, best, 0)), False, "ddof=1"),
        (with_error(lambda t, _: t.std(axis=1, ddof=1) / 2), False, "for all of them"),
        (
            lambda t: with_error(lambda t, best: sem(t, best) * 2 / len(t) ** 0.5)(t),
            False,
            "many K",
        ),
        (with_error(lambda t, b: (t - t[b]).std(axis=1, ddof=1) / 2), False, "of the differences"),
        (largest_within, False, "largest K within reach"),
        (lambda scores: int(scores.mean(axis=0).argmax()) + 1, False, "axis=1"),
        (down_from_the_best, False, "between is out of reach"),
        (lambda scores: 1, False, "always takes the smallest"),
        (lambda scores: len(scores), False, "For means 1, 2.95, 3, 2.5"),
        (lambda scores: 2, False, "it says 2, and the rule 1"),
        (lambda scores: scores, False, "should return a number of components"),
        (lambda scores: "two", False, "should return a number of components"),
    ],
)
def test_rules_of_one_standard_error(function, right, hint):
    verdict = verdict_of(check.simplest, function)
    assert verdict.right is right
    assert hint in verdict.message


def share(observed, ratios):
    return np.mean(ratios >= observed)


def kept(function):
    return lambda observed, ratios: function(observed, ratios[~np.isnan(ratios)])


@pytest.mark.parametrize(
    ("function", "right", "hint"),
    [
        (lambda seen, r: np.array([p_of_those_that_came(seen, r)]), True, "one more draw"),
        (
            lambda seen, r: (1 + (r >= seen).sum()) / (np.isfinite(r).sum() + 1),
            True,
            "one more draw",
        ),
        (lambda seen, r: np.mean(r > seen), None, "Leave out the nan"),
        (share, False, "can be 0"),
        (kept(share), False, "can be 0"),
        (kept(lambda seen, r: np.mean(r > seen)), False, "can be 0"),
        (kept(lambda seen, r: (1 + np.sum(r > seen)) / (len(r) + 1)), False, ">=, not >"),
        (lambda seen, r: (1 + np.sum(r >= seen)) / (len(r) + 1), False, "below the line as well"),
        (lambda seen, r: (1 + np.sum(~(r < seen))) / (len(r) + 1), False, "has not reached"),
        (kept(lambda seen, r: np.sum(r >= seen) / (len(r) + 1)), False, "above the line, too"),
        (kept(lambda seen, r: (1 + np.sum(r >= seen)) / len(r)), False, "below the line, too"),
        (kept(lambda seen, r: np.sum(r < seen) / (len(r) + 1)), False, "stay below"),
        (lambda seen, r: np.mean(r), False, "nan or inf"),
        (lambda seen, r: 0.5, False, "says 0.5"),
        (lambda seen, r: r, False, "should return one number"),
    ],
)
def test_p_values(function, right, hint):
    verdict = verdict_of(check.honest_p, function)
    assert verdict.right is right
    assert hint in verdict.message
