"""Inspection of plugins' source: files, private imports, and places as "file:line"."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ltbench.registry import api_version as api

MAX_MESSAGE = 1000


@dataclass(frozen=True)
class Import:
    """An import statement of a file.

    Args:
        name: Name of the imported module or member: "ltbench.engine.run".
        place: "file:line" of the statement.
    """

    name: str
    place: str


def source_of(module: str) -> Path | None:
    """Returns the source file of a module without importing it; None where it has none."""
    top, *parts = module.split(".")
    for folder in _folders(top):
        path = folder.joinpath(*parts)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if parts and file.is_file():
                return file
    return None if parts else _top(top)


def _top(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):
        return None
    found = Path(spec.origin) if spec and spec.origin else None
    return found if found and found.suffix == ".py" else None


def _folders(top: str) -> list[Path]:
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return []
    return [Path(path) for path in (spec and spec.submodule_search_locations) or ()]


def private_imports(module: str) -> Iterator[Import]:
    """Yields the imports of private modules of ltbench in the package of a module."""
    top = module.partition(".")[0]
    files = [path for folder in _folders(top) for path in sorted(folder.rglob("*.py"))]
    for path in files or [file for file in (_top(top),) if file]:
        try:
            tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
        except (SyntaxError, ValueError):
            continue  # importing it raises the error
        for node in ast.walk(tree):
            for name in _imported(node):
                if _is_private(name):
                    yield Import(name, f"{path}:{getattr(node, 'lineno', 0)}")


def _imported(node: ast.AST) -> Iterator[str]:
    """Yields the names that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if _is_module(inner) or alias.name.startswith("_") else node.module


def _is_module(name: str) -> bool:
    return name.split(".")[0] in own_packages() and source_of(name) is not None


def _is_private(name: str) -> bool:
    if name in api.MODULES or name == "ltbench.__version__":
        return False
    return name.split(".")[0] in own_packages()


@cache
def own_packages() -> frozenset[str]:
    """Returns the packages of the distribution: the engine and the built-in plugins."""
    points = entry_points(group="ltbench")
    built_in = [point for point in points if point.dist and point.dist.name == "ltbench"]
    return frozenset({"ltbench", *(point.module.partition(".")[0] for point in built_in)})


def place_of(thing: Any) -> str:
    """Returns "file:line" of a function or class; empty where it is unknown."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    thing = inspect.unwrap(thing) if callable(thing) else thing
    code = getattr(thing, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    kind = thing if isinstance(thing, type) else type(thing)
    try:
        return f"{inspect.getsourcefile(kind)}:{inspect.getsourcelines(kind)[1]}"
    except (OSError, TypeError):
        return str(getattr(sys.modules.get(kind.__module__), "__file__", None) or "")


def place_in(error: BaseException, module: str = "") -> str:
    """Returns "file:line" of where an error was raised; empty where it is unknown.

    Args:
        error: Error with its traceback.
        module: Module whose package limits the search: the deepest line in that package is
            returned, or an empty string without one.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [
        (frame.f_globals.get("__name__", ""), f"{frame.f_code.co_filename}:{line}")
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    top = module.partition(".")[0]
    own = [place for name, place in frames if not module or name.partition(".")[0] == top]
    return own[-1] if own else ""


def described(error: BaseException) -> str:
    """Returns type and message of an error, in at most 1,000 characters."""
    try:
        message = str(error)
    except BaseException:  # a plugin's own class
        message = "(it has no printable message)"
    text = f"{type(error).__name__}: {message}"
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]} ..."


def at(place: str) -> str:
    """Returns a place in brackets, to append to a message; empty where it is unknown."""
    return f" ({place})" if place else ""
