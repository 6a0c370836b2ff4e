"""`ltbench config show`: content of the configuration file."""

from __future__ import annotations

from ltbench.cli.options import Json


def show_config(json: Json = False) -> None:
    """Show your configuration file: the executor of your grids and its options.

    A grid file overrides it, and the command line overrides both.

    Example: `ltbench config show`
    """
    from ltbench.cli.output import print_json
    from ltbench.config.user_file import UserConfig
    from ltbench.io.console import console

    config = UserConfig.read()
    if json:
        print_json({"path": str(config.path), "executor": dict(config.executor)})
        return
    out = console()
    out.print(f"[dim]{config.path}[/]", soft_wrap=True, highlight=False)
    if config.executor:
        out.print(config.text.rstrip(), markup=False, highlight=False, soft_wrap=True)
    else:
        out.print("empty; describe a cluster with ltbench config set executor.name NAME")
