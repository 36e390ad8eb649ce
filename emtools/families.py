"""Other densities, same loop: `fit` and its families (chapter 10).

    from emtools import data, families

    deaths, days = data.deaths()
    found = families.fit(deaths, 2, families.poisson, sample_weight=days)

What differs between families is held by one value, a `Family`; two functions of it are enough for
one of your own. The first half is what the chapter teaches, and takes good input for granted. The
second half is the doors: checks, starts, collapse, and what `predict`, `sample` and printing ask
of a kind of parameters. Those are looked up by the names of the fields, so give the parameters of
a family of your own names of their own.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from emtools import mixture as univariate
from emtools.checks import (
    check_enough,
    check_stopping,
    check_varied,
    checked_array,
    checked_n_starts,
    checked_numbers,
    checked_observations,
    checked_rng,
    checked_sample_weight,
    is_whole,
    place,
)
from emtools.collapse import NARROW, VANISHED, Collapse
from emtools.em import with_parameters
from emtools.kinds import (
    Kind,
    checked_weights,
    describe,
    listed,
    parameters_of,
    register,
    signature,
)
from emtools.mixture import Mixture
from emtools.search import best_of

LEAST = 1e-200  # chances and rates under it count as 0: not even its square is a number


class Family(NamedTuple):
    """What differs between mixtures: the density of a component, and its estimate."""

    type: type  # a NamedTuple of arrays: weights, then the family's own
    log_pdf: Callable  # (x, mixture) -> (N, K), in nats
    match: Callable  # (x, resp) -> the family's own array, or a tuple of them
    rows: Callable | None = None  # (x, as a reader has them) -> x, as the two above take them
    free_weights: bool = True  # False: the weights stay those of the start
    n_held: int = 0  # numbers of its own that no step changes


class Rates(NamedTuple):
    """Parameters of Poisson counts."""

    weights: np.ndarray  # (K,), sum to one
    rates: np.ndarray  # (K,), mean counts, >= 0


class Scales(NamedTuple):
    """Parameters of exponential waits."""

    weights: np.ndarray  # (K,), sum to one
    scales: np.ndarray  # (K,), mean waits, in the unit of x


class Chances(NamedTuple):
    """Parameters of coins, or of vectors of them."""

    weights: np.ndarray  # (K,), sum to one
    chances: np.ndarray  # (K,) or (K, D), of a head, or of a 1 in each column


class Probabilities(NamedTuple):
    """Parameters of judgements: what each rater says of each class."""

    weights: np.ndarray  # (K,), sum to one
    probabilities: np.ndarray  # (K, J, G), of each of G grades from each of J raters, sum to one


class Lines(NamedTuple):
    """Parameters of lines with normal noise about them."""

    weights: np.ndarray  # (K,), sum to one
    coefficients: np.ndarray  # (K, D), the intercept first
    stds: np.ndarray  # (K,), in the unit of the response


# The one loop for all families


def e_step(x, mixture, family):
    """Responsibilities of K components of any family, and the log-likelihood of each observation.

    Parameters
    ----------
    x : (N,) or (N, F) array
        Observations, as the family's `log_pdf` takes them.
    mixture : NamedTuple
        Of the family's type.
    family : Family

    Returns
    -------
    resp : (N, K) array
        gamma_nk; each row sums to one.
    log_densities : (N,) array
        In nats; log p(x_n).
    """
    log_joints = np.log(mixture.weights) + family.log_pdf(x, mixture)
    log_densities = np.logaddexp.reduce(log_joints, axis=1)
    return np.exp(log_joints - log_densities[:, None]), log_densities


def m_step(x, resp, family):
    """Weights, and what the family makes of the observations weighted by the responsibilities.

    Parameters
    ----------
    x : (N,) or (N, F) array
        Observations, as the family's `match` takes them.
    resp : (N, K) array
        Responsibilities, each row times its sample weight; each column sums to more than zero.
    family : Family

    Returns
    -------
    NamedTuple
        Of the family's type.
    """
    counts = resp.sum(axis=0)
    own = family.match(x, resp)
    own = own if isinstance(own, tuple) else (own,)
    return family.type(counts / counts.sum(), *own)


def make_step(x, family, sample_weight=1.0):
    """One EM step on these observations, as `emtools.em.iterate` wants it.

    Parameters
    ----------
    x : (N,) or (N, F) array
        Observations, as the family's `log_pdf` and `match` take them: ``family.rows(x)``.
    family : Family
    sample_weight : (N,) array or float
        How often each observation counts.

    Returns
    -------
    function
        ``step(mixture) -> new_mixture, log_likelihood``.
    """
    often = np.broadcast_to(sample_weight, len(x))

    def step(mixture):
        resp, log_densities = e_step(x, mixture, family)
        new = m_step(x, resp * often[:, None], family)
        if not family.free_weights:
            new = new._replace(weights=mixture.weights)
        return new, often @ log_densities

    return step


# What families are made of


def averages(x, resp):
    """The average of the observations under each component: the match of many a family.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    resp : (N, K) array
        Responsibilities; each column sums to more than zero.

    Returns
    -------
    (K,) or (K, D) array
    """
    sums = resp.T @ x
    return (sums.T / resp.sum(axis=0)).T


def log_powers(counts, chances):
    """Logarithm of a product of powers, with 0 to the 0 equal to 1.

    Parameters
    ----------
    counts : (N, D) array
        Exponents, >= 0.
    chances : (K, D) array
        Bases, >= 0.

    Returns
    -------
    (N, K) array
        sum_d counts_nd log chances_kd; -inf where something counted has no chance.
    """
    possible = chances > 0
    logs = np.log(np.where(possible, chances, 1.0))
    impossible = counts @ ~possible.T > 0
    return np.where(impossible, -np.inf, counts @ logs.T)


def log_factorial(counts):
    """Logarithm of n! for each of some counts.

    Parameters
    ----------
    counts : (N,) array
        Whole numbers >= 0.

    Returns
    -------
    (N,) array
    """
    values, places = np.unique(counts, return_inverse=True)
    return np.array([math.lgamma(value + 1) for value in values])[places]


# Densities, and matches that are not averages


def poisson_log_pdf(x, mixture):
    """Log densities of N counts under K Poisson components, (N, K); a rate of 0 gives zeros."""
    log_powers_of_rates = log_powers(x[:, None], mixture.rates[:, None])
    return log_powers_of_rates - mixture.rates - log_factorial(x)[:, None]


def match_with_zeros(x, resp):
    """Rates of Poisson components, the first of which gives nothing but zeros."""
    rates = averages(x, resp)
    rates[0] = 0
    return rates


def exponential_log_pdf(x, mixture):
    """Log densities of N waits under K exponential components, (N, K), in nats."""
    return -np.log(mixture.scales) - x[:, None] / mixture.scales


def binomial_log_pdf(x, mixture):
    """Log densities of N sets, rows of heads and tails, under K coins, (N, K), in nats."""
    sides = np.column_stack([mixture.chances, 1 - mixture.chances])  # (K, 2)
    orders = log_factorial(x.sum(axis=1)) - log_factorial(x[:, 0]) - log_factorial(x[:, 1])
    return log_powers(x, sides) + orders[:, None]


def match_heads(x, resp):
    """Chances of heads: a coin's share of all heads, over its share of all tosses, (K,)."""
    heads, tails = resp.T @ x[:, 0], resp.T @ x[:, 1]
    return heads / (heads + tails)


