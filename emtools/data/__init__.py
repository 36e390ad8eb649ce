"""The observations of the course, as published: one CSV file and one loader for each.

A loader reads its file anew at every call, so the array is yours to change. README.md beside the
files says where each comes from and on what terms. `read_csv` reads a file of your own as strictly.
"""

import csv
import math
from pathlib import Path

import numpy as np

__all__ = [
    "acidity",
    "carcinoma",
    "coin_iterates",
    "coin_tosses",
    "deaths",
    "document_iterates",
    "earthquakes",
    "enzyme",
    "galaxies",
    "ice_cream",
    "iris",
    "judgements",
    "linkage",
    "linkage_iterates",
    "murray",
    "old_faithful",
    "penguins",
    "read_csv",
    "remission",
    "speed",
    "tones",
    "waiting",
]

GAPS = ("", "NA", "NaN", "nan")  # how programs write that a value is missing


def old_faithful():
    """Eruptions of the Old Faithful geyser: how long each lasted, and the wait for the next.

    Returns
    -------
    (272, 2) array
        Columns: eruption and waiting time, both in minutes.

    Notes
    -----
    Source: R's ``datasets::faithful`` (Härdle, 1991).
    """
    table = _load("faithful.csv")
    return np.column_stack([table["eruptions"], table["waiting"]])


def waiting():
    """Waiting times between eruptions of the Old Faithful geyser.

    Returns
    -------
    (272,) array
        In whole minutes; the second column of `old_faithful`.

    Notes
    -----
    Source: R's ``datasets::faithful`` (Härdle, 1991).
    """
    return _load("faithful.csv")["waiting"]


def galaxies(corrected=False):
    """Velocities of galaxies, in ascending order.

    Parameters
    ----------
    corrected : bool
        False, the default, keeps the misprint that published fits were made with (see Notes).

    Returns
    -------
    (82,) array
        In km/s.

    Notes
    -----
    Source: R's ``MASS::galaxies`` (Roeder, 1990). Misprint: its 78th value (index 77) is 26690 and
    should be 26960. ``corrected=True`` reads the copy in the R package mixAK, which differs in
    this value only; it is in thousands of km/s and is turned back into whole km/s.
    """
    if corrected:
        return np.round(1000 * _load("galaxies_roeder_mixAK.csv")["velocity_1000"])
    return _load("galaxies_MASS.csv")["velocity"]


def acidity():
    """Acidity index of lakes in the United States.

    Returns
    -------
    (155,) array
        log(ANC + 50), ANC being a lake's acid neutralising capacity: a logarithm, no unit.

    Notes
    -----
    Source: the R package mixAK; equal to ``mclust::acidity``, whose manual gives the formula and no
    unit of ANC. Quirk: mixAK's manual puts the lakes in Wisconsin, mclust's in the Northeast.
    """
    return _load("acidity.csv")["x"]


def enzyme():
    """Activity of an enzyme in the blood of unrelated people.

    Returns
    -------
    (245,) array
        The unit is not given by our source.

    Notes
    -----
    Source: the R package mixAK, ``Enzyme``, from P. Green's page ``mixdata`` in Bristol (Bechtel et
    al., 1993; Richardson and Green, 1997).
    """
    return _load("enzyme.csv")["x"]


def iris():
    """Four lengths of each of 150 iris flowers, and their species.

    Returns
    -------
    measurements : (150, 4) array
        Columns: sepal length, sepal width, petal length, petal width, all in cm.
    species : (150,) array of str
        "setosa", "versicolor" or "virginica", 50 of each.

    Notes
    -----
    Source: R's ``datasets::iris``; every value equals scikit-learn's ``load_iris``.
    """
    table = _load("iris.csv", text=["Species"])
    species = table.pop("Species")
    return np.column_stack(list(table.values())), species


def penguins():
    """Four measurements of each of 344 penguins, and their species.

    Returns
    -------
    measurements : (344, 4) array
        Columns: length and depth of the bill and length of the flipper, in mm, and body mass in g;
        NaN in the two rows, 3 and 271, of birds that nobody measured. 342 rows are complete.
    species : (344,) array of str
        "Adelie" (152), "Chinstrap" (68) or "Gentoo" (124).

    Notes
    -----
    Source: the R package palmerpenguins (Horst, Hill and Gorman, 2020), CC0: birds of three
    islands near Palmer Station, Antarctica. The file also has island, sex and year, for `read_csv`.
    """
    lengths = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    table = _load("penguins.csv", text=["species", "island", "sex"], missing=lengths)
    return np.column_stack([table[name] for name in lengths]), table["species"]


