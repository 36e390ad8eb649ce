"""How slow EM is, and what may overtake it (chapter 11).

`accelerated` follows a step in leaps, none of which may lower the log-likelihood. Where to leap, a
function of the points seen so far, is its argument: `squarem()`, `anderson` or `quasi_newton`, the
one that `fit` uses. All work in the free coordinates of the parameters, and on any step
``step(parameters) -> new_parameters, log_likelihood``.
"""

import math
from collections import deque
from functools import cached_property
from typing import NamedTuple

import numpy as np

from emtools.coordinates import LEAST, free, parameters_at, scales
from emtools.em import Fit, aitken_gap, is_noise, why_stop

DEPTH = 6  # points remembered
PATIENCE = 10  # calls without a gain before a run is given up
FLATTEST = 1e-6  # curvature, in units of the complete data's: what is less counts as this


def measured_rate(before, here, after):
    """By how much a move is shorter than the one before it.

    Parameters
    ----------
    before, here, after : float or (P,) array
        Three iterates in a row.

    Returns
    -------
    float
        Near the end of a run, the rate of EM.
    """
    return np.linalg.norm(after - here) / np.linalg.norm(here - before)


def aitken(before, here, after):
    """Where three iterates in a row are going, if each move is the same multiple of the last.

    Parameters
    ----------
    before, here, after : float or array
        The same number, or numbers each on its own, after n, n + 1 and n + 2 steps.

    Returns
    -------
    float or array
        Not finite where two moves in a row are equal.
    """
    ratio = (after - here) / (here - before)
    return after + (after - here) * ratio / (1 - ratio)


def plain_squarem(step, start, tol, max_calls=10_000):
    """SQUAREM without a safeguard, on bare numbers, as the R package of that name runs it.

    Two EM steps, a leap in a straight line as far as they tell, and an EM step from there. The
    longest leap allowed grows fourfold each time it is reached. Varadhan and Roland (2008), scheme
    S3; constants and rule of stopping as in SQUAREM 2021.1.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood``, on an array.
    start : (P,) array
        Where to begin.
    tol : float
        The run ends where an EM step is shorter.
    max_calls : int
        The most calls of the step, about.

    Returns
    -------
    path : list of array
        The start, and where each round ended.
    n_calls : int
        Of the step.
    """
    path, n_calls, longest = [start], 0, 1.0
    while n_calls < max_calls:
        first = step(path[-1])[0] - path[-1]
        second = step(path[-1] + first)[0] - path[-1] - first
        n_calls += 1 if length(first) < tol else 2
        if min(length(first), length(second)) < tol:
            break
        alpha = reach(first, second, longest)
        longest *= 4 if alpha == longest else 1
        path.append(path[-1] + leap_of(first, second, alpha))
        if alpha > 1.01:
            path[-1], n_calls = step(path[-1])[0], n_calls + 1
    return path, n_calls


def reach(first, second, longest):
    """How far ahead two EM steps in a row tell to go, in steps of the first; 1 or more."""
    alpha = length(first) / max(length(second - first), LEAST)
    return min(max(1.0, alpha), longest)


def leap_of(first, second, alpha):
    """The way from where the first of two steps began; with alpha = 1 where the second ends."""
    return 2 * alpha * first + alpha**2 * (second - first)


class Point:
    """Where a run has called the step, and what that told.

    `new` are the parameters after the EM step. Free numbers and move are NaN where a covariance is
    none: that is for the next call of the step to refuse, which knows why. They are worked out when
    they are asked for; a run without leaps never asks.
    """

    def __init__(self, parameters, log_likelihood, new, numbers=None):
        self.parameters, self.log_likelihood, self.new = parameters, log_likelihood, new
        if numbers is not None:
            self.numbers = numbers

    @cached_property
    def numbers(self):
        """The free coordinates, (P,)."""
        return free_or_nan(self.parameters)

    @cached_property
    def move(self):
        """What the EM step adds to them, (P,)."""
        return free_or_nan(self.new) - self.numbers


def free_or_nan(parameters):
    """The free coordinates; NaN where a covariance is none."""
    try:
        return free(parameters)
    except np.linalg.LinAlgError:
        return np.array([np.nan])


class Leap(NamedTuple):
    """A proposal where to go from the best point."""

    move: np.ndarray  # (P,), in units of the complete data: times `scales`
    left: float  # what it hopes to gain, nats an observation; inf if that has no end in sight
    settles: bool = False  # whether its length is its own affair, and it ends with an EM step


class Trail(NamedTuple):
    """What a run knows: the best point, others that it has seen, and how far it dares to leap."""

    best: Point
    memory: tuple = ()  # of Point, the latest last
    radius: float = math.inf
    n_refused: int = 0  # leaps, in a row
    landed: tuple | None = None  # a leap that is still to settle: point and length