def bernoulli_log_pdf(x, mixture):
    """Log densities of N vectors of zeros and ones under K classes, (N, K), in nats."""
    ones = log_powers(x, mixture.chances)
    return ones + log_powers(1 - x, 1 - mixture.chances)


def match_ones(x, resp):
    """Chances of a 1 in each column, (K, D): the shares of the ones, never over 1 by rounding."""
    ones, zeros = resp.T @ x, resp.T @ (1 - x)
    return ones / (ones + zeros)


def categorical_log_pdf(x, mixture):
    """Log densities of N rows of J * G counts, a rater's grades side by side, (N, K), in nats."""
    n_components = len(mixture.weights)
    return log_powers(x, mixture.probabilities.reshape(n_components, -1))


def match_judgements(x, resp, n_grades):
    """What each rater says of each class, (K, J, G): the shares of a rater's grades.

    A rater who has judged nobody of a class may say anything of it: all grades alike, here.
    """
    sums = (resp.T @ x).reshape(resp.shape[1], -1, n_grades)
    totals = sums.sum(axis=2, keepdims=True)
    alike = np.full(sums.shape, 1 / n_grades)
    return np.divide(sums, totals, out=alike, where=totals > 0)


def linear_log_pdf(x, mixture):
    """Log densities of N rows, response then regressors, about K lines, (N, K), in nats."""
    response, regressors = x[:, 0], x[:, 1:]
    slopes = mixture.coefficients[:, 1:]
    heights = mixture.coefficients[:, 0] + regressors @ slopes.T  # (N, K)
    scaled = (response[:, None] - heights) / mixture.stds
    return -np.log(mixture.stds) - np.log(2 * np.pi) / 2 - 0.5 * scaled**2