def deaths():
    """On how many days the London Times had 0, 1, ..., 9 deaths.

    Returns
    -------
    deaths : (10,) array of int
        Deaths in a day, 0 to 9.
    days : (10,) array of int
        Days with so many deaths: 1096 in all, with 2364 deaths.

    Notes
    -----
    Source: the tests and the vignette of the R package SQUAREM, after Hasselblad (1969), and the
    vignette of turboEM.
    """
    table = _load("london_deaths_hasselblad1969.csv")
    return table["deaths"].astype(int), table["days"].astype(int)


def coin_tosses():
    """Heads in five sets of ten tosses; which of two coins made a set is not known.

    Returns
    -------
    heads : (5,) array of int
        Heads in each set.
    tosses : (5,) array of int
        Tosses in each set: 10.

    Notes
    -----
    Source: the example of Do and Batzoglou (2008), as several public copies give it.
    """
    table = _load("coinflip_do_batzoglou2008.csv")
    return table["heads"].astype(int), table["tosses"].astype(int)


def carcinoma():
    """Whether each of seven pathologists saw a carcinoma of the cervix on a slide.

    Returns
    -------
    patterns : (20, 7) array of int
        1 for yes, 0 for no: every pattern of answers that came up.
    slides : (20,) array of int
        Slides with this pattern: 118 in all.

    Notes
    -----
    Source: the data of the R package poLCA, after Landis and Koch (1977) and Agresti (2002).
    """
    table = _load("carcinoma.csv")
    slides = table.pop("count").astype(int)
    return np.column_stack(list(table.values())).astype(int), slides


def judgements():
    """What grade each of five anaesthetists gave to 45 patients, before an operation.

    Returns
    -------
    grades : (45, 7) array of int
        1, 2, 3 or 4; which is right nobody knows.
    raters : (7,) array of int
        Whose judgement each column holds, 0 to 4: the first anaesthetist judged three times.

    Notes
    -----
    Source: public copies of table 1 of Dawid and Skene (1979).
    """
    table = _load("dawid_skene1979.csv")
    del table["patient"]
    raters = np.array([int(name.split("_")[1]) - 1 for name in table])
    return np.column_stack(list(table.values())).astype(int), raters


def tones():
    """What a musician tuned, while hearing a fundamental tone whose overtones were stretched.

    Returns
    -------
    stretch : (150,) array
        Ratio of the overtones to the fundamental tone; 2 is a pure octave.
    tuned : (150,) array
        Ratio of the tuned tone to the fundamental tone.

    Notes
    -----
    Source: the data of the R packages mixtools and fpc, after Cohen (1980).
    """
    table = _load("tone_cohen1980.csv")
    return table["stretchratio"], table["tuned"]


def linkage():
    """Counts in the four cells of the genetic linkage example.

    Returns
    -------
    (4,) array of int
        125, 18, 20, 34, together 197, with cell probabilities 1/2 + theta/4,
        (1 - theta)/4, (1 - theta)/4 and theta/4.

    Notes
    -----
    Source: a lecture note at stat.cmu.edu (711-2002, em-example1.txt) with data and model of
    Dempster, Laird and Rubin (1977).
    """
    return _load("linkage.csv")["count"].astype(int)


def murray():
    """Twelve points in the plane, eight of them with one coordinate missing.

    Returns
    -------
    (12, 2) array
        Columns x1 and x2, without a unit; NaN where a coordinate is missing.

    Notes
    -----
    Source: the example of Murray (1977), as the "bimodal" and "camel" pages of Stan and BUGS give
    it: toy data, whose likelihood has two maxima.
    """
    table = _load("murray1977.csv", missing=["x1", "x2"])
    return np.column_stack([table["x1"], table["x2"]])


def remission():
    """How long leukaemia kept away from 21 children who took 6-mercaptopurine; 12 were still well.

    Returns
    -------
    weeks : (21,) array
        In remission, ascending: until the relapse, or until the child was last seen.
    relapsed : (21,) array of int
        1 where the relapse was seen, 0 where not (right-censored).

    Notes
    -----
    Source: the trial of Freireich et al. (1963), one of its two arms, as Gehan (1965) and R's
    ``MASS::gehan`` have it; from public copies that agree.
    """
    table = _load("freireich1963.csv")
    return table["weeks"], table["relapsed"].astype(int)


