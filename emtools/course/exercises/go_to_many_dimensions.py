"""Checks for the exercises of chapter 07, go to many dimensions."""

from collections.abc import Callable

import numpy as np

from emtools import multivariate
from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_short,
    is_close,
    judge,
    not_yet,
    parts_of,
    right,
    to_do,
)
from emtools.multivariate import MultivariateMixture


def density_by_hand(log_density: float | None) -> Verdict:
    """Log density of (2, 3) for mean 0 and covariance [[4, 2], [2, 2]]."""
    return judge(
        log_density,
        -2.5 - np.log(4 * np.pi),
        [
            (
                -2.75 - 0.5 * np.log(8) - np.log(2 * np.pi),
                "That ignores the 2 beside the diagonal: it is the product of two densities.",
            ),
            (-7.1560, "L stands on the wrong side: solve L s = x from top to bottom, not L^T."),
            (
                -2.5 - np.log(4) - np.log(2 * np.pi),
                "log 4 is the log of the determinant. Eq. (2) has half of it: the sum of the log "
                "of L's diagonal, log 2 + log 1.",
            ),
            (-2.5 - np.log(2), "The last term is missing: D/2 log 2 pi, with D = 2."),
            (-2.5 - np.log(2) - np.log(2 * np.pi) / 2, "D is 2: a whole log 2 pi, not half."),
            (-5 - np.log(2) - np.log(2 * np.pi), "|s|^2 = 5 is halved in Eq. (2)."),
            (-1.5 - np.log(2) - np.log(2 * np.pi), "|s|^2 is 1 + 4: square each, then add."),
            (2.5 + np.log(4 * np.pi), "Its sign: all three terms are subtracted."),
            (np.exp(-2.5 - np.log(4 * np.pi)), "That is the density; take its logarithm."),
        ],
        what="Find L and s on paper, then use Eq. (2).",
        hint="L is [[2, 0], [1, 1]]. Solve L s = x from the top, then use Eq. (2).",
        because="L = [[2, 0], [1, 1]], s = (1, 2), and -5/2 - log 2 - log 2 pi = -5.0310.",
        rtol=5e-5,
    )


def count_parameters(four_counts: list[int] | None) -> Verdict:
    """Parameters of three bells in four dimensions, in four structures."""
    return judge(
        four_counts,
        [44, 24, 26, 17],
        [
            ([45, 25, 27, 18], "One too many each: the weights sum to one, so 2 of 3 are free."),
            ([42, 22, 24, 15], "The weights are forgotten: 2 of them are free."),
            ([62, 30, 26, 17], "A covariance is symmetric: 10 numbers in four dimensions, not 16."),
            ([62, 24, 26, 17], "A covariance is symmetric: 10 numbers in four dimensions, not 16."),
            ([32, 18, 26, 17], "Between the diagonal and the corner there are 6, and 4 on it: 10."),
            ([44, 24, 18, 17], "Diagonal bells differ from each other: 3 times 4 variances."),
            ([44, 24, 26, 15], "Each of the three circles has its own variance."),
            ([44, 24, 18, 15], "Diagonal and spherical bells differ from each other: 12 and 3."),
            ([30, 10, 12, 3], "Those are the covariances. Add 2 weights and 12 means."),
            ([44, 26, 24, 17], "Tied and diag have changed places: one full matrix for all, 10."),
            ([17, 26, 24, 44], "In the order full, tied, diag, spherical, please."),
        ],
        what="Four numbers, in the order full, tied, diag, spherical.",
        hint="Four numbers: 2 free weights, 12 means, and what each structure has of covariances.",
        because="2 weights and 12 means, then 30, 10, 12 or 3. Full costs 2.6 times what spherical "
        "does; in twenty dimensions it would be 692 against 65.",
        rtol=1e-9,
    )


def in_seconds(changed: list[int] | None) -> Verdict:
    """How many labels change if eruptions are in seconds, for four structures."""
    return judge(
        changed,
        [0, 0, 0, 5],
        [
            ([0, 0, 0, 0], "One structure does feel it. Is only the first column times 60?"),
            (
                [0, 1, 0, 0],
                "Compare each structure with its own fit in minutes, fits[name]; `labels` are "
                "those of the full one.",
            ),
            ([5, 0, 0, 0], "In the order full, tied, diag, spherical, please."),
            ([0, 0, 5, 5], "Ellipses along the axes can stretch with them: diag does not feel it."),
            ([272] * 4, "A count of what *differs*: (before != after).sum()."),
            ([272, 272, 272, 267], "A count of what *differs*: (before != after).sum()."),
            (
                [0, 0, 0, 267],
                "The circles' two labels have changed places: 272 - 267 differ.",
            ),
        ],
        what="Fit X * [60, 1] with each structure and count the labels that differ from `fits`.",
        because="Only circles feel it. Times 60 for both columns, and they would not either; times "
        "60 for the wait, and their log-likelihood changes but no label does.",
        rtol=1e-9,
    )


def lopsided() -> MultivariateMixture:
    """Three bells in three dimensions, unequal in everything, as `m_step` might give them."""
    roots = np.arange(27.0).reshape(3, 3, 3) % 7 + 4 * np.eye(3)
    return MultivariateMixture(
        np.array([0.2, 0.3, 0.5]),
        np.array([[0.0, 1.0, 5.0], [4.0, 2.0, 1.0], [9.0, 9.0, 9.0]]),
        roots @ roots.transpose(0, 2, 1) / 10,
    )


def equal_circles(structure: Callable) -> Verdict:
    """One variance for all features and all components."""
    given = lopsided()
    made = answer_of(structure, given)
    made = parts_of(made, given)
    if isinstance(made, Verdict):
        return made
    if not all(is_close(made[field], given[field], 1e-9) for field in (0, 1)):
        return not_yet("Weights and means should stay as they are: mixture._replace changes one.")
    found = made.covariances
    if is_close(found, given.covariances, 1e-9):
        return to_do("So far it changes nothing. Two of the four structures together would do.")
    expected = multivariate.tied(multivariate.spherical(given)).covariances
    if is_close(found, expected, 1e-6):
        return right(
            "Spherical, then tied, or the other way round: averages of averages. Six parameters "
            "on Old Faithful, log-likelihood -1709.6814. k-means is often taken for this one."
        )
    variances = np.trace(given.covariances, axis1=1, axis2=2) / 3
    slips = [
        (multivariate.spherical(given).covariances, "The circles still differ in size."),
        (multivariate.tied(given).covariances, "All alike, but not circles."),
        (multivariate.diag(given).covariances, "Those are ellipses along the axes."),
        (
            np.tile(variances.mean() * np.eye(3), (3, 1, 1)),
            "A plain average of the three variances. A bell that owns more has more to say: "
            "weight them.",
        ),
        (3 * expected, "The trace is a sum of D variances: divide by D."),
        (np.sqrt(expected), "Those are standard deviations; a covariance holds variances."),
    ]
    for wrong, slip in slips:
        if is_close(found, wrong, 1e-6):
            return not_yet(slip)
    if np.any(found * (1 - np.eye(3)) != 0):
        return not_yet("Beside its diagonal a circle has zeros: times np.eye(n_features).")
    k = int(np.abs(found - expected).max(axis=(1, 2)).argmax())
    return not_yet(
        f"The diagonal of component {k} is {in_short(np.diagonal(found[k]))}; it should be "
        f"{in_short(np.diagonal(expected[k]))}."
    )
