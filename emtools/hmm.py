"""Hidden Markov models: a hidden label that remembers the one before it (chapter 13).

A `Chain` is a value: where a series starts, how it moves from state to state, and what each state
emits. What the states emit is a value of its own, `Categorical`, `Poisson` or `Gaussian`, or a
NamedTuple of several of them, one for each column of the observations.

In this order: the values; what states emit; forward and backward, plainly, scaled and in log space;
Baum-Welch; the doors (`fit`, `posteriors`, `viterbi`, ...), which check what comes in. Inside,
several series are one after the other in `Series`.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from emtools import arrays
from emtools.checks import (
    check_choice,
    check_enough,
    check_min_std,
    check_size,
    check_stopping,
    checked_array,
    checked_n_starts,
    checked_rng,
    is_whole,
)
from emtools.collapse import NARROW, VANISHED, Collapse
from emtools.em import with_parameters
from emtools.kinds import in_words, parameters_of
from emtools.mixture import Mixture, log_joint
from emtools.search import best_of
from emtools.starts import kmeans_plus_plus

FEWEST = 1e-8  # a state with a smaller soft count has vanished
DRIFT = 1e-8  # how far a row of posteriors may be from one: more is no rounding
FEWER = "Start with fewer states, or from other parameters"


class Chain(NamedTuple):
    """K hidden states, in each of which a series emits something before it moves on.

    A value: steps return a new chain and never change one.
    """

    start: np.ndarray  # (K,), p(z_1 = k)
    transitions: np.ndarray  # (K, K), p(z_t+1 = j | z_t = i); with the chance to stop (K, K + 1)
    emissions: Any  # what the states emit


class Categorical(NamedTuple):
    """Each state emits one of V symbols, 0 to V - 1."""

    tables: np.ndarray  # (K, V), each row sums to one


class Poisson(NamedTuple):
    """Each state emits a count."""

    rates: np.ndarray  # (K,), the mean count, >= 0


class Gaussian(NamedTuple):
    """Each state emits a number from its own bell."""

    means: np.ndarray  # (K,), in the units of the data
    stds: np.ndarray  # (K,), in the same units, > 0


# What states emit


def categorical_log_pdf(x, emissions):
    """Log probability of each symbol in each state, (T, K); x holds whole numbers from 0."""
    with np.errstate(divide="ignore"):  # log 0 is -inf: impossible
        return np.log(emissions.tables).T[x]


def categorical_m_step(x, resp, n_symbols):
    """The share of each of V symbols in each state, weighted by the posteriors."""
    counts = np.array([np.bincount(x, column, n_symbols) for column in resp.T])
    return Categorical(counts / counts.sum(axis=1, keepdims=True))


def poisson_log_pdf(x, emissions):
    """Log probability of each count in each state, (T, K); a rate of 0 emits nothing but 0."""
    x = x[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):  # 0 log 0 is 0
        powers = np.where(x > 0, x * np.log(emissions.rates), 0)
    return powers - emissions.rates - log_factorials(x)


def poisson_m_step(x, resp):
    """The mean count of each state, weighted by the posteriors."""
    return Poisson(resp.T @ x / resp.sum(axis=0))


def log_factorials(x):
    """log(x!) of each count; each value is worked out once."""
    values, places = np.unique(x, return_inverse=True)
    return np.array([math.lgamma(value + 1) for value in values])[places].reshape(x.shape)


def gaussian_log_pdf(x, emissions):
    """Log density of each number in each state, (T, K), in nats."""
    return log_joint(x, Mixture(np.ones(len(emissions.means)), *emissions))


def gaussian_m_step(x, resp):
    """The weighted mean and std of each state: the M-step of chapter 02, without its weights."""
    return Gaussian(*arrays.m_step(x, resp)[1:])


class Kind(NamedTuple):
    """What the module asks of a kind of emission."""

    type: type
    checked: Callable  # (emissions, K, name) -> the type with new float64 arrays, or ValueError
    check_column: Callable  # (column, emissions or None, name) -> it, in its type, or ValueError
    log_pdf: Callable  # (column, emissions) -> (T, K)
    m_step: Callable  # (column, resp, old emissions) -> emissions
    draw: Callable  # (emissions, labels, rng) -> one for each label
    start: Callable  # (column, K, rng) -> emissions to begin from


def kind_of(emissions):
    """The kind of one emission; None for several together, or anything else."""
    return KINDS.get(tuple(getattr(emissions, "_fields", ())))


def parts_of(emissions):
    """The emissions as a tuple of single ones, one for each column of the observations."""
    return (emissions,) if kind_of(emissions) else tuple(emissions)


def rebuilt(emissions, parts):
    """New parts in the form of the old emissions."""
    if kind_of(emissions):
        return parts[0]
    return type(emissions)(*parts) if hasattr(emissions, "_fields") else tuple(parts)


def log_emissions(columns, emissions):
    """Log density of each observation in each state: the columns are independent in a state.

    Parameters
    ----------
    columns : list of (T,) arrays
        One for each part of the emissions.
    emissions : Categorical, Poisson, Gaussian, or a NamedTuple of them

    Returns
    -------
    (T, K) array
        In nats; -inf where a state cannot emit what was seen.
    """
    parts = zip(columns, parts_of(emissions), strict=True)
    return sum(kind_of(part).log_pdf(column, part) for column, part in parts)


def new_emissions(columns, resp, emissions):
    """The M-step of all parts, in the form of the old emissions."""
    parts = zip(columns, parts_of(emissions), strict=True)
    return rebuilt(emissions, [kind_of(part).m_step(column, resp, part) for column, part in parts])


# Forward and backward


def split(transitions):
    """The moves between K states, (K, K), and each state's chance to stop, (K,): 1 if none does.

    A series without a stop symbol ends because we stopped looking, whatever the state.
    """
    n_states = len(transitions)
    moves, stop = transitions[:, :n_states], transitions[:, n_states:]
    return np.ascontiguousarray(moves), stop[:, 0] if stop.size else np.ones(n_states)


def forward(likelihoods, start, moves):
    """Probabilities of the states on each day, given the days up to it.

    Parameters
    ----------
    likelihoods : (T, K) array
        p(x_t | z_t = k), each row up to a factor of its own.
    start : (K,) array
        p(z_1 = k).
    moves : (K, K) array
        p(z_t+1 = j | z_t = i).

    Returns
    -------
    alphas : (T, K) array
        p(z_t = k | x_1, ..., x_t); each row sums to one.
    scales : (T,) array
        p(x_t | x_1, ..., x_t-1), up to the factor of the row.
    """
    alphas, scales = np.empty_like(likelihoods), np.empty(len(likelihoods))
    predicted = start
    for t, likelihood in enumerate(likelihoods):
        scales[t] = predicted @ likelihood
        alphas[t] = predicted * likelihood / scales[t]
        predicted = alphas[t] @ moves
    return alphas, scales


def backward(ratios, last, moves):
    """What the days after each day say of its state, in units that make alphas * betas sum to one.

    Parameters
    ----------
    ratios : (T, K) array
        Likelihoods divided by the scales of `forward`.
    last : (K,) array
        What the end says of the last state.
    moves : (K, K) array
        p(z_t+1 = j | z_t = i).

    Returns
    -------
    (T, K) array
        p(x_t+1, ..., x_T, end | z_t = k) / p(x_t+1, ..., x_T, end | x_1, ..., x_t).
    """
    betas = np.empty_like(ratios)
    betas[-1] = last
    for t in range(len(ratios) - 1, 0, -1):
        betas[t - 1] = moves @ (ratios[t] * betas[t])
    return betas


def e_step(log_liks, chain):
    """Posteriors of one series by the scaled recursions, and its log-likelihood.

    Parameters
    ----------
    log_liks : (T, K) array
        log p(x_t | z_t = k), in nats.
    chain : Chain
        K states.

    Returns
    -------
    resp : (T, K) array
        p(z_t = k | all days); each row sums to one.
    pairs : (K, K) array, or (K, K + 1) with stops
        Expected number of moves from i to j, and of stops.
    log_likelihood : float
        log p(x_1, ..., x_T) of the chain, in nats.
    """
    moves, stop = split(chain.transitions)
    peaks = log_liks.max(axis=1, keepdims=True)  # so that the largest of each row is 1
    likelihoods = np.exp(log_liks - peaks)
    alphas, scales = forward(likelihoods, chain.start, moves)
    end = alphas[-1] @ stop
    ratios = likelihoods / scales[:, None]
    betas = backward(ratios, stop / end, moves)
    resp = alphas * betas
    pairs = moves * (alphas[:-1].T @ (ratios[1:] * betas[1:]))
    log_likelihood = np.log(scales).sum() + peaks.sum() + np.log(end)
    return resp, with_stops(pairs, resp, chain), log_likelihood


def with_stops(pairs, resp, chain):
    """Expected moves, and beside them the expected stops if the chain has them."""
    return np.column_stack([pairs, resp[-1]])[:, : chain.transitions.shape[1]]


def log_forward(log_liks, log_start, log_moves):
    """`forward` in log space: + for *, logaddexp for +, - for /.

    Parameters
    ----------
    log_liks : (T, K) array
        log p(x_t | z_t = k).
    log_start, log_moves : (K,) and (K, K) arrays
        Logarithms of start and moves; -inf for what is impossible.

    Returns
    -------
    log_alphas : (T, K) array
        log p(z_t = k | x_1, ..., x_t).
    log_scales : (T,) array
        log p(x_t | x_1, ..., x_t-1); where it is -inf the series is impossible, and the rest NaN.
    """
    log_alphas, log_scales = np.empty_like(log_liks), np.empty(len(log_liks))
    log_predicted = log_start
    for t, log_lik in enumerate(log_liks):
        log_joint_t = log_predicted + log_lik
        log_scales[t] = np.logaddexp.reduce(log_joint_t)
        log_alphas[t] = log_joint_t - log_scales[t]
        log_predicted = np.logaddexp.reduce(log_alphas[t][:, None] + log_moves, axis=0)
    return log_alphas, log_scales


def log_backward(log_ratios, log_last, log_moves):
    """`backward` in log space; the ratios are the log likelihoods minus the log scales."""
    log_betas = np.empty_like(log_ratios)
    log_betas[-1] = log_last
    for t in range(len(log_ratios) - 1, 0, -1):
        leaving = log_moves + log_ratios[t] + log_betas[t]
        log_betas[t - 1] = np.logaddexp.reduce(leaving, axis=1)
    return log_betas


def logs(chain):
    """Logarithms of start, moves and stops, -inf for what is impossible."""
    with np.errstate(divide="ignore"):
        return [np.log(part) for part in (chain.start, *split(chain.transitions))]


def log_e_step(log_liks, chain):
    """The same as `e_step` in log space: slower, and nothing can underflow on the way.

    Raises
    ------
    ValueError
        If the series is impossible; the message names the first observation that no state allows.
    """
    log_start, log_moves, log_stop = logs(chain)
    log_alphas, log_scales = careful_log_forward(log_liks, log_start, log_moves)
    log_end = np.logaddexp.reduce(log_alphas[-1] + log_stop)
    if log_end == -np.inf:
        raise ValueError("it cannot stop in any state in which it may be at its end")
    log_ratios = log_liks - log_scales[:, None]
    log_betas = log_backward(log_ratios, log_stop - log_end, log_moves)
    resp = np.exp(log_alphas + log_betas)
    leaving, ahead = log_alphas[:-1].T, (log_ratios + log_betas)[1:]
    pairs = [
        np.exp(log_alpha[:, None] + row + ahead).sum(axis=0)
        for log_alpha, row in zip(leaving, log_moves, strict=True)
    ]
    return resp, with_stops(np.array(pairs), resp, chain), log_scales.sum() + log_end


def careful_log_forward(log_liks, log_start, log_moves):
    """`log_forward`, or ValueError for the first observation that no state allows."""
    with np.errstate(invalid="ignore"):  # -inf minus -inf, of an impossible series
        log_alphas, log_scales = log_forward(log_liks, log_start, log_moves)
    lost = ~np.isfinite(log_scales)
    if lost.any():
        raise ValueError(f"no way through the chain leads to observation {lost.argmax()}")
    return log_alphas, log_scales


def careful_e_step(log_liks, chain):
    """`e_step`, or `log_e_step` where that has lost something that matters.

    Alphas times betas sum to one in each row if nothing was lost: what underflowed in one of them
    and counts after all makes the sum something else, or NaN.
    """
    with np.errstate(all="ignore"):
        resp, pairs, log_likelihood = e_step(log_liks, chain)
        if np.abs(resp.sum(axis=1) - 1).max() < DRIFT and math.isfinite(log_likelihood):
            return resp, pairs, log_likelihood
    return log_e_step(log_liks, chain)


def best_path(log_liks, log_start, log_moves, log_stop):
    """The likeliest states of one series, all together (Viterbi's algorithm).

    Parameters
    ----------
    log_liks : (T, K) array
        log p(x_t | z_t = k).
    log_start, log_stop : (K,) arrays
        Logarithms of the chances to start and to stop.
    log_moves : (K, K) array
        Logarithms of the transitions.

    Returns
    -------
    (T,) array of int
        Of equally likely paths, one of those that end in the first state.
    """
    came_from, scores = np.zeros(log_liks.shape, dtype=int), log_start + log_liks[0]
    for t in range(1, len(log_liks)):
        arriving = scores[:, None] + log_moves
        came_from[t] = arriving.argmax(axis=0)
        scores = arriving.max(axis=0) + log_liks[t]
    path = [int(np.argmax(scores + log_stop))]
    for t in range(len(log_liks) - 1, 0, -1):
        path.append(int(came_from[t, path[-1]]))
    return np.array(path[::-1])


# Baum-Welch


def rows_of(pairs, old):
    """Expected moves as probabilities, row by row; a row that nothing left stays as it was."""
    totals = pairs.sum(axis=1, keepdims=True)
    known = totals > 1e-100
    return np.where(known, pairs / np.where(known, totals, 1), old)


class Series(NamedTuple):
    """Several series, one after the other."""

    columns: list  # of (T,) arrays, one for each part of the emissions; T is that of all together
    edges: np.ndarray  # (S + 1,), where the series begin, and T

    @property
    def slices(self):
        """Where each of the series is."""
        return [slice(*edges) for edges in pairwise(self.edges.tolist())]


def make_step(series, free_start=True, min_std=0.0):
    """The EM step of some series (Baum-Welch), for `emtools.em.iterate`.

    Parameters
    ----------
    series : Series
        Observations.
    free_start : bool
        Whether the start is estimated; otherwise it stays.
    min_std : float
        Bells that get narrower are raised to this width.

    Returns
    -------
    function
        ``step(chain) -> new_chain, log_likelihood``; raises Collapse if a state vanishes or its
        bell has no width left, and ValueError if a series is impossible.
    """
    limits = [narrowest(column) for column in series.columns]

    def step(chain):
        resp, pairs, firsts, log_likelihood = e_step_of_all(series, chain)
        check_present(resp)
        emissions = new_emissions(series.columns, resp, chain.emissions)
        emissions = with_floor(emissions, min_std)
        check_width(emissions, limits)
        start = firsts / firsts.sum() if free_start else chain.start
        return Chain(start, rows_of(pairs, chain.transitions), emissions), log_likelihood

    return step


def e_step_of_all(series, chain):
    """The E-step of several series: posteriors one after the other, and sums of the rest.

    Parameters
    ----------
    series : Series
        Observations.
    chain : Chain
        K states.

    Returns
    -------
    resp : (T, K) array
        Posteriors.
    pairs : (K, K) or (K, K + 1) array
        Expected moves (and stops) in all series.
    firsts : (K,) array
        Expected number of series that start in each state.
    log_likelihood : float
        Of all series together, in nats.
    """
    log_liks, results = log_emissions(series.columns, chain.emissions), []
    for s, rows in enumerate(series.slices):
        try:
            results.append(careful_e_step(log_liks[rows], chain))
        except ValueError as error:
            which = f"series {s}" if len(series.slices) > 1 else "the series"
            raise ValueError(f"{which} is impossible under this chain: {error}") from None
    resps, pairs, log_likelihoods = zip(*results, strict=True)
    firsts = np.sum([resp[0] for resp in resps], axis=0)
    return np.concatenate(resps), np.sum(pairs, axis=0), firsts, math.fsum(log_likelihoods)


def check_present(resp):
    """Raise Collapse if nothing is left to a state."""
    counts = resp.sum(axis=0)
    if counts.min() < FEWEST:
        raise Collapse(int(counts.argmin()), VANISHED, FEWER)


def narrowest(column):
    """The width under which a bell has collapsed: as in chapter 05, from the data's spread."""
    return max(1e-10 * column.std(), 4 * np.spacing(np.abs(column).max()))


def check_width(emissions, limits):
    """Raise Collapse if a bell has no width left."""
    for part, limit in zip(parts_of(emissions), limits, strict=True):
        if kind_of(part).type is Gaussian and not part.stds.min() >= limit:
            cure = f"{FEWER}, or give min_std, the smallest width there may be"
            raise Collapse(int(part.stds.argmin()), NARROW, cure)


def with_floor(emissions, min_std):
    """The emissions with every bell narrower than `min_std` raised to it."""
    parts = [
        part._replace(stds=np.maximum(part.stds, min_std))
        if kind_of(part).type is Gaussian
        else part
        for part in parts_of(emissions)
    ]
    return rebuilt(emissions, parts)


# The doors


def fit(
    sequences,
    start,
    *,
    emissions=None,
    free_start=True,
    tol=1e-10,
    max_iter=100_000,
    n_starts=None,
    min_std=0.0,
    rng=None,
    accelerate=True,
    progress=False,
):
    """Fit a hidden Markov model to series of observations by EM (Baum-Welch).

    Parameters
    ----------
    sequences : (T,) or (T, D) array, or a list of such arrays
        One series, or several of any lengths; two columns or more for several emissions together.
        Symbols are whole numbers from 0. Never changed.
    start : Chain, Fit or int
        Where to begin, which also says what the states emit; or a number of states.
    emissions : str or sequence of str, optional
        Needed for a number of states: "categorical", "poisson" or "gaussian", one for each column.
    free_start : bool
        Whether the start probabilities are estimated, too; False leaves them as they are in a
        `Chain`, and equal for a number of states.
    tol : float
        Stop when what seems to be left to gain is under it, in nats; 0 means exactly `max_iter`
        plain steps.
    max_iter : int
        The most steps to take from each start.
    n_starts : int, optional
        How many starts to try if `start` is a number: 10 unless you say otherwise. The states of
        the best are then sorted by the first thing that they emit.
    min_std : float
        The smallest standard deviation a bell may have, in the units of the data.
    rng : int or numpy.random.Generator, optional
        Draws the starts, an int as a seed; without it they differ from call to call.
    accelerate : bool
        Whether to take longer steps where they do not lower the log-likelihood.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Fit
        Its parameters are a `Chain`; the log-likelihood is that of all series together.

    Raises
    ------
    ValueError
        If an argument is not as above, or a series is impossible under the start; the message says
        what, where and what to do.
    Collapse
        If a state vanishes or its bell shrinks onto a point, from every start.

    Warns
    -----
    NotConverged
        If the best run was stopped by `max_iter`.
    Doubtful
        If most starts have collapsed.
    """
    check_stopping(tol, max_iter)
    check_min_std(min_std)
    n_starts, rng = checked_n_starts(start, n_starts), checked_rng(rng)
    if is_whole(start):
        kinds = kinds_named(emissions)
        series = checked_series(sequences, kinds)
        check_enough(start, len(series.columns[0]))
        starts = [drawn_start(series, start, emissions, kinds, rng) for _ in range(n_starts)]
    else:
        if emissions is not None:
            raise ValueError(
                "emissions is for a number of states; a Chain says itself what it emits"
            )
        starts = [checked_chain(start)]
        series = series_for(sequences, starts[0])
    check_widths(series, starts[0], min_std)
    starts = [one._replace(emissions=with_floor(one.emissions, min_std)) for one in starts]
    ordered = by_emissions if is_whole(start) else lambda chain: chain
    mend = mending(starts[0], free_start, min_std)
    step = make_step(series, free_start, min_std)

    def careful_step(chain):
        return step(mend(chain))

    found = best_of(careful_step, starts, tol, max_iter, accelerate, progress, ordered)
    return with_parameters(found, mend)


def mending(start, free_start, min_std):
    """What puts back in a chain that which no EM step from this start would have changed.

    A leap knows nothing of a start that is held, or of a smallest width; and it goes in logarithms
    of rates, so that a rate of 0 is a tiny number to it, which would grow.
    """

    def mend(chain):
        if not free_start:
            chain = chain._replace(start=start.start)
        pairs = zip(parts_of(chain.emissions), parts_of(start.emissions), strict=True)
        parts = [without_rates(part, like) for part, like in pairs]
        return chain._replace(emissions=with_floor(rebuilt(chain.emissions, parts), min_std))

    return mend


def without_rates(part, like):
    """Emissions with a rate of 0 where others have it."""
    if kind_of(part).type is not Poisson:
        return part
    return Poisson(np.where(like.rates == 0, 0.0, part.rates))


def by_emissions(chain):
    """The chain with its states sorted by the first thing that they emit."""
    first = np.hstack([array.reshape(len(array), -1) for array in parts_of(chain.emissions)[0]])
    return turned(chain, np.lexsort(first.T[::-1]))


def posteriors(sequences, chain):
    """Probabilities of the states on each day, given all days (smoothing).

    Parameters
    ----------
    sequences : array or list of arrays
        As `fit` takes them.
    chain : Chain or Fit
        K states.

    Returns
    -------
    (T, K) array, or a list of them for a list
        Each row sums to one.

    Raises
    ------
    ValueError
        If an argument is not as above, or a series is impossible under the chain.
    """
    chain = checked_chain(chain)
    series = series_for(sequences, chain)
    return as_given(sequences, series, e_step_of_all(series, chain)[0])


def log_likelihood(sequences, chain):
    """Log-likelihood of a chain, in nats, of all series together.

    Parameters
    ----------
    sequences, chain
        As `posteriors` takes them.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As `posteriors` does.
    """
    chain = checked_chain(chain)
    return e_step_of_all(series_for(sequences, chain), chain)[3]


def viterbi(sequences, chain):
    """The likeliest path of states through each series.

    Parameters
    ----------
    sequences, chain
        As `posteriors` takes them.

    Returns
    -------
    (T,) array of int, or a list of them for a list
        The one path of highest probability, which need not go through the likeliest state of each
        day (`posteriors(...).argmax(axis=1)`).

    Raises
    ------
    ValueError
        As `posteriors` does.
    """
    chain = checked_chain(chain)
    series = series_for(sequences, chain)
    e_step_of_all(series, chain)  # says so if a series is impossible
    log_liks = log_emissions(series.columns, chain.emissions)
    paths = [best_path(log_liks[rows], *logs(chain)) for rows in series.slices]
    return as_given(sequences, series, np.concatenate(paths))


def predictions(sequences, chain):
    """Probabilities of the states on each day, given only the days before it.

    Parameters
    ----------
    sequences, chain
        As `posteriors` takes them.

    Returns
    -------
    (T + 1, K) array, or a list of them for a list
        The first row is the chain's start, the last one is for the day after the series, given
        that there is one (zeros where the chain stops for certain). As weights of a mixture of what
        the states emit, a row predicts the next observation.

    Raises
    ------
    ValueError
        As `posteriors` does.
    """
    chain = checked_chain(chain)
    series = series_for(sequences, chain)
    e_step_of_all(series, chain)  # says so if a series is impossible
    log_liks = log_emissions(series.columns, chain.emissions)
    found = [predicted(log_liks[rows], chain) for rows in series.slices]
    return found if is_several(sequences) else found[0]


def predicted(log_liks, chain):
    """The rows of `predictions` for one series."""
    log_start, log_moves, _ = logs(chain)
    log_alphas, _ = careful_log_forward(log_liks, log_start, log_moves)
    ahead = np.vstack([chain.start, np.exp(log_alphas) @ split(chain.transitions)[0]])
    totals = ahead.sum(axis=1, keepdims=True)  # 0 after a state that stops for certain
    return ahead / np.where(totals > 0, totals, 1)


def sample(chain, n_samples, rng):
    """Draw one series: a state, what it emits, the next state, and so on.

    Parameters
    ----------
    chain : Chain or Fit
        K states.
    n_samples : int
        The length T >= 1; with a chance to stop, the most there can be.
    rng : numpy.random.Generator or int
        Where the randomness comes from; an int is a seed.

    Returns
    -------
    x : (T,) or (T, D) array
        What is seen.
    labels : (T,) array of int
        The states it came from.

    Raises
    ------
    ValueError
        If an argument is not as above.
    """
    chain, rng = checked_chain(chain), checked_rng(rng, required=True)
    if not is_whole(n_samples) or n_samples < 1:
        raise ValueError(f"n_samples must be a whole number >= 1; it is {n_samples!r}")
    n_states, limits = len(chain.start), np.cumsum(chain.transitions, axis=1)
    limits[:, -1] = 1  # so that rounding leaves no gap at the end
    labels = [int(rng.choice(n_states, p=chain.start))]
    for toss in rng.random(n_samples - 1):
        label = int(np.searchsorted(limits[labels[-1]], toss, side="right"))
        if label == n_states:  # it has stopped
            break
        labels.append(label)
    labels = np.array(labels)
    drawn = [kind_of(part).draw(part, labels, rng) for part in parts_of(chain.emissions)]
    return (drawn[0] if kind_of(chain.emissions) else np.column_stack(drawn)), labels


def in_order(chain, order):
    """The same chain with its states in another order.

    Parameters
    ----------
    chain : Chain or Fit
        K states.
    order : (K,) sequence of int
        Which state comes first, second, ...

    Returns
    -------
    Chain
    """
    chain, order = checked_chain(chain), list(order)
    n_states = len(chain.start)
    if sorted(order) != list(range(n_states)):
        raise ValueError(f"order must hold each of 0 to {n_states - 1} once; it is {order}")
    return turned(chain, order)


def turned(chain, order):
    """`in_order` for a good chain and a good order."""
    columns = [*order, len(order)][: chain.transitions.shape[1]]
    parts = [type(part)(*(a[order] for a in part)) for part in parts_of(chain.emissions)]
    emissions = rebuilt(chain.emissions, parts)
    return Chain(chain.start[order], chain.transitions[np.ix_(order, columns)], emissions)


# What comes in


def is_several(sequences):
    """Whether this is a list of series, rather than one."""
    if not isinstance(sequences, (list, tuple)) or len(sequences) == 0:
        return False
    first = sequences[0]
    return (
        hasattr(first, "__len__") and getattr(first, "ndim", 1) > 0 and not isinstance(first, str)
    )


def as_given(sequences, series, rows):
    """One entry a day as one array, or as a list of arrays if the series came as a list."""
    return [rows[part] for part in series.slices] if is_several(sequences) else rows


def series_for(sequences, chain):
    """Series that this chain may have emitted, checked."""
    parts = parts_of(chain.emissions)
    return checked_series(sequences, [kind_of(part) for part in parts], parts)


def checked_series(sequences, kinds, parts=None):
    """Return observations as `Series`, or say what is wrong with them.

    Parameters
    ----------
    sequences : array or list of arrays
        As `fit` takes them.
    kinds : list of Kind
        One for each column.
    parts : list of emissions, optional
        That say what symbols there are.

    Returns
    -------
    Series

    Raises
    ------
    ValueError
        If a series is empty, not finite, or of the wrong shape; or if it holds what its kind cannot
        emit.
    """
    several = is_several(sequences)
    names = [f"sequences[{s}]" for s in range(len(sequences))] if several else ["sequences"]
    tables = [
        checked_table(table, name, len(kinds))
        for table, name in zip(sequences if several else [sequences], names, strict=True)
    ]
    parts = [None] * len(kinds) if parts is None else parts
    for table, name in zip(tables, names, strict=True):
        for d, (kind, part) in enumerate(zip(kinds, parts, strict=True)):
            where = name if len(kinds) == 1 else f"{name}[:, {d}]"
            kind.check_column(table[:, d], part, where)
    columns = np.concatenate(tables).T
    edges = np.cumsum([0, *map(len, tables)])
    return Series([column_of(*pair) for pair in zip(columns, kinds, strict=True)], edges)


def column_of(column, kind):
    """A column that has been checked, symbols as the indices they are."""
    return column.astype(np.intp) if kind.type is Categorical else np.ascontiguousarray(column)


def checked_table(table, name, n_columns):
    """One series as (T, D) floats, or say what is wrong with its shape or its numbers."""
    shape = getattr(table, "shape", None)
    if shape is None:
        shape = (len(table),) if hasattr(table, "__len__") else ()
    if shape and shape[0] == 0:
        raise ValueError(f"{name} has length 0; leave it out")
    if n_columns == 1 and len(shape) == 2:
        cure = f"{name}[:, 0]" if shape[1] == 1 else f"list({name}), if its rows are series"
        raise ValueError(f"{name} must have one dimension; its shape is {shape}. Give {cure}")
    array = checked_array(table, name, dimensions=(1,) if n_columns == 1 else (2,))
    array = array.reshape(len(array), -1)
    if array.shape[1] != n_columns:
        raise ValueError(
            f"{name} must have one column for each of {n_columns} emissions; its shape is "
            f"{array.shape}"
        )
    return array


def check_symbols(column, emissions, name):
    """Raise ValueError unless these are symbols of the alphabet."""
    n_symbols = np.inf if emissions is None else emissions.tables.shape[1]
    bad = (column % 1 != 0) | (column < 0) | (column >= n_symbols)
    if bad.any():
        t = int(bad.argmax())
        last = "" if emissions is None else f" to {n_symbols - 1}"
        shift = f". Give {name} - {column.min():g}" * bool(column.min() > 0 and column[t] % 1 == 0)
        raise ValueError(
            f"{name} must hold symbols, whole numbers from 0{last}; [{t}] is {column[t]:g}{shift}"
        )


def check_counts(column, emissions, name):
    """Raise ValueError unless these are counts."""
    bad = (column % 1 != 0) | (column < 0)
    if bad.any():
        t = int(bad.argmax())
        raise ValueError(
            f"{name} must hold counts, whole numbers from 0, for Poisson emissions; [{t}] is "
            f"{column[t]:g}. Gaussian ones take any numbers"
        )


def check_numbers(column, emissions, name):
    """Raise ValueError if squares of these numbers are too large to add up."""
    check_size(np.abs(column).max(), name)


def check_widths(series, chain, min_std):
    """Raise ValueError if a column for bells is constant, and no width is given."""
    for d, (column, part) in enumerate(zip(series.columns, parts_of(chain.emissions), strict=True)):
        if kind_of(part).type is Gaussian and min_std == 0 and np.ptp(column) == 0:
            where = f"column {d} of sequences" if len(series.columns) > 1 else "sequences"
            raise ValueError(
                f"{where} is constant, {column[0]:g}, so a bell has no width there. Give min_std, "
                "the smallest width there may be"
            )


def checked_chain(chain):
    """Return a chain of new float64 arrays, or say what is wrong with it.

    Parameters
    ----------
    chain : Chain or Fit
        Or any NamedTuple with the same fields.

    Returns
    -------
    Chain

    Raises
    ------
    ValueError
        If it is none, shapes disagree, or probabilities are negative or do not sum to one.
    """
    chain = parameters_of(chain)
    if getattr(chain, "_fields", None) != Chain._fields:
        raise ValueError(
            f"this must be a Chain(start, transitions, emissions); it is a {type(chain).__name__}"
        )
    start = checked_probabilities(chain.start, "start", 1)
    transitions = checked_probabilities(chain.transitions, "transitions", 2)
    n_states = len(start)
    if transitions.shape not in ((n_states, n_states), (n_states, n_states + 1)):
        raise ValueError(
            f"transitions must be {n_states} x {n_states}, as start has {n_states} entries, or "
            f"{n_states} x {n_states + 1} with the chance to stop; it is {transitions.shape}"
        )
    return Chain(start, transitions, checked_emissions(chain.emissions, n_states))


def checked_emissions(emissions, n_states):
    """The same emissions with new float64 arrays, or ValueError."""
    several = isinstance(emissions, tuple) and len(emissions) > 0 and not kind_of(emissions)
    if not kind_of(emissions) and not (several and all(map(kind_of, emissions))):
        raise ValueError(
            "emissions must be Categorical(tables), Poisson(rates), Gaussian(means, stds) or a "
            f"tuple of them; it is {emissions!r:.60}"
        )
    names = getattr(emissions, "_fields", range(len(emissions)))
    parts = []
    for name, part in zip(names if several else [None], parts_of(emissions), strict=True):
        where = "emissions" if name is None else f"emissions[{name}]"
        where = f"emissions.{name}" if isinstance(name, str) else where
        parts.append(kind_of(part).checked(part, n_states, where))
    return rebuilt(emissions, parts)


def checked_probabilities(values, name, dimension):
    """Return probabilities whose rows sum to one to rounding, or say which does not."""
    array = checked_array(values, name, dimensions=(dimension,))
    rows = np.atleast_2d(array)
    if (rows < 0).any():
        index = ", ".join(map(str, np.argwhere(array < 0)[0]))
        raise ValueError(f"{name} must not be negative; [{index}] is {array.min():g}")
    sums = rows.sum(axis=1, keepdims=True)
    wrong = np.abs(sums[:, 0] - 1) > 1e-6  # float32 is welcome
    if wrong.any():
        k = int(wrong.argmax())
        row = f"{name}[{k}]" if dimension == 2 else name
        hint = ""
        if name == "transitions" and (sums < 1 + 1e-6).all():
            hint = ", or give what is missing as the chance to stop, in a last column"
        raise ValueError(
            f"{row} must sum to one; it sums to {sums[k, 0]:.10g}. Divide it by its sum{hint}"
        )
    return array / (sums if dimension == 2 else sums[0])


def checked_length(array, n_states, name):
    """The array, if it has one entry for each state."""
    if len(array) != n_states:
        raise ValueError(
            f"{name} must have one entry for each of {n_states} states; it has {len(array)}"
        )
    return array


def checked_categorical(emissions, n_states, name):
    """New float64 tables, or ValueError."""
    name = f"{name}.tables"
    tables = checked_probabilities(emissions.tables, name, 2)
    return Categorical(checked_length(tables, n_states, name))


def checked_poisson(emissions, n_states, name):
    """New float64 rates, or ValueError."""
    name = f"{name}.rates"
    rates = checked_length(checked_array(emissions.rates, name, (1,)), n_states, name)
    if (rates < 0).any():
        k = int((rates < 0).argmax())
        raise ValueError(f"{name} must not be negative; [{k}] is {rates[k]:g}")
    return Poisson(rates)


def checked_gaussian(emissions, n_states, name):
    """New float64 means and stds, or ValueError."""
    means, stds = (
        checked_length(checked_array(part, f"{name}.{field}", (1,)), n_states, f"{name}.{field}")
        for field, part in zip(("means", "stds"), emissions, strict=True)
    )
    if (stds <= 0).any():
        k = int((stds <= 0).argmax())
        raise ValueError(f"{name}.stds must be positive; [{k}] is {stds[k]:g}")
    return Gaussian(means, stds)


# Starts


def kinds_named(emissions):
    """The kinds that a number of states comes with, by their names."""
    names = [emissions] if isinstance(emissions, str) or emissions is None else list(emissions)
    known = {kind.type.__name__.lower(): kind for kind in KINDS.values()}
    for name in names:
        check_choice(name, "emissions", list(known))
    return [known[name] for name in names]


def drawn_start(series, n_states, emissions, kinds, rng):
    """A chain to begin from: moves of any kind, and emissions near what was seen."""
    pairs = zip(series.columns, kinds, strict=True)
    parts = [kind.start(column, n_states, rng) for column, kind in pairs]
    form = getattr(type(emissions), "_make", tuple)
    rows = rng.dirichlet(np.ones(n_states), n_states)  # to favour staying would be a guess
    start = np.full(n_states, 1 / n_states)
    return Chain(start, rows, parts[0] if isinstance(emissions, str) else form(parts))


def drawn_tables(column, n_states, rng):
    """The shares of the symbols in all series, shaken anew for each state."""
    shares = np.bincount(column) * rng.exponential(size=(n_states, column.max() + 1))
    return Categorical(shares / shares.sum(axis=1, keepdims=True))


def drawn_rates(column, n_states, rng):
    """Counts that were seen, far from each other; none is zero, which would stay."""
    return Poisson(np.maximum(kmeans_plus_plus(column, n_states, rng), 0.5))


def drawn_bells(column, n_states, rng):
    """Numbers that were seen, far from each other, and bells that share the width of all."""
    width = column.std() / n_states
    return Gaussian(kmeans_plus_plus(column, n_states, rng), np.full(n_states, width))


KINDS = {
    kind.type._fields: kind
    for kind in (
        Kind(
            Categorical,
            checked_categorical,
            check_symbols,
            categorical_log_pdf,
            lambda x, resp, old: categorical_m_step(x, resp, old.tables.shape[1]),
            lambda old, labels, rng: (
                rng.random((len(labels), 1)) > np.cumsum(old.tables, axis=1)[labels, :-1]
            ).sum(axis=1),
            drawn_tables,
        ),
        Kind(
            Poisson,
            checked_poisson,
            check_counts,
            poisson_log_pdf,
            lambda x, resp, old: poisson_m_step(x, resp),
            lambda old, labels, rng: rng.poisson(old.rates[labels]),
            drawn_rates,
        ),
        Kind(
            Gaussian,
            checked_gaussian,
            check_numbers,
            gaussian_log_pdf,
            lambda x, resp, old: gaussian_m_step(x, resp),
            lambda old, labels, rng: rng.normal(old.means[labels], old.stds[labels]),
            drawn_bells,
        ),
    )
}


def as_table(chain):
    """A chain as a table, one row a state: start, moves, and what it emits."""
    try:
        heads, columns = columns_of(chain)
        rows = list(zip(*columns, strict=True))
    except (AttributeError, TypeError, ValueError, IndexError):  # no good chain: seen as it is
        return f"Chain{tuple(chain)!r}"
    lines = [("state", heads), *enumerate(rows)]
    return "\n".join(
        f"{first!s:>5}" + "".join(f" {cell:>9}" for cell in cells) for first, cells in lines
    )


def columns_of(chain):
    """Heads and columns of `as_table`: probabilities with four decimals, all else as elsewhere."""
    n_states = len(chain.start)
    heads = ["start", *(f"to {k}" for k in range(n_states)), "stop"]
    heads = heads[: 1 + chain.transitions.shape[1]]
    columns = [*np.column_stack([chain.start, chain.transitions]).T]
    for part in parts_of(chain.emissions):
        if kind_of(part).type is Categorical:
            heads += [f"p({symbol})" for symbol in range(part.tables.shape[1])]
            columns += [*part.tables.T]
        else:
            heads += part._fields
            columns += [[in_words(value) for value in array] for array in part]
    written = [
        column if isinstance(column, list) else [f"{p:.4f}" for p in column] for column in columns
    ]
    return heads, written


Chain.__repr__ = as_table  # outside the class, which is a chapter's to the letter
