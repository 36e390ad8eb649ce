"""Checks for the exercises of chapter 09, choose how many."""

from collections.abc import Callable

import numpy as np

from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_turn,
    is_close,
    judge,
    not_yet,
    numbers_of,
    right,
    to_do,
)
from emtools.selection import aic, bic

ENZYME_THREE, N_ENZYME = -47.82679093, 245
GALAXIES_THREE, GALAXIES_FOUR = -203.179227965, -197.453763760


def enzyme_bill(bic_of_three: float | None) -> Verdict:
    """BIC of three bells on the enzyme."""
    height, n = ENZYME_THREE, N_ENZYME
    return judge(
        bic_of_three,
        bic(height, 8, n),
        [
            (
                -bic(height, 8, n),
                "That is mclust's sign. Here smaller is better: -2 l comes first.",
            ),
            (-bic(-height, 8, n), "That is mclust's sign, and l has lost its own."),
            (bic(-height, 8, n), "The log-likelihood is negative, so -2 l is positive."),
            (
                bic(height, 9, n),
                "The weights sum to one: three bells have 3 * 3 - 1 parameters, not 9.",
            ),
            (bic(height, 3, n), "That counts bells. Each has a mean, a width and a weight."),
            (
                bic(height, 6, n),
                "Two of the weights can move, too, and each bell has its own width.",
            ),
            (bic(height, 7, n), "Three means, three widths, two weights: that is 8."),
            (bic(height, 5, n), "That is p of two bells."),
            (aic(height, 8), "That is the AIC: BIC takes log N in place of 2."),
            (-height + 8 * np.log(n), "The log-likelihood counts twice."),
            (-height + 4 * np.log(n), "That is half of it: -2 l + p log N."),
            (-2 * height + 8 * np.log10(n), "log is the natural logarithm, not that to base 10."),
            (-2 * height + 16 * np.log(n), "p log N, not 2 p log N."),
            (bic(-48.80342413, 8, n), "That is from the lower hill, mclust's."),
            (bic(-54.6400150457, 5, n), "That is two bells."),
        ],
        what="Put l, p = 3 K - 1 and N = 245 into Eq. (2).",
        because="139.66, three more than the 136.79 of two bells: BIC stays with two.",
        rtol=5e-5,
    )


def copies_are_not_data(bic_of_three: float | None, bic_of_four: float | None) -> Verdict:
    """BIC of three and four bells on ten copies of the galaxies."""
    return in_turn(
        bic_of_copies(bic_of_three, GALAXIES_THREE, 8, "three", ""),
        bic_of_copies(
            bic_of_four,
            GALAXIES_FOUR,
            11,
            "four",
            "4117.3 and 4022.9: now BIC takes four, and nothing has been learnt. It believes that "
            "N rows are N observations. AIC does, too.",
        ),
    )


def bic_of_copies(answer, height, p, name, because):
    """The verdict on one of the two."""
    return judge(
        answer,
        bic(10 * height, p, 820),
        [
            (bic(height, p, 82), "That is with 82 rows."),
            (bic(height, p, 820), "N is right. But each copy adds its own log density to l."),
            (bic(10 * height, p, 82), "l is right. But N is 820 now."),
            (10 * bic(height, p, 82), "l grows ten times, the price of a parameter does not."),
            (
                10 * bic(height, p, 820),
                "l grows ten times; p does not, and N is in log N already.",
            ),
            (aic(10 * height, p), "That is the AIC."),
            (-bic(10 * height, p, 820), "That is mclust's sign."),
            (
                bic(10 * height, p + 1, 820),
                f"{p + 1} parameters? The weights sum to one: p is {p}.",
            ),
            (bic(10 * GALAXIES_FOUR, 11, 820), "That is four bells."),
            (bic(10 * GALAXIES_THREE, 8, 820), "That is three bells."),
        ],
        what=f"BIC of {name} bells: what becomes of l and of N if each row stands ten times?",
        because=because,
        rtol=2e-5,
    )


def table_of(means, sizes):
    """Four folds a row, evenly up and down: mean and size of the deviations of each row."""
    return np.array(means)[:, None] + np.outer(sizes, [1, -1, 1, -1])


