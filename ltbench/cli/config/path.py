"""`ltbench config path`: place of the configuration file."""

from __future__ import annotations

import typer


def path() -> None:
    """Print the path of your configuration file, which may not exist yet.

    The environment variable LTBENCH_CONFIG chooses another file.

    Example: `ltbench config path`
    """
    from ltbench.config.user_file import user_file

    typer.echo(user_file())
