"""Build the site on which the course runs in the browser, without a server: JupyterLite.

`python docs/lite.py` writes it to build/lite: the notebooks, JupyterLab, and Pyodide, a Python for
browsers, with NumPy, matplotlib and a wheel of `emtools`. Every file of Pyodide must have the hash
that docs/lite/pyodide.json has for it; so it does not matter much where it comes from, which
`--pyodide` says. The page asks nobody but its own server for anything.

`npm pack pyodide@VERSION` and then `--take pyodide-VERSION.tgz` writes docs/lite/pyodide.json anew.
VERSION must be the one that the installed jupyterlite-pyodide-kernel asks for.
"""

import argparse
import hashlib
import http.client
import json
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from importlib import metadata
from pathlib import Path

from contents import NOTEBOOKS, ROOT, SOURCE, chapters, stem
from flit_core.wheel import make_wheel_in

SETTINGS = ROOT / "docs/lite/jupyter-lite.json"
LOCK = ROOT / "docs/lite/pyodide.json"
CDN = "https://cdn.jsdelivr.net/pyodide/v{version}/full/"

# What the course takes from Pyodide, beside the interpreter itself, and what that needs.
TAKEN = ("ipython", "jedi", "matplotlib", "micropip", "numpy")
INTERPRETER = re.compile(r"pyodide\.mjs|pyodide\.asm\.(m?js|wasm)|python_stdlib\.zip")

# Wheels that Pyodide has not: distribution, what one imports, what it needs. Neither the versions
# nor the names under which their metadata ask for others count there: what is meant stands here.
OUR_WHEEL = ("em-course", "emtools", ["ipywidgets", "matplotlib", "numpy", "tqdm"])
PURE_WHEELS = (
    ("comm", "comm", ["traitlets"]),
    ("ipywidgets", "ipywidgets", ["comm", "ipython", "traitlets"]),
    ("tqdm", "tqdm", []),
)
KERNEL_WHEELS = (
    ("ipykernel", "ipykernel", []),  # an empty one, for those who import it
    ("piplite", "piplite", ["micropip"]),
    ("pyodide-kernel", "pyodide_kernel", ["comm", "ipykernel", "ipython"]),
)
KERNEL = ("jupyterlite-pyodide-kernel", "@jupyterlite/pyodide-kernel-extension")
WIDGETS = ("jupyterlab_widgets", "@jupyter-widgets/jupyterlab-manager")

# JupyterLite looks for settings in the script.
FRONT_DOOR = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Expectation-Maximization, in your browser</title>
<link rel="icon" href="lab/favicon.ico">
<meta http-equiv="refresh" content="0; url={address}">
<script id="jupyter-config-data" type="application/json" data-jupyter-lite-root=".">{{}}</script>
</head>
<body><p><a href="{address}">The course, in your browser</a></p></body>
</html>
"""


def main(arguments=None):
    """Build the site, or take another version of Pyodide, as the command line asks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=ROOT / "build/lite", help="where it goes")
    parser.add_argument("--lock", type=Path, default=LOCK, help="which files of Pyodide, by hash")
    parser.add_argument("--pyodide", help="address of the folder they are in, file:// too")
    parser.add_argument("--take", type=Path, help="write the lock from this npm package of Pyodide")
    options = parser.parse_args(arguments)
    if options.take:
        options.lock.write_text(as_text(new_lock(options.take)), encoding="utf-8")
        return
    if options.into.exists() and not (options.into / "jupyter-lite.json").exists():
        sys.exit(f"{options.into} is there, and no site of JupyterLite: name another folder")
    lock = json.loads(options.lock.read_text(encoding="utf-8"))
    source = options.pyodide or CDN.format(version=lock["pyodide"])
    with tempfile.TemporaryDirectory() as work:
        site = build(Path(work), lock, source)
        shutil.rmtree(options.into, ignore_errors=True)
        shutil.copytree(site, options.into)
    serve = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
    print("To see it:", shlex.join([*serve, "--directory", str(options.into)]))


def build(work, lock, source):
    """Build the site in a folder of its own, and return where in it the site is."""
    lite, site = work / "lite", work / "site"
    python = lite / "static/pyodide"  # where JupyterLite looks for it
    python.mkdir(parents=True)
    fetch_all(lock, source, python)
    wheels = add_wheels(python)
    packages = lock["packages"] | {wheel["name"]: wheel for wheel in wheels}
    complete = {"info": lock["info"], "packages": dict(sorted(packages.items()))}
    (python / "pyodide-lock.json").write_text(as_text(complete), encoding="utf-8")
    shutil.copy(SETTINGS, lite)
    run_jupyterlite(lite, copy_contents(work / "files"), site)
    first = f"lab/index.html?path=notebooks/{stem(chapters()[0])}.ipynb"
    (site / "index.html").write_text(FRONT_DOOR.format(address=first), encoding="utf-8")
    return site


def as_text(value):
    """JSON that can be read in a difference of two versions."""
    return json.dumps(value, indent=1) + "\n"


# Pyodide