# Each tells at least one of the wrong rules below from the right one.
TABLES = [
    table_of([1.0, 2.95, 3.0, 2.5], [0.1, 0.1, 0.2, 0.1]),
    table_of([2.8, 2.95, 3.0], [0.2, 0.2, 0.2]),
    table_of([2.89, 2.95, 3.0], [0.2, 0.2, 0.2]),
    table_of([2.8, 2.99, 3.0], [0.5, 0.1, 0.1]),
    table_of([3.0, 2.0], [0.1, 0.1]),
    table_of([2.95, 2.5, 3.0], [0.2, 0.2, 0.2]),
    table_of([2.875, 2.95, 3.0], [0.2, 0.2, 0.2]),
    table_of([2.0, 3.0, 2.95], [0.1, 0.1, 0.1]),
]


def error_of(values, ddof=1, n=None):
    """Standard error of the mean of each row."""
    return values.std(axis=-1, ddof=ddof) / np.sqrt(n or values.shape[-1])


def first_within(scores, errors):
    """The smallest K whose mean is at most its entry of `errors` under the best."""
    means = scores.mean(axis=1)
    return int(np.argmax(means >= means.max() - errors)) + 1


def by_the_rule(scores, **options):
    """The smallest K within one standard error of the best."""
    return first_within(scores, error_of(scores[scores.mean(axis=1).argmax()], **options))


def by_the_rule_backwards(scores):
    """How many K from the largest down to the first within one standard error of the best."""
    return by_the_rule(scores[::-1])


def next_below(scores):
    """From the best downwards, as long as it stays within."""
    means, size = scores.mean(axis=1), int(scores.mean(axis=1).argmax())
    least = means[size] - error_of(scores[size])
    while size > 0 and means[size - 1] >= least:
        size -= 1
    return size + 1


WRONG_RULES = [
    (lambda t: by_the_rule(t) - 1, "That is a row, counted from 0. Row 0 is one component."),
    (
        lambda t: by_the_rule(t, n=1),
        "That is one standard deviation: divide by the root of how many folds.",
    ),
    (
        lambda t: by_the_rule(t, n=len(t)),
        "That divides by the root of how many K; there is one score for each fold.",
    ),
    (
        lambda t: by_the_rule(t, ddof=0),
        "The standard deviation of a few folds is taken with ddof=1.",
    ),
    (lambda t: first_within(t, error_of(t)), "The error is that of the best K, for all of them."),
    (
        lambda t: first_within(t, error_of(t - t[t.mean(axis=1).argmax()])),
        "That is the error of the differences. The rule takes that of the best K's own folds.",
    ),
    (
        lambda t: len(t) + 1 - by_the_rule_backwards(t),
        "That is the largest K within reach; take the smallest.",
    ),
    (next_below, "The smallest K within reach, even if one between is out of reach."),
    (
        lambda t: first_within(t, np.inf),
        "It always takes the smallest K. A row is a K: means go along it, axis=1.",
    ),
]


def simplest(function: Callable) -> Verdict:
    """The smallest K within one standard error of the best."""
    answers = answers_of(function, [(table,) for table in TABLES], "a number of components")
    if isinstance(answers, Verdict):
        return answers
    if all(is_close(one, by_the_rule(t)) for one, t in zip(answers, TABLES, strict=True)):
        return right("A rule of thumb: what noise cannot tell apart, the simpler model gets.")
    if all(
        is_close(one, t.mean(axis=1).argmax() + 1) for one, t in zip(answers, TABLES, strict=True)
    ):
        return to_do("It takes the best. Which smaller K is within one standard error of it?")
    for rule, slip in WRONG_RULES:
        if all(is_close(one, rule(t)) for one, t in zip(answers, TABLES, strict=True)):
            return not_yet(slip)
    for one, t in zip(answers, TABLES, strict=True):
        if not is_close(one, by_the_rule(t)):
            break
    means = ", ".join(f"{mean:g}" for mean in t.mean(axis=1))
    error = error_of(t[t.mean(axis=1).argmax()])
    return not_yet(
        f"For means {means} and a standard error of the best of {error:.3f} it says "
        f"{float(numbers_of(one)):g}, and the rule {by_the_rule(t)}."
    )


