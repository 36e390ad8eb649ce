"""Checks for the exercises of chapter 10, mix other families."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_short,
    in_turn,
    is_close,
    judge,
    kind_of,
    not_yet,
    numbers_of,
    right,
    to_do,
)

DAYS, ZEROS, DEATHS = 1096, 162, 2364


class Tries(NamedTuple):
    """Parameters of geometric numbers of tries."""

    weights: np.ndarray
    hits: np.ndarray


def quiet_day(share: float | None) -> Verdict:
    """Responsibility of the first Poisson component for a day without deaths."""
    joint = np.array([0.3, 0.7]) * np.exp([-1.0, -2.5])
    first = joint[0] / joint.sum()
    return judge(
        share,
        first,
        [
            (1 / (1 + np.exp(-1.5)), "That is without the weights, 0.3 and 0.7."),
            (0.3, "That is the weight: what you knew before you saw the day."),
            (1 - first, "That is the second component's share."),
            (joint[0], "That is the joint, 0.3 times exp(-1). Divide by the sum of both."),
            (np.exp(-1), "That is the density alone, without weight, and not divided by a sum."),
            (0.3 / (0.3 + 0.7 * 2.5), "The density of 0 deaths is exp(-rate), not the rate."),
        ],
        what="Weight times exp(-rate) for both components; then the first over their sum.",
        because="0.3 exp(-1) over 0.3 exp(-1) + 0.7 exp(-2.5): a quiet day multiplies the odds "
        "of the lower rate by exp(1.5), 4.5.",
    )


def extra_zeros(q: float | None, weight: float | None, rate: float | None) -> Verdict:
    """One step of zero inflation from an extra weight of 0.1 and a rate of 2."""
    extra = 0.1 / (0.1 + 0.9 * np.exp(-2))
    return in_turn(
        judge(
            q,
            extra,
            [
                (0.1, "That is the weight, before you know that the day had no deaths."),
                (0.1 / (0.1 + np.exp(-2)), "The other component has a weight, too: 0.9."),
                (1 / (1 + np.exp(-2)), "That is without the weights, 0.1 and 0.9."),
                (1 - extra, "That is the share of the other component."),
                (1.0, "A Poisson with a rate of 2 gives zeros as well, exp(-2) of the time."),
            ],
            what="An extra zero is a zero for certain, and a Poisson gives one with exp(-2).",
        ),
        judge(
            weight,
            ZEROS * extra / DAYS,
            [
                (extra, "That is q again. Only the 162 days without deaths have this share."),
                (ZEROS / DAYS, "Not all zeros are extra: each counts as q."),
                (ZEROS * extra, "That is a number of days; as a share of 1096 it is the weight."),
                (1 - ZEROS * extra / DAYS, "That is the weight of the other component."),
            ],
            what="q is right. The weight is the soft count of extra zeros over all days.",
        ),
        judge(
            rate,
            DEATHS / (DAYS - ZEROS * extra),
            [
                (DEATHS / (DAYS - ZEROS), "That leaves out all zeros; leave out q of each."),
                (DEATHS / DAYS, "That is the mean of all days: no zero is left out."),
                (DEATHS / (DAYS - ZEROS * (1 - extra)), "Leave out q of each zero, not 1 - q."),
                (
                    DEATHS * (1 - ZEROS * extra / DAYS) / DAYS,
                    "Divide by the Poisson's share of the days; do not multiply.",
                ),
            ],
            what="The weight is right. The rate: all 2364 deaths over the days that are left.",
            because="0.4509, 0.0666 and 2.3109. The end is 0.0496 and 2.2694: most days without "
            "deaths need no second explanation.",
        ),
    )


def table_of(log_pdf, x, mixture):
    """What a reader's log density gives, (N, K), or the verdict if it is no such table."""
    answer = answer_of(log_pdf, x, mixture)
    if isinstance(answer, Verdict):
        return answer
    shape, numbers = (len(x), len(mixture.hits)), numbers_of(answer)
    if numbers is None:
        return not_yet(f"It should return an (N, K) array, not {kind_of(answer)}.")
    if numbers.shape == shape[::-1]:
        return not_yet("Its axes have changed places: one row for each observation, x[:, None].")
    if numbers.shape != shape:
        return not_yet(
            f"For {shape[0]} observations and {shape[1]} components it should return the shape "
            f"{shape}, not {np.shape(answer)}. x[:, None] makes a column of x."
        )
    return numbers


