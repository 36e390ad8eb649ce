"""What .github/CONTRIBUTING.md has one type does what it says: a new chapter, a new family.

A chapter begun by docs/new_chapter.py passes every rule before a word of it is changed.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import contents
import new_chapter
import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
PLANNED = next(chapter for chapter in contents.chapters() if not chapter["written"])
TOSS = ("17", "toss_a_coin", "Toss a coin", "coin")


@pytest.fixture
def copy(tmp_path):
    """As much of the repository as a chapter touches."""
    forget = shutil.ignore_patterns("__pycache__", "artefacts", "benchmarks", ".ipynb_checkpoints")
    for folder in ("docs", "emtools", "notebooks", "tests", ".github"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=forget)
    for name in ("README.md", "pyproject.toml", "Makefile", "environment.yml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def run(copy, *arguments):
    """Run Python in the copy, where `emtools` is the copy's."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
    )


def test_a_new_chapter_passes_as_it_is(copy):
    begun = run(copy, "docs/new_chapter.py", *TOSS)
    assert begun.returncode == 0, begun.stderr
    assert len(begun.stdout.splitlines()) == 6
    built = run(copy, "docs/build.py", "17")
    assert built.returncode == 0, built.stderr
    tests = ("test_notebooks.py", "test_contents.py", "test_coin.py", "exercises")
    exercises = "two_of_three or one_more_toss or only_tails"
    rules = f"toss or coin or {exercises} or every_text or tables or hours or spoken_of or walks"
    checked = run(copy, "-m", "pytest", "-q", *[f"tests/{name}" for name in tests], "-k", rules)
    assert checked.returncode == 0, checked.stdout
    styled = run(copy, "-m", "ruff", "check", ".")
    assert styled.returncode == 0, styled.stdout


@pytest.mark.parametrize(
    ("place", "typed", "words"),
    [
        (0, "7", "'7' is no number of two digits"),
        (0, "05", "there is a chapter 05. Give the later ones higher numbers in .* make renumber"),
        (1, "Toss a coin", "'Toss a coin' can be no file's name"),
        (1, "fit_two_bells", "chapter 01 has the file fit_two_bells. Take another name"),
        (1, "start_here", "chapter 00 has the file start_here"),
        (1, PLANNED["file"], f"chapter {PLANNED['number']} has the file {PLANNED['file']}"),
        (1, "class", "'class' is a word of Python itself"),
        (1, "every_exercise", "tests/exercises/test_every_exercise.py is there"),
        (1, "coin", "file and module are both 'coin', and so are their tests. Take two names"),
        (2, "coin", "the title 'coin' must be a verb"),
        (3, "families", "there is an emtools.families"),
        (3, "hmm", "there is an emtools.hmm"),
        (3, "lambda", "'lambda' is a word of Python itself"),
        (3, "scale", "there is an emtools.scale"),
        (3, "course", "there is an emtools.course"),
        (3, "fit", "there is an emtools.fit"),
        (3, "sample", "there is an emtools.sample"),
        (3, "report", "tests/course/test_report.py is there"),
    ],
)
def test_a_slip_is_named_and_nothing_is_written(place, typed, words, monkeypatch):
    given = [*TOSS]
    given[place] = typed
    monkeypatch.setattr(Path, "write_text", lambda *_, **__: pytest.fail("written"))
    with pytest.raises(SystemExit, match=f"no chapter begun: .*{words}"):
        new_chapter.main(given)


def test_the_page_begins_the_same_chapter():
    [line] = re.findall(r"^make chapter (.+)$", CONTRIBUTING, re.M)
    typed = dict(word.split("=") for word in shlex.split(line))
    assert tuple(typed.values()) == TOSS
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    words = " ".join(f'"$({name})"' for name in typed)
    assert f"docs/new_chapter.py {words}\n" in recipe


FIT_TRIES = """
import numpy as np
from emtools import families, sample
true = families.Tries(np.array([0.4, 0.6]), np.array([0.5, 0.05]))
tries, _ = sample(true, 5000, rng=1)
found = families.fit(tries, 2, families.tries, rng=1)
print(found)
print(*found.parameters.stops.round(1))
families.fit([1, 0], 1, families.tries)
"""


def test_the_family_on_the_page_fits_draws_and_prints(copy):
    [lines] = re.findall(r"<<'EOF'\n(.*?)^EOF$", CONTRIBUTING, re.M | re.S)
    module = copy / "emtools/families.py"
    module.write_text(module.read_text(encoding="utf-8") + lines, encoding="utf-8")
    tried = run(copy, "-c", FIT_TRIES)
    assert "component    weight      stop" in tried.stdout
    assert tried.stdout.split()[-2:] == ["0.0", "0.5"]
    assert "x[1] is 0. The try that hits counts, too" in tried.stderr
    styled = run(copy, "-m", "ruff", "check", ".")
    assert styled.returncode == 0, styled.stdout
