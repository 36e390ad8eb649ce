"""Print the web book as one PDF: its chapters and solutions in one page, printed by Chromium.

Chromium numbers the pages but does not tell which chapter stands on which. So the course is printed
until the numbers in its contents, and behind links within it, are those that the PDF before tells:
twice, as a rule.
"""

import contextlib
import html
import os
import posixpath
import re
import shutil
import sys

import contents
from bs4 import BeautifulSoup

PAGE = "on-paper.html"
# Where Chromium is looked for, unless EMTOOLS_CHROMIUM says where it is.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # it may be run as root
    "--disable-dev-shm-usage",  # containers have a small one
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
# Of a cell's words, by their class, those that look different on paper: comments and keywords.
KEPT = {"c1", "k", "kc", "kn", "ow"}
MATHS_DRAWN = "() => window.MathJax.startup.promise.then(() => true)"
# On paper there is no MathML: a formula is a picture, whose words in the PDF are its TeX.
SAY_FORMULAS = """() => {
    for (const formula of MathJax.startup.document.math) {
        const picture = formula.typesetRoot.querySelector("svg");
        picture.removeAttribute("aria-hidden");
        picture.setAttribute("role", "img");
        picture.setAttribute("aria-label", formula.math.trim().replace(/\\s+/g, " "));
    }
}"""
MOST_PRINTINGS = 5
UNKNOWN = 100  # a page number, as wide as most, until the right one is known


def print_course(site, path):
    """Print a built site as one PDF.

    Parameters
    ----------
    site : Path
        The folder of the web book.
    path : Path
        Of the PDF.
    """
    with chromium() as browser:
        path.write_bytes(print_pages(browser, site, names(site)))


def print_pages(browser, site, pages):
    """These pages of a site as one PDF, with right numbers in its contents."""
    parts = [read_part(site, name, pages) for name in pages]
    path, numbers = site / PAGE, {}
    for _ in range(MOST_PRINTINGS):  # a number of fewer digits may move a line, seldom a page
        path.write_text(one_page(parts, numbers), encoding="utf-8")
        pdf = printed(browser, path)
        path.unlink()
        found = page_numbers(pdf)
        if lost := targets(parts) - set(found):
            sys.exit(f"make pdf: links lead to what is on no page: {', '.join(sorted(lost))}")
        if found == numbers:
            return pdf
        numbers = found
    sys.exit(f"make pdf: the page numbers did not settle in {MOST_PRINTINGS} printings")


def names(site):
    """The pages to print, in order: all chapters, then all solutions."""
    stems = [contents.stem(chapter) for chapter in contents.written()]
    solved = [f"solutions/{stem}" for stem in stems]
    return stems + [name for name in solved if (site / f"{name}.html").exists()]


# One page


def read_part(site, name, pages):
    """The article of a page as a part of one long page, with anchors that begin with its name."""
    soup = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    article = soup.find("article")
    for unprinted in article.select("a.headerlink, ul.em-launch"):
        unprinted.decompose()
    for word in article.select(":is(pre, code) span"):  # each left is an object of the PDF
        if not KEPT & set(word.get("class", ())):
            word.unwrap()
    for player in article.select(".em-player"):
        labels = " and ".join(label.get_text(" ", strip=True) for label in player.select("label"))
        player.replace_with(note(soup, f"In the web book, this is a picture to move: {labels}."))
    for element in article.select("[id]"):
        element["id"] = anchor(name, element["id"])
    article["id"] = anchor(name)
    lead_within(article, name, pages)
    return article


def note(soup, words):
    """A paragraph that stands only on paper."""
    paragraph = soup.new_tag("p", attrs={"class": "em-on-paper"})
    paragraph.string = words
    return paragraph


def anchor(name, fragment=""):
    """The anchor of a page, or of a place in it, where all pages are one."""
    return "-".join(filter(None, [name.replace("/", "-"), fragment]))


def lead_within(article, name, pages):
    """Let links and pictures of an article lead where they are when it is a part of one page."""
    folder = posixpath.dirname(name)
    for image in article.select("img"):
        image["src"] = posixpath.normpath(posixpath.join(folder, image["src"]))
    for link in article.select("a[href]"):
        if ":" in link["href"]:  # out of the book
            continue
        file, _, fragment = link["href"].partition("#")
        target = posixpath.normpath(posixpath.join(folder, file)) if file else f"{name}.html"
        target = target.removesuffix(".html")
        if target in pages:
            link["href"] = "#" + anchor(target, fragment)
        else:
            link.unwrap()  # the reference is not printed


