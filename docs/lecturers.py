"""What the lecturers' page shows of course.toml: two tables and the graph of what needs what.

`make notebooks` writes them anew, as all that is made from that table.
"""

import io
import textwrap

import contents

from emtools.course import plots
from emtools.course.plots import COLOURS, INK, PALE, QUIET

PAGE = contents.ROOT / "docs/pages/lecturers.md"
PICTURE = contents.ROOT / "docs/prerequisites.png"
TABLES = ("walks", "chapters")


def main():
    """Write the tables into the page, and the picture."""
    contents.write_if_other(PAGE, with_tables(PAGE.read_text(encoding="utf-8")))
    PICTURE.write_bytes(draw())


def with_tables(text):
    """The page with each table in place of what stands between its two comments."""
    for name, rows in zip(TABLES, (walk_rows(), chapter_rows()), strict=True):
        begin, end = (
            f"<!-- {name}: `make notebooks` writes them from notebooks/source/course.toml -->",
            f"<!-- {name} -->",
        )
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise ValueError(f"{PAGE.name} must hold {begin} and, below it, {end}")
        text = "\n".join([before + begin, "", *rows, "", end + after])
    return text


def walk_rows():
    """Each length of walk with the hours that it takes if nothing is left out."""
    numbers = {chapter["file"]: chapter["number"] for chapter in contents.chapters()}
    yield "| walk | chapters | reading | exercises |"
    yield "|---|---|---|---|"
    for walk in contents.course()["walk"]:
        first, last = numbers[walk["first"]], numbers[walk["last"]]
        on_it = [c for c in contents.written() if first <= c["number"] <= last]
        reading, exercises = (sum(c[key] for c in on_it) for key in ("reading", "exercises"))
        yield f"| {walk['name']} | {first} to {last} | {hours(reading)} | {hours(exercises)} |"


def hours(minutes):
    """Minutes as hours, to the next quarter."""
    return f"{round(minutes / 15) / 4:g} h"


def chapter_rows():
    """Each written chapter: minutes, what it needs, and what needs it."""
    written = contents.written()
    numbers = {chapter["file"]: chapter["number"] for chapter in written}
    yield "| chapter | minutes + exercises | needs | is needed by |"
    yield "|---|---|---|---|"
    for chapter in written:
        needs = ", ".join(numbers[file] for file in chapter["needs"])
        later = ", ".join(c["number"] for c in written if chapter["file"] in c["needs"])
        cells = (contents.linked(chapter, "../../notebooks/"), contents.minutes(chapter))
        yield "| " + " | ".join([*cells, needs or "nothing", later or "nothing"]) + " |"


def levels():
    """Every chapter that needs another or is needed, by how many must come before it."""
    needs = {chapter["file"]: chapter["needs"] for chapter in contents.chapters()}
    needed = {file for files in needs.values() for file in files}

    def level(file):
        return 1 + max(map(level, needs[file]), default=0)

    return {file: level(file) for file in needs if needs[file] or file in needed}


def arrows():
    """Pairs of numbers: a chapter, and one that needs it."""
    numbers = {chapter["file"]: chapter["number"] for chapter in contents.chapters()}
    return [(numbers[f], c["number"]) for c in contents.chapters() for f in c["needs"]]


def places():
    """Where each chapter stands in the picture: in rows of equal need, from the top down."""
    level, chapters = levels(), contents.chapters()
    found = {}
    for row in sorted(set(level.values())):
        in_row = [c["number"] for c in chapters if level.get(c["file"]) == row]
        for column, number in enumerate(in_row):
            found[number] = (2 * (column - (len(in_row) - 1) / 2), -row)
    return found


def draw():
    """The graph as a PNG that also says, in its description, which arrows are in it."""
    figure, ax = plots.new_figure(height=7)
    at = places()
    for first, second in arrows():
        (x_1, y_1), (x_2, y_2) = at[first], at[second]
        bow = -0.35 if y_1 - y_2 > 1 else 0  # past chapters in between
        style = {"arrowstyle": "->", "color": QUIET, "connectionstyle": f"arc3,rad={bow}"}
        ax.annotate("", (x_2, y_2 + 0.24), (x_1, y_1 - 0.24), arrowprops=style)
    for chapter in contents.chapters():
        if chapter["number"] in at:
            write_box(ax, chapter, *at[chapter["number"]])
    ax.set_xlim(-4.2, 4.9)
    ax.set_ylim(-max(levels().values()) - 0.5, -0.5)
    ax.axis("off")
    buffer = io.BytesIO()
    said = {"Description": description(), "Software": None}
    figure.savefig(buffer, format="png", dpi=110, metadata=said)
    return buffer.getvalue()


def description():
    """Which arrows the picture has, for the test that it is not out of date."""
    return ", ".join(f"{first} to {second}" for first, second in arrows())


def write_box(ax, chapter, x, y):
    """One chapter; what is planned or optional is pale."""
    text = textwrap.fill(contents.numbered(chapter), 20)
    colour = COLOURS[0] if chapter["written"] and not chapter.get("optional") else PALE
    box = {"boxstyle": "round", "facecolor": "white", "edgecolor": colour, "linewidth": 2}
    ax.text(x, y, text, ha="center", va="center", fontsize=9, color=INK, bbox=box)
