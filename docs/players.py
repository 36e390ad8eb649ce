"""Players that need no kernel: what a widget would draw, drawn beforehand and shown by a script.

Of a chapter only those cells are run that its players need. Each widget says what its sliders run
through (`controls`), draws each place (`frame`) and says in words what is to be seen there
(`says`); here its frames become files, and the widget a piece of HTML that
docs/_static/player.js moves.
"""

import ast
import contextlib
import hashlib
import html
import io
import itertools
import json
import os
import shutil
from bisect import bisect
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

import nbformat
from contents import NOTEBOOKS, ROOT
from PIL import Image

FOLDER = "players"  # where a site keeps their frames
CACHE = ROOT / "build/players"
MOST_OF_TWO = 8  # places of each of two sliders: their pictures multiply
WIDGET = "application/vnd.jupyter.widget-view+json"


# What a chapter's players need


def widget_cells(notebook):
    """Places of the cells that show a player."""
    return [
        index
        for index, cell in enumerate(notebook["cells"])
        for output in cell.get("outputs", [])
        if WIDGET in output.get("data", {})
    ]


def chapters_with_players():
    """Paths of the chapters that hold a player."""
    paths = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    return [path for path in paths if widget_cells(json.loads(path.read_text("utf-8")))]


def cut_down(notebook):
    """The notebook with those cells alone that its players need, to be run."""
    players = widget_cells(notebook)
    needed, kept = set(), []
    for index in reversed(range(len(notebook.cells))):
        cell = notebook.cells[index]
        if cell.cell_type != "code" or "exercise" in cell.metadata.get("tags", []):
            continue
        given, read = names_in(cell)
        if index in players or given & needed:
            needed |= read
            kept.insert(0, cell)
    notebook.cells = kept
    for cell in kept:
        cell.update(outputs=[], execution_count=None)
    return notebook


def names_in(cell):
    """Names that a cell gives or changes, and names that it reads."""
    given, read = set(), set()
    for node in ast.walk(ast.parse(cell.source)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else given).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            given.add(node.name)
        elif isinstance(node, ast.alias):
            given.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            given |= changed_by(node.value.func)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            given |= changed_by(node)
    return given, read


def changed_by(node):
    """The name of what `name.append(...)` or `name[0] = ...` changes."""
    value = getattr(node, "value", None)
    return {value.id} if isinstance(value, ast.Name) else set()


# Frames as files


def draw_all(folder, most=None, cache=CACHE):
    """Draw the players of all chapters, two chapters at a time, into a folder of the site.

    Parameters
    ----------
    folder : Path
        Gets a folder `players` with the frames.
    most : int, optional
        Draw at most so many places of each slider; all unless told.
    cache : Path
        Keeps frames from one build to the next.

    Returns
    -------
    dict of str to list of str
        By chapter: HTML for each of its players, in order.
    """
    paths = chapters_with_players()
    with ProcessPoolExecutor(max_workers=2) as pool:
        kept = dict(
            zip(paths, pool.map(partial(drawn, most=most, cache=cache), paths), strict=True)
        )
    for path, place in kept.items():
        shutil.copytree(place, folder / FOLDER / path.stem)
    return {
        path.stem: [
            markup(json.loads(about.read_text("utf-8")), f"{FOLDER}/{path.stem}/{about.stem}")
            for about in sorted(place.glob("*.json"))
        ]
        for path, place in kept.items()
    }


def drawn(path, most, cache):
    """The folder that keeps a chapter's frames; they are drawn if what they show has changed."""
    notebook = cut_down(nbformat.read(path, as_version=4))
    name = f"{path.stem}-{most or 'all'}"
    place = cache / f"{name}-{fingerprint(notebook)}"
    if not place.exists():
        for stale in cache.glob(f"{name}-*"):
            shutil.rmtree(stale)
        fresh = cache / f"fresh-{name}"
        shutil.rmtree(fresh, ignore_errors=True)
        for number, widget in enumerate(widgets_of(notebook)):
            draw(widget, fresh, number, most)
        fresh.rename(place)
    return place


