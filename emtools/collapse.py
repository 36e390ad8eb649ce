"""What a collapse is, how to see one, and two cures: restarts and a floor.

Chapter 06 teaches `restarts` and `best`. The test and the floor are those of `emtools.fit`, for
Gaussians of any structure; they take mixtures as the kernel holds them (`emtools.kernel.packed`).
"""

from typing import NamedTuple

import numpy as np

from emtools.kernel import variances_of

EPS = np.finfo(float).eps
VANISHED = "has vanished: no observation is left to it"
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
