"""`ltbench plugin new`: package with a new plugin."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.cli.completion import complete_kind
from ltbench.io import interrupts
from ltbench.specs import KINDS


def new(
    name: Annotated[
        str,
        typer.Argument(help="Name of the component in snake_case; dashes become underscores."),
    ],
    kind: Annotated[
        str,
        typer.Option(
            help=f"Kind of the component: {', '.join(KINDS)}.",
            autocompletion=complete_kind,
            metavar="KIND",
            show_default=False,
        ),
    ],
    parent: Annotated[
        Path,
        typer.Option(
            "--dir", help="Folder in which the package's folder, NAME with dashes, is created."
        ),
    ] = Path(),
    licence: Annotated[
        str, typer.Option(help="Licence: mit, apache-2.0 or bsd-3-clause.", metavar="LICENCE")
    ] = "mit",
    author: Annotated[
        str | None,
        typer.Option(
            help="Holder of the copyright. Default: the package's authors.",
            metavar="TEXT",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Create a package with a small working component, to change.

    It has a typed config, the entry point, the conformance checks as tests, README, changelog,
    licence and a CI file. After its installation, `ltbench list` shows the component.

    Example: `ltbench plugin new my_method --kind method`
    """
    from ltbench.errors import ConfigError, suggestion
    from ltbench.registry.load import load_plugins
    from ltbench.scaffold.licences import LICENCES
    from ltbench.scaffold.names import as_distribution, as_name, name_faults
    from ltbench.scaffold.package import NewPackage

    faults = []
    if kind in KINDS:
        faults += name_faults(name, kind, load_plugins())
    else:
        faults.append(f"--kind: there is no kind '{kind}'; {suggestion(kind, KINDS)}")
    if licence not in LICENCES:
        faults.append(f"--licence: '{licence}' is not known; {suggestion(licence, LICENCES)}")
    name = as_name(name)
    author = f"The {as_distribution(name)} authors" if author is None else author.strip()
    if not author.isprintable() or not author:
        faults.append("--author: expected one line of text")
    if faults:
        raise ConfigError.from_faults(
            faults, hint="for instance `ltbench plugin new my_method --kind method`"
        )
    package = NewPackage(name=name, kind=kind, licence=licence, author=author)
    with interrupts.deferred():
        written = package.write(parent)
    _print_next(written, package.kind, package.name)


def _print_next(folder: Path, kind: str, name: str) -> None:
    """Prints the folder of the package and the next commands."""
    import shlex

    from rich.markup import escape

    from ltbench.io.console import console
    from ltbench.scaffold.commands import trial_command

    out = console()
    out.print(escape(f"the {kind} {name} is in {folder}; next:"), soft_wrap=True)
    for command in (
        f"pip install -e {shlex.quote(str(folder))}",
        f"ltbench plugin check {name}",
        trial_command(kind, name, folder),
    ):
        out.print(escape(f"  {command}"), soft_wrap=True)
