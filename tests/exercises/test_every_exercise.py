"""What holds for the check of every exercise, found by what it returns."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import numpy as np
import pytest
from verdicts import verdict_of

from emtools.course import exercises
from emtools.course.exercises import Verdict, in_turn, not_yet, right, to_do

CHAPTERS = [module.name for module in pkgutil.iter_modules(exercises.__path__)]


def checks_of(chapter):
    """The functions of a chapter's module that return a verdict."""
    module = importlib.import_module(f"emtools.course.exercises.{chapter}")
    functions = inspect.getmembers(module, inspect.isfunction)
    return [f for _, f in functions if inspect.signature(f).return_annotation is Verdict]


def parameters(check):
    return inspect.signature(check).parameters.values()


def kinds(check):
    """What the answers may be, `X | None` taken apart."""
    annotations = [parameter.annotation for parameter in parameters(check)]
    return {kind for one in annotations for kind in getattr(one, "__args__", [one])}


CHECKS = [check for chapter in CHAPTERS for check in checks_of(chapter)]
OF_FUNCTIONS = [check for check in CHECKS if Callable in kinds(check)]
OF_VALUES = [check for check in CHECKS if Callable not in kinds(check)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_three_to_five_exercises_and_a_file_of_tests(chapter, request):
    assert 3 <= len(checks_of(chapter)) <= 5
    assert request.path.with_name(f"test_{chapter}.py").exists()


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_says_what_it_takes(check):
    assert check.__doc__
    assert all(p.annotation is not p.empty for p in parameters(check))


@pytest.mark.parametrize("check", OF_VALUES)
def test_a_stub_is_told_what_to_do_and_nonsense_is_survived(check):
    n_answers = len(parameters(check))
    assert verdict_of(check, *[None] * n_answers).right is None
    for nonsense in ("text", [], {}, object(), np.nan, np.zeros((3, 3)), lambda: 0):
        assert verdict_of(check, *[nonsense] * n_answers).right is False


NONSENSE = {
    "None": None,
    "text": "text",
    "number": 3,
    "no arguments": lambda: 0,
    "fails": lambda *given: 1 / 0,
    "returns None": lambda *given: None,
    "returns text": lambda *given: "",
    "returns a dict": lambda *given: {},
}


@pytest.mark.parametrize("check", OF_FUNCTIONS)
@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_functions_are_survived(check, nonsense):
    museum = [{"right": 0}] * (len(parameters(check)) - 1)  # one takes it beside its function
    is_stub = nonsense is None and type(None) in kinds(check)
    assert verdict_of(check, nonsense, *museum).right is (None if is_stub else False)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([right("first"), right("second")], "second"),
        ([not_yet("first"), right("second")], "first"),
        ([right("first"), not_yet("second"), right("third")], "second"),
        ([right("first"), to_do("second")], "second"),
        ([to_do("first"), not_yet("second")], "first"),
    ],
)
def test_in_turn_speaks_of_the_first_part_that_is_not_right(parts, message):
    assert in_turn(*parts).message == message
