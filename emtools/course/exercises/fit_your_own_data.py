"""Checks for the exercises of chapter 08, fit your own data."""

from collections.abc import Callable

import numpy as np

from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_short,
    is_close,
    judge,
    not_yet,
    numbers_of,
    right,
    to_do,
)
from emtools.multivariate import MultivariateMixture, e_step

BEST = -5150.688084347888  # three full components on the 342 penguins


def every_bird_twice(log_likelihood: float | None) -> Verdict:
    """The log-likelihood if each row counts twice."""
    return judge(
        log_likelihood,
        2 * BEST,
        [
            (BEST, "The estimates stay, but a sum over twice as many birds does not."),
            (BEST / 2, "Twice the birds is twice the sum, not half of it."),
            (
                BEST + 342 * np.log(2),
                "A sample weight multiplies the log density; it does not go into the logarithm.",
            ),
            (BEST + np.log(2), "A sample weight multiplies the log density of each row."),
            (2 * BEST / 684, "That is the mean of a row; the sum is asked for."),
        ],
        what="The chapter's fit has -5150.688084. What becomes of a sum if its terms count twice?",
        because="Each log density counts twice, and so does their sum. The estimates stay: a "
        "factor common to all rows cancels in every average.",
        rtol=1e-6,
    )


def in_inches(log_likelihood: float | None) -> Verdict:
    """The log-likelihood if the three lengths are in inches."""
    inch = np.log(25.4)
    return judge(
        log_likelihood,
        BEST + 342 * 3 * inch,
        [
            (
                BEST - 342 * 3 * inch,
                "The wrong way round: a bell that is narrower in its units is higher.",
            ),
            (BEST + 342 * inch, "Three columns change their unit, not one."),
            (BEST + 342 * 4 * inch, "The mass stays in grams: three columns change, not four."),
            (BEST + 3 * inch, "That is the change for one bird; there are 342."),
            (BEST, "The labels stay, the densities do not: they are per inch now."),
            (BEST + 342 * 3 * np.log10(25.4), "The natural logarithm, please."),
            (BEST + 342 * inch / 3, "One log 25.4 for each column, and three columns."),
            (BEST + 342 * 3 / 2 * inch, "A density is per inch, not per root of an inch."),
        ],
        what="Which columns change, by which factor, and what does that do to each log density?",
        hint="Each length is divided by 25.4, so each density is multiplied by 25.4 three times.",
        because="342 times 3 log 25.4 higher, and the same fit. Whoever compares log-likelihoods "
        "of different units compares the units.",
        rtol=1e-6,
    )


def flock() -> tuple[np.ndarray, MultivariateMixture]:
    """Seven observations of three bells in two dimensions; rows 1, 3 and 6 are in some doubt."""
    X = np.array(
        [[0.0, 0.1], [1.95, 0.2], [4.0, 0.3], [3.0, 2.05], [0.2, -0.5], [3.1, 4.2], [1.5, 2.4]]
    )
    means = np.array([[0.0, 0.0], [4.0, 0.0], [3.0, 4.0]])
    covariances = np.array([[[1.0, 0.2], [0.2, 1.0]], np.eye(2), [[0.8, -0.1], [-0.1, 1.2]]])
    return X, MultivariateMixture(np.array([0.5, 0.3, 0.2]), means, covariances)


def in_doubt(function: Callable) -> Verdict:
    """The rows of which no component has as much as this share."""
    X, mixture = flock()
    resp = e_step(X, mixture)[0]
    largest = resp.max(axis=1)
    for share in (0.9, 0.65):
        verdict = rows_in_doubt(answer_of(function, X, mixture, share), resp, largest < share)
        if verdict is not None:
            return verdict
    return right(
        "The largest responsibility of each row, compared with the share. For the penguins it "
        "finds the eight birds that the chapter has counted."
    )


