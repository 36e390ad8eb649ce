"""The course as a reader meets it: JupyterLab started as `make course` does, and Chromium.

One server, one browser and one page do for the whole file. Of a chapter only those cells are run
that its players need: nbval runs all of them.
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import jupytext
import nbformat
import paper
import pytest
from players import chapters_with_players, cut_down, widget_cells

ROOT = Path(__file__).parents[1]
ARTEFACTS = ROOT / "tests" / "artefacts"
FIRST = "00_start_here.ipynb"
CHAPTER = "notebooks/01_fit_two_bells.ipynb"
TEXT = "notebooks/source/01_fit_two_bells.md"
SOLUTION = "notebooks/solutions/01_fit_two_bells.ipynb"


def typed_by_make(module, given):
    """What `make course` types to run this module, asked of make so that the two cannot differ."""
    ask = ["make", "--dry-run", given, "course"]
    recipe = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [arguments] = re.findall(rf"^\S+ (-m {re.escape(module)} .+)$", recipe, re.MULTILINE)
    return [sys.executable, *shlex.split(arguments, comments=True)]


class Course:
    """A running JupyterLab over a copy of the notebooks; `printed` is the address it prints."""

    def __init__(self, folder, printed, url, token):
        self.folder, self.printed, self.url, self.token = folder, printed, url, token

    def contents(self, path, **model):
        """Read a file, or with a model given write it, as JupyterLab's own page does."""
        request = urllib.request.Request(
            f"{self.url}api/contents/{path}",
            method="PUT" if model else "GET",
            data=json.dumps(model).encode() if model else None,
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def save(self, path, edit):
        """Open a notebook, change it and save it."""
        notebook = self.contents(path)["content"]
        edit(notebook)
        self.contents(path, type="notebook", format="json", content=notebook)


def wait_for(condition, server, log, seconds=40):
    """Return the first true answer of condition; what the server said if there is none."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        if answer := condition():
            return answer
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """JupyterLab with no memory of earlier sessions, over a copy that a test may change."""
    tmp_path = tmp_path_factory.mktemp("jupyterlab")
    folder = tmp_path / "course"
    forget = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    shutil.copytree(ROOT / "notebooks", folder / "notebooks", ignore=forget)
    shutil.copy(ROOT / "pyproject.toml", folder)

    homes = {
        name: str(tmp_path / name)
        for name in (
            "JUPYTER_CONFIG_DIR",
            "JUPYTER_DATA_DIR",
            "JUPYTER_RUNTIME_DIR",
            "JUPYTERLAB_SETTINGS_DIR",
            "JUPYTERLAB_WORKSPACES_DIR",
            "IPYTHONDIR",
        )
    }
    # What make types once, when it has installed the packages; here for this test alone.
    no_news = typed_by_make("jupyterlab.labextensions", "--assume-new=pyproject.toml")
    alone = {"env": os.environ | homes, "capture_output": True}
    subprocess.run([*no_news, "--level=user"], check=True, **alone)
    command = [
        *typed_by_make("jupyterlab", "--assume-old=.venv/reader"),
        "--no-browser",
        "--ip=127.0.0.1",
        "--ServerApp.port=0",
        "--LabApp.expose_app_in_browser=True",  # cells out of sight have no elements to look at
    ]

    log = tmp_path / "jupyterlab.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | homes,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        runtime = Path(homes["JUPYTER_RUNTIME_DIR"])
        try:
            address = re.compile(r"http://127\.0\.0\.1:\S+token=\S+")
            printed = wait_for(lambda: address.search(log.read_text("utf-8")), server, log)[0]
            [about] = runtime.glob("jpserver-*.json")
            about = json.loads(about.read_text(encoding="utf-8"))
            yield Course(folder, printed, about["url"], about["token"])
        finally:
            server.terminate()  # and its kernels with it
            server.wait(timeout=20)


@pytest.fixture(scope="module")
def chromium():
    """Chromium's place: EMTOOLS_CHROMIUM, or what the system has."""
    place = paper.find_chromium()
    if place is None:
        message = f"no browser: install one of {', '.join(paper.BROWSERS)}, or set EMTOOLS_CHROMIUM"
        if os.environ.get("EMTOOLS_REQUIRE_BROWSER"):
            pytest.fail(message)
        pytest.skip(message)
    return place


@pytest.fixture(scope="module")
def lab(chromium, course):
    """JupyterLab in Chromium at the address that `make course` prints.

    The page has a list of everything that went wrong or out of the machine.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=paper.FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.faults = []

        def note_address(address):
            parts = urlsplit(address)
            if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
                page.faults.append(f"request to {address}")

        def note_message(message):
            if message.type == "error":
                page.faults.append(f"console: {message.text}")

        page.context.on("request", lambda sent: note_address(sent.url))
        page.on("websocket", lambda socket: note_address(socket.url))
        page.on("pageerror", lambda error: page.faults.append(f"page error: {error}"))
        page.on("console", note_message)
        page.goto(course.printed)
        wait_for_notebook(page, FIRST)  # or it would come in front of what a test opens
        yield page
        browser.close()


@pytest.fixture
def page(lab, request):
    """The page; each test answers for its own faults, and leaves a picture of its end."""
    lab.faults.clear()
    yield lab
    ARTEFACTS.mkdir(exist_ok=True)
    lab.screenshot(path=ARTEFACTS / f"{request.node.name}.png")  # of failures, above all


NOTEBOOK = "jupyterapp.shell.currentWidget.content"

# The numbers of the code cells; they go while a cell is run, and come back as others.
COUNTS = f"() => {NOTEBOOK}.model.toJSON().cells.map(cell => cell.execution_count).join()"
RUN_BEGUN = f"before => ({COUNTS})() !== before"

# Whether every code cell has been run, or one has failed. A cell is counted before it has ended.
RUN_ENDED = f"""() => {{
    const cells = {NOTEBOOK}.model.toJSON().cells.filter(cell => cell.cell_type === "code");
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    return kernel.status === "idle" && (cells.every(cell => cell.execution_count)
        || cells.some(cell => cell.outputs.some(output => output.output_type === "error")));
}}"""

# The image's pixels; they say more than its address, which changes even when the picture does not.
PIXELS = """image => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL();
}"""
# The player puts another image in the place of the one before.
PIXELS_CHANGED = f"""([player, address, before]) => {{
    const image = player.querySelector("img.em-frame");
    return image.complete && image.naturalWidth > 0 && image.src !== address
        && ({PIXELS})(image) !== before;
}}"""

# Whether every slider, button and picture of a player has a name, and sliders say their words.
EVERY_PART_NAMED = """player => {
    const parts = [...player.querySelectorAll(".noUi-handle, button, img")];
    return parts.every(part => part.alt || part.getAttribute("aria-label"))
        && [...player.querySelectorAll(".noUi-handle")].every(handle =>
            handle.getAttribute("aria-valuetext")
            === handle.closest(".widget-inline-hbox").querySelector(".widget-readout").textContent);
}"""
GLIDING = ".noUi-state-tap"  # a clicked handle glides to its place and takes no click meanwhile


def wait_for_notebook(page, name):
    """Until this notebook is in front and its kernel has nothing to do."""
    front = "() => window.jupyterapp?.shell.currentWidget?.title.label"
    page.wait_for_function(f"name => ({front})() === name", arg=name, timeout=60_000)
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for(timeout=60_000)
    # A kernel may be idle before the last cell stands in the page.
    all_there = f"() => {NOTEBOOK}.widgets.length === {NOTEBOOK}.model?.cells.length"
    page.wait_for_function(all_there, timeout=60_000)


def seconds_to_change(page, player, move):
    """How long after a move another picture is to be seen."""
    page.wait_for_function(f"() => !document.querySelector('{GLIDING}')")
    image = player.locator("img.em-frame")
    before = [image.get_attribute("src"), image.evaluate(PIXELS)]
    start = time.monotonic()
    move()
    page.wait_for_function(PIXELS_CHANGED, arg=[player.element_handle(), *before], polling=20)
    return time.monotonic() - start


def click_at(track, part):
    """Click on the slider's track at a part of its length."""
    size = track.bounding_box()
    track.click(position={"x": part * size["width"], "y": size["height"] / 2})


