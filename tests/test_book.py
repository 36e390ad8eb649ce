"""The web book and the PDF, as their readers meet them: built once, opened from a disk in Chromium.

The players are drawn at a few of their places only; how much all of them weigh is checked by
`make book` itself.
"""

import json
import posixpath
import re
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import book
import contents
import nbformat
import paper
import players
import pytest
import reference
from book_checks import (
    CONTRAST,
    MARK_REPETITIONS,
    OUT_OF_REACH,
    WIDER_THAN_THE_PAGE,
    check_axe,
    check_maths,
)
from bs4 import BeautifulSoup
from test_browser import chromium  # noqa: F401  (a fixture)

ROOT = Path(__file__).parents[1]
ARTEFACTS = ROOT / "tests" / "artefacts"
CHAPTERS = [contents.stem(chapter) for chapter in contents.written()]
# Pages that a reader may come upon: all chapters, and one or two of each other kind.
PAGES = [
    *CHAPTERS,
    *("index", "chapters", "search", "solutions/index", f"solutions/{CHAPTERS[1]}"),
    *("api/index", "api/em", "api/families"),
    *contents.PAGES,
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the book, built as `make book` does, with few places of each player."""
    folder = tmp_path_factory.mktemp("book") / "site"
    command = [sys.executable, "docs/book.py", "--draft", "--into", folder]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    return folder


@pytest.fixture(scope="module")
def soups(site):
    """Every page of the book, parsed."""
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    kept = sorted(name for name in pages if not name.startswith("_static"))
    return {name: BeautifulSoup((site / name).read_text("utf-8"), "html.parser") for name in kept}


@pytest.fixture(scope="module")
def browser(chromium):  # noqa: F811
    with paper.chromium() as browser:
        yield browser


@pytest.fixture
def page(browser, site, request):
    """An empty page that answers for every fault, and leaves a picture of its end."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.faults = []

    def note_address(address):
        if urlsplit(address).scheme != "data" and not address.startswith(f"{site.as_uri()}/"):
            page.faults.append(f"request to {address}")

    def note_message(message):
        if message.type in ("error", "warning"):
            page.faults.append(f"console: {message.text}")

    page.on("request", lambda sent: note_address(sent.url))
    page.on("requestfailed", lambda sent: page.faults.append(f"not there: {sent.url}"))
    page.on("pageerror", lambda error: page.faults.append(f"page error: {error}"))
    page.on("console", note_message)
    yield page
    ARTEFACTS.mkdir(exist_ok=True)
    name = request.node.name.replace("/", "-")
    page.screenshot(path=ARTEFACTS / f"{name}.png")
    page.close()


def opened(page, site, name, query=""):
    """Open a page of the book from the disk, and wait until its maths is drawn."""
    page.goto((site / f"{name}.html").as_uri() + query)
    page.wait_for_function("() => document.readyState === 'complete'")
    if page.locator("div.math, span.math").count():
        page.evaluate(paper.MATHS_DRAWN)
    return page


# What is on the disk


def test_every_page_is_in_its_place(soups):
    expected = {f"{stem}.html" for stem in CHAPTERS}
    expected |= {f"solutions/{stem}.html" for stem in CHAPTERS[1:]}
    expected |= {f"api/{name.replace('.md', '.html')}" for name in reference.pages()}
    assert expected | {"index.html", "chapters.html", "search.html"} <= set(soups)


def test_chapters_follow_each_other_as_in_the_table(soups):
    for before, after in pairwise(CHAPTERS):
        assert soups[f"{before}.html"].select_one("a.right-next")["href"] == f"{after}.html"
        assert soups[f"{after}.html"].select_one("a.left-prev")["href"] == f"{before}.html"


def test_no_link_within_the_book_is_broken(site, soups):
    anchors = {name: {tag["id"] for tag in soup.select("[id]")} for name, soup in soups.items()}
    checked = 0
    for name, soup in soups.items():
        for tag in soup.select("a[href], img[src], script[src], link[href]"):
            address = urlsplit(tag.get("href") or tag.get("src"))
            if address.scheme or address.netloc:
                continue
            path = posixpath.normpath(
                posixpath.join(posixpath.dirname(name), unquote(address.path))
            )
            target = path if address.path else name
            assert (site / target).is_file(), f"{name} leads to {target}"
            if address.fragment and target in anchors:
                assert address.fragment in anchors[target], f"{name}: {target}#{address.fragment}"
                checked += 1
    assert checked > 100


def test_each_exercise_leads_to_its_solution_and_back(soups):
    for stem in CHAPTERS[1:]:
        notebook = nbformat.read(contents.NOTEBOOKS / f"{stem}.ipynb", as_version=4)
        names = [cell.metadata["name"] for cell in notebook.cells if book.is_stub(cell)]
        links = soups[f"{stem}.html"].find_all("a", string=re.compile(r"^Solution of exercise \d$"))
        ways = [urlsplit(link["href"]) for link in links]
        assert [way.path for way in ways] == [f"solutions/{stem}.html"] * len(names)
        solutions = soups[f"solutions/{stem}.html"]
        back = solutions.find_all("a", string=re.compile(r"^Back to exercise \d in chapter \d\d$"))
        assert [urlsplit(link["href"]).path for link in back] == [f"../{stem}.html"] * len(names)
        for name, way, link in zip(names, ways, back, strict=True):
            slug = name.replace("_", "-")
            assert way.fragment == f"solution-{stem[:2]}-{slug}"
            assert urlsplit(link["href"]).fragment == f"exercise-{stem[:2]}-{slug}"


def test_solutions_hold_answers_and_chapters_do_not(soups):
    for stem in CHAPTERS[1:]:
        solutions = soups[f"solutions/{stem}.html"].get_text()
        assert solutions.count("Right.") >= 3
        assert "To do." not in solutions
        assert "Right." not in soups[f"{stem}.html"].select_one("article").get_text()


def test_every_chapter_can_be_downloaded_as_it_is(site, soups):
    for stem in CHAPTERS:
        [link] = soups[f"{stem}.html"].select("a.download")
        stored = contents.NOTEBOOKS / f"{stem}.ipynb"
        assert (site / link["href"]).read_bytes() == stored.read_bytes()


def test_every_picture_says_what_it_shows(soups):
    count = 0
    for name, soup in soups.items():
        for image in soup.select("article img"):
            assert len(image["alt"].split()) >= 2, f"{name}: {image['src']}"
            count += 1
    assert count > 70


def test_the_reference_says_what_the_docstrings_say(soups):
    [fit] = soups["api/fitting.html"].select('dt[id="emtools.fitting.fit"]')
    assert "n_starts" in fit.get_text()
    assert "why this end may be none to believe" in soups["api/em.html"].get_text()
    for name, soup in soups.items():
        if name.startswith("api/"):
            assert "Alias for field number" not in soup.get_text(), name


def player_pages():
    return [path.stem for path in players.chapters_with_players()]


def test_each_player_has_a_file_for_each_place(site, soups):
    for stem in player_pages():
        notebook = json.loads((contents.NOTEBOOKS / f"{stem}.ipynb").read_text("utf-8"))
        found = soups[f"{stem}.html"].select(".em-player")
        assert len(found) == len(players.widget_cells(notebook))
        for player in found:
            about = json.loads(player.find("script").string)
            files = {path.stem for path in (site / about["folder"]).iterdir()}
            assert set(about["says"]) == files
            assert len(set(about["says"].values())) == len(files), "two places say the same"


# In a browser


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_and_can_be_used_by_everybody(page, site, name):
    """From a disk, with no fault and no request out of its folder; on a telephone, in the dark."""
    page.set_viewport_size({"width": 400, "height": 800})
    opened(page, site, name)
    check_maths(page)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert page.evaluate(OUT_OF_REACH) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    check_axe(page, {"rules": {"color-contrast": {"enabled": False}}})
    page.evaluate(MARK_REPETITIONS)
    check_axe(page, CONTRAST)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    check_axe(page, CONTRAST)
    page.set_viewport_size({"width": 320, "height": 256})  # as at 400 %, from a page that fitted
    page.wait_for_function(f"() => ({OUT_OF_REACH})().length === 0", timeout=5_000)
    assert page.evaluate(WIDER_THAN_THE_PAGE) == []
    assert page.faults == []


def test_all_other_pages_open_on_a_telephone(page, site, soups):
    others = sorted({name.removesuffix(".html") for name in soups} - set(PAGES))
    assert len(others) > 20
    for name in others:
        page.set_viewport_size({"width": 400, "height": 800})
        opened(page, site, name)
        check_maths(page)
        for width in (400, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(WIDER_THAN_THE_PAGE) == [], name
        assert page.faults == [], name


def test_a_formula_that_has_room_stays_on_one_line(page, site):
    opened(page, site, "01_fit_two_bells")
    heights = "() => [...document.querySelectorAll('div.math')].map(box => box.clientHeight)"
    assert all(height < 90 for height in page.evaluate(heights))


@pytest.mark.parametrize("stem", player_pages())
def test_players_move_by_key_and_by_mouse(page, site, stem):
    opened(page, site, stem)
    for player in page.locator(".em-player").all():
        about = json.loads(player.locator("script").text_content())
        for number, (_, words) in enumerate(about["controls"]):
            row = player.locator(".em-control").nth(number)
            move_by_key(page, player, row, words)
            move_by_mouse(player, row, words)
    assert page.faults == []


def shown(player, row):
    """What a player's slider and picture say and show, once the picture is there."""
    image = player.locator("img")
    image.evaluate("image => image.decode()")
    slider = row.locator("input")
    word = slider.get_attribute("aria-valuetext")
    assert row.locator("output").inner_text() == word
    return word, image.get_attribute("alt"), image.get_attribute("src")


def move_by_key(page, player, row, words):
    slider = row.locator("input")
    slider.focus()
    page.keyboard.press("End")
    last = shown(player, row)
    page.keyboard.press("Home")
    first = shown(player, row)
    page.keyboard.press("ArrowRight")
    second = shown(player, row)
    assert [first[0], second[0], last[0]] == [words[0], words[1], words[-1]]
    for one, other in ((first, second), (first, last)):
        assert one[1] != other[1]
        assert one[2] != other[2]


def move_by_mouse(player, row, words):
    slider, play = row.locator("input"), row.locator("[data-play]")
    size = slider.bounding_box()
    slider.click(position={"x": size["width"] - 2, "y": size["height"] / 2})
    assert shown(player, row)[0] == words[-1]
    row.locator("[data-by='-1']").click()
    assert shown(player, row)[0] == words[-2]
    row.locator("[data-by='1']").click()
    assert shown(player, row)[0] == words[-1]
    play.click()  # from the end it begins anew, and it stops there
    assert play.inner_text() == "Pause"
    row.locator("output", has_text=re.compile(f"^{re.escape(words[-1])}$")).wait_for(timeout=10_000)
    play.filter(has_text="Play").wait_for(timeout=10_000)


def test_a_player_can_be_paused_by_the_space_bar(page, site):
    opened(page, site, player_pages()[0])
    row = page.locator(".em-control").first
    row.locator("input").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert row.locator("[data-play]").inner_text() == "Pause"
    page.keyboard.press("Space")
    assert row.locator("[data-play]").inner_text() == "Play"
    word = row.locator("output").inner_text()
    page.wait_for_timeout(600)  # longer than a picture stands
    assert row.locator("output").inner_text() == word


def test_search_works_from_a_disk(page, site):
    opened(page, site, "index")
    page.keyboard.press("Control+k")
    page.keyboard.type("responsibilities")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"search\.html\?q=responsibilities"))
    page.locator("#search-results li a").first.wait_for(timeout=10_000)
    titles = page.locator("#search-results li a").all_inner_texts()
    assert any(title.startswith("01 Fit two bells") for title in titles)
    page.locator("#search-results li a").first.click()
    page.locator("article h1").wait_for()
    assert page.faults == []


