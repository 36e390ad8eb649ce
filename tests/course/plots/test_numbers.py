"""The numbers behind a figure: what was drawn comes back as rows."""

import csv
import io

import numpy as np
import pytest
from cases import CONVERGED
from matplotlib.patches import Rectangle
from numpy.testing import assert_allclose

from emtools.course import plots
from emtools.course.plots import (
    add_time,
    fit_two_bells,
    measure_slowness_and_beat_it,
    see_why_em_climbs,
    start_well_stop_well,
    work_in_log_space,
)


def rows_of(drawing, kind, name=None):
    """Columns x, y and value of what is drawn of a kind, under a name."""
    rows = [row for row in plots.table(drawing) if row["kind"] == kind]
    rows = [row for row in rows if name in (None, row["name"])]
    return [tuple(row[column] for column in ("x", "y", "value")) for row in rows]


def test_a_line_and_points_come_back_under_their_names():
    ax = plots.new_axes()
    ax.plot([1, 2], [3, 4], label="shares")
    ax.plot([5], [6], "o")
    ax.scatter([7], [8])
    assert rows_of(ax, "line", "shares") == [(1, 3, None), (2, 4, None)]
    assert rows_of(ax, "points", "points 1") == [(5, 6, None)]
    assert rows_of(ax, "points", "points 2") == [(7, 8, None)]


def test_bars_come_back_by_their_ends_and_lengths():
    ax = plots.new_axes()
    ax.bar([1, 2], [3, 4])
    ax.bar([1, 2], [5, 6], bottom=[3, 4])
    ax.barh([0], [2], left=[1])
    assert rows_of(ax, "bars", "bars 1") == [(1, 3, None), (2, 4, None)]
    assert rows_of(ax, "bars", "bars 2") == [(1, 8, 5), (2, 10, 6)]
    assert rows_of(ax, "bars", "bars 3") == [(3, 0, 2)]


def test_what_reaches_across_a_panel_has_one_number():
    ax = plots.new_axes()
    ax.axhline(3)
    ax.axvline(4)
    ax.axhspan(1, 2)
    ax.text(0.5, 7, "half way", transform=ax.get_yaxis_transform())
    ax.annotate("there", (8, 9), (3, 3), textcoords="offset points")
    assert rows_of(ax, "line", "line 1") == [(None, 3, None)] * 2
    assert rows_of(ax, "line", "line 2") == [(4, None, None)] * 2
    assert {y for _, y, _ in rows_of(ax, "shape")} == {1, 2}
    assert rows_of(ax, "text", "half way") == [(None, 7, None)]
    assert rows_of(ax, "text", "there") == [(8, 9, None)]


def test_colours_that_stand_for_numbers_come_back_as_values():
    ax = plots.new_axes()
    ax.pcolormesh([10, 20, 30], [1, 2], [[1, 2, 3], [4, 5, 6]])
    ax.imshow([[7, 8]])
    assert rows_of(ax, "image", "image 1") == [
        *((10, 1, 1), (20, 1, 2), (30, 1, 3)),
        *((10, 2, 4), (20, 2, 5), (30, 2, 6)),
    ]
    assert rows_of(ax, "image", "image 2") == [(0, 0, 7), (1, 0, 8)]


def test_contours_have_their_levels_and_areas_their_outline():
    ax = plots.new_axes()
    ax.contour([0, 1], [0, 1], [[0, 1], [0, 1]], levels=[0.25, 0.5])
    ax.fill_between([3, 4], [5, 6], [7, 8])
    assert {(x, level) for x, _, level in rows_of(ax, "contour")} == {(0.25, 0.25), (0.5, 0.5)}
    assert {(x, y) for x, y, _ in rows_of(ax, "area")} == {(3, 5), (3, 7), (4, 6), (4, 8)}


def test_what_stands_in_a_legend_only_is_no_number():
    ax = plots.new_axes()
    ax.plot([], [], label="lost")
    ax.add_patch(Rectangle((0, 0), 0, 0, label="a hill"))
    assert plots.table(ax) == []


