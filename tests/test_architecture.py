"""The rules of the house, as tests."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
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
    "ltbench.jobs",
    "ltbench.metric_names",
    "ltbench.progress",
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


ROOMS = [
    "",  # the contract: the files on the top floor
    "io",
    "manual",
    "ranks",
    "registry.guard",
    "registry",
    "data.decoding",
    "data.preparation",
    "data",
    "data.loading",
    "data.survey",
    "config",
    "analysis.stats",
    "analysis",
    "storage",
    "analysis.errors",
    "analysis.comparison",
    "analysis.diagnosis",
    "engine.model",
    "engine.building",
    "engine.training",
    "engine",
    "grid",
    "analysis.leaderboard",
    "report.figures",
    "report.page",
    "report.sections",
    "report",
    "scaffold",
    "testing",
    "prediction",
    "tuning",
    "export",
    "board",
    "api",
    "cli",
]
"""Folders of the engine, each above those that it may import from."""

UPWARD = {("specs", "data.preparation")}
"""The contract names the type of what a data set's `prepare` is given."""

FACADES = {"__init__.py", "__main__.py"}  # of the package: they import lazily, from everywhere


def room_of(path: Path) -> str:
    folders = path.relative_to(ROOT / "ltbench").parent.parts
    return "cli" if folders[:1] == ("cli",) else ".".join(folders)


@cache
def modules() -> dict[str, Path]:
    names = {}
    for path in ENGINE:
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(part for part in parts if part != "__init__")] = path
    return names


def imports_of(path: Path) -> Iterator[str]:
    """Yields the modules that a file imports, also those for type checks and within functions."""
    known = modules()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else str(node.module) for name in inner)


def test_every_folder_is_a_room() -> None:
    assert {room_of(path) for path in ENGINE} == set(ROOMS)


def test_imports_go_down() -> None:
    known = modules()
    upward = set()
    for path in ENGINE:
        if path.parent == ROOT / "ltbench" and path.name in FACADES:
            continue
        own = room_of(path)
        for name in imports_of(path):
            other = room_of(known[name]) if name in known else own
            if ROOMS.index(other) > ROOMS.index(own):
                upward.add((path.stem, other))
    assert upward <= UPWARD, sorted(upward - UPWARD)


def test_no_imports_form_a_circle() -> None:
    known = modules()
    below = {name: set(imports_of(path)) & known.keys() - {name} for name, path in known.items()}
    del below["ltbench"], below["ltbench.__main__"]  # they import lazily, from everywhere
    while below:
        free = {name for name, others in below.items() if not others & below.keys()}
        assert free, f"circles among {sorted(below)}"
        below = {name: others for name, others in below.items() if name not in free}


def test_tools_look_into_every_folder() -> None:
    """Ruff, pytest and others leave out folders of these names."""
    names = {path.parent.name for path in [*ENGINE, *PLUGINS, *(ROOT / "tests").rglob("*.py")]}
    assert not names & {"build", "dist", "venv", "site-packages", "node_modules"}


def test_files_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path in [*ENGINE, *PLUGINS, *sorted((ROOT / "tests").rglob("*.py"))]
        if (lines := len(path.read_text().splitlines())) > 400
    ]
    assert not long, long


def test_folders_have_one_purpose() -> None:
    for path in [*ENGINE, *PLUGINS]:
        if path.name == "__init__.py" and path.parent not in (ROOT / "ltbench",):
            purpose = ast.get_docstring(ast.parse(path.read_text())) or ""
            first = purpose.partition("\n\n")[0]
            assert first.endswith("."), f"{path}: {first!r}"
            assert ". " not in first, f"{path}: {first!r}"


def test_a_class_name_has_one_meaning() -> None:
    seen: dict[str, Path] = {}
    for path in ENGINE:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                assert node.name not in seen, f"{node.name}: {path} and {seen[node.name]}"
                seen[node.name] = path


def test_everything_in_all_is_there() -> None:
    assert sorted(ltbench.__all__) == ltbench.__all__
    assert all(hasattr(ltbench, name) for name in ltbench.__all__)


def test_the_engine_names_no_component() -> None:
    """Only the help of `ltbench run` names the defaults, and it names the right ones.

    The list of libraries has one that components are named after.
    """
    from ltbench.registry.load import load_plugins

    registry = load_plugins()
    named = {ROOT / "ltbench/registry/guard/module_changes.py"}
    engine = {
        path: path.read_text() for path in ENGINE if path.parent.name != "cli" and path not in named
    }
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