def test_the_dark_can_be_chosen(page, site):
    opened(page, site, "index")
    page.get_by_role("button", name=re.compile("theme|mode", re.IGNORECASE)).first.click()
    page.get_by_text("Dark", exact=True).first.click()
    assert page.locator("html").get_attribute("data-theme") == "dark"


@pytest.mark.timing
def test_the_book_is_built_within_90_seconds(tmp_path):
    """Each place of each player drawn anew."""
    command = [sys.executable, "docs/book.py", "--into", tmp_path / "site"]
    start = time.monotonic()
    subprocess.run([*command, "--cache", tmp_path / "players"], cwd=ROOT, check=True)
    assert time.monotonic() - start < 90


@pytest.mark.timing
@pytest.mark.parametrize("stem", CHAPTERS)
def test_a_chapter_is_there_within_a_second(page, site, stem):
    """All formulas drawn; the shortest of three, since all else only makes a time longer."""
    times = []
    for _ in range(3):
        page.goto("about:blank")
        start = time.monotonic()
        opened(page, site, stem)
        times.append(time.monotonic() - start)
    assert min(times) < 1


# On paper

ON_PAPER = [*CHAPTERS[:2], f"solutions/{CHAPTERS[1]}"]


@pytest.fixture(scope="module")
def pdf(browser, site):
    """Two chapters and the solutions of one, printed as the whole course is."""
    pdf = paper.print_pages(browser, site, ON_PAPER)
    assert not (site / paper.PAGE).exists()
    return pdf


