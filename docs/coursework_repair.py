"""Compares a submission with what was handed out, and puts back what the grading needs.

Every cell that was handed out has nbgrader's id. It stands once, in its place, with its settings,
in the result; what a student wrote stays, in its cell or in a plain one beside it.
"""

import ast
import csv
from typing import NamedTuple

import nbformat
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

KEPT = ("deletable", "editable", "nbgrader")
TYPES = ("code", "markdown", "raw")


class Damage(NamedTuple):
    """One thing that was wrong with a submission, in words."""

    cell: str  # nbgrader's id of it
    what: str
    done: str

    def __str__(self):
        """One line of it."""
        return f"{self.cell} {self.what}; {self.done}."


class Repair(NbGraderPreprocessor):
    """Repair a submission before nbgrader looks at it, and say so on its top."""

    release = Unicode(help="the folder of the assignments as handed out").tag(config=True)

    def preprocess(self, nb, resources):
        """Return the notebook that is graded; its first cell lists what was wrong, if anything."""
        place = resources["nbgrader"]
        path = f"{self.release}/{place['assignment']}/{place['notebook']}.ipynb"
        fixed, damage = repair(nb, nbformat.read(path, as_version=4))
        for line in damage:
            self.log.warning("%s: %s", place["student"], line)
        return fixed, resources


def repair(submitted, release):
    """Put a submission's cells in order.

    Parameters
    ----------
    submitted, release : NotebookNode
        What a student handed in, and what was handed out.

    Returns
    -------
    fixed : NotebookNode
        Every cell of the release, in its order, with the student's answers, and their own cells.
    damage : list of Damage
    """
    given = {cell.metadata.nbgrader.grade_id: cell for cell in release.cells}
    damage = []
    cells = [sound(cell) for cell in submitted.cells]
    names = name_cells(cells, given, damage)
    keep_one_of_each(cells, names, given, damage)
    report_moves(names, list(given), damage)
    groups = in_groups(cells, names)
    adopt(groups, given, damage)
    fixed = nbformat.v4.new_notebook(metadata=submitted.metadata)
    fixed.cells = [*groups.pop(None)]
    for name, model in given.items():
        fixed.cells += restored(groups.get(name), model, fixed.cells, damage)
    number_cells(fixed.cells, given)
    return with_note(fixed, damage), damage


def sound(cell):
    """A copy of a cell with everything that a cell must have."""
    kind = cell.get("cell_type") if cell.get("cell_type") in TYPES else "raw"
    metadata = dict(cell.get("metadata") or {})
    if not isinstance(metadata.get("nbgrader", {}), dict):
        del metadata["nbgrader"]
    metadata.pop("tags", None)  # skip-execution would keep a test from being run
    parts = {"id": cell.get("id", ""), "source": cell.get("source") or "", "metadata": metadata}
    if pictures_of(cell):
        parts["attachments"] = pictures_of(cell)
    return as_type(nbformat.from_dict(parts), kind)


def pictures_of(cell):
    """Pictures that somebody has put into prose: a photograph of a derivation, say."""
    found = cell.get("attachments")
    return {
        name: kinds
        for name, kinds in (found.items() if isinstance(found, dict) else ())
        if isinstance(kinds, dict) and all(isinstance(text, str) for text in kinds.values())
    }


def as_type(cell, kind):
    """A cell as one of another type; a code cell has not been run."""
    cell.cell_type = kind
    for key in ("outputs", "execution_count", *["attachments"] * (kind == "code")):
        cell.pop(key, None)
    if kind == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def name_cells(cells, given, damage):
    """The id of each cell, or None: by what it says, by the cell's own id, by its text."""
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]
    names = [name if name in given else None for name in names]
    by_id = {cell.id: name for name, cell in given.items()}
    by_text = {bare(cell.source): name for name, cell in given.items() if is_locked(cell)}
    for place, cell in enumerate(cells):
        name = by_id.get(cell.id) or by_text.get(bare(cell.source))
        if names[place] is None and name and name not in names:
            names[place] = name
            damage.append(Damage(name, "had lost its id", "it has it again"))
    return names


