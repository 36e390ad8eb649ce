"""Answers to the exercises of chapter 15, make it fast and big."""

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import Mixture, arrays, fit, logspace
from emtools.course.exercises import make_it_fast_and_big as check
from emtools.scale.chunks import fit_chunks

RIGHT = [
    (check.ten_million, [1.2, 125]),
    (check.ten_million, [1.25, 128]),
    (check.how_narrow, [0.0074, 15.8]),
    (check.how_narrow, [0.00745058, 15.8114]),
    (check.left_of_the_start, [[1 / 101, 4.2098e-7]]),
    (check.left_of_the_start, [[0.0099, 4.2e-7]]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.ten_million, [0.12, 125], "for a million"),
    (check.ten_million, [12, 125], "not a hundred"),
    (check.ten_million, [3.4, 125], "slope 1"),
    (check.ten_million, [1.2, 142.9], "One of them is missing"),
    (check.ten_million, [1.2, 166.7], "three tables alone"),
    (check.ten_million, [1.2, 200], "eight columns"),
    (check.ten_million, [1.2, 333], "x and one table"),
    (check.ten_million, [1.2, 500], "That is one table"),
    (check.ten_million, [1.2, 1000], "x alone"),
    (check.ten_million, [1.2, 15.6], "not bits"),
    (check.ten_million, [1.2, 125e6], "In millions"),
    (check.ten_million, [1.2, 134.2], "GiB"),
    (check.ten_million, [1.2, 7], "1 + 3 * 2 + 1"),
    (check.ten_million, [[], []], "An empty list is not it"),
    (check.how_narrow, [1.11e-7, 15.8], "has a square"),
    (check.how_narrow, [5.55e-5, 15.8], "Take the root"),
    (check.how_narrow, [0.00527, 15.8], "half of epsilon"),
    (check.how_narrow, [0.0149, 15.8], "not 1000"),
    (check.how_narrow, [3.355e7, 15.8], "Upside down"),
    (check.how_narrow, [0.02, 15.8], "solve eps"),
    (check.how_narrow, [0.00745, 16], "Right so far: give one decimal."),
    (check.how_narrow, [0.00745, 22.4], "*twice*"),
    (check.how_narrow, [0.00745, 11.18], "twice the loss already"),
    (check.how_narrow, [0.00745, 0.5], "has a square"),
    (check.how_narrow, [0.00745, 250], "Take the root"),
    (check.how_narrow, [0.00745, 31.6], "not 1000"),
    (check.how_narrow, [0.00745, 20], "its limit is 1000"),
    (check.left_of_the_start, [[4.2098e-7, 1 / 101]], "In the order"),
    (check.left_of_the_start, [[1 / 101, 101**-0.6]], "new chunk"),
    (check.left_of_the_start, [[1 - 1 / 101, 1 - 101**-0.6]], "last chunk alone"),
    (check.left_of_the_start, [[0.36971, 0.0013]], "product of"),
    (check.left_of_the_start, [[1 - 1 / 101, 1.0]], "not*"),
    (check.left_of_the_start, [[0, 0]], "something is left"),
    (check.left_of_the_start, [[0.99, 4.2e-5]], "percent"),
    (check.left_of_the_start, [[-2.0043, -6.3757]], "base 10"),
    (check.left_of_the_start, [[-4.6151, -14.6806]], "logarithms"),
    (check.left_of_the_start, [[1 / 102, 3.947e-7]], "too many"),
    (check.left_of_the_start, [[2 / 102, 1.1604e-6]], "from 1 to 100"),
    (check.left_of_the_start, [np.exp([-4.19728, -12.91551])], "small eta"),
    (check.left_of_the_start, [[0.01, 1e-6]], "As a guess"),
    (check.left_of_the_start, [[0.01, 4e-7]], "As a guess"),
    (check.left_of_the_start, [[None, None]], "[None, None] is not it"),
    (check.left_of_the_start, [lambda: 0], "hand over what it returns"),
    (check.left_of_the_start, [[0.5, 0.3]], "the product of"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


NEAR = 1_000_070.0  # in the middle of the chunks of that exercise


def chunk_sums(chunks, mixture, centre):
    """A right answer to the exercise on chunks, about any centre in their middle."""
    each = [check.sums_about(chunk, mixture, centre) for chunk in chunks]
    return check.from_sums(sum(each), centre)


def one_by_one(chunks, mixture):
    return [arrays.m_step(chunk, logspace.e_step(chunk, mixture)[0]) for chunk in chunks]


def averaged(chunks, mixture, weigh):
    answers = one_by_one(chunks, mixture)
    weights = [weigh(chunk, answer) for chunk, answer in zip(chunks, answers, strict=True)]
    columns = [np.array([answer[field] for answer in answers]) for field in range(3)]
    weights = np.broadcast_to(np.reshape(weights, (len(chunks), -1)), columns[0].shape)
    return Mixture(*(np.average(column, axis=0, weights=weights) for column in columns))


def in_turn(chunks, mixture):
    for chunk in chunks:
        [mixture] = one_by_one([chunk], mixture)
    return mixture


def moved(mixture, by):
    return mixture._replace(means=mixture.means + by)


def one_too_few(mixture, n):
    n = mixture.weights * 272 if n is None else n
    return mixture._replace(stds=mixture.stds * np.sqrt(n / (n - 1)))


def means_right(chunks, mixture, stds):
    return chunk_sums(chunks, mixture, NEAR)._replace(stds=stds(chunks, mixture))


def counted(chunk, answer):
    return answer.weights * len(chunk)


def widths_within(chunks, mixture):
    squared = [answer._replace(stds=answer.stds**2) for answer in one_by_one(chunks, mixture)]
    counts = [counted(*pair) for pair in zip(chunks, squared, strict=True)]
    return np.sqrt(np.average([answer.stds for answer in squared], axis=0, weights=counts))


def about_their_own_means(chunks, mixture):
    sums = sum(check.sums_about(chunk, mixture, chunk.mean()) for chunk in chunks)
    return check.from_sums(sums, np.concatenate(chunks).mean())


@pytest.mark.parametrize(
    ("step", "right", "hint"),
    [
        (lambda c, m: chunk_sums(c, m, NEAR), True, "wherever they come from"),
        (lambda c, m: in_turn([np.concatenate(c)], m), False, "np.concatenate has put"),
        (lambda c, m: in_turn([np.hstack(c)], m), False, "np.hstack has put"),
        (lambda c, m: in_turn([np.r_[c[0], c[1], c[2], c[3], c[4]]], m), False, "put the chunks"),
        (lambda c, m: fit(np.concatenate(c), m, tol=0, max_iter=1).parameters, False, "put the"),
        (lambda c, m: fit_chunks(c, m, tol=0, max_iter=1).parameters, True, "Three sums"),
        (lambda c, m: fit_chunks(c, m, tol=0, max_iter=1), False, "a whole Fit"),
        (lambda c, m: tuple(chunk_sums(c, m, NEAR)), True, "Three sums"),
        (lambda c, m: m, None, "What does EM need from each chunk"),
        (None, None, "A function"),
        (lambda c, m: averaged(c, m, lambda *_: 1), False, "average of the chunks' answers"),
        (lambda c, m: averaged(c, m, lambda x, _: len(x)), False, "by their lengths"),
        (
            lambda c, m: means_right(c, m, lambda *given: averaged(*given, counted).stds),
            False,
            "root of an average",
        ),
        (lambda c, m: means_right(c, m, widths_within), False, "how far the chunks' means"),
        (in_turn, False, "One E-step with one"),
        (lambda c, m: one_by_one(c, m)[-1], False, "last chunk alone"),
        (lambda c, m: one_by_one(c, m)[0], False, "first chunk alone"),
        (lambda c, m: one_by_one(c, m)[1], False, "second chunk alone"),
        (lambda c, m: one_too_few(chunk_sums(c, m, NEAR), 272), False, "one too few"),
        (lambda c, m: one_too_few(chunk_sums(c, m, NEAR), None), False, "one too few"),
        (lambda c, m: Mixture(*(p[::-1] for p in chunk_sums(c, m, NEAR))), False, "bells have"),
        (lambda c, m: moved(chunk_sums(c, m, NEAR), -NEAR), False, "was the centre added back"),
        (lambda c, m: chunk_sums(c, m, 70.897), False, "the page's own `centre`"),
        (lambda c, m: chunk_sums(c, m, 0.0), False, "as far from them as zero"),
        (lambda c, m: chunk_sums(c, m, c[0].mean()), True, "Three sums"),
        (about_their_own_means, False, "about its own mean"),
        (lambda c, m: chunk_sums(c[1:], m, NEAR), False, "The weights are"),
        (lambda c, m: 1 / 0, False, "ZeroDivisionError"),
        (lambda c, m: None, False, "returned None"),
        (lambda c, m: (m, 0.0), False, "without the log-likelihood"),
        (lambda c, m: np.zeros(3), False, "return a Mixture"),
        (7, False, "Hand over a function"),
    ],
)
def test_a_step_on_chunks(step, right, hint):
    verdict = verdict_of(check.step_on_chunks, step)
    assert verdict.right is right
    assert hint in verdict.message


def test_a_step_on_chunks_that_changes_its_mixture_spoils_no_later_check():
    def careless(chunks, mixture):
        for part in mixture:
            part += 1.0
        return mixture

    check.step_on_chunks(careless)
    np.testing.assert_array_equal(check.START, [[0.5, 0.5], [50, 80], [5, 5]])
