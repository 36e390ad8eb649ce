"""Every way to start that README and docs/pages/launch.md offer, as far as it can be held here."""

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import build
import contents
import nbformat
import paper
import pytest
from test_browser import chromium  # noqa: F401
from test_packaging import ADDRESS, PROJECT, tracked_files

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
LAUNCH = ROOT / "docs/pages/launch.md"
FOR_READERS = [ROOT / "README.md", ROOT / ".github/CONTRIBUTING.md", *LAUNCH.parent.glob("*.md")]
TEXTS = pytest.mark.parametrize("path", FOR_READERS, ids=lambda path: path.name)
CHAPTERS = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def commands(heading):
    """What is to be typed under a heading of launch.md, each block as a list of lines."""
    text = LAUNCH.read_text(encoding="utf-8")
    [section] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return [block.splitlines() for block in re.findall(r"^```\n(.*?)^```", section, re.M | re.S)]


# What make types besides: less to read, a manager that readers do not need, and root's own.
ONLY_MAKE = {
    "--quiet",
    "--disable-pip-version-check",
    "--LabApp.extension_manager=readonly",
    "--allow-root",
}


@pytest.fixture(scope="module")
def by_make():
    """What `make course` would type if nothing were there yet, asked of make itself."""
    if shutil.which("make") is None:
        pytest.skip("there is no make to ask")
    ask = ["make", "--dry-run", "--always-make", "course"]
    recipe = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = [line.partition(" #")[0].split() for line in recipe.splitlines() if " -m " in line]
    return [[word for word in line if word not in ONLY_MAKE] for line in lines]


def plain(word):
    """A word of a command as it is on a system with slashes."""
    return word.replace("\\", "/").replace("Scripts/", "bin/")


@pytest.mark.parametrize(
    ("heading", "python"), [("This machine", "python3"), ("Windows", "py")], ids=["here", "Windows"]
)
def test_what_is_typed_without_make_is_what_make_types(heading, python, by_make):
    typed = [[plain(word) for word in line.split()] for line in commands(heading)[-1]]
    assert typed[0][0] == python
    assert [["python3", *typed[0][1:]], *typed[1:]] == by_make


def test_paths_typed_on_windows_exist():
    words = [word for line in commands("Windows")[0] for word in line.split()]
    paths = [plain(word) for word in words if "\\" in word and not word.startswith(".venv")]
    assert paths == ["binder/requirements.txt"]
    assert all((ROOT / path).exists() for path in paths)


def test_conda_types_the_same_jupyterlab(by_make):
    *_, no_news, lab = [line.split() for line in commands("conda")[0]]
    assert ["jupyter", "labextension", *by_make[-2][3:]] == no_news
    assert ["jupyter", "lab", *by_make[-1][3:]] == lab


# Colab


def test_colab_installs_the_course_without_a_restart():
    [_, [line]] = commands("Colab")
    *command, source = line.split()
    assert command == ["%pip", "install", "--quiet", "--no-deps"]
    assert source == f"git+{ADDRESS}"
    assert f"`{PROJECT['name']}`" in LAUNCH.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_only_the_first_chapter_reads_a_file_beside_it(path):
    """On Colab, and wherever a chapter is opened alone, there is none."""
    cells = nbformat.read(path, as_version=4).cells
    trees = [ast.parse(cell.source) for cell in cells if cell.cell_type == "code"]
    strings = [
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value
    ]
    beside = [value for value in strings if len(value) < 99 and (NOTEBOOKS / value).is_file()]
    first = path.stem == contents.stem(contents.chapters()[0])
    assert beside == (["source/course.toml"] if first else [])


# What a visitor sees


def test_the_folder_of_notebooks_shows_each_chapter_once():
    """Binder's visitor looks at it: the texts are one folder deeper."""
    parts = [Path(name).parts for name in tracked_files() if name.startswith("notebooks/")]
    files = sorted(name for _, name, *deeper in parts if not deeper)
    folders = {name for _, name, *deeper in parts if deeper}
    assert files == [path.name for path in CHAPTERS]
    assert folders == {"solutions", "source"}


@pytest.mark.skipif(sys.platform != "linux", reason="repo2docker asks for Linux")
def test_binder_offers_to_keep_a_notebook_in_the_browser():
    """The buttons that launch.md speaks of come with what repo2docker installs."""
    [home] = importlib.util.find_spec("repo2docker").submodule_search_locations
    python = (ROOT / "binder/runtime.txt").read_text("utf-8").strip().removeprefix("python-")
    lock = Path(home, "buildpacks/conda", f"environment.py-{python}-linux-64.lock")
    assert "jupyter-offlinenotebook" in lock.read_text(encoding="utf-8")


