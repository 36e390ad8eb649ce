"""Players: each place of the slider shows what the drawing function draws there, and says it."""

import base64
import html
import io
import re

import numpy as np
import pytest
from cases import CONVERGED, DOCUMENT_START
from PIL import Image

from emtools import Mixture, data, logspace, multivariate
from emtools.bound import linkage_log_likelihood
from emtools.course import plots, widgets
from emtools.course.plots import (
    see_why_em_climbs,
    start_well_stop_well,
    survive_a_collapse,
    work_in_log_space,
)


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def drawn(draw, *given, panels=(1, 1), **options):
    """Pixels of what a function draws on new axes, which is what a player should show."""
    figure, axes = plots.new_figure(*panels, **options)
    draw(axes, *given)
    return pixels(plots.as_png(figure))


@pytest.fixture
def player(waiting):
    return widgets.step_player(waiting, [DOCUMENT_START, CONVERGED], mark=66)


def tag_of(player):
    """Attributes of the picture that a player shows."""
    return dict(re.findall(r'([\w-]+)="([^"]*)"', player.picture.value))


def image_of(player):
    """The picture that a player shows, as the bytes of its file."""
    return base64.b64decode(tag_of(player)["src"].removeprefix("data:image/png;base64,"))


def test_moving_the_slider_shows_the_frame_of_that_place(player, waiting):
    before = image_of(player)
    player.sliders[0].index = 1
    after = image_of(player)
    assert not np.array_equal(pixels(before), pixels(after))

    def expected(ax):
        plots.draw_mixture(ax, waiting, CONVERGED, mark=66)
        ax.set_title("iteration 1", loc="left")

    assert np.array_equal(pixels(after), drawn(expected))


def test_the_picture_says_its_state(player):
    assert tag_of(player)["alt"] == html.escape(player.says(0))
    player.sliders[0].index = 1
    assert tag_of(player)["alt"] == html.escape(player.says(1))
    assert player.says(0).startswith("start: bells at 77 and 53 minutes, 13.6 and 6.78 wide")
    assert player.says(1) == (
        "iteration 1: bells at 54.6 and 80.1 minutes, 5.87 and 5.87 wide, with weights 0.36 and "
        "0.64. The share of the short bell in 66 minutes is 61%."
    )


def test_the_picture_has_its_size_so_that_the_page_does_not_jump(player):
    tag = tag_of(player)
    height, width, _ = pixels(image_of(player)).shape
    assert (tag["width"], tag["height"]) == (str(width), str(height))


def test_moving_back_shows_the_same_picture_again(player):
    before = image_of(player)
    player.sliders[0].index = 1
    player.sliders[0].index = 0
    assert image_of(player) == before


def test_the_numbers_are_those_of_the_picture_that_is_shown(player, waiting):
    figure, axes = plots.new_figure()
    plots.draw_mixture(axes, waiting, CONVERGED, mark=66)
    axes.set_title("iteration 1", loc="left")
    at_start = player.table()
    player.sliders[0].index = 1
    assert player.table() == plots.table(figure)
    assert player.table() != at_start


def test_the_play_button_moves_the_slider(player):
    play = player.children[0].children[0]
    play.value = 1
    assert player.sliders[0].index == 1
    assert play.max == 1


def test_a_page_without_a_kernel_says_what_to_do(player):
    assert repr(player) == "A slider over 'iteration': run this notebook to move it."


def test_the_picker_shows_the_run_of_the_pair_that_is_picked(waiting):
    grid = np.array([50.0, 80.0])
    starts = [
        DOCUMENT_START._replace(means=np.array([first, second]))
        for first in grid
        for second in grid
    ]
    ends = [DOCUMENT_START, CONVERGED, CONVERGED, DOCUMENT_START]
    picker = widgets.start_picker(waiting, grid, starts, ends)
    assert [slider.label for slider in picker.sliders] == ["50.0", "80.0"]
    before = image_of(picker)
    picker.sliders[0].index, picker.sliders[1].index = 1, 0
    heights = np.array([logspace.e_step(waiting, end)[1] for end in ends]).reshape(2, 2)
    run = waiting, grid, heights, starts[2], ends[2]
    expected = drawn(start_well_stop_well.draw_picked, *run, panels=(1, 2))
    assert np.array_equal(pixels(image_of(picker)), expected)
    picker.sliders[0].index, picker.sliders[1].index = 0, 1
    assert image_of(picker) == before
    assert repr(picker).startswith("Sliders over 'first mean' and 'second mean'")
    words = "From means 80.0 and 50.0 EM ends with log-likelihood -1034.0017: bells at 54.6 and"
    assert picker.says(1, 0).startswith(words)
    assert picker.controls == [(f"{place} mean", ["50.0", "80.0"]) for place in ("first", "second")]