def match_lines(x, resp):
    """Lines of least weighted squares, (K, D), and the widths about them, (K,)."""
    response, ones = x[:, 0], np.ones((len(x), 1))
    design = np.hstack([ones, x[:, 1:]])  # (N, D)
    roots = np.sqrt(resp.T)[:, :, None]  # (K, N, 1)
    lines = [np.linalg.lstsq(root * design, root[:, 0] * response, rcond=None)[0] for root in roots]
    squares = (response[:, None] - design @ np.transpose(lines)) ** 2
    return np.array(lines), np.sqrt((resp * squares).sum(axis=0) / resp.sum(axis=0))


def normal_log_pdf(x, mixture):
    """Log densities of N observations under K bells, (N, K), in nats."""
    return univariate.log_joint(x, mixture._replace(weights=np.ones(len(mixture.weights))))


def match_bells(x, resp):
    """Weighted means and standard deviations, (K,) each."""
    means = averages(x, resp)
    squares = (x[:, None] - means) ** 2
    return means, np.sqrt((resp * squares).sum(axis=0) / resp.sum(axis=0))


# What readers have, as rows


def counts_alone(x):
    """(N,) counts as floats, or ValueError for what is no whole number or negative."""
    x = checked_array(x, "x", dimensions=(1,))
    check_counts(x, "x", "poisson counts whole things; gaussian or exponential measure")
    return x


def check_counts(counts, name, cure):
    """Raise ValueError for a number that is no count, with its place and what to do."""
    bad = (counts < 0) | (counts != np.round(counts))
    if bad.any():
        index = np.unravel_index(bad.argmax(), counts.shape)
        raise ValueError(
            f"{name} must be whole numbers >= 0; {place(counts, name, index)} is "
            f"{counts[index]:g}. {cure}"
        )


def waits_alone(x):
    """(N,) waits as floats, or ValueError for a negative one, or zeros alone."""
    x = checked_array(x, "x", dimensions=(1,))
    check_waits(x, None)
    if not x.any():
        raise ValueError("x is zero everywhere, and has no scale. Look at where it comes from")
    return x


def varied(x):
    """(N,) observations, not all equal."""
    x = checked_array(x, "x", dimensions=(1,))
    check_varied(x.min(keepdims=True), x.max(keepdims=True), len(x), 1)
    return x


def heads_and_tails(heads, tosses):
    """Rows of heads and tails, (N, 2), from heads and the number of tosses, one for all or each."""
    heads = checked_array(heads, "x", dimensions=(1,))
    tosses = checked_array(tosses, "tosses", dimensions=(0, 1))
    check_as_long(tosses, "tosses", heads)
    check_counts(heads, "x", "binomial counts heads")
    check_counts(tosses, "tosses", "Give how often each coin was tossed")
    tosses = np.broadcast_to(tosses, heads.shape)
    bad = (heads > tosses) | (tosses == 0)
    if bad.any():
        n = int(np.argmax(bad))
        cure = "Have they changed places?" if tosses[n] else "Leave out sets without a toss"
        raise ValueError(f"x[{n}] is {heads[n]:g} heads of {tosses[n]:g} tosses. {cure}")
    return np.column_stack([heads, tosses - heads])


def check_as_long(values, name, x):
    """Raise ValueError unless there is one entry for each observation, or one for all."""
    if values.ndim and len(values) != len(x):
        raise ValueError(
            f"{name} must have one entry for each observation; it has {len(values)}, x has {len(x)}"
        )


