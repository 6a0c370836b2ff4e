"""`ltbench plugin new`: a package for a plugin author to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ltbench.specs import KINDS


def new(
    name: Annotated[
        str,
        typer.Argument(help="Of the component, in snake_case; dashes are underscores."),
    ],
    kind: Annotated[
        str,
        typer.Option(
            help=f"Of the component: {', '.join(KINDS)}.",
            metavar="KIND",
            show_default=False,
        ),
    ],
    parent: Annotated[
        Path,
        typer.Option(
            "--dir", help="Folder that the package's folder, NAME with dashes, is made in."
        ),
    ] = Path(),
    licence: Annotated[
        str, typer.Option(help="mit, apache-2.0 or bsd-3-clause.", metavar="LICENCE")
    ] = "mit",
    author: Annotated[
        str | None,
        typer.Option(
            help="Who holds the copyright. Default: the package's authors.",
            metavar="TEXT",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write a package with a component of your own: a small one that works, to be changed.

    It has a typed config, the entry point, ltbench's conformance checks as tests, README,
    changelog, licence and a CI file. Install it, and the component is in `ltbench list`.

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
    _print_next(package.write(parent), package.kind, package.name)


def _print_next(folder: Path, kind: str, name: str) -> None:
    """Prints where the package is, and the commands that come next."""
    import shlex

    from rich.markup import escape

    from ltbench.cli.output import console
    from ltbench.io.text import printable
    from ltbench.scaffold.commands import trial_command

    out = console()
    out.print(escape(printable(f"the {kind} {name} is in {folder}; next:")), soft_wrap=True)
    for command in (
        f"pip install -e {shlex.quote(str(folder))}",
        f"ltbench plugin check {name}",
        trial_command(kind, name, folder),
    ):
        out.print(escape(printable(f"  {command}")), soft_wrap=True)
