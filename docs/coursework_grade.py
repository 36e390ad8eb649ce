"""Grades a class: repair, autograde, feedback and tables, several students at a time.

nbgrader does each student's part; its gradebook waits for its turn to write. A submission that
cannot be graded is named with the reason, and the others are graded all the same.
"""

import contextlib
import csv
import io
import json
import logging
import os
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import nbformat
from coursework_repair import Damage, repair, write_damage
from coursework_settings import CUT
from coursework_text import BadText
from tqdm import tqdm

ENDS = {"CellTimeoutError": "did not end in time", "DeadKernelError": "ended its kernel"}
CUTS = (CUT, "... Output truncated ...")  # ours, and nbgrader's after a thousand lines
GIGABYTES = 4  # of address space for each student's kernel, on Linux


def grade(course, name, again=False, jobs=None):
    """Grade what has been handed in of an assignment.

    Parameters
    ----------
    course : Path
        The course folder.
    name : str
        The assignment.
    again : bool
        Also what has been graded already and not been handed in anew.
    jobs : int, optional
        How many students at a time; as many as there are cores, if not given.

    Returns
    -------
    dict of str
        Why a student's submission was not graded, for those that were not.
    """
    papers, failed = submissions(course, name)
    check_book(course)
    due = {student: path for student, path in papers.items() if again or is_new(course, path)}
    failed |= for_each(grade_one, course, name, due, jobs)
    found = [
        (student, damage)
        for student, path in papers.items()
        if student not in failed
        for damage in (*damage_of(course, name, path), *ends_of(course, name, student))
    ]
    write_damage(course / f"damage_{name}.csv", found)
    for student, damage in found:
        if student in due:
            print(f"{student}: {damage}")
    for student, reason in failed.items():
        print(f"{student}: NOT DONE: {reason}")
    write_tables(course, name)
    done = len(due.keys() - failed.keys())
    print(f"{done} graded, {len(papers) - len(due)} graded before, {len(failed)} not done.")
    return failed


def write_feedback(course, name):
    """Write feedback and tables anew, once a person has marked what is to be read."""
    graded = [path.parent.name for path in sorted((course / "autograded").glob(f"*/{name}"))]
    if not graded:
        raise BadText(f"{name} has not been graded: make grade first.")
    check_book(course)
    failed = for_each(give_feedback, course, name, graded)
    for student, reason in failed.items():
        print(f"{student}: NO FEEDBACK: {reason}")
    write_tables(course, name)
    return failed


def submissions(course, name):
    """Each student's notebook of an assignment, and why there is none where a folder is odd."""
    folder = course / "submitted"
    how = f"each notebook stands at {folder.name}/STUDENT/{name}/{name}.ipynb"
    if not folder.is_dir() or not any(folder.iterdir()):
        raise BadText(f"Nothing has been handed in: in {course} {how}.")
    if (folder / name).is_dir():
        raise BadText(f"{folder / name} is an assignment where a student should be: {how}.")
    loose = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    if loose:
        raise BadText(f"{folder / loose[0]} is a file where a student's folder should be: {how}.")
    papers, odd = {}, {}
    for place in sorted(folder.glob(f"*/{name}")):
        student = place.parent.name
        try:
            papers[student] = paper(place, name)
        except BadText as error:
            odd[student] = str(error)
    for stray in sorted(folder.glob("*/*.ipynb")):
        if stray.parent.name not in papers:
            odd.setdefault(stray.parent.name, f"{stray} stands in no assignment's folder: {how}.")
    if not papers and not odd:
        raise BadText(f"Nobody has handed in {name}: in {course} {how}.")
    return papers, odd


def paper(place, name):
    """The notebook in a student's folder, under its right name, if it can be read."""
    if any(sign in place.parent.name for sign in "*?["):
        raise BadText(f"nbgrader cannot read a folder with *, ? or [ in its name: {place.parent}.")
    path = place / f"{name}.ipynb"
    every = sorted(place.glob("*.ipynb"))
    if len(every) != 1:
        raise BadText(f"{place} holds {len(every)} notebooks: leave there the one that counts.")
    if every[0] != path:
        os.replace(every[0], path)
        print(f"{place.parent.name}: {every[0].name} is taken for {path.name}.")
    try:
        with quiet():
            read = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        list(read.cells)
    except Exception as error:  # whatever a file may hold
        raise BadText(f"{path} is no notebook ({in_a_line(error)}).") from None
    return path


