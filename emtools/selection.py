"""How many components: criteria, held-out density, and a bootstrap of the likelihood ratio.

Chapter 09 teaches the formulas. They take numbers, or functions of the reader's, and so serve every
model of the course; nothing is checked in them. The four doors for Gaussian mixtures are
`criteria` of one fit, `compare` for K = 1, 2, ... in one call, `cross_validate` and
`likelihood_ratio_test`. Observations come first, as in `emtools.predict`, because a `Fit` does not
hold them, and criteria need their number and the responsibilities.

Signs: AIC, BIC and ICL are here -2 log-likelihood + penalty, so that the smallest is the best, as
in scikit-learn. mclust has the same numbers with the other sign: its largest is the best.
"""

import warnings
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from emtools.checks import check_choice, checked_rng, checked_sample_weight, is_whole
from emtools.collapse import Collapse
from emtools.em import with_progress
from emtools.fitting import fit
from emtools.kinds import in_words, kind_of, parameters_of
from emtools.mixture import Mixture
from emtools.multivariate import STRUCTURES, MultivariateMixture, n_parameters
from emtools.predict import checked_rows, checked_together, log_density, responsibilities, sample

SAME = 1e-9  # relative: shapes that differ by less are one shape

# Formulas


def aic(log_likelihood, n_free):
    """Akaike's information criterion: the smaller, the better.

    Parameters
    ----------
    log_likelihood : float
        In nats.
    n_free : int
        How many parameters can move freely.

    Returns
    -------
    float
        Twice nats.

    Notes
    -----
    Akaike (1974), "A new look at the statistical model identification".
    """
    return -2 * log_likelihood + 2 * n_free


def bic(log_likelihood, n_free, n_samples):
    """Schwarz's Bayesian information criterion: the smaller, the better.

    Parameters
    ----------
    log_likelihood : float
        In nats.
    n_free : int
        How many parameters can move freely.
    n_samples : float
        N; with sample weights, their sum.

    Returns
    -------
    float
        Twice nats. mclust has the same with the other sign.

    Notes
    -----
    Schwarz (1978), "Estimating the dimension of a model".
    """
    return -2 * log_likelihood + n_free * np.log(n_samples)


def entropies(resp):
    """Entropy of the label of each observation: 0 where one component has all of it.

    Parameters
    ----------
    resp : (N, K) array
        Responsibilities.

    Returns
    -------
    (N,) array
        In nats, between 0 and log K; 0 log 0 counts as 0.
    """
    return -np.sum(resp * np.log(np.where(resp > 0, resp, 1)), axis=1)


def label_costs(resp):
    """What the most probable label of each observation costs: minus its log probability.

    Parameters
    ----------
    resp : (N, K) array
        Responsibilities.

    Returns
    -------
    (N,) array
        In nats, between 0 and log K; never more than the entropy.
    """
    return -np.log(resp.max(axis=1))


def icl(log_likelihood, n_free, n_samples, doubt):
    """Integrated completed likelihood: BIC, and a price for labels in doubt.

    Parameters
    ----------
    log_likelihood, n_free, n_samples
        As `bic` takes them.
    doubt : float
        The sum of `entropies` (soft), or of `label_costs` (hard labels, as mclust has it).

    Returns
    -------
    float
        Twice nats; the smaller, the better.

    Notes
    -----
    Biernacki, Celeux and Govaert (2000), "Assessing a mixture model for clustering with the
    integrated completed likelihood".
    """
    return bic(log_likelihood, n_free, n_samples) + 2 * doubt


def folds(n_samples, n_folds, rng):
    """A fold for each observation, drawn at random, of sizes that differ by at most one.

    Parameters
    ----------
    n_samples, n_folds : int
        N, and how many folds, at most N.
    rng : numpy.random.Generator
        Where the randomness comes from.

    Returns
    -------
    (N,) array of int
        From 0 to n_folds - 1.
    """
    return rng.permutation(n_samples) % n_folds


