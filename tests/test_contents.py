"""The one table of contents: what is made from it agrees, and a chapter gets another number."""

import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import build
import contents
import nbformat
import pytest

ROOT = contents.ROOT
CHAPTERS = contents.chapters()
FIRST = contents.SOURCE / f"{contents.stem(CHAPTERS[0])}.md"


def test_every_written_chapter_has_its_text_and_the_others_have_none():
    texts = sorted(path.stem for path in contents.SOURCE.glob("[0-9][0-9]_*.md"))
    assert texts == [contents.stem(chapter) for chapter in contents.written()]


def test_a_chapter_needs_earlier_ones():
    earlier = set()
    for chapter in CHAPTERS:
        assert set(chapter["needs"]) <= earlier, chapter["file"]
        earlier.add(chapter["file"])


def test_a_module_is_left_behind_by_one_chapter():
    modules = [module for chapter in CHAPTERS for module in chapter["modules"]]
    assert len(modules) == len(set(modules))
    for chapter in CHAPTERS:
        for module in chapter["modules"]:
            path = ROOT / "emtools" / module.replace(".", "/")
            exists = path.is_dir() or path.with_name(f"{path.name}.py").exists()
            assert exists or not chapter["written"], module


@pytest.mark.parametrize(
    ("path", "rows"),
    [(contents.README, contents.readme_rows), (FIRST, contents.first_chapter_rows)],
    ids=["README", "first chapter"],
)
def test_tables_are_those_of_the_table(path, rows):
    """If not: `make notebooks`."""
    text = path.read_text(encoding="utf-8")
    assert contents.with_rows(text, rows()) == text


def test_hours_in_the_readme_are_those_of_the_table():
    written = contents.written()
    hours = [round(sum(c[kind] for c in written) / 60) for kind in ("reading", "exercises")]
    said = "about {} hours to read, and {} more for the exercises".format(*hours)
    assert said in contents.README.read_text(encoding="utf-8")


def test_walks_begin_and_end_where_the_first_chapter_says():
    text = " ".join(FIRST.read_text(encoding="utf-8").split())
    number = {chapter["file"]: chapter["number"] for chapter in CHAPTERS}
    *short, _whole = contents.course()["walk"]
    for walk in short:
        first, last = number[walk["first"]], number[walk["last"]]
        assert f"{walk['name']}, chapters {first} to {last}" in text


def test_every_chapter_spoken_of_is_in_the_table():
    known = {chapter["number"] for chapter in CHAPTERS}
    for path in contents.speaking_files():
        for mention in contents.MENTION.findall(path.read_text(encoding="utf-8")):
            assert set(re.findall(r"\d\d", mention)) <= known, f"{path}: {mention}"


def test_a_text_calls_no_chapter_by_its_number_alone():
    """A number without its word would keep its old value when chapters change places."""
    for path in contents.SOURCE.rglob("*.md"):
        text = contents.MENTION.sub("", path.read_text(encoding="utf-8"))
        text = re.sub(r"(?ms)<!-- chapters.*<!-- end|^```\{code-cell\}.*?^```$", "", text)
        alone = re.findall(r"(?<![\w.,:-])0[1-9](?![\w.:,-]\w).*", text)
        assert alone == [], path


@pytest.mark.parametrize(
    ("same", "others", "words"),
    [
        ({"number": "01"}, [{"file": "this"}, {"file": "that"}], "number 01 twice: this and that"),
        ({"file": "this"}, [{"number": "01"}, {"number": "05"}], "file this twice: 01 and 05"),
    ],
)
def test_a_number_and_a_file_can_be_given_once(same, others, words, monkeypatch):
    rest = dict.fromkeys(contents.KEYS, ())
    twice = [rest | same | other for other in others]
    monkeypatch.setattr(contents, "course", lambda: {"chapter": twice})
    with pytest.raises(ValueError, match=words):
        contents.chapters()


def test_a_chapter_that_is_not_there_is_named_and_none_is_built(tmp_path, monkeypatch):
    """Also beside one that is there."""
    monkeypatch.setattr(build, "build", lambda *_: pytest.fail("built"))
    with pytest.raises(SystemExit, match=r"^no chapter is called 98 or 99$"):
        build.main(["98", "01", "99", "--into", str(tmp_path / "notebooks")])
    assert list(tmp_path.iterdir()) == []


# Renumbering. The word is apart from the numbers here, so that renumbering leaves this file alone.

ONE, MANY = "chapter", "chapters"
SWAP = {"06": "08", "08": "06", "03": "04"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"in {ONE} 06 and {ONE} 08", f"in {ONE} 08 and {ONE} 06"),
        (f"{MANY} 01, 06 and 08, 03 times", f"{MANY} 01, 08 and 06, 03 times"),
        (f"{MANY} 03 to 06", f"{MANY} 04 to 08"),
        (f"{MANY} 03, 06, and 08 or 01", f"{MANY} 04, 08, and 06 or 01"),
        (f"{ONE.title()}\n      06 is", f"{ONE.title()}\n      08 is"),
        (f"# as in {ONE}\n    # 06 or", f"# as in {ONE}\n    # 08 or"),
        (f'"see {ONE} "\n    "06"', f'"see {ONE} "\n    "08"'),
        (f"{ONE} 06, 08 nats", f"{ONE} 08, 08 nats"),
        (f"{ONE} 061, 06 nats, {ONE}s of 06", f"{ONE} 061, 06 nats, {ONE}s of 06"),
        ("[a](06_go.ipynb) 06_go-001 06_gone", "[a](08_go.ipynb) 08_go-001 06_gone"),
    ],
)
def test_a_mention_changes_and_nothing_else_does(before, after):
    assert contents.renumbered(before, SWAP, {"06_go": "08_go"}) == after


