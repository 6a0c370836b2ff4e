"""The inference of a stored run, or another one that is chosen for its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ltbench.config.options import dump_options, parse_options
from ltbench.config.runspec import Choice
from ltbench.errors import ConfigError
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import Settings


@dataclass(frozen=True)
class ChosenInference:
    """An inference with its options.

    Args:
        choice: Name and options, as results record them.
        component: Registered component.
        config: Config of the component.
    """

    choice: Choice
    component: Component
    config: Any


def choose_inference(
    registry: Registry, own: Choice, name: str | None, options: Settings
) -> ChosenInference:
    """Returns an inference with its options, without the other components of the run.

    Args:
        registry: Registered components.
        own: Inference of the run, whose options apply where the name is the same.
        name: Name of the inference; None for that of the run.
        options: Further options by name.

    Raises:
        UnknownNameError: No plugin has such an inference.
        ConfigError: Options are not valid.
    """
    name = own.name if name is None else name
    component = registry.find("inference", name)
    given = {**own.options, **own.paths} if name == own.name else {}
    owner = f"inference '{name}'"
    with attribute_errors(component):
        config, faults = parse_options(
            component.spec.config, {**given, **options}, "inference", owner
        )
        if config is None:
            raise ConfigError.from_faults(faults, hint=f"see `ltbench show inference {name}`")
        chosen, paths = dump_options(config)
    plugin = f"{component.plugin.distribution} {component.plugin.version}"
    choice = Choice(name, chosen, paths, plugin, "", component.spec.version)
    return ChosenInference(choice, component, config)
