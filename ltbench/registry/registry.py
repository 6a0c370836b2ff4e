"""Registry of plugin components, published results and grids."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pluggy

from ltbench.errors import ConfigError, PluginError, UnknownNameError, quoted, shortened, suggestion
from ltbench.late import LateSpec
from ltbench.published import PublishedResult, faults
from ltbench.registry.component import (
    Component,
    PluginFailure,
    PluginInfo,
    PluginWarning,
    Published,
    ShippedGrid,
)
from ltbench.registry.components import Components
from ltbench.registry.inspect_source import private_imports
from ltbench.registry.spec_checks import checked_spec
from ltbench.specs import KINDS


@dataclass
class Registry:
    """All components by kind and name, published results, grids, plugins, and failed plugins.

    Attributes:
        manager: pluggy's plugin manager.
        components: Components by kind and name.
        published: Published results of all plugins.
        grids: Grid files by name.
        plugins: Loaded plugins.
        failures: Plugins that could not be loaded.
        warnings: Remarks about loaded plugins.
        seconds: Loading time of each plugin, including those that failed.
    """

    manager: pluggy.PluginManager
    components: dict[str, Components] = field(
        default_factory=lambda: {kind: Components(kind) for kind in KINDS}
    )
    published: tuple[Published, ...] = ()
    grids: dict[str, ShippedGrid] = field(default_factory=dict)
    plugins: list[PluginInfo] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)
    warnings: list[PluginWarning] = field(default_factory=list)
    seconds: dict[PluginInfo, float] = field(default_factory=dict)

    def find(self, kind: str, name: str) -> Component:
        """Returns the component of a kind and name.

        Raises:
            ConfigError: The name is not a string.
            UnknownNameError: No component of that kind has that name; the error lists the nearest
                names and the plugins that failed to load.
        """
        known = self.components[kind]
        if not isinstance(name, str):  # settings from Python and from grid files
            raise ConfigError(
                f"{kind}: expected a name, got {quoted(name)}",
                hint=f"choose one of `ltbench list {kind}`",
            )
        if name in known:
            return known[name]
        hint = suggestion(name, known) + f" (see `ltbench list {kind}`)"
        for failure in self.failures:
            hint += f"; plugin {failure.plugin.name} failed to load: {failure.error}"
        raise UnknownNameError(f"there is no {kind} '{shortened(name)}'", hint=hint)

    def default(self, kind: str) -> str:
        """Returns the name of the default component of a kind.

        Raises:
            ConfigError: No plugin declares a default of that kind.
        """
        if name := self.components[kind].default:
            return name
        raise ConfigError(
            f"no plugin declares a default {kind}", hint=f"choose one of `ltbench list {kind}`"
        )

    def add(self, spec: object, plugin: PluginInfo) -> None:
        """Registers a spec that a plugin's hook returned.

        Raises:
            PluginError: The spec breaks the contract, or its name is taken.
        """
        checked = checked_spec(spec)
        self.components[checked.kind].register(checked, plugin)

    def add_late(self, spec: LateSpec, kind: str, plugin: PluginInfo) -> None:
        """Registers the place of a spec that a plugin's hook returned.

        Raises:
            PluginError: Its name is taken.
        """
        self.components[kind].register(spec, plugin)

    def add_published(self, result: object, plugin: PluginInfo) -> None:
        """Registers a published result that a plugin's hook returned.

        Raises:
            PluginError: It is not a published result, or an invalid one.
        """
        if not isinstance(result, PublishedResult):
            raise PluginError(f"a hook returned {result!r}, which is not a PublishedResult")
        wrong = "; ".join(faults(result))
        if wrong:
            raise PluginError(
                f"the published result of {result.method!r} on {result.dataset!r}: {wrong}"
            )
        self.published += (Published(result, plugin),)

    def add_grids(self, folder: object, plugin: PluginInfo) -> None:
        """Registers the grid files of a folder that a plugin's hook returned.

        Raises:
            PluginError: It is not a folder of grid files, or a name is taken.
        """
        if not isinstance(folder, Path) or not folder.is_dir():
            raise PluginError(f"a hook returned {folder!r}, which is not the Path of a directory")
        files = sorted(folder.rglob("*.toml"))
        if not files:
            raise PluginError(f"{folder}: expected grid files (*.toml), got none")
        for path in files:
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in self.grids:
                raise PluginError(
                    f"grid '{name}' is already registered by {self.grids[name].plugin}"
                )
            self.grids[name] = ShippedGrid(path, plugin)

    def remarks(self) -> list[PluginWarning]:
        """Returns the warnings, and the private imports of plugins; reads the plugins' source."""
        private = [
            PluginWarning(plugin, f"imports {one.name}, which is private ({one.place})")
            for plugin in self.plugins
            if plugin.distribution != "ltbench"
            for one in private_imports(plugin.module)
        ]
        return [*self.warnings, *private]

    def drop(self, plugin: PluginInfo) -> None:
        """Removes every component, published result and grid of a plugin."""
        self.published = tuple(item for item in self.published if item.plugin != plugin)
        self.grids = {name: one for name, one in self.grids.items() if one.plugin != plugin}
        for components in self.components.values():
            components.drop(plugin)