def held_out(fold, fit_to, score):
    """Score of each fold under what was fitted to all the others.

    Parameters
    ----------
    fold : (N,) array
        The fold of each observation.
    fit_to : function
        ``fit_to(rows)`` fits to the observations that a (N,) mask selects.
    score : function
        ``score(rows, found)`` of other observations, say their mean log density.

    Returns
    -------
    (n_folds,) array
    """
    return np.array([score(fold == k, fit_to(fold != k)) for k in np.unique(fold)])


def bootstrap_ratios(draws, ratio_of):
    """Likelihood ratios of data sets that were drawn from the smaller model.

    Parameters
    ----------
    draws : iterable
        Data sets.
    ratio_of : function
        ``ratio_of(x)``; may raise `Collapse`.

    Returns
    -------
    ratios : (B,) array
        One for each draw that came through.
    n_collapsed : int
        How many did not.
    """
    ratios, n_collapsed = [], 0
    for x in draws:
        try:
            ratios.append(ratio_of(x))
        except Collapse:
            n_collapsed += 1
    return np.array(ratios), n_collapsed


def p_value(observed, ratios):
    """How often chance alone reaches the observed ratio, the observed one among the chances.

    Parameters
    ----------
    observed : float
        Of the data.
    ratios : (B,) array
        Of data sets drawn from the smaller model.

    Returns
    -------
    float
        At least 1 / (B + 1): B draws can show no less.
    """
    return (1 + np.sum(ratios >= observed)) / (len(ratios) + 1)


# One fit


class Criteria(NamedTuple):
    """What one fit costs, by several criteria; of each but the log-likelihood, small is good."""

    n_components: int  # K
    n_free: int  # how many parameters can move freely
    n_samples: float  # N, or the sum of the sample weights
    log_likelihood: float  # in nats
    aic: float
    bic: float
    icl: float  # with the entropies of the labels
    icl_hard: float  # with the costs of the most probable labels


def criteria(x, found, *, sample_weight=None, covariance=None, n_free=None):
    """AIC, BIC and ICL of a fit to these observations.

    Parameters
    ----------
    x : (N,) or (N, D) array
        The observations it was fitted to.
    found : Fit, Mixture or MultivariateMixture
        K components. The log-likelihood of a `Fit` must be that of x.
    sample_weight : (N,) array, optional
        As `emtools.fit` was given. They count as numbers of observations: N is their sum.
    covariance : str, optional
        The structure that was fitted, "full", "tied", "diag" or "spherical". Without it the
        structure is read off the covariances.
    n_free : int, optional
        How many parameters can move freely, if you know better: some were fixed, for instance.

    Returns
    -------
    Criteria

    Raises
    ------
    ValueError
        If an argument is not as above, or x is not what was fitted.
    """
    x, mixture = checked_together(x, found)
    sample_weight = checked_sample_weight(sample_weight, len(x))
    x, sample_weight = x[sample_weight > 0], sample_weight[sample_weight > 0]
    log_likelihood = float(sample_weight @ log_density(x, mixture))
    check_same(found, log_likelihood)
    if n_free is None:
        n_free = count_parameters(mixture, covariance)
    elif not is_whole(n_free) or n_free < 0:
        raise ValueError(f"n_free must be a whole number >= 0; it is {n_free!r}")
    n_samples, resp = float(sample_weight.sum()), responsibilities(x, mixture)
    numbers = (log_likelihood, n_free, n_samples)
    doubts = [float(sample_weight @ doubts_of(resp)) for doubts_of in (entropies, label_costs)]
    return Criteria(
        len(mixture.weights),
        n_free,
        n_samples,
        log_likelihood,
        aic(log_likelihood, n_free),
        float(bic(*numbers)),
        *(float(icl(*numbers, doubt)) for doubt in doubts),
    )


def check_same(found, log_likelihood):
    """Raise ValueError if a fit has another log-likelihood than the observations have under it."""
    said = getattr(found, "log_likelihood", log_likelihood)
    if not abs(said - log_likelihood) <= 1e-6 * max(1, abs(said)):
        raise ValueError(
            f"this fit has a log-likelihood of {said:.10g}, but x has {log_likelihood:.10g} under "
            "its parameters: it was fitted to other observations or with other sample weights. "
            "Give x and sample_weight as emtools.fit had them"
        )


