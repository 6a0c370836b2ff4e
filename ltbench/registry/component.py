"""Records of the registry: a plugin, and each thing that it registers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ltbench.errors import PluginError
from ltbench.published import PublishedResult
from ltbench.registry.inspect_source import at, place_of
from ltbench.specs import ComponentSpec


@dataclass(frozen=True)
class PluginInfo:
    """Origin of a plugin.

    Args:
        name: Name of the entry point.
        module: Module that the entry point loads.
        distribution: Installed package that declares the entry point.
        version: Version of that package.
    """

    name: str
    module: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version}, {self.module})"


@dataclass(frozen=True)
class PluginFailure:
    """A plugin that could not be loaded.

    Args:
        plugin: The plugin.
        error: Reason, with its place in the source.
        place: "file:line"; empty where it is unknown.
    """

    plugin: PluginInfo
    error: str
    place: str = ""


@dataclass(frozen=True)
class PluginWarning:
    """A remark about a plugin that works.

    Args:
        plugin: The plugin.
        text: The remark.
    """

    plugin: PluginInfo
    text: str


@dataclass(frozen=True)
class Component:
    """A registered spec.

    Args:
        spec: The spec.
        plugin: The plugin that registered it.
    """

    spec: ComponentSpec
    plugin: PluginInfo

    def __str__(self) -> str:
        return f"{self.spec.kind} '{self.spec.name}' of plugin {self.plugin}"

    def contract_error(self, fault: str) -> PluginError:
        """Returns the error for a violation of the contract of the component's kind.

        Args:
            fault: Predicate that completes the sentence: "returned None, not a tensor".
        """
        return PluginError(
            f"{self} {fault}{at(place_of(self.spec.build))}",
            hint="read the contract in ltbench.protocols",
        )

    @contextmanager
    def attributed(self) -> Iterator[None]:
        """Attributes a contract violation that the engine finds to this component."""
        try:
            yield
        except PluginError as error:
            raise self.contract_error(f"is at fault: {error.message}") from error


@dataclass(frozen=True)
class Published:
    """A registered published result.

    Args:
        result: The published result.
        plugin: The plugin that registered it.
    """

    result: PublishedResult
    plugin: PluginInfo


@dataclass(frozen=True)
class ShippedGrid:
    """A registered grid file.

    Args:
        path: The file.
        plugin: The plugin that registered it.
    """

    path: Path
    plugin: PluginInfo
