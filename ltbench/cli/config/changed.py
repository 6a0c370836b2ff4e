"""Changes of the configuration file of the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ltbench.config.user_file import UserConfig
    from ltbench.registry.registry import Registry

_PREFIX = "executor."


def option_of(key: str) -> str:
    """Returns the key within the table of the executor: "name", or an option.

    Raises:
        ConfigError: It is another key.
    """
    from ltbench.errors import ConfigError, shortened

    option = key.removeprefix(_PREFIX)
    if option == key or not option:
        raise ConfigError(
            f"{shortened(key)}: expected executor.name or executor.OPTION",
            hint="see `ltbench docs cluster`",
        )
    return option


def check_options(config: UserConfig, registry: Registry) -> None:
    """Checks that the options are those of the executor that a file chooses.

    Raises:
        ConfigError: They are of another one: every grid would end with an error.
    """
    from ltbench.config.options import parse_options
    from ltbench.errors import ConfigError
    from ltbench.registry.attribution import attribute_errors

    chosen = config.executor.get("name", registry.default("executor"))
    component = registry.find("executor", chosen)
    options = {key: value for key, value in config.executor.items() if key != "name"}
    with attribute_errors(component):
        _, faults = parse_options(
            component.spec.config, options, "executor", f"executor '{component.spec.name}'"
        )
    if faults:
        keys = " ".join(dict.fromkeys(fault.partition(": ")[0] for fault in faults))
        raise ConfigError.from_faults(
            [f"{fault} (in {config.path})" for fault in faults],
            hint=f"for one grid: --executor {component.spec.name}; for all grids, before this: "
            f"ltbench config unset {keys}",
        )


def write(config: UserConfig) -> None:
    """Writes the file."""
    from ltbench.storage.files import make_folder, write_atomically

    make_folder(config.path.parent)
    write_atomically(config.path, config.text.encode())
