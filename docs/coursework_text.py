"""A question text and a seed make an assignment, as nbgrader wants its instructor's version.

A text stands in notebooks/source/coursework and is called like its chapter's checks, without the
number. The README beside the texts says how one is written.
"""

import ast
import builtins
import json
import re
from dataclasses import dataclass

import jupytext
import nbformat
import numpy as np

MYST = {"extension": ".md", "format_name": "myst"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
KINDS = ("seeded", "question", "test", "written")
PLACE = re.compile(r"\{\{ (\w+)(?::([^{}]+))? \}\}")
HIDDEN = re.compile(r"^( *)### BEGIN HIDDEN TESTS(?:: *(.+))?$", re.M)
SOLUTION = "### BEGIN SOLUTION"


class BadText(ValueError):
    """A question text that no assignment can be made of; the message says where and why."""


def read_questions(path, seed):
    """Make the instructor's version of an assignment.

    Parameters
    ----------
    path : Path
        A question text.
    seed : int
        The year's; equal seeds make equal assignments.

    Returns
    -------
    NotebookNode
        With solutions, hidden tests, points and locks, as `nbgrader generate_assignment` reads it.
    """
    try:
        cells = jupytext.read(path, fmt=MYST).cells
    except Exception as error:  # whatever jupytext and what it calls may raise
        reason = str(error).partition("\n")[0]
        raise BadText(f"{path.name} cannot be read: {reason}.") from error
    stem = path.stem.encode()
    # Students see hidden tests in their feedback, and with the seed they could make all answers.
    another = int(np.random.default_rng([seed, *stem, *b"tests"]).integers(10**9))
    names = {"rng": np.random.default_rng([seed, *stem]), "seed": another}
    kept = []
    for number, cell in enumerate(cells, start=1):
        where = f"{path.name}, cell {number}"
        kind, points = read_tags(cell, where)
        if kind == "seeded":
            draw(cell.source, names, where)
            continue
        source = filled(cell, names, where)
        kept.append(Part(cell.cell_type, source, kind, points, cell.metadata.get("name"), where))
    return as_notebook(kept, path.stem)


@dataclass
class Part:
    """One cell of a question text, with what its tags say."""

    cell_type: str
    source: str
    kind: str | None
    points: int
    name: str | None
    where: str


def read_tags(cell, where):
    """What kind of cell this is (None: given, and locked), and its points."""
    tags = cell.metadata.get("tags", [])
    points = [tag.removeprefix("points:") for tag in tags if tag.startswith("points:")]
    kinds = [tag for tag in tags if not tag.startswith("points:")]
    unknown = [tag for tag in kinds if tag not in KINDS]
    if unknown or len(kinds) > 1 or len(points) > 1:
        raise BadText(f"{where}: tags {tags}; there is one of {', '.join(KINDS)}, and points:2.")
    kind = kinds[0] if kinds else None
    if (kind in ("test", "written")) != bool(points):
        raise BadText(f"{where}: cells tagged test or written have points, and no others do.")
    if points and not points[0].isdecimal():
        raise BadText(f"{where}: points:{points[0]} is no whole number of points.")
    if (kind == "written") != (cell.cell_type == "markdown") and kind:
        raise BadText(f"{where}: a cell tagged written is Markdown, one tagged {kind} is code.")
    if kind in ("question", "written") and not re.fullmatch(
        r"[A-Za-z]\w*", cell.metadata.get("name", "")
    ):
        raise BadText(f"{where}: a cell tagged {kind} has a name, such as :name: share_of_wait.")
    return kind, int(points[0]) if points else 0


def draw(code, names, where):
    """Run a seeded cell, which draws the year's numbers by `rng`."""
    try:
        exec(compile(code, where, "exec"), names)
    except Exception as error:
        raise BadText(
            f"{where}: the seeded cell stops with {type(error).__name__}: {error}"
        ) from error


def filled(cell, names, where):
    """The text of a cell with each {{ name }} or {{ name:.2f }} in it filled in."""

    def value(match):
        if match[1] not in names:
            raise BadText(f"{where}: no seeded cell above defines {match[1]}.")
        return written(names[match[1]], match[2], in_prose=cell.cell_type == "markdown")

    return PLACE.sub(value, cell.source)


def written(value, form, in_prose):
    """A seeded value as it stands in the assignment: text as it is, lists in prose with commas."""
    if isinstance(value, (np.ndarray, np.generic)):
        value = value.tolist()
    if isinstance(value, (list, tuple)) and (in_prose or form):
        parts = [written(part, form, in_prose) for part in value]
        if in_prose:
            return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
        return f"[{', '.join(parts)}]"
    if form:
        return format(value, form)
    return value if isinstance(value, str) else repr(value)


def as_notebook(parts, stem):
    """The parts as cells with nbgrader's metadata; points stand beside headings and in tests."""
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    tested = None
    count = {}
    for number, part in enumerate(parts, start=1):
        if part.kind == "question":
            tested = part.name
        if part.kind == "test":
            if tested is None:
                raise BadText(f"{part.where}: a test stands below the question that it tests.")
            count[tested] = count.get(tested, 0) + 1
            part.name = f"{tested}-{count[tested]}"
        name = part.name if part.kind else f"given-{number:03}"
        notebook.cells.append(as_cell(part, name, f"{stem}-{number:03}"[-64:]))
    add_points(notebook.cells)
    names = [cell.metadata.nbgrader.grade_id for cell in notebook.cells]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadText(f"{stem}.md: the name {twice[0]} stands twice.")
    return notebook


def as_cell(part, name, cell_id):
    """One part as a cell: only questions and written answers may be edited."""
    if part.kind == "question" and SOLUTION not in part.source:
        raise BadText(f"{part.where}: a question has its answer between BEGIN and END SOLUTION.")
    source = as_test(part, name) if part.kind == "test" else part.source
    new = nbformat.v4.new_code_cell if part.cell_type == "code" else nbformat.v4.new_markdown_cell
    cell = new(source, id=cell_id)
    graded = part.kind in ("test", "written")
    solved = part.kind in ("question", "written")
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": name,
        "grade": graded,
        "solution": solved,
        "locked": not solved,
        "task": False,
        **({"points": part.points} if graded else {}),
    }
    return nbformat.from_dict(json.loads(json.dumps(cell)))


