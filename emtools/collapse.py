"""What a collapse is, how to see one, and two cures: restarts and a floor.

Chapter 06 teaches `restarts` and `best`. The test and the floor are those of `emtools.fit`, for
Gaussians of any structure; they take mixtures as the kernel holds them (`emtools.kernel.packed`).
"""

from typing import NamedTuple

import numpy as np

from emtools.kernel import variances_of
from emtools.multivariate import MultivariateMixture, n_parameters

EPS = np.finfo(float).eps
VANISHED = "has vanished: no observation is left to it"
NARROW_RATIO = 0.1  # of a width to that of the others: what is narrower is looked at
SAME = 0.05  # of a width: what two means or widths may differ by, or two correlations
SHORT_WITHOUT = 10  # steps to see how well the others do without it
NARROW = "has collapsed: no width is left to it"
FLAT = "has collapsed: no width is left in one direction"


class Collapse(ValueError):
    """A component has shrunk onto a point, or nothing is left of it.

    Attributes
    ----------
    component : int
        Which one, counted from 0.
    what : str
        What happened to it.
    cure : str
        What to do about it; whoever raises knows the model, and says so.
    iteration : int or None
        After how many steps; None until the run fills it in.
    n_starts : int
        How many starts ended like this; the rest is about the first of them.
    """

    def __init__(self, component, what, cure, iteration=None, n_starts=1):
        super().__init__(component, what, cure, iteration, n_starts)
        self.component, self.what, self.cure = component, what, cure
        self.iteration, self.n_starts = iteration, n_starts

    def __str__(self):
        starts = f"all {self.n_starts} starts collapsed; in the first, " * (self.n_starts > 1)
        when = "" if self.iteration is None else f"at iteration {self.iteration}, "
        return f"{starts}{when}component {self.component} (counted from 0) {self.what}. {self.cure}"


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
            collapses.append(collapse.with_traceback(None))  # it would hold on to the data
    if collapses and not fits:
        collapses[0].n_starts = len(collapses)
        raise collapses[0]
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


class Limits(NamedTuple):
    """What a component must keep, or it counts as collapsed."""

    weight: float  # of 1e-8 observations, the lightest
    variances: np.ndarray  # (D,), the square of 1e-10 of the spread or of 4 float spacings


def limits_of(summary, centre=0.0):
    """The limits that these observations set.

    Parameters
    ----------
    summary : Summary
        Of all observations.
    centre : (D,) array or float
        What has been taken off them, whose digits they have lost all the same.

    Returns
    -------
    Limits
        Where numbers are so far from zero that 4 float spacings are more than 1e-10 of their
        spread, they all have the same spacing.
    """
    farthest = np.maximum(np.abs(summary.lowest + centre), np.abs(summary.highest + centre))
    widths = np.maximum(1e-10 * summary.spread, 4 * np.spacing(farthest))
    return Limits(1e-8 * summary.lightest / summary.total, widths**2)


def find_collapse(mixture, limits):
    """Which component has vanished or has no width left in some direction.

    Parameters
    ----------
    mixture : MultivariateMixture
        Packed.
    limits : Limits

    Returns
    -------
    (int, str) or None
        The component and what happened to it.
    """
    weights, _, covariances = mixture
    if weights.min() < limits.weight:
        return int(weights.argmin()), VANISHED
    variances = variances_of(mixture)
    narrow = variances < limits.variances
    if narrow.any():
        return int(narrow.any(axis=1).argmax()), NARROW
    return None if covariances.ndim == 2 else find_flat(covariances, variances, limits.variances)


def find_flat(covariances, variances, least_variances):
    """The flattest of K covariances, if it is too flat: in units of its own widths, or at all."""
    n_features = variances.shape[1]
    least = 64 * n_features * EPS  # what rounding leaves of a width that is not there, squared
    flattest = flattest_under(least, covariances, variances)
    if flattest is None and (variances * least < least_variances).any():  # else it is seen to
        flattest = flattest_under(1, covariances, np.broadcast_to(least_variances, variances.shape))
    return None if flattest is None else (flattest, FLAT)


def flattest_under(least, covariances, units):
    """Which covariance has the smallest eigenvalue, in units squared (K, D), if under `least`."""
    units = np.sqrt(units)
    relative = covariances / units[:, :, None] / units[:, None, :]
    if has_cholesky(relative - least * np.eye(relative.shape[1])):
        return None
    return int(np.linalg.eigvalsh(relative)[:, 0].argmin())


def has_cholesky(matrices):
    """Whether all K (D, D) matrices are positive definite, at a fraction of eigenvalues' cost."""
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        return False
    return True


def narrowest(mixture):
    """The component with the narrowest direction beside the others, and how narrow it is.

    Parameters
    ----------
    mixture : MultivariateMixture
        Packed, K > 1.

    Returns
    -------
    (int, float)
        The component, and its width there as a share of the width that the others have together.
    """
    weights, _, covariances = mixture
    units = np.sqrt(variances_of(mixture).max(axis=0))  # so that no product is too small
    relative = covariances / units / (units if covariances.ndim == 2 else units[:, None])
    ratios = np.empty(len(weights))
    for k, covariance in enumerate(relative):
        rest = np.average(np.delete(relative, k, 0), axis=0, weights=np.delete(weights, k))
        if rest.ndim == 1:
            ratios[k] = (covariance / rest).min()
        else:
            whitener = np.linalg.inv(np.linalg.cholesky(rest))
            ratios[k] = np.linalg.eigvalsh(whitener @ covariance @ whitener.T)[0]
    component = int(ratios.argmin())
    return component, float(np.sqrt(max(ratios[component], 0)))


