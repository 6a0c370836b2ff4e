"""`ltbench config set`: change of a key of the configuration file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

_PREFIX = "executor."


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
    from ltbench.config.user_file import UserConfig
    from ltbench.errors import ConfigError, shortened
    from ltbench.registry.load import load_plugins
    from ltbench.storage.files import make_folder, write_atomically

    option = key.removeprefix(_PREFIX)
    if option == key or not option:
        raise ConfigError(
            f"{shortened(key)}: expected executor.name or executor.OPTION",
            hint="see `ltbench docs cluster`",
        )
    config = UserConfig.read()
    changed = config.with_executor(option, _typed(load_plugins(), config.executor, option, value))
    make_folder(changed.path.parent)
    write_atomically(changed.path, changed.text.encode())
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
