"""Drawings of chapter 00, start here."""

from matplotlib.patches import Rectangle

from emtools.course.plots import COLOURS, INK, PALE, QUIET


def draw_staircase(ax, chapters, walks):
    """The course: a staircase of chapters, a shelf of modules, and some lengths of walk.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    chapters : sequence of dict
        From the lowest step up: "number" (str), "title" (str), "modules" that the chapter leaves
        behind (list of str), and whether it is "written" (bool). What is not is grey, its modules
        too.
    walks : sequence of (str, int, int)
        Name, and the numbers of the first and the last chapter.
    """
    for step, chapter in enumerate(chapters):
        draw_step(ax, step, chapter)
    steps = {int(chapter["number"]): step for step, chapter in enumerate(chapters)}
    for column, (name, first, last) in enumerate(walks):
        x = 11.9 + 0.75 * column
        ends = [steps[first] + 0.1, steps[last] + 0.85]
        ax.plot([x, x], ends, color=COLOURS[2 + column], linewidth=4)
        ax.text(x + 0.15, steps[first] + 0.2, name, rotation=90, va="bottom", fontsize=10)
    ax.set_xlim(0, 14)
    ax.set_ylim(-0.1, len(chapters))
    ax.axis("off")


def draw_step(ax, step, chapter):
    """One step with its title, and an arrow to the modules that it leaves behind."""
    end, middle, written = 4.7 + 0.17 * step, step + 0.46, chapter["written"]
    colour, ink = (COLOURS[0], INK) if written else (PALE, QUIET)
    ax.add_patch(Rectangle((0, step), end, 0.92, color=colour, alpha=0.35))
    text = f"{chapter['number']}  {chapter['title']}"
    ax.text(0.15, middle, text, va="center", color=ink)
    if chapter["modules"]:
        arrow = {"arrowstyle": "->", "color": QUIET if written else PALE, "linewidth": 0.8}
        ax.annotate("", (8.0, middle), (end + 0.1, middle), arrowprops=arrow)
        modules = ", ".join(chapter["modules"])
        ax.text(8.1, middle, modules, va="center", color=ink, family="monospace", fontsize=9)