def in_a_line(error):
    """What an error says, and of which kind it is."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def is_new(course, path):
    """Whether a submission is another than the one that was graded, or not graded at all."""
    done = course / "autograded" / path.relative_to(course / "submitted")
    return not done.exists() or done.stat().st_mtime_ns != path.stat().st_mtime_ns


def damage_of(course, name, path):
    """What was wrong with a submission."""
    release = course / "release" / name / f"{name}.ipynb"
    with quiet():
        both = [nbformat.read(notebook, as_version=4) for notebook in (path, release)]
    return repair(*both)[1]


def ends_of(course, name, student):
    """What the run of a submission met: cells that did not end, or said too much."""
    path = course / "autograded" / student / name / f"{name}.ipynb"
    with quiet():
        cells = nbformat.read(path, as_version=4).cells
    where = "the top"
    for cell in cells:
        known = cell.metadata.get("nbgrader", {}).get("grade_id")
        where = known or f"own cell below {where.removeprefix('own cell below ')}"
        outputs = cell.get("outputs", [])
        names = [output.get("ename") for output in outputs]
        if "NotRun" in names:
            yield Damage(where, "and those below were not run", "the cells above took too long")
            return
        for what in (ENDS[end] for end in ENDS if end in names):
            yield Damage(where, what, "the others keep their points")
        if any(mark in json.dumps(outputs) for mark in CUTS):
            yield Damage(where, "put out too much", "the rest of it is left out")


def for_each(job, course, name, students, jobs=None):
    """Do a job for students, some at a time; return why, for those where it failed."""
    failed = {}
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), initializer=prepare)
    with pool, tqdm(total=len(students), unit="student", disable=not students) as bar:
        waiting = {pool.submit(job, course, name, student): student for student in students}
        for future in as_completed(waiting):
            try:
                reason = future.result()
            except BrokenProcessPool:
                reason = "the grading process was killed, for want of memory perhaps; grade again"
            if reason:
                failed[waiting[future]] = reason
            bar.update()
    return failed


def prepare():
    """Make a grading process silent, and bound the memory of the kernels that it starts."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)  # where kernels write what they have to say
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    warnings.simplefilter("ignore")
    if sys.platform == "linux":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES << 30, hard))


def grade_one(course, name, student):
    """Let nbgrader grade one student and write the feedback; return why not, if it cannot."""
    from nbgrader.converters import Autograde

    try:
        run_step(Autograde, course, name, student)
        reason = give_feedback(course, name, student)
        if reason:
            return f"graded, but without feedback: {reason}"
        place = Path(student, name, f"{name}.ipynb")
        times = (course / "submitted" / place).stat()
        graded = course / "autograded" / place
        os.utime(graded, ns=(times.st_atime_ns, times.st_mtime_ns))  # see is_new
    except Exception as error:  # one student's must not stop the others'
        return str(error)
    return None


def give_feedback(course, name, student):
    """Let nbgrader write one student's feedback; return why not, if it cannot."""
    from nbgrader.converters import GenerateFeedback

    try:
        run_step(GenerateFeedback, course, name, student)
    except Exception as error:
        return str(error)
    return None


def run_step(step, course, name, student="*"):
    """Run one step of nbgrader in silence; if it fails, say why in one line.

    nbgrader logs what happened and then raises something that does not say it.
    """
    from nbgrader.coursedir import CourseDirectory
    from traitlets.log import get_logger

    heard = Heard()
    config = settings_of(course)
    place = CourseDirectory(config=config, assignment_id=name, student_id=student)
    log = get_logger()
    log.addHandler(heard)
    told, old = io.StringIO(), log.propagate
    try:
        log.propagate = False
        with (
            contextlib.redirect_stdout(told),
            contextlib.redirect_stderr(told),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # nbgrader's own, of what it calls
            step(coursedir=place, config=config, force=True).start()
    except Exception as error:  # whatever nbgrader raises
        reason = heard.reason or in_a_line(error)
        raise BadText(f"nbgrader's {step.__name__} of {name} failed: {reason}") from error
    finally:
        log.removeHandler(heard)
        log.propagate = old


class Heard(logging.Handler):
    """Remembers the last line of the first traceback in a log."""

    reason = ""

    def emit(self, record):
        """Take one message."""
        lines = record.getMessage().strip().splitlines() or [""]
        if not self.reason and lines[0].startswith("Traceback"):
            self.reason = lines[-1]


def settings_of(course):
    """The settings in a course folder."""
    from traitlets.config import PyFileConfigLoader

    try:
        return PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    except Exception as error:  # whatever a lecturer's own lines raise
        raise BadText(f"{course}/nbgrader_config.py stops with {in_a_line(error)}.") from error


@contextlib.contextmanager
def quiet():
    """Without what nbformat says of notebooks that are not quite as they should be."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


@contextlib.contextmanager
def open_book(course):
    """The gradebook, or a line that says why it cannot be opened."""
    from nbgrader.api import Gradebook

    url = settings_of(course).CourseDirectory.db_url
    try:
        book = Gradebook(url)
    except Exception as error:  # whatever SQLAlchemy raises
        raise BadText(f"The gradebook {url} cannot be opened ({in_a_line(error)}).") from error
    with quiet(), book:
        yield book


def check_book(course):
    """Stop, before anything is done, where settings or gradebook cannot be read."""
    with open_book(course):
        pass


def write_tables(course, name):
    """Write nbgrader's table of marks, and one with the points of each question."""
    from nbgrader.plugins import CsvExportPlugin

    with open_book(course) as book:
        CsvExportPlugin(to=str(course / "grades.csv")).export(book)
        assignment = book.find_assignment(name)
        rows = [row_of(submission) for submission in assignment.submissions]
        [notebook] = assignment.notebooks
        tests = [cell.name for cell in notebook.grade_cells]
    with (course / f"marks_{name}.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["student", "score", "max_score", "to_read", *tests])
        table.writeheader()
        table.writerows(sorted(rows, key=lambda row: row["student"]))


def row_of(submission):
    """One student's points; `to_read` counts answers that a person has yet to mark."""
    [notebook] = submission.notebooks
    return {
        "student": submission.student.id,
        "score": submission.score,
        "max_score": submission.max_score,
        "to_read": sum(bool(grade.needs_manual_grade) for grade in notebook.grades),
        **{grade.name: grade.score for grade in notebook.grades},
    }
