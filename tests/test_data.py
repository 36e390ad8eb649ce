import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris

from emtools import data

FOLDER = Path(data.__file__).parent
# As `sha256sum *.csv` prints it.
SHA256SUMS = """
d7c72d16bec21fd428819da92823ae66d46cd0c214a5c8f47c457a03b7519c34 acidity.csv
856bd01d5ec7907fcc27526c4b1644a4e2503be0335accab04464fa007591dc8 carcinoma.csv
ef5d7802b153265accb7c8e6e042777ec8d8a7cf93f0b714841f95a712f6d667 coinflip_do_batzoglou2008.csv
e3fdfb9ed9e261186da6d6abaa4499bbbc96dc5fc038a608201e55e95f8d2a4b coinflip_em.csv
9b98154a8500edda149a107e428f8741052f16b692738793c59d2f85255315fd dawid_skene1979.csv
86b58007f52973edfc06eae2905049c2f0530525d834f6985e2cd2ada94f401d document_em.csv
4c4b1d822fd6e568f2a40c3f0dd81e889e0179b2bded049b52960609d792a4df earthquakes.csv
a5aef16ce26ecf683cc904aa1af4bd5cefa0f81c2827ca00a1b37b2722280c47 enzyme.csv
2da9ef67231ab7542d2ec3e5a741a8d53ada92a24103195ce7d1f9b8e36a986d faithful.csv
4c778dbd4ae5637d19971666832739cc021267893f4bf600441ee0dfc0f4d5fb freireich1963.csv
9d02dad4e05dff5a7dcdda04e0b59da3cd0692614415c91c69fd2e28a89e4558 galaxies_MASS.csv
f05f1bb0d54b83ff81ce2c2b0c9914845d2588a2610905538e977c717abc03b6 galaxies_roeder_mixAK.csv
c0802ad0381e6e352a171e34259010de3e97a7e18109bf82337d7df1107d7334 icecream_eisner.csv
d440daded18634c1da2f05e6b1a30385f2aca6cd38455b31d263e1657260112a iris.csv
3f469176a1a4c1eec4b91c4085110f93d9c1f5321e718da85af1ff74a9dd3089 linkage.csv
037849957fdad22bdf12c47773756b6e32f80a4a8a22836507a27ef3f7f8d249 linkage_em.csv
7e917fdf5f10d3b5c4e44fec35dbcc2b7f78768f352a2aa10a27ac28592221c3 london_deaths_hasselblad1969.csv
6d13e2f102d6d5d80eeb6b547d56d0259d57bdb798cc6be4ba73b2bcbdcd3092 murray1977.csv
f204db2c753b0937caac3cb35258562c14f073e4bbc76be24b4c51ce22767a93 penguins.csv
741c443cc2d4b3f7d96a1d2cda147a2450226c5ea0b91fdbd933905c1a7a08f4 speed_depmix.csv
11a7345c48ed68164246b47fb13ceb2147caa852357e47b6d622ea263e7e92a2 tone_cohen1980.csv
"""
SHA256 = {name: digest for digest, name in map(str.split, SHA256SUMS.split("\n")[1:-1])}
LOADERS = sorted(set(data.__all__) - {"read_csv"})


def arrays_of(loader):
    """What a loader returns, always as a tuple."""
    result = getattr(data, loader)()
    return result if isinstance(result, tuple) else (result,)


# The files


def test_every_file_has_a_checksum():
    assert sorted(path.name for path in FOLDER.glob("*.csv")) == sorted(SHA256)


@pytest.mark.parametrize("name", SHA256)
def test_the_files_are_as_they_were_given(name):
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == SHA256[name]


@pytest.mark.parametrize("name", SHA256)
def test_the_readme_has_a_row_for_every_file(name):
    rows = [line for line in (FOLDER / "README.md").read_text("utf-8").splitlines() if "|" in line]
    assert any(row.startswith(f"| `{name}` |") for row in rows)


# The loaders