def zeros_and_ones(x):
    """(N, D) rows of zeros and ones, or ValueError for anything else, with its place."""
    x = checked_observations(x, one_row=True)
    if x.ndim == 1:
        raise ValueError(
            f"x must be vectors of zeros and ones; its shape is {x.shape}. Give x[:, None] for "
            "vectors of one entry, or take binomial(1)"
        )
    bad = (x != 0) & (x != 1)
    if bad.any():
        index = np.unravel_index(bad.argmax(), x.shape)
        raise ValueError(
            f"x must hold zeros and ones; {place(x, 'x', index)} is {x[index]:g}. Compare with a "
            "threshold first, such as x > 0, or take categorical for grades"
        )
    return x


def counts_of_judgements(x, grades, raters):
    """How often each rater gave each grade, (N, J * G), from a table of grades, (N, columns)."""
    table = checked_numbers(x, "x", dimensions=(2,))
    grades = checked_array(grades, "grades", dimensions=(1,))
    raters = np.arange(table.shape[1]) if raters is None else np.asarray(raters)
    check_raters(table, raters)
    given = table[:, :, None] == grades  # (N, columns, G)
    bad = ~given.any(axis=2) & ~np.isnan(table)
    if bad.any():
        index = np.unravel_index(bad.argmax(), table.shape)
        raise ValueError(
            f"{place(x, 'x', index)} is {table[index]:g}, which is not on the scale, "
            f"{listed(f'{grade:g}' for grade in grades)}. Mend it, or NaN for no judgement"
        )
    columns = [given[:, raters == j].sum(axis=1) for j in np.unique(raters)]
    return np.stack(columns, axis=1).reshape(len(table), -1).astype(float)


def check_raters(table, raters):
    """Raise ValueError unless each column has its rater, each row and each rater a judgement."""
    if raters.shape != table.shape[1:]:
        raise ValueError(
            f"raters must name the rater of each column; it has the shape {raters.shape}, x has "
            f"{table.shape[1]} columns"
        )
    judged = ~np.isnan(table)
    if not judged.any(axis=1).all():
        n = int(np.argmin(judged.any(axis=1)))
        raise ValueError(
            f"nobody has judged x[{n}]. Leave such rows out: x[~np.isnan(x).all(axis=1)]"
        )
    idle = [rater for rater in np.unique(raters) if not judged[:, raters == rater].any()]
    if idle:
        raise ValueError(f"rater {idle[0]} has judged nobody. Leave the column out")


def response_and_regressors(response, regressors):
    """Rows of a response and its regressors, (N, D), none of them constant."""
    response = varied(response)
    regressors = checked_array(regressors, "regressors", dimensions=(1, 2))
    check_as_long(regressors, "regressors", response)
    regressors = regressors.reshape(len(response), -1)
    flat = np.ptp(regressors, axis=0) == 0
    if flat.any():
        raise ValueError(
            f"regressors[:, {np.argmax(flat)}] is constant, {regressors[0, flat.argmax()]:g}: it "
            "could not be told from the intercept, which is there already. Leave the column out"
        )
    units = regressors - regressors.mean(axis=0)
    if np.linalg.matrix_rank(units / np.linalg.norm(units, axis=0)) < regressors.shape[1]:
        raise ValueError(
            "a column of regressors can be told from the others, so that many lines fit alike. "
            "Leave one out"
        )
    return np.column_stack([response, regressors])


# The families

poisson = Family(Rates, poisson_log_pdf, averages, counts_alone)
zero_inflated_poisson = Family(Rates, poisson_log_pdf, match_with_zeros, counts_alone, n_held=1)
exponential = Family(Scales, exponential_log_pdf, averages, waits_alone)
bernoulli = Family(Chances, bernoulli_log_pdf, match_ones, zeros_and_ones)
gaussian = Family(Mixture, normal_log_pdf, match_bells, varied)


def binomial(tosses):
    """The family of coins: heads among so many tosses.

    Parameters
    ----------
    tosses : int or (N,) array
        How often the coin of each set was tossed.

    Returns
    -------
    Family
        For x (N,), the heads of each set. ``._replace(free_weights=False)`` holds the weights
        where they start: another model. After a fit `predict` and its like take ``family.rows(x)``.
    """
    return Family(Chances, binomial_log_pdf, match_heads, partial(heads_and_tails, tosses=tosses))


