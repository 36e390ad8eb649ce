"""Slides from a chapter: `python docs/slides.py 03` writes coursework/slides/03_*.slides.html.

A section begins a slide to the right, each text in it one below; code and output stay with the text
above. What a screen cannot hold, scrolls. The page fetches reveal.js, MathJax and two more when it
is shown; `--offline node_modules` names a folder with copies of them.
"""

import argparse
import os
import sys
from pathlib import Path

import contents
import nbformat
from nbconvert.exporters import SlidesExporter

INTO = contents.ROOT / "coursework" / "slides"
# What a page of slides needs beside itself: nbconvert's name for it, and its place.
NEEDED = {
    "reveal_url_prefix": "reveal.js",
    "mathjax_url": "mathjax/MathJax.js",
    "require_js_url": "requirejs/require.js",
    "jquery_url": "jquery/dist/jquery.min.js",
}
LEFT_OUT = ("Exercises", "Further reading")


def main(arguments=None):
    """Write the slides that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="numbers, such as 03")
    parser.add_argument("--into", type=Path, default=INTO, help="where the slides go")
    parser.add_argument("--offline", type=Path, help="a folder with what they need")
    options = parser.parse_args(arguments)
    written = {c["number"]: contents.stem(c) for c in contents.written()}
    unknown = [number for number in options.chapters if number not in written]
    if unknown or not options.chapters:
        sys.exit(f"Which chapter? CHAPTERS=03, one of {', '.join(written)}.")
    for number in options.chapters:
        path = contents.NOTEBOOKS / f"{written[number]}.ipynb"
        page = options.into / f"{path.stem}.slides.html"
        text = as_slides(nbformat.read(path, as_version=4), where(options.offline, options.into))
        options.into.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
        print(os.path.relpath(page))


def where(offline, into):
    """Addresses of what the slides need, as seen from them; none: those on the web."""
    if offline is None:
        return {}
    missing = [place for place in NEEDED.values() if not (offline / place).exists()]
    if missing:
        sys.exit(f"{offline / missing[0]} is missing: docs/pages/lecturers.md says how to get it.")
    seen = Path(os.path.relpath(offline, into)).as_posix()
    addresses = {name: f"{seen}/{place}" for name, place in NEEDED.items()}
    addresses["mathjax_url"] += "?config=TeX-AMS_CHTML-full,Safe"
    return {**addresses, "mermaid_js_url": "data:text/javascript,"}  # there are no such diagrams


def as_slides(notebook, addresses):
    """The page of a chapter's slides."""
    notebook.cells = list(shown(notebook.cells))
    size = {"reveal_width": "1200", "reveal_height": "800", "reveal_theme": "white"}
    exporter = SlidesExporter(reveal_scroll=True, reveal_number="c/t", **size, **addresses)
    return exporter.from_notebook_node(notebook)[0]


def shown(cells):
    """The cells that are shown, each told how it stands to the one before."""
    left_out = False
    for cell in cells:
        title = cell.source.startswith(("# ", "## ")) and cell.cell_type == "markdown"
        if title:
            left_out = cell.source.removeprefix("## ").startswith(LEFT_OUT)
        if left_out or "exercise" in cell.metadata.get("tags", []):
            continue
        kind = "slide" if title else "subslide" if cell.cell_type == "markdown" else "-"
        cell.metadata["slideshow"] = {"slide_type": kind}
        yield cell


if __name__ == "__main__":
    main()
