"""Every question text, with several seeds: right answers get every point, empty cells none."""

import contents
import coursework
import coursework_text
import pytest

TEXTS = coursework.assignments(coursework.TEXTS)


@pytest.mark.parametrize("name", TEXTS)
def test_each_seed_makes_a_sheet_that_can_be_graded(name):
    sheets = [coursework.tried(TEXTS[name], seed) for seed in (1, 2027)]
    sources = {"".join(cell.source for cell in sheet.cells) for sheet in sheets}
    assert len(sources) == len(sheets), "each seed has numbers of its own"


@pytest.mark.parametrize("name", TEXTS)
def test_a_sheet_has_points_for_what_a_person_reads_and_for_what_is_tested(name):
    cells = coursework_text.read_questions(TEXTS[name], 5).cells
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in cells
        if cell.metadata.nbgrader.grade
    }
    assert 8 <= sum(points.values()) <= 20
    assert any("-" not in test for test in points), "one answer is in words"
    titles = [c.source for c in cells if c.cell_type == "markdown" and c.source.startswith("# ")]
    assert len(titles) == 1


def test_every_chapter_with_exercises_has_its_sheet():
    files = {c["file"] for c in contents.chapters() if c["written"] and c["exercises"]}
    assert files <= {path.stem for path in TEXTS.values()}
