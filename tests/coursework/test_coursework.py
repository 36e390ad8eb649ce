"""The command line: what it writes, and one line for what is wrong."""

import re
import shutil

import coursework
import nbformat
import pytest
from students import Student, read

BELLS = "01_fit_two_bells"


def say(course, *arguments):
    """Run a command for the course; return the line it stops with."""
    with pytest.raises(SystemExit) as stopped:
        coursework.main([*arguments, "--into", str(course)])
    line = str(stopped.value)
    assert line
    assert "\n" not in line
    return line


def test_the_students_version_holds_no_answer_and_no_hidden_test(course):
    for path in (course / "release").glob("*/*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "# Hidden checks " in text
        assert not {word for word in ("SOLUTION", "### BEGIN", "### END") if word in text}
        cells = read(path).cells
        assert [c.metadata.get("editable", True) for c in cells] == [
            bool(c.metadata.nbgrader.solution) for c in cells
        ]


def test_an_assignment_is_added_and_made_anew_until_it_is_handed_in(course, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(course, copy)
    files = [f"{step}/{BELLS}/{BELLS}.ipynb" for step in ("source", "release")]
    for seed, same in (("5", False), ("2027", True)):  # equal seeds make equal files
        coursework.main(["build", "01", "--seed", seed, "--into", str(copy)])
        for file in files:
            assert ((copy / file).read_bytes() == (course / file).read_bytes()) is same
    assert (copy / "source" / "hunt_a_bug").is_dir()
    Student(copy, BELLS).hand_in("ann")
    before = sorted((path, path.stat().st_mtime_ns) for path in copy.rglob("*"))
    assert "has been handed in" in say(copy, "build", "01", "--seed", "6")
    assert sorted((path, path.stat().st_mtime_ns) for path in copy.rglob("*")) == before


def test_the_lecturers_own_settings_stay(course, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(course, copy)
    with (copy / "nbgrader_config.py").open("a") as file:
        file.write("c.RunToTheEnd.max_seconds = 60\n")
    before = (copy / "nbgrader_config.py").read_bytes()
    coursework.main(["build", "01", "--seed", "5", "--into", str(copy)])
    assert (copy / "nbgrader_config.py").read_bytes() == before


def test_a_seed_that_can_be_guessed_is_told(tmp_path, capsys, monkeypatch):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "plain.md").write_text("# Plain\n")
    for step in ("generate", "move"):
        monkeypatch.setattr(coursework, step, lambda *_: None)
    for seed, told in (("2027", True), (str(coursework.EXAMPLE), True), ("481516234200815", False)):
        arguments = ["--seed", seed, "--texts", str(texts), "--into", str(tmp_path / seed)]
        coursework.main(["build", *arguments])
        assert ("This seed can be guessed" in capsys.readouterr().out) is told


@pytest.mark.parametrize("seed", ["", "next year", "-3", "3.5"])
def test_a_seed_that_is_no_number(tmp_path, seed):
    line = say(tmp_path / "c", "build", f"--seed={seed}")
    assert line.startswith("The seed is a whole number, such as SEED=620448401733239, not ")
    assert not list(tmp_path.iterdir())


def test_an_assignment_that_does_not_exist(tmp_path, course):
    line = say(tmp_path / "c", "build", "99", "--seed", "1")
    assert line.startswith("No assignment is called 99; there are 01_fit_two_bells, ")
    assert not list(tmp_path.iterdir())
    assert "No assignment is called 02" in say(course, "grade", "02", "--seed", "1")


@pytest.mark.parametrize("found", ["0.9.4", "0.8.10"])
def test_an_nbgrader_too_old(tmp_path, monkeypatch, found):
    monkeypatch.setattr(coursework, "version", lambda name: found)
    assert "is too old: pip install" in say(tmp_path / "c", "build", "01", "--seed", "1")


def test_no_nbgrader(tmp_path, monkeypatch):
    def missing(name):
        raise coursework.PackageNotFoundError(name)

    monkeypatch.setattr(coursework, "version", missing)
    assert say(tmp_path / "c", "build", "01", "--seed", "1") == (
        "nbgrader is missing: pip install 'nbgrader>=0.9.5'."
    )


def test_nbgraders_version_is_that_of_the_project():
    text = (coursework.contents.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'"nbgrader >={".".join(map(str, coursework.NBGRADER))}"' in text


def test_a_text_that_fails_leaves_nothing(tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "good.md").write_text("# Good\n")
    (texts / "poor.md").write_text("# Poor\n\n{{ nothing }}\n")
    line = say(tmp_path / "out" / "c", "build", "--seed", "1", "--texts", str(texts))
    assert line == "poor.md, cell 1: no seeded cell above defines nothing."
    assert not list((tmp_path / "out").iterdir())
    assert "There is no question text" in say(
        tmp_path, "build", "--seed", "1", "--texts", str(tmp_path)
    )


def test_a_course_folder_that_does_not_exist(tmp_path):
    line = say(tmp_path / "2031", "grade", "01", "--seed", "2031")
    assert line.endswith("2031: make coursework SEED=2031.")


def test_a_course_folder_without_assignments(course, tmp_path):
    shutil.copy(course / "nbgrader_config.py", tmp_path)
    assert "There is no course folder" in say(tmp_path, "grade", "01", "--seed", "1")


def test_a_course_folder_that_is_a_file(tmp_path):
    (tmp_path / "notes").write_text("mine")
    for into in (tmp_path / "notes", tmp_path / "notes" / "c"):
        line = say(into, "build", "01", "--seed", "1")
        assert line.startswith(f"{tmp_path / 'notes'} is a file; a course folder is to stand at ")


@pytest.mark.parametrize("command", ["build 03", "grade 01", "feedback 01"])
@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("nbgrader_config.py", "nbgrader_config.py stops with SyntaxError: "),
        ("gradebook.db", "file is not a database"),
    ],
)
def test_settings_and_gradebooks_that_cannot_be_read(
    course, tmp_path, capsys, command, file, words
):
    copy = tmp_path / "copy"
    shutil.copytree(course, copy)
    (copy / file).write_text("c = = 3")
    Student(copy, BELLS).hand_in("ann")
    (copy / "autograded" / "ann" / BELLS).mkdir(parents=True)
    assert words in say(copy, *command.split(), "--seed", "1")
    assert "ann: NO" not in capsys.readouterr().out  # nobody's turn has come


def test_twenty_seeds_are_tried(tmp_path, capsys, monkeypatch):
    texts = tmp_path / "texts"
    texts.mkdir()
    shutil.copy(coursework.TEXTS / "fit_two_bells.md", texts)
    monkeypatch.setattr(coursework, "INTO", tmp_path / "nothing is written here")
    coursework.main(["try", "01", "--texts", str(texts)])
    assert "right answers get every point and empty ones none" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == [texts, texts / "fit_two_bells.md"]


def test_a_text_that_fails_with_one_seed_of_twenty(tmp_path):
    text = (coursework.TEXTS / "fit_two_bells.md").read_text(encoding="utf-8")
    drawn = "```{code-cell}\n:tags: [seeded]\n\nrare = rng.random() < 0.1\n```\n\n"
    text = text.replace("```{code-cell}\n:name: share", drawn + "```{code-cell}\n:name: share")
    text = text.replace("share = loops", "share = {{ rare }} or loops")
    (tmp_path / "rare.md").write_text(text, encoding="utf-8")
    line = say(tmp_path, "try", "--texts", str(tmp_path))
    assert re.match(r"rare\.md, seed \d+: With its own answer, test share-1 stops", line)


def test_which_assignment(course):
    assert say(course, "grade", "--seed", "1").startswith("Which assignment? ASSIGNMENT=01, one of")


def loose(folder):
    (folder / "ann.ipynb").write_text("{}")


def swapped(folder):
    (folder / BELLS / "ann").mkdir(parents=True)


def other(folder):
    (folder / "ann" / "hunt_a_bug").mkdir(parents=True)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: None, "Nothing has been handed in: in "),
        (loose, "ann.ipynb is a file where a student's folder should be"),
        (swapped, "is an assignment where a student should be"),
        (other, f"Nobody has handed in {BELLS}"),
    ],
)
def test_submissions_of_the_wrong_shape(course, tmp_path, spoil, words):
    for file in ("nbgrader_config.py", "release"):
        place = tmp_path / file
        (shutil.copytree if (course / file).is_dir() else shutil.copy)(course / file, place)
    (tmp_path / "submitted").mkdir()
    spoil(tmp_path / "submitted")
    line = say(tmp_path, "grade", "01", "--seed", "1")
    assert words in line
    assert line.endswith(f"each notebook stands at submitted/STUDENT/{BELLS}/{BELLS}.ipynb.")
    assert not (tmp_path / "autograded").exists()


