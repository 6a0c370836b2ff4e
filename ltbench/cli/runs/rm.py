"""`ltbench runs rm`: moves run directories into the trash of their store."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.confirm import Yes, expect_confirmation
from ltbench.cli.options import Json, Where
from ltbench.cli.runs.options import ManyRuns, Store
from ltbench.config.defaults import DEFAULT_OUT
from ltbench.errors import ConfigError, RunError, shortened

_MAX_LISTED = 10
_MAX_KEPT = 5
_MAX_CHARACTERS = 240  # of a run that was kept


def rm(
    runs: ManyRuns = None,
    where: Where = None,
    empty_trash: Annotated[
        bool,
        typer.Option(
            "--empty-trash",
            help="Delete what is in the trash of --out for good, which frees its disk space.",
        ),
    ] = False,
    yes: Yes = False,
    out: Store = DEFAULT_OUT,
    json: Json = False,
) -> None:
    """Remove runs, finished or not: their directories are moved into OUT/.trash.

    A removed run is in no list, comparison or report. Moving its directory back restores it. Runs
    that a process is executing are kept. --where selects finished runs, of those given or of all in
    --out.

    Example: `ltbench runs rm 199f`

    Example: `ltbench runs rm --where tag.paper=draft --yes`

    Example: `ltbench runs rm --empty-trash`
    """
    if empty_trash:
        if runs or where:
            raise ConfigError("--empty-trash: expected neither runs nor --where", hint="leave it")
        _empty(out, yes=yes, json=json)
        return
    paths = _chosen(runs, where, out)
    _list(paths)
    count = f"{len(paths):,} {'run' if len(paths) == 1 else 'runs'}"
    expect_confirmation(f"Move {count} into the trash?", yes=yes)
    moved, kept = _move(paths, out)
    _report(moved, kept, json=json)


def _chosen(runs: Sequence[str] | None, where: Sequence[str] | None, out: Path) -> list[Path]:
    """Returns the run directories to remove.

    Raises:
        ConfigError: Nothing is chosen, or a text names no run.
        DataError: No run meets the conditions.
    """
    from ltbench.cli.stored_runs import read_runs
    from ltbench.storage.run_lookup import find_directories

    if not runs and not where:
        raise ConfigError("expected runs or --where", hint="as in ltbench runs rm 199f")
    found = find_directories(runs, out) if runs else [out]
    if not where:
        return found
    kept = [run.path for run in read_runs(found, where).runs]
    if not kept:
        raise ConfigError(f"{out} has no finished run", hint="give run directories")
    return kept


def _list(paths: Sequence[Path]) -> None:
    from ltbench.io.console import console
    from ltbench.io.sizes import in_words
    from ltbench.storage.trash import size_of

    errors = console(stderr=True)
    for path in paths[:_MAX_LISTED]:
        told = f"{in_words(size_of(path)):>9}  {path}"
        errors.print(told, markup=False, soft_wrap=True)
    if len(paths) > _MAX_LISTED:
        errors.print(f"and {len(paths) - _MAX_LISTED:,} more")


def _move(paths: Sequence[Path], out: Path) -> tuple[dict[Path, Path], dict[Path, str]]:
    """Returns the new path of each moved directory, and the reason for each that was kept."""
    from ltbench.cli.stored_runs import followed
    from ltbench.io.interrupts import check
    from ltbench.storage.run_lookup import store_of
    from ltbench.storage.trash import Trash

    moved: dict[Path, Path] = {}
    kept: dict[Path, str] = {}
    for path in followed(paths, "moving"):
        check()
        try:
            moved[path] = Trash(store_of(path, out)).put(path)
        except RunError as error:
            kept[path] = error.message
    return moved, kept


def _report(moved: dict[Path, Path], kept: dict[Path, str], *, json: bool) -> None:
    """Prints what was moved, and how it is restored.

    Raises:
        RunError: Runs were kept.
    """
    from ltbench.cli.output import print_json
    from ltbench.io.console import console
    from ltbench.io.text import line_text

    if json:
        print_json(
            {
                "moved": [{"run": str(old), "trash": str(new)} for old, new in moved.items()],
                "kept": [{"run": str(path), "reason": reason} for path, reason in kept.items()],
            }
        )
    elif moved:
        stdout = console()
        count = f"{len(moved):,} {'run' if len(moved) == 1 else 'runs'}"
        stdout.print(f"moved {count} into the trash; to get one back:")
        for old, new in list(moved.items())[:_MAX_LISTED]:
            command = shlex.join(["mv", str(new), str(old)])
            stdout.print(f"  {command}", markup=False, soft_wrap=True)
        if len(moved) > _MAX_LISTED:
            stdout.print("  and so on")
        for store in dict.fromkeys(new.parents[1] for new in moved.values()):
            again = shlex.join(["ltbench", "runs", "rm", "--empty-trash", "--out", str(store)])
            stdout.print(f"to free their disk space: {again}", markup=False, soft_wrap=True)
    if kept:
        errors = console(stderr=True)
        for path, reason in list(kept.items())[:_MAX_KEPT]:
            told = shortened(line_text(f"kept {path}: {reason}"), _MAX_CHARACTERS)
            errors.print(told, markup=False, soft_wrap=True)
        if len(kept) > _MAX_KEPT:
            errors.print(f"kept {len(kept) - _MAX_KEPT:,} more")
        raise RunError(
            f"{len(kept):,} of {len(moved) + len(kept):,} runs were kept",
            hint="see the reasons above",
        )


def _empty(out: Path, *, yes: bool, json: bool) -> None:
    from ltbench.cli.output import print_json
    from ltbench.cli.stored_runs import followed
    from ltbench.io.console import console
    from ltbench.io.sizes import in_words
    from ltbench.storage.trash import Trash, size_of

    trash = Trash(out)
    entries = trash.entries()
    size = sum(map(size_of, entries))
    count = f"{len(entries):,} {'run' if len(entries) == 1 else 'runs'} ({in_words(size)})"
    if entries:
        expect_confirmation(f"Delete {count} in {trash.folder} for good?", yes=yes)
        for entry in followed(entries, "deleting"):
            trash.delete(entry)
    if json:
        print_json({"deleted": len(entries), "bytes": size})
    else:
        told = f"deleted {count}" if entries else f"{trash.folder} is empty"
        console().print(told, markup=False, soft_wrap=True)