def point_at(step, parameters, numbers=None):
    """Call the step, and keep what it tells; `numbers`, if known, are the free ones."""
    new, log_likelihood = step(parameters)
    return Point(parameters, log_likelihood, new, numbers)


def tried(step, numbers, like):
    """The point at these free numbers; None if the step does not take them."""
    try:
        with np.errstate(all="ignore"):
            point = point_at(step, parameters_at(numbers, like), numbers)
    except (ValueError, ZeroDivisionError):  # a collapse, or a covariance that is none
        return None
    whole = math.isfinite(point.log_likelihood) and np.isfinite(point.move).all()
    return point if whole else None


def accelerated(step, start, propose):
    """Follow a step in leaps, none of which may lower the log-likelihood.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood``.
    start : any parameters
        Where to begin.
    propose : function or None
        ``propose(best, memory) -> Leap or None``, None for the EM step; `memory` holds one to six
        other points, the latest last. None instead of a function: EM steps only.

    Yields
    ------
    best : Point
        The best so far; one for each call of the step, for ever.
    leap : Leap or None
        Where the run goes next.
    """
    trail = Trail(point_at(step, start))
    while True:
        may_leap = propose and trail.memory and not trail.landed
        may_leap = may_leap and np.isfinite(trail.best.move).all()
        leap = propose(trail.best, trail.memory) if may_leap else None
        yield trail.best, leap
        trail = after(step, trail, leap)


def after(step, trail, leap):
    """The trail after one more call of the step."""
    if trail.landed:
        point, size = trail.landed
        return judged(trail, tried(step, point.numbers + point.move, point.parameters), size)
    if leap is None:
        here = trail.best
        return trail._replace(best=point_at(step, here.new), memory=remember(trail.memory, here))
    return after_leap(step, trail, leap)


def after_leap(step, trail, leap):
    """The trail after a leap, which is no longer than the last ones have been good for."""
    best, units = trail.best, scales(trail.best.parameters)
    most = math.inf if leap.settles else max(trail.radius, length(best.move * units))
    move = shortened(leap.move, most)
    point = tried(step, best.numbers + move / units, best.parameters)
    if leap.settles and point is not None:
        return trail._replace(landed=(point, length(move)))
    return judged(trail, point, length(move))


def judged(trail, point, size):
    """The trail after a leap of this length that has led to this point, None if to no good one.

    One that is refused makes the next one shorter, and tells how the ground is curved; after three
    in a row the memory is cleared, and the run goes on with an EM step.
    """
    best, memory, radius, n_refused, _ = trail
    if point is not None and point.log_likelihood >= best.log_likelihood:
        return Trail(point, remember(memory, best), max(radius, 3 * size))
    if n_refused == 2:
        return Trail(best)
    memory = memory if point is None else remember(memory, point)
    return Trail(best, memory, size / 4, n_refused + 1)


def remember(memory, point):
    """The memory with one more point, and the oldest forgotten if there are too many."""
    return (*memory, point)[-DEPTH:]


def length(move):
    """The length of a vector."""
    return math.sqrt(move @ move)


def shortened(move, most):
    """A vector in the same direction, no longer than this."""
    return move * min(1, most / (length(move) or 1))


def squarem():
    """Varadhan and Roland's leap, after an EM step: as far ahead as two EM steps tell.

    The longest leap allowed grows fourfold when it is reached, and is halved by a refusal.

    Returns
    -------
    function
        ``propose(best, memory)``, for one run.
    """
    longest, alpha, base = 1.0, 1.0, None

    def propose(best, memory):
        nonlocal longest, alpha, base
        if best is base:  # the last leap has been refused
            longest = max(1.0, alpha / 2)
        if best is base or best.parameters is not memory[-1].new:
            return None
        units = scales(best.parameters)
        first, second = memory[-1].move * units, best.move * units
        alpha, base = reach(first, second, longest), best
        longest *= 4 if alpha == longest else 1
        leap = leap_of(first, second, alpha) - first
        return Leap(leap, abs(leap @ second) / 2, settles=True) if alpha > 1.01 else None

    return propose


def secants(best, memory):
    """How far away each remembered point is, and by how much another EM step starts there.

    Parameters
    ----------
    best : Point
    memory : sequence of M points

    Returns
    -------
    travelled, bends : (M, P) arrays
        Differences of the free coordinates and of the EM steps from those of `best`.
    move : (P,) array
        The EM step of `best`. All three in units of the complete data.
    """
    units = scales(best.parameters)
    travelled = np.array([point.numbers for point in memory]) - best.numbers
    bends = np.array([point.move for point in memory]) - best.move
    return travelled * units, bends * units, best.move * units