@pytest.mark.parametrize(
    ("loader", "shapes"),
    {
        "acidity": [(155,)],
        "carcinoma": [(20, 7), (20,)],
        "coin_iterates": [(21,), (21, 2), (21,)],
        "coin_tosses": [(5,), (5,)],
        "deaths": [(10,), (10,)],
        "document_iterates": [(5,), (5, 6)],
        "earthquakes": [(107,), (107,)],
        "enzyme": [(245,)],
        "galaxies": [(82,)],
        "ice_cream": [(33,)],
        "iris": [(150, 4), (150,)],
        "judgements": [(45, 7), (7,)],
        "linkage": [(4,)],
        "linkage_iterates": [(12,), (12,), (12,), (12,)],
        "murray": [(12, 2)],
        "old_faithful": [(272, 2)],
        "penguins": [(344, 4), (344,)],
        "speed": [(439,), (439,), (439,)],
        "tones": [(150,), (150,)],
        "waiting": [(272,)],
        "remission": [(21,), (21,)],
    }.items(),
)
def test_sizes(loader, shapes):
    assert [array.shape for array in arrays_of(loader)] == shapes


@pytest.mark.parametrize("loader", LOADERS)
def test_every_docstring_says_size_unit_and_source(loader):
    docstring = getattr(data, loader).__doc__
    assert "Returns\n" in docstring
    assert "Source:" in docstring
    for array in arrays_of(loader):
        assert f"{array.shape} array" in docstring
        assert ("array of int" in docstring) or array.dtype.kind != "i"


@pytest.mark.parametrize("loader", LOADERS)
def test_every_call_gives_new_arrays(loader):
    for first, second in zip(arrays_of(loader), arrays_of(loader), strict=True):
        # Whole numbers as np.bincount and np.repeat want them, of 32 bits in a browser.
        assert first.dtype in (np.float64, np.dtype(int)) or first.dtype.kind == "U"
        assert first.flags.writeable
        assert not np.shares_memory(first, second)
        assert_array_equal(first, second)


def test_old_faithful():
    both = data.old_faithful()
    assert_array_equal(both[:, 1], data.waiting())
    assert_allclose(both[:3], [[3.6, 79], [1.8, 54], [3.333, 74]], rtol=1e-15)
    assert_allclose(both.mean(axis=0), (3.4877831, 70.8970588), rtol=1e-8)
    assert_allclose(np.std(data.waiting()), 13.569960017586371, rtol=1e-15)
    assert_allclose(np.std(data.waiting(), ddof=1), 13.594974, rtol=1e-7)
    assert len(np.unique(data.waiting())) == 51


def test_galaxies_with_and_without_the_misprint():
    printed, corrected = data.galaxies(), data.galaxies(corrected=True)
    assert np.flatnonzero(printed != corrected).tolist() == [77]
    assert_allclose((printed[77], corrected[77]), (26690, 26960), rtol=0)
    for velocities in (printed, corrected):
        assert (velocities == np.round(velocities)).all()
        assert (np.diff(velocities) >= 0).all()
        assert_allclose(velocities[[0, 81]], (9172, 34279), rtol=0)


def test_acidity_and_enzyme():
    assert_allclose(data.acidity()[:3], (2.928524, 3.910021, 3.732896), rtol=1e-15)
    assert_allclose(data.enzyme().sum(), 152.452, rtol=1e-12)


def test_iris_is_scikit_learns():
    measurements, species = data.iris()
    theirs = load_iris()
    assert_allclose(measurements, theirs.data, rtol=0)
    assert_array_equal(species, theirs.target_names[theirs.target])


def test_penguins_of_whom_two_were_not_measured():
    measurements, species = data.penguins()
    missing = np.isnan(measurements)
    assert np.flatnonzero(missing.any(axis=1)).tolist() == [3, 271]
    assert missing.sum() == 8
    assert_allclose(measurements[0], [39.1, 18.7, 181, 3750], rtol=0)
    assert_allclose(measurements[-1], [50.2, 18.7, 198, 3775], rtol=0)
    assert dict(zip(*np.unique(species, return_counts=True), strict=True)) == {
        "Adelie": 152,
        "Chinstrap": 68,
        "Gentoo": 124,
    }
    frame = pd.read_csv(FOLDER / "penguins.csv")
    assert_allclose(measurements, frame.iloc[:, 2:6].to_numpy(float), rtol=0)
    assert_array_equal(species, frame["species"])


def test_deaths():
    deaths, days = data.deaths()
    assert_array_equal(deaths, range(10))
    assert_array_equal(days, [162, 267, 271, 185, 111, 61, 27, 8, 3, 1])
    assert days.sum() == 1096
    assert deaths @ days == 2364