def categorical(grades, raters=None):
    """The family of judgements: several raters who err each in their own way.

    Parameters
    ----------
    grades : (G,) array
        The scale: every grade there is.
    raters : (columns,) sequence, optional
        Whose judgement each column of x holds, by number or name; a rater may have several. One
        rater a column unless told.

    Returns
    -------
    Family
        For x (N, columns), the grades, NaN where there is none. Raters in its parameters are in
        ascending order. After a fit `predict` and its like take ``family.rows(x)``.

    Notes
    -----
    The model of Dawid and Skene (1979). It takes for granted that raters err independently of each
    other, and a rater independently from one judgement to the next.
    """
    grades = checked_array(grades, "grades", dimensions=(1,))
    return Family(
        Probabilities,
        categorical_log_pdf,
        partial(match_judgements, n_grades=len(grades)),
        partial(counts_of_judgements, grades=grades, raters=raters),
    )


def linear(regressors):
    """The family of lines: a response that depends on regressors, with normal noise.

    Parameters
    ----------
    regressors : (N,) or (N, D - 1) array
        What each response may depend on; an intercept is added.

    Returns
    -------
    Family
        For x (N,), the responses. After a fit `predict` and its like take ``family.rows(x)``.
    """
    return Family(
        Lines,
        linear_log_pdf,
        match_lines,
        partial(response_and_regressors, regressors=regressors),
    )


# The door


def fit(
    x,
    start,
    family,
    *,
    sample_weight=None,
    tol=1e-10,
    max_iter=100_000,
    n_starts=None,
    rng=None,
    accelerate=True,
    progress=False,
):
    """Fit a mixture of any family to your data by EM.

    Parameters
    ----------
    x : array
        Observations, as the family has them: see there.
    start : int, NamedTuple, sequence or Fit
        How many components, or where to begin: parameters in the order of the family's type. Then
        the order of the components is kept.
    family : Family
        `poisson`, `zero_inflated_poisson` (the first component is the extra zeros), `exponential`,
        `bernoulli`, `gaussian`, ``binomial(tosses)``, ``categorical(grades)``,
        ``linear(regressors)``, or one of your own.
    sample_weight : (N,) array, optional
        How often each observation counts, >= 0: a table of counts is as good as what it counts.
    tol : float
        Stop when what seems to be left to gain is under it, in nats (for weights of mean one); 0
        means exactly `max_iter` plain steps.
    max_iter : int
        The most steps to take from each start.
    n_starts : int, optional
        How many starts to try if `start` is a number: 10 unless you say otherwise.
    rng : int or numpy.random.Generator, optional
        Draws the starts, an int as a seed; without it they differ from call to call.
    accelerate : bool
        Whether to take longer steps where they do not lower the log-likelihood.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Fit
        Its parameters are of the family's type.

    Raises
    ------
    ValueError
        If an argument is not as above; the message says what, where and what to do.
    Collapse
        If a component shrinks onto a point or vanishes, from every start.

    Warns
    -----
    NotConverged
        If the best run was stopped by `max_iter`.

    Notes
    -----
    Equal rows of whole numbers are gone through once: a million counts cost what their table costs.
    """
    check_family(family)
    check_stopping(tol, max_iter)
    n_starts, rng = checked_n_starts(start, n_starts), checked_rng(rng)
    x = rows_of(x, family)
    x, sample_weight = present(x, checked_sample_weight(sample_weight, len(x)))
    unit = sample_weight.mean()
    if is_whole(start):
        check_enough(start, len(x))
    x, sample_weight = merged(x, sample_weight)
    starts = starts_from(start, x, family, sample_weight, n_starts, rng)
    step = careful(make_step(x, family, sample_weight), x, sample_weight)
    ordered = in_order if is_whole(start) else lambda mixture: mixture
    found = best_of(step, starts, tol * unit, max_iter, accelerate, progress, ordered)
    return settled(found)


def in_order(mixture):
    """A mixture with its components sorted by their own parameters."""
    order = by_size(mixture)
    return type(mixture)(*(part[order] for part in mixture))


def settled(found):
    """The same fit; what is so near to 0 that only rounding keeps it there is 0."""

    def rounded(mixture):
        parts = [np.where(np.abs(part) < LEAST, 0.0, part) for part in mixture]
        return type(mixture)(*parts)

    return with_parameters(found, rounded)


