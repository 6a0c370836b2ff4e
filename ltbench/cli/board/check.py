"""`ltbench board check`: verifies packs as a board does, before they are handed in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ltbench.cli.options import DataRoot, Json
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.errors import DataError


def check(
    packs: Annotated[
        list[Path],
        typer.Argument(
            metavar="PACK...",
            help="Archives that `ltbench runs pack` wrote, or folders of contributors.",
        ),
    ],
    data_root: DataRoot = DEFAULT_DATA_ROOT,
    json: Json = False,
) -> None:
    """Check packs as `ltbench board build` does, with the `entry.toml` beside them.

    A pack is accepted if its files have the SHA-256 of its manifest; if the hash of each run is
    that of its settings, and its predictions give every metric; if the data set is the known one,
    with its classes and labels where its files are available; if no run is a quick look, or is in
    another of these packs already. The command that repeats each run is made from its settings.
    One fault refuses the whole pack, and the exit code is 4.

    Example: `ltbench board check NAME/lora.zip`

    Example: `ltbench board check benchmarks/board/NAME --json`
    """
    from ltbench.board.contributors import given_contributions
    from ltbench.board.entries import count
    from ltbench.board.verification import PackVerifier
    from ltbench.board.verify_packs import temporary_store, verify_packs
    from ltbench.cli.board.options import list_refusals, progress_stages
    from ltbench.cli.output import print_json
    from ltbench.io.console import console
    from ltbench.io.text import line_text
    from ltbench.registry.load import load_plugins

    contributions = given_contributions(packs)
    with progress_stages() as stage, temporary_store() as store:
        verifier = PackVerifier(load_plugins(), data_root, store)
        checked = verify_packs(contributions, verifier, stage)
    refusals = [refusal for pack in checked for refusal in pack.refusals]
    if json:
        print_json({"packs": [_pack_json(pack) for pack in checked]})
    else:
        out = console()
        for pack in checked:
            if pack.refusals:
                continue
            data = ", ".join(dict.fromkeys(run.data for run in pack.runs))
            told = f"accepted {pack.name}: {count(len(pack.runs), 'run')}; data set: {data}"
            out.print(line_text(told), markup=False, soft_wrap=True)
            for doubt in dict.fromkeys(run.command.doubt for run in pack.runs if run.command.doubt):
                out.print(line_text(f"  note: {doubt}"), markup=False, soft_wrap=True)
    if refusals:
        list_refusals(refusals)
        names = dict.fromkeys(refusal.pack for refusal in refusals)
        raise DataError(
            f"{len(names):,} of {len(checked):,} packs were refused",
            hint="leave out or repair the runs that are named, and pack the others as a new file",
        )


def _pack_json(pack: Any) -> dict[str, Any]:
    return {
        "pack": pack.name,
        "accepted": not pack.refusals,
        "runs": [
            {
                "run": run.folder,
                "accuracy": run.accuracy,
                "data": run.data,
                "command": run.command.line,
                "doubt": run.command.doubt,
            }
            for run in pack.runs
        ],
        "refusals": [{"run": one.folder, "reason": one.reason} for one in pack.refusals],
    }