def test_coins_linkage_and_ice_cream():
    heads, tosses = data.coin_tosses()
    assert_array_equal(heads, [5, 9, 8, 4, 7])
    assert_array_equal(tosses, [10] * 5)
    assert_array_equal(data.linkage(), [125, 18, 20, 34])
    assert_array_equal(np.unique(data.ice_cream()), [1, 2, 3])


def test_pathologists_anaesthetists_and_a_musician():
    patterns, slides = data.carcinoma()
    assert slides.sum() == 118
    assert len(np.unique(patterns, axis=0)) == 20
    assert_array_equal(np.unique(patterns), [0, 1])
    assert_array_equal(patterns[slides == 34], [[0] * 7])
    grades, raters = data.judgements()
    assert_array_equal(np.unique(grades), [1, 2, 3, 4])
    assert_array_equal(raters, [0, 0, 0, 1, 2, 3, 4])
    assert_array_equal(grades[1], [3, 3, 3, 4, 3, 3, 4])
    stretch, tuned = data.tones()
    assert_allclose([stretch[0], tuned[0]], [1.35, 1.461], rtol=1e-15)
    assert_allclose([stretch.min(), stretch.max()], [1.35, 3], rtol=1e-15)


def test_murray_has_eight_gaps():
    points = data.murray()
    assert np.isnan(points).sum(axis=0).tolist() == [4, 4]
    assert_allclose(np.nansum(points**2, axis=0), (20, 20), rtol=1e-15)
    complete = points[~np.isnan(points).any(axis=1)]
    assert_allclose(complete, [[1, 1], [1, -1], [-1, 1], [-1, -1]], rtol=0)


def test_remission_ended_nine_times_in_359_weeks():
    weeks, relapsed = data.remission()
    assert (weeks.sum(), relapsed.sum()) == (359, 9)
    assert (np.diff(weeks) >= 0).all()


def test_earthquakes():
    years, counts = data.earthquakes()
    assert_array_equal(years, range(1900, 2007))
    assert_allclose(counts.mean(), 19.364, rtol=0, atol=5e-4)
    assert_allclose(counts.var(ddof=1), 51.573, rtol=0, atol=5e-4)


def test_speed():
    series, log_times, right = data.speed()
    assert_array_equal(np.bincount(series), [0, 168, 134, 137])
    assert_allclose(log_times[:2], (6.456769655572163, 5.602118820879701), rtol=1e-15)
    assert_array_equal(right[:4], [1, 1, 0, 0])


def test_document_iterates():
    iterations, parameters = data.document_iterates()
    assert_array_equal(iterations, [1, 2, 5, 25, 100])
    first = (78.25288680232676, 53.988398472311296, 8.414664105800085, 5.864243168840991)
    assert_allclose(parameters[0, :4], first, rtol=1e-15)
    assert_allclose(parameters[:, 4:].sum(axis=1), 1, rtol=1e-14)


def test_linkage_iterates_agree_with_closed_forms():
    iterations, theta, error, ratio = data.linkage_iterates()
    assert_array_equal(iterations, range(12))
    y_1, y_2, y_3, y_4 = data.linkage()
    split = y_1 * theta / (2 + theta)  # what the E-step takes from the first cell
    step = (split + y_4) / (split + y_2 + y_3 + y_4)
    assert_allclose(theta[1:], step[:-1], rtol=1e-14)
    root = (15 + np.sqrt(15**2 + 4 * 197 * 68)) / (2 * 197)
    assert_allclose(theta - root, error, rtol=1e-9, atol=1e-15)
    assert_allclose(ratio[:-1], error[1:] / error[:-1], rtol=1e-9)


def test_coin_iterates_end_at_the_published_limit():
    iterations, theta, log_likelihood = data.coin_iterates()
    assert_array_equal(iterations, [*range(16), 20, 30, 50, 100, 400])
    assert_allclose(theta[0], (0.6, 0.5), rtol=1e-15)
    assert_allclose(theta[-1], (0.7967890669226469, 0.5195831201451351), rtol=1e-15)
    heads, tosses = data.coin_tosses()
    # By brute force: each set is half as likely under either coin.
    by_coin = (
        theta[:, None, :] ** heads[:, None] * (1 - theta[:, None, :]) ** (tosses - heads)[:, None]
    )
    assert_allclose(np.log(by_coin.mean(axis=2)).sum(axis=1), log_likelihood, rtol=1e-13)