def ice_cream():
    """Ice cream cones on each of 33 days in a row.

    Returns
    -------
    (33,) array of int
        Cones a day: 1, 2 or 3.

    Notes
    -----
    Source: the example of Eisner (2002), as seven public copies give it, all with these values.
    """
    return _load("icecream_eisner.csv")["cones"].astype(int)


def earthquakes():
    """Major earthquakes in the world (magnitude 7 and above), year by year.

    Returns
    -------
    years : (107,) array of int
        1900 to 2006.
    counts : (107,) array of int
        Earthquakes in each year.

    Notes
    -----
    Source: the series of Zucchini and MacDonald, from two public copies by one author; mean 19.364
    and variance 51.573 (divisor N - 1) agree with those given elsewhere. The magnitude is from the
    manual of the R package astsa, ``EQcount``.
    """
    table = _load("earthquakes.csv")
    return table["year"].astype(int), table["count"].astype(int)


def speed():
    """Answers of one person who is asked to be fast, or to be right, in three series of trials.

    Returns
    -------
    series : (439,) array of int
        1, 2 or 3: 168, 134 and 137 trials.
    log_times : (439,) array
        Logarithm of the response time; the time's unit is not given by our source.
    right : (439,) array of int
        1 for a right answer, 0 for a wrong one.

    Notes
    -----
    Source: the R package depmixS4, ``speed``, without its column of what was at stake.
    """
    table = _load("speed_depmix.csv", text=["corr"])
    return table["series"].astype(int), table["rt"], (table["corr"] == "cor").astype(int)


def linkage_iterates():
    """Iterates of EM on `linkage` from theta = 0.5: reference numbers, not observations.

    Returns
    -------
    iterations : (12,) array of int
        0 to 11.
    theta : (12,) array
        After so many iterations, a probability.
    error : (12,) array
        theta minus its limit, to 10 digits: in float64 the difference itself would have fewer.
    ratio : (12,) array
        Each error's successor divided by it.

    Notes
    -----
    Source: computed with mpmath in 40 digits, independently of this package.
    """
    table = _load("linkage_em.csv")
    theta, error, ratio = (table[name] for name in ("theta", "theta_minus_star", "ratio"))
    return table["p"].astype(int), theta, error, ratio


def coin_iterates():
    """Iterates of EM on `coin_tosses` from (0.6, 0.5): reference numbers, not observations.

    Returns
    -------
    iterations : (21,) array of int
        0 to 15, 20, 30, 50, 100 and 400.
    theta : (21, 2) array
        Chance of heads of either coin after so many iterations.
    log_likelihood : (21,) array
        In nats, with log(1/2) for the choice of coin and without the binomial coefficients.

    Notes
    -----
    Source: computed with mpmath, independently of this package; the two coins are chosen with fixed
    equal weights.
    """
    table = _load("coinflip_em.csv")
    theta = np.column_stack([table["theta_A"], table["theta_B"]])
    return table["iter"].astype(int), theta, table["loglik_no_binom_equal_priors"]


def document_iterates():
    """Iterates of the document's loop on `waiting`: reference numbers, not observations.

    Returns
    -------
    iterations : (5,) array of int
        1, 2, 5, 25 and 100.
    parameters : (5, 6) array
        mean_1, mean_2, std_1, std_2 in minutes, weight_1, weight_2.

    Notes
    -----
    Source: the published loop run as it stands under NumPy 2.3.5 after ``np.random.seed(0)``, which
    draws the means 77 and 53; the widths start from np.std(waiting) and half of it, the weights
    from 1 and 1.
    """
    table = _load("document_em.csv")
    iterations = table.pop("iteration").astype(int)
    return iterations, np.column_stack(list(table.values()))