def twins(mixture):
    """Two components that are the same, within a twentieth of their widths; None if no two are.

    That is no maximum: apart from each other they could climb.

    Parameters
    ----------
    mixture : MultivariateMixture
        Packed.

    Returns
    -------
    (int, int) or None
    """
    _, means, covariances = mixture
    stds = np.sqrt(variances_of(mixture))
    for k in range(1, len(means)):
        moved = np.abs(means[k] - means[:k]) / stds[k]
        widened = np.abs(np.log(stds[k] / stds[:k]))
        same = (np.maximum(moved, widened) < SAME).all(axis=1)
        if covariances.ndim == 3:  # two that cross have the same widths
            correlations = covariances[: k + 1] / stds[: k + 1, :, None] / stds[: k + 1, None]
            same &= (np.abs(correlations[:k] - correlations[k]) < SAME).all(axis=(1, 2))
        if same.any():
            return int(same.argmax()), k
    return None


def with_twins_apart(mixture):
    """The mixture with two components that are the same moved apart by a width; None without."""
    pair = twins(mixture)
    if pair is None:
        return None
    means, stds = mixture.means.copy(), np.sqrt(variances_of(mixture))
    for sign, k in zip((-0.5, 0.5), pair, strict=True):
        means[k] += sign * stds[k]
    return mixture._replace(means=means)


def suspicion(mixture, step, total, covariance):
    """Why an end may be a spike that chance has made, and none to believe.

    A component less than a tenth as wide as the others is suspicious if taking it out costs less
    than it had to gain: what BIC asks of one component more, and the logarithm of how many places
    there were to choose from for so narrow a one.

    Parameters
    ----------
    mixture : MultivariateMixture
        Packed, where EM has ended.
    step : function
        ``step(mixture) -> new_mixture, log_likelihood``.
    total : float
        The sum of the sample weights.
    covariance : str
        The structure.

    Returns
    -------
    str
        The component and what speaks against it; "" if nothing does.

    Notes
    -----
    Schwarz (1978), "Estimating the dimension of a model", for the first term. Hathaway (1985), "A
    constrained formulation of maximum-likelihood estimation for normal mixture distributions",
    bounds the ratio of widths in advance; here it is only where to look.
    """
    if len(mixture.weights) == 1:
        return ""
    pair = twins(mixture)
    if pair is not None:
        return f"means[{pair[0]}] and means[{pair[1]}] are of one component twice"
    component, ratio = narrowest(mixture)
    if ratio >= NARROW_RATIO:
        return ""
    n_components, n_features = mixture.means.shape
    with_it, without = (n_parameters(n_components - n, n_features, covariance) for n in (0, 1))
    asked = (with_it - without) / 2 * np.log(total) - np.log(ratio)
    gain = gain_of(component, mixture, step)
    if not gain < asked:
        return ""
    owned = mixture.weights[component] * total
    return (
        f"means[{component}], {owned:.3g} observations, is {ratio:.2g} times as wide as the others "
        f"and gains {gain:.3g} nats; {asked:.3g} is asked"
    )


def gain_of(component, mixture, step):
    """How much higher a mixture is than the others alone after a few steps, in nats."""
    _, log_likelihood = step(mixture)
    without = MultivariateMixture(*(np.delete(part, component, axis=0) for part in mixture))
    without = without._replace(weights=without.weights / without.weights.sum())
    log_likelihood_without = -np.inf
    for _ in range(SHORT_WITHOUT):
        try:
            without, log_likelihood_without = step(without)
        except np.linalg.LinAlgError:  # another one collapses without it
            break
    return log_likelihood - log_likelihood_without


def with_floor(mixture, min_std):
    """The mixture with every width under `min_std` raised to it.

    Among the covariances that respect the floor these maximise the bound, so EM still climbs.

    Parameters
    ----------
    mixture : MultivariateMixture
        Packed; its structure stays.
    min_std : float
        The smallest standard deviation; 0 for no floor.

    Returns
    -------
    MultivariateMixture
    """
    covariances = mixture.covariances
    if min_std == 0 or not np.isfinite(covariances).all():
        return mixture
    if covariances.ndim == 2:
        return mixture._replace(covariances=np.maximum(covariances, min_std**2))
    least = 1e-100 * np.sqrt(np.abs(covariances).max())  # what is less has no square
    min_std = max(min_std, least)
    relative = covariances / min_std / min_std  # the floor is 1
    if has_cholesky(relative - np.eye(relative.shape[1])):  # whatever the scales of the columns
        return mixture
    values, vectors = np.linalg.eigh(relative)  # (K, D), (K, D, D)
    missing = np.maximum(1 - values, 0)
    added = (vectors * missing[:, None, :]) @ vectors.transpose(0, 2, 1)
    return mixture._replace(covariances=(relative + added) * min_std * min_std)
