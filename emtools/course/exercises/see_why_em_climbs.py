"""Checks for the exercises of chapter 04, see why EM climbs."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from emtools import data, logspace
from emtools.bound import linkage_step, lower_bound
from emtools.course.exercises import Verdict, answer_of, judge, not_yet, right, to_do, truth_of
from emtools.mixture import Mixture, log_joint

NOTHING = MappingProxyType({})


def linkage_by_hand(theta: float | None) -> Verdict:
    """One EM step on the linkage data from 2/3."""
    first, _, _, last = data.linkage()
    return judge(
        theta,
        linkage_step(2 / 3)[0],
        [
            (
                (first / 2 + last) / (first / 2 + last + 38),
                "The first class is not split in half, but as 1/2 to theta/4.",
            ),
            (last / (last + 38), "That gives none of the 125 to the theta/4 part."),
            ((first + last) / (first + last + 38), "That gives all 125 to the theta/4 part."),
            (first / 4, "That is the number of linked animals in the first class. Go on."),
            (0.25, "That is the responsibility, one quarter. Now the M-step."),
            (2 / 3, "That is the start; we want what one step makes of it."),
        ],
        what="The responsibility is theta/4 over (1/2 + theta/4); then linked over all that count.",
        because="The 125 split into 93.75 and 31.25, and theta is 65.25/103.25.",
    )


def coins_by_hand(theta_a: float | None, theta_b: float | None) -> Verdict:
    """One EM step on the five sets of tosses from (0.6, 0.5)."""
    if theta_a is None or theta_b is None:
        return to_do("Set both chances.")
    exact = data.coin_iterates()[1]
    of_fifty = [0.42594964, 0.23405036]
    return judge(
        [theta_a, theta_b],
        exact[1],
        [
            (exact[1][::-1], "The two coins are swapped."),
            ([0.8, 0.45], "That gives each set wholly to its likelier coin; share it out instead."),
            ([0.66, 0.66], "That is what equal starting chances would give, for ever."),
            (of_fifty, "Divide by the tosses expected of each coin, not by all fifty."),
            (exact[10], "That is the tenth step; we want the first."),
            (exact[-1], "That is the limit; we want the first step."),
        ],
        what="Shares of coin A in each set, then expected heads over expected tosses.",
        because="After ten steps they are 0.7967 and 0.5197.",
    )


def ignorant_bound(bound: float | None, gap: float | None) -> Verdict:
    """Lower bound of q = one half everywhere, at the chapter's start."""
    if bound is None or gap is None:
        return to_do("Call lower_bound on log_joint(waiting, start) and q.")
    x = data.waiting()
    start = Mixture(np.array([0.5, 0.5]), np.array([50.0, 80.0]), np.array([5.0, 5.0]))
    log_likelihood = logspace.e_step(x, start)[1]
    q, table = np.full((272, 2), 0.5), log_joint(x, start)
    expected = lower_bound(table, q)
    return judge(
        [bound, gap],
        [expected, log_likelihood - expected],
        [
            (
                [expected, expected - log_likelihood],
                "The gap is the log-likelihood minus the bound, and never negative.",
            ),
            (
                [np.sum(q * table), log_likelihood - np.sum(q * table)],
                "That is Q alone; the bound adds the entropy, 272 log 2.",
            ),
            ([log_likelihood, 0], "That is the bound of the posterior, which touches."),
        ],
        what="The bound is lower_bound(...); the gap is the log-likelihood minus it.",
        because="The gap is the KL divergence, about 7.4 nats a wait: ignorance is expensive.",
    )


def catch_an_exhibit(believes: Callable, museum: Mapping = NOTHING) -> Verdict:
    """A test that passes the right code and fails an exhibit that never falls."""
    if not museum:
        return not_yet("Hand over the museum, too: check.catch_an_exhibit(believes, museum).")
    used = set(getattr(getattr(believes, "__code__", None), "co_names", ()))
    if used & {"inspect", "museum"}:
        return not_yet("Look at what the exhibit computes, without `inspect` or `museum`.")
    opinions = {}
    for name, exhibit in museum.items():
        opinion = answer_of(believes, exhibit)
        opinion = opinion if isinstance(opinion, Verdict) else truth_of(opinion)
        if isinstance(opinion, Verdict):
            return not_yet(f"On {name!r}: {opinion.message}")
        opinions[name] = opinion
    if not opinions.pop("right"):
        return not_yet("Your test does not believe the right code.")
    caught = [name for name, opinion in opinions.items() if not opinion]
    if any(name[0] in "2345" for name in caught):
        return right(f"It catches {', '.join(caught)}, and believes the right code.")
    untouched = used == {"run", "waiting", "start", "never_falls"}
    return (to_do if untouched else not_yet)(
        "So far it believes exhibits 2, 3, 4 and 5. Which line of the six sees one?"
    )
