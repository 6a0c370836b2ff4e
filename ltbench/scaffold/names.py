"""What a new plugin may be called."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from keyword import iskeyword

from ltbench.registry.registry import Registry

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 40


def as_name(text: str) -> str:
    """Returns the name that a text stands for: dashes are underscores.

    >>> as_name("my-method")
    'my_method'
    """
    return text.replace("-", "_")


def as_distribution(name: str) -> str:
    """Returns what the package of a plugin is called.

    >>> as_distribution("my_method")
    'my-method'
    """
    return name.replace("_", "-")


def name_faults(text: str, kind: str, registry: Registry) -> list[str]:
    """Returns why a new plugin cannot have a name; nothing where it can.

    It becomes the name of a component, of a module, of an entry point, and with dashes that of a
    distribution: it must be free as each of them.

    Args:
        text: The name, as the user types it.
        kind: Of the component; one that there is.
        registry: The components and plugins there are.
    """
    name = as_name(text)
    if not _SNAKE_CASE.fullmatch(name):
        example = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", text).strip("_").lower()
        better = f", such as {example}" if _SNAKE_CASE.fullmatch(example) else ""
        return [f"NAME: '{text}' is not in snake_case{better}"]
    if len(name) > _LONGEST:
        return [f"NAME: '{name}' has {len(name)} characters, and at most {_LONGEST} are allowed"]
    if iskeyword(name):
        return [f"NAME: '{name}' is a keyword of Python"]
    if name in sys.stdlib_module_names:
        return [f"NAME: '{name}' is a module of Python's standard library"]
    taken = registry.components[kind].get(name)
    if taken is not None:
        return [f"NAME: there is a {kind} '{name}' already, of plugin {taken.plugin}"]
    failed = [failure.plugin for failure in registry.failures]
    for plugin in (*registry.plugins, *failed):
        if plugin.name == name:
            return [f"NAME: there is a plugin '{name}' already, {plugin}"]
    if find_spec(name) is not None:
        return [f"NAME: a module '{name}' is installed already"]
    try:
        installed = distribution(name)
    except PackageNotFoundError:
        return []
    return [f"NAME: a package '{installed.name}' is installed already"]