def test_the_outlier_player_drags_the_wait():
    versions = {"log space": lambda x, mixture: logspace.e_step(x, mixture)[0]}
    player = widgets.outlier_player(CONVERGED, versions, waits=(100, 400))
    assert [label for label, _ in player.sliders[0].options] == ["100", "400"]
    for index, wait in enumerate((100, 400)):
        player.sliders[0].index = index
        run = CONVERGED, wait, versions
        expected = drawn(work_in_log_space.draw_outlier, *run, panels=(2, 1), height=4)
        assert np.array_equal(pixels(image_of(player)), expected)
    words = "Shares of the short and the long bell in a wait of 100 minutes: log space "
    assert player.says(0).startswith(words)


def test_the_climb_player_has_a_place_for_each_step():
    thetas = [0.5, 59 / 97, 0.62432105]
    player = widgets.climb_player(thetas)
    assert player.controls == [("iteration", ["0 of 1", "1 of 1"])]
    for step in (0, 1):
        player.sliders[0].index = step
        expected = drawn(see_why_em_climbs.draw_climb, thetas, [step])
        assert np.array_equal(pixels(image_of(player)), expected)
    gain = linkage_log_likelihood(thetas[1]) - linkage_log_likelihood(thetas[0])
    rise, gap = map(
        float, re.findall(r"by (\S+) nats and a gap opens of (\S+)\.", player.says(0))[0]
    )
    assert rise + gap == pytest.approx(gain, rel=0.01)


def test_the_spike_player_narrows_the_last_bell():
    x = np.array([1.0, 2.0, 3.0, 10.0])

    def spike(std):
        return Mixture(np.array([0.75, 0.25]), np.array([2.0, 10.0]), np.array([0.8, std]))

    player = widgets.spike_player(x, spike, stds=(1.0, 0.01))
    assert [label for label, _ in player.sliders[0].options] == ["1", "0.01"]
    for index, std in enumerate((1.0, 0.01)):
        player.sliders[0].index = index
        expected = drawn(survive_a_collapse.draw_spike, x, spike, std, panels=(1, 2))
        assert np.array_equal(pixels(image_of(player)), expected)
    log_likelihood = logspace.e_step(x, spike(0.01))[1]
    words = "The right bell is 0.01 wide, and its peak 10 high; the log-likelihood is"
    assert player.says(1) == f"{words} {log_likelihood:.4g} nats."


def test_the_cloud_player_shows_each_mixture_under_its_name():
    X = data.old_faithful()
    start = multivariate.mixture_at(X, np.array([[2.04, 54.5], [4.29, 80.0]]))
    after = multivariate.m_step(X, multivariate.e_step(X, start)[0])
    player = widgets.cloud_player(X, {"2": start, "0.001": after}, label="temperature", radii=(1,))
    assert [label for label, _ in player.sliders[0].options] == ["2", "0.001"]
    assert player.sliders[0].description == "temperature"
    player.sliders[0].index = 1

    def expected(ax):
        plots.draw_clouds(ax, X, after, radii=(1,))
        ax.set_title("temperature 0.001", loc="left")

    assert np.array_equal(pixels(image_of(player)), drawn(expected, height=4.4))
    words = "temperature 2: bells as ellipses, with mean (2.04 and 54.5), standard deviations"
    assert player.says(0).startswith(words)
    correlation = np.corrcoef(X.T)[0, 1]
    assert player.says(0).count(f"correlation {correlation:.2f}") == 2
