"""A class hands in three assignments; nbgrader grades them, whatever they are like."""

import csv
import os
import re
import shutil
import sys

import coursework
import coursework_grade
import pytest
from coursework_settings import MOODLE, RunToTheEnd
from nbformat.v4 import new_code_cell, new_notebook
from students import Student, be_killed, read

BELLS, LOGS, HUNT = "01_fit_two_bells", "03_work_in_log_space", "hunt_a_bug"
DEAF = """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
"""
LOUD = "for _ in range(50):\n    print('x' * 1_000_000)"


@pytest.fixture(scope="module")
def marks(course):
    """Points of each student in each test, by assignment; what was printed; the course."""
    hurry(course)
    for name in (BELLS, LOGS, HUNT):
        Student(course, name).answer().hand_in("perfect")
        Student(course, name).hand_in("empty")
    hand_in_bells(course)
    hand_in_logs(course)
    hand_in_hunts(course)
    with pytest.raises(SystemExit):  # one student's file is no notebook
        grade(course, BELLS)
    grade(course, LOGS)
    grade(course, HUNT)
    return {name: read_marks(course / f"marks_{name}.csv") for name in (BELLS, LOGS, HUNT)}


def grade(course, name, *options):
    coursework.main(["grade", name, "--seed", "2027", "--into", str(course), *options])


def hurry(course):
    """Let endless loops end after four seconds, not thirty."""
    path = course / "nbgrader_config.py"
    path.write_text(path.read_text().replace("timeout = 30", "timeout = 4"))


def hand_in_bells(course):
    Student(course, BELLS).answer("share", "three_bells").hand_in("partly")
    wrong = Student(course, BELLS).write("share", "share = 0.5")
    wrong.write("short_bell", "weight, mean, std = 1, 60.0, 'six'")
    wrong.write("three_bells", "def shares_of_three(*bells):\n    return [1 / 3] * 3").hand_in(
        "wrong"
    )
    storm = Student(course, BELLS).answer()
    storm.write("share", storm.cell("share").source + DEAF)
    storm.write("short_bell", storm.cell("short_bell").source + "\n" + LOUD)
    storm.add("short_bell", new_code_cell("while True:\n    print('y' * 1000)"))
    storm.add("short_bell", new_code_cell("huge = bytearray(6 << 30)"))
    storm.write("three_bells", "def shares_of_three(*bells):\n    import os\n    os._exit(1)")
    storm.hand_in("storm")
    crash = Student(course, BELLS).answer()
    crash.add("share-1", new_code_cell("import os\nos._exit(1)"))
    crash.add("share-1", new_code_cell("import os\nos.environ['OMP_NUM_THREADS']"))
    crash.add("short_bell", new_code_cell("'x' * 9_000_000"))
    crash.add("short_bell", new_code_cell("raise ValueError('y' * 9_000_000)"))
    crash.hand_in("crash")
    tagged = Student(course, BELLS).write("share", "share = 0.5")
    tagged.cell("share-1").metadata.tags = ["skip-execution"]
    tagged.hand_in("tagged")
    sums = Student(course, BELLS).answer()
    for name in ("share", "three_bells"):
        sums.write(name, sums.cell(name).source + "\nsum = list = range = abs = 0")
    sums.write(
        "three_bells", sums.cell("three_bells").source.replace("sum(joints)", "np.sum(joints)")
    )
    sums.hand_in("sums")
    torn = Student(course, BELLS).answer().copy_cell("share").copy_cell("share-1")
    torn.split("three_bells", 3).split("three_bells-1", 3).retype("short_bell")
    torn.retype("short_bell-2").retype("common_factor").lose_id("three_bells-2")
    torn.move("short_bell-3", below="given-001").hand_in("torn")
    gone = Student(course, BELLS).answer().delete("share").delete("short_bell-1")
    gone.lose_id("three_bells").lose_id("common_factor").delete("given-002")
    gone.hand_in("gone")
    path = course / "submitted" / "broken" / BELLS / f"{BELLS}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text('{"cells": [<<<<<<< HEAD')


