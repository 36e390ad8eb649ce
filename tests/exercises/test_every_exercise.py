"""What holds for the check of every exercise, found by what it returns."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import numpy as np
import pytest
from verdicts import MIXTURE, NONSENSE, RETURNED, as_float32, in_other_forms, in_place, verdict_of

from emtools.course import exercises
from emtools.course.exercises import (
    Verdict,
    answer_of,
    copied,
    in_turn,
    judge,
    not_yet,
    right,
    to_do,
)

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


def named(value):
    """The name of a check, for the names of tests."""
    return getattr(value, "__name__", None)


CHECKS = [check for chapter in CHAPTERS for check in checks_of(chapter)]
OF_FUNCTIONS = [check for check in CHECKS if Callable in kinds(check)]
OF_VALUES = [check for check in CHECKS if Callable not in kinds(check)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_three_to_five_exercises_and_a_file_of_tests(chapter, request):
    assert 3 <= len(checks_of(chapter)) <= 5
    assert request.path.with_name(f"test_{chapter}.py").exists()


@pytest.mark.parametrize("check", CHECKS, ids=named)
def test_a_check_says_what_it_takes(check):
    assert check.__doc__
    assert all(p.annotation is not p.empty for p in parameters(check))


@pytest.mark.parametrize("check", OF_VALUES, ids=named)
def test_a_stub_is_told_what_to_do(check):
    assert verdict_of(check, *[None] * len(parameters(check))).right is None


# "To do." is for the stub: for nothing, and for functions that change nothing, as some stubs do.
LIKE_A_STUB = ("None", "its argument", "its last argument", "in place")

# The one check that takes a museum beside its function gets exhibits by their names alone.
MUSEUM = {name: name for name in ("right", "1 variance as std", "2 old mean", "6 wrong axis")}


def beside(check):
    """What a check takes beside its function."""
    return [MUSEUM] * (len(parameters(check)) - 1)


@pytest.mark.parametrize("nonsense", NONSENSE)
@pytest.mark.parametrize("check", OF_VALUES, ids=named)
def test_nonsense_is_survived_and_never_right_nor_taken_for_the_stub(check, nonsense):
    verdict = verdict_of(check, *[NONSENSE[nonsense]() for _ in parameters(check)])
    assert verdict.right is (None if nonsense == "None" else False)


@pytest.mark.parametrize("nonsense", [*NONSENSE, *RETURNED])
@pytest.mark.parametrize("check", OF_FUNCTIONS, ids=named)
def test_nonsense_functions_are_survived_and_never_right(check, nonsense):
    verdict = verdict_of(check, (NONSENSE | RETURNED)[nonsense](), *beside(check))
    assert verdict.right is not True
    if nonsense not in LIKE_A_STUB:
        assert verdict.right is False


@pytest.mark.parametrize("check", OF_FUNCTIONS, ids=named)
def test_a_forgotten_return_is_named(check):
    assert "returned None" in verdict_of(check, lambda *given: None, *beside(check)).message


# What the chapters' own tests have as right answers.
RIGHT = [one for name in CHAPTERS for one in importlib.import_module(f"test_{name}").RIGHT]
RIGHT_FUNCTIONS = [(check, answers) for check, answers in RIGHT if check in OF_FUNCTIONS]
RIGHT_VALUES = [(check, answers) for check, answers in RIGHT if check in OF_VALUES]


@pytest.mark.parametrize(("check", "answers"), RIGHT_VALUES, ids=named)
def test_a_right_answer_is_right_in_every_form(check, answers):
    each = [in_other_forms(answer) for answer in answers]
    for form in set(each[0]).intersection(*each):
        given = [forms[form] for forms in each]
        assert verdict_of(check, *given).right is True, form


@pytest.mark.parametrize(("check", "answers"), RIGHT_FUNCTIONS, ids=named)
def test_a_right_function_is_right_if_it_works_in_place(check, answers):
    function, *others = answers

    def careless(*given):
        answer = copied(function(*given))
        in_place(*given)
        return answer

    assert verdict_of(check, careless, *others).right is True


@pytest.mark.parametrize(("check", "answers"), RIGHT_FUNCTIONS, ids=named)
def test_a_right_function_is_right_in_float32(check, answers):
    function, *others = answers
    verdict = verdict_of(check, lambda *given: as_float32(function(*given)), *others)
    assert verdict.right is True


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


@pytest.mark.parametrize(
    ("answer", "expected", "rtol", "wanted"),
    [
        (-220.24, -220.2433, 1e-6, "four decimals"),
        (-220, -220.2433, 1e-6, "four decimals"),
        ([-220.243], -220.2433, 1e-6, "four decimals"),
        (np.float32(-220.24), -220.2433, 1e-6, "four decimals"),
        (0.231, 0.231475, 1e-3, "four decimals"),
        (0.23, 0.231475, 1e-3, "four decimals"),
        (5.87, 5.87878, 1e-4, "three decimals"),  # cut, not rounded
        (55, 54.8, 1e-3, "one decimal"),
        ((0.71, 0.58), [0.713, 0.5813], 1e-3, "three decimals"),
        (4.2e-7, 4.2098e-7, 1e-3, "4 significant digits"),
    ],
)
def test_an_answer_that_is_right_but_short_is_asked_for_digits(answer, expected, rtol, wanted):
    verdict = judge(answer, expected, [], what="Anything.", rtol=rtol)
    assert verdict == not_yet(f"Right so far: give {wanted}.")


@pytest.mark.parametrize("answer", [-220.25, -221, -2.2, 0.2, -220.2453, [-220.24, 0], "-220.2z"])
def test_no_other_answer_is_right_so_far(answer):
    verdict = judge(answer, -220.2433, [], what="Stub.", hint="Wrong.", rtol=1e-6)
    assert verdict.right is False
    assert verdict.message.endswith("is not it. Wrong.")


def test_a_slip_is_known_by_fewer_digits_too():
    assert judge(3.14, 2.71828, [(3.14159, "Pi.")], what="", rtol=1e-6) == not_yet("Pi.")


def test_a_function_is_called_on_copies():
    x, chunks, mixture = np.ones(3), [np.ones(2)], MIXTURE
    answer_of(in_place, x, chunks, mixture)
    assert x.all()
    assert chunks[0].all()
    assert all(part.all() for part in mixture)
