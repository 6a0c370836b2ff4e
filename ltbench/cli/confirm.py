"""Confirmation by the user before something is removed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ltbench.errors import ConfigError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation.")]


def expect_confirmation(question: str, *, yes: bool) -> None:
    """Returns where the user agrees.

    Args:
        question: Question that is answered by yes or no.
        yes: Whether the user agreed on the command line.

    Raises:
        ConfigError: There is no terminal to ask on.
        Exit: The user does not agree; the exit code is 1.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            "expected a confirmation, and the input is not a terminal", hint="add --yes"
        )
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:  # the input was closed
        agreed = False
    if not agreed:
        typer.echo("nothing was changed", err=True)
        raise typer.Exit(1)