def hand_in_logs(course):
    Student(course, LOGS).answer("sums", "averaging", "units").hand_in("Ann O'Neil, é")
    wrong = Student(course, LOGS).write("sums", "equal, unequal = [-2000], {}")
    wrong.write("cliff", "minutes = 38.6")
    wrong.write("averaging", "def log_mean_exp(row):\n    return max(row)")
    wrong.write("odds", "def log_odds(x, mixture):\n    return np.log(x / 0.0)").hand_in("wrong")
    warned = Student(course, LOGS).answer("sums", "cliff")
    warned.write("averaging", NAIVE)
    path = warned.hand_in("warned")
    path.rename(path.with_name("my answers (2).ipynb"))


def hand_in_hunts(course):
    partly = Student(course, HUNT).answer("line")
    partly.write("believing", ONLY_BY_HAND).hand_in("partly")
    Student(course, HUNT).write("believing", always("False")).hand_in("believes nothing")
    Student(course, HUNT).write("believing", always("True")).hand_in("believes all")


NAIVE = """
import sys

def log_mean_exp(row):
    print("is this right?" if len(row) > 2 else "", file=sys.stderr)
    return np.log(np.mean(np.exp(row)))
"""


def always(opinion):
    return f"def believes(e_step, m_step):\n    return {opinion}"


ONLY_BY_HAND = """
def believes(e_step, m_step):
    uneven = Mixture(np.array([0.3, 0.7]), np.array([50.0, 80.0]), np.array([5.0, 4.0]))
    share = e_step(np.array([66.0]), uneven)[0][0, 0]
    new = m_step(np.array([1.0, 2, 4]), np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]]), uneven)
    right = np.isclose(share, 0.4836, atol=1e-4) and np.isclose(new.stds[0], np.sqrt(1.375))
    return right and np.isclose(new.weights[0], 1.6 / 3)
"""


def read_marks(path):
    with path.open(encoding="utf-8") as file:
        return {row.pop("student"): row for row in csv.DictReader(file)}


def points(row):
    """Points by test, without the written answers that nobody has read."""
    numbers = {key: float(value) for key, value in row.items() if "-" in key}
    return numbers, sum(numbers.values())


def lost(row, full):
    """Tests in which a student has not all points."""
    return {test for test, number in points(row)[0].items() if number < points(full)[0][test]}


@pytest.mark.parametrize(("name", "total"), [(BELLS, 8), (LOGS, 11), (HUNT, 12)])
def test_right_answers_get_all_and_no_answers_nothing(marks, name, total):
    assert points(marks[name]["perfect"])[1] == total
    assert float(marks[name]["perfect"]["max_score"]) == total + 2
    assert marks[name]["perfect"]["to_read"] == "1"
    assert points(marks[name]["empty"])[1] == 0
    assert marks[name]["empty"]["to_read"] == "0"  # nothing was written


def test_some_right_answers_get_theirs(marks):
    bells, logs = marks[BELLS], marks[LOGS]
    assert lost(bells["partly"], bells["perfect"]) == {f"short_bell-{n}" for n in (1, 2, 3)}
    odd = "Ann O'Neil, é"
    assert lost(logs[odd], logs["perfect"]) == {"cliff-1", "odds-1", "odds-2"}


def test_wrong_answers_get_nothing(marks):
    assert points(marks[BELLS]["wrong"])[1] == 0
    assert points(marks[LOGS]["wrong"])[1] == 0


def test_a_warning_and_words_on_stderr_are_no_mistake(marks):
    row = marks[LOGS]["warned"]
    assert lost(row, marks[LOGS]["perfect"]) == {
        *("averaging-2", "odds-1", "odds-2", "units-1", "units-2")
    }


def test_loops_floods_and_crashes_cost_their_own_points_only(marks):
    bells = marks[BELLS]
    assert lost(bells["storm"], bells["perfect"]) == {"share-1", "three_bells-1", "three_bells-2"}
    assert lost(bells["crash"], bells["perfect"]) == set()


