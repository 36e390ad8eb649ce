"""Run a step until nothing is left to gain (chapter 05).

A step is one function, ``step(parameters) -> new_parameters, log_likelihood``, the latter of the
parameters it was given. Every model of the course hands over such a function and nothing else.
"""

import math
import warnings
from contextlib import nullcontext
from itertools import count, pairwise
from typing import Any, NamedTuple

import numpy as np

from emtools.checks import check_stopping

MOST_ENDS = 5  # that are printed
EPS = float(np.finfo(float).eps)


class NotConverged(UserWarning):
    """A run has been stopped by `max_iter`, with something left to gain."""


class Doubtful(UserWarning):
    """A fit that may be none to believe; the message says why."""


class End(NamedTuple):
    """One of the places where runs of EM have ended."""

    log_likelihood: float  # in nats
    parameters: Any
    n_starts: int  # that have been seen to lead here
    suspicious: str  # why it may be none to believe, or ""


class Fit(NamedTuple):
    """What a run of EM leaves behind."""

    parameters: Any  # the last ones, in the form the step takes them
    log_likelihood: float  # of these parameters, in nats
    history: np.ndarray  # (n_iter + 1,), history[i] is the log-likelihood after i steps
    n_iter: int  # steps taken
    converged: bool  # False: stopped by max_iter
    stopped: str = ""  # by what: "tol", "noise" (no gain above rounding) or "max_iter"
    n_steps: int = 0  # steps of all runs together, if there were several
    n_starts: int = 1  # starts made
    n_collapsed: int = 0  # of them
    ends: tuple = ()  # of End, the highest first: what they led to
    suspicious: str = ""  # why this end may be none to believe


def in_lines(fit):
    """A fit in a few lines: what it reached, how, what else was found, and its parameters."""
    end = "converged" if fit.converged else "not converged"
    lines = [f"log-likelihood {fit.log_likelihood:.10g} after {fit.n_iter} iterations, {end}"]
    if fit.n_starts > 1:
        collapsed = f", {fit.n_collapsed} collapsed" if fit.n_collapsed else ""
        lines.append(f"{fit.n_starts} starts{collapsed}, {fit.n_steps} steps in all; ends found:")
        lines += [in_a_line(end) for end in fit.ends[:MOST_ENDS]]
        if len(fit.ends) > MOST_ENDS:
            lines.append(f"  and {len(fit.ends) - MOST_ENDS} lower ones")
    if fit.suspicious:
        lines.append(f"suspicious: {fit.suspicious}")
    return "\n".join([*lines, repr(fit.parameters)])


def in_a_line(end):
    """One end of a search."""
    starts = "1 start" if end.n_starts == 1 else f"{end.n_starts} starts"
    return f"  {end.log_likelihood:.10g} from {starts}" + ", suspicious" * bool(end.suspicious)


Fit.__repr__ = in_lines  # outside the class, which is a chapter's to the letter


def step_on(x, e_step, m_step):
    """One function for both steps on these observations, as `iterate` wants it.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    e_step, m_step : functions
        ``e_step(x, parameters) -> resp, log_likelihood`` and ``m_step(x, resp) -> parameters``.

    Returns
    -------
    function
        ``step(parameters) -> new_parameters, log_likelihood``.
    """

    def step(parameters):
        resp, log_likelihood = e_step(x, parameters)
        return m_step(x, resp), log_likelihood

    return step


def aitken_gap(history):
    """Aitken's estimate of what EM has yet to gain: an estimate, never a bound.

    If each gain is `ratio` times the one before, the gains to come add up to
    gain * ratio / (1 - ratio). That holds once the ratio has settled, so three ratios in a row must
    differ by less than 5 % of 1 - ratio, and the last be less than one.

    Parameters
    ----------
    history : sequence of floats
        Log-likelihoods after 0, 1, 2, ... steps, in nats.

    Returns
    -------
    float
        In nats; inf while the ratio has not settled.
    """
    last = history[-5:]
    gains = [after - before for before, after in pairwise(last)]
    if len(gains) < 4 or min(gains) <= 0:
        return math.inf
    ratios = [after / before for before, after in pairwise(gains)]
    ratio = ratios[-1]
    change = max(abs(ratios[1] - ratios[0]), abs(ratios[2] - ratios[1]))
    settled = ratio < 1 and change < 0.05 * (1 - ratio)
    return gains[-1] * ratio / (1 - ratio) if settled else math.inf


def is_noise(history):
    """Whether the last gain is so small that float64 cannot tell it from rounding.

    EM never lowers the log-likelihood: a small fall is rounding, too. A larger one is a mistake in
    the step, and ends nothing.

    Parameters
    ----------
    history : sequence of floats
        Log-likelihoods after 0, 1, 2, ... steps, in nats.

    Returns
    -------
    bool
        True for a gain of at most 32 eps times the log-likelihood, or a fall of at most 1e-9 of it.
    """
    if len(history) < 2:
        return False
    size = max(1.0, abs(history[-1]))
    return -1e-9 * size <= history[-1] - history[-2] <= 32 * EPS * size