def test_the_loaders_work_from_any_folder_and_draw_nothing(tmp_path):
    code = (
        "import sys, emtools.data as d; print(d.waiting().sum(), "
        "{'matplotlib', 'pandas', 'scipy'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["19284.0", "set()"]


# read_csv


@pytest.fixture
def written(tmp_path):
    """Write bytes or text to a file and return its path."""

    def write(content):
        path = tmp_path / "mine.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_read_csv_gives_a_column_each(written):
    table = data.read_csv(
        written('wait,"long, dry name",kind\n1,-2.5e3,a\n 4 ,.5, b c\n'), text=["kind"]
    )
    assert list(table) == ["wait", "long, dry name", "kind"]
    assert_allclose(table["wait"], [1, 4], rtol=0)
    assert_allclose(table["long, dry name"], [-2500, 0.5], rtol=0)
    assert table["wait"].dtype == np.float64
    assert table["kind"].tolist() == ["a", "b c"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("x\n1\n2\n", id="plain"),
        pytest.param("x\n1\n2", id="no last line end"),
        pytest.param("x\r\n1\r\n2\r\n", id="Windows"),
        pytest.param("x\n1\n2\n\n\n", id="blank lines at the end"),
        pytest.param(b"\xef\xbb\xbfx\n1\n2\n", id="Excel's byte order mark"),
        pytest.param('"x"\n"1"\n"2"\n', id="quoted"),
        pytest.param('"","x"\n"1",1\n"2",2\n', id="R's row numbers"),
        pytest.param('"","x"\n"Ann",1\n"Bob, jr.",2\n', id="R's row names"),
        pytest.param('"","x"\n"30",1\n"4",2\n', id="rows that R has taken out or sorted"),
        pytest.param(",x\n0,1\n1,2\n", id="pandas"),
        pytest.param(',x\r\n2020-01-01,1\r\n"NA",2\r\n\r\n', id="dates, and a name that is NA"),
    ],
)
def test_read_csv_takes_what_programs_write(written, content):
    path = written(content)
    assert_allclose(data.read_csv(path)["x"], [1, 2], rtol=0)
    assert_allclose(data.read_csv(str(path))["x"], [1, 2], rtol=0)


@pytest.mark.parametrize("gap", ["", "NA", "NaN", "nan", '"NA"', " "])
def test_read_csv_leaves_gaps_where_asked(written, gap):
    path = written(f"a,b,c\n1,{gap},{gap}\n{gap},2,z\n")
    table = data.read_csv(path, text="c", missing=["a", "b", "c"])
    assert_allclose(table["a"], [1, np.nan], rtol=0)
    assert_allclose(table["b"], [np.nan, 2], rtol=0)
    assert table["c"].tolist() == ["", "z"]


def test_text_that_reads_like_a_gap_is_kept(written):
    table = data.read_csv(written("x,country\n1,NA\n2,nan\n"), text=["country"])
    assert table["country"].tolist() == ["NA", "nan"]


def test_names_after_a_comma_and_a_space_keep_no_quotes(written):
    table = data.read_csv(written('"a;b", "b, c",  "d"\n1, "2",  "3"\n'))
    assert list(table) == ["a;b", "b, c", "d"]
    assert_allclose(np.hstack(list(table.values())), [1, 2, 3], rtol=0)


