"""Layers of settings: each overrides those below it, and every key has a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ltbench.registry.component import Component
from ltbench.specs import SPECS, BackboneSpec, DatasetSpec, MethodSpec, Recipe, Settings

WITH_RECIPES = ("backbone", "method", "dataset")  # each overrules those before it


@dataclass
class Layers:
    """The settings so far.

    Args:
        values: Value by dotted key.
        sources: Source by dotted key: "default", "recipe of method lift_plus", "user".
    """

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)

    def copy(self) -> Layers:
        """Returns layers to which others can be added."""
        return Layers(dict(self.values), dict(self.sources))

    def put(self, settings: Settings, source: str) -> None:
        """Adds a layer."""
        # A recipe's options belong to the component it chose: another choice drops them.
        for kind in SPECS.keys() & settings.keys():
            if settings[kind] != self.values.get(kind):
                self._drop(kind)
        # A table that is set as a whole takes the place of what was set within it.
        for key in settings:
            if "." in key:
                self._drop(key)
        for key, value in settings.items():
            self.values[key] = value
            self.sources[key] = source

    def _drop(self, key: str) -> None:
        prefix = f"{key}."
        for inner in [one for one in self.values if one.startswith(prefix)]:
            del self.values[inner]

    def with_source(self, fault: str) -> str:
        """Returns a fault with the source of its key, unless that is the user."""
        key = fault.partition(":")[0]
        while key not in self.sources and key.count(".") > 1:
            key = key.rpartition(".")[0]  # the table that it is in
        source = self.sources.get(key, "user")
        return fault if source in ("user", "default") else f"{fault} ({source})"

    def sections(self) -> dict[str, dict[str, Any]]:
        """Returns the values with a dotted key by the part before the dot."""
        found: dict[str, dict[str, Any]] = {}
        for key, value in self.values.items():
            head, dot, rest = key.partition(".")
            if dot:
                found.setdefault(head, {})[rest] = value
        return found


def recipe_layers(found: dict[str, Component]) -> list[tuple[Settings, str]]:
    """Returns the recipes of components and their sources, in the order of their layers.

    Args:
        found: Components by kind.
    """
    layers = [
        (_recipe(component).settings, f"recipe of {kind} {component.spec.name}")
        for kind, component in found.items()
    ]
    if "method" in found and "dataset" in found:
        name = found["dataset"].spec.name
        method = found["method"]
        settings = _recipe(method).by_dataset.get(name, {})
        layers.append((settings, f"recipe of method {method.spec.name} for {name}"))
    return layers


def fixed_settings(found: dict[str, Component]) -> Settings:
    """Returns the settings that define the chosen method."""
    method = found["method"].spec if "method" in found else None
    return method.fixed if isinstance(method, MethodSpec) else {}


def _recipe(component: Component) -> Recipe:
    spec = component.spec
    assert isinstance(spec, BackboneSpec | MethodSpec | DatasetSpec)
    return spec.recipe