def anderson(best, memory):
    """Anderson's step: the mixture of the points at which the EM step would be shortest."""
    travelled, bends, move = secants(best, memory)
    shares = np.linalg.lstsq(bends.T, move, rcond=1e-10)[0]
    leap = move - shares @ (travelled + bends)
    return Leap(leap, abs(leap @ move) / 2)


def bends_along(travelled, bends):
    """How the log-likelihood is curved in the directions travelled.

    Parameters
    ----------
    travelled, bends : (M, P) arrays
        As `secants` gives them.

    Returns
    -------
    curvatures : (R,) array
        In ascending order, in units of the complete data's; below zero where it bends upwards.
    axes : (R, P) array
        The directions, orthonormal; as many as the points are apart in.
    """
    lengths = np.sqrt((travelled**2).sum(axis=1, keepdims=True))
    left, sizes, directions = np.linalg.svd(travelled / lengths, full_matrices=False)
    kept = sizes > 1e-4 * sizes[0]
    directions = directions[kept]  # (R, P), orthonormal
    bends = (left.T @ (bends / lengths))[kept] / sizes[kept, None]
    curvature = -bends @ directions.T
    curvatures, axes = np.linalg.eigh((curvature + curvature.T) / 2)
    return curvatures, axes.T @ directions


def quasi_newton(best, memory):
    """Newton's step in the directions travelled, the EM step in all others.

    In units of the complete data's information the EM step is the gradient, so each two points
    tell how it bends between them. Where it bends the wrong way, at a pass, the step goes on.
    """
    travelled, bends, move = secants(best, memory)
    if not ((travelled**2).sum(axis=1) > 1e-26).all():
        return None
    curvatures, axes = bends_along(travelled, bends)
    along = axes @ move
    beyond = along / np.maximum(np.abs(curvatures), FLATTEST) - along
    leap = move + beyond @ axes
    return Leap(leap, leap @ move / 2 if curvatures[0] > 0 else math.inf)


class Run:
    """A run from one start, followed as far as it is asked to go.

    Parameters
    ----------
    step, start, propose
        As `accelerated` takes them.
    tol : float
        In nats, > 0; the run ends where less seems to be left to gain.
    """

    def __init__(self, step, start, propose, tol):
        self.points, self.tol, self.is_plain = accelerated(step, start, propose), tol, not propose
        self.best, self.leap, self.stopped = None, None, ""
        self.history, self.worths, self.n_below = [], deque(maxlen=5), 0
        self.left = math.inf  # to gain, in nats, as it seems

    def go_on(self, n_calls):
        """Call the step so many times, or fewer if the run ends."""
        for _ in range(n_calls):
            if self.stopped:
                break
            hoped, before = float(self.leap.left) if self.leap else math.inf, self.best
            self.best, self.leap = next(self.points)
            self.history.append(float(self.best.log_likelihood))
            if 0 < hoped < math.inf:
                self.worths.append((self.history[-1] - self.history[-2]) / hoped)
            self.stopped = self.why_stop(self.best is not before)
        return self

    def why_stop(self, has_moved):
        """Why the run ends here, as `Fit.stopped` says it, or "" if it does not.

        A leap hopes for a gain for an observation; what the last ones have brought says for how
        many observations that counts. Three times in a row, because a leap may not have seen the
        slowest direction yet; and not where one has been refused, because there hopes are wrong.
        """
        if self.is_plain:
            self.left = aitken_gap(self.history)
            return why_stop(self.history, self.tol)
        hope = self.leap.left if self.leap and has_moved else math.inf
        self.left = max(self.worths, default=math.inf) * hope if 0 < hope < math.inf else hope
        self.n_below = self.n_below + 1 if self.left < self.tol else 0
        if self.n_below == 3:
            return "tol"
        idle = len(self.history) > PATIENCE and is_noise(self.history[-1::-PATIENCE][1::-1])
        return "noise" if idle and not (self.leap and self.leap.left == math.inf) else ""

    def fit(self, stopped=""):
        """What has been reached so far."""
        n_iter, why = len(self.history) - 1, self.stopped or stopped
        history = np.array(self.history)
        return Fit(self.best.parameters, history[-1], history, n_iter, bool(self.stopped), why)


def climb_in_leaps(step, start, tol, max_iter, propose=None):
    """What `emtools.em.climb` does, in fewer steps: takes good input for granted.

    Parameters
    ----------
    step, start, tol, max_iter
        As for `emtools.em.climb`; `tol` > 0.
    propose : function, optional
        As for `accelerated`; `quasi_newton` unless you say otherwise.

    Returns
    -------
    Fit
        Its `history` has an entry for each call of the step: the highest so far.
    """
    return Run(step, start, propose or quasi_newton, tol).go_on(max_iter + 1).fit("max_iter")
