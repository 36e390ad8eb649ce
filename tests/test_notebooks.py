"""The house rules of the notebooks, as code."""

import ast
import html
import importlib
import inspect
import json
import re
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import build
import contents
import jupytext
import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCE = NOTEBOOKS / "source"
CHAPTERS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
SOLUTIONS = sorted((NOTEBOOKS / "solutions").glob("*.ipynb"))
EVERY = CHAPTERS + SOLUTIONS

WRITTEN = {chapter["number"]: chapter for chapter in contents.written()}
# What a chapter teaches of the modules it leaves on the shelf: the same functions, to the letter.
# A later chapter may import from these modules, an earlier one may not.
SHELF = {
    number: {module: set() for module in chapter["modules"]}
    | {module: set(names) for module, names in chapter.get("teaches", {}).items()}
    for number, chapter in WRITTEN.items()
}
# Modules that are taught whole: no function of theirs may be missing above.
WHOLE = contents.course()["whole"]
# What a chapter may import before it is taught.
PREVIEW = {number: chapter.get("previews", []) for number, chapter in WRITTEN.items()}
NOT_TAUGHT = {"data", "course"}
VERBS = {
    "Start",
    "Fit",
    "Trade",
    "Work",
    "See",
    "Survive",
    "Go",
    "Choose",
    "Mix",
    "Measure",
    "Fill",
    "Add",
    "Make",
}
TAGS = {"exercise", "nbval-ignore-output", "hide-input"}


def named(paths):
    """Parametrize over notebooks, each by its folder and name."""
    return pytest.mark.parametrize(
        "path", paths, ids=[str(p.relative_to(NOTEBOOKS))[:-6] for p in paths]
    )


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def text_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "markdown"]


def imports_of(path):
    """The cell with a chapter's imports; in chapter 00 it comes second."""
    cells = code_cells(path)
    return cells[1] if path.stem.endswith("_start_here") else cells[0]


