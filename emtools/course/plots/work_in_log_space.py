"""Drawings of chapter 03, work in log space."""

import numpy as np

from emtools.course.plots import COLOURS, INK, MARKERS
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
    draw_floor(ax, lowest)
    lost = draw_joint(
        ax, x, joint, [f"component {k}, mean {m:g}" for k, m in enumerate(mixture.means)]
    )
    ax.plot([], [], "x", color=INK, label=f"both are lost, 0/0 ({lost.sum()} rows)")
    ax.set_yscale("symlog", linthresh=10)
    ax.set_ylim(lowest, 5)
    ax.set_yticks([-10, -100, -1000, -10_000])
    ax.minorticks_off()
    ax.text(
        0.42, 8 * FLOOR, "exp(\u2026) is 0.0 here", ha="center", transform=ax.get_yaxis_transform()
    )
    ax.set_xlabel(f"{quantity} ({unit})")
    ax.set_ylabel("log of weight × density (nats)")
    ax.yaxis.set_major_formatter("{x:g}")
    ax.legend(loc="upper right", fontsize=9)


def draw_edge(ax, x, mixture, between, *, quantity="velocity", unit="km/s"):
    """The same close to the floor: which observations fall off it, and which lose digits only.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x : (N,) array
        Observations.
    mixture : Mixture
        K components.
    between : two float
        The observations to draw; each has its value beside it.
    quantity, unit : str
        What is measured, in what.
    """
    x = x[(x > between[0]) & (x < between[1])]
    joint = log_joint(x, mixture)
    draw_floor(ax, -800)
    for x_n, highest, is_lost in zip(x, joint.max(axis=1), draw_joint(ax, x, joint), strict=True):
        ax.annotate(
            f"{x_n:g}: {'lost' if is_lost else 'saved'}", (x_n, highest), (0, 9),
            ha="center", textcoords="offset points",
        )  # fmt: skip
    ax.set_xlim(between)
    ax.set_ylim(-800, -690)
    middle = dict(ha="center", va="center", transform=ax.get_yaxis_transform())
    ax.text(0.5, (FLOOR + LAST_NORMAL) / 2 + 9, "digits are lost", **middle)
    ax.text(0.5, -792, "0.0", **middle)
    ax.set_xticks(between)
    ax.set_xlabel(f"{quantity} ({unit})")


def draw_floor(ax, lowest):
    """Where exp is 0.0, down to the lowest number drawn, and where it loses digits."""
    ax.axhspan(lowest, FLOOR, color=INK, alpha=0.12, linewidth=0)
    ax.axhspan(FLOOR, LAST_NORMAL, color=COLOURS[4], alpha=0.5, linewidth=0)
    ax.axhline(FLOOR, color=INK, linewidth=1)


def draw_joint(ax, x, joint, labels=()):
    """Log joints in the components' colours; crosses, and True, for what no component keeps."""
    lost = (joint < FLOOR).all(axis=1)
    for k, (column, colour) in enumerate(zip(joint.T, COLOURS, strict=False)):
        label = labels[k] if labels else None
        ax.plot(x[~lost], column[~lost], MARKERS[k], color=colour, markersize=5, label=label)
        ax.plot(x[lost], column[lost], "x", color=colour, markersize=6, markeredgewidth=1.8)
    return lost


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
    names = (
        ("short bell", "long bell")
        if mixture.means[0] < mixture.means[1]
        else ("long bell", "short bell")
    )
    for bell, colour, name in zip(np.exp(log_joint(grid, mixture)).T, COLOURS, names, strict=False):
        above.fill_between(grid, bell, color=colour, linewidth=0, label=name)
    above.plot([wait], [0.004], "v", color=INK, markersize=9)
    above.set_xlim(0, 450)
    above.set_xticks([0, 200, 400])
    above.set_ylim(0, 0.05)
    above.set_yticks([])
    above.set_xlabel("minutes")
    above.legend(loc="upper right", handlelength=0.8, borderaxespad=0)
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
    text = " / ".join("nan" if np.isnan(r) else f"{r:.2g}" for r in resp)
    ax.text(1.02, row, text, va="center", transform=ax.get_yaxis_transform())
    if np.isnan(resp).any():
        ax.barh(row, 1, color="white", edgecolor=INK, hatch="//", linewidth=0.8)
        return
    left = np.concatenate([[0], np.cumsum(resp)[:-1]])
    ax.barh([row] * len(resp), resp, left=left, color=COLOURS[: len(resp)])
