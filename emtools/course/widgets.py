"""The step player and its relatives: sliders over what a drawing of `course.plots` shows."""

from functools import partial

import numpy as np

from emtools import families
from emtools.bound import linkage_bound, linkage_e_step, linkage_log_likelihood
from emtools.course import plots
from emtools.course.player import Player
from emtools.course.plots import (
    add_time,
    choose_how_many,
    fill_in_what_is_missing,
    measure_slowness_and_beat_it,
    mix_other_families,
    see_why_em_climbs,
    start_well_stop_well,
    survive_a_collapse,
    work_in_log_space,
)
from emtools.course.plots.described import listed, spans
from emtools.hmm import viterbi
from emtools.logspace import e_step
from emtools.mixture import log_density
from emtools.selection import criteria


def iterations(n_places):
    """A control over the start and so many iterations less one: "5 of 30"."""
    return "iteration", [f"{place} of {n_places - 1}" for place in range(n_places)]


def bells_in_words(mixture, unit):
    """Where the bells of a mixture in one dimension stand, how wide they are and how heavy."""
    weights = mixture.weights / np.sum(mixture.weights)
    where = f"bells at {listed(mixture.means)} {unit}, {listed(mixture.stds)} wide"
    return f"{where}, with weights {listed(weights, 2)}"


def step_player(x, path, *, mark=None, unit="minutes", **labels):
    """EM, one iteration at a time: histogram, bells and the rug coloured by responsibility.

    Parameters
    ----------
    x : (N,) array
        Observations.
    path : list of Mixture
        The start and what each iteration made of it.
    mark : float, optional
        An observation to point at.
    unit : str
        Of the observations.
    **labels
        What else `plots.draw_mixture` takes to name the axes.

    Returns
    -------
    Player
    """

    def draw(ax, iteration):
        plots.draw_mixture(ax, x, path[iteration], mark=mark, unit=unit, **labels)
        ax.set_title(plots.title_after(iteration), loc="left")

    def says(iteration):
        words = f"{plots.title_after(iteration)}: {bells_in_words(path[iteration], unit)}."
        if mark is None:
            return words
        share = e_step(np.array([mark]), path[iteration])[0][0, np.argmin(path[iteration].means)]
        return f"{words} The share of the short bell in {mark:g} {unit} is {share:.0%}."

    return Player(draw, says, [iterations(len(path))])


