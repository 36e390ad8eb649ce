"""Pages of the reference: each module of `emtools` that a reader may use, from its docstrings."""

import importlib
import inspect
import pkgutil
import re

import contents

import emtools

# Of the kit of the pages, what whoever writes a chapter calls; the rest is for one chapter each.
KIT = ("course.report", "course.plots", "course.widgets")


def pages():
    """The text of each page of the reference, by its file."""
    parts = {"What the chapters leave": taught(), "What no chapter teaches": untaught()}
    parts["For those who write chapters"] = {name: None for name in KIT}
    found = {"index.md": front(parts)}
    for modules in parts.values():
        for name, chapter in modules.items():
            found[f"{name}.md"] = page(name, chapter)
    return found


def taught():
    """Modules that a chapter leaves, each with that chapter, in order."""
    modules = {}
    for chapter in contents.written():
        for name in chapter["modules"]:
            modules.setdefault(name, chapter)
    return modules


def untaught():
    """Every other module of the package but the kit, with no chapter."""
    known = taught()
    found = [name for _, name, is_package in pkgutil.iter_modules(emtools.__path__)]
    return {name: None for name in found if name not in known and name not in ("course", "scale")}


def sentence(name):
    """What a module is for: the first line of its docstring."""
    return importlib.import_module(f"emtools.{name}").__doc__.strip().partition("\n")[0]


def front(parts):
    """The page that lists all modules."""
    lines = ["# Reference", "", *documented("emtools", "no-members")]
    for title, modules in parts.items():
        lines += [f"## {title}", "", "| module | chapter | what it is |", "|---|---|---|"]
        for name, chapter in modules.items():
            where = f"[{chapter['number']}](../{contents.stem(chapter)}.ipynb)" if chapter else ""
            lines += [f"| [`emtools.{name}`]({name}.md) | {where} | {sentence(name)} |"]
        entries = [f"emtools.{name} <{name}>" for name in modules]
        lines += ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *entries, "```", ""]
    return "\n".join(lines)


def page(name, chapter):
    """The page of one module."""
    lines = [f"# emtools.{name}", ""]
    if chapter:
        title = contents.numbered(chapter)
        lines += [f"Taught in [{title}](../{contents.stem(chapter)}.ipynb).", ""]
    return "\n".join([*lines, *documented(f"emtools.{name}", "members")])


def documented(module, option):
    """Where Sphinx puts what a module's docstrings say."""
    return ["```{eval-rst}", f".. automodule:: {module}", f"   :{option}:", "```", ""]


# What Sphinx asks when it reads a docstring


def add_fields(app, what, name, thing, options, lines):
    """Let the docstring of a tuple with names end with its fields, as the code explains them."""
    if what == "class" and hasattr(thing, "_fields"):
        lines += ["", *(f"- ``{field}``{says}" for field, says in fields(thing)), ""]


def fields(kind):
    """The fields of a tuple with names, each with the comment behind it."""
    line = re.compile(r"^ {4}(\w+): .*?(?:  # (.*))?$", re.MULTILINE)
    for field, comment in line.findall(inspect.getsource(kind)):
        if field in kind._fields:
            yield field, f": {comment}" if comment else ""


def skip_fields(app, what, name, thing, skip, options):
    """Leave out what says no more than "Alias for field number 0"."""
    return True if type(thing).__name__ == "_tuplegetter" else None