def test_odd_papers_are_named(course, tmp_path):
    from coursework_grade import submissions

    def put(student, *names, text="{}"):
        folder = tmp_path / "submitted" / student / BELLS
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_text(text)

    put("two", "a.ipynb", "b.ipynb")
    put("again", f"{BELLS}.ipynb", f"{BELLS} (1).ipynb")
    (tmp_path / "submitted" / "stray").mkdir()
    (tmp_path / "submitted" / "stray" / f"{BELLS}.ipynb").write_text("{}")
    put("none")
    put("empty", f"{BELLS}.ipynb", text="")
    put("table", f"{BELLS}.ipynb", text="[1, 2]")
    put("old", f"{BELLS}.ipynb", text='{"nbformat": 3, "nbformat_minor": 0, "worksheets": 5}')
    put("star[1]", f"{BELLS}.ipynb", text=nbformat.writes(nbformat.v4.new_notebook()))
    put("fine", "other name.ipynb", text=nbformat.writes(nbformat.v4.new_notebook()))
    papers, odd = submissions(tmp_path, BELLS)
    assert list(papers) == ["fine"]
    assert [path.name for path in papers["fine"].parent.iterdir()] == [f"{BELLS}.ipynb"]
    assert sorted(odd) == [*("again", "empty", "none", "old", "star[1]", "stray", "table", "two")]
    assert "stands in no assignment's folder" in odd["stray"]
    assert "holds 2 notebooks" in odd["again"]
    assert "holds 2 notebooks" in odd["two"]
    assert all("\n" not in reason for reason in odd.values())