def as_test(part, name):
    """A test as a function, so that no name of its own meets one of the student's.

    Its docstring says the points; a line that students see stands where hidden checks follow.
    """
    lines = HIDDEN.sub(announced, part.source).strip("\n").splitlines()
    lines = [*builtins_of(lines), *lines]
    function = f"check_{name.replace('-', '_')}"
    body = [f"    {line}" if line.strip() else "" for line in lines]
    return "\n".join(
        [
            f"def {function}():",
            f'    """{in_points(part.points)}."""',
            *body,
            "",
            "",
            f"{function}()",
        ]
    )


def builtins_of(lines):
    """A line that imports what a test takes from Python, where a student has `sum = 0`, say."""
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError:  # told when the test is tried out
        return []
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names = sorted(name for name in read if hasattr(builtins, name))
    return [f"from builtins import {', '.join(names)}"] if names else []


def announced(begin):
    """The line that begins hidden tests, with what students see instead."""
    follow = f"follow: {begin[2]}" if begin[2] else "on other data follow"
    return f"{begin[1]}# Hidden checks {follow}.\n{begin[1]}### BEGIN HIDDEN TESTS"


def in_points(points):
    """A number of points in words."""
    return f"{points} point{'' if points == 1 else 's'}"


def add_points(cells):
    """Put behind each heading of a question how many points its cells have together."""
    heading, total = None, 0
    for cell in [*cells, None]:
        title = cell is not None and cell.cell_type == "markdown" and cell.source.startswith("## ")
        if cell is None or title:
            if heading is not None and total:
                first, _, rest = heading.source.partition("\n")
                heading.source = f"{first} ({in_points(total)})\n{rest}".rstrip()
            heading, total = cell, 0
        if cell is not None:
            total += cell.metadata.nbgrader.get("points", 0)
