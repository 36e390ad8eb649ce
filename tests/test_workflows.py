"""GitHub's workflows and forms, read as GitHub reads them as far as that can be done elsewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from test_packaging import PROJECT, PYTHONS

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
every_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path):
    """A file's contents with every value as text: to YAML `on` would be a truth value."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def jobs(path):
    return read(path)["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job["steps"]]


def scripts(path):
    """What the steps run, with a word for each of GitHub's own expressions."""
    return [re.sub(r"\$\{\{.*?\}\}", "given", step["run"]) for step in steps(path) if "run" in step]


EVENTS = {"push", "pull_request", "schedule", "workflow_dispatch"}


@every_workflow
def test_a_workflow_says_when_it_runs_and_what_it_may(path):
    workflow = read(path)
    assert workflow["name"]
    assert set(workflow["on"]) <= EVENTS
    assert workflow["permissions"] == {"contents": "read"}
    for time in [given["cron"] for given in workflow["on"].get("schedule", [])]:
        assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", time)


@every_workflow
def test_every_job_has_an_end(path):
    for name, job in jobs(path).items():
        assert 0 < int(job["timeout-minutes"]) <= 60, name


@every_workflow
def test_actions_are_github_s_own_or_pinned_to_a_commit(path):
    """A major version of a stranger's action may become another program tomorrow."""
    used = [step["uses"] for step in steps(path) if "uses" in step]
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@v\d+|[\w-]+/[\w./-]+@[0-9a-f]{40}", action), action


@pytest.mark.skipif(sys.platform == "win32", reason="bash may be another system's there")
@every_workflow
def test_what_a_step_runs_is_bash(path):
    for script in scripts(path):
        check = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert check.returncode == 0, f"{script}\n{check.stderr}"


@every_workflow
def test_what_a_step_names_exists(path):
    """Files by their folder, and what make is asked for."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for script in scripts(path):
        for target in re.findall(r"\bmake ([\w./-]+)", script):
            assert re.search(rf"^{re.escape(target)}:", makefile, re.M), target
        for name in re.findall(
            r"(?<![\w./$])(?:tests|docs|emtools|notebooks|\.github)/[\w./*-]+", script
        ):
            assert list(ROOT.glob(name)), name


@every_workflow
def test_actionlint_and_shellcheck_have_no_complaint(path):
    """Both are on GitHub's machines; here, if somebody has installed them."""
    if shutil.which("actionlint") is None:
        pytest.skip("there is no actionlint here")
    check = subprocess.run(["actionlint", path], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout


def test_oldest_and_newest_are_tested():
    python = jobs(GITHUB / "workflows/test.yml")["lock"]["strategy"]["matrix"]["python"]
    supported = [f"{Version(p).major}.{Version(p).minor}" for p in PYTHONS]
    assert python == [supported[0], supported[-1]]
    assert PROJECT["requires-python"] == f">={supported[0]}"

    elsewhere = jobs(GITHUB / "workflows/test.yml")["elsewhere"]["strategy"]["matrix"]["include"]
    assert {job["system"].partition("-")[0] for job in elsewhere} >= {"macos", "windows"}
    [oldest] = [Requirement(job["numpy"]) for job in elsewhere if "numpy" in job]
    [asked_for] = [r for r in map(Requirement, PROJECT["dependencies"]) if r.name == "numpy"]
    [bound] = [given.version for given in asked_for.specifier if given.operator == ">="]
    assert str(oldest.specifier) == f"=={bound}.*"


def test_once_a_week_nothing_is_locked():
    """The newest of everything, Colab's image, and links that lead outside."""
    weekly = read(GITHUB / "workflows/weekly.yml")
    assert list(weekly["on"]) == ["schedule", "workflow_dispatch"]
    assert set(weekly["jobs"]) == {"newest", "colab", "links"}
    assert not any(
        "requirements.txt" in script for script in scripts(GITHUB / "workflows/weekly.yml")
    )
    line = (ROOT / "docs/pages/launch.md").read_text(encoding="utf-8")
    [[options]] = [re.findall(r"^%pip (.+)https://", line, re.M)]
    assert any(
        f"pip {options}" in run.replace('"', "") for run in scripts(GITHUB / "workflows/weekly.yml")
    )
