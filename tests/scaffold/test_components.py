"""What `ltbench plugin new` writes works as it is: lint, types, a run, its own tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ltbench.scaffold.commands import trial_command
from ltbench.scaffold.package import NewPackage
from ltbench.specs import KINDS, SPECS
from tests.conftest import Ended
from tests.scaffold.packages import Fresh, named

Cli = Callable[..., Ended]
SMALL = ("--precision", "fp32", "--workers", "0", "--device", "cpu")
QUICK = ("sampling",)  # its generated tests take seconds


def python(*arguments: str, folder: Path, **environment: str) -> str:
    """Runs a module in a process of its own and returns what it said."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


pytestmark = pytest.mark.full


@pytest.fixture
def installed(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> Fresh:
    monkeypatch.syspath_prepend(fresh.site)
    return fresh


@pytest.mark.parametrize("name", ["fresh", "x", "a_rather_long_name_for_a_component_of_it"])
def test_the_linter_has_no_complaints(name: str, fresh: Fresh, tmp_path: Path) -> None:
    if name == "fresh":
        folder = fresh.projects["loss"].parent
    else:  # the lengths of lines follow from that of the name
        folder = tmp_path
        for kind in KINDS:
            NewPackage(name=name, kind=kind, licence="mit", author="A").write(folder / kind)
    python("ruff", "check", "--no-cache", folder=folder)
    python("ruff", "format", "--check", "--no-cache", folder=folder)


@pytest.mark.slow
def test_the_types_are_right(fresh: Fresh, tmp_path: Path) -> None:
    """All at once, with the settings of the package that has the most of them."""
    projects = list(fresh.projects.values())
    settings = str(fresh.projects["backbone"] / "pyproject.toml")
    sources = [str(project / folder) for project in projects for folder in ("src", "tests")]
    python(
        *("mypy", "--config-file", settings, "--cache-dir", str(tmp_path), *sources),
        folder=tmp_path,
        MYPYPATH=os.pathsep.join(str(project / "src") for project in projects),
    )


def test_all_are_listed(installed: Fresh, cli: Cli) -> None:
    listed = cli("list", "--json").json
    assert listed["failures"] == []
    found = {(one["kind"], one["name"]) for one in listed["components"]}
    assert found >= {(kind, named(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", SPECS)
def test_a_run_with_it_trains(kind: str, installed: Fresh, cli: Cli) -> None:
    size = ("--set", "dataset.largest=24")
    views = () if kind == "inference" else ("--inference", "center")
    command = trial_command(kind, named(kind), Path()).split()[1:]
    ended = cli(*command, *size, *views, *SMALL, "--json")
    assert ended.code == 0, ended.err
    result = ended.json
    assert result["run"][kind]["name"] == named(kind)
    assert result["learned"]["total"] > 0
    assert result["metrics"]["accuracy"] > 100 / len(result["metrics"]["per_class"])  # chance


def test_a_tracker_follows_a_run(installed: Fresh, cli: Cli) -> None:
    command = trial_command("tracker", "fresh_tracker", Path()).split()[1:]
    small = ("--method", "classifier_only", "--set", "dataset.largest=24", "--inference", "center")
    ended = cli(*command, *small, *SMALL, "--json")
    assert ended.code == 0, ended.err
    lines = Path(ended.json["directory"], "fresh_tracker", "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["start", "epoch", "end"]
    assert ended.json["silenced_plugins"] == {}


def test_an_executor_runs_a_grid(
    installed: Fresh, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(installed.site))  # the workers find what we find
    command = trial_command("executor", "fresh_executor", installed.projects["executor"])
    ended = cli(*command.split()[1:], "--workers", "0", "--json")
    assert ended.code == 0, ended.err
    assert [run["state"] for run in ended.json["runs"]] == ["done", "done"]


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=() if k in QUICK else pytest.mark.slow) for k in KINDS]
)
def test_its_own_tests_pass(kind: str, fresh: Fresh, tmp_path: Path) -> None:
    said = python(
        *("pytest", "-q", "-p", "no:cacheprovider", str(fresh.projects[kind])),
        folder=tmp_path,
        PYTHONPATH=str(fresh.site),
        OMP_NUM_THREADS="1",
    )
    assert " passed" in said
