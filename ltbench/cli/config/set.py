"""`ltbench config set`: change of a key of the configuration file."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def set_option(
    key: Annotated[
        str,
        typer.Argument(
            help="executor.name, or executor.OPTION (listed by `ltbench show executor NAME`).",
            metavar="KEY",
            show_default=False,
        ),
    ],
    value: Annotated[
        str, typer.Argument(help="Its value, as for --set.", metavar="VALUE", show_default=False)
    ],
) -> None:
    """Set a key in your configuration file; its other lines stay as they are.

    Set the name first: options belong to an executor.

    Example: `ltbench config set executor.name slurm`

    Example: `ltbench config set executor.partition gpu`
    """
    from ltbench.cli.config.changed import check_options, option_of, write
    from ltbench.config.user_file import UserConfig
    from ltbench.registry.load import load_plugins

    option, registry, config = option_of(key), load_plugins(), UserConfig.read()
    changed = config.with_executor(option, _typed(registry, config.executor, option, value))
    if option == "name":
        check_options(changed, registry)
    write(changed)
    typer.echo(f"{key} = {value} in {changed.path}")


def _typed(registry: Any, executor: Any, option: str, value: str) -> Any:
    """Returns a value with the type of its option.

    Raises:
        ConfigError: The executor or the option does not exist, or the value has another type.
    """
    from ltbench.config.options import dump_options, parse_options
    from ltbench.config.text import Text
    from ltbench.errors import ConfigError
    from ltbench.registry.attribution import attribute_errors

    if option == "name":
        return registry.find("executor", value).spec.name
    component = registry.find("executor", executor.get("name", registry.default("executor")))
    spec = component.spec
    with attribute_errors(component):
        parsed, faults = parse_options(
            spec.config, {option: Text(value)}, "executor", f"executor '{spec.name}'"
        )
    if faults:
        raise ConfigError.from_faults(faults, hint=f"see `ltbench show executor {spec.name}`")
    dumped, paths = dump_options(parsed)
    return {**dumped, **paths}[option]
