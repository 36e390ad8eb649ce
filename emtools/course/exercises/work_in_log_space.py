"""Checks for the exercises of chapter 03, work in log space."""

from collections.abc import Callable

import numpy as np

from emtools import arrays, data, logspace
from emtools.course.exercises import (
    Verdict,
    answer_of,
    in_short,
    in_turn,
    is_close,
    judge,
    not_yet,
    numbers_of,
    right,
    to_do,
)
from emtools.mixture import Mixture


def fitted_bells():
    """The two bells that fit the waits: the chapter's `bells`."""
    x = data.waiting()
    halves, means = np.array([0.5, 0.5]), np.array([77.0, 53.0])
    mixture = Mixture(halves, means, np.array([np.std(x), np.std(x) / 2]))
    for _ in range(100):
        mixture = logspace.m_step(x, logspace.e_step(x, mixture)[0])
    return mixture


def lse_by_hand(first: float | None, second: float | None) -> Verdict:
    """Log-sum-exp of two pairs."""
    if first is None or second is None:
        return to_do("Pull out the larger one; what is left is log(1 + something).")
    return in_turn(
        judge(
            first,
            -1000 + np.log(2),
            [
                (-2000, "That adds the logarithms, which multiplies the numbers."),
                (-np.inf, "That is what exp(-1000) = 0 leads to. Pull the maximum out first."),
                (-1000, "That is the maximum alone. Two equal terms are twice one term: + log 2."),
                (-1000 - np.log(2), "log 2 is added: the sum is larger than one of its terms."),
            ],
            what="First: the maximum, plus the log of what is left.",
            rtol=1e-6,
        ),
        judge(
            second,
            0.0,
            [],
            what="The first is right. Which term counts in the second?",
            because="-1000 + log 2 = -999.3069, and exp(-800) is too small to change a 1.",
        ),
    )


def smallest_wait(minutes: float | None) -> Verdict:
    """From which wait on both densities are exactly zero."""
    if minutes is None:
        return to_do("Both bells must be lost. Which of them is lost last?")
    bells = fitted_bells()
    short, long = np.argsort(bells.means)
    reach = 38.604
    if is_near(minutes, 306.47, 0.33) or is_near(minutes, 307, 1e-6):
        return right(
            "Paper says 80.1 + 38.6 * 5.87 = 306.7 (306.6 with more digits). The computer dies at "
            "306.2, because after exp the weight and the division by std sqrt(2 pi) make the "
            "number smaller still. The first whole minute is 307."
        )
    slips = [
        (38.6, "That counts standard deviations, and from 0. The question is in minutes."),
        (
            bells.means[long] + reach,
            "That adds 38.6 minutes; it takes 38.6 standard deviations of 5.87 minutes each.",
        ),
        (
            bells.means[short] + reach * bells.stds[short],
            "There the short bell is lost; the long one is nearer and still alive.",
        ),
    ]
    for number, slip in slips:
        if is_near(minutes, number, 1.0):
            return not_yet(slip)
    if not is_near(minutes, 5000, 5000):
        return not_yet(f"Not {in_short(minutes)}. We look for one number of minutes.")
    with np.errstate(all="ignore"):
        resp = arrays.e_step(numbers_of(minutes).reshape(1), bells)
    if np.isnan(resp).any():
        return not_yet(f"At {in_short(minutes)} it is nan, but so it is at shorter waits.")
    return not_yet(f"At {in_short(minutes)} the shares are still numbers. Go on to longer waits.")


def is_near(answer, expected, distance):
    """Whether the answer is one number within a distance of the expected one."""
    return is_close(answer, expected, rtol=0, atol=distance)


def build_lse(log_sum_exp: Callable) -> Verdict:
    """Log-sum-exp of one row, infinities included."""
    rows = [
        ([0.0, 1.0, 2.0], "an easy row"),
        ([-1000.0, -1001.0], "a row below the floor"),
        ([1000.0, 1000.0], "a row above the ceiling (exp(710) is infinite)"),
        ([-np.inf, -3.0], "a row with one -inf, a component of weight 0"),
        ([-np.inf, -np.inf], "a row of -inf alone"),
        ([800.0, -900.0, 0.0], "a row too wide for anything but its maximum"),
    ]
    for row, name in rows:
        found = answer_of(log_sum_exp, np.array(row))
        if isinstance(found, Verdict):
            return not_yet(f"On {name}: {found.message}")
        if isinstance(found, str):
            return not_yet("It should return a number, not text.")
        expected = np.logaddexp.reduce(row)
        if not is_close(found, expected, 1e-12):
            if name == rows[1][1] and is_close(found, -np.inf):
                return fallen(log_sum_exp)
            if np.ndim(numbers_of(found)) > 0:
                return not_yet("It should return one number for a row, not an array.")
            return not_yet(
                f"On {name}, {row}, it gives {in_short(found)}; it should be {expected:.10g}."
            )
    if "logaddexp" in names_in(log_sum_exp) or log_sum_exp == np.logaddexp.reduce:
        return not_yet("It is right, but it is NumPy's own. Write Eq. (2) without np.logaddexp.")
    return right("It agrees with np.logaddexp.reduce on six rows, the nasty ones included.")


