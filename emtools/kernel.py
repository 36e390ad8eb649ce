"""The kernel behind `fit`: chapter 07's step as two matrix products, piece by piece (chapter 15).

EM needs only sums over the observations. They are taken over pieces small enough for the cache of
the processor, matrix products over blocks of a piece, and all sums add up, whoever computed them.
`expanded_sums` is the fast way, `exact_sums` the one for mixtures whose digits the fast way would
lose; `make_step` decides.

In this order: how the kernel holds a mixture; the table of terms; Eq. (2), what the log joint is in
them; Eq. (3), from log odds to responsibilities; Eq. (1), from sums to a mixture; both ways to the
sums; the step; pieces and threads. F, `n_terms`, counts the rows of the table: 1, the D features,
their products.
"""

import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import pairwise

import numpy as np

from emtools.coordinates import cache_last
from emtools.multivariate import STRUCTURES, MultivariateMixture

CACHE = 2**19  # numbers a thread works on at a time: 4 MB, found by measuring
PRODUCT = 2**18  # multiplications in one matrix product: for more, BLAS starts threads of its own
BLOCK = 2**13  # the most observations in one matrix product
WORTH_A_THREAD = 250_000  # numbers in X
SIZE_LIMIT = 1000  # twice the largest term of a log joint, in nats, beyond which digits are lost
MOST_FEATURES = 32  # for more, the D**2 / 2 products cost more than whitening
FACTORS = (32, 4)  # totals in a product; fewer if it overflows
FEW = 1000  # totals of which products save no time
WIDE = 1000  # terms from which on a piece of an eighth of CACHE has observations enough
ALONG_AXES = ("diag", "spherical")  # structures that need no x_i x_j with i < j
BUFFERS = threading.local()


def packed(mixture, covariance):
    """A mixture as the kernel holds it, of this structure.

    Parameters
    ----------
    mixture : MultivariateMixture
        K components in D dimensions.
    covariance : str
        A key of `emtools.multivariate.STRUCTURES`.

    Returns
    -------
    MultivariateMixture
        Of components along the axes, and in one dimension, its covariances are the variances
        alone, (K, D): a thousand features have a million entries of which nobody needs the rest.
        A copy, so that the rest can be let go.
    """
    if mixture.covariances.ndim == 3 and is_along_axes(covariance, mixture.means.shape[1]):
        mixture = mixture._replace(covariances=variances_of(mixture).copy())
    return restricted(mixture, covariance)


def is_along_axes(covariance, n_features):
    """Whether such components are held by their variances alone."""
    return n_features == 1 or covariance in ALONG_AXES


def unpacked(mixture):
    """The same mixture with its covariances written out, (K, D, D)."""
    if mixture.covariances.ndim == 3:
        return mixture
    n_components, n_features = mixture.covariances.shape
    covariances = np.zeros((n_components, n_features, n_features))
    np.einsum("kdd->kd", covariances)[:] = mixture.covariances
    return mixture._replace(covariances=covariances)


def restricted(mixture, covariance):
    """A packed mixture brought into its structure: what `STRUCTURES` does to others."""
    variances = mixture.covariances
    if variances.ndim == 3:
        return STRUCTURES[covariance](mixture)
    if covariance == "tied":  # in one dimension, or it would have three
        pooled = mixture.weights @ variances
    elif covariance == "spherical":
        pooled = variances.mean(axis=1, keepdims=True)
    else:
        return mixture
    return mixture._replace(covariances=np.broadcast_to(pooled, variances.shape))


def variances_of(mixture):
    """The variances of a packed mixture, (K, D)."""
    if mixture.covariances.ndim == 2:
        return mixture.covariances
    return np.diagonal(mixture.covariances, axis1=1, axis2=2)


def write_terms(x, centre, table):
    """What the log joint is linear in: 1, x_i and x_i x_j about the centre, in place.

    Parameters
    ----------
    x : (D, n) array
        Observations, one feature a row.
    centre : (D,) array
        In the units of x.
    table : (F, n) array
        Holds a row of ones; D rows of x_i and the products in the order of `pairs` are written.
    """
    n_features = len(centre)
    centred, products = table[1 : 1 + n_features], table[1 + n_features :]
    np.subtract(x, centre[:, None], out=centred)
    if len(products) == n_features:
        np.multiply(centred, centred, out=products)
        return
    for i in range(n_features):
        these, products = products[: n_features - i], products[n_features - i :]
        np.multiply(centred[i], centred[i:], out=these)


