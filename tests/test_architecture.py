"""The rules of the house, as tests."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import ltbench

ROOT = Path(__file__).parent.parent
ENGINE = sorted((ROOT / "ltbench").rglob("*.py"))
PLUGINS = sorted((ROOT / "plugins").rglob("*.py"))
PUBLIC = {
    "ltbench",
    "ltbench.backbone",
    "ltbench.data",
    "ltbench.errors",
    "ltbench.grid.fork_server",
    "ltbench.protocols",
    "ltbench.views",
}


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_engine_knows_no_plugin() -> None:
    for path in ENGINE:
        found = [name for name in imported(path) if name.startswith("ltbench_plugins")]
        assert not found, f"{path} imports {found}"


def test_plugins_use_public_modules_only() -> None:
    for path in PLUGINS:
        used = {name for name in imported(path) if name.split(".")[0] == "ltbench"}
        assert used <= PUBLIC, f"{path} imports {sorted(used - PUBLIC)}"


def test_everything_in_all_is_there() -> None:
    assert sorted(ltbench.__all__) == ltbench.__all__
    assert all(hasattr(ltbench, name) for name in ltbench.__all__)


def test_the_engine_names_no_component() -> None:
    """Only the help of `ltbench run` names the defaults, and it names the right ones."""
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    engine = {path: path.read_text() for path in ENGINE if path.parent.name != "cli"}
    for kind in ("dataset", "backbone", "method"):
        for name in registry.components[kind]:
            quoted = [path.name for path, text in engine.items() if f'"{name}"' in text]
            assert not quoted, f"{name} is named in {quoted}"
    help_text = (ROOT / "ltbench/cli/run.py").read_text()
    for kind in ("dataset", "backbone", "method"):
        assert f"Default: {registry.default(kind)}." in help_text


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    released = [
        line.split("[")[1].split("]")[0]
        for line in (ROOT / "CHANGELOG.md").read_text().splitlines()
        if line.startswith("## [")
    ]
    assert released[0] == "Unreleased" or released[0] == ltbench.__version__
