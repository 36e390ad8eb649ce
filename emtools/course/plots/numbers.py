"""The numbers behind a figure, whatever was drawn: a row for each point, bar, stroke and text."""

import csv
import io
from typing import NamedTuple

import numpy as np
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.container import BarContainer
from matplotlib.contour import ContourSet

COLUMNS = ("panel", "kind", "name", "x", "y", "value")


def table(drawing):
    """The numbers that a figure shows, for whoever cannot see it or wants to work on with them.

    Parameters
    ----------
    drawing : Figure, Axes or array of Axes
        What was drawn on.

    Returns
    -------
    Table
        A list of dicts: panel, kind (bars, line, points, ...), the name of the series, x, y, and a
        value where a colour, a level or a length stands for one. Of a mark that reaches across its
        panel, such as a vertical line, the other coordinate is None.
    """
    return Table(
        {"panel": panel, "kind": mark.kind, "name": mark.name, "x": x, "y": y, "value": value}
        for panel, ax in panels_of(drawing)
        for mark in marks_of(ax)
        for x, y, value in np.column_stack([mark.points, mark.values]).astype(object)
    )


class Table(list):
    """Rows, each a dict with the same keys: printed in columns, or as CSV."""

    def __repr__(self):
        """The first ten rows, in columns; columns that are empty are left out."""
        rows = [[in_cell(row[name]) for name in COLUMNS] for row in self[:10]]
        used = [n for n in range(len(COLUMNS)) if any(row[n] for row in rows)]
        rows.insert(0, COLUMNS)
        widths = [max(len(row[n]) for row in rows) for n in range(len(COLUMNS))]
        lines = ["  ".join(row[n].ljust(widths[n]) for n in used).rstrip() for row in rows]
        return "\n".join([*lines, f"{len(self)} rows"])

    def to_csv(self):
        """All rows as text, with every digit: the names of the columns, then a line for each."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self)
        return text.getvalue()


def in_cell(value):
    """What stands in a cell of a printed table."""
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.5g}"


def panels_of(drawing):
    """Pairs of a panel's name and its axes: its title, with a number if there are several."""
    axes = drawing.axes if hasattr(drawing, "add_subplot") else list(np.ravel(drawing))
    for number, ax in enumerate(axes, start=1):
        titles = (ax.get_title(place) for place in ("left", "center", "right"))
        words = [f"panel {number}"] if len(axes) > 1 else []
        words += [" ".join(title.split()) for title in titles if title][:1]
        yield ", ".join(words), ax


class Mark(NamedTuple):
    """What one call of a drawing function has left in a panel."""

    kind: str
    name: str
    points: np.ndarray  # (n, 2), None where the mark reaches across the panel
    values: list  # (n,), of None where only the place counts


def marks_of(ax):
    """What is drawn in a panel: bars, lines, dots and shapes, images, texts."""
    counts = {}
    for artist, kind, points, *values in drawn_in(ax):
        if len(points):
            counts[kind] = counts.get(kind, 0) + 1
            label = str(artist.get_label() or "_")
            name = f"{kind} {counts[kind]}" if label.startswith("_") else label
            yield Mark(kind, name, points, *(values or [[None] * len(points)]))
    for text in ax.texts:
        if words := " ".join(text.get_text().split()):
            yield Mark("text", words, place_of(ax, text), [None])


def place_of(ax, text):
    """Where a text stands, or what it points at."""
    if not hasattr(text, "xy"):
        return in_units(ax, [text.get_position()], text.get_transform())
    transform = ax.transData if text.xycoords == "data" else text.xycoords
    return in_units(ax, [text.xy], transform)


def drawn_in(ax):
    """Each thing drawn: the artist, its kind, its points and, if it has any, their values."""
    bars = [box for box in ax.containers if isinstance(box, BarContainer)]
    for box in bars:
        yield box, "bars", *bars_of(box)
    for line in ax.lines:
        kind = "points" if line.get_linestyle() in ("None", "none", " ", "") else "line"
        yield line, kind, in_units(ax, line.get_xydata(), line.get_transform())
    inner = {bar for box in bars for bar in box}
    for shape in (*ax.collections, *ax.patches):
        if shape not in inner:
            yield shape, *outline(ax, shape)
    for image in ax.images:
        cells = np.asarray(image.get_array())
        rows, columns = np.indices(cells.shape[:2]).reshape(2, -1)
        yield image, "image", np.column_stack([columns, rows]), list(cells[rows, columns])


def in_units(ax, points, transform):
    """Points in the units of the axes; None for a coordinate that is a part of the panel's size."""
    points = np.array(points, dtype=float).reshape(-1, 2).astype(object)
    for column, is_in_units in enumerate(transform.contains_branch_seperately(ax.transData)):
        if not is_in_units:
            points[:, column] = None
    return points


def bars_of(box):
    """Where each bar of a set ends, at the middle of its width; its length if it stands on others.

    Of lying bars x is the end, of standing ones y.
    """
    lying = box.orientation == "horizontal"
    corners = np.array([bar.get_xy() for bar in box], dtype=float).reshape(-1, 2)
    sizes = np.array([(bar.get_width(), bar.get_height()) for bar in box], dtype=float)
    ends = corners + sizes.reshape(-1, 2) * ((1, 0.5) if lying else (0.5, 1))
    lengths = [size[0 if lying else 1] for size in sizes]
    feet = corners[:, 0 if lying else 1]
    return ends.astype(object), lengths if feet.any() else [None] * len(ends)


def outline(ax, shape):
    """Kind and points of dots, strokes, contours, coloured cells and areas; values of some."""
    if isinstance(shape, PathCollection):
        places = np.ma.filled(shape.get_offsets(), np.nan)
        return "points", in_units(ax, places, shape.get_offset_transform())
    if isinstance(shape, QuadMesh):
        corners = shape.get_coordinates()
        middles = (corners[1:, 1:] + corners[:-1, :-1]) / 2
        return "image", middles.reshape(-1, 2).astype(object), list(np.ravel(shape.get_array()))
    if isinstance(shape, ContourSet):
        paths = [path.vertices for path in shape.get_paths()]
        levels = np.repeat(shape.levels[: len(paths)], [len(path) for path in paths])
        return "contour", np.vstack(paths).astype(object), list(levels)
    if isinstance(shape, LineCollection):
        ends = np.reshape([end for segment in shape.get_segments() for end in segment], (-1, 2))
        return "strokes", in_units(ax, ends, shape.get_transform())
    if hasattr(shape, "get_patch_transform"):  # a box, an arrow, ...
        corners = shape.get_patch_transform().transform(shape.get_path().vertices)
        corners = corners if np.ptp(corners, axis=0).any() else []  # nothing but a legend's entry
        return "shape", in_units(ax, corners, shape.get_transform())
    corners = [path.vertices for path in shape.get_paths()]
    return "area", in_units(ax, np.vstack(corners), shape.get_transform())
