"""Names of new plugins, and the rules for them."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from keyword import iskeyword

from ltbench.registry.registry import Registry
from ltbench.registry.spec_checks import SNAKE_CASE

_MAX_CHARACTERS = 40


def as_name(text: str) -> str:
    """Returns a text as a component name, with underscores for dashes.

    >>> as_name("my-method")
    'my_method'
    """
    return text.replace("-", "_")


def as_distribution(name: str) -> str:
    """Returns the name of a plugin's distribution.

    >>> as_distribution("my_method")
    'my-method'
    """
    return name.replace("_", "-")


def name_faults(text: str, kind: str, registry: Registry) -> list[str]:
    """Returns the reasons why a new plugin cannot have a name; an empty list if it can.

    The name is used for a component, a module and an entry point, and with dashes for a
    distribution, so it must be free as each of them.

    Args:
        text: Name as the user typed it.
        kind: Existing kind of component.
        registry: Registry of the existing components and plugins.
    """
    name = as_name(text)
    if not SNAKE_CASE.fullmatch(name):
        example = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", text).strip("_").lower()
        better = f", such as {example}" if SNAKE_CASE.fullmatch(example) else ""
        return [f"NAME: '{text}' is not in snake_case{better}"]
    if len(name) > _MAX_CHARACTERS:
        return [f"NAME: expected at most {_MAX_CHARACTERS} characters, '{name}' has {len(name)}"]
    if iskeyword(name):
        return [f"NAME: '{name}' is a keyword of Python"]
    if name in sys.stdlib_module_names:
        return [f"NAME: '{name}' is a module of Python's standard library"]
    taken = registry.components[kind].get(name)
    if taken is not None:
        return [f"NAME: {kind} '{name}' already exists in plugin {taken.plugin}"]
    failed = [failure.plugin for failure in registry.failures]
    for plugin in (*registry.plugins, *failed):
        if plugin.name == name:
            return [f"NAME: plugin '{name}' already exists: {plugin}"]
    if find_spec(name) is not None:
        return [f"NAME: module '{name}' is already installed"]
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return []
    return [f"NAME: package '{installed.name}' is already installed"]
