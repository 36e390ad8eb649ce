"""Coursework: assignments for nbgrader from question texts and a seed, and their grading.

`python docs/coursework.py build --seed SEED` writes the course folder coursework/SEED, which git
ignores, with every assignment in it; names after it, such as `01 03 hunt_a_bug`, choose some.
`python docs/coursework.py try 03` makes one of twenty seeds, tries it out, and keeps nothing.
"""

import argparse
import contextlib
import copy
import io
import os
import re
import shutil
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import contents
import nbformat
from coursework_text import BadText, read_questions

TEXTS = contents.SOURCE / "coursework"
INTO = contents.ROOT / "coursework"
NBGRADER = (0, 9, 5)
EXAMPLE = 620448401733239  # the lecturers' page has it
BOOK, SETTINGS = "gradebook.db", "nbgrader_config.py"
CONFIG = '''"""Settings of nbgrader for this course folder; more of them go below."""

import sys

sys.path.append({docs!r})  # of the course's repository
from coursework_settings import settle

c = get_config()
settle(c, __file__)
c.Execute.timeout = 30  # seconds for one cell
'''


def main(arguments=None):
    """Do what the command line asks for; what is wrong with it is said in one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["build", "try", "grade", "feedback"])
    parser.add_argument("names", nargs="*", help="numbers of chapters or names of texts; else all")
    parser.add_argument("--seed", default="", help="a secret whole number, another each year")
    parser.add_argument("--texts", type=Path, default=TEXTS, help="the folder of question texts")
    parser.add_argument("--into", type=Path, help="the course folder; coursework/SEED if not given")
    parser.add_argument("--again", action="store_true", help="grade what is graded already, too")
    options = parser.parse_intermixed_args(arguments)
    try:
        check_nbgrader()
        # nbgrader calls its neighbour `alembic` by name.
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        if options.command == "try":
            try_seeds(options.names, options.texts)
            return
        seed = seed_of(options.seed)
        into = (options.into or INTO / str(seed)).resolve()
        if options.command == "build":
            build(options.names, seed, options.texts, into)
        else:
            grade_class(into, options.names, options.command == "feedback", options.again)
    except BadText as error:
        sys.exit(str(error))


def seed_of(text):
    """The seed as a number."""
    if not text.isdecimal():
        found = repr(text) if text else "nothing"
        raise BadText(f"The seed is a whole number, such as SEED={EXAMPLE}, not {found}.")
    return int(text)


def check_nbgrader():
    """Stop if nbgrader is missing or too old."""
    wanted = ".".join(map(str, NBGRADER))
    try:
        found = version("nbgrader")
    except PackageNotFoundError:
        raise BadText(f"nbgrader is missing: pip install 'nbgrader>={wanted}'.") from None
    if tuple(map(int, re.findall(r"\d+", found)[:3])) < NBGRADER:
        raise BadText(f"nbgrader {found} is too old: pip install 'nbgrader>={wanted}'.")


def assignments(folder):
    """Every assignment by name, which begins with its chapter's number if it has one: its text."""
    chapters = {chapter["file"]: contents.stem(chapter) for chapter in contents.chapters()}
    texts = [path for path in sorted(folder.glob("*.md")) if path.stem != "README"]
    if not texts:
        raise BadText(f"There is no question text in {folder}.")
    return dict(sorted((chapters.get(path.stem, path.stem), path) for path in texts))


def chosen(names, known):
    """The assignments that these names or numbers mean; all, if there are none."""
    found = []
    for name in names:
        fits = [whole for whole in known if name in (whole, *whole.split("_", 1))]
        if len(fits) != 1:
            raise BadText(f"No assignment is called {name}; there are {', '.join(known)}.")
        found += fits
    return {name: known[name] for name in found or known}


