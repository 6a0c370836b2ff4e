"""`ltbench cache`: size of the cache that the runs of a folder share, and ways to shrink it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ltbench.cli.confirm import Yes, expect_confirmation
from ltbench.cli.options import CacheFolder, Json, finite
from ltbench.cli.runs.options import Store
from ltbench.config.defaults import DEFAULT_OUT
from ltbench.errors import ConfigError, RunError

if TYPE_CHECKING:
    from ltbench.io.array_cache import CacheEntry


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete every entry.")] = False,
    limit: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="GB",
            callback=finite,
            help="Delete the entries that were not used for longest, until the others have this "
            "size. The limit of later runs is that of `ltbench run --cache`.",
        ),
    ] = None,
    yes: Yes = False,
    out: Store = DEFAULT_OUT,
    cache_dir: CacheFolder = None,
    json: Json = False,
) -> None:
    """Show the size of the cache that runs share: features, activations, decoded images.

    Every entry can be computed again: no result depends on the cache.

    Example: `ltbench cache`

    Example: `ltbench cache --limit 2 --out /scratch/runs`
    """
    from ltbench.cli.output import print_json
    from ltbench.io.array_cache import Cache
    from ltbench.io.console import console
    from ltbench.io.paths import is_folder, no_folder
    from ltbench.io.sizes import in_words

    if clear and limit is not None:
        raise ConfigError("--clear and --limit: choose one of them")
    stored = Cache.of(out, 0.0 if limit is None else limit, cache_dir)
    if stored.folder.parent == out and not is_folder(out):
        raise ConfigError(f"{out} {no_folder(out)}", hint="give the folder of the runs: --out DIR")
    if cache_dir is not None and not is_folder(cache_dir):
        raise ConfigError(f"{cache_dir} {no_folder(cache_dir)}", hint="give the folder of a cache")
    deleted: list[CacheEntry] = []
    try:
        entries = stored.entries()
        if clear and entries:
            shown = in_words(sum(entry.size for entry in entries))
            question = f"Delete {_count(entries)} ({shown}) of {stored.folder}?"
            expect_confirmation(question, yes=yes)
        if clear or limit is not None:
            deleted = stored.shrink()
            entries = stored.entries()
    except OSError as error:
        raise RunError(
            f"{stored.folder} cannot be changed: {error.strerror or error}",
            hint="check its permissions",
        ) from error
    freed, size = (sum(entry.size for entry in some) for some in (deleted, entries))
    if json:
        print_json(
            {
                "folder": str(stored.folder),
                "entries": len(entries),
                "bytes": size,
                "oldest_use": _time(entries[0].used) if entries else None,
                "deleted_entries": len(deleted),
                "deleted_bytes": freed,
            }
        )
        return
    stdout = console()
    if clear or limit is not None:
        stdout.print(f"deleted {_count(deleted)}, {in_words(freed)}")
    unused = f", not used for longest: since {_time(entries[0].used)}" if entries else ""
    told = f"{stored.folder}: {_count(entries)}, {in_words(size)}{unused}"
    stdout.print(told, markup=False, soft_wrap=True)


def _count(entries: Sequence[CacheEntry]) -> str:
    return f"{len(entries):,} {'entry' if len(entries) == 1 else 'entries'}"


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
