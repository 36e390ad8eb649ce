"""A figure for whoever does not see it: in words, and in a page as a picture with these words."""

import base64
import hashlib
import html
import sys
from collections import Counter

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from emtools.course.plots.numbers import marks_of, panels_of

ONE = {"points": "set of points", "bars": "set of bars", "strokes": "set of strokes"}
SEVERAL = {"points": "sets of points", "bars": "sets of bars", "strokes": "sets of strokes"}


def describe(figure):
    """What a figure holds, in words that are true of any figure: panels, axes, marks, texts.

    Parameters
    ----------
    figure : Figure
        Whoever drew on it, and whatever.

    Returns
    -------
    str
        A sentence for each panel; one for all of them if only what is written there differs.
    """
    panels = [(name, drawn_in_words(ax), written_in(ax)) for name, ax in panels_of(figure)]
    looks = {drawn for _, drawn, _ in panels}
    if len(panels) > 1 and len(looks) == 1:
        panels = [(name, "", written) for name, _, written in panels]
        panels.insert(0, (f"{len(panels)} panels, each with", looks.pop(), ""))
    sentences = [": ".join(filter(None, [name or "figure", *rest])) for name, *rest in panels]
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)


def drawn_in_words(ax):
    """Both axes of a panel with their ranges, and how many marks there are of each kind."""
    axes = " against ".join(axis_in_words(ax, which) for which in "yx") if ax.axison else ""
    counts = Counter(mark.kind for mark in marks_of(ax) if mark.kind != "text")
    counted = ", ".join(in_number(kind, count) for kind, count in counts.items())
    return "; ".join(filter(None, (axes, counted)))


def written_in(ax):
    """What the legend says and what is written in a panel."""
    legend = [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []
    return "; ".join(legend + [mark.name for mark in marks_of(ax) if mark.kind == "text"])


def axis_in_words(ax, which):
    """Label and range of an axis; in a grid of panels the label may stand at another one."""
    shared = getattr(ax, f"get_shared_{which}_axes")().get_siblings(ax)
    labels = [getattr(panel, f"get_{which}label")() for panel in (ax, *shared)]
    label = " ".join(next(filter(None, labels), f"{which} axis").split())
    first, last = getattr(ax, f"get_{which}lim")()
    return f"{label} from {first:.3g} to {last:.3g}"


def in_number(kind, count):
    """A kind of mark in the singular or the plural."""
    if count == 1:
        return f"1 {ONE.get(kind, kind)}"
    return f"{count} {SEVERAL.get(kind, kind + 's')}"


def listed(numbers, digits=3):
    """Numbers as a sentence has them: "54.6 and 80.1"."""
    *rest, last = [f"{number:.{digits}g}" for number in np.ravel(numbers)]
    return f"{', '.join(rest)} and {last}" if rest else last


def spans(days):
    """Whole numbers in order, neighbours together: "1 to 3, 7 and 9 to 12"."""
    parts = np.split(days, np.flatnonzero(np.diff(days) > 1) + 1)
    words = [
        f"{part[0]} to {part[-1]}" if len(part) > 1 else f"{part[0]}" for part in parts if len(part)
    ]
    return ", ".join(words) or "none"


def fingerprint(figure):
    """Eight letters and digits that change when other numbers are drawn, or other words.

    Three digits of each number count: the last ones differ between machines.
    """
    seen = hashlib.sha256()
    seen.update(describe(figure).encode())
    for _, ax in panels_of(figure):
        for mark in marks_of(ax):
            for numbers in (*mark.points.T, np.array(mark.values, dtype=object)):
                seen.update(three_digits(numbers).tobytes())
    return seen.hexdigest()[:8]


def three_digits(numbers):
    """Numbers as whole thousandths of the largest; what is not finite, or None, is -9999."""
    numbers = np.array(numbers, dtype=float)
    finite = np.isfinite(numbers)
    scale = np.abs(numbers[finite]).max(initial=0) or 1
    thousandths = np.round(1000 * np.where(finite, numbers, 0) / scale)
    return np.where(finite, thousandths, -9999).astype(np.int64)  # on 32 bits, too


def image_tag(png, words, **attributes):
    """A picture in a page, with what it shows in words.

    Parameters
    ----------
    png : bytes
        Of the file.
    words : str
        The alt text.
    **attributes
        Others of the HTML element.

    Returns
    -------
    str
        It has the picture's size, so that what stands below stays in its place.
    """
    width, height = (int.from_bytes(png[place : place + 4], "big") for place in (16, 20))
    attributes = {"alt": " ".join(words.split()), **attributes, "width": width, "height": height}
    attributes["style"] = "max-width: 100%; height: auto"
    attributes["src"] = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    written = [f'{name}="{html.escape(str(value))}"' for name, value in attributes.items()]
    return f"<img {' '.join(written)}>"


def as_html(figure):
    """What a notebook shows of a figure: a picture with words, and the figure's fingerprint.

    The words are those that its cell has in its metadata, as long as the figure is the one that
    they were written for: its fingerprint ends the cell's id. After a change they may be false, and
    the figure is described by its parts.
    """
    from IPython.core.pylabtools import print_figure

    png = print_figure(figure)
    if png is None:  # nothing was drawn, and nothing is shown
        return None
    drawn, cell = fingerprint(figure), running_cell()
    is_the_same = cell.get("cellId", "").endswith(f"-{drawn}")
    words = cell["mystnb"]["image"]["alt"] if is_the_same else describe(figure)
    return image_tag(png, words), {"drawn": drawn}


def running_cell():
    """Metadata of the cell that is run, which JupyterLab sends along; other pages may not."""
    request = sys.modules["IPython"].get_ipython().kernel.get_parent()
    return request.get("metadata", {})


def show_with_words():
    """In a notebook, show every figure by `as_html` from here on."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    backend = matplotlib.get_backend() if hasattr(shell, "kernel") else ""
    if "inline" in backend:
        plt.switch_backend(backend)  # first, for it says itself how figures are shown
        for formatter in shell.display_formatter.formatters.values():
            formatter.pop(Figure, None)
        shell.display_formatter.formatters["text/html"].for_type(Figure, as_html)
