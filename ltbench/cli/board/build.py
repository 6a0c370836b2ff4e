"""`ltbench board build`: a static site from the packs of many people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.options import DataRoot, Json
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.errors import DataError


def build(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Folder with the packs of each contributor: NAME/FILE.zip, NAME/entry.toml.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the site, created where it is missing.")
    ],
    data_root: DataRoot = DEFAULT_DATA_ROOT,
    json: Json = False,
) -> None:
    """Build a public leaderboard from packed runs of many people: a static site.

    Each pack is verified as by `ltbench board check`. One that fails is left out and listed with
    the reason, on the site as well, and the exit code is 4. Published results on the same data sets
    stand beside the measured ones, marked as such.

    DIR/index.html lists the data sets with the best of each, the contributors and how to take part.
    A data set has a page with its ranking, figures and tests; an entry has one with its authors,
    commands, environment, settings and classes. DIR/leaderboard.csv and DIR/board.json are for
    programs. The site loads nothing: it works from a folder. The same packs give the same bytes. A
    build replaces the files of an earlier one and no others.

    Example: `ltbench board build benchmarks/board --out site`
    """
    from ltbench.board.build import build_board
    from ltbench.board.contributors import read_contributions
    from ltbench.board.entries import count
    from ltbench.board.site_folder import expect_own
    from ltbench.cli.board.options import list_refusals, progress_stages
    from ltbench.cli.output import print_json
    from ltbench.cli.output_paths import writable_folder
    from ltbench.io.console import console
    from ltbench.registry.load import load_plugins

    writable_folder(out, "--out")
    expect_own(out)
    contributions = read_contributions(folder)
    with progress_stages() as stage:
        board = build_board(contributions, load_plugins(), data_root, stage)
        removed = board.write(out)
    entries = sum(len(dataset.entries) for dataset in board.datasets)
    if json:
        print_json(
            {
                "page": str(out / "index.html"),
                "datasets": len(board.datasets),
                "entries": entries,
                "contributors": len(board.contributors),
                "files": len(board.files),
                "removed": removed,
                "left_out": [vars(refusal) for refusal in board.refusals],
            }
        )
    else:
        told = (
            f"{out / 'index.html'}: {count(entries, 'entry', 'entries')} by "
            f"{count(len(board.contributors), 'contributor')} on "
            f"{count(len(board.datasets), 'data set')}, {count(len(board.files), 'file')}"
        )
        console().print(told, markup=False, soft_wrap=True)
    if board.refusals:
        list_refusals(board.refusals)
        raise DataError(
            f"{folder}: {len(board.left_out):,} of {contributions.packs:,} packs were left out",
            hint="repair or remove them: ltbench board check PACK lists their faults",
        )
