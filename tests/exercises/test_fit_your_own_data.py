"""Answers to the exercises of chapter 08, fit your own data, and what it quotes of scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from verdicts import verdict_of

from emtools import data, fit, multivariate, predict, responsibilities, sorted_by_mean
from emtools.course.exercises import fit_your_own_data as check


def in_doubt(X, mixture, share):
    """The right answer of exercise 3."""
    return np.flatnonzero(multivariate.e_step(X, mixture)[0].max(axis=1) < share)


RIGHT = [
    (check.every_bird_twice, [-10301.376169]),
    (check.every_bird_twice, [[-10301.38]]),
    (check.in_inches, [-1831.8354]),
    (check.in_doubt, [in_doubt]),
    (check.in_doubt, [lambda *given: in_doubt(*given)[::-1]]),
    (check.mend_the_table, [-1126.6931]),
    (check.mend_the_table, [-1126.6930824]),
    (check.mend_the_table, [-2236.2605]),
]


@pytest.mark.parametrize(("exercise", "answers"), RIGHT)
def test_right_answers(exercise, answers):
    assert verdict_of(exercise, *answers).right is True


def of_largest(chosen):
    """A function that makes something of the largest responsibilities and the share."""
    return lambda X, mixture, share: chosen(multivariate.e_step(X, mixture)[0].max(axis=1), share)


WRONG = [
    (check.every_bird_twice, [-5150.688084], "twice as many birds"),
    (check.every_bird_twice, [-2575.344042], "not half"),
    (check.every_bird_twice, [-4913.63175], "does not go into"),
    (check.every_bird_twice, [-10301], "Right so far"),
    (check.every_bird_twice, [-15.0605], "mean of a row"),
    (check.in_inches, [-8469.5407], "wrong way round"),
    (check.in_inches, [-4044.4039], "not one"),
    (check.in_inches, [-725.5512], "not four"),
    (check.in_inches, [-5140.9838], "342"),
    (check.in_inches, [-5150.688084], "per inch now"),
    (check.in_inches, [-3709.3287], "natural logarithm"),
    (check.in_inches, [-1831.8], "Right so far"),
    (check.in_inches, [-1000.0], "multiplied by 25.4 three times"),
    (check.in_doubt, [of_largest(lambda largest, share: largest < share)], "truth values"),
    (
        check.in_doubt,
        [of_largest(lambda largest, share: np.flatnonzero(largest >= share))],
        "*not* in doubt",
    ),
    (
        check.in_doubt,
        [of_largest(lambda largest, share: np.flatnonzero(largest < share) + 1)],
        "from 0",
    ),
    (check.in_doubt, [of_largest(lambda largest, share: largest[largest < share])], "numbers of"),
    (check.in_doubt, [of_largest(lambda largest, share: largest)], "small one"),
    (check.in_doubt, [of_largest(lambda largest, share: (largest < share).sum())], "which ones"),
    (
        check.in_doubt,
        [lambda X, m, s: np.flatnonzero((multivariate.e_step(X, m)[0] < s).any(axis=1))],
        "every row",
    ),
    (
        check.in_doubt,
        [of_largest(lambda largest, share: np.flatnonzero(largest < 0.9))],
        "Use `share`",
    ),
    (check.in_doubt, [lambda X, m, s: [4]], "they should be 1, 3, 6"),
    (check.in_doubt, [lambda X, m, s: None], "returned None"),
    (check.in_doubt, [lambda X, m, s: m.wait], "stopped with AttributeError"),
    (check.mend_the_table, [-1126.69], "Right so far: give three decimals"),
    (check.mend_the_table, [-613.327], "measures the floor"),
    (check.mend_the_table, [-385.466], "standardised"),
    (check.mend_the_table, [-1130.26396], "does not have"),
    (check.mend_the_table, [-1130.26], "does not have"),
    (check.mend_the_table, [-1154.51697], "not 0"),
    (check.mend_the_table, [-1138.70057], "filled in"),
    (check.mend_the_table, [-3120.61862], "twice"),
    (check.mend_the_table, [-1030.28168], "more than needed"),
    (check.mend_the_table, [-275.5138], "the waits can stay"),
    (check.mend_the_table, [-1144.19315], "on the right rows"),
    (check.mend_the_table, [-1034.00175], "more than needed"),
]


@pytest.mark.parametrize(("exercise", "answers", "hint"), WRONG)
def test_wrong_answers_hear_what_is_wrong(exercise, answers, hint):
    verdict = verdict_of(exercise, *answers)
    assert verdict.right is False
    assert hint in verdict.message


def test_the_stub_of_in_doubt_is_a_stub():
    assert verdict_of(check.in_doubt, lambda X, mixture, share: X).right is None


def test_the_flock_has_doubts_that_differ_with_the_share():
    X, mixture = check.flock()
    assert in_doubt(X, mixture, 0.9).tolist() == [1, 3, 6]
    assert in_doubt(X, mixture, 0.65).tolist() == [3, 6]


@pytest.fixture(scope="module")
def birds():
    """The 342 penguins that were measured, and their species."""
    measurements, species = data.penguins()
    seen = ~np.isnan(measurements).any(axis=1)
    return measurements[seen], species[seen]


def test_numbers_of_the_penguins_are_those_of_fit(birds):
    X, species = birds
    found = fit(X, 3, rng=1)
    twice = fit(X, found, sample_weight=np.full(342, 2.0)).log_likelihood
    assert verdict_of(check.every_bird_twice, twice).right is True
    inches = fit(X / [25.4, 25.4, 25.4, 1], 3, rng=1).log_likelihood
    assert verdict_of(check.in_inches, inches).right is True
    assert round(adjusted_rand_score(species, predict(X, found)), 4) == 0.9603
    assert (responsibilities(X, sorted_by_mean(found)).max(axis=1) < 0.9).sum() == 8


def test_numbers_of_the_mended_table_are_those_of_fit():
    X = data.old_faithful()
    wait = X[:, 1]
    table = np.column_stack([X, 60 * wait])
    kept = np.delete(table, 10, axis=0)
    zero, filled = X.copy(), X.copy()
    zero[10, 0], filled[10, 0] = 0, kept[:, 0].mean()
    problems = [
        (kept[:, :2], "full", True),
        (kept[:, [0, 2]], "full", True),
        (X, "full", False),
        (zero, "full", False),
        (filled, "full", False),
        (kept, "diag", False),
        (kept[:, :2], "diag", False),
        (kept[:, 0], "full", False),
        (kept[:, 1], "full", False),
        (wait, "full", False),
    ]
    for x, covariance, right in problems:
        rng = np.random.default_rng(1)
        end = fit(x, 2, covariance=covariance, rng=rng).log_likelihood
        verdict = verdict_of(check.mend_the_table, end)
        assert verdict.right is right
        assert "is not it" not in verdict.message


def test_numbers_of_a_floor_and_of_standardised_columns_are_those_of_fit():
    X = data.old_faithful()
    kept = np.delete(np.column_stack([X, 60 * X[:, 1]]), 10, axis=0)
    columns = kept[:, :2] - kept[:, :2].mean(axis=0)
    problems = [(kept, 1e-3), *((columns / columns.std(axis=0, ddof=ddof), 0) for ddof in (0, 1))]
    for x, min_std in problems:
        end = fit(x, 2, min_std=min_std, n_starts=1, rng=1).log_likelihood
        assert "is not it" not in verdict_of(check.mend_the_table, end).message


# What the chapter quotes of scikit-learn, which its readers need not have.


@pytest.mark.parametrize(
    ("options", "is_standardised", "log_likelihood", "agreement"),
    [
        ({"random_state": 0}, False, -5150.7422, 0.9603),
        (
            {"random_state": 0, "tol": 1e-10, "reg_covar": 0, "max_iter": 10_000},
            False,
            -5150.6881,
            0.9603,
        ),
        ({"random_state": 2}, True, -5190.8698, 0.5144),
    ],
)
def test_the_quoted_numbers_are_those_of_scikit_learn(
    birds, options, is_standardised, log_likelihood, agreement
):
    X, species = birds
    spread = X.std(axis=0) if is_standardised else np.ones(4)
    theirs = GaussianMixture(3, **options).fit(X / spread)
    total = len(X) * (theirs.score(X / spread) - np.log(spread).sum())
    assert theirs.converged_
    assert abs(total - log_likelihood) < 1e-4
    assert abs(adjusted_rand_score(species, theirs.predict(X / spread)) - agreement) < 1e-4
