"""Reading of stored runs for the verbs; skipped run directories are listed on stderr."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.progress import track

from ltbench.errors import DataError, RunError
from ltbench.io.console import console
from ltbench.io.text import line_text
from ltbench.storage.results import Found, SkippedRun, find_runs
from ltbench.storage.run_filter import RunFilter

T = TypeVar("T")
_MAX_LISTED_RUNS = 20
_MAX_NAMED_PATHS = 3


def read_comparable(paths: Sequence[Path], where: Sequence[str] | None = None) -> Found:
    """Finds runs as `read_runs` does, and skips quick looks as well.

    Args:
        paths: Run directories, or folders above them.
        where: Conditions of `--where`, which the runs meet.

    Raises:
        ConfigError: There are runs, and all are quick looks; or as for `read_runs`.
        DataError: There are runs, and none meets the conditions.
    """
    return _read(paths, where, comparable=True)


def read_runs(paths: Sequence[Path], where: Sequence[str] | None = None) -> Found:
    """Finds runs, and lists on stderr those that are skipped.

    Args:
        paths: Run directories, or folders above them.
        where: Conditions of `--where`, which the runs meet.

    Raises:
        ConfigError: A path is not a directory, or no run has the key of a condition.
        DataError: There are runs, and none meets the conditions.
    """
    return _read(paths, where, comparable=False)


def _read(paths: Sequence[Path], where: Sequence[str] | None, *, comparable: bool) -> Found:
    conditions = RunFilter.from_texts(where)
    errors = console(stderr=True)
    with errors.status("reading runs"):
        found = find_runs(paths)
        try:
            found = conditions.keep(found)
        except DataError as error:
            shown = ", ".join(map(str, paths[:_MAX_NAMED_PATHS]))
            more = " and others" if len(paths) > _MAX_NAMED_PATHS else ""
            raise DataError(f"{shown}{more}: {error.message}", hint=error.hint) from error
    found = found.comparable() if comparable else found
    gc.freeze()  # the results live until the verb ends: garbage collection can ignore them
    for skipped in found.skipped[:_MAX_LISTED_RUNS]:
        told = line_text(f"skipped {skipped.path}: {skipped.reason}")
        errors.print(told, markup=False, soft_wrap=True)
    if len(found.skipped) > _MAX_LISTED_RUNS:
        errors.print(f"skipped {len(found.skipped) - _MAX_LISTED_RUNS} more")
    return found


def followed(items: Sequence[T], what: str) -> Iterable[T]:
    """Yields items, with a progress bar on stderr where that is a terminal.

    Args:
        items: Items of a loop.
        what: Title of the progress bar.
    """
    errors = console(stderr=True)
    return track(items, what, console=errors, transient=True, disable=not errors.is_terminal)


def end_strictly(skipped: Sequence[SkippedRun], strict: bool) -> None:
    """Ends a verb after its output.

    Args:
        skipped: Skipped run directories.
        strict: Whether they are an error.

    Raises:
        RunError: Runs were skipped, and `strict` is set.
    """
    if strict and skipped:
        raise RunError(
            f"{len(skipped)} run {'directory was' if len(skipped) == 1 else 'directories were'} "
            "skipped",
            hint="finish these runs, or leave out --strict",
        )
