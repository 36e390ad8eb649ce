"""Answers to the exercises of chapter 16, make it big."""

from itertools import chain, islice

import numpy as np
import pytest
from verdicts import verdict_of

from emtools import Mixture, arrays, fit, logspace
from emtools.course.exercises import make_it_big as check
from emtools.scale import Again, fit_chunks

RIGHT = [
    (check.passes_and_minutes, [31, 103.3]),
    (check.passes_and_minutes, [31, 103]),
    (check.left_of_the_start, [[1 / 101, 4.2098e-7]]),
    (check.left_of_the_start, [[0.0099, 4.2e-7]]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


WRONG = [
    (check.passes_and_minutes, [28, 93.3], "Steps alone"),
    (check.passes_and_minutes, [29, 96.7], "And before the steps"),
    (check.passes_and_minutes, [30, 100], "One short"),
    (check.passes_and_minutes, [32, 107], "One too many"),
    (check.passes_and_minutes, [31, 6200], "that is seconds"),
    (check.passes_and_minutes, [31, 1.72], "that is hours"),
    (check.passes_and_minutes, [31, 3.33], "one pass"),
    (check.passes_and_minutes, [31, 93.3], "28 passes"),
    (check.passes_and_minutes, [31, 110.95], "not 100 GiB"),
    (check.passes_and_minutes, [31, 0.1033], "thousand MB"),
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


def rows(path, n_rows, skip=1):
    with open(path) as file:
        next(islice(file, skip - 1, skip), None) if skip else None
        while lines := list(islice(file, n_rows)):
            yield np.genfromtxt(lines)


def held(path, n_rows):
    x = np.loadtxt(path, skiprows=1)
    return Again(lambda: (x[first : first + n_rows] for first in range(0, len(x), n_rows)))


def lines(path, n_rows):
    with open(path) as file:
        next(file)
        while some := list(islice(file, n_rows)):
            yield some


class Anew:
    """A reader's own `Again`, whose parts have other names."""

    def __init__(self, source):
        self.source = source

    def __iter__(self):
        return self.source()


def skipping_in_each(path, n_rows):
    for chunk in rows(path, n_rows):
        yield chunk[1:] if len(chunk) == n_rows else chunk


@pytest.mark.parametrize(
    ("read", "right", "hint"),
    [
        (None, None, "A function"),
        (lambda path, n: path, None, "path still"),
        (lambda path, n: Again(lambda: rows(path, n)), True, "One chunk at a time"),
        (lambda path, n: Again(lambda: (c[:, None] for c in rows(path, n))), True, "One chunk"),
        (lambda path, n: Again(lambda: rows(path, 40)), True, "One chunk at a time"),
        (rows, False, "The second pass is empty"),
        (lambda path, n: list(rows(path, n)), False, "a list holds all"),
        (lambda path, n: Again(lambda: rows(path, 300)), False, "A chunk has 272 rows"),
        (lambda path, n: Again(lambda: rows(path, n, 0)), False, "name of the column"),
        (lambda path, n: Again(lambda: rows(path, n, 2)), False, "skipped too many"),
        (lambda path, n: Again(lambda: skipping_in_each(path, n)), False, "only once"),
        (
            lambda path, n: Again(lambda: (c for c in rows(path, n) if len(c) == n)),
            False,
            "which is short",
        ),
        (lambda path, n: Again(lambda: islice(rows(path, n), 1)), False, "There are 100 waits"),
        (lambda path, n: Again(lambda: (c + 1 for c in rows(path, n))), False, "not the same"),
        (lambda path, n: Again(lambda: iter(["a", "b"])), False, "arrays of numbers"),
        (lambda path, n: Again(lambda: lines(path, n)), False, "lines of text"),
        (lambda path, n: Again(lambda: (np.array(c) for c in lines(path, n))), False, "of text"),
        (lambda path, n: Again(lambda: chain(*lines(path, n))), False, "lines of text"),
        (lambda path, n: Anew(rows(path, n)), False, "wants the function"),
        (lambda path, n: Again(lambda: 1 / 0), False, "ZeroDivisionError"),
        (lambda path, n: Again(lambda: iter([np.loadtxt(path)])), False, "name of the column"),
        (lambda path, n: Again(rows(path, n)), False, "wants the function"),
        (lambda path, n: lambda: rows(path, n), False, "anew each time is `Again`"),
        (lambda path, n: np.loadtxt(path, skiprows=1), False, "single waits"),
        (held, False, "held all before"),
        (lambda path, n: 7, False, "TypeError"),
        (lambda path, n: None, False, "returned None"),
    ],
)
def test_rows_of_csv(read, right, hint):
    verdict = verdict_of(check.rows_of_csv, read)
    assert verdict.right is right
    assert hint in verdict.message
