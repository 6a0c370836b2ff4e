"""`ltbench runs pack`: stored runs without weights as one archive, to share and to publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.options import Json, Strict, Where
from ltbench.cli.runs.options import NAMED, Store
from ltbench.config.defaults import DEFAULT_OUT
from ltbench.errors import ConfigError

_SUFFIX = ".zip"


def pack(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN... FILE.zip",
            help=f"Runs: each {NAMED}; or a folder above run directories. Last, the archive to "
            "create.",
            show_default=False,
        ),
    ],
    where: Where = None,
    out: Store = DEFAULT_OUT,
    strict: Strict = False,
    json: Json = False,
) -> None:
    """Pack finished runs into a zip archive without their weights, for `ltbench runs add`.

    The archive has the result, choices, environment, history, predictions and tags of each run, and
    a manifest with the SHA-256 of every file. Results contain the command line and the paths of the
    data as they were typed, predictions the names of the images: check both before you publish an
    archive.

    Example: `ltbench runs pack runs/digits_lt digits.zip`

    Example: `ltbench runs pack runs paper.zip --where tag.paper=table_3`
    """
    from rich.progress import Progress

    from ltbench.cli.output import print_json
    from ltbench.cli.output_paths import output_file
    from ltbench.cli.stored_runs import end_strictly, read_runs
    from ltbench.io.console import console
    from ltbench.io.sizes import in_words
    from ltbench.storage import packing
    from ltbench.storage.run_lookup import find_directories

    archive = Path(runs[-1])
    if archive.suffix != _SUFFIX or len(runs) < 2:
        raise ConfigError(
            f"expected runs and the archive to create, FILE{_SUFFIX}",
            hint=f"as in ltbench runs pack {DEFAULT_OUT} shared{_SUFFIX}",
        )
    output_file(archive, "FILE")
    packing.expect_free(archive)
    found = read_runs(find_directories(runs[:-1], out), where)
    errors = console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task("packing", total=len(found.runs))
        packed = packing.pack(found.runs, archive, lambda: progress.advance(task))
    if json:
        print_json({"archive": str(archive), "runs": packed.runs, "bytes": packed.size})
    else:
        count = f"{packed.runs:,} {'run' if packed.runs == 1 else 'runs'}"
        told = f"{archive}: {count}, {in_words(packed.size)}"
        console().print(told, markup=False, soft_wrap=True)
    end_strictly(found.skipped, strict)
