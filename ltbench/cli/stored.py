"""Stored runs as the verbs read them: what cannot be used is listed on stderr."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from ltbench.errors import RunError
from ltbench.results import Found, Skipped, find_runs
from ltbench.texts import printable

T = TypeVar("T")
_LISTED = 20


def read_runs(paths: Sequence[Path]) -> Found:
    """Finds runs, and lists on stderr those that are skipped.

    Raises:
        ConfigError: A path is no folder.
    """
    console = Console(stderr=True, highlight=False)
    with console.status("reading runs"):
        found = find_runs(paths)
    gc.freeze()  # it stays until the verb ends: no search for garbage needs to look through it
    for skipped in found.skipped[:_LISTED]:
        told = printable(f"skipped {skipped.path}: {skipped.reason}").replace("\n", " ")
        console.print(told, markup=False, soft_wrap=True)
    if len(found.skipped) > _LISTED:
        console.print(f"skipped {len(found.skipped) - _LISTED} more")
    return found


def followed(items: Sequence[T], what: str) -> Iterable[T]:
    """Shows on a terminal how far a loop is."""
    console = Console(stderr=True)
    return track(items, what, console=console, transient=True, disable=not console.is_terminal)


def end_strictly(skipped: Sequence[Skipped], strict: bool) -> None:
    """Ends a verb that has said all it had to say.

    Raises:
        RunError: Runs were skipped, and that is not allowed.
    """
    if strict and skipped:
        raise RunError(
            f"{len(skipped)} run {'directory was' if len(skipped) == 1 else 'directories were'} "
            "skipped",
            hint="finish or delete them, or leave out --strict",
        )
