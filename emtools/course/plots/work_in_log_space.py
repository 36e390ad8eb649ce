"""Drawings of chapter 03, work in log space."""

import numpy as np

from emtools.course.plots import COLOURS, INK
from emtools.logspace import log_joint

# float64: exp is 0.0 below the floor and loses digits below the smallest normal number.
FLOOR, LAST_NORMAL = -745.13, -708.4


def draw_cliff(ax, x, mixture, *, quantity="velocity", unit="km/s"):
    """Log joint density of each observation and component, against what float64's exp can hold.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        Observations.
    mixture : Mixture
        K components.
    quantity, unit : str
        What is measured, in what.
    """
    joint = log_joint(x, mixture)
    lowest = 2 * joint.min()
    ax.axhspan(lowest, FLOOR, color=INK, alpha=0.12, linewidth=0)
    ax.axhspan(FLOOR, LAST_NORMAL, color=COLOURS[4], alpha=0.5, linewidth=0)
    ax.axhline(FLOOR, color=INK, linewidth=1)
    lost = (joint < FLOOR).all(axis=1)
    for k, colour in zip(range(joint.shape[1]), COLOURS, strict=False):
        mean = f"component {k}, mean {mixture.means[k]:g}"
        ax.plot(x[~lost], joint[~lost, k], "o", color=colour, markersize=5, label=mean)
        ax.plot(x[lost], joint[lost, k], "x", color=colour, markersize=6, markeredgewidth=1.8)
    ax.plot([], [], "x", color=INK, label=f"both are lost, 0/0 ({lost.sum()} rows)")
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylim(lowest, -4)
    ax.text(
        0.01, FLOOR * 1.15, "exp(\u2026) is 0.0 in float64 below \u2212745.13", va="top",
        transform=ax.get_yaxis_transform(),
    )  # fmt: skip
    ax.set_xlabel(f"{quantity} ({unit})")
    ax.set_ylabel("log of weight × density (nats)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right")


def draw_outlier(axes, mixture, wait, versions):
    """One observation dragged away from two bells, and whose each version says it is.

    Parameters
    ----------
    axes : two Axes
        Above, the bells and the observation; below, one bar per version.
    mixture : Mixture
        Two components.
    wait : float
        The observation, in minutes.
    versions : dict of str to callable
        ``e_step(x, mixture) -> resp`` by name, first drawn on top.
    """
    above, below = axes
    grid = np.linspace(0, 450, 900)
    for bell, colour in zip(np.exp(log_joint(grid, mixture)).T, COLOURS, strict=False):
        above.fill_between(grid, bell, color=colour, alpha=0.6, linewidth=0)
    above.plot([wait], [0.004], "v", color=INK, markersize=9)
    above.set_xlim(0, 450)
    above.set_xticks([0, 200, 400])
    above.set_ylim(0, 0.05)
    above.set_yticks([])
    above.set_xlabel("waiting time (minutes)")
    above.set_title(f"a wait of {wait:g} minutes", loc="left")
    for row, version in enumerate(versions.values()):
        draw_bar(below, row, version(np.array([float(wait)]), mixture)[0])
    below.set_yticks(range(len(versions)), versions)
    below.set_ylim(len(versions) - 0.5, -0.5)
    below.set_xlim(0, 1)
    below.set_xlabel("share of each bell")
    below.spines["left"].set_visible(False)
    below.tick_params(axis="y", length=0, colors=INK)


def draw_bar(ax, row, resp):
    """One row of responsibilities as a bar in the components' colours, the numbers beside it."""
    text = " / ".join("nan" if np.isnan(r) else f"{r:.3g}" for r in resp)
    ax.text(1.02, row, text, va="center", transform=ax.get_yaxis_transform())
    if np.isnan(resp).any():
        ax.barh(row, 1, color="white", edgecolor=INK, hatch="//", linewidth=0.8)
        return
    left = np.concatenate([[0], np.cumsum(resp)[:-1]])
    ax.barh([row] * len(resp), resp, left=left, color=COLOURS[: len(resp)])
