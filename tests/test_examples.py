"""The packages in `examples/`, as strangers get them: from wheels, in a fresh environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ltbench.manual.pages import pages

ROOT = Path(__file__).parents[1]
EXAMPLES = {"convpass": "ltbench-convpass", "coco": "ltbench-coco", "dask": "ltbench-dask"}
"""Names of entry points, and the folders and distributions of their packages."""

pytestmark = pytest.mark.full  # wheels in a fresh environment
SHORT = ("--epochs", "1", "--inference", "center", "--json")


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Args:
        folder: Where it is.
        wheels: What was installed into it, by distribution.
    """

    folder: Path
    wheels: dict[str, Path]

    def run(self, *command: str | Path, cwd: Path) -> str:
        """Runs a script of the environment, and returns what it wrote to stdout."""
        name, *arguments = command
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(
            [self.folder / "bin" / name, *arguments],
            cwd=cwd,
            env={**environ, "OMP_NUM_THREADS": "1"},  # as the other tests: models are tiny
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def json(self, *command: str | Path, cwd: Path) -> Any:
        return json.loads(self.run(*command, cwd=cwd))


def pip(*arguments: str | Path) -> None:
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, *quiet], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with ltbench and the examples, built as wheels.

    Their dependencies are those of the environment that runs the tests, made visible by a .pth
    file: torch alone is 6 GB, and nothing is to be learned from installing it again. Python reads
    no .pth files in folders that come in like this, so that what is installed there as editable,
    as ltbench itself is, stays out of sight.
    """
    folder = tmp_path_factory.mktemp("examples")
    projects = [ROOT, *(ROOT / "examples" / name for name in EXAMPLES.values())]
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder / "wheels", *projects)
    wheels = {
        path.name.split("-")[0].replace("_", "-"): path
        for path in (folder / "wheels").glob("*.whl")
    }
    venv.create(folder / "env", symlinks=True)
    (site,) = (folder / "env" / "lib").glob("python*/site-packages")
    shared = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (site / "dependencies.pth").write_text("\n".join(shared))
    python = folder / "env" / "bin" / "python"
    pip("--python", python, "install", "--no-deps", "--no-index", *wheels.values())
    return Environment(folder / "env", wheels)


def test_what_runs_is_what_was_installed(installed: Environment, tmp_path: Path) -> None:
    code = (
        "import json, ltbench, ltbench_plugins, ltbench_coco, ltbench_convpass, ltbench_dask;"
        "print(json.dumps([m.__file__ for m in"
        " (ltbench, ltbench_plugins, ltbench_coco, ltbench_convpass, ltbench_dask)]))"
    )
    files = installed.json("python", "-c", code, cwd=tmp_path)
    assert all(Path(file).is_relative_to(installed.folder) for file in files), files


def test_the_wheel_of_ltbench_has_every_file_of_its_packages(installed: Environment) -> None:
    with zipfile.ZipFile(installed.wheels["ltbench"]) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(parent).as_posix()
        for parent, package in ((ROOT, "ltbench"), (ROOT / "plugins", "ltbench_plugins"))
        for path in (parent / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    pages = {
        f"ltbench/manual/markdown/{path.relative_to(ROOT / 'docs').as_posix()}"
        for path in (ROOT / "docs").rglob("*.md")
    }
    assert packed == files | pages
    assert {
        "ltbench/py.typed",
        "ltbench/report/page/assets/page.html.jinja",
        "ltbench/scaffold/templates/common/pyproject.toml.jinja",
        "ltbench_plugins/backbones/clip_tiny.safetensors",
        "ltbench_plugins/datasets/glyphs_lt.png",
    } <= packed


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_ships_its_licence_and_imports_the_public_api_alone(
    installed: Environment, name: str
) -> None:
    with zipfile.ZipFile(installed.wheels[EXAMPLES[name]]) as wheel:
        names = wheel.namelist()
        sources = [wheel.read(one).decode() for one in names if one.endswith(".py")]
    assert any(one.endswith("/LICENSE") for one in names)
    assert sources
    assert not any("ltbench_plugins" in source for source in sources)


def test_the_pages_are_shown_from_the_wheel(installed: Environment, tmp_path: Path) -> None:
    topics = installed.json("ltbench", "docs", "--json", cwd=tmp_path)["topics"]
    assert {one["topic"] for one in topics} == pages().keys()
    shown = installed.json("ltbench", "docs", "statistics#equivalence", "--json", cwd=tmp_path)
    assert "TOST" in shown["markdown"]


def test_the_plugins_are_found_in_their_wheels(installed: Environment, tmp_path: Path) -> None:
    listed = installed.json("ltbench", "list", "--json", cwd=tmp_path)
    plugins = {(one["kind"], one["name"]): one["plugin"] for one in listed["components"]}
    assert "ltbench-convpass 0.1.0" in plugins["method", "convpass"]
    assert "ltbench-coco 0.1.0" in plugins["dataset", "coco_objects"]
    assert "ltbench-dask 0.1.0" in plugins["executor", "dask"]


def test_the_executor_is_one_short_file() -> None:
    """Its tests need Dask: `make test-ray` runs them."""
    (file,) = (ROOT / "examples" / EXAMPLES["dask"] / "src").rglob("*.py")
    assert len(file.read_text().splitlines()) <= 80  # as its README and the pages say


def test_the_method_runs(installed: Environment, tmp_path: Path) -> None:
    result = installed.json("ltbench", "run", "--method", "convpass", *SHORT, cwd=tmp_path)
    assert result["metrics"]["mean_class"] > 50
    assert (tmp_path / "runs" / "digits_lt" / "clip_tiny" / "convpass").is_dir()


def test_the_data_set_runs(installed: Environment, tmp_path: Path) -> None:
    demo = ROOT / "examples" / "ltbench-coco" / "demo" / "digit_sheets.py"
    installed.run("python", demo, "sheets", cwd=tmp_path)
    data = ("dataset.path=sheets/train.json", "dataset.test=sheets/test.json")
    options = [part for setting in data for part in ("--set", setting)]
    installed.run("ltbench", "data", "prepare", "coco_objects", *options, cwd=tmp_path)
    command = ("ltbench", "run", "--dataset", "coco_objects", *options, *SHORT)
    result = installed.json(*command, cwd=tmp_path)
    assert result["metrics"]["mean_class"] > 20


@pytest.mark.parametrize("name", [pytest.param("convpass", marks=pytest.mark.slow), "coco"])
def test_its_own_tests_pass(installed: Environment, name: str) -> None:
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    out = installed.run(*command, cwd=ROOT / "examples" / EXAMPLES[name])
    assert " passed" in out  # the kit skips a plugin that it does not find
