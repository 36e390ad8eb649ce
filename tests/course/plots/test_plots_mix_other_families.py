"""The data behind the figures of chapter 10, mix other families, and its player."""

import io

import numpy as np
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose
from PIL import Image

from emtools import data, families
from emtools.course import plots, widgets
from emtools.course.plots import COLOURS
from emtools.course.plots import mix_other_families as figures
from emtools.families import Chances, Lines, Probabilities

HEADS, TOSSES = data.coin_tosses()
HALF = np.array([0.5, 0.5])
PATH = [Chances(HALF, np.array([0.6, 0.5])), Chances(HALF, np.array([0.8, 0.52]))]


def test_each_set_is_a_row_of_coins_with_its_heads_filled():
    ax = plots.new_axes()
    figures.draw_coins_after(ax, HEADS, TOSSES, PATH, 0)
    assert len(ax.collections) == 5
    for row, n_heads in zip(ax.collections, HEADS, strict=True):
        faces = row.get_facecolors()[:, :3]
        assert len(faces) == 10
        assert (faces < 0.999).any(axis=1).sum() == n_heads
    said = [text.get_text() for text in ax.texts]
    assert [float(text) for text in said if text[0] == "0"] == [0.45, 0.8, 0.73, 0.35, 0.65]
    assert ax.get_title(loc="left") == "iteration 0\nA 0.60, B 0.50"
    figures.draw_coins_after(ax, HEADS, TOSSES, PATH, 1)
    assert ax.get_title(loc="left") == "iteration 1\nA 0.80, B 0.52"
    ax = plots.new_axes()
    figures.draw_coin_grid(ax, HEADS, TOSSES, np.eye(2)[[0, 0, 0, 0, 1]])
    assert_allclose(ax.collections[0].get_facecolors()[0, :3], to_rgb(COLOURS[0]))


def test_the_player_shows_the_grid_of_its_place():
    player = widgets.coin_player(HEADS, TOSSES, PATH)
    figure, ax = plots.new_figure()
    figures.draw_coins_after(ax, HEADS, TOSSES, PATH, 1)
    shown, expected = (
        np.asarray(Image.open(io.BytesIO(png))) for png in (player.frame(1), plots.as_png(figure))
    )
    assert np.array_equal(shown, expected)
    coins = "iteration 1: heads with chance 0.80 for coin A and 0.52 for B; A has "
    assert player.says(1).startswith(coins)
    assert player.says(0).count(" of the set with ") == len(HEADS)


def test_bars_hang_from_what_was_expected():
    ax = plots.new_axes()
    deaths, days = data.deaths()
    expected = np.linspace(200, 2, 10)
    figures.draw_rootogram(ax, deaths, days, expected)
    bars, wrong = ax.containers
    tops = [bar.get_y() + bar.get_height() for bar in bars]
    assert_allclose(tops, np.sqrt(expected))
    assert_allclose([bar.get_height() for bar in bars], np.sqrt(days))
    bottoms = [bar.get_y() for bar in bars]
    assert_allclose([bar.get_y() + bar.get_height() for bar in wrong], 0, atol=1e-12)
    assert_allclose([bar.get_y() for bar in wrong], bottoms)
    assert_allclose(ax.get_yticks() ** 2, [int(tick.get_text()) for tick in ax.get_yticklabels()])


def test_a_profile_has_a_line_for_each_class():
    ax = plots.new_axes()
    mixture = Chances(np.array([0.25, 0.75]), np.array([[0.1, 0.9, 0.4], [0.2, 0.3, 1.0]]))
    figures.draw_profiles(ax, mixture, "XYZ")
    lines = [line.get_ydata() for line in ax.lines]
    assert_allclose(lines, mixture.chances)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["class 0: 25% of slides", "class 1: 75% of slides"]


def test_tables_show_their_chances():
    axes = plots.new_axes(1, 2)
    table = np.array([[[1.0, 0], [0.25, 0.75]], [[0.5, 0.5], [0, 1]]])  # (class, rater, grade)
    figures.draw_tables(axes, Probabilities(HALF, table))
    assert [text.get_text() for text in axes[0].texts] == ["1.00", ".50", ".50"]
    assert [text.get_text() for text in axes[1].texts] == [".25", ".75", "1.00"]
    assert_allclose(axes[1].images[0].get_array(), table[:, 1])


def test_lines_lie_where_their_coefficients_say():
    stretch, tuned = data.tones()
    ax = plots.new_axes()
    mixture = Lines(HALF, np.array([[0.0, 1.0], [2.0, 0.1]]), np.array([0.1, 0.2]))
    rows = families.linear(stretch).rows(tuned)
    resp, _ = families.e_step(rows, mixture, families.linear(stretch))
    figures.draw_two_lines(ax, stretch, tuned, mixture, resp)
    assert_allclose(ax.lines[0].get_ydata(), ax.lines[0].get_xdata())
    assert_allclose(ax.lines[1].get_ydata(), 2 + 0.1 * ax.lines[1].get_xdata())
    assert_allclose(ax.collections[-1].get_offsets(), np.column_stack([stretch, tuned]))
