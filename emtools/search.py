"""Many short runs, the promising ones to the end, and what was found (chapters 05, 08 and 11).

What it knows of a model is a step, and how to put components in order; so it serves every model
of the course.
"""

from collections.abc import Callable
from itertools import chain, zip_longest
from typing import Any, NamedTuple

import numpy as np

from emtools.acceleration import Run, length, quasi_newton
from emtools.collapse import Collapse
from emtools.coordinates import free, scales
from emtools.em import (
    End,
    checked_step,
    progress_bar,
    warn_if_doubtful,
    warn_unless_converged,
)
from emtools.starts import short_run

SHORT, MIDDLE = 10, 20  # steps of every run, and of those that are kept
ENOUGH = 3  # runs that agree on the best end
LOOK = 3  # calls of the step between two looks whether a run has come to a known end
NEAR = 0.2  # how far apart two parameters may be to be one, in units of the widths
LITTLE = 0.03  # nats: what is so near and differs by less is no other end
ROUGH = 1e-6  # nats left to gain, where runs end that do not win


class Model(NamedTuple):
    """What a search asks of a model."""

    make_step: Callable  # () -> a step for one run, which may raise Collapse
    ordered: Callable  # (parameters) -> the same, with the components in an order of their own
    suspicion: Callable = lambda parameters: ""  # (parameters) -> why an end may be none to
    # believe, or ""
    prepared: Callable = lambda start: start  # (start) -> parameters to begin with
    apart: Callable = lambda parameters: None  # (parameters) -> where to look for a way up if two
    # components are the same, which is no maximum; None if no two are
    short_runs: Callable | None = None  # (starts, n_steps) -> a list of what `short_run` gives for
    # each, or None; for a model with a faster way, if all goes well, than one after the other


class Group(NamedTuple):
    """Starts of one make; after a few steps only those can be compared with each other."""

    starts: list  # of parameters
    n_kept: int  # runs to follow further
    n_followed: int  # of them to the end, at the least


class Candidate(NamedTuple):
    """A short run, or several that have come together."""

    parameters: Any
    history: list  # log-likelihoods of those before
    n_starts: int = 1


class Spot(NamedTuple):
    """Parameters that can be compared with others."""

    parameters: Any  # components in order
    log_likelihood: float
    numbers: np.ndarray  # free coordinates
    units: np.ndarray  # `scales`


def is_near(one, other):
    """Whether two spots are so near that runs from there count as one."""
    with np.errstate(all="ignore"):
        apart = length((one.numbers - other.numbers) * other.units)  # NaN: to nothing
    return abs(one.log_likelihood - other.log_likelihood) < LITTLE and apart < NEAR


class Place(NamedTuple):
    """An end, and who has come there."""

    run: Run
    history: list  # before the run
    spot: Spot
    n_starts: int
    suspicious: str

    @property
    def log_likelihood(self):
        """In nats."""
        return self.spot.log_likelihood


def search(model, groups, tol, max_iter, accelerate=True, bar=None):
    """Follow runs of EM from many starts, the promising ones to the end.

    Parameters
    ----------
    model : Model
    groups : list of Group
        What to run from.
    tol, max_iter : float, int
        When to end a run, as for `emtools.em.iterate`; with 0 for `tol` every run takes
        `max_iter` plain steps.
    accelerate : bool
        Whether runs leap on their way to the end.
    bar : tqdm, optional
        Is told how the search stands.

    Returns
    -------
    Fit
        The highest end that is not suspicious, if there is one, with all others that were found.

    Raises
    ------
    Collapse
        If every run ends so.
    """
    return Search(model, tol, max_iter, accelerate, bar).found(groups)


def best_of(step, starts, tol, max_iter, accelerate, progress, ordered=lambda p: p, stacklevel=3):
    """Follow runs of one step from these starts: `search` for a model that is only a step.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood``; raises `Collapse`.
    starts : list of parameters
        Of one make; of several, five are followed beyond the first steps.
    tol, max_iter, accelerate
        As for `search`.
    progress : bool
        Whether to show a bar.
    ordered : function
        As of a `Model`.
    stacklevel : int
        Of a warning: 3 shows the line that called the function that calls this.

    Returns
    -------
    Fit

    Raises
    ------
    Collapse
        If every run ends so.
    """
    with progress_bar(progress, "EM") as bar:
        model = Model(lambda: step, ordered)
        found = search(model, [Group(starts, 5, 3)], tol, max_iter, accelerate, bar)
    warn_unless_converged(found, tol, stacklevel + 1)
    warn_if_doubtful(found, stacklevel + 1)
    return found