@lru_cache
def pairs(n_features):
    """The pairs i <= j of which there are terms x_i x_j."""
    return np.triu_indices(n_features)


@lru_cache
def product_index(n_features):
    """Where among the products each x_i x_j stands, (D, D)."""
    i, j = pairs(n_features)
    table = np.zeros((n_features, n_features), int)
    table[i, j] = table[j, i] = np.arange(len(i))
    return table


def coefficients(mixture, centre):
    """The log joint as a linear function of the terms, where that keeps enough digits.

    Parameters
    ----------
    mixture : MultivariateMixture
        K components, packed.
    centre : (D,) array
        That of the terms.

    Returns
    -------
    (K, F) array or None
        ``coefficients @ terms`` is the log joint; None if its terms are so much larger than
        their sum, or so many, that `exact_sums` must take over.
    """
    if len(centre) == 1:
        return parabolas(mixture, centre)
    if mixture.covariances.ndim == 2:
        return along_axes(mixture, centre)
    if len(centre) > MOST_FEATURES:
        return None
    try:
        whiteners = whitening(mixture.covariances)
    except np.linalg.LinAlgError:
        return None
    precisions = whiteners.swapaxes(1, 2) @ whiteners  # (K, D, D)
    means = mixture.means - centre
    far = (np.abs(means) + np.sqrt(variances_of(mixture)))[:, :, None]  # (K, D, 1)
    if not (far.swapaxes(1, 2) @ np.abs(precisions) @ far).max() < SIZE_LIMIT:
        return None
    linear = (precisions @ means[:, :, None])[:, :, 0]  # Eq. (2)
    constant = log_peaks(mixture, whiteners) - 0.5 * (means * linear).sum(axis=1)
    i, j = pairs(len(centre))
    quadratic = -np.where(i == j, 0.5, 1.0) * precisions[:, i, j]  # x_i x_j stands for x_j x_i, too
    return np.concatenate([constant[:, None], linear, quadratic], axis=1)


def parabolas(mixture, centre):
    """The `coefficients` of one dimension, where each log joint is a parabola."""
    means, variances = mixture.means - centre, mixture.covariances  # (K, 1)
    linear = means / variances  # Eq. (2)
    drops = means * linear  # twice what the log joint loses from the mean to the centre
    if not np.abs(drops).max() < SIZE_LIMIT:  # a variance may be below 0 by rounding
        return None
    constant = np.log(mixture.weights)[:, None] - 0.5 * (np.log(2 * np.pi * variances) + drops)
    return np.concatenate([constant, linear, -0.5 / variances], axis=1)  # (K, 3)


def along_axes(mixture, centre):
    """The `coefficients` of components along the axes: a parabola for each feature, added up."""
    means, variances = mixture.means - centre, mixture.covariances  # (K, D)
    if not (variances > 0).all():
        return None
    sizes = ((np.abs(means) / np.sqrt(variances) + 1) ** 2).sum(axis=1)
    if not sizes.max() < SIZE_LIMIT * max(1, len(centre) / MOST_FEATURES):  # many add up
        return None
    return sums_of_parabolas(mixture, means)


def sums_of_parabolas(mixture, means):
    """The same for means (K, D) from where the terms are zero, whatever digits it costs."""
    linear = means / mixture.covariances
    constants = np.log(2 * np.pi * mixture.covariances) + means * linear
    constant = np.log(mixture.weights) - 0.5 * constants.sum(axis=1)
    return np.concatenate([constant[:, None], linear, -0.5 / mixture.covariances], axis=1)


def whitening(covariances):
    """Matrices W_k with W_k Sigma_k W_k^T = 1: the inverse Cholesky factors, (K, D, D)."""
    return np.linalg.inv(np.linalg.cholesky(covariances))


def log_peaks(mixture, whiteners):
    """The log joint at the mean of each component, (K,)."""
    n_features = whiteners.shape[1]
    log_scales = np.log(np.diagonal(whiteners, axis1=1, axis2=2)).sum(axis=1)
    return np.log(mixture.weights) + log_scales - n_features * np.log(2 * np.pi) / 2