def start_picker(x, grid, starts, ends, **labels):
    """Pick two start means on a map of final log-likelihoods, and see where they lead.

    Parameters
    ----------
    x : (N,) array
        Observations.
    grid : (G,) array
        Start means to pick from, evenly spaced.
    starts, ends : list of Mixture
        G * G runs: every first mean with every second one, in the order of `numpy.ndindex`.
    **labels
        What `plots.draw_mixture` takes to name the axes.

    Returns
    -------
    Player
    """
    heights = np.array([log_density(x, end).sum() for end in ends]).reshape(len(grid), len(grid))

    def draw(axes, first, second):
        run = first * len(grid) + second
        start_well_stop_well.draw_picked(axes, x, grid, heights, starts[run], ends[run], **labels)

    def says(first, second):
        end = bells_in_words(ends[first * len(grid) + second], labels.get("unit", "minutes"))
        begin = f"From means {grid[first]:.1f} and {grid[second]:.1f}"
        return f"{begin} EM ends with log-likelihood {heights[first, second]:.4f}: {end}."

    words = [f"{mean:.1f}" for mean in grid]
    controls = [("first mean", words), ("second mean", words)]
    return Player(draw, says, controls, (0, len(grid) // 2), partial(plots.new_figure, 1, 2))


def outlier_player(mixture, versions, waits=range(60, 421, 10)):
    """One observation dragged away from two bells, and whose each version says it is.

    Parameters
    ----------
    mixture : Mixture
        Two components.
    versions : dict of str to callable
        ``e_step(x, mixture) -> resp`` by name.
    waits : sequence of float
        Where the observation can be dragged, in minutes.

    Returns
    -------
    Player
    """
    order = ("short", "long") if mixture.means[0] < mixture.means[1] else ("long", "short")

    @np.errstate(all="ignore")  # the plain version fails on purpose
    def draw(axes, place):
        work_in_log_space.draw_outlier(axes, mixture, waits[place], versions)

    @np.errstate(all="ignore")
    def says(place):
        x = np.array([float(waits[place])])
        shares = [f"{name} {listed(version(x, mixture)[0])}" for name, version in versions.items()]
        whose = f"Shares of the {order[0]} and the {order[1]} bell"
        return f"{whose} in a wait of {waits[place]:g} minutes: {'; '.join(shares)}."

    controls = [("wait (minutes)", [str(wait) for wait in waits])]
    return Player(draw, says, controls, new_figure=partial(plots.new_figure, 2, 1, height=4))


def climb_player(thetas):
    """The lower bound sliding along the log-likelihood of the linkage data.

    Parameters
    ----------
    thetas : sequence of float
        The start and what each iteration made of it; the last one is only stepped to.

    Returns
    -------
    Player
    """

    def draw(ax, iteration):
        see_why_em_climbs.draw_climb(ax, thetas, [iteration])

    def says(iteration):
        here, there = thetas[iteration : iteration + 2]
        foot, reached = linkage_log_likelihood(here), linkage_log_likelihood(there)
        top = linkage_bound(linkage_e_step(here), there)
        moved = f"From iteration {iteration} to {iteration + 1} theta goes from {here:.6f} to"
        rise = f"the lower bound rises by {top - foot:.3g} nats and a gap opens of"
        return f"{moved} {there:.6f}: {rise} {reached - top:.3g}."

    return Player(draw, says, [iterations(len(thetas) - 1)])


def spike_player(x, mixture_of, stds=tuple(10.0 ** (-n / 4) for n in range(17))):
    """A bell that narrows onto one observation, and the log-likelihood that climbs with it.

    Parameters
    ----------
    x : (N,) array
        A few observations.
    mixture_of : callable
        ``mixture_of(std) -> Mixture``, the last component of this width.
    stds : sequence of float
        Widths to slide through.

    Returns
    -------
    Player
    """

    def draw(axes, place):
        survive_a_collapse.draw_spike(axes, x, mixture_of, stds[place])

    def says(place):
        mixture = mixture_of(stds[place])
        peak = np.exp(log_density(x[-1:], mixture)[0])
        bell = f"The right bell is {stds[place]:.2g} wide, and its peak {peak:.2g} high"
        return f"{bell}; the log-likelihood is {log_density(x, mixture).sum():.4g} nats."

    controls = [("width of the right bell", [f"{std:.2g}" for std in stds])]
    return Player(draw, says, controls, new_figure=partial(plots.new_figure, 1, 2))


def cloud_player(X, mixtures, label="iteration", **options):
    """The same observations under one mixture after another: iterations, or temperatures.

    Parameters
    ----------
    X : (N, 2) array
        Observations.
    mixtures : dict of str to MultivariateMixture
        By what the slider says there.
    label : str
        Stands before the slider.
    **options
        Passed on to `plots.draw_clouds`.

    Returns
    -------
    Player
    """
    names = list(mixtures)

    def draw(ax, place):
        plots.draw_clouds(ax, X, mixtures[names[place]], **options)
        ax.set_title(f"{label} {names[place]}", loc="left")

    def says(place):
        mixture = mixtures[names[place]]
        bells = zip(mixture.means, mixture.covariances, strict=True)
        words = [
            f"mean ({listed(mean)}), standard deviations {listed(np.sqrt(np.diag(shape)))}, "
            f"correlation {shape[0, 1] / np.sqrt(shape[0, 0] * shape[1, 1]):.2f}"
            for mean, shape in bells
        ]
        return f"{label} {names[place]}: bells as ellipses, with {'; '.join(words)}."

    new_figure = partial(plots.new_figure, height=4.4)
    return Player(draw, says, [(label, names)], new_figure=new_figure)


def decoding_player(cones, path):
    """Which days were hot, iteration by iteration: posteriors as colours, the likeliest path below.

    Parameters
    ----------
    cones : (T,) array of int
        1 to 3.
    path : list of Chain
        The start and what each iteration made of it.

    Returns
    -------
    Player
    """

    def draw(ax, iteration):
        add_time.draw_decoding([ax], cones, path, [iteration])

    def says(iteration):
        hot = spans(np.flatnonzero(viterbi(cones - 1, path[iteration]) == 1) + 1)
        tables = path[iteration].emissions.tables
        shares = f"three cones on {tables[0, 2]:.0%} of cold days and {tables[1, 2]:.0%} of hot"
        days = f"on the likeliest path the hot days are {hot}"
        return f"{plots.title_after(iteration)}: {shares}; {days}."

    new_figure = partial(plots.new_figure, height=2.4)
    return Player(draw, says, [iterations(len(path))], new_figure=new_figure)


def summit_player(paths, places=range(101)):
    """EM from several starts over the two-peaked log-likelihood of Murray's points.

    Parameters
    ----------
    paths : list of list of Normal
        The start of each run and what each iteration made of it.
    places : sequence of int
        The iterations that the slider runs through.

    Returns
    -------
    Player
    """

    def draw(ax, place):
        fill_in_what_is_missing.draw_summits(ax, paths, [places[place]])

    def says(place):
        now = [fill_in_what_is_missing.place_of(path[: places[place] + 1][-1]) for path in paths]
        words = "; ".join(f"{correlation:.2f} and {variance:.2f}" for correlation, variance in now)
        return f"{plots.title_after(places[place])}: correlation and variance of each run: {words}."

    controls = [("iteration", [f"{place} of {places[-1]}" for place in places])]
    return Player(draw, says, controls)


def choice_player(x, fits, ends, **labels):
    """One number of components after another: the fitted density, and what it costs.

    Parameters
    ----------
    x : (N,) array
        Observations.
    fits : dict of int to Fit
        The best fit for each number of components.
    ends : dict of int to sequence of float
        Log-likelihoods where all starts of each number have ended.
    **labels
        What `plots.draw_mixture` takes to name the axes.

    Returns
    -------
    Player
    """
    sizes = list(fits)

    def draw(axes, place):
        choose_how_many.draw_choice(axes, x, fits, ends, sizes[place], **labels)

    def says(place):
        fit = fits[sizes[place]]
        costs = criteria(x, fit)
        words = ", ".join(
            f"{name} {getattr(costs, name.lower()):.1f}" for name in ("AIC", "BIC", "ICL")
        )
        bells = bells_in_words(fit.parameters, labels.get("unit", "minutes"))
        return f"{sizes[place]} components: {words}; {bells}."

    controls = [("number of components K", [str(size) for size in sizes])]
    return Player(draw, says, controls, new_figure=partial(plots.new_figure, 1, 2))


def coin_player(heads, tosses, path):
    """Sets of tosses in the colours of the coins that may have made them, by iteration.

    Parameters
    ----------
    heads, tosses : (N,) arrays of int
        Of each set.
    path : list of Chances
        The start and what each iteration made of it, for two coins.

    Returns
    -------
    Player
    """
    rows = np.column_stack([heads, tosses - heads])

    def draw(ax, iteration):
        mix_other_families.draw_coins_after(ax, heads, tosses, path, iteration)

    def says(iteration):
        resp, _ = families.e_step(rows, path[iteration], families.binomial(tosses))
        coins = "heads with chance {:.2f} for coin A and {:.2f} for B".format(
            *path[iteration].chances
        )
        shares = ", ".join(
            f"{share:.2f} of the set with {n_heads} heads"
            for share, n_heads in zip(resp[:, 0], heads, strict=True)
        )
        return f"{plots.title_after(iteration)}: {coins}; A has {shares}."

    return Player(draw, says, [iterations(len(path))])


def race_player(runs, heights, places=(1, 2, 3, 5, 8, 11, 14, 17, 20, 30, 100, 300, 1000, 2500)):
    """EM against accelerated EM: how far both have come after so many calls of the step.

    Parameters
    ----------
    runs, heights
        As `measure_slowness_and_beat_it.draw_race` takes them.
    places : sequence of int
        Numbers of calls to slide through.

    Returns
    -------
    Player
    """
    end = next(reversed(runs.values()))[-1]

    def draw(ax, place):
        measure_slowness_and_beat_it.draw_race(ax, runs, heights, places[place])

    def says(place):
        words = []
        for name, path in runs.items():
            here = path[: places[place]][-1]
            words.append(f"{name} is at {listed(here)}, {np.linalg.norm(here - end):.2g} away")
        return f"After {places[place]} calls of the step {'; '.join(words)} from the end."

    controls = [("calls of the step", [str(place) for place in places])]
    return Player(draw, says, controls, new_figure=partial(plots.new_figure, height=4.4))
