"""Checks of a spec that a plugin's hook returned."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from typing import cast

from ltbench.errors import PluginError
from ltbench.registry.inspect_source import at, place_of
from ltbench.specs import KINDS, ComponentSpec, Recipe

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""Names of components, whole."""


def checked_spec(spec: object) -> ComponentSpec:
    """Returns a spec after checking it against the contract of its kind.

    Raises:
        PluginError: The spec breaks the contract.
    """
    if type(spec) not in KINDS.values():
        raise PluginError(f"a hook returned {spec!r}, which is not a component spec")
    found = cast(ComponentSpec, spec)
    fault = _fault(found)
    if fault:
        raise PluginError(fault)
    return found


def _fault(spec: ComponentSpec) -> str:
    """Returns the first violation of the contract; empty for a valid spec."""
    texts = (spec.name, spec.summary, spec.reference)
    if not all(isinstance(text, str) and "\n" not in text for text in texts):
        return (
            f"{spec.kind} {spec.name!r}: expected one line of text in each of name, summary and "
            "reference"
        )
    if not callable(spec.build):
        return f"the build of {spec.kind} '{spec.name}' is not a function"
    if not isinstance(getattr(spec, "recipe", Recipe()), Recipe):
        return f"the recipe of {spec.kind} '{spec.name}' is not a Recipe"
    libraries = spec.libraries
    if isinstance(libraries, str) or not all(isinstance(name, str) for name in libraries):
        return f"the libraries of {spec.kind} '{spec.name}' are {libraries!r}, not a tuple of names"
    if not SNAKE_CASE.fullmatch(spec.name):
        return f"{spec.kind} name '{spec.name}' is not snake_case"
    params = getattr(spec.config, "__dataclass_params__", None)
    if not is_dataclass(spec.config) or params is None or not params.frozen:
        where = at(place_of(spec.config)) if isinstance(spec.config, type) else ""
        return (
            f"the config of {spec.kind} '{spec.name}' is not a frozen dataclass, but "
            f"{spec.config!r}{where}: write @dataclass(frozen=True)"
        )
    return ""
