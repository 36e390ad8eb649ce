"""Run a step until nothing is left to gain, from one start or from many (chapter 05).

A step is one function, ``step(parameters) -> new_parameters, log_likelihood``, the latter of the
parameters it was given. Every model of the course hands over such a function and nothing else.
"""

import math
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from emtools.checks import check_stopping

EPS = float(np.finfo(float).eps)
CURES = (
    "Start elsewhere or more often (n_starts), fit fewer components, share one width "
    '(covariance="tied"), or set floor, the smallest standard deviation you would believe'
)
CURES_OF_A_FLAT_START = (
    "The start itself is flat: look for a feature that repeats others, or too few observations "
    "for so many features"
)
CURES_OF_VANISHING = "Start elsewhere or more often (n_starts), or fit fewer components"


class Fit(NamedTuple):
    """What a run of EM leaves behind."""

    parameters: Any  # the last ones, in the form the step takes them
    log_likelihood: float  # of these parameters, in nats
    history: np.ndarray  # (n_iter + 1,), history[i] is the log-likelihood after i steps
    n_iter: int  # steps taken
    converged: bool  # False: stopped by max_iter


class Collapse(ValueError):
    """A component has shrunk onto a point, or nothing is left of it.

    Attributes
    ----------
    component : int
        Which one, counted from 0.
    what : str
        What happened to it.
    iteration : int or None
        After how many steps; None until `iterate` fills it in.
    n_starts : int
        How many starts ended like this; the rest is about the first of them.
    """

    def __init__(self, component, what, iteration=None, n_starts=1):
        super().__init__(component, what, iteration, n_starts)
        self.component, self.what = component, what
        self.iteration, self.n_starts = iteration, n_starts

    def __str__(self):
        k = self.component
        starts = f"all {self.n_starts} starts collapsed; in the first, " * (self.n_starts > 1)
        when = "" if self.iteration is None else f" at iteration {self.iteration}"
        cures = CURES
        if self.iteration == 0 and "direction" in self.what:
            cures = CURES_OF_A_FLAT_START
        if "vanished" in self.what:
            cures = CURES_OF_VANISHING
        return f"{starts}component {k} (means[{k}], counted from 0) {self.what}{when}. {cures}"


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


def still_to_gain(history):
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
        converged = tol > 0 and (is_noise(history) or still_to_gain(history) < tol)
        if converged or iteration == max_iter:
            break
        parameters = new_parameters
    return Fit(parameters, log_likelihood, np.array(history), iteration, converged)


def iterate(step, start, *, tol=1e-10, max_iter=100_000, progress=False):
    """Repeat a step until Aitken's estimate of what is left to gain is under `tol`.

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
    """
    check_stopping(tol, max_iter)
    count = iter(shown(range(max_iter + 1), progress, "EM"))
    return climb(lambda parameters: accepted(step, parameters, next(count)), start, tol, max_iter)


def restarts(run, starts):
    """Run from every start; set aside those that collapse.

    Parameters
    ----------
    run : function
        ``run(start) -> Fit``; may raise `Collapse`.
    starts : iterable
        What to run from.

    Returns
    -------
    fits : list of Fit
        One for each start that came through, in order.
    collapses : list of Collapse
        One for each that did not.

    Raises
    ------
    Collapse
        If none came through: the first, with their number.
    """
    fits, collapses = [], []
    for start in starts:
        try:
            fits.append(run(start))
        except Collapse as collapse:
            # Anew, because the one that was raised holds on to the data of its run.
            collapses.append(Collapse(collapse.component, collapse.what, collapse.iteration))
    if collapses and not fits:
        first = collapses[0]
        raise Collapse(first.component, first.what, first.iteration, len(collapses))
    return fits, collapses


def best(fits):
    """The fit of highest log-likelihood; of equals, the first.

    Parameters
    ----------
    fits : list of Fit
        At least one, none of them collapsed: a collapse would win.

    Returns
    -------
    Fit
    """
    return max(fits, key=lambda fit: fit.log_likelihood)


def accepted(step, parameters, iteration):
    """Call the step; if it refuses, say at which iteration.

    Parameters
    ----------
    step : function
        ``step(parameters) -> new_parameters, log_likelihood``.
    parameters : any
        What to give it.
    iteration : int
        How many steps led to these parameters.

    Returns
    -------
    new_parameters : any
    log_likelihood : float
        Of the parameters that were given.

    Raises
    ------
    Collapse
        If the step raises it.
    ValueError
        If the log-likelihood is not finite.
    """
    try:
        new_parameters, log_likelihood = step(parameters)
    except Collapse as collapse:
        raise Collapse(collapse.component, collapse.what, iteration) from None
    if not math.isfinite(log_likelihood):
        raise ValueError(
            f"the log-likelihood is {log_likelihood} at iteration {iteration}; look at the "
            "parameters there for a width of 0 or an observation too far from every component"
        )
    return new_parameters, float(log_likelihood)


def shown(items, progress, label):
    """The same items, with a bar that counts them if wanted.

    Parameters
    ----------
    items : sequence
        What to go through.
    progress : bool
        Whether to show the bar; tqdm is imported only then.
    label : str
        What stands before the bar.

    Returns
    -------
    iterable
    """
    if not progress:
        return items
    from tqdm.auto import tqdm

    return tqdm(items, desc=label, leave=False)
