"""`ltbench runs add`: checks the runs of an archive and adds them to a store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.options import Json
from ltbench.cli.runs.options import Store
from ltbench.config.defaults import DEFAULT_OUT
from ltbench.errors import DataError, shortened

_MAX_LISTED = 5
_MAX_CHARACTERS = 240  # of a refused run


def add(
    archive: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.zip", exists=True, help="Archive that `ltbench runs pack` wrote."
        ),
    ],
    out: Store = DEFAULT_OUT,
    json: Json = False,
) -> None:
    """Add the runs of an archive to a store, after checking each.

    A run is added if its files have the SHA-256 of the manifest, its hash is that of its choices,
    and its predictions are as many as its result states and give every metric of it. Other runs are
    refused and named, and the exit code is 4. Runs that are in the store already are left as they
    are.

    Example: `ltbench runs add digits.zip --out runs`
    """
    from rich.progress import Progress

    from ltbench.cli.output import print_json
    from ltbench.cli.output_paths import writable_folder
    from ltbench.io.console import console
    from ltbench.io.text import line_text
    from ltbench.storage.unpacking import AddedRun, add_pack

    writable_folder(out, "--out")
    errors = console(stderr=True)
    done: list[AddedRun] = []
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("unpacking", total=None)
        runs = add_pack(
            archive,
            out,
            lambda count: progress.update(task, description="checking", total=count),
        )
        with closing(runs):  # removes what was unpacked, also where a signal arrives between runs
            for run in runs:
                done.append(run)
                progress.advance(task)
    added = [run for run in done if run.is_new]
    refused = [run for run in done if run.fault]
    there = [run for run in done if not run.is_new and not run.fault]
    if json:
        print_json(
            {
                "added": [str(run.path) for run in added],
                "present": [str(run.path) for run in there],
                "refused": [{"run": run.folder, "reason": run.fault} for run in refused],
            }
        )
    else:
        told = f"added {len(added):,} of {len(done):,} runs to {out}"
        more = f"; there before: {len(there):,}" if there else ""
        console().print(told + more, markup=False, soft_wrap=True)
    if refused:
        for run in refused[:_MAX_LISTED]:
            told = shortened(line_text(f"refused {run.folder}: {run.fault}"), _MAX_CHARACTERS)
            errors.print(told, markup=False, soft_wrap=True)
        if len(refused) > _MAX_LISTED:
            errors.print(f"refused {len(refused) - _MAX_LISTED:,} more")
        raise DataError(
            f"{archive}: {len(refused):,} of {len(done):,} runs were refused",
            hint="fetch the archive again, or ask its author for these runs",
        )
