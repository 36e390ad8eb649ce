"""The step player and its relatives: a slider over what a drawing of `course.plots` shows."""

from functools import cache, partial

import ipywidgets
import numpy as np

from emtools.course import plots
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
from emtools.mixture import log_density


class Player(ipywidgets.VBox):
    """A slider, a play button and the picture that belongs to the slider's place.

    Parameters
    ----------
    draw : callable
        ``draw(axes, place)`` draws the picture for one place of the slider.
    places : sequence
        What the slider runs through, in order.
    label : str
        Stands before the slider.
    new_figure : callable
        Makes the empty ``(figure, axes)``; `plots.new_figure` unless told.
    """

    def __init__(self, draw, places, label, new_figure=plots.new_figure):
        places = list(places)

        @cache  # a frame takes 0.1 s to draw; moving back should take none
        def frame(index):
            figure, axes = new_figure()
            draw(axes, places[index])
            return plots.as_png(figure)

        self.slider = ipywidgets.SelectionSlider(
            options=[(str(place), index) for index, place in enumerate(places)],
            description=label,
            style={"description_width": "initial"},
            layout={"width": "60%"},
        )
        play = ipywidgets.Play(max=len(places) - 1, interval=400)
        image = ipywidgets.Image(value=frame(0), format="png", layout={"width": "100%"})
        image.add_class("em-frame")
        ipywidgets.link((play, "value"), (self.slider, "index"))
        self.slider.observe(lambda change: setattr(image, "value", frame(change["new"])), "value")
        super().__init__([ipywidgets.HBox([play, self.slider]), image])
        self.add_class("em-player")

    def __repr__(self):
        """What a page without a running kernel shows in the player's place."""
        return f"A slider over {self.slider.description!r}: run this notebook to move it."


def step_player(x, path, **labels):
    """EM, one iteration at a time: histogram, bells and the rug coloured by responsibility.

    Parameters
    ----------
    x : (N,) array
        Observations.
    path : list of Mixture
        The start and what each iteration made of it.
    **labels
        What `plots.draw_mixture` takes to name the axes and mark an observation.

    Returns
    -------
    Player
    """

    def draw(ax, iteration):
        plots.draw_mixture(ax, x, path[iteration], **labels)
        ax.set_title(plots.title_after(iteration), loc="left")

    return Player(draw, range(len(path)), "iteration")


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
    Picker
    """
    heights = np.array([log_density(x, end).sum() for end in ends]).reshape(len(grid), len(grid))

    def draw(axes, first, second):
        run = first * len(grid) + second
        start_well_stop_well.draw_picked(axes, x, grid, heights, starts[run], ends[run], **labels)

    return Picker(draw, grid, ("first mean", "second mean"))


class Picker(ipywidgets.VBox):
    """Two sliders over the same places, and the picture that belongs to the pair.

    Parameters
    ----------
    draw : callable
        ``draw(axes, first, second)`` draws on two axes for the indices of two places.
    places : sequence of float
        What both sliders run through.
    labels : two str
        What stands before the sliders.
    """

    def __init__(self, draw, places, labels):
        @cache
        def frame(first, second):
            figure, axes = plots.new_figure(1, 2)
            draw(axes, first, second)
            return plots.as_png(figure)

        options = [(f"{place:.1f}", index) for index, place in enumerate(places)]
        self.sliders = [
            ipywidgets.SelectionSlider(
                options=options,
                index=index,
                description=label,
                style={"description_width": "initial"},
                layout={"width": "45%"},
            )
            for label, index in zip(labels, (0, len(places) // 2), strict=True)
        ]
        picked = [slider.value for slider in self.sliders]
        image = ipywidgets.Image(value=frame(*picked), format="png", layout={"width": "100%"})
        image.add_class("em-frame")

        def show(change):
            image.value = frame(*(slider.value for slider in self.sliders))

        for slider in self.sliders:
            slider.observe(show, "value")
        sliders = ipywidgets.HBox(self.sliders, layout={"padding": "0 0 0 6px"})
        super().__init__([sliders, image])
        self.add_class("em-player")

    def __repr__(self):
        """What a page without a running kernel shows in the picker's place."""
        names = " and ".join(repr(slider.description) for slider in self.sliders)
        return f"Sliders over {names}: run this notebook to move them."


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

    def draw(axes, wait):
        with np.errstate(all="ignore"):  # the plain version fails on purpose
            work_in_log_space.draw_outlier(axes, mixture, wait, versions)

    return Player(draw, waits, "wait (minutes)", partial(plots.new_figure, 2, 1, height=4))


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

    return Player(draw, range(len(thetas) - 1), "iteration")


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
    by_name = {f"{std:.2g}": std for std in stds}

    def draw(axes, name):
        survive_a_collapse.draw_spike(axes, x, mixture_of, by_name[name])

    return Player(draw, by_name, "width of the right bell", partial(plots.new_figure, 1, 2))


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

    def draw(ax, place):
        plots.draw_clouds(ax, X, mixtures[place], **options)
        ax.set_title(f"{label} {place}", loc="left")

    return Player(draw, mixtures, label, partial(plots.new_figure, height=4.4))


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

    return Player(draw, range(len(path)), "iteration", partial(plots.new_figure, height=2.4))


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

    def draw(ax, iteration):
        fill_in_what_is_missing.draw_summits(ax, paths, [iteration])

    return Player(draw, places, "iteration")


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

    def draw(axes, n_components):
        choose_how_many.draw_choice(axes, x, fits, ends, n_components, **labels)

    return Player(draw, fits, "number of components K", partial(plots.new_figure, 1, 2))


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

    def draw(ax, iteration):
        mix_other_families.draw_coins_after(ax, heads, tosses, path, iteration)

    return Player(draw, range(len(path)), "iteration")


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

    def draw(ax, n_calls):
        measure_slowness_and_beat_it.draw_race(ax, runs, heights, n_calls)

    return Player(draw, places, "calls of the step", partial(plots.new_figure, height=4.4))