def careful(step, x, sample_weight):
    """The same step; refuses a component that has vanished, or has no width left."""
    response = x if x.ndim == 1 else x[:, 0]
    narrowest = max(1e-10 * np.std(response), 4 * np.spacing(np.abs(response).max()))
    lightest = 1e-8 * sample_weight.min() / sample_weight.sum()

    def careful_step(mixture):
        if mixture.weights.min() < lightest:
            cure = "Start elsewhere, or with fewer components"
            raise Collapse(int(np.argmin(mixture.weights)), VANISHED, cure)
        for name in ("stds", "scales"):
            widths = getattr(mixture, name, np.inf)
            if np.min(widths) < narrowest:
                cure = "Start elsewhere, or with fewer components; look for repeated observations"
                raise Collapse(int(np.argmin(widths)), NARROW, cure)
        with np.errstate(all="ignore"):  # of what the next call refuses
            return step(mixture)

    return careful_step


def present(x, sample_weight):
    """The rows that count at all."""
    counts = sample_weight > 0
    return x[counts], sample_weight[counts]


def merged(x, sample_weight):
    """Equal rows of whole numbers as one that counts as often: a table is as good as the list."""
    if (x != np.round(x)).any():
        return x, sample_weight
    rows, places = np.unique(x, axis=0, return_inverse=True)
    return rows, np.bincount(places.ravel(), sample_weight)


def check_functions(x, mixture, family):
    """Raise ValueError for a family of a reader's own whose arrays have wrong shapes."""
    n_components = len(mixture.weights)
    for name, part in zip(family.type._fields[1:], mixture[1:], strict=True):
        if np.shape(part)[:1] != (n_components,):
            raise ValueError(
                "match must return arrays with one entry for each component; for "
                f"{n_components} of them its {name} have the shape {np.shape(part)}"
            )
    with np.errstate(all="ignore"):
        shape = np.shape(family.log_pdf(x, mixture))
    if shape != (len(x), n_components):
        raise ValueError(
            f"log_pdf must return a row for each of {len(x)} observations, a column for each of "
            f"{n_components} components; its shape is {shape}. x[:, None] makes a column of x"
        )


def n_parameters(mixture, family):
    """How many numbers a fit has been free to choose.

    Parameters
    ----------
    mixture : NamedTuple or Fit
        Parameters of the family's type.
    family : Family

    Returns
    -------
    int
        Weights, and probabilities of a rater's grades, sum to one: each such row has one less.
    """
    weights, *own = parameters_of(mixture)
    n_free = len(weights) - 1 if family.free_weights else 0
    for name, part in zip(family.type._fields[1:], own, strict=True):
        n_free += part.size - (part[..., 0].size if name == "probabilities" else 0)
    return n_free - family.n_held


def check_family(family):
    """Raise ValueError for what is no family, such as one that has not been given its data."""
    if callable(family) and family in (binomial, categorical, linear):
        wanted = {binomial: "tosses", categorical: "grades", linear: "regressors"}[family]
        raise ValueError(f"family must be given its {wanted}: {family.__name__}({wanted})")
    if not isinstance(family, tuple) or getattr(family, "_fields", ()) != Family._fields:
        raise ValueError(
            f"family must be a {signature(Family)}, such as families.poisson; it is {family!r:.60}"
        )


def rows_of(x, family):
    """The observations as the family's functions take them, checked."""
    return checked_observations(x, one_row=True) if family.rows is None else family.rows(x)


def starts_from(start, x, family, sample_weight, n_starts, rng):
    """The starts that a reader's start stands for: itself, or as many as are to be drawn."""
    if not is_whole(start):
        return [given_start(x, start, family)]
    n_starts = n_starts if start > 1 else 1  # from anywhere it ends in the same place
    starts = [drawn_start(x, start, family, sample_weight, rng) for _ in range(n_starts)]
    check_functions(x, starts[0], family)
    return starts


def drawn_start(x, n_components, family, sample_weight, rng):
    """All observations for every component, and as much again of one of them, drawn for each.

    So each component is what it would be alone, drawn half-way to an observation of its own.
    """
    shares = sample_weight / sample_weight.sum()
    resp = np.tile(shares[:, None], n_components)  # (N, K)
    chosen = rng.choice(len(x), size=n_components, replace=len(x) < n_components, p=shares)
    resp[chosen, np.arange(n_components)] += 1
    return m_step(x, resp, family)


