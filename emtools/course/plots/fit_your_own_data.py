"""Drawings of chapter 08, fit your own data."""

import numpy as np

from emtools.course.plots import INK, draw_pair, draw_plane, fit_plane
from emtools.predict import predict, responsibilities

FEW = 20  # observations, so that rings around them can be told apart


def draw_pairs(axes, tables, mixtures, pair, names):
    """Two columns of each of several tables under a mixture of its own.

    Parameters
    ----------
    axes : array of Axes
        One for each table.
    tables : dict of str to (N, D) array
        By the title of the panel.
    mixtures : sequence of MultivariateMixture
        One for each table.
    pair : two int
        The columns to draw.
    names : sequence of D str
        Of all columns, with their units.
    """
    for ax, (title, X), mixture in zip(axes, tables.items(), mixtures, strict=True):
        resp = responsibilities(X, mixture)
        draw_pair(ax, X, mixture, resp, pair, names=[names[d] for d in pair], radii=(2,))
        ax.set_title(title, loc="left")


def draw_ends(axes, X, mixtures, pair, names):
    """The same table under several mixtures; rings around the observations of a bell that has few.

    Parameters
    ----------
    axes : array of Axes
        One for each mixture.
    X : (N, D) array
        Observations.
    mixtures : dict of str to MultivariateMixture
        By the title of the panel.
    pair, names
        As `draw_pairs` takes them.
    """
    draw_pairs(axes, dict.fromkeys(mixtures, X), list(mixtures.values()), pair, names)
    for ax, mixture in zip(axes, mixtures.values(), strict=True):
        owned = predict(X, mixture) == np.argmin(mixture.weights)
        owned &= owned.sum() < FEW
        ax.scatter(*X[owned][:, list(pair)].T, s=70, facecolor="none", edgecolor=INK, linewidth=1)
        ax.label_outer()


def draw_beside(axes, tables, names):
    """Two columns of several tables, side by side in one frame.

    Parameters
    ----------
    axes : array of Axes
        One for each table.
    tables : dict of str to (N, 2) array
        By the title of the panel.
    names : two str
        Of the columns, with their units.
    """
    together = np.concatenate(list(tables.values()))
    for ax, (title, X) in zip(axes, tables.items(), strict=True):
        draw_plane(ax, X, names=names)
        fit_plane(ax, together)
        ax.set_title(title, loc="left")
        ax.label_outer()