def count_parameters(found, covariance=None):
    """How many parameters of a Gaussian mixture can move freely.

    Parameters
    ----------
    found : Fit, Mixture or MultivariateMixture
        K components.
    covariance : str, optional
        The structure that was fitted; read off the covariances if not given. Full covariances that
        happen to look like another structure, as those of K = 1 on uncorrelated columns may, need
        it said.

    Returns
    -------
    int
        K - 1 weights, K D means, and the covariances.

    Raises
    ------
    ValueError
        If it is no Gaussian mixture, or its covariances are not of the structure given.
    """
    kind = kind_of(found)
    if kind.type not in (Mixture, MultivariateMixture):
        raise ValueError(
            f"only of Gaussian mixtures are the parameters counted here; of a {kind.type.__name__} "
            "say n_free yourself"
        )
    mixture = kind.checked(parameters_of(found))
    names = (
        ("tied", "spherical", "diag", "full")
        if len(mixture.weights) > 1
        else ("spherical", "diag", "full", "tied")
    )
    own = [name for name in names if has_structure(mixture, name)]
    if covariance is None:
        covariance = own[0]
    check_choice(covariance, "covariance", STRUCTURES)
    if covariance not in own:
        raise ValueError(
            f'the mixture has no covariances that are "{covariance}"; they are "{own[0]}"'
        )
    return n_parameters(len(mixture.weights), mixture.means[0].size, covariance)


def has_structure(mixture, name):
    """Whether this structure changes nothing of a mixture."""
    if isinstance(mixture, Mixture):
        shapes = mixture.stds[:, None, None] ** 2
        mixture = MultivariateMixture(mixture.weights, mixture.means[:, None], shapes)
    shapes = mixture.covariances
    widths = np.sqrt(np.diagonal(shapes, axis1=1, axis2=2))
    change = np.abs(STRUCTURES[name](mixture).covariances - shapes)
    return bool(np.all(change <= SAME * widths[:, :, None] * widths[:, None, :]))


# Several numbers of components


class Comparison(NamedTuple):
    """Fits with different numbers of components, and what each costs."""

    rows: tuple  # of Criteria, nan where a fit has collapsed
    fits: tuple  # of Fit, or the Collapse
    held_out: np.ndarray | None  # (rows, n_folds), mean log density, nan where a fit has collapsed


def compare(
    x,
    n_components,
    *,
    covariance="full",
    sample_weight=None,
    n_folds=None,
    rng=None,
    progress=False,
    **options,
):
    """Fit mixtures with 1, 2, ... components, and set side by side what they cost.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    n_components : int or sequence of int
        The largest number to try, or all that shall be tried.
    covariance, sample_weight
        As `emtools.fit` takes them.
    n_folds : int or (N,) array, optional
        For held-out densities, which take as many fits again for each fold: how many folds, or the
        fold of each observation.
    rng : int or numpy.random.Generator, optional
        Draws starts and folds, an int as a seed.
    progress : bool
        Whether to show a bar.
    **options
        Anything else that `emtools.fit` takes.

    Returns
    -------
    Comparison
        Prints as a table; the error of a held-out mean is one standard error over the folds, which
        are the same for all numbers of components. A fit that collapsed has a row of nan, and no
        say.

    Raises
    ------
    ValueError
        If an argument is not as above, or as `emtools.fit` says.
    """
    x = checked_rows(x)
    sizes, rng = checked_sizes(n_components), checked_rng(rng)
    fold = None if n_folds is None else checked_folds(n_folds, len(x), rng)
    options |= {"covariance": covariance, "rng": rng}
    rows, fits, scores = [], [], []
    for size in with_progress(sizes, progress, "components"):
        found = fit_or_collapse(x, size, sample_weight=sample_weight, **options)
        fits.append(found)
        rows.append(row_of(x, size, found, sample_weight, covariance))
        if fold is not None:
            scores.append(scores_of(x, size, fold, sample_weight, options))
    return Comparison(tuple(rows), tuple(fits), None if fold is None else np.array(scores))


