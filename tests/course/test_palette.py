"""Colours that every kind of colour vision tells apart, and that stand out from white paper."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose

from emtools.course import plots
from emtools.course.plots import measure_slowness_and_beat_it, mix_other_families
from emtools.course.plots.palette import COLOURS, DASHES, INK, MARKERS, PALE, QUIET
from emtools.families import Chances

# What is left of red, green and blue light to those who lack one kind of cone: Machado, Oliveira
# and Fernandes (2009), "A physiologically-based model for simulation of color vision deficiency",
# severity 1.
VISIONS = {
    "all cones": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# sRGB to CIE XYZ under D65, IEC 61966-2-1.
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = XYZ.sum(axis=1)
each_vision = pytest.mark.parametrize("vision", VISIONS)


def light(colour):
    """Red, green and blue light of a colour, 0 to 1."""
    coded = np.array(to_rgb(colour))
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of light."""
    share = XYZ @ rgb / WHITE
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def distance(one, other, vision="all cones"):
    """Delta E (CIE 1976) of two colours as somebody with this vision has them."""
    seen = [lab(np.clip(VISIONS[vision] @ light(colour), 0, 1)) for colour in (one, other)]
    return np.linalg.norm(seen[0] - seen[1])


def contrast(one, other="white"):
    """The contrast ratio of WCAG 2.1, 1 to 21."""
    low, high = sorted(XYZ[1] @ light(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_the_measures_are_those_of_their_standards():
    assert_allclose(contrast("black"), 21, rtol=1e-6)
    assert_allclose(contrast("#767676"), 4.54, atol=0.005)  # the lightest grey that passes 4.5
    assert_allclose(lab(light("red")), [53.24, 80.09, 67.20], atol=0.02)
    assert_allclose(distance("white", "black"), 100, atol=0.01)
    assert distance("#ff0000", "#7a7a00", "protan") < distance("#ff0000", "#7a7a00") / 2


@each_vision
def test_any_two_components_can_be_told_apart(vision):
    """Two that differ by 2 are told apart side by side, by 10 at a glance."""
    near = {pair: distance(*pair, vision) for pair in combinations(COLOURS, 2)}
    assert min(near.values()) > 16, min(near, key=near.get)
    assert distance(COLOURS[0], COLOURS[1], vision) > 60
    assert all(distance(INK, colour, vision) > 25 for colour in COLOURS)


@pytest.mark.parametrize("colour", [*COLOURS, INK, QUIET])
def test_every_mark_stands_out_from_paper(colour):
    """WCAG 2.1, 1.4.11: 3 to 1. (PALE is for bars and grids, which carry an edge or a label.)"""
    assert contrast(colour) > 3


@pytest.mark.parametrize("colour", [*COLOURS[:3], INK, QUIET])
def test_what_is_written_can_be_read(colour):
    """WCAG 2.1, 1.4.3: 4.5 to 1."""
    assert contrast(colour) > 4.5


def test_dark_text_can_be_read_on_pale_bars():
    assert contrast(INK, PALE) > 4.5


def test_colour_is_never_all_that_tells_two_apart():
    """There are as many dashes and markers as colours, no two alike."""
    for looks in (DASHES, MARKERS):
        assert len(set(looks)) == len(looks) == len(COLOURS)


def test_lines_and_dots_of_several_kinds_differ_without_colour():
    errors = {name: np.geomspace(1, 1e-6, 41) for name in "abcd"}
    axes = plots.new_axes(1, 2)
    measure_slowness_and_beat_it.draw_errors(axes, errors)
    mix_other_families.draw_profiles(plots.new_axes(), Chances(np.ones(3) / 3, np.eye(3)), "ABC")
    profiles = plt.gca()
    assert len({str(line.get_linestyle()) for line in axes[0].lines}) == 4
    assert len({line.get_marker() for line in profiles.lines}) == 3
    plots.draw_timings(plots.new_axes(), [1, 2], {name: [1, 2] for name in "abc"})
    assert len({line.get_marker() for line in plt.gca().lines}) == 3
    plt.close("all")