# Of the data, and of draws; nan for a draw that collapsed.
RATIOS = [
    (5.0, np.array([1.0, 2.0, np.nan, 7.0, 5.0])),
    (100.0, np.array([1.0, 2.0, 3.0])),
    (0.0, np.array([np.nan, 1.0, np.nan, 2.0, 3.0, 4.0])),
    (3.0, np.array([4.0, np.nan, 8.0, 1.0, 2.0, 9.0, np.nan, 0.0])),
]


def p_of(observed, ratios, extra=1, strict=False, lost="left out"):
    """The p-value, right unless told otherwise."""
    above = np.sum(ratios > observed) if strict else np.sum(ratios >= observed)
    n_lost = np.isnan(ratios).sum()
    above = above + n_lost * (lost == "above")
    return (extra + above) / (len(ratios) - n_lost * (lost == "left out") + extra)


WRONG_P = [
    ({"extra": 0}, "Without the one for the data themselves p can be 0."),
    ({"extra": 0, "strict": True}, "Without the one for the data themselves p can be 0."),
    (
        {"extra": 0, "lost": "below"},
        "Draws that collapsed still count below the line, and p can be 0.",
    ),
    ({"strict": True}, "A draw that equals the data has reached them, too: >=, not >."),
    ({"lost": "below"}, "Draws that collapsed are left out below the line as well."),
    (
        {"lost": "below", "strict": True},
        "Draws that collapsed are left out below the line as well.",
    ),
    ({"lost": "above"}, "A draw that collapsed has not reached the data; leave it out."),
]


def honest_p(function: Callable) -> Verdict:
    """A p-value that leaves out what collapsed, and is never 0."""
    answers = answers_of(function, RATIOS, "one number")
    if isinstance(answers, Verdict):
        return answers
    if agree(answers, lambda *case: p_of(*case)):
        return right("The data are one more draw. With 99 draws, p is 0.01 or more.")
    if agree(answers, lambda *case: p_of(*case, extra=0, strict=True, lost="below")):
        return to_do("Leave out the nan, and count the data themselves as one more draw.")
    for options, slip in WRONG_P:
        if agree(answers, lambda *case, options=options: p_of(*case, **options)):
            return not_yet(slip)
    if agree(answers, lambda *case: p_of(*case) - 1 / (1 + np.isfinite(case[1]).sum())):
        return not_yet("The data count above the line, too: 1 + how many reach them.")
    if agree(answers, lambda *case: p_of(*case) * (1 + 1 / np.isfinite(case[1]).sum())):
        return not_yet("The data count below the line, too: as many draws as came through, and 1.")
    if any(not np.isfinite(numbers_of(one)) for one in answers):
        return not_yet("It gives nan or inf. np.isnan says which draws to leave out.")
    if agree(answers, lambda *case: 1 - p_of(*case)):
        return not_yet("That is how many draws stay below; p counts those that reach the data.")
    observed = RATIOS[0][0]
    return not_yet(
        f"For an observed {observed:g} and the ratios 1, 2, nan, 7, 5 it says "
        f"{float(numbers_of(answers[0])):.4g}. Two of four reach it; with the data, three of five."
    )


def agree(answers, rule):
    """Whether all answers are those of a rule."""
    return all(is_close(one, rule(*case)) for one, case in zip(answers, RATIOS, strict=True))


def answers_of(function, cases, what):
    """What a function returns for each case, one number each, or the verdict if it does not."""
    answers = []
    for case in cases:
        answer = answer_of(function, *case)
        if isinstance(answer, Verdict):
            return answer
        numbers = numbers_of(answer)
        if numbers is None or numbers.size != 1:
            return not_yet(f"Your function should return {what}.")
        answers.append(answer)
    return answers


def third_bell(log_likelihood: float | None) -> Verdict:
    """Three bells on the acidity, from the end with two."""
    return judge(
        log_likelihood,
        -178.754397145,
        [
            (-181.705390821, "That is with the right bell cut. Cut the left one, too."),
            (-184.644708901, "That is the end with two bells."),
            (-185.949264496, "That is two bells of one width."),
            (-187.234513217, "That is the lower hill of two bells. Start from higher."),
        ],
        what="Cut a bell of `higher` into two, run iterate(lake_step, ...); then the other bell.",
        hint="Half the weight each, the same width, means half a width to either side; two runs.",
        because="The same as mclust's three bells, and the start could not end under two bells.",
        rtol=5e-7,
    )