@pytest.mark.parametrize("index", [None, ["a", "b", "c"], [7, 3, 5]])
def test_read_csv_reads_what_pandas_writes(tmp_path, index):
    frame = pd.DataFrame({"x": [1, 2.5, np.nan], "y, z": [3, 4, 5]}, index=index)
    for number, options in enumerate(({}, {"na_rep": "NA"}, {"index": False}, {"quoting": 1})):
        path = tmp_path / f"{number}.csv"
        frame.to_csv(path, **options)
        table = data.read_csv(path, missing=["x"])
        assert list(table) == ["x", "y, z"]
        assert_allclose(np.column_stack(list(table.values())), frame.to_numpy(), rtol=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"mine\.csv is empty; its first line must name the columns"),
        ("\n\n", r"mine\.csv is empty"),
        ("x,y\n", r"mine\.csv has no rows below its first line, x, y"),
        ("\nx\n1\n", r"mine\.csv, line 1 is empty; it must name the columns"),
        ("x,,z\n1,2,3\n", r"mine\.csv, line 1, column 2: the column has no name; give it one"),
        (",x\n0.5,1\n0.7,2\n", r"mine\.csv, line 1, column 1: the column has no name"),
        (",x\n3,1\n3,2\n", r"mine\.csv, line 1, column 1: the column has no name"),
        (",x\n-1,1\n-2,2\n", r"mine\.csv, line 1, column 1: the column has no name"),
        ('""\n1\n2\n', r"mine\.csv, line 1, column 1: the column has no name"),
        (",x\n", r"mine\.csv has no rows below its first line, x"),
        (",x\n0,1\n\n1,2\n", r"mine\.csv, line 3, column 'x': .* ends before it, 0 cells"),
        ("x,y,x\n1,2,3\n", r"mine\.csv, line 1, column 3: two columns are called 'x'"),
        ("79\n54\n", r"mine\.csv, line 1, column 1: '79' is a number; line 1 must name"),
        (
            "x,y\n1,2\n3\n",
            r"mine\.csv, line 3, column 'y': .* ends before it, 1 cells for 2 columns",
        ),
        ("x,y\n1,2\n\n3,4\n", r"mine\.csv, line 3, column 'x': .* ends before it, 0 cells for 2"),
        (
            "x,y\n1,2,3\n",
            r"mine\.csv, line 2, column 3: .* goes on after 'y', 3 cells for 2 columns; write "
            "numbers with a decimal point",
        ),
        (
            "x,y\n1,\n",
            r"mine\.csv, line 2, column 'y': the cell is empty; name the column in missing=",
        ),
        ("x,y\n1, \n", r"mine\.csv, line 2, column 'y': the cell is empty"),
        (
            "x\n1\ntwo\n",
            r"mine\.csv, line 3, column 'x': 'two' is not a number; name the column in text= to "
            "keep it$",
        ),
        (
            "x\n1\nNA\n",
            r"mine\.csv, line 3, column 'x': the cell is NA; name the column in missing= to",
        ),
        ("x\n1_000\n", r"mine\.csv, line 2, column 'x': '1_000' is not a number"),
        (
            'x\n"3,5"\n',
            r"mine\.csv, line 2, column 'x': '3,5' is not a number; write a decimal point$",
        ),
        ("x;y\n1,5;2,5\n", r"mine\.csv, line 1: 'x;y' has ';' between the names; separate cells "),
        ("x\ty\n1\t2\n", r"mine\.csv, line 1: 'x\\ty' has '\\t' between the names; separate"),
        ("x\n1\n2\nnan\n", r"mine\.csv, line 4, column 'x': the cell is nan; name the column"),
        ("x\n-inf\n", r"mine\.csv, line 2, column 'x': '-inf' is not finite"),
        ("x\n1e999\n", r"mine\.csv, line 2, column 'x': '1e999' is not finite"),
        ('x\n1\n"2\n', r"mine\.csv, line 3: unexpected end of data"),
        ('x,y\n1,"a\nb"\n2,c\n', r"mine\.csv, line 3, column 'y': 'a\\nb' is not a number"),
        (b"x\n\xe9\n", r"mine\.csv is not UTF-8 text; save it as CSV in UTF-8"),
    ],
)
def test_read_csv_says_what_is_wrong_and_where(written, content, message):
    with pytest.raises(ValueError, match=message):
        data.read_csv(written(content))


@pytest.mark.parametrize("argument", ["text", "missing"])
def test_read_csv_names_a_column_that_is_not_there(written, argument):
    with pytest.raises(ValueError, match=r"mine\.csv has no column 'kind'; it has x, y"):
        data.read_csv(written("x,y\n1,2\n"), **{argument: "kind"})


def test_a_text_cell_must_not_be_empty_either(written):
    with pytest.raises(ValueError, match=r"line 3, column 'kind': the cell is empty"):
        data.read_csv(written("x,kind\n1,a\n2,\n"), text=["kind"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv"):
        data.read_csv(tmp_path / "nowhere.csv")
