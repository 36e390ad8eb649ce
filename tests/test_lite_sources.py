"""Which Pyodide the course takes into a browser; what stops the build before anything is lost."""

import json
import re
import shlex
import sys
import tarfile

import lite
import pytest


@pytest.fixture
def package(tmp_path):
    """An npm package of a very small Pyodide."""
    packages = {
        name: {"name": name, "depends": depends, "file_name": f"{name}.whl", "sha256": "0"}
        for name, depends in {
            **{name: [] for name in lite.TAKEN},
            "matplotlib": ["numpy", "prompt_toolkit"],  # by another name
            "prompt-toolkit": ["six"],
            "six": [],
            "scipy": ["numpy"],
        }.items()
    }
    files = {
        "package.json": {"version": "1.2.3"},
        "pyodide-lock.json": {"info": {"python": "3.14.2"}, "packages": packages},
        "pyodide.mjs": "main",
        "pyodide.asm.wasm": "machine",
        "pyodide.d.ts": "types",
    }
    folder = tmp_path / "package"
    folder.mkdir()
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    with tarfile.open(tmp_path / "pyodide.tgz", "w:gz") as tarball:
        tarball.add(folder, "package")
    return tmp_path / "pyodide.tgz"


def test_the_lock_holds_what_the_course_needs_and_no_more(package, tmp_path):
    lite.main(["--lock", str(tmp_path / "lock.json"), "--take", str(package)])
    lock = json.loads((tmp_path / "lock.json").read_text("utf-8"))
    assert lock["pyodide"] == "1.2.3"
    assert set(lock["packages"]) == {*lite.TAKEN, "prompt-toolkit", "six"}
    assert lock["interpreter"] == {
        "pyodide.asm.wasm": lite.hashed(b"machine"),
        "pyodide.mjs": lite.hashed(b"main"),
    }


def test_what_is_published_is_what_the_kernel_asks_for():
    from jupyterlite_pyodide_kernel import constants

    lock = json.loads(lite.LOCK.read_text("utf-8"))
    assert lock["pyodide"] == constants.PYODIDE_VERSION
    assert lock["info"]["python"].startswith(f"{constants.PYODIDE_PYTHON_VERSION}.")


@pytest.mark.parametrize("content", [None, b"another"])
def test_a_missing_or_wrong_file_stops_the_build(content, tmp_path):
    source, into = tmp_path / "source", tmp_path / "site"
    for folder in (source, into):
        folder.mkdir()
    (into / "jupyter-lite.json").touch()  # of the site before
    lock = {"pyodide": "1", "info": {}, "interpreter": {"a.mjs": "0" * 64}, "packages": {}}
    (tmp_path / "lock.json").write_text(json.dumps(lock), encoding="utf-8")
    if content:
        (source / "a.mjs").write_bytes(content)
    options = ["--lock", tmp_path / "lock.json", "--pyodide", source.as_uri(), "--into", into]
    with pytest.raises(SystemExit) as stopped:
        lite.main(list(map(str, options)))
    expected = "is not the file that the lock means" if content else "cannot be had"
    assert re.fullmatch(rf"file://\S+/a\.mjs {expected}[^\n]+", stopped.value.code)
    assert [path.name for path in into.iterdir()] == ["jupyter-lite.json"]


def no_package(kind, folder, package):
    """A path at which there is no npm package of Pyodide: nothing, a text, or a part of one."""
    path = folder / f"{kind}.tgz"
    if kind == "text":
        path.write_text("no tarball", encoding="utf-8")
    elif kind == "cut":
        path.write_bytes(package.read_bytes()[:200])
    elif kind == "other":
        with tarfile.open(path, "w:gz") as tarball:
            tarball.add(lite.LOCK, "package/index.js")
    elif kind == "older":
        (folder / "package/pyodide-lock.json").write_text('{"info": {}, "packages": {}}', "utf-8")
        with tarfile.open(path, "w:gz") as tarball:
            tarball.add(folder / "package", "package")
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nowhere", "cannot be read as an npm package: .*No such file"),
        ("text", "cannot be read as an npm package: "),
        ("cut", "cannot be read as an npm package: "),
        ("other", "is no npm package of a whole Pyodide: it has no .*package.json"),
        ("older", "is no npm package of a whole Pyodide: it has no numpy"),
    ],
)
def test_what_is_no_package_of_pyodide_leaves_the_lock_before(kind, words, package, tmp_path):
    lock = tmp_path / "lock.json"
    lock.write_text("before", encoding="utf-8")
    path = no_package(kind, tmp_path, package)
    with pytest.raises(SystemExit, match=rf"^{re.escape(str(path))} {words}"):
        lite.main(["--lock", str(lock), "--take", str(path)])
    assert lock.read_text(encoding="utf-8") == "before"


@pytest.mark.parametrize("source", ["nowhere", "http://127.0.0.1:port/"])
def test_an_address_that_is_none_is_named(source, tmp_path):
    lock = {"pyodide": "1", "info": {}, "interpreter": {"a.mjs": "0" * 64}, "packages": {}}
    (tmp_path / "lock.json").write_text(json.dumps(lock), encoding="utf-8")
    options = ["--lock", tmp_path / "lock.json", "--pyodide", source, "--into", tmp_path / "site"]
    with pytest.raises(SystemExit, match=r"/a\.mjs cannot be had \([^\n]+\); --pyodide names"):
        lite.main(list(map(str, options)))
    assert not (tmp_path / "site").exists()


def test_what_is_printed_shows_the_site_to_this_machine_alone(tmp_path, monkeypatch, capsys):
    (tmp_path / "built").mkdir()
    monkeypatch.setattr(lite, "build", lambda *_: tmp_path / "built")
    lite.main(["--into", str(tmp_path / "a site")])
    command = capsys.readouterr().out.removeprefix("To see it: ")
    options = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", str(tmp_path / "a site")]
    assert shlex.split(command) == [sys.executable, *options]


def test_no_other_folder_is_overwritten(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(SystemExit, match="no site of JupyterLite: name another folder"):
        lite.main(["--into", str(tmp_path)])
    assert (tmp_path / "thesis.tex").exists()
