"""Checks for the exercises of chapter 02, trade loops for arrays."""

from collections.abc import Callable

import numpy as np

from emtools import arrays, data
from emtools.course.exercises import (
    Verdict,
    answer_of,
    is_close,
    judge,
    not_yet,
    numbers_of,
    parts_of,
    right,
    to_do,
)
from emtools.mixture import Mixture, log_joint


def shapes(answer: list[tuple] | None) -> Verdict:
    """Shapes of four expressions, in the chapter's order."""
    if answer is None:
        return to_do("Write the four shapes as tuples. A tuple of one is written (272,).")
    expected = [(272, 2), (272,), (2,), (272,)]
    hints = [
        "a column against a row fills a table",
        "the axis you name disappears",
        "(K, N) times (N,)",
        "(N, K) times (K,)",
    ]
    if isinstance(answer, str):
        return not_yet("The answer is a list of four tuples, without quotes.")
    if isinstance(answer, list | tuple) and any(isinstance(shape, str) for shape in answer):
        return not_yet("Write the four shapes as tuples, without quotes.")
    try:
        answer = [tuple(np.atleast_1d(shape).tolist()) for shape in answer]
    except (TypeError, ValueError):
        return not_yet("The answer is a list of four tuples.")
    if len(answer) != 4:
        return not_yet(f"There are four expressions; these are {len(answer)} shapes.")
    for number, (found, shape, hint) in enumerate(zip(answer, expected, hints, strict=True), 1):
        if found != shape:
            return not_yet(f"Expression {number} does not have the shape {found}: {hint}.")
    return right("The axis of the observations is 272 long, that of the components 2.")


def waiting_and_start():
    """The waits, and the chapter's start."""
    x = data.waiting()
    halves, means = np.array([0.5, 0.5]), np.array([77.0, 53.0])
    return x, Mixture(halves, means, np.array([np.std(x), np.std(x) / 2]))


def wrong_axis(mixture: Mixture | None) -> Verdict:
    """One iteration with responsibilities that sum to one over the observations."""
    if mixture is None:
        return to_do("Do one iteration with an E-step that sums over axis 0.")
    x, start = waiting_and_start()
    if not is_a_mixture(mixture, 2):
        return not_yet("The answer is the Mixture that m_step returns.")
    resp = arrays.e_step(x, start)
    if is_close(mixture, arrays.m_step(x, resp)):
        return not_yet("This is the right mixture; this once we want the wrong axis.")
    joint = np.exp(log_joint(x, start))
    if is_close(mixture, arrays.m_step(x, joint / joint.sum(axis=0))):
        return right(
            "Each column sums to one, so each soft count is 1 and each weight 1/272. They do not "
            "sum to one: that gives it away, and a line that checks it would catch it."
        )
    if is_close(mixture.weights, [1 / 272, 1 / 272]):
        return not_yet(
            "Each weight is 1/272, as the wrong axis makes it, but means or stds are not from it. "
            "Is it one iteration, from start?"
        )
    return not_yet("Divide joint by joint.sum(axis=0), then call m_step on waiting, once.")


def count_first(m_step_counted: Callable) -> Verdict:
    """EM on distinct values with their counts equals EM on all observations."""
    x, start = waiting_and_start()
    values, times = np.unique(x, return_counts=True)
    whole, counted = start, start
    for _ in range(100):
        whole = arrays.m_step(x, arrays.e_step(x, whole))
        counted = answer_of(m_step_counted, values, arrays.e_step(values, counted), times)
        counted = parts_of(counted, start)
        if isinstance(counted, Verdict):
            return counted
        if not is_a_mixture(counted, 2):
            return not_yet("Weights, means and stds should be finite.")
    if is_close(counted, whole, 1e-6):
        return right("51 values with their counts do the work of 272 observations.")
    forgetful = start
    for _ in range(100):
        forgetful = arrays.m_step(values, arrays.e_step(values, forgetful))
    if is_close(counted, forgetful):
        return to_do("So far it forgets the counts: each of the 51 values counts once.")
    total = np.sum(counted.weights)
    if is_close(total, len(values) / times.sum()):
        return not_yet("The weights sum to 51/272: the soft counts do not use times yet.")
    if not is_close(total, 1.0):
        return not_yet("The weights do not sum to one: divide the soft counts by times.sum().")
    return not_yet(
        "Not the same as on all 272. Do counts, means and variances all use times, and are the "
        "stds roots of the variances?"
    )


def memory(megabytes: float | None) -> Verdict:
    """Bytes of one (N, K) table."""
    return judge(
        megabytes,
        160,
        [
            (80, "There is one number for each observation and each component."),
            (20, "A float64 takes 8 bytes."),
            (10, "A number takes 8 bytes, and there is one for each component too."),
            (1280, "A float64 has 64 bits, which are 8 bytes."),
            (160e6, "That is in bytes; a megabyte is a million of them."),
            (152.587890625, "That is in MiB, of 1024 times 1024 bytes each."),
            (153, "That is in MiB, of 1024 times 1024 bytes each."),
            (0.16, "That is in gigabytes, of a thousand megabytes each."),
        ],
        what="Observations times components times bytes per number.",
        because="And the E-step holds several such tables at once; chapters 15 and 16 mend that.",
    )


def three_bells(mixture: Mixture | None) -> Verdict:
    """Three components after 100 iterations."""
    if mixture is None:
        return to_do("Start from means 50, 65, 80 and run 100 iterations.")
    if not is_a_mixture(mixture, 3):
        return not_yet("The answer is a Mixture of three components.")
    x = data.waiting()
    expected = Mixture(np.full(3, 1 / 3), np.array([50.0, 65.0, 80.0]), np.full(3, 5.0))
    for _ in range(100):
        expected = arrays.m_step(x, arrays.e_step(x, expected))
    mixture = np.array(mixture)[:, np.argsort(mixture.means)]
    if is_close(mixture, expected):
        return right(
            "It looks finished, and is not: after 4100 iterations the weights are .2100, .1536, "
            ".6363. Chapter 05 asks when to stop, chapter 11 why this one is so slow."
        )
    limit = [[0.2100, 0.1536, 0.6363], [50.941, 59.818, 80.159], [3.752, 4.237, 5.792]]
    if is_close(mixture, limit):
        return not_yet("This is where it ends after thousands of iterations; we want the 100th.")
    return not_yet("Not what 100 iterations give. Are all stds 5 and all weights 1/3?")


def is_a_mixture(answer, n_components):
    """Whether the answer has three finite parts with an entry for each component."""
    has_names = all(hasattr(answer, name) for name in Mixture._fields)
    parts = numbers_of(answer) if has_names else None
    if parts is None or parts.shape != (3, n_components):
        return False
    return bool(np.isfinite(parts).all())
