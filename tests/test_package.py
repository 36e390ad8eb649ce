"""Importing emtools is quick and brings in nothing heavy."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import emtools

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
HEAVY = {"IPython", "ipywidgets", "matplotlib", "pandas", "scipy", "sklearn", "tqdm"}


def run(code, folder):
    """What a fresh Python prints, started in another folder than this."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.timing
def test_import_takes_under_150_ms_beyond_numpys(tmp_path):
    code = (
        "import numpy, time; start = time.perf_counter(); import emtools; "
        "print(time.perf_counter() - start)"
    )
    # The best of several: what else the machine is doing can only add.
    assert min(float(run(code, tmp_path)) for _ in range(5)) < 0.15


@pytest.mark.parametrize("module", ["", ".mixture", ".loops", ".arrays", ".logspace", ".data"])
def test_import_brings_in_nothing_heavy(module, tmp_path):
    code = f"import emtools{module}, sys; print(*sys.modules)"
    assert HEAVY & set(run(code, tmp_path).split()) == set()


def test_import_brings_in_numpy_and_the_standard_library_only(tmp_path):
    code = (
        "import numpy, sys; before = set(sys.modules); import emtools; "
        "print(*set(sys.modules) - before)"
    )
    new = {name.split(".")[0] for name in run(code, tmp_path).split()}
    assert new - set(sys.stdlib_module_names) <= {"emtools", "numpy"}


def test_one_version():
    metadata = tomllib.loads(PYPROJECT.read_text("utf-8"))
    assert emtools.__version__ == metadata["project"]["version"]
