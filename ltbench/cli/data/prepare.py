"""`ltbench data prepare`: puts a data set in place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.options import DataRoot, Set, read_assignments


def prepare(
    name: Annotated[str, typer.Argument(help="Data set.", metavar="NAME")],
    source: Annotated[
        Path | None,
        typer.Option(
            help="An existing download, which is linked or unpacked: a folder or an archive."
        ),
    ] = None,
    lists: Annotated[
        str | None,
        typer.Option(
            help="Folder or URL that split lists are taken from. Default: where their authors "
            "publish them.",
            envvar="LTBENCH_LISTS",
        ),
    ] = None,
    assignments: Set = None,
    data_root: DataRoot = Path("data"),
) -> None:
    """Put a data set in place: fetch its split lists, link or unpack a download.

    Without a download it says what has to be fetched by hand, from where, and under which terms.
    Lists are checked against the published ones; what is there already is kept.

    Example: `ltbench data prepare imagenet_lt --source /downloads/ILSVRC2012 --data-root /data`
    """
    from rich.markup import escape

    from ltbench.cli.output import console
    from ltbench.config.dataset import ChosenDataset
    from ltbench.data.prepare import Preparation
    from ltbench.plugins import blame, load_plugins
    from ltbench.specs import DataContext

    out = console()
    settings, faults = read_assignments(assignments)
    context = DataContext(root=data_root, data_seed=0)
    chosen = ChosenDataset.choose(load_plugins(), name, settings, context, faults)
    if chosen.spec.prepare is not None:
        preparation = Preparation(
            folder=data_root / name,
            source=source,
            lists=lists,
            say=lambda text: out.print(escape(text), soft_wrap=True),
        )
        with blame(chosen.component):
            chosen.spec.prepare(chosen.config, preparation)
    chosen.identity()
    chosen.check()
    out.print(f"{name} is in place; `ltbench data verify {name}` looks it through", soft_wrap=True)