def rows_in_doubt(made, resp, expected):
    """The verdict on the rows that a reader's function returned; None if they are right."""
    if isinstance(made, Verdict):
        return made
    if is_close(made, flock()[0]):
        return to_do("So far it returns X. Which rows have a largest responsibility under share?")
    rows = np.flatnonzero(expected)
    made = sorted(made) if isinstance(made, set) else made
    found = numbers_of(made)
    if is_truth(made, len(expected)):
        return not_yet("Those are truth values, one a row: np.flatnonzero turns them into rows.")
    if found is None or found.ndim > 1:
        return not_yet(f"Return the numbers of the rows, such as [1, 3], not {in_short(made)}.")
    found = found.ravel()
    if found.size == 0:
        return not_yet("It finds no row. Is it the largest responsibility of each *row*, axis=1?")
    if is_close(np.sort(found), rows, 1e-9) and len(found) == len(rows):
        return None
    slips = [
        (np.flatnonzero(~expected), "Those are the rows that are *not* in doubt."),
        (rows + 1, "Rows are counted from 0."),
        (resp.max(axis=1)[rows], "Those are responsibilities; the numbers of the rows, please."),
        (resp.max(axis=1), "Those are the largest responsibilities; which rows have a small one?"),
        (
            np.arange(len(expected)),
            "That is every row. Is it the *largest* responsibility that you compare?",
        ),
        (len(rows), "That is how many there are; which ones?"),
        (np.flatnonzero(resp.max(axis=1) < 0.9), "For a share of 0.65, too? Use `share`."),
    ]
    for wrong, slip in slips:
        if is_close(np.sort(found), np.sort(np.ravel(wrong)), 1e-9):
            return not_yet(slip)
    wanted = in_short(rows) if len(rows) > 1 else f"{rows[0]} alone"
    return not_yet(f"The rows are {in_short(found)}; they should be {wanted}.")


def is_truth(made, n_rows):
    """Whether an answer is one truth value for each row."""
    try:
        values = np.asarray(made)
    except Exception:  # whatever a reader's function returns
        return False
    return values.dtype == bool and values.shape == (n_rows,)


def mend_the_table(log_likelihood: float | None) -> Verdict:
    """The fit to 271 rows and two columns, in minutes or with the wait in seconds."""
    in_minutes = -1126.6930824207
    if is_close(log_likelihood, in_minutes - 271 * np.log(60), 1e-6):
        return right("You kept the seconds: the same fit, less 271 log 60, because of the unit.")
    if is_close(log_likelihood, -613.33, 2e-4):  # rounding is all the width there is
        return not_yet(
            "A floor keeps the wait counted twice from stopping the fit, and the fit then "
            "measures the floor. Leave the second wait out."
        )
    return judge(
        log_likelihood,
        in_minutes,
        [
            (-1130.263960, "That is X, with the value that the table does not have."),
            (-1154.516970, "A missing value is not 0: that eruption would have lasted no time."),
            (
                -1138.700571,
                "You filled in the mean. It looks harmless, and puts an eruption between the two "
                "clouds that nobody saw. Leave the row out; chapter 12 can do better.",
            ),
            (-3120.618622, "Diagonal bells do not complain, and count the wait twice. Full bells!"),
            (-1144.193154, "Diagonal bells, on the right rows and columns. Full bells!"),
            (-1136.435400, "Tied bells, on the right rows and columns. Full bells, the default!"),
            (-1703.808478, "Circles, on the right rows and columns. Full bells, the default!"),
            (-275.513798, "You left out more than needed: the waits can stay."),
            (-1030.281676, "You left out more than needed: the eruptions can stay."),
            (-1034.001750, "You left out more than needed: the eruptions can stay."),
            (-385.466363, "You have standardised the columns. Keep the units."),
            (-384.464515, "You have standardised the columns. Keep the units."),
        ],
        what="Which row has a gap? Which column is constant? Which says the same as another?",
        because="271 rows and two columns: one row had a gap, one column was constant, one said "
        "the same as another. Three different messages, three different cures.",
        rtol=1e-6,
        hint="Leave out one row and two columns, and set no min_std: then all three messages are "
        "answered.",
    )
