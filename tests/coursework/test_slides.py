"""Slides of a chapter."""

import re

import contents
import nbformat
import pytest
import slides
from nbformat.v4 import new_code_cell, new_markdown_cell


def test_a_section_goes_to_the_right_and_its_texts_down():
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell("import this"),
        new_markdown_cell("## First"),
        new_code_cell("1"),
        new_markdown_cell("More"),
        new_markdown_cell("## Exercises"),
        new_markdown_cell("**1. Predict.**"),
        new_code_cell("x = None", metadata={"tags": ["exercise"]}),
        new_markdown_cell("## Further reading"),
        new_markdown_cell("A book"),
    ]
    kinds = [cell.metadata.slideshow.slide_type for cell in slides.shown(cells)]
    assert kinds == ["slide", "-", "slide", "-", "subslide"]


def test_a_chapter_as_slides(tmp_path, capsys):
    slides.main(["03", "--into", str(tmp_path)])
    [path] = tmp_path.iterdir()
    page = path.read_text(encoding="utf-8")
    chapter = nbformat.read(contents.NOTEBOOKS / "03_work_in_log_space.ipynb", as_version=4)
    cells = list(slides.shown(chapter.cells))
    kinds = [cell.metadata.slideshow.slide_type for cell in cells]
    assert page.count("<section>") == 2 * kinds.count("slide") + kinds.count("subslide")
    assert 'id="Exercises"' not in page
    assert "check.lse_by_hand" not in page
    assert "https://unpkg.com/reveal.js" in page
    assert str(path.name) in capsys.readouterr().out


def test_without_a_network(tmp_path):
    for place in slides.NEEDED.values():
        (tmp_path / "node_modules" / place).mkdir(parents=True)
    offline = ["--offline", str(tmp_path / "node_modules")]
    slides.main(["03", "--into", str(tmp_path / "slides"), *offline])
    page = (tmp_path / "slides" / "03_work_in_log_space.slides.html").read_text(encoding="utf-8")
    loaded = re.findall(r'(?:src|href)="(https?:[^"]*\.(?:m?js|css)[^"]*)"', page)
    assert loaded == []
    assert '"../node_modules/reveal.js/dist/reveal.css"' in page


@pytest.mark.parametrize("arguments", [[], ["99"], ["03", "99"]])
def test_a_chapter_that_does_not_exist(tmp_path, arguments):
    with pytest.raises(SystemExit, match=r"^Which chapter\? CHAPTERS=03, one of 00, 01"):
        slides.main([*arguments, "--into", str(tmp_path / "slides")])
    assert not (tmp_path / "slides").exists()


def test_a_folder_without_what_is_needed(tmp_path):
    with pytest.raises(SystemExit, match=r"reveal\.js is missing: docs/pages/lecturers\.md says"):
        slides.main(["03", "--into", str(tmp_path / "slides"), "--offline", str(tmp_path)])
    assert not (tmp_path / "slides").exists()