def tries_log_pdf(log_pdf: Callable) -> Verdict:
    """The log density of a geometric family."""
    x, mixture = np.array([1.0, 2.0, 5.0, 3.0]), Tries(np.array([0.3, 0.7]), np.array([0.2, 0.6]))
    table = table_of(log_pdf, x, mixture)
    if isinstance(table, Verdict):
        return table
    hit, miss = np.log(mixture.hits), np.log(1 - mixture.hits)
    expected = (x[:, None] - 1) * miss + hit
    if not is_close(table, expected, 1e-6):
        slips = [
            (np.exp(expected), "That is the density. Its logarithm is wanted."),
            (x[:, None] * miss + hit, "x tries are x - 1 misses and a hit."),
            ((x[:, None] - 1) * miss, "The last try hits: add log h."),
            ((x[:, None] - 1) * hit + miss, "h is the chance of a hit: it misses with 1 - h."),
            (expected + np.log(mixture.weights), "Leave out the weights: the E-step adds them."),
            (expected / np.log(10), "The natural logarithm is wanted, np.log."),
        ]
        for wrong, why in slips:
            if is_close(table, wrong, 1e-5):
                return not_yet(why)
        if not table.any():
            return to_do("It is zero everywhere. Take the logarithm of the density.")
        return not_yet(f"For x = 1 and h = 0.2 it says {in_short(table[0, 0])}: log h is wanted.")
    sure = table_of(log_pdf, x, mixture._replace(hits=np.array([0.2, 1.0])))
    if isinstance(sure, Verdict):
        return sure
    if np.isnan(sure).any():
        return not_yet("With h = 1 it is nan: 0 misses times log 0. `log_powers` knows better.")
    if not is_close(sure[:, 1], [0, -np.inf, -np.inf, -np.inf], 1e-6):
        return not_yet("With h = 1 one try is certain, 0, and more have no chance, -inf.")
    return right("x - 1 misses and a hit, powers both: `log_powers` does it, and h = 1 as well.")


def match_tries(match: Callable) -> Verdict:
    """The moment match of a geometric family."""
    x = np.array([1.0, 2.0, 5.0, 3.0])
    resp = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.5, 0.5]])
    answer = answer_of(match, x, resp)
    if isinstance(answer, Verdict):
        return answer
    counts, sums = resp.sum(axis=0), resp.T @ x
    slips = [
        (sums / counts, "That is the mean number of tries, 1 / h."),
        (np.full(2, 1 / x.mean()), "That is 1 over the mean of all: weigh by resp."),
        (len(x) / sums, "Divide by the soft counts, not by N."),
        (resp.T @ (1 / x) / counts, "The mean of 1 / x is not 1 over the mean of x."),
        (counts / (sums - counts), "x counts all tries, the hit too: their mean is 1 / h."),
        (counts / (counts + sums), "x counts the hit already: its mean is 1 / h, not 1 / h - 1."),
        (1 / sums, "A mean is a sum divided by the soft count."),
        (counts / len(x), "Those are the weights; `m_step` finds them."),
    ]
    if is_close(answer, np.full(2, 0.5), 1e-12):
        return to_do("It is 0.5 whatever the data. Which h has the weighted mean as its 1 / h?")
    return judge(
        answer,
        counts / sums,
        slips,
        what="One chance of a hit for each component: the h whose 1 / h is the weighted mean.",
        because="The model's mean, 1 / h, is the weighted mean. With Tries, a NamedTuple of "
        "weights and hits, Family(Tries, tries_log_pdf, match_tries) is ready for families.fit.",
        rtol=1e-6,
    )


def one_toss(first: float | None, second: float | None) -> Verdict:
    """One step of two coins on single tosses, from chances 0.2 and 0.6."""
    chances = np.array([0.2, 0.6])
    of_head, of_tail = chances / chances.sum(), (1 - chances) / (1 - chances).sum()
    low, high = 60 * of_head / (60 * of_head + 40 * of_tail)
    everything = "That is the share of all heads: both coins can do with that, but not from here."
    what = "A head is the first coin's with 0.2 / 0.8, a tail with 0.8 / 1.2. Then Eq. (2)."
    return in_turn(
        judge(
            first,
            low,
            [
                (of_head[0], "That is its share of a head. Now Eq. (2), over 60 heads, 40 tails."),
                (high, "That is the second coin's."),
                (0.6, everything),
                (0.2, "That is where it starts."),
                (1 - low, "That is its chance of tails."),
                (0.25 * 60 / 50, "Divide by its own soft count of tosses, not by half of them."),
                (of_head[0] / (of_head[0] + of_tail[0]), "There are 60 heads and 40 tails."),
            ],
            what=what,
        ),
        judge(
            second,
            high,
            [
                (of_head[1], "That is its share of a head. Now Eq. (2), over 60 heads, 40 tails."),
                (0.6, "That is where it starts, and the share of all heads."),
                (1 - high, "That is its chance of tails."),
                (of_head[1] / (of_head[1] + of_tail[1]), "There are 60 heads and 40 tails."),
                (0.75 * 60 / 50, "Divide by its own soft count of tosses, not by half of them."),
            ],
            what="The first is right. The second in the same way.",
            hint="A head is the second coin's with 0.6 / 0.8, a tail with 0.4 / 1.2.",
            because="0.36 and 0.7714, with weights 0.4167 and 0.5833: together 0.6 of heads, which "
            "is all that the data say. Every pair that does that fits alike, so EM stays.",
        ),
    )