def targets(parts):
    """Anchors to which the contents and the links of these parts lead."""
    links = [link["href"] for part in parts for link in part.select('a[href^="#"]')]
    return {part["id"] for part in parts} | {link.removeprefix("#") for link in links}


def one_page(parts, numbers):
    """The whole course as one page of HTML.

    Parameters
    ----------
    parts : list of bs4.Tag
        Articles.
    numbers : dict of str to int
        On which page of paper an anchor stands, as far as it is known.

    Returns
    -------
    str
    """
    heads = [(part["id"], part.find("h1").get_text()) for part in parts]
    rows = [contents_row(place, title, numbers) for place, title in heads]
    tops = [running_title(place, title, f"part-{n}") for n, (place, title) in enumerate(heads)]
    body = [with_numbers(str(part), numbers) for part in parts]
    return "\n".join(
        [
            '<!doctype html><html lang="en-GB"><head><meta charset="utf-8">',
            f"<title>{contents.TITLE}</title>",
            '<link rel="stylesheet" href="_static/paper.css">',
            *("<style>", *tops, "</style>"),
            '<script src="_static/mathjax.js"></script>',
            '<script defer src="_static/mathjax/startup.js"></script></head><body>',
            f"<header><h1>{contents.TITLE}</h1><p>A course in Jupyter notebooks, on paper</p>",
            '<img src="_images/step_player.png" alt="">',
            "<p>Code: BSD 3-Clause. Text and figures: CC BY 4.0.</p></header>",
            *("<nav><h1>Contents</h1><ul>", *rows, "</ul></nav>", *body, "</body></html>"),
        ]
    )


def contents_row(place, title, numbers):
    """A line of the contents."""
    title = f'<span class="title">{html.escape(title)}</span>'
    return f'<li><a href="#{place}">{title}<span>{numbers.get(place, UNKNOWN)}</span></a></li>'


def running_title(place, title, name):
    """What stands over the pages of a part."""
    words = title.replace('"', r"\"")
    return (
        f'@page {name} {{ @top-right {{ content: "{words}" }} }} [id="{place}"] {{ page: {name} }}'
    )


def with_numbers(part, numbers):
    """A part in which links within the course say on which page it is what they lead to."""

    def numbered(link):
        return f"{link[0]} (p.\u00a0{numbers.get(link[1], UNKNOWN)})"

    return re.sub(r'<a [^>]*href="#([^"]+)"[^>]*>.*?</a>', numbered, part, flags=re.DOTALL)


# One PDF


def find_chromium():
    """Where Chromium is, or None."""
    found = filter(None, map(shutil.which, BROWSERS))
    return os.environ.get("EMTOOLS_CHROMIUM") or next(found, None)


@contextlib.contextmanager
def chromium():
    """The system's Chromium, driven by playwright."""
    from playwright.sync_api import sync_playwright

    place = find_chromium()
    if place is None:
        sys.exit(f"make pdf: install one of {', '.join(BROWSERS)}, or set EMTOOLS_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=FLAGS)
        yield browser
        browser.close()


def printed(browser, path):
    """A page as a PDF with tags and an outline, once its maths is drawn."""
    page = browser.new_page(viewport={"width": 658, "height": 900})  # A4 within its margins
    page.set_default_timeout(300_000)
    page.goto(path.as_uri())
    page.evaluate(MATHS_DRAWN)
    page.evaluate(SAY_FORMULAS)
    pdf = page.pdf(tagged=True, outline=True, prefer_css_page_size=True, print_background=True)
    page.close()
    return pdf


def page_numbers(pdf):
    """On which page each place stands that a link of a PDF by Chromium leads to."""
    objects = dict(re.findall(rb"^(\d+) 0 obj\n(.*?)\nendobj", pdf, re.MULTILINE | re.DOTALL))
    [root] = [key for key, value in objects.items() if is_root(value)]
    pages = list(leaves(objects, root))
    places = re.findall(rb"/(\S+) \[(\d+) 0 R /XYZ", pdf)
    return {name.decode(): pages.index(page) + 1 for name, page in places if page in pages}


def is_root(value):
    """Whether an object of a PDF holds all its pages."""
    return b"/Type /Pages" in value and b"/Parent" not in value


def leaves(objects, key):
    """Pages below a node of a PDF's tree of pages, in order."""
    kids = re.search(rb"/Kids \[(.*?)\]", objects[key], re.DOTALL)
    if kids is None:
        yield key
        return
    for kid in re.findall(rb"(\d+) 0 R", kids[1]):
        yield from leaves(objects, kid)
