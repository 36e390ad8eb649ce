"""Drawings of chapter 07, go to many dimensions."""

import numpy as np

from emtools.course.plots import COLOURS, INK, PALE, draw_clouds, draw_ellipse, draw_plane


def draw_two_points(ax, X, points):
    """One bell for all observations, its ellipses, and points with letters.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    X : (N, 2) array
        Observations.
    points : dict of str to (2,) array
        By letter.
    """
    draw_plane(ax, X, colour=COLOURS[5])
    draw_ellipse(ax, X.mean(axis=0), np.cov(X.T, bias=True), colour=COLOURS[0])
    for letter, point in points.items():
        ax.plot(*point, "o", color=INK, markersize=8)
        ax.annotate(letter, point, (9, -5), textcoords="offset points", fontsize=14)


def draw_cholesky(axes, mean, covariance, scaled):
    """What a Cholesky factor does: circles become ellipses, and each point goes along.

    Parameters
    ----------
    axes : two Axes
        On the left scaled residuals, on the right observations.
    mean : (2,) array
        Of the bell.
    covariance : (2, 2) array
        Symmetric positive definite.
    scaled : (2,) array
        The scaled residual to follow.
    """
    factor = np.linalg.cholesky(covariance)
    both = (np.zeros(2), np.eye(2)), (mean, covariance)
    points = scaled, mean + factor @ scaled
    reach = np.abs(mean).max() + 2 * np.sqrt(np.diagonal(covariance).max())
    titles = "scaled residuals", "observations: mean + L · scaled"
    for ax, bell, point, title, name in zip(axes, both, points, titles, "sx", strict=True):
        draw_ellipse(ax, *bell, colour=COLOURS[0])
        ax.plot(*np.transpose([bell[0], point]), color=INK, linewidth=1)
        ax.plot(*point, "o", color=INK, markersize=7)
        numbers = ", ".join(f"{number:g}" for number in point)
        ax.annotate(f"({numbers})", point, (9, 2), textcoords="offset points")
        ax.set_title(title, loc="left")
        ax.set_xlabel(f"${name}_1$")
        ax.set_ylabel(f"${name}_2$")
        ax.set_xlim(-1.2 * reach, 1.2 * reach)  # one scale for both, to see what is stretched
        ax.set_ylim(-1.2 * reach, 1.2 * reach)
        ax.set_aspect("equal")
        ax.set_xticks([tick for tick in ax.get_yticks() if abs(tick) <= 1.2 * reach])
        ax.grid(color=PALE, linewidth=0.6)
        ax.set_axisbelow(True)


def draw_cloud_panels(axes, X, mixtures, **options):
    """Small multiples: the same observations under several mixtures.

    Parameters
    ----------
    axes : array of Axes
        One for each mixture.
    X : (N, 2) array
        Observations.
    mixtures : dict of str to MultivariateMixture
        By the title of the panel.
    **options
        Passed on to `draw_clouds`.
    """
    for ax, (title, mixture) in zip(np.ravel(axes), mixtures.items(), strict=True):
        draw_clouds(ax, X, mixture, **options)
        ax.set_title(title, loc="left")
        ax.label_outer()
