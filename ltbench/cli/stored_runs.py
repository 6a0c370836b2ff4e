"""Stored runs as the verbs read them: what cannot be used is listed on stderr."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import track

from ltbench.errors import DataError, RunError
from ltbench.io.text import printable
from ltbench.storage.results import Found, Run, SkippedRun, find_runs

if TYPE_CHECKING:
    from ltbench.storage.run_directory import RunDirectory

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


def with_today_intervals(result: Mapping[str, Any], directory: RunDirectory) -> dict[str, Any]:
    """Returns a stored result with intervals of today's method.

    Results without a record of the method have those of an earlier one, which were too narrow.
    Theirs are computed from the stored predictions, or are left out with a warning where these
    cannot be read. The file is left as it is.

    Args:
        result: Content of `result.json`.
        directory: Directory of the run.
    """
    from ltbench.analysis.metrics import DEFAULT_RULE, INTERVAL_METHOD, SHOT_RULES, intervals

    metrics, warnings = result["metrics"], result["warnings"]
    if metrics.get("interval_method") == INTERVAL_METHOD:
        return dict(result)
    import numpy as np

    rule = SHOT_RULES.get(metrics["shot_rule"], DEFAULT_RULE)
    groups = rule.groups(np.array(result["classes"]["train_images"], dtype=np.int64))
    new: dict[str, Any] = dict.fromkeys(metrics["intervals"])
    try:
        new = intervals(Run(directory.path, dict(result)).predictions(), groups)
    except DataError as error:
        warnings = [*warnings, f"no intervals, because {error.message}"]
    metrics = {**metrics, "intervals": new, "interval_method": INTERVAL_METHOD}
    return {**result, "metrics": metrics, "warnings": warnings}


def end_strictly(skipped: Sequence[SkippedRun], strict: bool) -> None:
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