def test_checked_out_files_weigh_under_40_mb():
    sizes = {name: (ROOT / name).stat().st_size for name in tracked_files()}
    assert sum(sizes.values()) < 40e6, sorted(sizes, key=sizes.get)[-5:]


# Links and commands


@TEXTS
def test_links_lead_to_files(path):
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"\]\(([^)#\s]+)", text))
    if path == ROOT / "docs/pages/index.md":  # pages that the book makes; its build holds the links
        targets -= {"chapters.md", "solutions/index.md", "api/index.md"}
    for target in targets:
        assert target.startswith("https://") or (path.parent / target).exists(), target


@TEXTS
def test_what_make_is_asked_for_exists(path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)make (?:\w+=\S+ )*([a-z][\w-]*)", path.read_text("utf-8"), re.M)
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"


@TEXTS
def test_no_link_leads_to_an_address_that_is_not_yet_there(path):
    links = re.findall(r"\]\((\S+)\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if "OWNER" in link or "REPO" in link] == []


def test_the_readme_says_where_the_course_is_on_the_web(monkeypatch):
    """If not: `make links`."""
    readme = contents.README.read_text(encoding="utf-8")
    assert build.web_places() in readme
    assert build.with_web_places(readme) == readme
    monkeypatch.setattr(build, "repository", lambda: "Some-One/some.course")
    moved = build.with_web_places(readme)
    for place in ("", "em-course.pdf", "lite/"):
        assert f"](https://some-one.github.io/some.course/{place})" in moved
    assert "](https://mybinder.org/v2/gh/Some-One/some.course/HEAD?" in moved


@pytest.mark.parametrize("end", ["", "/", ".git"])
def test_the_address_may_be_written_in_three_ways(end, monkeypatch, tmp_path):
    address = f'[project.urls]\nRepository = "https://github.com/Some-One/some.course{end}"\n'
    (tmp_path / "pyproject.toml").write_text(address, encoding="utf-8")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    assert build.repository() == "Some-One/some.course"
    assert build.web_address() == "https://some-one.github.io/some.course/"


@pytest.mark.parametrize("address", ["https://example.org/some/course", "https://github.com/some"])
def test_an_address_elsewhere_is_named(address, monkeypatch, tmp_path):
    text = f'[project.urls]\nRepository = "{address}"\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    with pytest.raises(SystemExit, match=rf"^pyproject\.toml: Repository = '{address}'"):
        build.repository()


# How soon


@contextmanager
def make_course(folder):
    """`make course`, as typed where `.venv` exists; gives the file it prints into."""
    log = folder / "jupyterlab.log"
    names = "CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"
    homes = {f"JUPYTER_{name}": str(folder / name) for name in names}
    homes |= {f"JUPYTERLAB_{name}_DIR": str(folder / name) for name in ("SETTINGS", "WORKSPACES")}
    command = ["make", "--assume-old=.venv/reader", f"PY={sys.executable}", "course"]
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | homes | {"BROWSER": "true"},  # a program that opens nothing
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield log
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=20)


def answers(address):
    """Whether somebody listens there: the address is printed a moment before."""
    try:
        return bool(urllib.request.urlopen(address, timeout=2).read())
    except OSError:
        return False


@pytest.mark.timing
def test_the_first_chapter_is_ready_within_15_seconds(request, tmp_path):
    """With the browser open already."""
    from playwright.sync_api import sync_playwright

    place = request.getfixturevalue("chromium")
    pattern = re.compile(r"http://127\.0\.0\.1:\S+token=\S+")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=paper.FLAGS)
        page, begun = browser.new_page(), time.monotonic()
        with make_course(tmp_path) as log:
            while not ((said := pattern.search(log.read_text("utf-8"))) and answers(said[0])):
                assert time.monotonic() - begun < 15, log.read_text("utf-8")
                time.sleep(0.05)
            page.goto(said[0])
            title = page.locator(".jp-NotebookPanel .jp-RenderedMarkdown h1").first
            title.wait_for(timeout=30_000)
            page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=30_000)
            assert time.monotonic() - begun < 15
        browser.close()