def fit_or_collapse(x, size, **options):
    """A fit, or the `Collapse` that all its starts have ended in."""
    try:
        return fit(x, size, **options)
    except Collapse as collapse:
        return collapse.with_traceback(None)


def row_of(x, size, found, sample_weight, covariance):
    """The criteria of a fit, all nan if it is a `Collapse`."""
    if isinstance(found, Collapse):
        free = n_parameters(size, x[0].size, covariance)
        n_samples = float(checked_sample_weight(sample_weight, len(x)).sum())
        return Criteria(size, free, n_samples, *[np.nan] * 5)
    return criteria(x, found, sample_weight=sample_weight, covariance=covariance)


def cross_validate(
    x,
    n_components,
    *,
    n_folds=10,
    sample_weight=None,
    rng=None,
    progress=False,
    **options,
):
    """Mean log density of each fold under a mixture that was fitted to all the others.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    n_components : int
        How many components.
    n_folds : int or (N,) array
        How many folds, drawn at random; or the fold of each observation, where neighbours belong
        together (in time, say), or where two models shall be compared on the same folds.
    sample_weight : (N,) array, optional
        How often each observation counts, in fits and in means.
    rng : int or numpy.random.Generator, optional
        Draws folds and starts, an int as a seed.
    progress : bool
        Whether to show a bar.
    **options
        Anything else that `emtools.fit` takes.

    Returns
    -------
    (n_folds,) array
        In nats an observation; nan for a fold whose fit collapsed.

    Raises
    ------
    ValueError
        If an argument is not as above, or as `emtools.fit` says.
    """
    x = checked_rows(x)
    [size], rng = checked_sizes([n_components]), checked_rng(rng)
    fold = checked_folds(n_folds, len(x), rng)
    return scores_of(x, size, fold, sample_weight, options | {"rng": rng}, progress)


def scores_of(x, size, fold, sample_weight, options, progress=False):
    """`held_out` for Gaussian mixtures: nan for a fold whose fit collapsed, or that has no weight.

    With `progress` a bar counts the folds.
    """
    weights = checked_sample_weight(sample_weight, len(x))
    bar = iter(with_progress(np.unique(fold), progress, "folds"))

    def fit_to(rows):
        next(bar)
        try:
            return fit_or_collapse(x[rows], size, sample_weight=weights[rows], **options)
        except ValueError as error:
            raise ValueError(f"without fold {fold[~rows][0]}: {error}") from None

    def score(rows, found):
        rows = rows & (weights > 0)
        if isinstance(found, Collapse) or not rows.any():
            return np.nan
        return np.average(log_density(x[rows], found), weights=weights[rows])

    scores = held_out(fold, fit_to, score)
    next(bar, None)  # lets the bar end
    return scores


# A test


class RatioTest(NamedTuple):
    """A parametric bootstrap of the likelihood ratio: K components against K + 1."""

    likelihood_ratio: float  # of the data, 2 (l of K + 1 - l of K)
    p_value: float  # at least 1 / (len(ratios) + 1)
    ratios: np.ndarray  # of the draws that came through
    n_collapsed: int  # draws that did not, and are left out
    n_suspicious: int  # draws whose larger fit is, as `Fit` says; they count
    smaller: object  # Fit with K, from whose parameters the draws are
    larger: object  # Fit with K + 1


