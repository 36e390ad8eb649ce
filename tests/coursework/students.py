"""Students who hand in notebooks of all kinds."""

import copy
import os

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell


class Student:
    """Somebody with a copy of an assignment, who may answer it and damage it."""

    def __init__(self, course, name):
        self.course, self.name = course, name
        self.notebook = read(course / "release" / name / f"{name}.ipynb")
        self.model = read(course / "source" / name / f"{name}.ipynb")

    def answer(self, *questions):
        """Write the right answers to these questions, or to all."""
        for cell, model in zip(self.notebook.cells, self.model.cells, strict=True):
            settings = cell.metadata.nbgrader
            if settings.solution and (not questions or settings.grade_id in questions):
                cell.source = model.source
        return self

    def place(self, name):
        """Where the (first) cell with this id stands."""
        ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in self.notebook.cells]
        return ids.index(name)

    def cell(self, name):
        return self.notebook.cells[self.place(name)]

    def write(self, name, source):
        self.cell(name).source = source
        return self

    def copy_cell(self, name, source=None):
        """Copy a cell, metadata and all, below itself; write into the copy, if that is given."""
        twin = copy.deepcopy(self.cell(name))
        twin.id = f"copy-of-{twin.id}"[:64]
        if source is not None:
            twin.source = source
        self.notebook.cells.insert(self.place(name) + 1, twin)
        return self

    def split(self, name, line):
        """Split a cell before a line, as JupyterLab does, which keeps the metadata in both."""
        lines = self.cell(name).source.splitlines()
        self.copy_cell(name, "\n".join(lines[line:]))
        return self.write(name, "\n".join(lines[:line]))

    def delete(self, name):
        del self.notebook.cells[self.place(name)]
        return self

    def retype(self, name):
        """Make a code cell Markdown, or Markdown code."""
        old = self.cell(name)
        new = new_markdown_cell if old.cell_type == "code" else new_code_cell
        self.notebook.cells[self.place(name)] = new(old.source, metadata=old.metadata, id=old.id)
        return self

    def lose_id(self, name, cell_id=True):
        """Take nbgrader's metadata from a cell and, as older editors do, its own id."""
        cell = self.cell(name)
        del cell.metadata["nbgrader"]
        if cell_id:
            cell.id = f"new-{hash(name) % 1000}"
        return self

    def add(self, name, cell):
        """Put a cell of the student's own below the one with this id."""
        self.notebook.cells.insert(self.place(name) + 1, cell)
        return self

    def move(self, name, below):
        cell = self.notebook.cells.pop(self.place(name))
        return self.add(below, cell)

    def hand_in(self, student):
        path = self.course / "submitted" / student / self.name / f"{self.name}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(self.notebook, path)
        return path


def read(path):
    return nbformat.read(path, as_version=4)


def be_killed(course, name, student):
    """A grading process that the system kills."""
    os._exit(9)
