"""Pages of the reference: each module of `emtools` that a reader may use, from its docstrings."""

import importlib
import pkgutil

import contents

import emtools

# Of the kit of the pages, what whoever writes a chapter calls; the rest belongs to one chapter each.
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
    for chapter in contents.chapters():
        for name in chapter["modules"] if chapter["written"] else ():
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
    lines = ["# Reference", "", "```{eval-rst}", ".. automodule:: emtools", "   :no-members:", "```", ""]
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
        title = f"{chapter['number']} {chapter['title']}"
        lines += [f"Taught in [{title}](../{contents.stem(chapter)}.ipynb).", ""]
    lines += ["```{eval-rst}", f".. automodule:: emtools.{name}", "   :members:", "```", ""]
    return "\n".join(lines)