def likelihood_ratio_test(
    x,
    n_components,
    *,
    n_draws=99,
    sample_weight=None,
    rng=None,
    progress=False,
    **options,
):
    """Test K components against K + 1, by data sets drawn from the fit with K.

    The data and each draw are searched alike: with the same options, from as many starts. A search
    that tries harder on the data than on the draws would find more in the data.

    Parameters
    ----------
    x : (N,) or (N, D) array
        Observations.
    n_components : int
        K, the smaller number.
    n_draws : int
        How many data sets to draw, each as large as x.
    sample_weight : (N,) array, optional
        How often each observation counts; they must sum to a whole number, which is N.
    rng : int or numpy.random.Generator, optional
        Draws data sets and starts, an int as a seed.
    progress : bool
        Whether to show a bar.
    **options
        Anything else that `emtools.fit` takes. A `tol` of 1e-2 is enough for a ratio to two
        decimals, and saves much: one component too many is what EM is slowest at.

    Returns
    -------
    RatioTest
        Draws that collapse are left out and counted. Those that end half-way to a collapse are
        counted, too, but stay in: a search of the data could have ended like this.

    Raises
    ------
    ValueError
        If an argument is not as above, or as `emtools.fit` says.
    Collapse
        If the data themselves collapse from every start.
    """
    x = checked_rows(x)
    [size], rng = checked_sizes([n_components]), checked_rng(rng)
    if not is_whole(n_draws) or n_draws < 1:
        raise ValueError(f"n_draws must be a whole number >= 1; it is {n_draws!r}")
    total = checked_total(sample_weight, len(x))
    smaller, larger = (
        fit(x, k, sample_weight=sample_weight, rng=rng, **options) for k in (size, size + 1)
    )

    doubts = []

    def ratio_of(drawn):
        with warnings.catch_warnings():  # nobody can mend a draw, and the data were searched alike
            warnings.simplefilter("ignore", UserWarning)
            low, high = (fit(drawn, k, rng=rng, **options) for k in (size, size + 1))
        doubts.append(bool(high.suspicious))
        return 2 * (high.log_likelihood - low.log_likelihood)

    counted = with_progress(range(n_draws), progress, "draws")
    draws = (sample(smaller, total, rng)[0] for _ in counted)
    ratios, n_collapsed = bootstrap_ratios(draws, ratio_of)
    observed = 2 * (larger.log_likelihood - smaller.log_likelihood)
    p = float(p_value(observed, ratios))
    return RatioTest(observed, p, ratios, n_collapsed, sum(doubts), smaller, larger)


# Checks


def checked_sizes(n_components):
    """Return the numbers of components to try as a list, or say what is wrong with them."""
    if is_whole(n_components) and n_components >= 1:
        return list(range(1, n_components + 1))
    sizes = [] if np.ndim(n_components) != 1 else list(n_components)
    if not sizes or not all(is_whole(size) and size >= 1 for size in sizes):
        raise ValueError(
            "n_components must be a whole number >= 1 (or, to compare, several of them); "
            f"it is {n_components!r}"
        )
    return [int(size) for size in sizes]


def checked_folds(n_folds, n_samples, rng):
    """Return the fold of each observation, (N,), or say what is wrong."""
    if is_whole(n_folds):
        if not 2 <= n_folds <= n_samples:
            raise ValueError(
                f"n_folds must be between 2 and the number of observations, {n_samples}; "
                f"it is {n_folds}"
            )
        return folds(n_samples, n_folds, rng)
    fold = np.asarray(n_folds)
    if fold.shape != (n_samples,) or fold.dtype.kind not in "iubUS":
        raise ValueError(
            "n_folds must be a whole number, or a label for each observation, of shape "
            f"({n_samples},) and whole numbers or text; it is {in_short(n_folds)}"
        )
    if len(np.unique(fold)) < 2:
        raise ValueError("n_folds puts all observations into one fold; nothing is left to fit to")
    return fold


def in_short(value):
    """What an error message calls something that should have been folds."""
    return f"an array of shape {np.shape(value)}" if np.ndim(value) else repr(value)


def checked_total(sample_weight, n_samples):
    """Return N, the sum of the sample weights, or say that it is none to draw."""
    total = float(checked_sample_weight(sample_weight, n_samples).sum())
    if abs(total - round(total)) > 1e-6 * total or round(total) < 1:
        raise ValueError(
            f"sample_weight sums to {total:.6g}; a data set of so many observations cannot be "
            "drawn. Here sample weights must be numbers of observations"
        )
    return round(total)


# Printing