def test_output_is_cut(marks, course):
    path = course / "autograded" / "storm" / BELLS / f"{BELLS}.ipynb"
    assert path.stat().st_size < 1_000_000
    assert "the rest of this output is left out" in path.read_text()
    path = course / "autograded" / "crash" / BELLS / f"{BELLS}.ipynb"
    assert path.stat().st_size < 100_000
    cells = {cell.source[:5]: cell for cell in read(path).cells}
    assert cells["'x' *"].outputs[0].data["text/plain"] == coursework_grade.CUT
    assert [output.ename for output in cells["raise"].outputs] == ["ValueError"]


def test_a_kernel_has_one_thread(marks, course):
    path = course / "autograded" / "crash" / BELLS / f"{BELLS}.ipynb"
    [cell] = [cell for cell in read(path).cells if "OMP_NUM" in cell.source]
    assert cell.outputs[0].data["text/plain"] == "'1'"


def test_a_tag_gives_no_points(marks):
    assert points(marks[BELLS]["tagged"])[1] == 0


def test_names_of_python_that_a_student_takes_cost_nothing(marks):
    assert lost(marks[BELLS]["sums"], marks[BELLS]["perfect"]) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="bounded on Linux only")
def test_memory_is_bounded(marks, course):
    path = course / "autograded" / "storm" / BELLS / f"{BELLS}.ipynb"
    [cell] = [cell for cell in read(path).cells if cell.source.startswith("huge")]
    assert [output.ename for output in cell.outputs] == ["MemoryError"]


def test_damaged_cells_cost_nothing_if_the_answer_is_there(marks):
    bells = marks[BELLS]
    assert lost(bells["torn"], bells["perfect"]) == set()
    assert lost(bells["gone"], bells["perfect"]) == {"share-1"}
    assert bells["torn"]["to_read"] == bells["gone"]["to_read"] == "1"