def fingerprint(notebook):
    """What changes whenever a frame may: the cells, the package with its data, what draws."""
    parts = [cell.source.encode() for cell in notebook.cells]
    package = sorted((ROOT / "emtools").rglob("*.*"))
    parts += [path.read_bytes() for path in package if path.suffix in (".py", ".csv")]
    parts += [Path(__file__).read_bytes()]
    parts += [version(name).encode() for name in ("numpy", "matplotlib", "pillow")]
    return hashlib.sha256(b"\n".join(parts)).hexdigest()[:16]


def widgets_of(notebook):
    """Run the cells of a cut-down notebook, and give each player that one of them ends with."""
    os.environ["MPLBACKEND"] = "agg"  # before anything imports matplotlib
    names = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.chdir(NOTEBOOKS):
        for cell in notebook.cells:
            value = run(ast.parse(cell.source), names)
            if "em-player" in getattr(value, "_dom_classes", ()):
                yield value


def run(tree, names):
    """Run a cell; its value is that of its last line, if that is an expression."""
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "a cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "a cell", "eval"), names) if last else None


def draw(widget, folder, number, most=None):
    """Write a widget's frames, and what its sliders and frames say, into a folder."""
    frames = folder / str(number)
    frames.mkdir(parents=True)
    start = [slider.index for slider in widget.sliders]
    if len(widget.controls) > 1:
        most = min(most or MOST_OF_TWO, MOST_OF_TWO)
    kept = [spread(len(words), most) for _, words in widget.controls]
    says = {}
    for place in itertools.product(*map(enumerate, kept)):
        name = "-".join(str(index) for index, _ in place)
        indices = [index for _, index in place]
        frame = small(widget.frame(*indices))
        (frames / f"{name}.webp").write_bytes(frame)
        says[name] = widget.says(*indices)
    about = {
        "controls": [
            (label, [words[index] for index in indices])
            for (label, words), indices in zip(widget.controls, kept, strict=True)
        ],
        "start": [bisect(indices, at) - 1 for indices, at in zip(kept, start, strict=True)],
        "says": says,
        "size": Image.open(io.BytesIO(frame)).size,
    }
    (folder / f"{number}.json").write_text(json.dumps(about), encoding="utf-8")


def spread(n_places, most):
    """The places of a slider to draw: all of them, or so many, from the first to the last."""
    if most is None or n_places <= most:
        return list(range(n_places))
    return [place * (n_places - 1) // (most - 1) for place in range(most)]


def small(png):
    """A frame as a WebP, less than half its size."""
    file = io.BytesIO()
    few_colours(png).convert("RGB").save(file, "WEBP", lossless=True)
    return file.getvalue()


def few_colours(png):
    """A picture in at most 256 colours.

    White stays white. In the pictures that a test compares no channel is 8 % of its range off.
    """
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image = image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    image.putpalette([255 if level >= 253 else level for level in image.getpalette()])
    return image


# A player as HTML


def markup(about, folder):
    """HTML of one player: its picture, a row for each slider, and what the script must know.

    Parameters
    ----------
    about : dict
        `controls`, `says` and `size`, as `draw` writes them.
    folder : str
        Where a page finds the frames.

    Returns
    -------
    str
    """
    width, height = about["size"]
    start = "-".join(map(str, about["start"]))
    rows = [control(*row, at) for row, at in zip(about["controls"], about["start"], strict=True)]
    known = json.dumps({"folder": folder, **about}).replace("<", "\\u003c")
    return "\n".join(
        [
            '<div class="em-player" role="group" aria-label="Player">',
            *rows,
            f'<img class="em-frame" src="{folder}/{start}.webp" width="{width}" height="{height}"',
            f' alt="{html.escape(about["says"][start])}">',
            f'<script type="application/json">{known}</script>',
            "</div>",
        ]
    )


def control(label, words, at):
    """HTML of one slider, with buttons that step and play."""
    label, word = html.escape(label), html.escape(words[at])
    return f"""<div class="em-control">
<button type="button" data-by="-1" aria-label="one back: {label}">&lsaquo;</button>
<button type="button" data-play aria-label="Play: {label}">Play</button>
<button type="button" data-by="1" aria-label="one on: {label}">&rsaquo;</button>
<label>{label} <input type="range" min="0" max="{len(words) - 1}" value="{at}" step="1"
 aria-valuetext="{word}"></label>
<output aria-live="off">{word}</output>
</div>"""