class Search:
    """A search for the best end.

    Parameters
    ----------
    model : Model
    tol, max_iter : float, int
        When to end a run, as for `search`.
    accelerate : bool
        Whether runs leap on their way to the end.
    bar : tqdm, optional
        Is told how the search stands.
    """

    def __init__(self, model, tol, max_iter, accelerate=True, bar=None):
        self.model, self.tol, self.max_iter = model, tol, max_iter
        self.propose = quasi_newton if accelerate and tol > 0 else None
        self.bar, self.n_starts, self.n_steps, self.n_collapsed = bar, 0, 0, 0
        self.places, self.collapse, self.left_out = [], None, []

    def found(self, groups):
        """The best sane end, a `Fit` with all that was found; `Collapse` if every run ends so.

        Of each group some are followed at least; then the others in turns, until three agree on
        the best end. Who already stands higher than that is always followed.
        """
        queues = [self.promising(group) for group in groups]
        first, later = [], []
        for group, queue in zip(groups, queues, strict=True):
            first += queue[: group.n_followed]
            later.append(queue[group.n_followed :])
        later = filter(None, chain(*zip_longest(*later)))
        for candidate in first:
            self.follow(candidate)
        for candidate in later:
            if not self.is_settled(candidate):
                self.follow(candidate)
        for candidate in self.left_out:
            if not self.places:  # a collapse climbs fast, and all that were kept may be such
                self.follow(candidate)
        if not self.places:
            self.collapse.n_starts = self.n_collapsed
            raise self.collapse
        found = self.told_of(self.polished())
        if self.bar is not None:
            self.bar.set_postfix_str(self.standing())
        return found

    def is_settled(self, candidate):
        """Whether enough agree on a sane end, and this run is not above it."""
        if not self.places:
            return False
        best = self.best()
        is_above = candidate.history[-1:] > [best.log_likelihood]
        return best.n_starts >= ENOUGH and not best.suspicious and not is_above

    def promising(self, group):
        """The runs of a group that are worth following, the highest first."""
        self.n_starts += len(group.starts)
        candidates = [Candidate(self.model.prepared(start), []) for start in group.starts]
        if self.tol == 0 or len(candidates) == 1:  # every run in full, or nothing to choose from
            return candidates
        candidates = self.advanced(candidates, min(SHORT, self.max_iter))
        self.left_out += candidates[group.n_kept :]
        return self.advanced(candidates[: group.n_kept], min(MIDDLE, self.max_iter) - SHORT)

    def advanced(self, candidates, n_steps):
        """Each a few steps further, the highest first; those that collapse are set aside."""
        if n_steps <= 0 or not candidates:
            return candidates
        starts = [candidate.parameters for candidate in candidates]
        at_once = self.model.short_runs and self.model.short_runs(starts, n_steps)
        runs = at_once or self.one_by_one(starts, n_steps)
        further = []
        for candidate, run in zip(candidates, runs, strict=True):
            if isinstance(run, Collapse):
                self.set_aside(run, candidate)
            else:
                history = candidate.history + run[1]
                further.append(candidate._replace(parameters=run[0], history=history))
        self.count(n_steps * len(candidates))
        return self.merged(sorted(further, key=lambda candidate: -candidate.history[-1]))

    def merged(self, candidates):
        """Those that have come together as one."""
        apart, spots = [], []
        for candidate in candidates:
            spot = self.spot(candidate.parameters, candidate.history[-1])
            together = next((i for i, other in enumerate(spots) if is_near(spot, other)), None)
            if together is None:
                apart.append(candidate)
                spots.append(spot)
            else:
                n_starts = apart[together].n_starts + candidate.n_starts
                apart[together] = apart[together]._replace(n_starts=n_starts)
        return apart

    def spot(self, parameters, log_likelihood):
        """Where parameters are, to be compared with others."""
        parameters = self.model.ordered(parameters)
        try:
            with np.errstate(all="ignore"):
                return Spot(parameters, log_likelihood, free(parameters), scales(parameters))
        except np.linalg.LinAlgError:  # about to collapse: near to nothing
            return Spot(parameters, log_likelihood, np.array([np.nan]), np.array([np.nan]))

    def one_by_one(self, starts, n_steps):
        """Short runs, one after the other."""
        runs = []
        for start in starts:
            try:
                runs.append(short_run(checked_step(self.model.make_step()), start, n_steps))
            except Collapse as collapse:
                runs.append(collapse)
        return runs

    def set_aside(self, collapse, candidate):
        """Count a collapse and keep the first; its traceback would hold on to the data."""
        collapse.iteration = (collapse.iteration or 0) + len(candidate.history)
        self.collapse = self.collapse or collapse.with_traceback(None)
        self.n_collapsed += candidate.n_starts

    def follow(self, candidate):
        """Follow a run to its end, or until it comes to a known one."""
        try:
            run, before = self.to_the_end(candidate)
        except Collapse as collapse:
            self.set_aside(collapse, candidate)
            return
        if run is not None and self.propose:
            run, before = self.off_a_pass(run, before, candidate.n_starts)
        if run is not None:
            spot = self.spot(run.best.parameters, run.best.log_likelihood)
            doubt = self.model.suspicion(spot.parameters)
            self.places.append(Place(run, before, spot, candidate.n_starts, doubt))

    def off_a_pass(self, run, before, n_starts):
        """The run; if it stands on a pass, where a step to the side leads; as `to_the_end`."""
        apart = self.model.apart(run.best.parameters)
        aside = Candidate(apart, [*before, *run.history], n_starts)
        if apart is None or len(aside.history) > self.max_iter:
            return run, before
        try:
            further, way = self.to_the_end(aside)
        except Collapse as collapse:
            if self.n_starts == 1:  # who gave this start may want to see where it leads
                return run, before
            self.set_aside(collapse, aside)
            return None, before
        lower = further is not None and further.best.log_likelihood < run.best.log_likelihood
        return (run, before) if lower else (further, way)

    def to_the_end(self, candidate):
        """The run that has come to an end, and what came before it; (None, ...) if it is known."""
        step = checked_step(self.model.make_step())
        before, rough = candidate.history, max(self.tol, ROUGH) if self.places else self.tol
        run = Run(step, candidate.parameters, self.propose if before else None, rough)
        if not before and self.propose:  # some plain steps first: they stay on their hill
            self.go_on(run, before, MIDDLE)
            if not run.stopped and len(run.history) <= self.max_iter:
                before = run.history
                run = Run(step, run.best.new, self.propose, rough)
        while self.go_on(run, before, LOOK):
            if self.joined(run, candidate.n_starts):
                return None, before
        return run, before

    def go_on(self, run, before, n_calls):
        """Go on with a run; False if it is at its end."""
        n_calls = min(n_calls, self.max_iter + 1 - len(before) - len(run.history))
        if run.stopped or n_calls <= 0:
            return False
        n_before = len(run.history)
        run.go_on(n_calls)
        self.count(len(run.history) - n_before, run.left)
        return True

    def count(self, n_steps, left=np.inf):
        """Steps that have been taken; shown with the best place so far, and what a run has left."""
        self.n_steps += n_steps
        if self.bar is not None:
            self.bar.set_postfix_str(self.standing(left), refresh=False)
            self.bar.update(n_steps)

    def standing(self, left=np.inf):
        """How the search stands, in a line."""
        said = ["1 start" if self.n_starts == 1 else f"{self.n_starts} starts"]
        if self.n_collapsed:
            said.append(f"{self.n_collapsed} collapsed")
        if self.places:
            best = self.best()
            said.append(f"best {best.log_likelihood:.6f} from {best.n_starts}")
        if left < np.inf:
            said.append(f"this run has {max(left, 0):.1e} left")
        return ", ".join(said)

    def joined(self, run, n_starts):
        """Whether a run has come to a known place; then it is counted there."""
        here = run.best.log_likelihood
        near = [i for i, at in enumerate(self.places) if abs(here - at.log_likelihood) < LITTLE]
        if self.tol == 0 or not near:
            return False
        spot = self.spot(run.best.parameters, here)
        for i in near:
            place = self.places[i]
            if is_near(spot, place.spot):
                self.places[i] = place._replace(n_starts=place.n_starts + n_starts)
                return True
        return False

    def best(self):
        """The highest of the sane places, or of all if none is sane."""
        return max(self.places, key=lambda place: (not place.suspicious, place.log_likelihood))

    def polished(self):
        """The best place, with less than `tol` left to gain there."""
        while (rough := self.rough_place()) is not None:
            self.polish(rough)
        return self.best()

    def rough_place(self):
        """The index of a place that may be the best, and has only been come near to; or None."""
        within_reach = self.best().log_likelihood - LITTLE
        for i, place in enumerate(self.places):
            if place.log_likelihood > within_reach and place.run.tol > self.tol:
                return i
        return None

    def polish(self, i):
        """Follow the run of a place to its very end; if it collapses, there is no such place."""
        place = self.places[i]
        run = place.run
        run.tol, run.stopped, run.n_below = self.tol, "", 0
        try:
            self.go_on(run, place.history, self.max_iter)
        except Collapse as collapse:
            self.set_aside(collapse, Candidate(None, place.history, place.n_starts))
            del self.places[i]
            return
        spot = self.spot(run.best.parameters, run.best.log_likelihood)
        self.places[i] = place._replace(spot=spot)

    def told_of(self, place):
        """A place as a `Fit`, with what else was found."""
        fit = place.run.fit("max_iter")
        history = np.array([*place.history, *fit.history])
        if self.propose:  # a step to the side lowers it for a while
            history = np.minimum(np.maximum.accumulate(history), history[-1])
        places = sorted(self.places, key=lambda place: -place.log_likelihood)
        return fit._replace(
            parameters=place.spot.parameters,
            history=history,
            n_iter=len(history) - 1,
            n_steps=self.n_steps,
            n_starts=self.n_starts,
            n_collapsed=self.n_collapsed,
            ends=tuple(
                End(p.log_likelihood, p.spot.parameters, p.n_starts, p.suspicious) for p in places
            ),
            suspicious=place.suspicious,
        )