def why_stop(history, tol):
    """Whether a run of plain EM ends here, and why.

    Parameters
    ----------
    history : sequence of floats
        Log-likelihoods after 0, 1, 2, ... steps, in nats.
    tol : float
        As in `iterate`.

    Returns
    -------
    str
        "noise", "tol", or "" to go on.
    """
    if tol > 0 and is_noise(history):
        return "noise"
    return "tol" if tol > 0 and aitken_gap(history) < tol else ""


def climb(step, start, tol, max_iter):
    """The loop of `iterate`, as bare as the chapter has it: takes good input for granted.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood`` (of the parameters it was given).
    start : any
        The first parameters.
    tol, max_iter : float, int
        As in `iterate`.

    Returns
    -------
    Fit
    """
    parameters, history = start, []
    for iteration in range(max_iter + 1):
        new_parameters, log_likelihood = step(parameters)
        history.append(log_likelihood)
        stopped = why_stop(history, tol)
        if stopped or iteration == max_iter:
            break
        parameters = new_parameters
    history = np.array(history)
    return Fit(parameters, log_likelihood, history, iteration, bool(stopped), stopped or "max_iter")


def iterate(step, start, *, tol=1e-10, max_iter=100_000, accelerate=False, progress=False):
    """Repeat a step until what seems to be left to gain is under `tol`.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood`` (of the parameters it was given).
    start : any
        The first parameters.
    tol : float
        In nats. 0 means exactly `max_iter` steps; otherwise a gain or a small fall that is rounding
        noise ends the run, too.
    max_iter : int
        The most steps to take, >= 0.
    accelerate : bool
        Whether to take longer steps where they do not lower the log-likelihood (chapter 11); for
        `tol` above 0, and parameters that `emtools.coordinates` knows or that may be any numbers.
    progress : bool
        Whether to show a bar (tqdm).

    Returns
    -------
    Fit
        `step` is called once more than n_iter, for the log-likelihood of the last parameters.

    Raises
    ------
    ValueError
        If `tol` or `max_iter` is not as above, or a log-likelihood is not finite.
    Collapse
        If the step raises it; with the iteration added.

    Warns
    -----
    NotConverged
        If `max_iter` ends the run, and `tol` is not 0.
    """
    check_stopping(tol, max_iter)
    from emtools.acceleration import climb_in_leaps  # which is made of what stands here

    run = climb_in_leaps if accelerate and tol > 0 else climb
    with progress_bar(progress, "EM") as bar:
        fit = run(checked_step(step, bar), start, tol, max_iter)
    warn_unless_converged(fit, tol, stacklevel=3)
    return fit


def checked_step(step, bar=None):
    """The same step, once for a run: what goes wrong is told with its iteration.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood``.
    bar : tqdm, optional
        Is told how high each iteration stands.

    Returns
    -------
    function
        Of the same form; raises ValueError for a log-likelihood that is not finite.
    """
    iterations = count()

    def checked(parameters):
        iteration = next(iterations)
        try:
            new_parameters, log_likelihood = step(parameters)
        except ValueError as error:  # a collapse tells it, whatever the model
            error.iteration = iteration
            raise
        if not math.isfinite(log_likelihood):
            raise ValueError(
                f"the log-likelihood is {log_likelihood} at iteration {iteration}; look at the "
                "parameters there for a width of 0 or an observation too far from every component"
            )
        if bar is not None:
            bar.set_postfix_str(f"log-likelihood {log_likelihood:.6f}", refresh=False)
            bar.update()
        return new_parameters, float(log_likelihood)

    return checked


def with_parameters(fit, change):
    """A fit with ``change(parameters)`` in place of its parameters, and of those of its ends."""
    ends = tuple(end._replace(parameters=change(end.parameters)) for end in fit.ends)
    return fit._replace(parameters=change(fit.parameters), ends=ends)


def warn_unless_converged(fit, tol, stacklevel):
    """Warn if a fit was stopped by `max_iter`, unless exactly so many steps were asked for."""
    if not fit.converged and tol > 0:
        warnings.warn(
            f"stopped by max_iter after {fit.n_iter} iterations, with something left to gain. Go "
            "on from where it is, with this fit as start, or give a larger max_iter",
            NotConverged,
            stacklevel=stacklevel,
        )


def warn_if_doubtful(fit, stacklevel):
    """Warn if most starts have collapsed, or the best end found is suspicious."""
    if 2 * fit.n_collapsed > fit.n_starts:
        warnings.warn(
            f"{fit.n_collapsed} of {fit.n_starts} starts collapsed, and this is the best of the "
            "rest: fewer components, or min_std, would say more",
            Doubtful,
            stacklevel=stacklevel,
        )
    if fit.suspicious:
        warnings.warn(
            f"no end was found that is not suspicious: {fit.suspicious}",
            Doubtful,
            stacklevel=stacklevel,
        )


def progress_bar(progress, label):
    """A bar that counts steps, to be told of each; None where none is wanted, as a context."""
    if not progress:
        return nullcontext()
    from tqdm.auto import tqdm  # imported only when it is shown

    return tqdm(desc=label, unit=" steps", leave=False)


def with_progress(items, progress, label):
    """The same items, with a bar that counts them if wanted."""
    if not progress:
        return items
    from tqdm.auto import tqdm

    return tqdm(items, desc=label, leave=False)
