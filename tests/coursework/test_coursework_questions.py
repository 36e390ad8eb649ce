"""Every question text, with several seeds: right answers get every point, empty cells none."""

import contents
import coursework
import coursework_text
import pytest

from emtools.course.exercises import letters_of

TEXTS = coursework.assignments(coursework.TEXTS)


def lost(name, seed=1, **answers):
    """Tests that fail, each with the reason, with these answers in place of the right ones."""
    sheet = coursework_text.read_questions(TEXTS[name], seed)
    for cell in sheet.cells:
        cell.source = answers.get(cell.metadata.nbgrader.grade_id, cell.source)
    return {test: error for test, error in coursework.outcomes(sheet) if error}


def model(name, question, seed=1):
    """The right answer to a question."""
    sheet = coursework_text.read_questions(TEXTS[name], seed)
    [cell] = [cell for cell in sheet.cells if cell.metadata.nbgrader.grade_id == question]
    return cell.source


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
    missing = files - {path.stem for path in TEXTS.values()}
    assert not missing, f"write into {coursework.TEXTS}: {missing}"


@pytest.mark.parametrize("guess", [0.5, 0.0, 1.0])
def test_no_guess_is_the_share(guess):
    for seed in range(40):
        assert "share-1" in lost("01_fit_two_bells", seed, share=f"share = {guess}")


def test_what_is_forbidden_costs_a_point():
    answer = "def log_mean_exp(row):\n    return np.logaddexp.reduce(row) - np.log(len(row))"
    assert list(lost("03_work_in_log_space", averaging=answer)) == ["averaging-2"]


def test_a_hunter_who_knows_the_exhibit_by_its_name_gets_nothing():
    answer = "mine = e_step\ndef believes(e_step, m_step):\n    return e_step is not mine"
    found = lost("hunt_a_bug", believing=answer)
    assert [f"believing-{n}" for n in range(1, 6)] == list(found)[:5]


def test_code_that_a_hunter_must_believe_is_right_far_away_too():
    answer = model("hunt_a_bug", "believing").replace(
        "    return (\n",
        "    far = e_step(np.array([1000.0]), uneven)\n"
        "    return np.isclose(np.sum(far[0]), 1) and np.isfinite(far[1]) and (\n",
    )
    assert answer.count("far") == 3
    assert lost("hunt_a_bug", believing=answer) == {}


def test_the_likeliest_days_are_not_always_an_impossible_path():
    space, answers = {}, set()
    for seed in range(12):
        sheet = coursework_text.read_questions(TEXTS["13_add_time"], seed)
        [cell] = [c for c in sheet.cells if c.metadata.nbgrader.grade_id == "path"]
        code = "".join(c.source + "\n" for c in sheet.cells if "jumps = hmm.Chain" in c.source)
        exec("import numpy as np\nfrom emtools import hmm\n" + code + cell.source, space)
        answers.add(round(float(space["probability_of_days"]), 3))
    assert len(answers) > 4


@pytest.mark.parametrize("answer", ["ab", "B, a", ["a", "b"], ("A", "b"), {"a", "b"}])
def test_letters_are_read_in_any_form(answer):
    assert letters_of(answer, "abc") == {"a", "b"}


@pytest.mark.parametrize("answer", [None, "", "abd", ["a", None], 3, len])
def test_what_are_no_letters(answer):
    assert letters_of(answer, "abc") is None
