"""Grid files by path, and the grids of plugins by name."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from ltbench.errors import ConfigError, UnknownNameError, shortened, suggestion
from ltbench.registry.registry import Registry

_PATH_OR_NAME = "give the path of a grid file, or a name of `ltbench grid list`"


def find_grid(given: str, registry: Registry) -> Path:
    """Returns the file of a grid.

    Args:
        given: Path of a file, or name of a plugin's grid; a file takes precedence over a grid of
            the same name.
        registry: Registry with the grids of all plugins.

    Raises:
        ConfigError: A path (it ends in `.toml`) is not a file.
        UnknownNameError: It is neither a file nor the name of a grid.
    """
    path = Path(given)
    if os.path.isfile(path):  # noqa: PTH113  # False where a name is too long, too
        return path
    if given in registry.grids:
        return registry.grids[given].path
    if path.suffix != ".toml":
        hint = f"{suggestion(given, registry.grids)}; {_PATH_OR_NAME}"
        raise UnknownNameError(
            f"there is no grid '{shortened(given)}', neither a file nor a name", hint=hint
        )
    hint = _PATH_OR_NAME
    name = "/".join(path.with_suffix("").parts[-2:])
    if name in registry.grids:
        hint = f"use the name '{name}', without folder and suffix"
    reason = "exists but is not a file" if os.path.exists(path) else "does not exist"  # noqa: PTH110
    raise ConfigError(f"{shortened(given, 300)} {reason}", hint=hint)


def grid_summary(path: Path) -> str:
    """Returns the first sentence of a grid file's opening comment; empty without one."""
    text = path.read_text(encoding="utf-8")
    lines = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    comment = " ".join(line.removeprefix("#").strip() for line in lines)
    sentence, _, _ = comment.partition(". ")
    return sentence.strip().removesuffix(".")
