"""From a question text and a seed to the instructor's version of an assignment."""

import textwrap

import coursework
import coursework_text
import pytest
from coursework_text import BadText, read_questions

HEAD = """---
jupytext:
  formats: md:myst
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

# Sheet

"""
QUESTION = """
    ```{code-cell}
    :name: mean
    :tags: [question]

    mean = None
    ### BEGIN SOLUTION
    mean = 3
    ### END SOLUTION
    ```
    """
TEST = """
    ```{code-cell}
    :tags: [test, points:2]

    assert mean
    ### BEGIN HIDDEN TESTS
    assert mean == 3
    ### END HIDDEN TESTS
    ```
    """


def text(tmp_path, *parts):
    path = tmp_path / "sheet.md"
    path.write_text(HEAD + "".join(textwrap.dedent(part) for part in parts), encoding="utf-8")
    return path


def cell(body, tags="", name=""):
    options = f":name: {name}\n" * bool(name) + f":tags: [{tags}]\n" * bool(tags)
    return f"```{{code-cell}}\n{options}\n{body}\n```\n"


def test_each_kind_of_cell_has_nbgraders_settings(tmp_path):
    written = '## 2. Why\n\n+++ {"name": "why", "tags": ["written", "points:3"]}\n\nSo.\n'
    sheet = read_questions(text(tmp_path, cell("import math"), QUESTION, TEST, written), 1)
    found = [
        (s.grade_id, s.solution, s.grade, s.locked, s.get("points"))
        for s in (c.metadata.nbgrader for c in sheet.cells)
    ]
    assert found == [
        ("given-001", False, False, True, None),
        ("given-002", False, False, True, None),
        ("mean", True, False, False, None),
        ("mean-1", False, True, True, 2),
        ("given-005", False, False, True, None),
        ("why", True, True, False, 3),
    ]
    assert sheet.cells[4].source == "## 2. Why (3 points)"


def test_a_test_is_a_function_and_says_its_points_and_what_is_hidden(tmp_path):
    sheet = read_questions(
        text(tmp_path, QUESTION, TEST, TEST.replace("TESTS\n", "TESTS: all\n", 1)), 1
    )
    first, second = (c.source for c in sheet.cells[-2:])
    assert first.startswith('def check_mean_1():\n    """2 points."""\n    assert mean\n')
    assert first.endswith("\n\n\ncheck_mean_1()")
    assert "\n    # Hidden checks on other data follow.\n    ### BEGIN HIDDEN TESTS\n" in first
    assert "\n    # Hidden checks follow: all.\n    ### BEGIN HIDDEN TESTS\n" in second


def test_seeded_values_are_filled_in(tmp_path):
    seeded = cell(
        "import numpy as np\nx = np.array([1.5, 2, 4])\nword = 'bell'\nd = {'a': 1}", "seeded"
    )
    prose = "Of {{ x }}, {{ x:.1f }} and {{ word }}; {{x}} and $e^{{y}}$ stay.\n\n"
    code = cell("y = {{ x }}, {{ x:.2f }}, {{ d }}, '{{ word }}'")
    sheet = read_questions(text(tmp_path, seeded, prose, code), 1)
    assert sheet.cells[1].source == (
        "Of 1.5, 2.0 and 4.0, 1.5, 2.0 and 4.0 and bell; {{x}} and $e^{{y}}$ stay."
    )
    assert sheet.cells[2].source == "y = [1.5, 2.0, 4.0], [1.50, 2.00, 4.00], {'a': 1}, 'bell'"


def test_equal_seeds_give_equal_sheets_and_others_do_not(tmp_path):
    path = text(tmp_path, cell("n = rng.integers(10**9)", "seeded"), "Number {{ n }}.\n")
    first = read_questions(path, 1)
    assert read_questions(path, 1) == first
    assert read_questions(path, 2).cells[1].source != first.cells[1].source
    other = path.rename(path.with_name("other.md"))
    assert read_questions(other, 1).cells[1].source != first.cells[1].source