def read_csv(path, text=(), missing=()):
    """Read a CSV file strictly: what is not a finite number is an error that says where it stands.

    The first line names the columns. Cells are separated by commas, decimals by points; spaces
    around cells and blank lines at the end are ignored. A first column without a name is left out
    if it holds names of rows, as R and pandas write them: all different, text or whole numbers.

    Parameters
    ----------
    path : str or path-like
        The file, in UTF-8.
    text : sequence of str
        Names of the columns to keep as text.
    missing : sequence of str
        Names of the columns where an empty cell, NA or NaN becomes NaN (in text: ""); elsewhere
        it is an error (in text only the empty cell is).

    Returns
    -------
    dict of str to (N,) array
        The columns that have a name, in their order, float64 or str; N >= 1.

    Raises
    ------
    ValueError
        If the file is empty, has no row, or a row too short or too long; if cells are separated by
        something else; if a column has no name or another's name; if a cell is empty, not a number
        or not finite. The message names the file, the line and the column.
    """
    text, missing = (
        [names] if isinstance(names, str) else list(names) for names in (text, missing)
    )
    header, rows = _header_and_rows(path)
    for name in text + missing:
        if name not in header:
            raise ValueError(f"{path} has no column {name!r}; it has {', '.join(header)}")
    return {
        name: np.array(
            [
                _cell(
                    row[j], f"{path}, line {line}, column {name!r}", name in text, name in missing
                )
                for line, row in rows
            ]
        )
        for j, name in enumerate(header)
    }


def _load(filename, **options):
    return read_csv(Path(__file__).parent / filename, **options)


def _header_and_rows(path):
    """The names, and each row's line number and cells: as many cells as names."""
    try:
        # Excel writes a byte order mark, which "utf-8-sig" drops.
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text; save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
    while lines and not lines[-1][1]:
        lines.pop()
    if not lines:
        raise ValueError(f"{path} is empty; its first line must name the columns")
    lines = _without_row_names(lines)
    (line, header), *rows = lines
    _check_header(header, f"{path}, line {line}")
    if not rows:
        raise ValueError(f"{path} has no rows below its first line, {', '.join(header)}")
    for line, row in rows:
        _check_length(row, header, f"{path}, line {line}")
    return header, rows


def _without_row_names(lines):
    """The lines without their first cells, if these have no name and are names of rows."""
    (_, header), *rows = lines
    first = [row[0] for _, row in rows if row]
    are_names = all(_number(cell) is None or cell.isdigit() for cell in first)
    if len(header) < 2 or header[0] or not are_names or len(set(first)) < len(first):
        return lines
    return [(line, row[1:]) for line, row in lines]


def _check_header(header, where):
    if not header:
        raise ValueError(f"{where} is empty; it must name the columns")
    for sign in ";\t":
        if sign in header[0] and len(header) == 1:
            raise ValueError(
                f"{where}: {header[0]!r} has {sign!r} between the names; separate cells by commas, "
                "and write numbers with a decimal point"
            )
    for j, name in enumerate(header):
        if not name:
            raise ValueError(
                f"{where}, column {j + 1}: the column has no name; give it one (only a first "
                "column of row names, all different, needs none)"
            )
        if name in header[:j]:
            raise ValueError(f"{where}, column {j + 1}: two columns are called {name!r}")
        if _number(name) is not None:  # else the first observation would be lost without a word
            raise ValueError(
                f"{where}, column {j + 1}: {name!r} is a number; line 1 must name the columns"
            )


def _check_length(row, header, where):
    sizes = f"{len(row)} cells for {len(header)} columns"
    if len(row) < len(header):
        raise ValueError(f"{where}, column {header[len(row)]!r}: the row ends before it, {sizes}")
    if len(row) > len(header):
        raise ValueError(
            f"{where}, column {len(header) + 1}: the row goes on after {header[-1]!r}, {sizes}; "
            "write numbers with a decimal point, and text that has a comma in quotes"
        )


def _cell(cell, where, is_text, may_be_missing):
    if cell in GAPS and may_be_missing:
        return "" if is_text else math.nan
    if not cell or (cell in GAPS and not is_text):
        raise ValueError(
            f"{where}: the cell is {cell or 'empty'}; name the column in missing= to read it as NaN"
        )
    if is_text:
        return cell
    number = _number(cell)
    if number is None:
        hint = "; write a decimal point" if "," in cell else "; name the column in text= to keep it"
        raise ValueError(f"{where}: {cell!r} is not a number{hint}")
    if not math.isfinite(number):
        raise ValueError(f"{where}: {cell!r} is not finite")
    return number


def _number(cell):
    """The cell as a float, or None; stricter than `float`, to which 1_000 is a number."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None