def test_panels_are_told_apart_by_number_and_title(waiting, path):
    axes = plots.new_axes(1, 2)
    plots.draw_path(axes, waiting, path, (0, 1))
    names = list(dict.fromkeys(row["panel"] for row in plots.table(axes)))
    assert names == ["panel 1, start", "panel 2, iteration 1"]
    assert plots.table(axes[0].figure) == plots.table(axes)
    assert {row["panel"] for row in plots.table(axes[0])} == {"start"}


def test_a_table_is_printed_in_columns_and_written_as_csv():
    ax = plots.new_axes()
    ax.plot(np.arange(30), np.arange(30) / 7, label="sevenths")
    table = plots.table(ax)
    lines = repr(table).splitlines()
    assert lines[0].split() == ["kind", "name", "x", "y"]
    assert lines[2].split() == ["line", "sevenths", "1", "0.14286"]
    assert lines[-1] == "30 rows"
    assert len(lines) == 12
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert [float(row["y"]) for row in rows] == [n / 7 for n in range(30)]
    assert list(rows[0]) == ["panel", "kind", "name", "x", "y", "value"]
    assert rows[0]["panel"] == rows[0]["value"] == ""


def test_an_empty_panel_has_an_empty_table():
    assert repr(plots.table(plots.new_axes())).splitlines()[-1] == "0 rows"


class TestDrawingsOfChapters:
    def test_bells_histogram_and_rug(self, waiting):
        ax = plots.new_axes()
        plots.draw_mixture(ax, waiting, CONVERGED, mark=66)
        table = plots.table(ax)
        x, y, _ = np.transpose(rows_of(ax, "line", "line 1")).astype(float)
        assert_allclose(np.trapezoid(y, x), CONVERGED.weights[0], rtol=0.01)
        assert_allclose(sum(3 * y for _, y, _ in rows_of(ax, "bars")), 1)
        assert {x for x, _, _ in rows_of(ax, "strokes")} == set(waiting)
        said = [row["name"] for row in table if row["kind"] == "text"]
        assert said == ["0", "1", "66 minutes: 61% short bell"]

    def test_shares(self, path):
        ax = plots.new_axes()
        fit_two_bells.draw_shares(ax, path, 66)
        shares = [y for _, y, _ in rows_of(ax, "line")]
        assert_allclose(shares[:3], [0.31, 0.18, 0.16], atol=0.005)

    def test_bound(self):
        ax = plots.new_axes()
        see_why_em_climbs.draw_touch(ax, 0.5)
        names = {row["name"] for row in plots.table(ax)}
        assert names == {"log-likelihood", "lower bound", "points 1"}

    def test_shares_of_an_outlier(self):
        axes = plots.new_axes(2, 1)
        versions = {"log space": lambda x, mixture: np.array([[0.25, 0.75]])}
        work_in_log_space.draw_outlier(axes, CONVERGED, 300, versions)
        assert rows_of(axes[1], "bars") == [(0.25, 0, 0.25), (1, 0, 0.75)]

    def test_map_of_starts(self):
        ax = plots.new_axes()
        grid = np.array([1.0, 2.0])
        start_well_stop_well.draw_start_map(ax, grid, np.array([[-1.0, -2.0], [-2.0, -1.0]]))
        assert rows_of(ax, "image") == [(1, 1, 0), (2, 1, 1), (1, 2, 1), (2, 2, 0)]

    def test_gaps(self):
        ax = plots.new_axes()
        measure_slowness_and_beat_it.draw_gaps(ax, {"EM": np.array([-3.0, -2.0, -1.0])}, 0)
        assert rows_of(ax, "line", "EM") == [(1, 3, None), (2, 2, None), (3, 1, None)]

    def test_lags(self):
        ax = plots.new_axes()
        add_time.draw_lag(ax, np.array([50.0, 80.0, 55.0]))
        assert rows_of(ax, "points") == [(50, 80, None), (80, 55, None)]


@pytest.mark.parametrize("log", ["linear", "log"])
def test_numbers_are_in_the_units_of_the_axes(log):
    ax = plots.new_axes()
    ax.plot([1, 10], [2, 20])
    ax.set_xscale(log)
    assert rows_of(ax, "line") == [(1, 2, None), (10, 20, None)]