def comparison_in_lines(comparison):
    """A table, one row for each number of components; the smallest criteria have a star."""
    rows, held = comparison.rows, comparison.held_out
    columns = {
        "parameters": [str(row.n_free) for row in rows],
        "log-lik.": [in_words(row.log_likelihood, 7) for row in rows],
        "AIC": starred([row.aic for row in rows]),
        "BIC": starred([row.bic for row in rows]),
        "ICL": starred([row.icl for row in rows]),
        "ICL, hard": starred([row.icl_hard for row in rows]),
    }
    if held is not None:
        columns["held out"] = starred(mean_of(held), largest=True)
        columns["error"] = [in_words(error, 2) for error in errors_of(held)]
    table = [["components", *columns]]
    for row, cells in zip(rows, zip(*columns.values(), strict=True), strict=True):
        table.append([str(row.n_components), *cells])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
        for line in table
    ]
    return "\n".join([*lines, *remarks_on(comparison)])


def starred(numbers, largest=False):
    """Numbers as text, the best of them with a star."""
    numbers = np.array(numbers, dtype=float)
    lost = np.where(np.isnan(numbers), -np.inf if largest else np.inf, numbers)
    place = lost.argmax() if largest else lost.argmin()
    texts = [in_words(number, 7 if not largest else 5) for number in numbers]
    return [
        text + ("*" if n == place and not np.isnan(numbers[n]) else " ")
        for n, text in enumerate(texts)
    ]


def mean_of(held):
    """The mean of each row over the folds that came through; nan if none did."""
    came = ~np.isnan(held)
    sums = np.where(came, held, 0).sum(axis=1)
    return np.divide(sums, came.sum(axis=1), out=np.full(len(held), np.nan), where=came.any(axis=1))


def errors_of(held):
    """One standard error of each mean, from the spread over the folds; nan for less than two."""
    rows = [row[~np.isnan(row)] for row in held]
    return [row.std(ddof=1) / np.sqrt(len(row)) if len(row) > 1 else np.nan for row in rows]


def remarks_on(comparison):
    """What a reader of the table must know: collapses, odd ends, a log-likelihood that falls."""
    sizes = [row.n_components for row in comparison.rows]
    ends = list(zip(sizes, comparison.fits, strict=True))
    gone = [str(size) for size, end in ends if isinstance(end, Collapse)]
    if gone:
        yield f"All starts collapsed with {', '.join(gone)} components."
    for size, end in ends:
        if reason := getattr(end, "suspicious", ""):
            yield f"With {size} components the fit is suspicious: {reason}"
    if comparison.held_out is not None and np.isnan(comparison.held_out).any():
        lost = int(np.isnan(comparison.held_out).sum())
        yield f"{lost} of {comparison.held_out.size} folds collapsed and are left out."
    heights = sorted((row.n_components, row.log_likelihood) for row in comparison.rows)
    for (_, low), (k, high) in pairwise(heights):
        if high < low - 1e-6 * abs(low):
            yield (
                f"With {k} components the log-likelihood falls, which the best one never does: "
                "give more starts."
            )


def ratio_test_in_lines(test):
    """A test in a few lines: the ratio, how the draws lie about it, and what was left out."""
    n_components = len(test.smaller.parameters.weights)
    median, high = (
        np.quantile(test.ratios, q) if len(test.ratios) else np.nan for q in (0.5, 0.95)
    )
    lines = [
        f"{n_components} against {n_components + 1} components: likelihood ratio "
        f"{in_words(test.likelihood_ratio, 6)}, p = {in_words(test.p_value, 3)}",
        f"{len(test.ratios)} draws from the smaller: median {in_words(median, 3)}, "
        f"95 % under {in_words(high, 3)}; {test.n_collapsed} more collapsed",
    ]
    if test.n_suspicious:
        lines.append(f"{test.n_suspicious} of these draws have a suspicious larger fit")
    short = int(np.sum(test.ratios < -1e-3))
    if short:
        lines.append(f"{short} ratios are negative, which the best fits never give: more starts")
    return "\n".join(lines)


# Outside the classes, as with Fit.
Comparison.__repr__ = comparison_in_lines
RatioTest.__repr__ = ratio_test_in_lines
