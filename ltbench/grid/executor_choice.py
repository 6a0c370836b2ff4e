"""Choice of the executor: command line, grid file and configuration file of the user, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ltbench.config.user_file import UserConfig
from ltbench.errors import ConfigError, quoted

_PREFIX = "executor."


@dataclass(frozen=True)
class ExecutorChoice:
    """Name and options of an executor.

    Args:
        name: Name of the executor.
        options: Options by dotted key: `executor.partition`.
        origins: Place of each option that the command line has not set, for messages.
    """

    name: str
    options: Mapping[str, Any]
    origins: Mapping[str, str] = field(default_factory=dict)

    def located(self, fault: str) -> str:
        """Returns a fault of an option with the place of the option."""
        key = fault.partition(": ")[0]
        return f"{fault} (in {self.origins[key]})" if key in self.origins else fault


def choose_executor(
    user: UserConfig,
    grid: tuple[str, Mapping[str, Any]],
    command: tuple[str | None, Mapping[str, Any]],
    default: str,
) -> ExecutorChoice:
    """Returns the executor that the layers choose together; each overrides the one before it.

    Options belong to their executor: a layer that chooses another one drops the options before it.

    Args:
        user: Configuration file of the user.
        grid: Name of a grid's file, and its table `executor`.
        command: Name of the executor and its options by dotted key, from the command line.
        default: Name of the default executor.

    Raises:
        ConfigError: A name is not a text.
    """
    name, chosen, origins = default, dict[str, Any](), dict[str, str]()
    layers: Sequence[tuple[str, Mapping[str, Any]]] = ((str(user.path), user.executor), grid)
    for origin, table in layers:
        other = table.get("name", name)
        if not isinstance(other, str) or not other:
            raise ConfigError(
                f"{origin}: executor.name: expected a text, got {quoted(other)}",
                hint="see `ltbench list executors`",
            )
        if other != name:
            name, chosen, origins = other, {}, {}
        options = {f"{_PREFIX}{key}": table[key] for key in table if key != "name"}
        chosen |= options
        origins |= dict.fromkeys(options, origin)
    own_name, own = command
    if own_name is not None and own_name != name:
        name, chosen, origins = own_name, {}, {}
    chosen |= own
    return ExecutorChoice(name, chosen, {key: origins[key] for key in origins if key not in own})
