"""What describes the project agrees: pyproject, both locks, conda, Binder, links, the wheel."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ADDRESS = PROJECT["urls"]["Repository"]
PYTHONS = ("3.11.0", "3.11.9", "3.12.4", "3.13.1", "3.14.0")
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def requirements(lines):
    """Requirements by name; a lock may have several lines for one, with different markers."""
    found = {}
    for line in lines:
        requirement = Requirement(line)
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


READER = requirements(read("binder/requirements.txt").splitlines())
DEVELOPER = requirements(read("tests/requirements.txt").splitlines())
CORE = requirements(PROJECT["dependencies"])
TEST = requirements(PROJECT["optional-dependencies"]["test"])


def locked_version(lines, python, system):
    """The version a lock's lines name for one package on one Python and system."""
    machine = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "sys_platform": system,
        "platform_system": SYSTEMS[system],
        "os_name": "nt" if system == "win32" else "posix",
        "implementation_name": "cpython",
    }
    [line] = [line for line in lines if line.marker is None or line.marker.evaluate(machine)]
    [pin] = line.specifier
    assert pin.operator == "=="
    return Version(pin.version)


def tracked_files():
    """Every file that git keeps, or would keep."""
    git = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    options = ["--cached", "--others", "--exclude-standard"]
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("only a git checkout knows which files belong to it")
    listed = subprocess.run([*git, *options], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_locks_hold_what_pyproject_asks_for(python, system):
    assert python in SpecifierSet(PROJECT["requires-python"])
    for asked_for, lock in ((CORE, READER), (TEST, DEVELOPER)):
        for name, [requirement] in asked_for.items():
            version = locked_version(lock[name], python, system)
            assert version in requirement.specifier, name


def test_developer_lock_holds_the_reader_lock():
    """The same versions; where the tests need a package on more systems, its marker allows more."""
    held = read("tests/requirements.txt").splitlines()
    for line in read("binder/requirements.txt").splitlines():
        more = [one for one in held if one.startswith(f"{line} or ")]
        assert line in held or line.split(" ;")[0] in held or more, line


def test_the_extra_for_data_of_any_size_is_tested():
    scale = PROJECT["optional-dependencies"]["scale"]
    assert set(scale) <= set(PROJECT["optional-dependencies"]["test"])


def test_conda_takes_the_reader_lock_and_the_course():
    environment = yaml.safe_load(read("environment.yml"))
    python, pip, with_pip = environment["dependencies"]
    assert pip == "pip"
    # conda hands pip a file, and --no-deps may not stand in one
    assert with_pip == {"pip": ["-r binder/requirements.txt", "-e ."]}
    allowed = Requirement(python).specifier
    assert all(tried in allowed for tried in PYTHONS)
    # So that nobody meets a Python for which the lock has not been tried.
    newest = max(map(Version, PYTHONS))
    assert f"{newest.major}.{newest.minor + 1}" not in allowed


def test_version_is_the_same_everywhere():
    assert yaml.safe_load(read("CITATION.cff"))["version"] == PROJECT["version"]
    assert re.search(r'__version__ = "(.+)"', read("emtools/__init__.py"))[1] == PROJECT["version"]


# Binder


def test_binder_python_is_one_the_project_allows():
    python = read("binder/runtime.txt").strip().removeprefix("python-")
    assert python in SpecifierSet(PROJECT["requires-python"])
    assert any(tried.startswith(f"{python}.") for tried in PYTHONS)


def test_binder_runs_post_build():
    """Of a checkout; and what it runs exists."""
    assert os.access(ROOT / "binder/postBuild", os.X_OK)
    if sys.platform == "linux":  # Binder is
        subprocess.run(["bash", "-n", ROOT / "binder/postBuild"], check=True)
    for module in re.findall(r"^python -m (\S+)", read("binder/postBuild"), re.MULTILINE):
        # In a Python of its own: setuptools minds if distutils was imported before pip.
        find = f"import importlib.util; assert importlib.util.find_spec({module!r}) is not None"
        subprocess.run([sys.executable, "-c", find], check=True)


def dry_run(folder):
    """What repo2docker would build; neither Docker nor the network is to be had."""
    nowhere = "127.0.0.1:9"
    cut_off = {"DOCKER_HOST": f"tcp://{nowhere}"} | {
        f"{scheme}_proxy": f"http://{nowhere}" for scheme in ("http", "https")
    }
    return subprocess.run(
        [sys.executable, "-m", "repo2docker", "--no-build", "--debug", "."],
        cwd=folder,
        env=os.environ | cut_off,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def binder_copy(tmp_path):
    """As much of the project as repo2docker looks at."""
    if sys.platform != "linux":
        pytest.skip("Binder is Linux, and repo2docker asks for it")
    shutil.copytree(ROOT / "binder", tmp_path / "binder")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "environment.yml", tmp_path)
    return tmp_path


def test_repo2docker_reads_binder(binder_copy):
    run = dry_run(binder_copy)
    assert run.returncode == 0, run.stderr
    python = read("binder/runtime.txt").strip().removeprefix("python-")
    assert f"python={python}" in run.stderr
    install = run.stdout.index('pip install --no-cache-dir -r "binder/requirements.txt"')
    whole_project = run.stdout.index("COPY --chown=0:0 src/ ${REPO_DIR}/")
    post_build = run.stdout.index("RUN ./binder/postBuild")
    assert install < whole_project < post_build  # so that the packages' layer stays cached
    assert "src/environment.yml" not in run.stdout  # that one is for conda alone


def test_repo2docker_rejects_an_unknown_python(binder_copy):
    (binder_copy / "binder/runtime.txt").write_text("python-3.99\n")
    run = dry_run(binder_copy)
    assert run.returncode != 0
    assert "3.99" in run.stderr


# What belongs to the project


def own_registries():
    """Hosts of the package registries this machine is set up with, if any."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(pip, capture_output=True, text=True, check=True).stdout
    settings += "\n".join(value for name, value in os.environ.items() if "INDEX" in name)
    addresses = re.findall(r"https?://[^\s'\"]+", settings)
    return {urlsplit(address).hostname for address in addresses} - {"localhost", "127.0.0.1"}


def test_no_file_names_a_registry_or_this_machine():
    # Written in two parts, so that this file does not name them either.
    unwanted = {f"--{prefix}index" + "-url" for prefix in ("", "extra-", "default-")}
    unwanted |= {"pypi" + ".org", "python" + "hosted.org", "conda.ana" + "conda.org"}
    unwanted |= own_registries()
    if len(ROOT.parts) > 2:  # a short path, such as /src, is a word like any other
        unwanted.add(f"{ROOT}/")
    for name in tracked_files():
        text = (ROOT / name).read_bytes().decode("utf-8", errors="ignore")
        assert [word for word in unwanted if word in text] == [], name


# The wheel

# What a Python with NumPy and nothing else does: any other import fails.
NUMPY_ALONE = """
import sys

class NumpyAlone:
    def find_spec(self, name, *_):
        if name.split(".")[0] not in {*sys.stdlib_module_names, "emtools", "numpy"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NumpyAlone())
sys.path.insert(0, sys.argv[1])
import emtools
found = emtools.fit(emtools.data.waiting(), 2, rng=1)
print(emtools.__file__, found.log_likelihood)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder into which pip has unpacked a wheel of the course."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from flit_core import buildapi; print(buildapi.build_wheel({str(folder)!r}))"
    made = subprocess.run(
        [sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True, text=True
    )
    wheel = folder / made.stdout.split()[-1]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", folder / "site", wheel], check=True, capture_output=True)
    return folder / "site"


def test_wheel_fits_its_own_data_with_numpy_alone(installed):
    command = [sys.executable, "-I", "-c", NUMPY_ALONE, str(installed)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=installed)
    assert run.returncode == 0, run.stderr
    place, log_likelihood = run.stdout.split()
    assert Path(place).is_relative_to(installed)
    assert float(log_likelihood) == pytest.approx(-1034.0017498, rel=1e-9)


def test_wheel_holds_all_modules_and_data(installed):
    """And says where each file of observations comes from."""
    package = [p for p in (ROOT / "emtools").rglob("*.*") if p.suffix in {".py", ".csv", ".md"}]
    assert len(package) > 30
    for path in package:
        assert (installed / path.relative_to(ROOT)).read_bytes() == path.read_bytes(), path


def test_wheel_does_not_go_by_the_name_of_another_project(installed):
    assert PROJECT["name"] != "emtools"
    [about] = installed.glob("em_course-*.dist-info")
    assert f"Name: {PROJECT['name']}" in (about / "METADATA").read_text(encoding="utf-8")
    for name in tracked_files():
        if name.endswith((".md", ".py", ".ipynb", ".yml")):
            text = read(name).replace("pip uninstall emtools", "")
            assert not re.search(r"pip3? \S*install[^\n]* emtools\b", text), name


# Links


def repositories_linked(text, address):
    """Addresses of this repository in a text: Binder's, Colab's, and those with its name."""
    name = re.escape(address.rpartition("/")[2])
    own = re.findall(rf"github\.com/([\w.-]+/(?:{name}|REPO))(?![\w-])", text)
    services = r"(?:mybinder\.org/v2/gh|colab\.research\.google\.com/github)/([\w.-]+/[\w.-]+)"
    return {f"https://github.com/{found}" for found in own + re.findall(services, text)}


def texts_with_links():
    sources = sorted((ROOT / "notebooks/source").rglob("*.md"))
    pages = sorted((ROOT / "docs/pages").glob("*.md"))
    return [ROOT / "README.md", ROOT / "CITATION.cff", *pages, *sources]


@pytest.mark.parametrize("path", texts_with_links(), ids=lambda path: path.name)
def test_links_to_the_repository_have_the_address_of_pyproject(path):
    """`make links` writes them."""
    assert repositories_linked(path.read_text(encoding="utf-8"), ADDRESS) <= {ADDRESS}


def test_make_links_writes_another_address_everywhere(tmp_path):
    """The address to replace is the one in CITATION.cff."""
    elsewhere = "https://github.com/some-one/some.course"
    ignore = shutil.ignore_patterns("__pycache__", "_build")
    shutil.copytree(ROOT / "notebooks/source", tmp_path / "notebooks/source", ignore=ignore)
    for name in ("README.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    moved = read("pyproject.toml").replace(ADDRESS, elsewhere)
    (tmp_path / "pyproject.toml").write_text(moved, encoding="utf-8")
    shutil.copytree(ROOT / "docs", tmp_path / "docs", ignore=ignore)
    build = tmp_path / "docs/build.py"
    subprocess.run([sys.executable, build, "--links"], check=True)

    for path in texts_with_links():
        text = (tmp_path / path.relative_to(ROOT)).read_text(encoding="utf-8")
        assert ADDRESS.removeprefix("https://") not in text, path.name
        assert repositories_linked(text, elsewhere) <= {elsewhere}, path.name
    moved = (tmp_path / "docs/pages/launch.md").read_text(encoding="utf-8")
    assert f"git+{elsewhere}\n" in moved
    assert moved.count("/some-one/some.course") == 4


def test_citation_names_the_course_and_the_repository():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert f"# {citation['title']}" == read("README.md").splitlines()[0]
    assert citation["repository-code"] == ADDRESS


def test_the_benchmark_finds_its_peers():
    """`make bench` runs for minutes; that it begins is seen here."""
    code = "import bench_kernel; print(sorted(bench_kernel.versions()))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tests/benchmarks",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "em-course" in run.stdout
    assert "scikit-learn" in run.stdout