def test_no_test_tells_the_seed(tmp_path):
    """Feedback shows hidden tests, and whoever has the seed makes all answers."""
    path = text(tmp_path, QUESTION, cell("assert mean\nrng = {{ seed }}", "test, points:2"))
    first, second = (read_questions(path, seed).cells[-1].source for seed in (481516234200, 2))
    assert first != second
    assert "481516234200" not in first


def test_a_test_takes_pythons_own_functions_from_python(tmp_path):
    takes = "assert sum(mean for _ in range(2)) == 6 and isinstance(mean, int)"
    sheet = read_questions(text(tmp_path, QUESTION, cell(takes, "test, points:2")), 1)
    assert sheet.cells[-1].source.splitlines()[2] == (
        "    from builtins import int, isinstance, range, sum"
    )
    student = {"mean": 3, "sum": 0, "range": None, "isinstance": 5}
    exec(sheet.cells[-1].source, student)


WRONG = {
    "unknown tag": ([cell("1", "quiz")], "cell 2: tags ['quiz']"),
    "two kinds": ([cell("1", "test, question, points:1")], "there is one of"),
    "test without points": (
        [QUESTION, cell("1", "test")],
        "cells tagged test or written have points",
    ),
    "points without test": ([cell("1", "points:1")], "and no others do"),
    "half a point": ([QUESTION, cell("1", "test, points:1.5")], "points:1.5 is no whole number"),
    "question without name": ([cell("x = 1", "question")], "has a name, such as"),
    "question without solution": ([cell("x = 1", "question", "x")], "between BEGIN and END"),
    "test without question": ([cell("1", "test, points:1")], "stands below the question"),
    "name twice": ([QUESTION, QUESTION], "the name mean stands twice"),
    "written code": ([cell("x", "written, points:1", "why")], "tagged written is Markdown"),
    "unknown value": (["Of {{ nothing }}.\n"], "no seeded cell above defines nothing"),
    "seeded cell stops": ([cell("1 / 0", "seeded")], "stops with ZeroDivisionError: division"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_text_is_told_in_one_line(tmp_path, name):
    parts, words = WRONG[name]
    with pytest.raises(BadText, match=r"^sheet\.md") as raised:
        read_questions(text(tmp_path, *parts), 1)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (
            [QUESTION.replace("mean = 3", "mean = 4"), TEST],
            "own answer, test mean-1 stops with Ass",
        ),
        (
            [QUESTION, TEST.replace("assert mean\n", "mean = mean\n")],
            "test mean-1 stops with Unbound",
        ),
        ([QUESTION, cell("mean = = 3", "test, points:1")], "test mean-1 stops with SyntaxError"),
        ([QUESTION, cell("pass", "test, points:2")], "With no answer, test mean-1 gives"),
        ([cell("import nothing_there"), QUESTION, TEST], "cell given-002 stops with ModuleNot"),
        (
            [
                cell(
                    "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION",
                    "question",
                    "f",
                )
            ],
            "cell f stops with IndentationError",
        ),
    ],
)
def test_a_sheet_that_cannot_be_graded_is_not_made(tmp_path, parts, words):
    with pytest.raises(BadText, match=r"^sheet\.md, seed 1: ") as raised:
        coursework.tried(text(tmp_path, *parts), 1)
    assert words in str(raised.value)


def test_a_text_with_half_a_head(tmp_path):
    path = tmp_path / "sheet.md"
    path.write_text(HEAD.replace("  display_name: Python 3 (ipykernel)\n", ""))
    with pytest.raises(BadText, match=r"^sheet\.md cannot be read: 'display_name' is a required"):
        read_questions(path, 1)


def test_points_are_whole_words():
    assert [coursework_text.in_points(n) for n in (1, 2)] == ["1 point", "2 points"]
