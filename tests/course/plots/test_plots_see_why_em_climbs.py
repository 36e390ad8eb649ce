"""The data behind the figures of chapter 04, see why EM climbs."""

from itertools import pairwise

import numpy as np
from numpy.testing import assert_allclose

from emtools.course import plots
from emtools.course.plots import see_why_em_climbs as figures


def test_the_bound_touches_where_we_stand_and_has_its_top_where_we_go():
    thetas = [0.5, 59 / 97, 0.62432105]
    axes = plots.new_axes(1, 2)
    figures.draw_climb(axes, thetas, (0, 1))
    for ax, (here, there) in zip(axes, pairwise(thetas), strict=True):
        curve, bound = ax.lines[:2]
        distance = curve.get_ydata() - bound.get_ydata()
        grid = curve.get_xdata()
        assert (distance > -1e-9).all()
        assert_allclose(grid[distance.argmin()], here, atol=np.diff(grid)[0])
        assert_allclose(grid[bound.get_ydata().argmax()], there, atol=np.diff(grid)[0])


def test_the_museum_says_which_histories_fall():
    axes = plots.new_axes(1, 3)
    right = np.array([-3.0, -2.0, -1.9])
    histories = {"right": right, "up": right - 1, "down": right[::-1], "same": right}
    figures.draw_museum(axes, histories)
    assert [ax.texts[0].get_text() for ax in axes] == ["never falls", "falls", "never falls"]
    assert_allclose(axes[1].lines[1].get_ydata(), right[::-1])


def test_to_fall_is_more_than_rounding_and_may_be_very_little():
    axes = plots.new_axes(1, 3)
    right = np.array([-3.0, -2.0, -1.9])
    others = {
        name: np.append(right, -1.9 - fall) for name, fall in (("1e-7", 1e-7), ("1e-5", 1e-5))
    }
    figures.draw_museum(axes, {"right": right, **others, "0.05": np.append(right, -1.95)})
    assert [ax.texts[0].get_text() for ax in axes] == ["never falls", "falls", "falls"]