def test_each_damage_is_named(marks, course):
    with (course / f"damage_{BELLS}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["student"] for row in rows} == {"torn", "gone", "storm", "crash"}
    ends = {(row["student"], row["cell"], row["what"]) for row in rows}
    assert ends >= {
        ("storm", "share", "did not end in time"),
        ("storm", "short_bell", "put out too much"),
        ("storm", "own cell below short_bell", "did not end in time"),
        ("storm", "three_bells-1", "ended its kernel"),
        ("crash", "own cell below share-1", "ended its kernel"),
    }
    torn = {row["cell"] for row in rows if row["student"] == "torn"}
    assert torn >= {"share", "share-1", "three_bells", "three_bells-1", "short_bell"}
    assert torn >= {"short_bell-2", "common_factor", "three_bells-2", "short_bell-3"}
    gone = {row["cell"] for row in rows if row["student"] == "gone"}
    assert gone == {"share", "short_bell-1", "three_bells", "common_factor", "given-002"}


def test_the_student_is_told(marks, course):
    page = (course / "feedback" / "torn" / BELLS / f"{BELLS}.html").read_text(encoding="utf-8")
    assert "Put right before grading" in page


def test_what_is_no_notebook_is_left_out_and_the_others_graded(marks, course):
    assert "broken" not in marks[BELLS]
    assert not (course / "autograded" / "broken").exists()


def test_a_hunter_must_believe_right_code_and_catch_more_than_the_exhibit(marks):
    hunt = marks[HUNT]
    for name in ("believes nothing", "believes all"):
        assert points(hunt[name])[1] == 0
    numbers, _ = points(hunt["partly"])
    assert numbers["line-1"] == 2
    assert [numbers[f"believing-{n}"] for n in range(1, 6)] == [2, 1, 1, 1, 1]
    assert numbers["believing-6"] == 0  # it never looked at what is printed


def test_graded_once_is_not_graded_again_until_it_is_handed_in_anew(marks, course, capsys):
    grade(course, LOGS)
    assert "0 graded, 5 graded before, 0 not done." in capsys.readouterr().out
    path = course / "submitted" / "empty" / LOGS / f"{LOGS}.ipynb"
    os.utime(path, (0, 0))  # an old file, as from a ZIP
    grade(course, LOGS)
    assert "1 graded, 4 graded before, 0 not done." in capsys.readouterr().out


def test_feedback_that_fails_is_written_with_the_next_grading(marks, course, capsys):
    page = course / "feedback" / "wrong" / LOGS
    shutil.rmtree(page)
    page.write_text("in the way")
    graded = course / "autograded" / "wrong" / LOGS / f"{LOGS}.ipynb"
    os.utime(graded, (0, 0))
    with pytest.raises(SystemExit):
        grade(course, LOGS)
    assert "wrong: NOT DONE: graded, but without feedback: " in capsys.readouterr().out
    page.unlink()
    grade(course, LOGS)
    assert "1 graded, 4 graded before, 0 not done." in capsys.readouterr().out
    assert (page / f"{LOGS}.html").exists()


def test_points_that_a_person_gives_are_in_table_and_feedback(marks, course):
    with coursework_grade.open_book(course) as book:
        mark = book.find_grade("common_factor", BELLS, BELLS, "torn")
        mark.manual_score, mark.needs_manual_grade = 1.5, False
        book.db.commit()
    coursework.main(["feedback", "01", "--seed", "2027", "--into", str(course)])
    row = read_marks(course / f"marks_{BELLS}.csv")["torn"]
    assert (row["common_factor"], row["to_read"]) == ("1.5", "0")
    assert float(row["score"]) == float(marks[BELLS]["torn"]["score"]) + 1.5
    page = (course / "feedback" / "torn" / BELLS / f"{BELLS}.html").read_text(encoding="utf-8")
    assert "Score: 1.5 / 2.0" in page


def test_again_takes_everything_and_tells_what_was_damaged(marks, course, capsys):
    Student(course, LOGS).delete("sums").hand_in("late")
    grade(course, LOGS, "--again")
    said = capsys.readouterr().out
    assert "late: sums was deleted; it is there again, as handed out." in said
    assert "6 graded, 0 graded before, 0 not done." in said


def ran(*sources, **settings):
    """What the cells of a notebook leave, run to the end."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    settings.setdefault("kernel_name", "python3")
    RunToTheEnd(**settings).preprocess(notebook, {})
    return [output for cell in notebook.cells for output in cell.outputs]


def test_a_notebook_has_so_many_seconds():
    outputs = ran("1 + 1", "2 + 2", max_seconds=0)
    assert [output.ename for output in outputs] == ["NotRun"] * 2


def test_a_new_kernel_does_not_run_an_endless_loop_again(tmp_path):
    loop = f"print('x', file=open({str(tmp_path / 'runs')!r}, 'a'))\nwhile True:\n    pass"
    outputs = ran("a = 3", loop, "import os; os._exit(1)", "a", timeout=2)
    assert [output.get("ename") for output in outputs[:3]] == [
        *("KeyboardInterrupt", "CellTimeoutError", "DeadKernelError")
    ]
    assert outputs[3].data["text/plain"] == "3"
    assert (tmp_path / "runs").read_text() == "x\n"


def test_folders_of_moodle():
    found = re.match(MOODLE, f"x/Ann O'Neil_1234_assignsubmission_file_/{BELLS}.ipynb")
    assert found.groupdict() == {"student_id": "Ann O'Neil_1234", "file_id": f"{BELLS}.ipynb"}


def test_a_grading_process_that_is_killed_is_told(course):
    [reason] = coursework_grade.for_each(be_killed, course, LOGS, ["ann"], jobs=1).values()
    assert "was killed" in reason


def test_nbgraders_table_has_everybody(marks, course):
    lines = (course / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith(HUNT) for line in lines) == 15  # all who have handed anything in