def given_start(x, start, family):
    """A reader's parameters as the family's type, checked to be for these rows."""
    start = parameters_of(start)
    if not isinstance(start, (tuple, list)) or len(start) != len(family.type._fields):
        raise ValueError(
            f"start must be a whole number of components, or {signature(family.type)}; it is "
            f"{describe(start)}"
        )
    start = checked_parameters(start, family.type)
    n_components = len(start.weights)
    wanted = m_step(x, np.full((len(x), n_components), 1 / n_components), family)
    for name, part, like in zip(start._fields, start, wanted, strict=True):
        if part.shape != np.shape(like):
            raise ValueError(
                f"start.{name} must have the shape {np.shape(like)} for these observations; it "
                f"has {part.shape}"
            )
    check_functions(x, start, family)
    with np.errstate(all="ignore"):
        lost = np.isneginf(e_step(x, start, family)[1])
    if lost.any():
        raise ValueError(
            f"{lost.sum()} of {len(x)} observations are impossible for every component of start, "
            f"the first is {x[lost.argmax()]}. Start with chances, rates or widths that allow it"
        )
    return start


# What `predict`, `sample` and printing ask of a kind of parameters

MOST_COLUMNS = 8  # of numbers in a table
HEADS = {  # of their columns
    "weights": "weight",
    "rates": "rate",
    "scales": "scale",
    "chances": "chance",
    "probabilities": "prob",
    "coefficients": "coef",
    "stds": "std",
}
# What the entries of a field must be: in words, and as a test.
DOMAINS = {
    "rates": (">= 0", lambda rates: rates >= 0),
    "scales": ("> 0", lambda scales: scales > 0),
    "stds": ("> 0", lambda stds: stds > 0),
    "chances": ("between 0 and 1", lambda chances: (chances >= 0) & (chances <= 1)),
    "probabilities": ("between 0 and 1", lambda shares: (shares >= 0) & (shares <= 1)),
}


def checked_parameters(parts, kind_type):
    """Return parts as this type with new float64 arrays, or say what is wrong with them.

    Parameters
    ----------
    parts : sequence
        In the order of the fields; each with one entry a component.
    kind_type : type
        A NamedTuple, `weights` among its fields. What other fields must be, their names say.

    Returns
    -------
    NamedTuple
        The weights divided by their sum.

    Raises
    ------
    ValueError
        If there are not as many parts, one is not numeric or not finite, lengths disagree, the
        weights are negative or do not sum to one, or a number is out of its domain.
    """
    names = [f"mixture.{name}" for name in kind_type._fields]
    if not isinstance(parts, (tuple, list)) or len(parts) != len(names):
        raise ValueError(f"mixture must be a {signature(kind_type)}; it is {describe(parts)}")
    arrays = [
        checked_array(part, name, dimensions=(1,) if name == "mixture.weights" else (1, 2, 3))
        for part, name in zip(parts, names, strict=True)
    ]
    lengths = [len(array) for array in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"{listed(names)} must have one entry for each component; they have {listed(lengths)}"
        )
    mixture = kind_type(*arrays)
    for name, array in zip(kind_type._fields, arrays, strict=True):
        check_domain(name, array)
    return mixture._replace(weights=checked_weights(mixture.weights))


def check_domain(name, array):
    """Raise ValueError for a parameter that is out of its domain, with its place."""
    words, fits = DOMAINS.get(name, ("", lambda numbers: np.ones(numbers.shape, bool)))
    bad = ~fits(array)
    if bad.any():
        index = np.unravel_index(bad.argmax(), array.shape)
        raise ValueError(
            f"mixture.{name} must be {words}; {place(array, name, index)} is {array[index]:g}"
        )
    if name == "probabilities":
        off = np.abs(array.sum(axis=-1) - 1) > 1e-6
        if off.any():
            index = np.unravel_index(off.argmax(), off.shape)
            raise ValueError(
                f"mixture.probabilities must sum to one over the grades; {place(off, name, index)} "
                f"sums to {array[index].sum():.10g}"
            )


def log_joint_of(log_pdf, check):
    """The log joint of a family, as a `Kind` has it: ``check(x, mixture)`` may refuse x."""

    def log_joint(x, mixture):
        check(x, mixture)
        return np.log(mixture.weights) + log_pdf(x, mixture)

    return log_joint


