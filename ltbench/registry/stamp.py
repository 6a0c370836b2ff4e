"""Stamps of plugins: what decides whether a plugin is the one that was tried."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path

from ltbench import __version__

_LEFT_OUT = {"__pycache__", "node_modules"}


def files_of(point: EntryPoint) -> Iterator[tuple[str, int, int]]:
    """Yields path, time of change in nanoseconds, and size of each file of a plugin's package.

    The package is the outermost one of the entry point that is no namespace package. Nothing of it
    is imported.
    """
    for place in _places(point.module):
        if place.is_dir():
            yield from _below(place)
        else:
            yield from _described(place)


def stamp_of(point: EntryPoint) -> str:
    """Returns a digest of a plugin's files, its distribution, and the versions it runs with."""
    about = (
        (point.name, point.value, *((point.dist.name, point.dist.version) if point.dist else ())),
        (sys.version, sys.prefix, __version__),
        sorted(files_of(point)),
    )
    return hashlib.sha256(json.dumps(about).encode(errors="surrogatepass")).hexdigest()


def _places(module: str) -> list[Path]:
    """Returns the folders of a module's outermost package, or the file of a lone module."""
    top, *parts = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    if spec.has_location and spec.submodule_search_locations is None:
        return [Path(spec.origin)] if spec.origin else []
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    if spec.has_location:
        return folders
    # A namespace package: other distributions may have modules in it.
    for part in parts:
        inner = [folder / part for folder in folders]
        package = [folder for folder in inner if (folder / "__init__.py").is_file()]
        lone = [file for folder in inner if (file := folder.with_suffix(".py")).is_file()]
        if package or lone:
            return package or lone
        folders = [folder for folder in inner if folder.is_dir()]
    return folders


def _below(folder: Path) -> Iterator[tuple[str, int, int]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name in _LEFT_OUT or entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path))
        else:
            yield from _described(Path(entry.path))


def _described(path: Path) -> Iterator[tuple[str, int, int]]:
    try:
        found = path.stat()
    except OSError:  # removed in between, or a broken link
        return
    yield str(path), found.st_mtime_ns, found.st_size
