"""Grid files by path, and those that come with plugins by name."""

from __future__ import annotations

import itertools
from pathlib import Path

from ltbench.errors import ConfigError, UnknownNameError, suggestion
from ltbench.registry.registry import Registry

_PATH_OR_NAME = "give the path of a grid file, or a name of `ltbench grid list`"


def find_grid(given: str, registry: Registry) -> Path:
    """Returns the file of a grid.

    Args:
        given: Path of a file, or name of a grid that comes with a plugin. A file of that path goes
            before a grid of that name.
        registry: With the grids of all plugins.

    Raises:
        ConfigError: It is a path (it ends in `.toml`) where no file is.
        UnknownNameError: It is neither a file nor a name.
    """
    path = Path(given)
    if path.is_file():
        return path
    if given in registry.grids:
        return registry.grids[given].path
    if path.suffix != ".toml":
        hint = f"{suggestion(given, registry.grids)} {_PATH_OR_NAME}"
        raise UnknownNameError(f"there is no grid '{given}', neither a file nor a name", hint=hint)
    hint = _PATH_OR_NAME
    name = "/".join(path.with_suffix("").parts[-2:])
    if name in registry.grids:
        hint = f"'{name}' comes with ltbench: leave out folder and suffix"
    reason = "it is a directory" if path.is_dir() else "there is no such file"
    raise ConfigError(f"{given} cannot be read: {reason}", hint=hint)


def summary_of(path: Path) -> str:
    """Returns the first sentence of the comment that a grid file opens with; empty without one."""
    text = path.read_text(encoding="utf-8")
    lines = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    comment = " ".join(line.removeprefix("#").strip() for line in lines)
    sentence, _, _ = comment.partition(". ")
    return sentence.strip().removesuffix(".")