def from_log_odds(joint, totals, weight):
    """Turn log odds into responsibilities, in place; times the sample weights, if any.

    Parameters
    ----------
    joint : (K, n) array
        Log odds against component 0 in rows 1 to K - 1; row 0 is written only.
    totals : (n,) array
        Room for what is on the way.
    weight : (n,) array or None
        Sample weights.

    Returns
    -------
    float
        By how much the log-likelihood is above that of the log joint of component 0; inf if odds
        have overflowed.
    """
    odds = joint[1:]
    np.exp(odds, out=odds)
    np.add.reduce(odds, axis=0, out=totals, initial=1)
    np.divide(1, totals, out=joint[0])  # Eq. (3)
    odds *= joint[0]
    if weight is None:
        return sum_of_logs(totals)
    joint *= weight
    return weight @ np.log(totals, out=totals)


def from_log_joint(joint, totals, weight):
    """Turn the log joint into responsibilities, in place; times the sample weights, if any.

    Parameters
    ----------
    joint : (K, n) array
        Log joint, one component a row.
    totals : (n,) array
        Room for what is on the way.
    weight : (n,) array or None
        Sample weights.

    Returns
    -------
    float
        The log-likelihood.
    """
    highest = joint.max(axis=0)
    joint -= highest
    np.exp(joint, out=joint)
    np.add.reduce(joint, axis=0, out=totals)
    joint /= totals
    if weight is None:
        return highest.sum() + sum_of_logs(totals)
    joint *= weight
    highest += np.log(totals, out=totals)
    return weight @ highest


