"""Turn the course's text into executed notebooks: the same sources, outputs and ids each time.

`python docs/build.py` builds every chapter and its solutions; names such as `01` build
only those; `--links` writes the repository's address from pyproject.toml wherever it is needed.
"""

import argparse
import re
import sys
import time
import tomllib
from pathlib import Path

import jupytext
import nbformat
import numpy as np
from nbclient import NotebookClient

from emtools import arrays, data
from emtools.course import plots
from emtools.mixture import Mixture

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
NOTEBOOKS = ROOT / "notebooks"
SOURCE = NOTEBOOKS / "source"
MYST = {"extension": ".md", "format_name": "myst"}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET = "application/vnd.jupyter.widget-view+json"


def main(arguments=None):
    """Build what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="numbers, such as 01; all unless given")
    parser.add_argument("--links", action="store_true", help="write the repository's address")
    parser.add_argument("--into", type=Path, default=NOTEBOOKS, help="where the notebooks go")
    options = parser.parse_args(arguments)
    if options.links:
        write_links()
        return
    texts = [
        text for text in chapters() if not options.chapters or text.name[:2] in options.chapters
    ]
    if not texts:
        sys.exit(f"no chapter is called {' or '.join(options.chapters)}")
    (options.into / "solutions").mkdir(parents=True, exist_ok=True)
    for text in texts:
        build(text, options.into)
    if options.into == NOTEBOOKS:
        draw_readme_picture()


def chapters():
    """The texts of all chapters, in order."""
    return sorted(SOURCE.glob("[0-9][0-9]_*.md"))


def build(text, folder):
    """Write a chapter's notebook and, if it has exercises, the one with their solutions."""
    chapter = read_text(text)
    if folder == NOTEBOOKS:  # the text as jupytext writes it when JupyterLab saves the chapter
        text.write_text(jupytext.writes(chapter, fmt=MYST), encoding="utf-8")
    write_notebook(execute(chapter), folder / f"{text.stem}.ipynb")
    answers = SOURCE / "answers" / text.name
    if answers.exists():
        solved = solve(read_text(text), read_text(answers))
        write_notebook(execute(solved), folder / "solutions" / f"{text.stem}.ipynb")


def read_text(path):
    """Read a MyST text as a notebook whose cells are called <stem>-NNN."""
    notebook = jupytext.read(path, fmt=MYST)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL})
    for number, cell in enumerate(notebook.cells, start=1):
        cell.id = f"{path.stem}-{number:03}"
    return notebook


def solve(chapter, answers):
    """Put each answer in the place of the stub that has its name."""
    cells = {cell.metadata["name"]: cell for cell in answers.cells if "name" in cell.metadata}
    stubs = {cell.metadata.get("name"): cell for cell in chapter.cells if is_stub(cell)}
    if set(cells) != set(stubs):
        raise ValueError(f"stubs are named {sorted(stubs)}, answers {sorted(cells)}")
    for name, stub in stubs.items():
        stub.source = cells[name].source
    for cell in chapter.cells:  # solutions stand one folder deeper than their chapter
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](../docs/", "](../../docs/")
    # A solution is one notebook and no text: JupyterLab is told not to pair it.
    chapter.metadata["jupytext"] = {"formats": "ipynb"}
    return chapter


def is_stub(cell):
    """Whether the reader fills this cell in."""
    return "exercise" in cell.metadata.get("tags", [])


def execute(notebook):
    """Run every cell in the notebooks' folder; then take out what differs from run to run."""
    began = time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # one text per cell, however the kernel cuts it up
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    client.execute()
    name = notebook.cells[0].id.rsplit("-", 1)[0]
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    models = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            settle(output, cell, models)
    return notebook


def settle(output, cell, models):
    """Number a widget's model, drop the count of an output, and give a picture its alt text."""
    data = output.get("data", {})
    if WIDGET in data:
        model = data[WIDGET]["model_id"]
        data[WIDGET]["model_id"] = models.setdefault(model, f"{len(models) + 1:032}")
    if "image/png" in data and "mystnb" in cell.metadata:
        output.metadata["image/png"] = {
            **output.metadata.get("image/png", {}),
            "alt": cell.metadata["mystnb"]["image"]["alt"],
        }


def write_notebook(notebook, path):
    """Write a notebook that nbformat accepts, with a newline at its end."""
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def draw_readme_picture():
    """Draw the step player's frames for the README."""
    x = data.waiting()
    path = [Mixture(*np.array([[0.5, 0.5], [77.0, 53.0], [x.std(), x.std() / 2]]))]
    for _ in range(100):
        path.append(arrays.m_step(x, arrays.e_step(x, path[-1])))
    figure, axes = plots.new_figure(3, 2, height=7, sharex=True, sharey=True)
    plots.draw_path(axes, x, path, (0, 1, 2, 5, 25, 100), mark=66)
    (DOCS / "step_player.png").write_bytes(plots.as_png(figure))


def repository():
    """Owner and name of the repository, from its one place in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"].removeprefix("https://github.com/")


def write_links():
    """Put the repository's address where the README's Binder badge has another one, everywhere."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    old = re.search(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/HEAD", readme)[1]
    for path in [ROOT / "README.md", ROOT / "CITATION.cff", *chapters()]:
        text = path.read_text(encoding="utf-8")
        for host in ("https://github.com/", "https://mybinder.org/v2/gh/"):
            text = re.sub(re.escape(host + old) + r"(?![\w-])", host + repository(), text)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