def open_players(course, page, chapter):
    """Open the cut-down copy of a chapter in the page, and run it."""
    path = course.folder / "players" / chapter.name
    path.parent.mkdir(exist_ok=True)
    nbformat.write(cut_down(nbformat.read(chapter, as_version=4)), path)
    open_document = "async path => { await jupyterapp.commands.execute('docmanager:open', {path}) }"
    page.evaluate(open_document, f"players/{path.name}")
    wait_for_notebook(page, path.name)
    return run_all(page)


def run_all(page):
    """Run all cells of the notebook in front, and return it as the page then holds it."""
    from playwright.sync_api import TimeoutError

    before = page.evaluate(COUNTS)
    for _ in range(3):  # on a busy machine the first click may come to nothing
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(TimeoutError):
            page.wait_for_function(RUN_BEGUN, arg=before, polling=50, timeout=10_000)
            break
    page.wait_for_function(RUN_ENDED, polling=100, timeout=120_000)
    return page.evaluate(f"{NOTEBOOK}.model.toJSON()")


def check_run(notebook):
    """Every code cell was run in order, and none failed or complained."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in code:
        for output in cell["outputs"]:
            wrong = output["output_type"] == "error" or output.get("name") == "stderr"
            assert not wrong, f"{cell['source']}\n{output}"
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))


def move_by_key_and_mouse(page, player):
    """Move the first slider of a player three times by key and three times by mouse.

    Returns the seconds that each took to show.
    """
    image, handle, track = (
        player.locator(part).first for part in ("img.em-frame", ".noUi-handle", ".noUi-base")
    )
    image.scroll_into_view_if_needed()
    shown = "image => image.naturalWidth > 0"
    page.wait_for_function(shown, arg=image.element_handle(), timeout=5_000)
    handle.focus()
    by_key = [
        seconds_to_change(page, player, lambda: page.keyboard.press("ArrowRight")) for _ in range(3)
    ]
    is_last = handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax")
    parts = (0.05, 0.5, 0.95) if is_last else (0.95, 0.5, 0.05)  # each is another place
    by_mouse = [seconds_to_change(page, player, partial(click_at, track, part)) for part in parts]
    return [*by_key, *by_mouse]


def move_all_players(course, page, chapter):
    """Move every player of a chapter, and return the seconds that each move took to show."""
    notebook = open_players(course, page, chapter)
    check_run(notebook)
    places = widget_cells(notebook)
    assert len(places) == len(widget_cells(json.loads(chapter.read_text("utf-8"))))
    for number, index in enumerate(places):
        page.evaluate(f"{NOTEBOOK}.scrollToItem({index}, 'start')")
        player = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .em-player").nth(number)
        player.wait_for(timeout=10_000)
        page.wait_for_function(EVERY_PART_NAMED, arg=player.element_handle(), timeout=10_000)
        yield from move_by_key_and_mouse(page, player)


every_chapter_with_players = pytest.mark.parametrize(
    "chapter", chapters_with_players(), ids=lambda path: path.stem[:2]
)


def test_the_printed_address_opens_the_first_chapter(page):
    """And nobody is asked about news."""
    assert page.evaluate("jupyterapp.shell.currentWidget.title.label") == FIRST
    notebook = run_all(page)
    check_run(notebook)
    assert "This machine is ready." in json.dumps(notebook)
    assert page.locator(".Toastify__toast").all_inner_texts() == []
    assert page.locator(".jp-Dialog").all_inner_texts() == []
    assert page.faults == []


@every_chapter_with_players
def test_players_move_by_key_and_by_mouse(course, page, chapter):
    assert len(list(move_all_players(course, page, chapter))) >= 6
    assert page.faults == []


@pytest.mark.timing
@every_chapter_with_players
def test_another_picture_is_seen_within_a_second(course, page, chapter):
    assert max(move_all_players(course, page, chapter)) < 1


def test_every_chapter_opens_whatever_the_file_times(course):
    """A fresh clone gives the pairs any times; Jupytext must not see a disagreement in them."""
    chapters = sorted((course.folder / "notebooks").glob("*.ipynb"))
    for newer, older in ((".ipynb", ".md"), (".md", ".ipynb")):
        for chapter in chapters:
            text = chapter.parent / "source" / chapter.with_suffix(".md").name
            for path in (chapter, text):
                age = {newer: 0, older: 3600}[path.suffix]
                os.utime(path, (time.time() - age,) * 2)
            course.contents(f"notebooks/{chapter.name}")


def test_saving_without_an_edit_changes_no_line_of_the_text(course):
    """JupyterLab fills in what the kernel says of its language; Jupytext marks cells with it."""
    text = course.folder / TEXT
    before = text.read_bytes()
    language = {"name": "python", "pygments_lexer": "ipython3", "file_extension": ".py"}
    course.save(CHAPTER, lambda notebook: notebook["metadata"].update(language_info=language))
    assert text.read_bytes() == before


def test_saving_a_chapter_writes_its_text(course):
    text = course.folder / TEXT
    before = jupytext.read(text).cells
    course.save(CHAPTER, lambda notebook: notebook["cells"][-1].update(source="# Read on"))

    after = jupytext.read(text).cells
    assert after[-1].source == "# Read on"
    unchanged = [(cell.cell_type, cell.source, cell.metadata) for cell in before[:-1]]
    assert [(cell.cell_type, cell.source, cell.metadata) for cell in after[:-1]] == unchanged


def test_saving_a_solution_writes_no_text(course):
    texts = {path: path.read_bytes() for path in course.folder.rglob("*.md")}
    course.save(SOLUTION, lambda notebook: notebook["cells"][-1].update(source="# Read on"))

    saved = nbformat.read(course.folder / SOLUTION, as_version=4)
    assert saved.cells[-1].source == "# Read on"
    assert {path: path.read_bytes() for path in course.folder.rglob("*.md")} == texts


def open_document(page, path):
    """Open a notebook as it is stored."""
    opened = "async path => { await jupyterapp.commands.execute('docmanager:open', {path}) }"
    page.evaluate(opened, path)
    wait_for_notebook(page, Path(path).name)


def figures_of(chapter):
    """Places of the cells that show a figure, and the words that their text gives them."""
    text = ROOT / "notebooks" / "source" / Path(chapter).with_suffix(".md").name
    for index, cell in enumerate(jupytext.read(text).cells):
        if "mystnb" in cell.metadata:
            yield index, cell.metadata["mystnb"]["image"]["alt"]


def words_seen(page, index):
    """The alt text of a cell's picture, once the cell has been scrolled to and it is drawn."""
    page.evaluate(f"{NOTEBOOK}.scrollToItem({index}, 'start')")
    picture = f"{NOTEBOOK}.widgets[{index}].node.querySelector('.jp-OutputArea img')"
    page.wait_for_function(f"() => {picture}?.clientWidth > 600", timeout=10_000)
    return page.evaluate(f"{picture}.alt")