def build(names, seed, texts, into):
    """Write a course folder with these assignments, as nbgrader generates them, or nothing."""
    from coursework_grade import check_book

    picked = chosen(names, assignments(texts))
    files = [place for place in (into, *into.parents) if place.is_file()]
    if files:
        raise BadText(f"{files[0]} is a file; a course folder is to stand at {into}.")
    handed_in = [path for name in picked for path in into.glob(f"submitted/*/{name}")]
    if handed_in:
        raise BadText(f"{handed_in[0]} has been handed in: what is being graded is not made anew.")
    if all((into / file).exists() for file in (BOOK, SETTINGS)):
        check_book(into)  # a copy of it takes in the assignments
    into.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".building-") as folder:
        folder = Path(folder)
        docs = str(Path(__file__).resolve().parent)
        (folder / SETTINGS).write_text(CONFIG.format(docs=docs), encoding="utf-8")
        for file in (BOOK, SETTINGS):  # the lecturer's own settings stay
            if (into / file).exists():
                shutil.copy2(into / file, folder)
        for name, path in picked.items():
            place = folder / "source" / name / f"{name}.ipynb"
            place.parent.mkdir(parents=True)
            nbformat.write(tried(path, seed), place)
        generate(folder, picked)
        move(folder, into, picked)
    print(f"In {os.path.relpath(into)}: {', '.join(picked)}.")
    print("release/ is for the students; source/ holds answers and hidden tests.")
    if seed < 10**9 or seed == EXAMPLE:
        print("This seed can be guessed: whoever has the course can make these answers with it.")


def move(folder, into, names):
    """Put what has been built in the place where it belongs."""
    into.mkdir(exist_ok=True)
    for place in (Path(step, name) for step in ("source", "release") for name in names):
        if (into / place).exists():
            shutil.rmtree(into / place)
        (into / place).parent.mkdir(exist_ok=True)
        shutil.move(folder / place, into / place)
    for file in (BOOK, SETTINGS):
        os.replace(folder / file, into / file)


def grade_class(course, names, only_feedback, again):
    """Grade what has been handed in of one assignment, or write the feedback anew."""
    from coursework_grade import grade, write_feedback

    if not (course / SETTINGS).exists() or not (course / "release").is_dir():
        raise BadText(f"There is no course folder {course}: make coursework SEED={course.name}.")
    known = {path.name: path for path in sorted((course / "release").iterdir())}
    picked = chosen(names, known)
    if len(names) != 1:
        raise BadText(f"Which assignment? ASSIGNMENT=01, one of {', '.join(known)}.")
    [name] = picked
    if write_feedback(course, name) if only_feedback else grade(course, name, again):
        sys.exit(1)


def try_seeds(names, texts, seeds=range(1, 21)):
    """Try assignments of several seeds out, and let nbgrader make one, which is thrown away."""
    for name, path in chosen(names, assignments(texts)).items():
        began = time.monotonic()
        for seed in seeds:
            tried(path, seed)
        mean = (time.monotonic() - began) / len(seeds)
        print(f"{name}: right answers get every point and empty ones none, {mean:.1f} s a seed")
    with tempfile.TemporaryDirectory() as folder:
        build(names, seeds[-1], texts, Path(folder) / "course")


def tried(path, seed):
    """The instructor's version of an assignment, once it has been tried out."""
    source = read_questions(path, seed)
    try:
        try_out(source)
    except BadText as error:
        raise BadText(f"{path.name}, seed {seed}: {error}") from None
    return source


def generate(folder, names):
    """Let nbgrader make the students' version of each assignment."""
    from coursework_grade import run_step
    from nbgrader.converters import GenerateAssignment

    for name in names:
        run_step(GenerateAssignment, folder, name, ".")


def try_out(source):
    """Stop unless the answers get every point, and a student who answers nothing gets none."""
    from coursework_settings import STUBS
    from nbgrader.preprocessors import ClearSolutions

    clear = ClearSolutions(**STUBS)
    empty, _ = clear.preprocess(copy.deepcopy(source), {})
    for notebook, who, passes in ((source, "its own answer", True), (empty, "no answer", False)):
        for test, error in outcomes(notebook):
            if passes != (error is None):
                raise BadText(f"With {who}, test {test} {error or 'gives its points'}.")


def outcomes(notebook):
    """Run a notebook that is to be trusted; for each test, its name and what stops it, or None."""
    names = {"__name__": "__main__"}
    for cell in notebook.cells:
        settings = cell.metadata.nbgrader
        if cell.cell_type != "code":
            continue
        error = None
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(cell.source, settings.grade_id, "exec"), names)
        except Exception as raised:  # whatever a text's code raises
            error = f"stops with {type(raised).__name__}: {raised}"
        if settings.grade:
            yield settings.grade_id, error
        elif error:
            raise BadText(f"The cell {settings.grade_id} {error}.")


if __name__ == "__main__":
    main()