def check_waits(x, _):
    """Raise ValueError for a negative wait."""
    if (x < 0).any():
        n = int(np.argmax(x < 0))
        raise ValueError(f"x must not be negative; x[{n}] is {x[n]:g}. Count from another origin")


def check_flips(x, mixture):
    """Raise ValueError for what is no count of heads and tails, or no zero or one."""
    if mixture.chances.ndim == 1:
        check_counts(x, "x", "Give heads and tails: np.column_stack([heads, tosses - heads])")
    else:
        zeros_and_ones(x)


def check_table(x, _):
    """Raise ValueError for what is no table of counts of grades."""
    check_counts(x, "x", "Give counts of grades: family.rows(x)")


def chances_log_pdf(x, mixture):
    """That of coins for rows of heads and tails, of vectors for those of zeros and ones."""
    are_coins = mixture.chances.ndim == 1
    return (binomial_log_pdf if are_coins else bernoulli_log_pdf)(x, mixture)


def draw_chances(mixture, labels, rng):
    """Vectors of zeros and ones; of coins nobody knows how often they are to be tossed."""
    if mixture.chances.ndim == 1:
        raise ValueError(
            "how often is each coin to be tossed? Draw labels, then heads: "
            "rng.binomial(tosses, mixture.chances[labels])"
        )
    chances = mixture.chances[labels]
    return (rng.random(chances.shape) < chances).astype(float)


def draw_judgements(mixture, labels, rng):
    """Rows of J * G counts: one judgement from each rater."""
    steps = mixture.probabilities[labels].cumsum(axis=2)  # (N, J, G)
    above = rng.random(steps.shape[:2])[:, :, None] < steps / steps[:, :, -1:]
    first = above.argmax(axis=2)
    return (first[:, :, None] == np.arange(steps.shape[2])).reshape(len(labels), -1).astype(float)


def draw_lines(mixture, labels, rng):
    """A response has no distribution without its regressors."""
    raise ValueError(
        "at which regressors? Draw labels, then responses: rng.normal(heights of the lines there, "
        "mixture.stds[labels])"
    )


def by_size(mixture):
    """Indices that sort components by their own parameters: the first counts first."""
    own = np.hstack([part.reshape(len(part), -1) for part in mixture[1:]])
    return np.lexsort(own.T[::-1])


def parameter_table(mixture):
    """Heads and rows of a table: every number if there are few, else the first of them."""
    heads, columns = [], []
    for name, part in zip(mixture._fields, map(np.asarray, mixture), strict=True):
        for index in np.ndindex(part.shape[1:]):
            heads.append(HEADS[name] + f"[{', '.join(map(str, index))}]" * bool(index))
            columns.append(part[(slice(None), *index)])
    if len(heads) > MOST_COLUMNS:
        heads = [*heads[:MOST_COLUMNS], "..."]
        columns = [*columns[:MOST_COLUMNS], ["..."] * len(mixture.weights)]
    return heads, list(zip(*columns, strict=True))


def register_kind(kind_type, log_pdf, check, draw, n_features):
    """Make the parameters of a family known to `predict`, `sample` and printing."""
    register(
        Kind(
            kind_type,
            checked=partial(checked_parameters, kind_type=kind_type),
            log_joint=log_joint_of(log_pdf, check),
            draw=draw,
            order=by_size,
            table=parameter_table,
            n_features=n_features,
        )
    )


register_kind(
    Rates,
    poisson_log_pdf,
    check=lambda x, _: check_counts(x, "x", "A rate is of counts"),
    draw=lambda mixture, labels, rng: rng.poisson(mixture.rates[labels]).astype(float),
    n_features=lambda mixture: None,
)
register_kind(
    Scales,
    exponential_log_pdf,
    check_waits,
    draw=lambda mixture, labels, rng: rng.exponential(mixture.scales[labels]),
    n_features=lambda mixture: None,
)
register_kind(
    Chances,
    chances_log_pdf,
    check_flips,
    draw_chances,
    n_features=lambda mixture: 2 if mixture.chances.ndim == 1 else mixture.chances.shape[1],
)
register_kind(
    Probabilities,
    categorical_log_pdf,
    check_table,
    draw_judgements,
    n_features=lambda mixture: mixture.probabilities[0].size,
)
register_kind(
    Lines,
    linear_log_pdf,
    lambda x, mixture: None,
    draw_lines,
    n_features=lambda mixture: mixture.coefficients.shape[1],
)