def until_said(page, index, words):
    """Until a cell's picture has an alt text that begins with these words."""
    picture = f"{NOTEBOOK}.widgets[{index}].node.querySelector('.jp-OutputArea img')"
    said = f"words => {picture}?.alt.startsWith(words)"
    page.wait_for_function(said, arg=words, timeout=10_000)


def run_changed(page, index, old, new):
    """Change what stands in a cell, and run it."""
    page.evaluate(f"() => {{ {NOTEBOOK}.activeCellIndex = {index} }}")
    source = f"{NOTEBOOK}.activeCell.model.sharedModel"
    change = f"words => {source}.setSource({source}.getSource().replace(...words))"
    page.evaluate(change, [old, new])
    page.evaluate("jupyterapp.commands.execute('notebook:run-cell')")


def test_figures_have_their_words_as_stored_and_as_just_run(page):
    """Stored, in a notebook that is not trusted, and after Run All, from the cell's metadata."""
    open_document(page, CHAPTER)
    figures = list(figures_of(CHAPTER))
    assert len(figures) >= 3
    assert [words_seen(page, index) for index, _ in figures] == [words for _, words in figures]
    check_run(run_all(page))
    assert [words_seen(page, index) for index, _ in figures] == [words for _, words in figures]

    index, words = figures[0]  # a change may make them false, and then they are not said
    run_changed(page, index, "waiting)", "waiting + 1)")
    until_said(page, index, "Figure: density (per minute) from -0.00")
    run_changed(page, index, "waiting + 1)", "waiting)")
    until_said(page, index, words)
    assert page.faults == []


