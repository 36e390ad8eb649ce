"""The data behind the figures of chapter 13, add time."""

import numpy as np
from matplotlib.colors import to_hex, to_rgb
from numpy.testing import assert_allclose, assert_array_equal

from emtools import data, hmm
from emtools.course import plots, widgets
from emtools.course.plots import COLOURS
from emtools.course.plots import add_time as figures
from emtools.hmm import Categorical, Chain, Poisson

CONES = data.ice_cream()
WEATHER = Chain(
    np.array([0.5, 0.5]),
    np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]),
    Categorical(np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])),
)


def test_each_wait_is_drawn_against_the_next():
    ax = plots.new_axes()
    waits = np.array([50.0, 80.0, 52.0])
    figures.draw_lag(ax, waits)
    assert_array_equal(ax.collections[0].get_offsets(), [[50, 80], [80, 52]])


def test_the_nodes_hold_the_sums_of_the_bars():
    axes = plots.new_axes(1, 2)
    three = WEATHER.emissions.tables.T[CONES[:3] - 1]
    figures.draw_trellis(axes, three, WEATHER.start, WEATHER.transitions[:, :2])
    nodes = [text.get_text() for text in axes[0].texts][-6:]
    assert nodes == ["0.1", "0.1", "0.009", "0.063", "0.00135", "0.03591"]
    bars = {
        label.get_text(): bar
        for label, bar in zip(axes[1].get_yticklabels(), axes[1].patches, strict=True)
    }
    assert len(bars) == 8
    assert_allclose(bars["HHH"].get_width(), 0.03136, rtol=1e-12)
    for k, letter in enumerate("CH"):
        ends = [bar for path, bar in bars.items() if path[-1] == letter]
        assert_allclose(sum(bar.get_width() for bar in ends), (0.00135, 0.03591)[k], rtol=1e-12)
        assert {to_hex(bar.get_facecolor()).upper() for bar in ends} == {COLOURS[k]}


def test_bars_are_coloured_by_posterior_and_the_strip_by_the_path():
    axes = plots.new_axes(1, 2)
    figures.draw_decoding(axes, CONES, [WEATHER, WEATHER], (0, 1))
    bars, strip = axes[0].containers
    assert_array_equal([bar.get_height() for bar in bars], CONES)
    expected = plots.blend(hmm.posteriors(CONES - 1, WEATHER))
    assert_allclose([bar.get_facecolor()[:3] for bar in bars], expected, atol=1e-12)
    path = [COLOURS.index(to_hex(bar.get_facecolor()).upper()) for bar in strip]
    assert_array_equal(path, hmm.viterbi(CONES - 1, WEATHER))
    assert axes[1].get_title(loc="left") == "iteration 1"
    assert "10% of cold days, 70% of hot" in axes[1].get_title(loc="right")


def test_dots_are_told_apart_by_their_neighbours():
    ax = plots.new_axes()
    waits, together = np.array([80.0, 66, 80, 54, 79]), np.array([0, 0.9, 0, 1, 0])
    figures.draw_shares(ax, waits, np.full(5, 0.5), together)
    apart, beside = (dots.get_offsets() for dots in ax.collections)
    assert_array_equal(apart[:, 0], [66, 54])
    assert_array_equal(beside[:, 0], [80, 80, 79])


def test_the_line_is_the_rate_of_the_path():
    ax = plots.new_axes()
    years, counts = data.earthquakes()
    chain = Chain(
        np.array([1, 0]), np.array([[0.9, 0.1], [0.1, 0.9]]), Poisson(np.array([15.0, 26]))
    )
    figures.draw_counts(ax, years, counts, chain)
    path = hmm.viterbi(counts, chain)
    drawn = np.nansum([line.get_ydata() for line in ax.lines[1:]], axis=0)
    assert_allclose(drawn, chain.emissions.rates[path])
    assert_allclose(ax.collections[0].get_facecolors()[0][:3], to_rgb(COLOURS[path[0]]))


def test_the_player_shows_the_chain_of_its_place():
    later = WEATHER._replace(emissions=Categorical(np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])))
    player = widgets.decoding_player(CONES, [WEATHER, later])
    figure, ax = plots.new_figure(height=2.4)
    figures.draw_decoding([ax], CONES, [WEATHER, later], [1])
    assert player.frame(1) == plots.as_png(figure)
    assert player.controls == [("iteration", ["0 of 1", "1 of 1"])]
    words = "iteration 1: three cones on 20% of cold days and 50% of hot; on the likeliest path"
    assert player.says(1).startswith(words)
