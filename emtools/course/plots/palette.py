"""The colours of the course, and what all its figures have in common."""

import numpy as np
from matplotlib.colors import to_rgb

# Of components 0, 1, ...: blue, orange, green, pink, amber, light blue. Whatever the kind of colour
# vision, any two can be told apart, and each from white paper; the first three are dark enough for
# text. They began as Okabe and Ito's palette, of which two are too light. The tests say how far
# apart is far enough. In grey the first two look the same: a number or a marker stands beside them.
COLOURS = ("#0072B2", "#BD4B00", "#006335", "#C075A0", "#CE8500", "#289FD1")
INK, QUIET, PALE = "#222222", "#6b6b6b", "#d9d9d9"

# Of lines that differ in colour alone, and of dots: the same order.
DASHES = ("-", "-.", "--", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (9, 2)))
MARKERS = "os^Dv*"

# What matplotlib calls runtime configuration.
STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": QUIET,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "legend.fontsize": 10,
}


def blend(resp):
    """Colour of each observation: the components' colours mixed by its responsibilities.

    Parameters
    ----------
    resp : (N, K) array
        Responsibilities; a row with NaN is drawn black.

    Returns
    -------
    (N, 3) array
        Red, green and blue between 0 and 1.
    """
    palette = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(resp.shape[1])])
    return np.clip(np.nan_to_num(resp @ palette, nan=0.0), 0, 1)
