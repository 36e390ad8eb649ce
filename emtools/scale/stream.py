"""Stepwise EM for a stream: every observation is seen once (chapter 16)."""

from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np

from emtools.checks import check_choice, check_complete, check_min_std, check_stream
from emtools.collapse import Collapse, find_collapse, limits_of, with_floor
from emtools.em import checked_step, with_progress
from emtools.fitting import as_kind_of_x, check_summary, given
from emtools.kernel import exact_sums, in_this_thread, m_step, packed, pairs, restricted
from emtools.multivariate import STRUCTURES
from emtools.scale.chunks import merged, summarise_chunk, sums_of_chunk

CURE = (
    "Set min_std, or start with fewer components: emtools.fit finds a start from the first chunks"
)


class Stream(NamedTuple):
    """What a stream leaves behind."""

    parameters: NamedTuple  # a Mixture for (n,) chunks, a MultivariateMixture for (n, D)
    scores: np.ndarray  # (n_chunks,), mean log density of each chunk before it was learned from
    n_samples: int  # observations seen


def fit_stream(
    chunks,
    start,
    *,
    exponent=0.7,
    constant=None,
    n_chunks=None,
    covariance="full",
    min_std=0.0,
    progress=False,
):
    """Follow a stream by stepwise (online) EM: every observation is seen once.

    The averages of the terms, from which an M-step is made, are kept and moved towards those of
    each chunk by a share of ``(k + 2)**-exponent`` for chunk k = 0, 1, ... (Cappé and Moulines
    2009; the form is that of Liang and Klein 2009). The longest chunk so far is the measure: one
    of half as many rows counts as half a chunk. The log-likelihood may fall on the way. The
    averages are kept as moments, so that each component's terms can be about its own mean: about
    any other point a narrow component far from it would lose its digits.

    Parameters
    ----------
    chunks : iterable of (n,) or (n, D) arrays
        Gone through once; a generator will do. Alike in type and columns; those without a row are
        skipped and not counted.
    start : Mixture, MultivariateMixture or Fit
        Where to begin.
    exponent : float
        Over 0.5, so that the noise of single chunks dies out, and at most 1, so that the start is
        forgotten: slowly at 1, where 1 / (k + 1) of it is left after k chunks.
    constant : float, optional
        The share of each chunk, over 0 and under 1, in place of one that falls: for a stream that
        drifts. It follows for ever, and its noise never dies out.
    n_chunks : int, optional
        How many chunks to take; all there are unless given.
    covariance : str
        "full", "tied", "diag" or "spherical", as for `fit`.
    min_std : float
        The smallest standard deviation allowed, in the units of the data.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Stream

    Raises
    ------
    ValueError
        If a chunk is not as above (which chunk, which row), a column is constant to the end, the
        stream ends before `n_chunks`, a log-likelihood is not finite, or another argument is not
        as above.
    Collapse
        If a component shrinks onto a point or vanishes; the iteration is how many chunks had been
        learned from.
    """
    check_choice(covariance, "covariance", STRUCTURES)
    check_min_std(min_std)
    check_stream(chunks, start, exponent, n_chunks)
    check_constant(constant)
    learn = checked_step(sums_of_chunk_unless_collapsed)
    summary, scores = None, []
    for number, chunk in enumerate(with_progress(islice(chunks, n_chunks), progress, "chunks")):
        seen = summarise_chunk(f"chunks[{number}]", chunk)
        if seen is None:
            continue
        if summary is None:
            longest, summary, moments = 0, seen, packed(given(start, seen, centre=0.0), covariance)
            mixture = with_floor(moments, min_std)
        else:
            summary = merged(summary, seen)
        sums, log_likelihood = learn((mixture, chunk, summary))
        longest = max(longest, seen.n_samples)
        share = share_of(seen.n_samples / longest, summary.n_samples / longest, exponent, constant)
        averages = (1 - share) * averages_of(moments) + share * sums / seen.n_samples  # Eq. (2)
        moments = m_step(averages, moments.means)
        mixture = with_floor(restricted(moments, covariance), min_std)
        scores.append(log_likelihood / seen.n_samples)
    check_complete(len(scores), n_chunks)
    if summary.n_samples > 1:
        check_summary(summary, len(mixture.weights), 0.0, covariance, min_std)
    refuse_collapsed(mixture, summary, len(scores))
    return Stream(as_kind_of_x(mixture, summary.dimensions), np.array(scores), summary.n_samples)


def share_of(size, seen, exponent, constant):
    """What a chunk's averages count beside those before it: a chunk of half the rows, half.

    Parameters
    ----------
    size, seen : float
        Rows of this chunk, and of all up to it and with it, in units of the longest so far.
    exponent, constant : float, float or None
        As for `fit_stream`.

    Returns
    -------
    float
    """
    share = (seen + 1) ** -float(exponent) if constant is None else float(constant)
    return size * share


def check_constant(constant):
    """Raise ValueError for what is no share of a chunk."""
    if constant is None:
        return
    is_number = isinstance(constant, (int, float, np.number)) and not isinstance(constant, bool)
    if not (is_number and 0 < constant < 1):
        raise ValueError(
            f"constant must be the share of a chunk, over 0 and under 1; it is {constant!r}. Leave "
            "it out for a share that falls"
        )


def sums_of_chunk_unless_collapsed(situation):
    """The sums of a chunk, each component's terms about its own mean, and its log-likelihood."""
    mixture, chunk, summary = situation
    refuse_collapsed(mixture, summary)
    chunk_sums = partial(exact_sums, mixture, mixture.means)
    return sums_of_chunk(in_this_thread, chunk_sums, None, chunk)


def averages_of(mixture):
    """The averages of the terms about the means that make this packed mixture, (K, F)."""
    weights, means, covariances = mixture
    if covariances.ndim == 3:
        i, j = pairs(means.shape[1])
        covariances = covariances[:, i, j]
    averages = [np.ones((len(means), 1)), np.zeros_like(means), covariances]
    return weights[:, None] * np.concatenate(averages, axis=1)


def refuse_collapsed(mixture, summary, iteration=None):
    """Raise Collapse if a component has collapsed, among the observations seen so far."""
    failure = find_collapse(mixture, limits_of(summary))
    if failure:
        raise Collapse(*failure, CURE, iteration)
