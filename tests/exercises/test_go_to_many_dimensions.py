"""Answers to the exercises of chapter 07, go to many dimensions."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import multivariate
from emtools.course.exercises import go_to_many_dimensions as check


def circles(mixture, covariances):
    return mixture._replace(covariances=covariances)


RIGHT = [
    (check.density_by_hand, [-5.0310]),
    (check.density_by_hand, [np.array([[-5.03102]])]),
    (check.count_parameters, [[44, 24, 26, 17]]),
    (check.count_parameters, [np.array([44, 24, 26, 17])]),
    (check.in_seconds, [(0, 0, 0, 5)]),
    (check.equal_circles, [lambda m: multivariate.tied(multivariate.spherical(m))]),
    (check.equal_circles, [lambda m: multivariate.spherical(multivariate.tied(m))]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.density_by_hand, [-5.6276], "beside the diagonal"),
    (check.density_by_hand, [-7.1560], "wrong side"),
    (check.density_by_hand, [-5.7242], "half of it"),
    (check.density_by_hand, [-3.1931], "last term"),
    (check.density_by_hand, [-4.1121], "D is 2"),
    (check.density_by_hand, [-7.5310], "halved"),
    (check.density_by_hand, [-4.0310], "square each"),
    (check.density_by_hand, [0.006532], "logarithm"),
    (check.density_by_hand, [5.0310], "Its sign"),
    (check.density_by_hand, [-5.03], "Right so far: give four decimals"),
    (check.density_by_hand, [-4.9], "L is [[2, 0]"),
    (check.count_parameters, [[45, 25, 27, 18]], "sum to one"),
    (check.count_parameters, [[42, 22, 24, 15]], "forgotten"),
    (check.count_parameters, [[62, 30, 26, 17]], "symmetric"),
    (check.count_parameters, [[62, 24, 26, 17]], "symmetric"),
    (check.count_parameters, [[32, 18, 26, 17]], "corner"),
    (check.count_parameters, [[44, 24, 18, 17]], "variances"),
    (check.count_parameters, [[44, 24, 26, 15]], "own variance"),
    (check.count_parameters, [[44, 24, 18, 15]], "12 and 3"),
    (check.count_parameters, [[30, 10, 12, 3]], "12 means"),
    (check.count_parameters, [[44, 24]], "Four numbers"),
    (check.count_parameters, [[44, 26, 24, 17]], "Tied and diag"),
    (check.count_parameters, [[17, 26, 24, 44]], "order"),
    (check.in_seconds, [[0, 0, 0, 0]], "first column"),
    (check.in_seconds, [[0, 0, 0, 267]], "changed places"),
    (check.in_seconds, [[5, 0, 0, 0]], "order"),
    (check.in_seconds, [[0, 0, 5, 5]], "stretch"),
    (check.in_seconds, [[272, 272, 272, 267]], "differs"),
    (check.in_seconds, [[272] * 4], "differs"),
    (check.equal_circles, [multivariate.spherical], "differ in size"),
    (check.equal_circles, [multivariate.tied], "not circles"),
    (check.equal_circles, [multivariate.diag], "along the axes"),
    (check.equal_circles, [lambda m: m.wait], "stopped with AttributeError"),
    (check.equal_circles, [lambda m: m.weights], "weights, means and covariances, not an array"),
    (check.equal_circles, [lambda m: None], "returned None"),
    (
        check.equal_circles,
        [lambda m: m._replace(weights=m.weights[::-1])],
        "stay as they",
    ),
    (
        check.equal_circles,
        [lambda m: m._replace(covariances=np.eye(3))],
        "shape (3, 3, 3), not (3, 3)",
    ),
    (
        check.equal_circles,
        [lambda m: circles(m, m.covariances * 0 + 1)],
        "has zeros",
    ),
    (
        check.equal_circles,
        [lambda m: circles(m, np.array([1, 1, 2])[:, None, None] * np.eye(3))],
        "The diagonal of component 0 is 1, 1, 1; it should be",
    ),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def size_of_circles(mixture):
    """The right (3, 3, 3) covariances of the check on equal circles, to be spoilt."""
    return multivariate.tied(multivariate.spherical(mixture)).covariances


SPOILT = {
    "weight them": lambda m: np.tile(
        np.trace(m.covariances, axis1=1, axis2=2).mean() / 3 * np.eye(3), (3, 1, 1)
    ),
    "divide by D": lambda m: 3 * size_of_circles(m),
    "standard deviations": lambda m: np.sqrt(size_of_circles(m)),
}


@pytest.mark.parametrize("hint", SPOILT)
def test_circles_of_the_wrong_size_are_recognised(hint):
    verdict = verdict_of(check.equal_circles, lambda m: circles(m, SPOILT[hint](m)))
    assert verdict.right is False
    assert hint in verdict.message


def test_circles_may_be_made_in_place_or_handed_over_as_a_tuple():
    def in_place(mixture):
        mixture.covariances[:] = size_of_circles(mixture)
        return mixture

    assert verdict_of(check.equal_circles, in_place).right is True
    in_a_tuple = verdict_of(check.equal_circles, lambda m: (m[0], m[1], size_of_circles(m)))
    assert in_a_tuple.right is True


def test_the_stub_of_equal_circles_is_a_stub():
    assert verdict_of(check.equal_circles, lambda mixture: mixture).right is None
