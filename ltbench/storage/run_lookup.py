"""Run directories as users name them: by path, or by the first digits of their hash."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ltbench.errors import ConfigError, DataError, shortened
from ltbench.io.paths import is_folder
from ltbench.storage.results import SkippedRun, indexed_runs, is_run_directory, run_directories
from ltbench.storage.run_directory import RunDirectory

_HASH = re.compile(r"[0-9a-f]{1,12}")
_MAX_LISTED = 5


def is_hash(text: str) -> bool:
    """Returns whether a text may be the beginning of a run's hash.

    Args:
        text: Text of the user.
    """
    return _HASH.fullmatch(text.lower()) is not None


def find_run(named: str, out: Path) -> Path:
    """Returns one run directory, finished or not.

    Args:
        named: Run directory, or the first digits of the hash of a run below `out`.
        out: Folder of the run directories.

    Raises:
        ConfigError: There is no such run, or there are several.
    """
    path = Path(named)
    if not is_folder(path):
        return _by_hash(named, out)
    if is_run_directory(path):
        return path
    below = list(run_directories([path], []))
    if len(below) == 1:
        return below[0]
    hint = f"give one of them: {_listed(below)}" if below else _hint(out)
    raise ConfigError(f"{path} is not a run directory: {len(below):,} are below it", hint=hint)


def find_directories(named: Sequence[str], out: Path) -> list[Path]:
    """Returns run directories, finished or not, each once.

    Args:
        named: Run directories, folders above some, or first digits of hashes of runs below `out`.
        out: Folder of the run directories.

    Raises:
        ConfigError: A text names no run, or the beginning of several hashes.
        DataError: A folder cannot be listed.
    """
    return list(dict.fromkeys(path for text in named for path in _directories(text, out)))


def store_of(path: Path, out: Path) -> Path:
    """Returns the folder of the run directories to which one belongs: locks and trash are in it.

    Args:
        path: Run directory, which may be broken or was moved.
        out: Folder of the run directories that the user gave.
    """
    try:
        store = RunDirectory(path).out(RunDirectory(path).spec())
    except DataError:
        store = None
    if store is not None:
        return out if _same(store, out) else store
    return out if out.resolve() in path.resolve().parents else path.parent


def _directories(named: str, out: Path) -> Iterator[Path]:
    path = Path(named)
    if not is_folder(path):
        yield _by_hash(named, out)
        return
    skipped: list[SkippedRun] = []
    found = list(run_directories([path], skipped))
    if skipped:
        raise DataError(f"{skipped[0].path}: {skipped[0].reason}", hint="give readable folders")
    if not found:
        raise ConfigError(f"{path} is not a run directory, and none is below it", hint=_hint(out))
    yield from found


def _by_hash(digits: str, out: Path) -> Path:
    """Returns the run whose hash begins with some digits.

    Raises:
        ConfigError: There is no such run, or there are several.
    """
    wanted, shown = digits.lower(), shortened(digits)
    if not is_hash(wanted):
        raise ConfigError(
            f"{shown} is neither a directory nor the beginning of a run's hash", hint=_hint(out)
        )
    every = dict(indexed_runs(out)) if is_folder(out) else {}
    found = [Path(path) for path in every if os.path.basename(path).startswith(wanted)]  # noqa: PTH119
    # Runs of an early schema have another hash than their directory's name.
    found = found or [
        Path(path)
        for path, read in every.items()
        if any(one.startswith(wanted) for one in _hashes(path, read))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"{shown} is neither a directory nor the beginning of the hash of one of the "
            f"{len(every):,} runs in {out}",
            hint=_hint(out),
        )
    raise ConfigError(
        f"{shown} is the beginning of {len(found):,} hashes: {_listed(found)}",
        hint="give more digits",
    )


def _hashes(path: str, read: Callable[[str], Any] | None) -> list[str]:
    """Returns the hashes of a run: of its indexed result, or else of `spec.json`."""
    if read is not None:
        return [one for one in (read("hash"), read("earlier_hash")) if one]
    try:
        return RunDirectory(Path(path)).hashes()
    except DataError:
        return []


def _listed(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - _MAX_LISTED:,} more" if len(paths) > _MAX_LISTED else ""
    return ", ".join(map(str, paths[:_MAX_LISTED])) + more


def _hint(out: Path) -> str:
    return f"give a run directory, or digits of a hash that ltbench runs list {out} shows"


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
