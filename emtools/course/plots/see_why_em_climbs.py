"""Drawings of chapter 04, see why EM climbs."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from emtools.bound import linkage_bound, linkage_e_step, linkage_log_likelihood, linkage_m_step
from emtools.course.plots import COLOURS, INK, QUIET


def draw_touch(ax, theta):
    """The whole linkage log-likelihood, and the lower bound that touches it at one parameter.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    theta : float
        Where the bound touches.
    """
    grid = np.linspace(0.1, 0.9, 200)
    ax.plot(grid, linkage_log_likelihood(grid), color=INK, linewidth=2, label="log-likelihood")
    bound = linkage_bound(linkage_e_step(theta), grid)
    ax.plot(grid, bound, color=COLOURS[1], linewidth=2, label="lower bound")
    ax.plot([theta], [linkage_log_likelihood(theta)], "o", color=INK, zorder=3)
    ax.set_title(f"touching at {theta:g}", loc="left")
    ax.set_xlabel("\u03b8")
    ax.set_ylabel("nats")
    ax.legend(loc="lower center", fontsize=9)


def draw_climb(axes, thetas, iterations):
    """The lower bound touching the linkage log-likelihood, and the step to its top.

    Parameters
    ----------
    axes : Axes or array of Axes
        One for each of `iterations`.
    thetas : sequence of float
        The start and what each iteration made of it.
    iterations : sequence of int
        Which to draw; each needs its successor in `thetas`.
    """
    for ax, iteration in zip(np.ravel(axes), iterations, strict=True):
        here, there = thetas[iteration : iteration + 2]
        resp, span = linkage_e_step(here), abs(there - here)
        grid = np.linspace(min(here, there) - 0.7 * span, max(here, there) + 1.1 * span, 200)
        ax.plot(grid, linkage_log_likelihood(grid), color=INK, linewidth=2, label="log-likelihood")
        ax.plot(grid, linkage_bound(resp, grid), color=COLOURS[1], linewidth=2, label="lower bound")
        foot = linkage_log_likelihood(here)
        top, reached = linkage_bound(resp, there), linkage_log_likelihood(there)
        ax.plot([here, there], [foot, foot], color=QUIET, linewidth=0.8, linestyle=":")
        ax.plot([there, there], [foot, top], color=COLOURS[2], linewidth=4, label="bound rises")
        ax.plot([there, there], [top, reached], color=COLOURS[0], linewidth=4, label="gap opens")
        ax.plot([here, there], [foot, reached], "o", color=INK, zorder=3)
        rise = reached - foot
        ax.set_ylim(foot - 0.9 * rise, reached + 0.25 * rise)
        ax.set_xlim(grid[0], grid[-1])
        ax.set_title(f"from iteration {iteration} to {iteration + 1}", loc="left")
        ax.set_xlabel("\u03b8")
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.ticklabel_format(useOffset=False)
    first = np.ravel(axes)[0]
    first.set_ylabel("nats")
    first.legend(loc="lower right", fontsize=9)


def draw_parts(ax, theta, resp, n_iter=2):
    """Lower bound and gap as one bar, which is as high as the log-likelihood, step by step.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    theta : float
        Where to start.
    resp : float
        Any split of the first class, drawn before the first E-step.
    n_iter : int
        Iterations, of two bars each.
    """
    stages = [("any q", resp, theta)]
    for _ in range(n_iter):
        resp = linkage_e_step(theta)
        stages.append(("E-step", resp, theta))
        theta = linkage_m_step(resp)
        stages.append(("M-step", resp, theta))
    bounds = np.array([linkage_bound(resp, theta) for _, resp, theta in stages])
    tops = np.array([linkage_log_likelihood(theta) for *_, theta in stages])
    bottom = bounds.min() - 0.3 * np.ptp(tops)
    places = range(len(stages))
    ax.bar(places, bounds - bottom, 0.6, bottom=bottom, color=COLOURS[1], label="lower bound")
    gap = {"color": COLOURS[0], "hatch": "//", "edgecolor": "white", "linewidth": 0}
    ax.bar(places, tops - bounds, 0.6, bottom=bounds, label="gap: KL", **gap)
    ax.hlines(
        tops,
        np.array(places) - 0.4,
        np.array(places) + 0.4,
        color=INK,
        linewidth=2,
        label="log-likelihood",
    )
    ax.set_ylim(bottom, tops.max() + 0.1 * (tops.max() - bottom))
    ax.set_xticks(places, [name for name, *_ in stages])
    ax.set_ylabel("nats")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


def draw_museum(axes, histories):
    """What each buggy version prints, against the right one, and whether it falls.

    Parameters
    ----------
    axes : array of Axes
        One for each history but the first.
    histories : dict of str to (n_iter + 1,) array
        Log-likelihoods as printed; the first is the right one.
    """
    (_, right), *others = histories.items()
    for ax, (name, history) in zip(np.ravel(axes), others, strict=True):
        falls = np.diff(history[:11]).min() < -1e-6
        ax.plot(right[:11], color=INK, linestyle="--", linewidth=1.2, zorder=3, label="right code")
        ax.plot(history[:11], color=COLOURS[1 if falls else 0], marker="o", markersize=4)
        ax.set_title(name, loc="left")
        verdict = "falls" if falls else "never falls"
        ax.text(0.97, 0.5, verdict, ha="right", transform=ax.transAxes, weight="bold")
    np.ravel(axes)[0].legend(loc="upper right", bbox_to_anchor=(1, 0.92))
    for ax in np.reshape(axes, (-1, 3))[-1]:
        ax.set_xlabel("iteration")
    for ax in np.reshape(axes, (-1, 3))[:, 0]:
        ax.set_ylabel("nats, as printed")