# What is ours in the notebook in front: texts, and what cells have shown, players included.
OURS = [
    [f".jp-NotebookPanel:not(.lm-mod-hidden) .jp-{part}"]
    for part in ("MarkdownOutput", "OutputArea-output")
]


def test_axe_finds_no_barrier_in_what_is_ours(page):
    """WCAG 2.1 A and AA; what axe finds in JupyterLab itself is on the page on accessibility."""
    from axe_playwright_python.sync_playwright import Axe

    open_document(page, CHAPTER)
    every_cell = f"{{...{NOTEBOOK}.notebookConfig, windowingMode: 'none'}}"
    page.evaluate(f"() => {{ {NOTEBOOK}.notebookConfig = {every_cell} }}")
    run_all(page)
    page.locator(".em-player [aria-valuetext='0 of 30']").first.wait_for(timeout=10_000)
    options = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
    found = Axe().run(page, {"include": OURS}, options).response
    for fault in found["violations"]:
        assert fault["impact"] not in ("serious", "critical"), json.dumps(fault, indent=1)
    looked_at = {rule["id"]: len(rule["nodes"]) for rule in found["passes"]}
    assert looked_at["image-alt"] >= 4
    assert looked_at["button-name"] >= 3
    assert looked_at["aria-input-field-name"] >= 1


