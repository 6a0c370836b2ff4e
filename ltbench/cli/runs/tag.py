"""`ltbench runs tag`: words of the user at a stored run."""

from __future__ import annotations

from typing import Annotated

import typer

from ltbench.cli.options import Json, Where
from ltbench.cli.runs.options import NAMED, Store
from ltbench.config.defaults import DEFAULT_OUT
from ltbench.errors import ConfigError, shortened, suggestion


def tag(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help=f"Run: {NAMED}; or a folder, to tag every run in it.",
            show_default=False,
        ),
    ],
    tags: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE...", help="Tags to set.", show_default=False),
    ] = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(
            "--remove", metavar="NAME", help="Remove a tag. Repeatable.", show_default=False
        ),
    ] = None,
    where: Where = None,
    out: Store = DEFAULT_OUT,
    json: Json = False,
) -> None:
    """Set tags of finished runs: words that `--where tag.NAME=VALUE` finds.

    Tags are no part of a run: its hash and its result stay the same. They are stored in
    `tags.json` in the run directory.

    Example: `ltbench runs tag 199f paper=table_3`

    Example: `ltbench runs tag runs/digits_lt --where method=lora --remove paper`
    """
    from ltbench.cli.output import print_json
    from ltbench.cli.stored_runs import read_runs
    from ltbench.io.console import console
    from ltbench.storage.run_lookup import find_directories, store_of
    from ltbench.storage.tagging import change_tags
    from ltbench.storage.tags import parse_tags

    new = parse_tags(tags or ())
    if not new and not remove:
        raise ConfigError(
            "expected NAME=VALUE or --remove NAME", hint="as in ltbench runs tag 199f paper=table_3"
        )
    found = read_runs(find_directories([run], out), where)
    if not found.runs:
        raise ConfigError(f"{run} has no finished run", hint="tag a run when it is finished")
    known = {name for one in found.runs for name in one.tags}
    for name in remove or ():
        if name not in known:
            fault = f"--remove {shortened(name)}: no run has this tag"
            near = suggestion(name, known) if known else "the runs have no tags"
            raise ConfigError(fault, hint=near)
    changed = {}
    for one in found.runs:
        stored = change_tags(one.path, store_of(one.path, out), new, remove or ())
        changed[str(one.path)] = stored
    if json:
        print_json({"tags": changed})
        return
    for path, stored in changed.items():
        shown = ", ".join(f"{name}={value}" for name, value in stored.items()) or "no tags"
        console().print(f"{path}: {shown}", markup=False, soft_wrap=True)
