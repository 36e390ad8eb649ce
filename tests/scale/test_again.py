"""Chunks that a function reads anew, and chunks that are not the same when they are read again."""

import numpy as np
import pytest
from chunked import FAITHFUL, TWO_BELLS, TWO_ELLIPSES, UNEVEN, WAITING, assert_same_fit, cut

from emtools import fit
from emtools.scale import Again, fit_chunks, fit_file


def changing(chunks, change, after):
    """The same chunks for so many passes, changed ones from then on."""
    passes = iter(range(1000))

    def read():
        late = next(passes) >= after
        yield from (change(chunk.copy()) if late else chunk for chunk in chunks)

    return Again(read)


@pytest.mark.parametrize("start", [TWO_BELLS, 2])
def test_a_function_that_reads_is_gone_through_as_often_as_needed(start):
    chunks = Again(lambda: iter(cut(WAITING, *UNEVEN)))
    assert [len(chunk) for chunk in chunks] == [len(chunk) for chunk in chunks]
    options = {} if start is TWO_BELLS else {"rng": 0}
    plain = {"accelerate": False}
    assert_same_fit(fit_chunks(chunks, TWO_BELLS, **plain), fit(WAITING, TWO_BELLS, **plain))
    assert fit_chunks(chunks, start, **options).converged


def test_a_list_or_a_generator_function_will_do():
    """What it returns need not be an iterator."""
    for read in (lambda: cut(WAITING, 100), lambda: (c for c in cut(WAITING, 100))):
        assert sum(len(chunk) for chunk in Again(read)) == 272


@pytest.mark.parametrize("far", [0.0, 1e3])
@pytest.mark.parametrize("move", [5.0, -0.01])
def test_values_that_move_are_noticed(move, far):
    """On the fast way and, with two groups far from the centre, on the safe one."""
    x = np.concatenate([WAITING, WAITING + far]) if far else WAITING
    start = TWO_BELLS if not far else TWO_BELLS._replace(means=[70, 70 + far], stds=[14, 14])
    moved = changing(cut(x, 9, 200), lambda chunk: chunk + move, after=4)
    with pytest.raises(ValueError, match=r"have changed since.*their mean was .*, and is"):
        fit_chunks(moved, start, tol=0, max_iter=20)


def test_one_value_that_changes_is_noticed():
    def by_one(chunk):
        chunk[0] += 1
        return chunk

    with pytest.raises(ValueError, match=r"mean was 70.8970588\d*, and is 70.9007352"):
        fit_chunks(changing([WAITING], by_one, after=4), TWO_BELLS)


def test_the_column_is_named():
    second = changing(cut(FAITHFUL, 9), lambda chunk: chunk + np.array([0, 0.1]), after=3)
    with pytest.raises(ValueError, match=r"mean of column 1 was 70\.897.*, and is 70\.997"):
        fit_chunks(second, TWO_ELLIPSES)


def test_a_value_that_goes_missing_is_named():
    def gap(chunk):
        chunk[3] = np.nan
        return chunk

    with pytest.raises(ValueError, match=r"chunks\[0\] must be finite.*chunks\[0\]\[3\]"):
        fit_chunks(changing(cut(WAITING, 9), gap, after=4), TWO_BELLS)


@pytest.mark.parametrize("far", [1e6, 1e9, -1e12])
def test_rounding_is_no_change(far):
    moved = TWO_BELLS._replace(means=np.add(TWO_BELLS.means, far))
    assert fit_chunks(cut(WAITING + far, *UNEVEN), moved, tol=0, max_iter=5).n_iter == 5


def test_another_order_is_no_change():
    rng = np.random.default_rng(0)
    shuffled = Again(lambda: np.split(rng.permutation(WAITING), 4))
    plain = {"accelerate": False}
    seen, said = fit_chunks(shuffled, TWO_BELLS, **plain), fit(WAITING, TWO_BELLS, **plain)
    assert_same_fit(seen, said, rtol=1e-8)


def test_several_files_are_told_how():
    with pytest.raises(ValueError, match=r"path must be one .npy file; it is a list.*Again"):
        fit_file(["a.npy", "b.npy"], TWO_BELLS)


def test_files_of_another_kind_are_told_how(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("79\n54\n74\n62\n")
    with pytest.raises(ValueError, match=r"not a whole .npy file.*fit_chunks\(Again\(read\)"):
        fit_file(path, TWO_BELLS)