def sum_of_logs(totals):
    """The sum of the logarithms of totals >= 1: logarithms of products, which are cheaper.

    Parameters
    ----------
    totals : (n,) array
        May be written over.

    Returns
    -------
    float
        Infinite if a total is.
    """
    for n_factors in FACTORS if len(totals) > FEW else ():
        n_products = -(-len(totals) // n_factors)  # rounded up
        whole = len(totals) // n_products * n_products
        products = np.multiply.reduce(totals[:whole].reshape(-1, n_products))
        products[: len(totals) - whole] *= totals[whole:]  # those left over
        log_sum = np.add.reduce(np.log(products, out=products))
        if log_sum < np.inf:  # False for NaN, too
            return log_sum
    return np.add.reduce(np.log(totals, out=totals))


def m_step(sums, origins):
    """Weights, means and covariances from the sums of the terms.

    Parameters
    ----------
    sums : (K, F) array
        Of the terms, weighted by the responsibilities.
    origins : (D,) or (K, D) array
        Where the terms are zero.

    Returns
    -------
    MultivariateMixture
        K components, packed: if there are squares only, with variances alone.
    """
    n_features = origins.shape[-1]
    counts, averages = sums[:, 0], sums[:, 1:] / sums[:, :1]
    shifts, products = averages[:, :n_features], averages[:, n_features:]
    if products.shape[1] == n_features:
        covariances = products - shifts * shifts  # (K, D), Eq. (1)
    else:
        squares = products.take(product_index(n_features), axis=1)
        covariances = squares - shifts[:, :, None] * shifts[:, None]  # (K, D, D)
    return MultivariateMixture(counts / np.add.reduce(counts), origins + shifts, covariances)


def expanded_sums(rows, centre, X, sample_weight):
    """Both steps on one chunk as matrix products with terms about a common centre.

    Parameters
    ----------
    rows : (K - 1, F) array
        Coefficients of the log odds of components 1 to K - 1 against component 0: rows of what
        `coefficients` gives, minus that of component 0.
    centre : (D,) array
        That of the terms.
    X : (n, D) array
        The observations of this chunk.
    sample_weight : (n,) array or None
        How often each counts; None for once.

    Returns
    -------
    sums : (K, F) array
        Sums of the terms, weighted by the responsibilities; unfinished if `gain` is not finite.
    gain : float
        By how much the log-likelihood of this chunk is above its log joint with component 0; inf or
        NaN if odds have overflowed.
    """
    n_components, n_terms = len(rows) + 1, rows.shape[1]
    sums, gain = np.zeros((n_components, n_terms)), 0.0
    for x, weight, block, table, joint, totals in pieces(X, sample_weight, n_components, n_terms):
        write_terms(x, centre, table)
        write_product(rows, table, block, joint[1:])
        gain += from_log_odds(joint, totals, weight)
        sums += sums_of_products(joint, table, block)
        if not math.isfinite(gain):
            break  # odds have overflowed: `exact_sums` will do all of it again
    return sums, gain


def exact_sums(mixture, origins, X, sample_weight):
    """Both steps on one chunk by residuals, each component's about a point of its own.

    Parameters
    ----------
    mixture : MultivariateMixture
        K components, packed, with positive definite covariances.
    origins : (K, D) array
        Where the terms of each component are zero; near the new means.
    X, sample_weight
        As for `expanded_sums`.

    Returns
    -------
    sums : (K, F) array
    log_likelihood : float
    """
    sums_by_residuals = sums_along_axes if mixture.covariances.ndim == 2 else sums_of_shapes
    return sums_by_residuals(mixture, origins, X, sample_weight)


def sums_along_axes(mixture, origins, X, sample_weight):
    """The `exact_sums` of components along the axes: terms about each mean, then each origin."""
    n_components, n_features = mixture.means.shape
    rows = sums_of_parabolas(mixture, np.zeros_like(mixture.means))
    sums, log_likelihood = np.zeros_like(rows), 0.0
    for x, weight, block, table, joint, totals in pieces(
        X, sample_weight, n_components, 1 + 2 * n_features
    ):
        for k, mean in enumerate(mixture.means):
            write_terms(x, mean, table)
            write_product(rows[k : k + 1], table, block, joint[k : k + 1])
        log_likelihood += from_log_joint(joint, totals, weight)
        for k, origin in enumerate(origins):
            write_terms(x, origin, table)
            sums[k] += sums_of_products(joint[k : k + 1], table, block)[0]
    return sums, log_likelihood


def sums_of_shapes(mixture, origins, X, sample_weight):
    """The `exact_sums` of components with shapes of their own: residuals, whitened."""
    n_components, n_features = mixture.means.shape
    i, j = pairs(n_features)
    sums, log_likelihood = np.zeros((n_components, 1 + n_features + len(i))), 0.0
    product = n_features**2  # multiplications for an observation
    for x, weight, block, table, joint, totals in pieces(
        X, sample_weight, n_components, 1 + 2 * n_features, product
    ):
        residuals, weighted = table[1 : 1 + n_features], table[1 + n_features :]
        write_log_joint(x, mixture, block, residuals, weighted, joint)
        log_likelihood += from_log_joint(joint, totals, weight)
        for k in range(n_components):
            np.subtract(x, origins[k][:, None], out=residuals)
            np.multiply(joint[k], residuals, out=weighted)
            squares = sums_of_products(weighted, residuals, block)  # (D, D)
            sums[k] += [joint[k].sum(), *weighted.sum(axis=1), *squares[i, j]]
    return sums, log_likelihood


def write_log_joint(x, mixture, block, residuals, scaled, joint):
    """Write the log joint by whitened residuals, as `multivariate.log_joint` has it.

    Parameters
    ----------
    x : (D, n) array
        Observations, one feature a row.
    mixture : MultivariateMixture
        K components.
    block : int
        Observations in one matrix product.
    residuals, scaled : (D, n) arrays
        Room for what is on the way.
    joint : (K, n) array
        Where to write.
    """
    whiteners = whitening(mixture.covariances)
    peaks = log_peaks(mixture, whiteners)
    for k, (mean, whitener) in enumerate(zip(mixture.means, whiteners, strict=True)):
        np.subtract(x, mean[:, None], out=residuals)
        write_product(whitener, residuals, block, scaled)
        np.multiply(scaled, scaled, out=scaled)
        np.add.reduce(scaled, axis=0, out=joint[k])
        joint[k] *= -0.5
        joint[k] += peaks[k]


def make_step(add_up, centre, covariance):
    """The EM step, given somebody who adds up sums over all observations.

    Parameters
    ----------
    add_up : function
        ``add_up(chunk_sums) -> (K, F) array, float``: the totals of
        ``chunk_sums(X, sample_weight)`` over all chunks of the observations.
    centre : (D,) array
        A point in the middle of the observations.
    covariance : str
        A key of `emtools.multivariate.STRUCTURES`.

    Returns
    -------
    function
        ``step(mixture) -> new_mixture, log_likelihood``; see `step_on`.
    """
    expand = cache_last(lambda mixture: coefficients(mixture, centre))
    squares_only = is_along_axes(covariance, len(centre))
    sums_of_all = sums_of_terms(add_up, centre, squares_only)

    def mixture_from(sums, origins):
        return restricted(m_step(sums, origins), covariance)

    def expanded_step(rows):
        log_joints = rows @ sums_of_all  # (K,), of all observations together
        likeliest = log_joints.argmax()  # as component 0 it keeps the odds small
        order = np.arange(len(rows))
        order[0], order[likeliest] = likeliest, 0
        odds_rows = rows.take(order[1:], axis=0) - rows[likeliest]
        sums, gain = add_up(partial(expanded_sums, odds_rows, centre))
        return mixture_from(sums.take(order, axis=0), centre), log_joints[likeliest] + gain

    def exact_step(mixture, origins):
        sums, log_likelihood = add_up(partial(exact_sums, mixture, origins))
        return mixture_from(sums, origins), log_likelihood

    @np.errstate(all="ignore")  # what overflows is done again by exact_step; the rest shows as NaN
    def step(mixture):
        if squares_only and mixture.covariances.ndim == 3:
            mixture = packed(mixture, covariance)
        rows = expand(mixture)
        if rows is not None:
            new_mixture, log_likelihood = expanded_step(rows)
            if math.isfinite(log_likelihood) and expand(new_mixture) is not None:
                return new_mixture, log_likelihood
        new_mixture, log_likelihood = exact_step(mixture, mixture.means)
        if has_moved(mixture, new_mixture):
            new_mixture, log_likelihood = exact_step(mixture, new_mixture.means)
        return new_mixture, log_likelihood

    return step


def sums_of_terms(add_up, centre, squares_only):
    """The sums of the terms over all observations, (F,); None if there are too many of them."""
    if len(centre) > MOST_FEATURES and not squares_only:
        return None  # `coefficients` gives none either
    n_terms = 1 + len(centre) + (len(centre) if squares_only else len(pairs(len(centre))[0]))
    return add_up(partial(expanded_sums, np.zeros((0, n_terms)), centre))[0][0]


def side_by_side(X, sample_weight, centre, squares_only):
    """Somebody who takes the EM step of many mixtures at once, for few observations.

    A step on a few hundred observations is nearly all overhead; for twenty mixtures together it
    costs little more than for one.

    Parameters
    ----------
    X : (N, D) array
        Observations.
    sample_weight : (N,) array or None
    centre : (D,) array
        That of the terms.
    squares_only : bool
        Whether the mixtures are held by their variances.

    Returns
    -------
    function
        ``steps(mixtures, n_mixtures) -> new mixtures, (n_mixtures,) log-likelihoods``, of packed
        mixtures laid end to end; None if `coefficients` cannot tell them well enough.
    """
    n_samples, n_features = X.shape
    n_products = n_features if squares_only else len(pairs(n_features)[0])
    table = np.ones((1 + n_features + n_products, n_samples))
    write_terms(X.T, centre, table)
    weights = 1 if sample_weight is None else sample_weight

    @np.errstate(all="ignore")  # what overflows shows as NaN
    def steps(mixtures, n_mixtures):
        rows = coefficients(mixtures, centre)
        if rows is None:
            return None
        joint = (rows @ table).reshape(n_mixtures, -1, n_samples)
        highest = joint.max(axis=1, keepdims=True)
        joint -= highest
        np.exp(joint, out=joint)
        totals = joint.sum(axis=1, keepdims=True)
        joint *= weights / totals
        log_density = (highest + np.log(totals))[:, 0]
        new = m_step(joint.reshape(len(rows), n_samples) @ table.T, centre)
        new = new._replace(weights=new.weights * n_mixtures)
        return new, (weights * log_density).sum(axis=1)

    return steps


def has_moved(mixture, new_mixture):
    """Whether a mean has moved by more than one of its new widths."""
    moves = new_mixture.means - mixture.means
    return not (moves**2 <= variances_of(new_mixture)).all()


def pieces(X, sample_weight, n_components, n_terms, product=None):
    """Cut a chunk into pieces, each with this thread's buffers for it.

    Parameters
    ----------
    X : (N, D) array
        Observations.
    sample_weight : (N,) array or None
    n_components, n_terms : int
        K, and how many rows the table has.
    product : int, optional
        Multiplications for an observation in one matrix product; K times the rows unless given.

    Yields
    ------
    x : (D, n) array
        Observations, one feature a row: a view.
    weight : (n,) array or None
        Their sample weights.
    block : int
        How many of them go into one matrix product; n is a multiple.
    table : (n_terms, n) array
        Room for the terms, with ones in row 0.
    joint : (K, n) array
        Room for the log joint.
    totals : (n,) array
        Room for its sums.
    """
    product, n_rows = product or n_components * n_terms, n_terms + n_components + 1
    most = (CACHE if n_terms < WIDE else CACHE // 8) // n_rows  # observations in a piece
    block = min(max(1, len(X)), BLOCK, max(8, min(PRODUCT // product, most) // 8 * 8))
    size = max(1, min(len(X), most) // block) * block
    table, joint, totals = buffers((n_terms, size), (n_components, size), (size,))
    whole = len(X) - len(X) % block
    for start, stop in pairwise([*range(0, whole, size), whole, len(X)]):
        if start == stop:
            continue
        n = stop - start
        weight = None if sample_weight is None else sample_weight[start:stop]
        x = X[start:stop].T
        yield x, weight, min(block, n), table[:, :n], joint[:, :n], totals[:n]


def buffers(*shapes):
    """Arrays of ones of these shapes, made once for each thread and used again as they are."""
    if getattr(BUFFERS, "shapes", None) != shapes:
        BUFFERS.shapes, BUFFERS.arrays = shapes, [np.ones(shape) for shape in shapes]
    return BUFFERS.arrays


def in_blocks(rows, block):
    """Rows of n numbers as a stack of n / block tables of this many columns: a view."""
    return rows.reshape(len(rows), rows.shape[1] // block, block).swapaxes(0, 1)


def write_product(rows, table, block, out):
    """Write the matrix product of (R, F) rows and a (F, n) table, a block at a time."""
    if block == table.shape[1]:
        np.matmul(rows, table, out=out)
        return
    np.matmul(rows, in_blocks(table, block), out=in_blocks(out, block))


def sums_of_products(these, those, block):
    """The matrix product of (R, n) and transposed (F, n) rows, added up block by block."""
    if block == these.shape[1]:
        return these @ those.T
    return np.add.reduce(in_blocks(these, block) @ in_blocks(those, block).swapaxes(1, 2))


def total(results):
    """Add up pairs of sums and log-likelihoods, in order."""
    sums, log_likelihoods = zip(*results, strict=True)
    return sum(sums[1:], start=sums[0]), sum(log_likelihoods)


def default_n_threads(size):
    """How many threads to use for so many numbers: no more than there are processors."""
    n_processors = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min(n_processors, size // WORTH_A_THREAD))


def in_threads(n_threads):
    """Somebody who takes sums over one chunk in this many threads.

    Parameters
    ----------
    n_threads : int
        How many parts to cut a chunk into, one for each thread.

    Returns
    -------
    function
        ``on_chunk(chunk_sums, X, sample_weight) -> (K, F) array, float``: what
        ``chunk_sums(X, sample_weight)`` gives, to rounding.
    """
    if n_threads == 1:
        return in_this_thread
    pool = ThreadPoolExecutor(n_threads, initializer=partial(np.seterr, all="ignore"))

    def on_chunk(chunk_sums, X, sample_weight):
        cuts = np.linspace(0, len(X), n_threads + 1).astype(int)
        parts = [slice(start, stop) for start, stop in pairwise(cuts)]
        sample_weights = [None if sample_weight is None else sample_weight[p] for p in parts]
        return total(pool.map(chunk_sums, [X[part] for part in parts], sample_weights))

    return on_chunk


def in_this_thread(chunk_sums, X, sample_weight):
    """Take sums over one chunk here and now; a function of the module, so that it can be sent."""
    return chunk_sums(X, sample_weight)


def step_on(X, sample_weight, covariance, n_threads=None):
    """The EM step of chapter 07 on these observations, with sample weights.

    Parameters
    ----------
    X : (N, D) array
        Observations.
    sample_weight : (N,) array or None
        How often each counts, > 0; None for once.
    covariance : str
        A key of `emtools.multivariate.STRUCTURES`.
    n_threads : int, optional
        How many threads to use; as many as there are processors, if there is work for them.

    Returns
    -------
    function
        ``step(mixture) -> new_mixture, log_likelihood``, for a `MultivariateMixture` whose
        covariances have that structure and are positive definite, which it takes for granted as
        `multivariate.log_pdf` does, and never to be changed in place. A component that vanishes
        makes NaN.
    """
    X = np.asfortranarray(X)  # the values of one feature lie side by side
    if sample_weight is not None and (sample_weight == 1).all():
        sample_weight = None
    on_chunk = in_threads(n_threads or default_n_threads(X.size))
    return make_step(
        lambda chunk_sums: on_chunk(chunk_sums, X, sample_weight),
        X.mean(axis=0, dtype=float),
        covariance,
    )