def test_the_pdf_is_tagged_and_has_an_outline(pdf):
    assert pdf.startswith(b"%PDF")
    assert b"/MarkInfo <</Type /MarkInfo\n/Marked true>>" in pdf
    assert b"/Outlines" in pdf
    assert b"/Lang (en-GB)" in pdf


def test_on_paper_formulas_have_words_too(pdf, soups):
    """Each picture has its words, and each formula its TeX; a broken one stays one."""
    parts = [soups[f"{name}.html"].select_one("article") for name in ON_PAPER]
    pictures = sum(len(part.select("img:not(.em-frame)")) for part in parts)
    formulas = sum(len(part.select("div.math, span.math")) for part in parts)
    assert pictures > 2
    assert formulas > 50
    assert len(re.findall(rb"/S /Figure", pdf)) >= pictures + formulas
    assert len(re.findall(rb"/Alt ", pdf)) >= pictures + formulas


def test_the_pdf_knows_on_which_page_its_parts_begin(pdf):
    numbers = paper.page_numbers(pdf)
    parts = [paper.anchor(name) for name in ON_PAPER]
    assert numbers[parts[0]] == 3  # after title and contents
    assert numbers[parts[0]] + 3 < numbers[parts[1]] < numbers[parts[2]] - 5
    solution = paper.anchor(f"solutions/{CHAPTERS[1]}", "solution-01-m-step-by-hand")
    assert numbers[solution] == numbers[parts[2]]
