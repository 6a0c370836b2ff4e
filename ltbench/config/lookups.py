"""Lookups that the runs of a grid have in common, each made once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from ltbench.config.options import dump_options, label_options, parse_options
from ltbench.config.runspec import Choice
from ltbench.contexts import DataContext
from ltbench.errors import ConfigError, DataError
from ltbench.io.paths import with_home
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import BackboneSpec, DatasetSpec, InitSpec, Settings

V = TypeVar("V")

Parsed = tuple[Any | None, list[str]]
"""A config and the faults of its values; without faults, the config is not None."""


class Lookups:
    """Components, configs and choices by what they follow from.

    Args:
        registry: Registered components.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._found: dict[object, Component | ConfigError] = {}
        self._parsed: dict[object, Parsed] = {}
        self._dumped: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._identities: dict[object, str | DataError] = {}
        self._choices: dict[object, Choice] = {}
        self._shared: dict[object, Any] = {}

    def find(self, kind: str, name: Any) -> Component:
        """Returns the component of a kind and name.

        Raises:
            ConfigError: No component has this name.
        """
        key = kind, frozen(name)
        if key not in self._found:
            try:
                self._found[key] = self.registry.find(kind, name)
            except ConfigError as error:
                self._found[key] = error
        found = self._found[key]
        if isinstance(found, ConfigError):
            raise found.with_traceback(None)
        return found

    def parse(self, config: type, values: Settings, where: str, owner: str) -> Parsed:
        """Returns the config of values: see `parse_options`."""
        key = where, owner, frozen(values)
        if key not in self._parsed:
            self._parsed[key] = parse_options(config, values, where, owner)
        return self._parsed[key]

    def options(self, component: Component, values: Settings) -> Parsed:
        """Returns the config of a component's options."""
        spec = component.spec
        key = spec.kind, spec.name, frozen(values)
        if key not in self._parsed:
            with attribute_errors(component):
                self._parsed[key] = parse_options(
                    spec.config, values, spec.kind, f"{spec.kind} '{spec.name}'"
                )
        return self._parsed[key]

    def dump(self, config: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the values of a config that `parse` or `options` returned."""
        if id(config) not in self._dumped:  # the config is kept, and so is its id
            self._dumped[id(config)] = dump_options(config)
        return self._dumped[id(config)]

    def choice(
        self, component: Component, config: Any, data: DataContext, *, identify: bool
    ) -> Choice:
        """Returns the choice of a component.

        Args:
            component: The component.
            config: Config that `options` returned.
            data: Context of the data set.
            identify: Whether the data set, or the files of a backbone or an init, are identified.

        Raises:
            DataError: They cannot be.
        """
        spec = component.spec
        key = spec.kind, spec.name, id(config), data.data_seed, data.limit, identify
        if key not in self._choices:
            options, others = self.dump(config)
            labels = label_options(type(config))
            self._choices[key] = Choice(
                name=spec.name,
                options=options,
                # Absolute: a later reader may be in another folder.
                paths={
                    name: value if name in labels else str(with_home(value).absolute())
                    for name, value in others.items()
                },
                plugin=f"{component.plugin.distribution} {component.plugin.version}",
                identity=self._identity(component, config, data) if identify else "",
                version=spec.version,
            )
        return self._choices[key]

    def share(self, key: object, table: Mapping[str, V]) -> Mapping[str, V]:
        """Returns the first table with a key, so that equal tables are in memory once."""
        shared: Mapping[str, V] = self._shared.setdefault(key, table)
        return shared

    def _identity(self, component: Component, config: Any, data: DataContext) -> str:
        """Returns the identity of a component's files, which are read once, or fail once."""
        key = component.spec.kind, component.spec.name, id(config), data.data_seed, data.limit
        if key not in self._identities:
            try:
                self._identities[key] = _identity(component, config, data)
            except DataError as error:
                self._identities[key] = error
        known = self._identities[key]
        if isinstance(known, DataError):
            raise known.with_traceback(None)
        return known


def frozen(value: Any) -> object:
    """Returns a key that is equal for values of the same type and content alone.

    >>> frozen({"a": [1]}) == frozen({"a": [1]}), frozen(1) == frozen(True)
    (True, False)
    """
    if isinstance(value, str | int):  # first: most values are
        return type(value), value
    if isinstance(value, dict | Mapping):
        return dict, tuple([(key, frozen(inner)) for key, inner in value.items()])
    if isinstance(value, list | tuple):
        return type(value), tuple(map(frozen, value))
    return type(value), repr(value)  # -0.0 equals 0.0, and NaN nothing


def _identity(component: Component, config: Any, data: DataContext) -> str:
    spec = component.spec
    with attribute_errors(component):
        if isinstance(spec, DatasetSpec):
            return spec.identity(config, data)
        if isinstance(spec, BackboneSpec | InitSpec):
            return spec.identity(config)
    return ""