def lines_of(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def test_every_text_has_its_notebook_and_every_chapter_with_exercises_its_solutions():
    assert [p.stem for p in CHAPTERS] == sorted(p.stem for p in SOURCE.glob("[0-9][0-9]_*.md"))
    assert [p.stem for p in SOLUTIONS] == sorted(p.stem for p in (SOURCE / "answers").glob("*.md"))
    with_exercises = [p.stem for p in CHAPTERS if any(is_stub(c) for c in code_cells(p))]
    assert [p.stem for p in SOLUTIONS] == with_exercises
    assert [p.stem for p in CHAPTERS] == [contents.stem(chapter) for chapter in WRITTEN.values()]


@named(CHAPTERS)
def test_text_and_notebook_agree(path):
    text = jupytext.read(SOURCE / f"{path.stem}.md", fmt="md:myst")
    notebook = read(path)
    kept = ("tags", "name", "mystnb")
    assert [(c.cell_type, c.source) for c in text.cells] == [
        (c.cell_type, c.source) for c in notebook.cells
    ]
    for ours, theirs in zip(text.cells, notebook.cells, strict=True):
        assert {k: ours.metadata.get(k) for k in kept} == {k: theirs.metadata.get(k) for k in kept}


@named(SOLUTIONS)
def test_text_with_answers_and_solutions_agree(path):
    text = build.read_text(SOURCE / f"{path.stem}.md")
    solved = build.solve(text, SOURCE / "answers" / f"{path.stem}.md")
    notebook = read(path)
    assert [(c.cell_type, c.source, c.metadata) for c in solved.cells] == [
        (c.cell_type, c.source, c.metadata) for c in notebook.cells
    ]
    assert notebook.metadata.jupytext == {"formats": "ipynb"}


@named(CHAPTERS)
def test_saving_in_jupyterlab_would_not_change_the_text(path):
    text = (SOURCE / f"{path.stem}.md").read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata.pop("jupytext", None)
    assert build.as_saved(notebook) == text


@named(EVERY)
def test_every_code_cell_was_run_in_order_without_error_or_stderr(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source


@named(EVERY)
def test_a_file_holds_nothing_that_differs_from_run_to_run(path):
    notebook = read(path)
    assert "widgets" not in notebook.metadata
    assert notebook.metadata.language_info == build.LANGUAGE
    for number, cell in enumerate(notebook.cells, start=1):  # figures add what they show
        assert re.fullmatch(rf"{path.stem}-{number:03}(-[0-9a-f]{{8}})?", cell.id)
    assert "execution" not in json.dumps([dict(c.metadata) for c in notebook.cells])
    assert not re.search(r" at 0x[0-9a-f]+|/(tmp|home)/|np\.float64\(", path.read_text())


@named(CHAPTERS)
def test_one_title_and_it_begins_with_a_verb(path):
    titles = [
        line
        for cell in text_cells(path)
        for line in cell.source.splitlines()
        if line.startswith("# ")
    ]
    assert titles == [f"# {WRITTEN[path.stem[:2]]['title']}"]
    assert read(path).cells[0].source.startswith(titles[0])
    assert titles[0].split()[1] in VERBS


@named(CHAPTERS)
def test_opening_and_closing_sections(path):
    text = "\n".join(cell.source for cell in text_cells(path))
    for word in ("What you'll do", "What you'll learn", "What you need", "Time"):
        assert f"**{word}.**" in text
    sections = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    ending = ["Summary", "Exercises", "Further reading"] if path.stem[:2] != "00" else []
    assert sections[-len(ending) :] == ending or not ending


@named(CHAPTERS)
def test_minutes_are_those_of_the_table(path):
    text = read(path).cells[0].source + read(path).cells[1].source
    [time] = re.findall(r"\*\*Time\.\*\* (.*)", text) or [""]
    if minutes := re.match(r"(\d+) minutes", time):
        assert int(minutes[1]) == WRITTEN[path.stem[:2]]["reading"]
    else:
        assert time.startswith("Two hours")
        assert WRITTEN[path.stem[:2]]["reading"] == 120


@named(EVERY)
def test_cell_sizes(path):
    for cell in code_cells(path):
        assert len(lines_of(cell)) <= 15, cell.source
        definitions = re.findall(r"^(?:def|class) ", cell.source, flags=re.MULTILINE)
        assert len(definitions) <= 1, cell.source
        assert all(len(line) <= 100 for line in lines_of(cell)), cell.source
    for cell in text_cells(path):
        words = [w for w in cell.source.split() if re.search(r"\w", w)]
        is_table = "|---" in cell.source
        assert len(words) <= 150 or is_table, cell.source
        assert cell.source.count("$$") <= 6, "at most three displayed equations a cell"
    sizes = sorted(len(lines_of(cell)) for cell in code_cells(path))
    assert sizes[len(sizes) // 2] <= 8


@named(CHAPTERS)
def test_only_allowed_tags_and_each_exercise_has_its_check(path):
    cells = code_cells(path)
    assert all(set(cell.metadata.get("tags", [])) <= TAGS for cell in cells)
    stubs = [n for n, cell in enumerate(cells) if is_stub(cell)]
    if path.stem[:2] != "00":
        assert 3 <= len(stubs) <= 5
    for n in stubs:
        assert cells[n + 1].source.startswith(f"check.{cells[n].metadata['name']}(")
        assert cells[n + 1].outputs[0].data["text/plain"].startswith("To do.")


@named(SOLUTIONS)
def test_every_check_passes_in_the_solutions(path):
    verdicts = [
        cell.outputs[0].data["text/plain"]
        for cell in code_cells(path)
        if cell.source.startswith("check.")
    ]
    assert len(verdicts) >= 3
    assert all(verdict.startswith("Right.") for verdict in verdicts), verdicts


def is_stub(cell):
    return "exercise" in cell.metadata.get("tags", [])


@named(EVERY)
def test_every_figure_says_in_words_what_it_shows(path):
    for cell in code_cells(path):
        shown = [output.get("data", {}) for output in cell.outputs]
        assert not any("image/png" in data for data in shown), "JupyterLab shows it without words"
        if any("<img" in data.get("text/html", "") for data in shown):
            assert "mystnb" in cell.metadata, f"say in mystnb.image.alt what this shows: {cell}"
            words = cell.metadata["mystnb"]["image"]["alt"]
            [picture] = [data["text/html"] for data in shown if "text/html" in data]
            assert re.findall('alt="([^"]*)"', picture) == [html.escape(words)]
            assert re.fullmatch(r".*-\d{3}-[0-9a-f]{8}", cell.id)


@named(EVERY)
def test_imports_stand_in_the_first_code_cell_alone(path):
    cell = imports_of(path)
    for node in ast.parse(cell.source).body:
        assert isinstance(node, (ast.Import, ast.ImportFrom)), cell.source
    for other in code_cells(path):
        for node in ast.walk(ast.parse(other.source)):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert other.id == cell.id or other.source.startswith("import emtools\n")


def test_chapter_00_knows_another_project_of_the_name(monkeypatch):
    cell = code_cells(NOTEBOOKS / "00_start_here.ipynb")[0]
    exec(cell.source, {})
    stranger = types.ModuleType("emtools")
    stranger.__file__ = "site-packages/emtools/__init__.py"
    monkeypatch.setitem(sys.modules, "emtools", stranger)
    with pytest.raises(RuntimeError, match=r"site-packages.*another project.*make course"):
        exec(cell.source, {})


@named(CHAPTERS)
def test_nothing_is_imported_from_a_later_chapter(path):
    number = path.stem[:2]
    known = {module for chapter in SHELF if chapter < number for module in SHELF[chapter]}
    allowed = known | NOT_TAUGHT | set(PREVIEW[number])
    for module in emtools_modules(imports_of(path).source):
        assert allowed & {module, module.split(".")[0]}, module


def emtools_modules(source):
    """Names of the modules of emtools that a cell imports from, wherever they are offered."""
    for module, name in imported(source):
        if module.split(".")[0] == "emtools":
            yield home_of(module, name).removeprefix("emtools.")


def home_of(module, name):
    """The module where what is imported from this one stands; `import emtools` is for its fit."""
    if name is None:
        return "emtools.fitting" if module == "emtools" else module
    member = getattr(importlib.import_module(module), name, None)
    if member is None or inspect.ismodule(member):
        return f"{module}.{name}"
    return getattr(member, "__module__", module)  # a number has none


def imported(source):
    """Pairs of module and name (or None) that a cell imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)


@named(CHAPTERS)
def test_no_function_is_imported_before_it_is_taught(path):
    number = path.stem[:2]
    later = {
        (f"emtools.{module}", name)
        for chapter in SHELF
        if chapter >= number
        for module, names in SHELF[chapter].items()
        if module not in PREVIEW[number]
        for name in names
    }
    of_ours = [pair for pair in imported(imports_of(path).source) if pair[0].startswith("emtools")]
    assert not later & {(home_of(*pair), pair[1]) for pair in of_ours}


def test_every_way_to_import_is_seen():
    ways = "import emtools.logspace\nfrom emtools import arrays\nfrom emtools.loops import em"
    assert list(emtools_modules(ways)) == ["logspace", "arrays", "loops"]
    ways = "from emtools.scale import costs, fit_file\nfrom emtools.kernel import CACHE"
    assert list(emtools_modules(ways)) == ["scale.costs", "scale.chunks", "kernel"]
    assert list(emtools_modules("import emtools\nfrom emtools import Mixture, data, predict")) == [
        "fitting",
        "mixture",
        "data",
        "predict",
    ]


@named(CHAPTERS)
def test_a_chapter_and_its_modules_hold_the_same_functions(path):
    in_chapter = definitions_of("\n\n".join(c.source for c in code_cells(path) if not is_stub(c)))
    for module, names in SHELF[path.stem[:2]].items():
        on_shelf = importlib.import_module(f"emtools.{module}")
        for name in names:
            assert in_chapter[name] == bare(getattr(on_shelf, name)), f"{module}.{name} differs"


@named(CHAPTERS)
def test_a_chapter_and_its_modules_hold_the_same_numbers(path):
    source = "\n\n".join(c.source for c in code_cells(path) if not is_stub(c))
    for module in SHELF[path.stem[:2]]:
        on_shelf = vars(importlib.import_module(f"emtools.{module}"))
        for name, value in constants_of(source):
            assert on_shelf.get(name, value) == value, f"{module}.{name} differs"


def test_the_numbers_of_a_chapter_are_found():
    source = "A_B, LONG = (32, 4), 1000\nWIDE = 2.5  # nats\nK = 3\nTABLE = np.ones(2)"
    assert list(constants_of(source)) == [("A_B", (32, 4)), ("LONG", 1000), ("WIDE", 2.5)]


@pytest.mark.parametrize("module", WHOLE)
def test_a_module_that_is_taught_whole_has_no_function_beside(module):
    on_shelf = importlib.import_module(f"emtools.{module}")
    own = {
        name
        for name, member in vars(on_shelf).items()
        if inspect.isfunction(member) and member.__module__ == on_shelf.__name__
    }
    taught = {name for chapter in SHELF.values() for name in chapter.get(module, ())}
    assert own == {name for name in taught if inspect.isfunction(getattr(on_shelf, name))}


def definitions_of(source):
    """The last definition of each name in a chapter, without docstring and comments."""
    tree = ast.parse(source)
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: normal(node) for node in tree.body if isinstance(node, kinds)}


def constants_of(source):
    """Pairs of a name in capitals, of two letters or more, and the number given to it."""
    for node in ast.parse(source).body:
        if not isinstance(node, ast.Assign):
            continue
        names = [name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)]
        if all(name.isupper() and len(name) > 1 for name in names):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:  # computed
                continue
            yield from zip(names, value if len(names) > 1 else [value], strict=True)


def bare(member):
    return normal(ast.parse(textwrap.dedent(inspect.getsource(member))).body[0])


def normal(node):
    """A definition as text, its docstring gone; comments never reach the parser."""
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(node)


def test_the_comparison_sees_a_changed_sign():
    """A test of the test above: one character makes two definitions differ, a comment does not."""
    ours = definitions_of("def f(x):\n    return x + 1")
    assert ours == definitions_of('def f(x):\n    """Doc."""\n    return x + 1  # comment')
    assert ours != definitions_of("def f(x):\n    return x - 1")


@named(EVERY)
def test_no_magic_no_download_no_warning_filter(path):
    forbidden = r"^\s*[%!]|plt\.show|sys\.path|simplefilter|filterwarnings|urlopen|np\.random\.seed"
    for cell in code_cells(path):
        assert not re.search(forbidden, cell.source, flags=re.MULTILINE), cell.source


WORDS = r"\b(simply|obviously|just|color|normalize[sd]?|initialize[sd]?|behavior|center(ed)?)\b"


@named(CHAPTERS)
def test_words_we_do_not_use(path):
    for cell in text_cells(path):
        prose = re.sub(r"`[^`]*`|\$[^$]*\$", "", cell.source)
        assert not re.search(WORDS, prose, flags=re.IGNORECASE), cell.source


@named(EVERY)
def test_links_between_pages_lead_somewhere(path):
    for cell in text_cells(path):
        for picture, target in re.findall(r"(!?)\[[^]]*\]\(([^)#\s]+)", cell.source):
            if not target.startswith("http"):
                # Solutions hold the text of their chapter: a link there leads to other solutions,
                # or to a chapter that has none, but a picture must be where it says.
                home = path.parent if picture else NOTEBOOKS
                assert (home / target).exists(), target


@named(CHAPTERS)
def test_equations_that_code_cites_exist(path):
    text = "\n".join(cell.source for cell in text_cells(path))
    numbers = re.findall(r"\\tag\{(\d+)\}", text)
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    for cell in code_cells(path):
        for cited in re.findall(r"Eq\. \((\d+)\)", cell.source):
            assert cited in numbers, cell.source


def test_building_again_gives_the_same_files(tmp_path, capfd):
    """One short chapter and its solutions, twice: to the byte, pictures included."""
    path = next(path for path in CHAPTERS if path.stem.endswith("_fit_two_bells"))
    once, again = tmp_path / "once", tmp_path / "again"
    for folder in (once, again):
        build.build_all([path.stem[:2]], folder)
    assert capfd.readouterr().err == ""
    files = [file.relative_to(once) for file in once.rglob("*.*")]
    assert sorted(map(str, files)) == [path.name, f"solutions/{path.name}"]
    for file in files:
        assert (once / file).read_bytes() == (again / file).read_bytes()
        # On another system a picture may have other bytes; and timings are not compared.
        assert settled(once / file) == settled(NOTEBOOKS / file)


def settled(path):
    """A notebook without what may differ: pictures, and outputs that are not compared."""
    notebook = read(path)
    for cell in notebook.cells:
        if "nbval-ignore-output" in cell.metadata.get("tags", []):
            cell.outputs = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/html" in data:
                data["text/html"] = re.sub('base64,[^"]*', "", data["text/html"])
    return nbformat.writes(notebook)


def notebook_of(*sources, name="00_x"):
    """A notebook of code cells; one that begins with `answer` is a stub."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    for number, cell in enumerate(cells, start=1):
        cell.id = f"{name}-{number:03}"
        cell.metadata["tags"] = ["exercise"] if cell.source.startswith("answer") else []
    return nbformat.v4.new_notebook(cells=cells)


def test_solutions_know_nothing_of_what_the_stubs_have_done():
    """They share a kernel with their chapter, but not a name; cells are counted as if alone."""
    common, ending = ("x = 1", "x"), ("x + (answer or 0)", "sorted({'x', 'y', 'In'} & set(dir()))")
    chapter = notebook_of(*common, "answer = None; y = x; x = 5", *ending)
    solved = notebook_of(*common, "answer = 2", *ending)
    build.execute(chapter, solved)
    shown = [
        [output.data["text/plain"] for cell in notebook.cells for output in cell.outputs]
        for notebook in (chapter, solved)
    ]
    assert shown == [["1", "5", "['In', 'x', 'y']"], ["1", "3", "['In', 'x']"]]
    for notebook in (chapter, solved):
        counts = [cell.execution_count for cell in notebook.cells]
        assert counts == [1, 2, 3, 4, 5]
        assert [cell.outputs[0].execution_count for cell in notebook.cells if cell.outputs] == [
            2,
            4,
            5,
        ]


def run_nbval(path):
    """Compare a notebook's outputs with a fresh run, as `make test` does."""
    command = f"{sys.executable} -m pytest -c /dev/null -p no:cacheprovider -p no:xdist --nbval "
    command += f"--nbval-current-env --nbval-cell-timeout 120 -q {path} "
    command += f"--nbval-sanitize-with {ROOT / 'tests' / 'nbval.cfg'}"
    return subprocess.run(
        command.split(), capture_output=True, text=True, timeout=300, cwd=path.parent
    )


def test_nbval_sees_one_wrong_digit(tmp_path):
    """One digit of a printed number changed must fail, and on that cell only."""
    chapter = read(next(path for path in CHAPTERS if path.stem.endswith("_start_here")))
    cells = [cell for cell in chapter.cells if cell.cell_type == "code"]
    [place] = [n for n, cell in enumerate(cells) if "np.std(" in cell.source]
    cells[place].outputs[0].text = cells[place].outputs[0].text.replace("13.5950", "13.5951")
    chapter.cells = [cells[1], cells[place], cells[-1]]
    tampered = tmp_path / "tampered.ipynb"
    nbformat.write(chapter, tampered)
    result = run_nbval(tampered)
    assert result.returncode == 1, result.stdout
    assert "1 failed, 2 passed" in result.stdout
    assert "13.5951" in result.stdout


def test_nbval_compares_no_picture(tmp_path):
    """Other bytes and other words pass; another number of panels in what stands beside fails."""
    sources = ("from emtools.course import plots", "_ = plots.new_axes().plot([1, 2])")
    chapter = notebook_of(*sources)
    build.execute(chapter)
    [output] = chapter.cells[1].outputs
    output.data["text/html"] = output.data["text/html"].replace("iVBOR", "other")
    output.data["text/html"] = re.sub('alt="[^"]*"', 'alt="A line."', output.data["text/html"])
    nbformat.write(chapter, tmp_path / "picture.ipynb")
    assert run_nbval(tmp_path / "picture.ipynb").returncode == 0
    output.data["text/plain"] = output.data["text/plain"].replace("1 Axes", "2 Axes")
    nbformat.write(chapter, tmp_path / "picture.ipynb")
    assert run_nbval(tmp_path / "picture.ipynb").returncode == 1