def new_lock(tarball):
    """The lock from a file that may be missing, or no npm package of Pyodide."""
    try:
        return taken_from(tarball)
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        sys.exit(f"{tarball} cannot be read as an npm package: {error}")
    except KeyError as error:
        sys.exit(f"{tarball} is no npm package of a whole Pyodide: it has no {error.args[0]}")


def taken_from(tarball):
    """The lock: of an npm package of Pyodide, what the course takes, with the hash of each file."""
    with tarfile.open(tarball) as package:
        names = [Path(name).name for name in package.getnames()]
        core = {
            name: hashed(package.extractfile(f"package/{name}").read())
            for name in sorted(filter(INTERPRETER.fullmatch, names))
        }
        version = json.load(package.extractfile("package/package.json"))["version"]
        whole = json.load(package.extractfile("package/pyodide-lock.json"))
    needed = closure(TAKEN, whole["packages"])
    packages = {name: whole["packages"][name] for name in sorted(needed)}
    return {
        "pyodide": version,
        "info": whole["info"],
        "interpreter": core,
        "packages": packages,
    }


def closure(names, packages):
    """The normal names of these packages and of all they need."""
    found, to_see = set(), list(names)
    while to_see:
        name = to_see.pop().replace("_", "-")
        if name not in found:
            found.add(name)
            to_see += packages[name]["depends"]
    return found


def hashed(content):
    """The SHA-256 of these bytes."""
    return hashlib.sha256(content).hexdigest()


def fetch_all(lock, source, folder):
    """Put every file of the lock into a folder; stop if one is missing or not the right one."""
    hashes = {entry["file_name"]: entry["sha256"] for entry in lock["packages"].values()}
    for name, expected in (lock["interpreter"] | hashes).items():
        address = f"{source.rstrip('/')}/{name}"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                content = answer.read()
        # What urllib and http.client make of a bad address, and of a bad answer.
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            sys.exit(f"{address} cannot be had ({reason}); --pyodide names another place")
        if hashed(content) != expected:
            sys.exit(f"{address} is not the file that the lock means: its SHA-256 is another")
        (folder / name).write_bytes(content)


# Wheels


def add_wheels(folder):
    """Put the wheels that Pyodide has not into the folder; return their entries for its lock."""
    make_wheel_in(ROOT / "pyproject.toml", folder)
    download([name for name, *_ in PURE_WHEELS], folder)
    for wheel in extension(*KERNEL).glob("static/pypi/*.whl"):
        shutil.copy(wheel, folder)
    return [entry_of(folder, *wheel) for wheel in (OUR_WHEEL, *PURE_WHEELS, *KERNEL_WHEELS)]


def download(names, folder):
    """Put wheels of the versions that readers have into a folder."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    reader = ROOT / "binder/requirements.txt"
    options = ["--no-deps", "--only-binary", ":all:", "--constraint", reader, "--dest", folder]
    if subprocess.run([*pip, *options, *names]).returncode:
        sys.exit(f"pip could not download {', '.join(names)}")


def entry_of(folder, name, imports, needs):
    """What Pyodide's lock says of the one wheel of this name in the folder."""
    [wheel] = folder.glob(f"{name.replace('-', '_')}-*.whl")
    return {
        "name": name,
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "sha256": hashed(wheel.read_bytes()),
        "install_dir": "site",
        "package_type": "package",
        "imports": [imports],
        "depends": needs,
        "unvendored_tests": False,
    }


# JupyterLite


def extension(distribution, name):
    """The folder of an installed extension of JupyterLab."""
    try:
        files = metadata.files(distribution)
    except metadata.PackageNotFoundError:
        sys.exit(f"{distribution} is not installed: make .venv/developer")
    place = f"labextensions/{name}/package.json"
    [found] = [file for file in files if file.as_posix().endswith(place)]
    return Path(found.locate()).resolve().parent


def copy_contents(folder):
    """Copy what a reader finds in the file browser: the course as it lies in the repository."""
    solutions = NOTEBOOKS / "solutions"
    files = [*NOTEBOOKS.glob("*.ipynb"), *solutions.glob("*.ipynb"), SOURCE / "course.toml"]
    for file in [*files, *(ROOT / "docs").glob("*.png"), ROOT / "LICENSE"]:
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return folder


def run_jupyterlite(lite, files, site):
    """Let JupyterLite put the site together, with the two extensions that the course needs."""
    settings = {
        "apps": ["lab"],
        "contents": [str(files)],
        "federated_extensions": [str(extension(*KERNEL)), str(extension(*WIDGETS))],
        "ignore_sys_prefix": ["federated_extensions"],  # those of whoever builds it
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        "output_dir": str(site),
    }
    config = {"LiteBuildConfig": settings}
    (lite / "jupyter_lite_config.json").write_text(as_text(config), encoding="utf-8")
    command = [sys.executable, "-m", "jupyterlite_core", "build"]
    run = subprocess.run(command, cwd=lite, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"JupyterLite could not build the site:\n{run.stdout}{run.stderr}")


if __name__ == "__main__":
    main()
