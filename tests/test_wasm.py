"""What stands in for errors of linear algebra and for threads in a browser.

Whether it does so there is tested in `test_lite.py`, in Chromium; here, that it refuses what NumPy
refuses and nothing else, and that it is in nobody's way elsewhere.
"""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import emtools  # noqa: F401
from emtools import wasm

INDEFINITE = np.array([[1.0, 2.0], [2.0, 1.0]])
SINGULAR = np.ones((2, 2))
GOOD = np.array([[2.0, 1.0], [1.0, 3.0]])
ARGUMENTS = {"cholesky": (), "inv": (), "solve": (np.ones((2, 1)),)}
BAD = {"cholesky": INDEFINITE, "inv": SINGULAR, "solve": SINGULAR}


def silent(function):
    """The same function as WebAssembly has it: where NumPy refuses, NaN."""

    def in_wasm(*matrices):
        try:
            return function(*matrices)
        except np.linalg.LinAlgError:
            return np.full_like(matrices[-1], np.nan)

    return in_wasm


@pytest.fixture(params=wasm.REFUSALS)
def case(request):
    """A function of `np.linalg`, the same mended, a matrix it refuses, its other arguments."""
    function = getattr(np.linalg, request.param)
    mended = wasm.refusing(silent(function), wasm.REFUSALS[request.param])
    return function, mended, BAD[request.param], ARGUMENTS[request.param]


def test_refuses_in_numpys_words(case):
    function, mended, bad, others = case
    for matrix in (bad, np.array([GOOD, bad])):  # one of several is enough
        with pytest.raises(np.linalg.LinAlgError) as by_numpy:
            function(matrix, *others)
        with pytest.raises(np.linalg.LinAlgError) as by_us:
            mended(matrix, *others)
        assert str(by_us.value) == str(by_numpy.value)


def test_changes_no_answer(case):
    function, mended, _, others = case
    for matrix in (GOOD, np.array([GOOD, 2 * GOOD])):
        np.testing.assert_array_equal(mended(matrix, *others), function(matrix, *others))


def test_nan_in_nan_out(case):
    """What came in as NaN is nobody's refusal: NumPy lets it through, too."""
    function, mended, _, others = case
    broken = np.full((2, 2), np.nan)
    for answer in (function(broken, *others), mended(broken, *others)):
        assert np.isnan(answer).any()


@pytest.fixture
def pool(monkeypatch):
    """A pool of threads as a browser has it."""
    monkeypatch.setattr(ThreadPoolExecutor, "submit", wasm.do_now)
    with ThreadPoolExecutor(2) as pool:
        yield pool
        assert not pool._threads


def test_a_pool_works_without_threads_and_says_so_once(pool, capsys):
    assert list(pool.map(divmod, [7, 8], [2, 3])) == [(3, 1), (2, 2)]
    assert pool.submit(sorted, "ba", reverse=True).result() == ["b", "a"]
    assert capsys.readouterr().out == wasm.NO_THREADS + "\n"


def test_a_task_that_fails_raises_where_its_result_is_asked_for(pool):
    future = pool.submit(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError):
        future.result()


def test_elsewhere_nothing_is_touched():
    assert ThreadPoolExecutor.submit is not wasm.do_now
    ours = wasm.refusing(np.linalg.inv, "").__code__
    for name in wasm.REFUSALS:
        assert getattr(getattr(np.linalg, name), "__code__", None) is not ours


def test_mend_puts_all_of_it_in_place(monkeypatch):
    for name in wasm.REFUSALS:
        monkeypatch.setattr(np.linalg, name, silent(getattr(np.linalg, name)))
    monkeypatch.setattr(ThreadPoolExecutor, "submit", ThreadPoolExecutor.submit)
    fonts = logging.getLogger("matplotlib.font_manager")
    monkeypatch.setattr(fonts, "level", fonts.level)
    wasm.mend()
    for name, bad in BAD.items():
        with pytest.raises(np.linalg.LinAlgError):
            getattr(np.linalg, name)(bad, *ARGUMENTS[name])
    assert ThreadPoolExecutor.submit is wasm.do_now
    assert fonts.level == logging.ERROR
