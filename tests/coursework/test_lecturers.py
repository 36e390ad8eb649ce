"""The lecturers' page: what it shows of course.toml, and that what it names is there."""

import re
import struct
import tomllib

import contents
import coursework
import lecturers
import pytest

TEXT = lecturers.PAGE.read_text(encoding="utf-8")


def test_tables_are_in_step():
    assert lecturers.with_tables(TEXT) == TEXT


def test_a_page_without_its_comments_is_not_written():
    with pytest.raises(ValueError, match=r"lecturers\.md must hold <!-- walks"):
        lecturers.with_tables("# For lecturers\n")


def test_the_picture_is_in_step():
    """Its description, a text chunk of the file, names the arrows that it was drawn with."""
    png = lecturers.PICTURE.read_bytes()
    assert png.startswith(b"\x89PNG")
    start = png.index(b"tEXtDescription\0")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    said = png[start + 4 : start + 4 + length].partition(b"\0")[2].decode("latin-1")
    assert said == lecturers.description()


def test_the_picture_is_said_in_words():
    """The alt text names each arrow, in its own way: every pair of chapters that it joins."""
    [alt] = re.findall(r"!\[(Graph of chapters\..*?)\]", TEXT)
    steps = {("01", "02"), ("02", "03"), ("03", "04"), ("04", "05")}
    said = {("03", "13"), ("03", "16"), ("13", "14")} | steps
    for targets in re.findall(
        r"((?:\d\d(?: and |, )?)+ (?:leads? )?to (?:\d\d(?:, | and )?)+)", alt
    ):
        sources, _, ends = targets.partition(" to ")
        said |= {(a, b) for a in re.findall(r"\d\d", sources) for b in re.findall(r"\d\d", ends)}
    assert said == set(lecturers.arrows())


def test_every_chapter_stands_below_those_it_needs():
    at = lecturers.places()
    for first, second in lecturers.arrows():
        assert at[first][1] > at[second][1]
    assert len(set(at.values())) == len(at)


def test_hours_are_rounded_to_quarters():
    assert [lecturers.hours(minutes) for minutes in (15, 50, 175, 805)] == [
        *("0.25 h", "0.75 h", "3 h", "13.5 h")
    ]


def test_each_command_is_one_of_the_makefile():
    makefile = (contents.ROOT / "Makefile").read_text(encoding="utf-8")
    called = set(re.findall(r"make (\w+) [A-Z]+=", TEXT))
    assert called == {"coursework", "grade", "feedback", "slides"}
    assert all(f"\n{target}:" in makefile for target in called)
    for name in re.findall(r"\b([A-Z]{4,})=", TEXT):
        assert f"$({name})" in makefile, name


def test_links_lead_somewhere():
    later = {"launch.md"}  # of the same book
    for link in re.findall(r"\]\(((?!http)[^)#]+)\)", TEXT):
        assert link in later or (lecturers.PAGE.parent / link).resolve().exists(), link


def test_nbgrader_is_in_the_extra():
    project = tomllib.loads((contents.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "nbgrader" in project["project"]["optional-dependencies"]["coursework"][0]


def test_the_seed_of_its_examples_is_known_to_the_build():
    assert set(re.findall(r"SEED=(\d+)|coursework/(\d+)", TEXT)) == {
        (str(coursework.EXAMPLE), ""),
        ("", str(coursework.EXAMPLE)),
    }