def test_a_player_is_named_and_says_its_state(course, page):
    """Sliders and buttons have names, a slider says its place in words, the picture its state."""
    open_players(course, page, ROOT / CHAPTER)
    player = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .em-player")
    handle = player.get_by_role("slider", name="iteration", exact=True)
    handle.wait_for(timeout=10_000)
    handle.focus()
    page.keyboard.press("ArrowRight")
    player.get_by_role("img", name="iteration 1: bells at ").wait_for(timeout=10_000)
    assert handle.get_attribute("aria-valuetext") == "1 of 30"
    page.keyboard.press("End")
    player.get_by_role("img", name="iteration 30: bells at 80.1 and 54.6").wait_for(timeout=10_000)
    assert handle.get_attribute("aria-valuetext") == "30 of 30"
    assert player.locator("[aria-live=polite] img").count() == 1

    assert player.locator("[contenteditable=true]").count() == 0  # Tab would stop there

    player.get_by_role("button", name="back to the start").focus()
    page.keyboard.press("Enter")
    player.get_by_role("img", name="start: bells at ").wait_for(timeout=10_000)
    player.get_by_role("button", name="play or pause").focus()
    page.keyboard.press("Space")
    # One picture may be gone before it is looked for: it, or any after it, has been played to.
    played = re.compile(r"^iteration ([3-9]|[123]\d): bells at ")
    player.get_by_role("img", name=played).wait_for(timeout=20_000)
    page.keyboard.press("Space")
    assert page.faults == []
