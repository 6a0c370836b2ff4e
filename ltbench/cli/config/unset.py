"""`ltbench config unset`: removal of keys of the configuration file."""

from __future__ import annotations

from typing import Annotated

import typer


def unset(
    keys: Annotated[
        list[str],
        typer.Argument(
            help="executor.name, or executor.OPTION; several at once.",
            metavar="KEY...",
            show_default=False,
        ),
    ],
) -> None:
    """Remove keys from your configuration file; its other lines stay as they are.

    Remove the options with the name of their executor: they are of no other one.

    Example: `ltbench config unset executor.partition`

    Example: `ltbench config unset executor.partition executor.time executor.name`
    """
    from ltbench.cli.config.changed import check_options, option_of, write
    from ltbench.config.user_file import UserConfig
    from ltbench.registry.load import load_plugins

    config = UserConfig.read()
    options = list(dict.fromkeys(map(option_of, keys)))
    for option in options:
        config = config.without_executor(option)
    if "name" in options:
        check_options(config, load_plugins())
    write(config)
    typer.echo(f"removed from {config.path}: {', '.join(f'executor.{one}' for one in options)}")