def test_a_mention_on_two_lines_of_a_notebook_changes():
    cell = nbformat.v4.new_code_cell(f"# as in {ONE}\n# 06", id="06_go-001")
    text = nbformat.writes(nbformat.v4.new_notebook(cells=[cell])) + "\n"
    change = partial(contents.renumbered, numbers=SWAP, stems={"06_go": "08_go"})
    [cell] = nbformat.reads(contents.in_notebook(text, change), as_version=4).cells
    assert (cell.source, cell.id) == (f"# as in {ONE}\n# 08", "08_go-001")


@pytest.fixture
def copy(tmp_path):
    """As much of the repository as speaks of chapters."""
    for name in (*contents.FOLDERS, *contents.TOP):
        forget = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "artefacts")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=forget)
        else:
            shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def renumber(folder, numbers):
    """Give files other numbers in the table, run `make renumber`, and return what it says."""
    table = folder / "notebooks/source/course.toml"
    text = table.read_text(encoding="utf-8")
    for file, number in numbers.items():
        text, n = re.subn(
            rf'number = "\d\d"\nfile = "{file}"', f'number = "{number}"\nfile = "{file}"', text
        )
        assert n == 1
    table.write_text(text, encoding="utf-8")
    command = [sys.executable, str(folder / "docs/build.py"), "--renumber"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def contents_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def mentions(text):
    return [re.sub(r"\D+", " ", mention) for mention in contents.MENTION.findall(text)]


def test_chapters_change_places_and_back(copy):
    """Two written ones, and a third with a planned one: no stale name, link, id or mention."""
    written = contents.written()
    [planned, *_] = [chapter for chapter in CHAPTERS if not chapter["written"]]
    _, two_days, _ = contents.course()["walk"]
    [end] = [chapter for chapter in written if chapter["file"] == two_days["last"]]
    pairs = [(end, written[-1]), (written[2], planned)]
    old = {chapter["file"]: chapter["number"] for pair in pairs for chapter in pair}
    new = {a["file"]: b["number"] for pair in pairs for a, b in (pair, pair[::-1])}
    numbers = {old[file]: new[file] for file in old}
    stems = {f"{old[file]}_{file}": f"{new[file]}_{file}" for file in old}
    before = contents_of(copy)

    said = renumber(copy, new)
    assert "read again: notebooks/source/00_start_here.md" in said  # a walk ends elsewhere
    after = contents_of(copy)
    renamed = {}
    for path in before:
        renamed[path] = path.with_stem(stems.get(path.stem, path.stem))
        old_text, new_text = (
            b.decode("utf-8", "ignore") for b in (before[path], after[renamed[path]])
        )
        if path.suffix in {".md", ".py", ".ipynb"} and "<!-- chapters" not in old_text:
            expected = [
                re.sub(r"\d\d", lambda m: numbers.get(m[0], m[0]), m) for m in mentions(old_text)
            ]
            assert mentions(new_text) == expected, path
            assert not re.search("|".join(stems), new_text), path
    assert set(after) == set(renamed.values())
    assert sum(len(mentions(text.decode("utf-8", "ignore"))) for text in after.values()) > 100
    for path in (copy / "notebooks").rglob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert notebook.cells[0].id == f"{path.stem}-001"
        for cell in notebook.cells:
            for target in re.findall(r"\]\((\d\d_\w+\.ipynb)\)", cell.source):
                assert (copy / "notebooks" / target).exists(), target

    renumber(copy, old)
    assert contents_of(copy) == before


def test_a_range_and_a_chapter_that_is_gone_are_named(tmp_path):
    numbers = {"05": "06", "07": None}
    text = f"{MANY} 01 to 05, {MANY} 01 and 05, {ONE} 07"
    moved = f"{MANY} 01 to 05, now {MANY} 01 to 06"
    assert list(contents.doubtful_mentions(text, numbers)) == [moved, f"{ONE} 07"]


@pytest.mark.parametrize("chapter", contents.written(), ids=contents.stem)
def test_a_chapters_files_speak_of_its_number(chapter):
    """Its checks, drawings, tests and answers: a renumbering may have taken one for another."""
    name, number = chapter["file"], chapter["number"]
    places = [
        ROOT / f"emtools/course/exercises/{name}.py",
        ROOT / f"emtools/course/plots/{name}.py",
        ROOT / f"tests/exercises/test_{name}.py",
        ROOT / f"notebooks/source/answers/{number}_{name}.md",
    ]
    for path in filter(Path.exists, places):
        text = path.read_text(encoding="utf-8")
        first = re.search(r'^"""(.*)|^# (.*)', text, flags=re.MULTILINE)
        spoken = re.findall(r"chapter (\d\d)", first[0] if first else "")
        assert spoken in ([], [number]), f"{path}: {first[0]}"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('needs = ["fit_two_bells"]', 'needs = ["fit_no_bells"]', "arrays needs fit_no_bells, wh"),
        ('question = "why did', 'riddle = "why did', "work_in_log_space has no question"),
        ('number = "03"\n', "", "work_in_log_space has no number"),
        ('file = "fit_two_bells"\n', "", "number 2 from the top has no file$"),
        ('number = "03"', 'number = "04"', "number 04 twice"),
    ],
)
def test_a_slip_in_the_table_is_named(old, new, words, monkeypatch, tmp_path):
    text = (contents.SOURCE / "course.toml").read_text(encoding="utf-8")
    (tmp_path / "course.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(contents, "SOURCE", tmp_path)
    with pytest.raises(ValueError, match=words):
        contents.chapters()
