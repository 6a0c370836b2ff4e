"""`ltbench data prepare`: puts a data set in place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.completion import complete_name_of
from ltbench.cli.options import DataRoot, Set, read_assignments
from ltbench.config.defaults import DEFAULT_DATA_ROOT
from ltbench.errors import DataError, RunError


def prepare(
    name: Annotated[
        str,
        typer.Argument(
            help="Data set.", metavar="NAME", autocompletion=complete_name_of("dataset")
        ),
    ],
    source: Annotated[
        Path | None,
        typer.Option(
            exists=True, help="Existing download to link or unpack: a folder or an archive."
        ),
    ] = None,
    lists: Annotated[
        str | None,
        typer.Option(
            help="Folder or URL to fetch split lists from. Default: where their authors publish "
            "them.",
            envvar="LTBENCH_LISTS",
        ),
    ] = None,
    assignments: Set = None,
    data_root: DataRoot = DEFAULT_DATA_ROOT,
) -> None:
    """Prepare a data set: fetch its split lists, link or unpack a download.

    Without a download, prints what to download by hand, from where and under which terms, and exits
    with code 4. Lists are checked against the published ones. Existing files are kept, unless
    --lists or --source gives another source.

    Example: `ltbench data prepare imagenet_lt --source /downloads/ILSVRC2012 --data-root /data`
    """
    from ltbench.config.chosen_dataset import ChosenDataset
    from ltbench.contexts import DataContext
    from ltbench.data.preparation.prepare import Preparation
    from ltbench.engine.late_progress import LateProgress
    from ltbench.io.locks import hold_lock
    from ltbench.registry.attribution import attribute_errors
    from ltbench.registry.load import load_plugins

    settings, faults = read_assignments(assignments)
    context = DataContext(root=data_root, data_seed=0, progress=LateProgress())
    chosen = ChosenDataset.choose(load_plugins(), name, settings, context, faults)
    if chosen.spec.prepare is not None:
        preparation = Preparation(data_root / name, source, lists, _print)
        lock = data_root / f".{name}.lock"
        locked = hold_lock(lock, f"preparing {data_root / name}", DataError, "--data-root")
        with locked, attribute_errors(chosen.component):
            chosen.spec.prepare(chosen.config, preparation)
    chosen.identity()
    chosen.check()
    chosen.build()
    again = [f"--set {text}" for text in assignments or ()]
    again += [] if data_root == DEFAULT_DATA_ROOT else [f"--data-root {data_root}"]
    command = " ".join(["ltbench data verify", name, *again])
    _print(f"{name} is in place; check its files with `{command}`")


def _print(text: str) -> None:
    """Prints a line.

    Raises:
        RunError: The output cannot be written, which is not an error of the plugin.
    """
    from rich.markup import escape

    from ltbench.io.console import console

    try:
        console().print(escape(text), soft_wrap=True)
    except OSError as error:
        raise RunError(f"the output cannot be written: {error.strerror}") from error
