"""Answers to the exercises of chapter 13, add time."""

import itertools

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import hmm
from emtools.course.exercises import add_time as check


def best_path(log_liks, log_start, log_moves):
    came_from, scores = [], log_start + log_liks[0]
    for log_lik in log_liks[1:]:
        arriving = scores[:, None] + log_moves
        came_from.append(arriving.argmax(axis=0))
        scores = arriving.max(axis=0) + log_lik
    path = [scores.argmax()]
    for back in came_from[::-1]:
        path.append(back[path[-1]])
    return np.array(path[::-1])


def by_brute_force(log_liks, *logs):
    paths = itertools.product(range(log_liks.shape[1]), repeat=len(log_liks))
    return max(map(np.array, paths), key=lambda path: check.log_joint_of(path, log_liks, *logs))


RIGHT = [
    (check.forward_by_hand, [[0.006, 0.098]]),
    (check.first_day, [0.5, 0.8709]),
    (check.first_day, [np.array([0.5]), np.array([0.870942])]),
    (check.equal_rows, [-40.735433, 1 / 3]),
    (check.equal_rows, [-40.735433, 0.333]),
    (check.likeliest_path, [best_path]),
    (check.likeliest_path, [by_brute_force]),
    (check.likeliest_path, [lambda *case: best_path(*case).tolist()]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


def of_day(log_liks, log_start, log_moves):
    return log_liks.argmax(axis=1)


WRONG = [
    (check.forward_by_hand, [0.104], "their sum"),
    (check.first_day, [[0.5, 0.5], 0.871], "the second alone"),
    (check.first_day, [0.5, [0.129058, 0.870942]], "the second alone"),
    (check.forward_by_hand, [[0.098, 0.006]], "cold, hot"),
    (check.forward_by_hand, [[0.0096, 0.0812]], "goes *to*"),
    (check.forward_by_hand, [[0.06, 0.14]], "second day's cones"),
    (check.forward_by_hand, [[0.03, 0.49]], "first day's cones"),
    (check.forward_by_hand, [[0.008, 0.084]], "No move yet"),
    (check.forward_by_hand, [[0.08, 0.12]], "day one"),
    (check.forward_by_hand, [[0.0132, 0.0788]], "changed places"),
    (check.forward_by_hand, [[0.057692, 0.942308]], "scaled"),
    (check.forward_by_hand, [0.104], "Two numbers"),
    (check.first_day, [0.8709, 0.5], "all days say"),
    (check.first_day, [0.1, 0.8709], "joint"),
    (check.first_day, [0.2, 0.8709], "Bayes"),
    (check.first_day, [0.5, 0.1291], "cold day"),
    (check.first_day, [0.5, 0.5], "by itself"),
    (check.first_day, [0.5, 0.976926], "second day"),
    (check.equal_rows, [-35.3328952746, 1 / 3], "unequal rows"),
    (check.equal_rows, [-40.735433, 0.4656093], "unequal rows"),
    (check.equal_rows, [-36.254206, 1 / 3], "the stop"),
    (check.equal_rows, [-40.7, 1 / 3], "five decimals"),
    (check.equal_rows, [-40.735433, 0.4], "three cones"),
    (check.likeliest_path, [lambda *case: best_path(*case)[::-1]], "backwards"),
    (check.likeliest_path, [lambda a, b, c: best_path(a, b, c.T)], "wrong way round"),
    (check.likeliest_path, [lambda a, b, c: best_path(a, 0 * b, c)], "start is missing"),
    (check.likeliest_path, [check.best_so_far], "way back"),
    (check.likeliest_path, [check.filtered], "given the past"),
    (check.likeliest_path, [check.smoothed], "day by day"),
    (check.likeliest_path, [lambda *case: of_day(*case)[::-1] * 0], "likelier path, by"),
    (check.likeliest_path, [lambda *case: best_path(*case) + 1], "0 to 1"),
    (check.likeliest_path, [lambda *case: best_path(*case)[1:]], "6 states for 6 days"),
    (check.likeliest_path, [lambda *case: None], "returned None"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def test_the_stub_is_to_do():
    assert verdict_of(check.likeliest_path, of_day).right is None


def test_the_slips_differ_from_the_right_path_and_from_each_other():
    paths = [
        tuple(np.concatenate([slip(*case) for case in check.cases()])) for slip, _ in check.SLIPS
    ]
    paths += [
        tuple(np.concatenate([f(*case) for case in check.cases()])) for f in (best_path, of_day)
    ]
    assert len(set(paths)) == len(paths)


def test_the_right_path_is_the_module_s():
    for case in check.cases():
        assert hmm.best_path(*case, 0 * case[1]).tolist() == by_brute_force(*case).tolist()