def fallen(log_sum_exp):
    """What to say of a log-sum-exp that is -inf where exp is 0: of the stub, or of an attempt."""
    pulled = numbers_of(answer_of(log_sum_exp, np.array([1000.0, 1000.0])))
    if pulled is None or not np.all(np.isfinite(pulled)):
        return to_do("So far it falls off the cliff: exp(-1000) is 0. Pull the maximum out.")
    return not_yet(
        "Something was pulled out, but for (-1000, -1001) not the maximum, which is -1000: "
        "what is left is so low that exp of it is still 0."
    )


def names_in(function):
    """The names that a reader's function looks up, nothing for what Python did not compile."""
    return set(getattr(getattr(function, "__code__", None), "co_names", ()))


def judge_a_cure(e_step: Callable) -> Verdict:
    """Responsibilities that are right where the plain ones are nan."""
    bells = fitted_bells()
    far, galaxies = np.array([66.0, 400.0]), data.galaxies()
    narrow = Mixture(np.array([0.5, 0.5]), np.array([20000.0, 22000.0]), np.array([100.0, 100.0]))
    first, resp = answer_of(e_step, far, bells), answer_of(e_step, galaxies, narrow)
    for answer in (first, resp):
        if isinstance(answer, Verdict):
            return answer
    if isinstance(first, tuple):
        return not_yet("It returns several things; hand over the responsibilities alone.")
    if not (is_table(first, (2, 2)) and is_table(resp, (82, 2))):
        return not_yet(
            f"Of 2 waits and 2 bells it made {in_short(first)}; we want numbers of shape (2, 2), "
            "one row for each wait."
        )
    near_row, far_row = numbers_of(first)
    if not is_close(near_row, logspace.e_step(far, bells)[0][0], 1e-9):
        return not_yet("It changes the answer for 66 minutes, where nothing was wrong.")
    if np.isnan(far_row).any():
        untouched = names_in(e_step) == {"arrays", "e_step"}
        return (to_do if untouched else not_yet)("A wait of 400 minutes is still nan / nan.")
    if is_close(far_row, [0.5, 0.5]):
        return not_yet("A wait of 400 minutes is called half and half. The truth is 1 / 5.6e-107.")
    if is_close(far_row, [0.0, 0.0]):
        return not_yet(
            "A wait of 400 minutes now belongs to nobody: its row sums to 0, not to 1. The M-step "
            "would drop it without a word."
        )
    if not is_close(far_row.sum(), 1.0, 1e-9):
        return not_yet(f"The row of 400 minutes sums to {far_row.sum():.4g}, not to one.")
    if not is_close(far_row, logspace.e_step(far, bells)[0][1], 1e-9, atol=1e-300):
        return not_yet(
            "The row of 400 minutes sums to one, but the short bell's share is 5.6e-107 in log "
            f"space, and here it is {far_row.min():.2g}."
        )
    if not is_close(resp, logspace.e_step(galaxies, narrow)[0], 1e-9, atol=1e-300):
        return not_yet("400 minutes is right, but the galaxies are not as in log space.")
    return right("400 minutes is 1 / 5.6e-107, and all 82 galaxies agree with log space.")


def is_table(answer, shape):
    """Whether the answer is an array, or a list of lists, of numbers in this shape."""
    return np.shape(numbers_of(answer)) == shape


def other_units(log_likelihood: float | None) -> Verdict:
    """Log-likelihood of the galaxies in thousands of km/s."""
    return judge(
        log_likelihood,
        -786.6792100289 + 82 * np.log(1000),
        [
            (-786.6792100289, "That is in km/s. Are the data, the means and the stds all divided?"),
            (-786.6792100289 - 82 * np.log(1000), "The logarithm of the unit has the other sign."),
            (-786.6792100289 + np.log(1000), "Each of the 82 densities changes its unit."),
            (-0.7866792100289, "A likelihood is not a velocity; it does not divide by 1000."),
            (
                -786.6792100289 / 82 + np.log(1000),
                "That is the mean over the galaxies, scikit-learn's score; we want the sum.",
            ),
            (-220.3588690929, "Those are the galaxies without the misprint; keep 26690."),
        ],
        what="Divide galaxies, means and stds by 1000 and run 100 iterations.",
        because="-220.2433 is -786.6792 + 82 log 1000: each density is per thousand km/s now, "
        "a thousand times larger. Log-likelihoods can be compared only in the same units.",
        rtol=1e-6,
    )