def bare(source):
    """A text without the blanks that an editor may add or take."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def is_locked(cell):
    """Whether students were not to change this cell."""
    return not cell.metadata.nbgrader.solution


def keep_one_of_each(cells, names, given, damage):
    """Of cells with the same id, keep it for one; a split answer becomes one cell again."""
    for name in dict.fromkeys(filter(None, names)):
        places = [place for place, other in enumerate(names) if other == name]
        if len(places) > 1:
            done = join_or_choose(cells, names, places, given[name])
            damage.append(Damage(name, f"is there {len(places)} times, copied or split", done))
    for cell, name in zip(cells, names, strict=True):
        if name is None:
            cell.metadata.pop("nbgrader", None)
            cell.metadata.pop("editable", None)


def join_or_choose(cells, names, places, model):
    """Leave one cell at these places its name; say which."""
    parts = list(dict.fromkeys(cells[place].source for place in places))
    touching = places[-1] - places[0] == len(places) - 1
    if not is_locked(model) and touching and must_join(parts, model.cell_type):
        join(cells, places, parts)
        for place in places[:0:-1]:
            del cells[place], names[place]
        return "its parts are one cell again"
    as_given = [bare(cells[place].source) == bare(model.source) for place in places]
    wanted = is_locked(model)
    chosen = places[as_given.index(wanted)] if wanted in as_given else places[0]
    for place in places[::-1]:
        if place == chosen:
            continue
        if as_given[places.index(place)]:
            del cells[place], names[place]  # run below the answer, it would take it back
        else:
            names[place] = None
    return "it is as handed out" if wanted else "the first with an answer has its id; all are run"


def join(cells, places, parts):
    """Write the parts into the first of these cells, with the pictures of all."""
    pictures = {}
    for place in places[::-1]:
        pictures |= cells[place].get("attachments", {})
    cells[places[0]].source = "\n".join(parts)
    if pictures:
        cells[places[0]].attachments = pictures


def must_join(parts, cell_type):
    """Whether parts are only together what was written: prose, or code cut in two."""
    if cell_type == "markdown":
        return True
    return is_python("\n".join(parts)) and not all(is_python(part) for part in parts)


def report_moves(names, order, damage):
    """Say which cells stand out of order: all but the longest run that is in order."""
    runs = []  # for each named cell, the longest run in order that ends with it
    for name in filter(None, names):
        before = [run for run in runs if order.index(run[-1]) < order.index(name)]
        runs.append([*max(before, key=len, default=[]), name])
    kept = max(runs, key=len, default=[])
    for name in filter(None, names):
        if name not in kept:
            damage.append(Damage(name, "was moved", "it is back in its place"))


def in_groups(cells, names):
    """Each named cell with the plain ones below it; those above the first under None."""
    groups, name = {None: []}, None
    for cell, found in zip(cells, names, strict=True):
        name = found or name
        groups.setdefault(name, []).append(cell)
    return groups


def adopt(groups, given, damage):
    """Give a missing answer's id to the plain cell, above its tests, that holds the answer."""
    order = list(given)
    for name in order:
        model = given[name]
        if name in groups or is_locked(model):
            continue
        before = [other for other in order[: order.index(name)] if other in groups]
        home = groups[before[-1]] if before else groups[None]
        plain = home[1:] if before else home
        answers = [cell for cell in plain if may_answer(cell, model)]
        if answers:
            chosen = next(place for place, cell in enumerate(home) if cell is answers[-1])
            groups[name] = home[chosen:]
            del home[chosen:]
            damage.append(Damage(name, "had lost its id", "the cell with its answer has it again"))


def may_answer(cell, model):
    """Whether a plain cell is likely to be an answer: prose, or code that defines its names."""
    if cell.cell_type != model.cell_type or not cell.source.strip():
        return False
    if cell.cell_type == "markdown":
        return True
    return is_python(cell.source) and bool(defined(cell.source) & defined(model.source))


def is_python(source):
    """Whether a source can be parsed."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def defined(source):
    """Names that code defines at its top level."""
    found = set()
    for part in ast.parse(source).body:
        if isinstance(part, ast.FunctionDef | ast.ClassDef):
            found.add(part.name)
            continue
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return found


def restored(group, model, above, damage):
    """The cells that stand where one was handed out: it, and the student's own below it.

    What is missing is put back as it was handed out: an answer above the student's own cells,
    which may define what it asks for.
    """
    name = model.metadata.nbgrader.grade_id
    if group is None:
        damage.append(Damage(name, "was deleted", "it is there again, as handed out"))
        fresh = sound(model)
        if is_locked(model):
            return [fresh]
        own = len(above)
        while own and "nbgrader" not in above[own - 1].metadata:
            own -= 1
        above.insert(own, fresh)
        return []
    cell, *own = group
    if cell.cell_type != model.cell_type:
        damage.append(
            Damage(name, f"was a {cell.cell_type} cell", f"it is {model.cell_type} again")
        )
        as_type(cell, model.cell_type)
    kept = []
    if is_locked(model) and bare(cell.source) != bare(model.source):
        if set(bare(cell.source).splitlines()) - set(bare(model.source).splitlines()):
            kept = [plain(cell)]
        where = ", and the student's text stands above" if kept else ""
        damage.append(Damage(name, "was changed", f"it is as handed out{where}"))
        cell.source = model.source
    settings = {key: model.metadata[key] for key in KEPT if key in model.metadata}
    if changed_settings(cell, settings):
        damage.append(Damage(name, "had other points or locks", "it has its own again"))
    cell.metadata.update(settings)
    return [*kept, cell, *own]


def plain(cell):
    """A cell's text in a cell that is not graded."""
    kept = ("cell_type", "source", "attachments")
    return sound(nbformat.from_dict({key: cell[key] for key in kept if key in cell}))


def changed_settings(cell, settings):
    """Whether what nbgrader reads of a cell was changed; lost as a whole is told otherwise."""
    found = cell.metadata.get("nbgrader", {})
    keys = ("grade", "solution", "points")
    return "grade_id" in found and any(
        found.get(key) != settings["nbgrader"].get(key) for key in keys
    )


def number_cells(cells, given):
    """Give each cell a cell id that no other one has."""
    ids = {name: cell.id for name, cell in given.items()}
    taken = set(ids.values())
    for number, cell in enumerate(cells):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.id = ids.get(name, f"own-{number}")
        assert name or cell.id not in taken


def with_note(notebook, damage):
    """A notebook that says on its top what was put right."""
    if damage:
        lines = "\n".join(f"- `{line.cell}` {line.what}; {line.done}." for line in damage)
        note = nbformat.v4.new_markdown_cell(f"**Put right before grading:**\n\n{lines}", id="note")
        notebook.cells.insert(0, note)
    return notebook


def write_damage(path, found):
    """Write a table of (student, Damage) pairs."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", *Damage._fields])
        table.writerows([student, *line] for student, line in found)
