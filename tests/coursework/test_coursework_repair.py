"""Damaged submissions: what is put right, what is said, and that no text of a student is lost."""

import coursework_repair
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from students import Student


def settings(name, solution=False, points=None):
    graded = {} if points is None else {"points": points}
    return {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "solution": solution,
        "locked": not solution,
        "task": False,
        **graded,
    }


def handed_out():
    """A text, two answers with a test each, and a written one."""
    cells = [
        new_markdown_cell("## 1. Doubling", metadata={"nbgrader": settings("given-1")}),
        new_code_cell(
            'def double(x):\n    """Return 2 x."""\n    # Your code here.',
            metadata={"nbgrader": settings("double", True)},
        ),
        new_code_cell(
            "assert double(1) == 2", metadata={"nbgrader": settings("double-1", points=2)}
        ),
        new_code_cell(
            "half = None\n# Your code here.", metadata={"nbgrader": settings("half", True)}
        ),
        new_code_cell("assert half == 0.5", metadata={"nbgrader": settings("half-1", points=1)}),
        new_markdown_cell("Your answer here.", metadata={"nbgrader": settings("why", True, 3)}),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"sheet-{number}"
    return new_notebook(cells=cells)


ANSWER = 'def double(x):\n    """Return 2 x."""\n    return 2 * x'


class Paper(Student):
    """A student's copy of the sheet above, answered."""

    def __init__(self):
        self.notebook = handed_out()
        self.write("double", ANSWER).write("half", "half = 1 / 2").write("why", "It is so.")

    def repaired(self):
        """What the repair makes of it: its cells, without the note, and the lines it says."""
        before = [cell.get("source", "") for cell in self.notebook.cells]
        fixed, damage = coursework_repair.repair(self.notebook, handed_out())
        nbformat.validate(fixed)
        cells = fixed.cells[1:] if damage else fixed.cells
        for source in before:
            lines = set(source.splitlines())
            kept = {
                line for cell in [*cells, *handed_out().cells] for line in cell.source.splitlines()
            }
            assert lines <= kept, "a line of the student's is lost"
        return cells, [str(line) for line in damage]


def names(cells):
    return [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in cells]


ORDER = names(handed_out().cells)


def run(cells):
    """What the code cells define, in order; those that stop, stop alone."""
    space = {}
    for cell in cells:
        if cell.cell_type == "code":
            try:
                exec(cell.source, space)
            except Exception:
                continue
    return space


def assert_whole(cells):
    """Every cell once, in order, with its settings; the answers work."""
    known = [cell for cell in cells if "nbgrader" in cell.metadata]
    assert names(known) == ORDER
    for cell, model in zip(known, handed_out().cells, strict=True):
        assert cell.metadata.nbgrader == model.metadata.nbgrader
        assert cell.cell_type == model.cell_type
        if not model.metadata.nbgrader.solution:
            assert cell.source == model.source
    assert len({cell.id for cell in cells}) == len(cells)
    space = run(cells)
    assert space["double"](4) == 8
    assert space["half"] == 0.5


def test_what_is_whole_stays_as_it_is():
    paper = Paper().add("double", new_code_cell("double(3)"))
    cells, said = paper.repaired()
    assert said == []
    assert [cell.source for cell in cells] == [cell.source for cell in paper.notebook.cells]


DAMAGES = {
    "answer copied": (Paper().copy_cell("double"), "double is there 2 times"),
    "answer in the copy": (
        Paper().write("double", handed_out().cells[1].source).copy_cell("double", ANSWER),
        "copied or split; the first with an answer has its id; all are run.",
    ),
    "copied before it was answered": (
        Paper().copy_cell("half", "half = None\n# Your code here."),
        "half is there 2 times",
    ),
    "test copied": (Paper().copy_cell("half-1"), "half-1 is there 2 times"),
    "text copied": (Paper().copy_cell("given-1"), "given-1 is there 2 times"),
    "answer split in two": (Paper().split("double", 2), "its parts are one cell again"),
    "prose split in two": (
        Paper().write("why", "One.\nTwo.").split("why", 1),
        "why is there 2 times, copied or split; its parts are one cell again.",
    ),
    "test deleted": (Paper().delete("double-1"), "double-1 was deleted"),
    "text deleted": (Paper().delete("given-1"), "given-1 was deleted"),
    "answer is Markdown": (
        Paper().retype("double"),
        "double was a markdown cell; it is code again",
    ),
    "test is Markdown": (Paper().retype("half-1"), "half-1 was a markdown cell"),
    "prose is code": (Paper().retype("why"), "why was a code cell; it is markdown again"),
    "id of an answer lost": (Paper().lose_id("double"), "double had lost its id"),
    "id of an answer lost, cell kept": (
        Paper().lose_id("half", cell_id=False),
        "half had lost its id; it has it again.",
    ),
    "id of a test lost": (Paper().lose_id("double-1"), "double-1 had lost its id"),
    "id of prose lost": (Paper().lose_id("why"), "why had lost its id"),
    "test above its question": (
        Paper().move("double-1", below="given-1"),
        "was moved; it is back in its place.",
    ),
    "answer in the test": (
        Paper().write("half", "half = None").write("half-1", "half = 0.5\nassert half == 0.5"),
        "half-1 was changed; it is as handed out, and the student's text stands above.",
    ),
    "test emptied": (Paper().write("double-1", ""), "double-1 was changed; it is as handed out."),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_put_right_and_named(name):
    paper, words = DAMAGES[name]
    cells, said = paper.repaired()
    assert_whole(cells)
    assert len(said) == 1, said
    assert words in said[0]


def test_of_two_copies_the_one_with_an_answer_is_graded():
    stub = handed_out().cells[-1].source
    for paper in (
        Paper().write("why", stub).move("why", below="given-1").copy_cell("why", "So."),
        Paper().copy_cell("why", stub).move("why", below="given-1").write("why", "So."),
    ):
        paper.add("why", new_markdown_cell("between the two"))
        cells, _ = paper.repaired()
        assert cells[names(cells).index("why")].source == "So."


def test_of_two_different_answers_both_are_run():
    paper = Paper().copy_cell("half", "half = 0.25")
    cells, said = paper.repaired()
    assert names(cells).count("half") == 1
    assert run(cells)["half"] == 0.25
    assert said[0].endswith("the first with an answer has its id; all are run.")


def test_a_tag_that_keeps_a_test_from_being_run_is_taken_away():
    paper = Paper()
    paper.cell("half-1").metadata.tags = ["skip-execution"]
    cells, _ = paper.repaired()
    assert not any("tags" in cell.metadata for cell in cells)


PHOTO = {"derivation.png": {"image/png": "iVBORw0KGgo="}}


def test_pictures_in_prose_are_kept():
    paper = Paper().write("why", "One.\n![](attachment:derivation.png)")
    paper.cell("why").attachments = PHOTO
    paper.split("why", 1)
    del paper.cell("why")["attachments"]  # it is in the second part now
    paper.cell("given-1").attachments = {"odd": 3} | PHOTO
    cells, _ = paper.repaired()
    assert cells[names(cells).index("why")].attachments == PHOTO
    assert cells[names(cells).index("given-1")].attachments == PHOTO


def test_pictures_do_not_follow_into_code():
    paper = Paper().retype("half")
    paper.cell("half").attachments = PHOTO
    cells, _ = paper.repaired()
    assert_whole(cells)


def test_other_settings_are_put_back():
    paper = Paper()
    paper.cell("double-1").metadata.nbgrader.points = 100
    paper.cell("half-1").metadata.nbgrader.grade = False
    del paper.cell("why").metadata.nbgrader["schema_version"]
    cells, said = paper.repaired()
    assert_whole(cells)
    assert said == [
        "double-1 had other points or locks; it has its own again.",
        "half-1 had other points or locks; it has its own again.",
    ]


def test_a_deleted_answer_is_there_again_and_overrules_nothing():
    paper = Paper().delete("double")
    paper.add("given-1", new_code_cell("twice = lambda x: 2 * x"))
    cells, said = paper.repaired()
    assert names(cells) == ["given-1", "double", None, *ORDER[2:]]
    assert said == ["double was deleted; it is there again, as handed out."]


def test_an_answer_below_other_cells_of_the_student_is_found():
    paper = Paper().lose_id("double").add("given-1", new_code_cell("double = 'not yet'"))
    paper.add("given-1", new_markdown_cell("My notes"))
    cells, said = paper.repaired()
    assert_whole(cells)
    assert said == ["double had lost its id; the cell with its answer has it again."]


def test_nothing_is_left_of_the_notebook():
    paper = Paper()
    paper.notebook.cells = []
    cells, said = paper.repaired()
    assert names(cells) == ORDER
    assert len(said) == len(ORDER)


def test_every_cell_without_its_id_is_known_by_its_own_or_its_text():
    paper = Paper()
    for name in ORDER:
        paper.lose_id(name, cell_id=name != "double")
    cells, said = paper.repaired()
    assert_whole(cells)
    assert {line.split()[0] for line in said} == set(ORDER)


def test_strange_cells_do_no_harm():
    paper = Paper()
    paper.notebook.cells += [
        nbformat.from_dict({"cell_type": "heading", "source": "My title", "metadata": {}}),
        nbformat.from_dict({"cell_type": "code", "source": "1 + 1", "metadata": {"nbgrader": 3}}),
        nbformat.from_dict({"cell_type": "markdown"}),
        new_code_cell("x = 1", metadata={"nbgrader": settings("unknown", points=50)}),
        new_code_cell("y = 1", id="sheet-1"),
    ]
    cells, said = paper.repaired()
    assert_whole(cells)
    assert said == []
    assert [cell.source for cell in cells[6:]] == ["My title", "1 + 1", "", "x = 1", "y = 1"]
