"""What plugins brought: a name answers with the spec that is registered under it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Any

import pluggy

from ltbench.errors import (
    ConfigError,
    DataError,
    LTBenchError,
    PluginError,
    UnknownNameError,
    is_out_of_memory,
    suggestion,
)
from ltbench.published import PublishedResult, faults
from ltbench.registry.inspect_source import at, place_in, place_of, private_imports
from ltbench.specs import KINDS, ComponentSpec, Recipe

_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class PluginInfo:
    """Where a plugin comes from."""

    name: str
    module: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version}, {self.module})"


@dataclass(frozen=True)
class PluginFailure:
    """A plugin that could not be loaded, and why.

    Args:
        plugin: Which one.
        error: What is wrong, and where.
        place: "file:line"; empty where that is not known.
    """

    plugin: PluginInfo
    error: str
    place: str = ""


@dataclass(frozen=True)
class PluginWarning:
    """What a plugin that works should do otherwise."""

    plugin: PluginInfo
    text: str


@dataclass(frozen=True)
class Component:
    """A registered spec and the plugin that it came with."""

    spec: ComponentSpec
    plugin: PluginInfo

    def __str__(self) -> str:
        return f"{self.spec.kind} '{self.spec.name}' of plugin {self.plugin}"

    def contract_error(self, fault: str) -> PluginError:
        """Returns the error that it did not do what its kind promises.

        Args:
            fault: What it did: "returned None, not a tensor".
        """
        return PluginError(
            f"{self} {fault}{at(place_of(self.spec.build))}",
            hint="see what ltbench.protocols asks of it",
        )

    @contextmanager
    def attributed(self) -> Iterator[None]:
        """Puts its name into what the engine finds wrong with what it returned."""
        try:
            yield
        except PluginError as error:
            raise self.contract_error(f"is at fault: {error.message}") from error


@dataclass(frozen=True)
class Published:
    """A number of a paper and the plugin that it came with."""

    result: PublishedResult
    plugin: PluginInfo


@dataclass(frozen=True)
class ShippedGrid:
    """A grid file and the plugin that it came with."""

    path: Path
    plugin: PluginInfo


@dataclass
class Registry:
    """All components by kind and name, published results, grids, plugins, and those that failed."""

    manager: pluggy.PluginManager
    components: dict[str, dict[str, Component]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    published: tuple[Published, ...] = ()
    grids: dict[str, ShippedGrid] = field(default_factory=dict)
    plugins: list[PluginInfo] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)
    warnings: list[PluginWarning] = field(default_factory=list)
    seconds: dict[PluginInfo, float] = field(default_factory=dict)
    """What each plugin took to load, also those that failed."""

    def find(self, kind: str, name: str) -> Component:
        """Returns the component of that kind and name.

        Raises:
            UnknownNameError: With the nearest names, and the plugins that failed to load.
        """
        known = self.components[kind]
        if name in known:
            return known[name]
        hint = suggestion(name, known) + f" (see `ltbench list {kind}`)"
        for failure in self.failures:
            hint += f"; plugin {failure.plugin.name} failed to load: {failure.error}"
        raise UnknownNameError(f"there is no {kind} '{name}'", hint=hint)

    def default(self, kind: str) -> str:
        """Returns the name that stands for a kind where nobody chooses.

        Raises:
            ConfigError: No plugin offers a default of that kind.
        """
        for name, component in self.components[kind].items():
            if component.spec.default:
                return name
        raise ConfigError(
            f"no plugin offers a default {kind}", hint=f"choose one of `ltbench list {kind}`"
        )

    def add(self, spec: object, plugin: PluginInfo) -> None:
        """Registers a spec that a plugin's hook returned.

        Raises:
            PluginError: The spec breaks the contract, or its name is taken.
        """
        if not isinstance(spec, ComponentSpec) or type(spec) not in KINDS.values():
            raise PluginError(f"a hook returned {spec!r}, which is no component spec")
        texts = (spec.name, spec.summary, spec.reference)
        if not all(isinstance(text, str) and "\n" not in text for text in texts):
            raise PluginError(
                f"{spec.kind} {spec.name!r} needs one line of text in each of name, "
                "summary and reference"
            )
        if not callable(spec.build):
            raise PluginError(f"the build of {spec.kind} '{spec.name}' is no function")
        if not isinstance(getattr(spec, "recipe", Recipe()), Recipe):
            raise PluginError(f"the recipe of {spec.kind} '{spec.name}' is not a Recipe")
        libraries = spec.libraries
        if isinstance(libraries, str) or not all(isinstance(name, str) for name in libraries):
            raise PluginError(
                f"the libraries of {spec.kind} '{spec.name}' are {libraries!r}, no tuple of names"
            )
        if not _SNAKE_CASE.fullmatch(spec.name):
            raise PluginError(f"{spec.kind} name '{spec.name}' is not snake_case")
        params = getattr(spec.config, "__dataclass_params__", None)
        if not is_dataclass(spec.config) or params is None or not params.frozen:
            where = at(place_of(spec.config)) if isinstance(spec.config, type) else ""
            raise PluginError(
                f"the config of {spec.kind} '{spec.name}' is not a frozen dataclass, but "
                f"{spec.config!r}{where}: write @dataclass(frozen=True)"
            )
        known = self.components[spec.kind]
        if spec.name in known:
            raise PluginError(
                f"{spec.kind} '{spec.name}' is already registered by {known[spec.name].plugin}"
            )
        for other in known.values():
            if spec.default and other.spec.default:
                raise PluginError(
                    f"{spec.kind} '{spec.name}' wants to be the default, and so does "
                    f"'{other.spec.name}' of {other.plugin}"
                )
        known[spec.name] = Component(spec, plugin)

    def add_published(self, result: object, plugin: PluginInfo) -> None:
        """Adds a published result that a plugin's hook returned.

        Raises:
            PluginError: It is none, or something is wrong with it.
        """
        if not isinstance(result, PublishedResult):
            raise PluginError(f"a hook returned {result!r}, which is no PublishedResult")
        wrong = "; ".join(faults(result))
        if wrong:
            raise PluginError(
                f"the published result of {result.method!r} on {result.dataset!r}: {wrong}"
            )
        self.published += (Published(result, plugin),)

    def add_grids(self, folder: object, plugin: PluginInfo) -> None:
        """Adds the grid files of a folder that a plugin's hook returned.

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
        """Returns the warnings, and which plugins import what is private; reads their source."""
        private = [
            PluginWarning(plugin, f"imports {one.name}, which is private ({one.place})")
            for plugin in self.plugins
            if plugin.distribution != "ltbench"
            for one in private_imports(plugin.module)
        ]
        return [*self.warnings, *private]

    def drop(self, plugin: PluginInfo) -> None:
        """Forgets every component, published result and grid that came with a plugin."""
        self.published = tuple(item for item in self.published if item.plugin != plugin)
        self.grids = {name: one for name, one in self.grids.items() if one.plugin != plugin}
        for named in self.components.values():
            for name in [name for name, item in named.items() if item.plugin == plugin]:
                del named[name]


@contextmanager
def blame(*components: Component) -> Iterator[None]:
    """Names the component and its plugin in an unforeseen error that comes out of one of them.

    Of several components the culprit is the one whose code is deepest in the traceback; an error
    that passed through none of them goes on as it is.

    Raises:
        DataError: Instead of an error that the system gave about a file.
        PluginError: Instead of any other but ltbench's own and those of the device's memory.
    """
    try:
        yield
    except LTBenchError:
        raise
    except (Exception, SystemExit) as error:  # a plugin may raise anything
        culprits = components if len(components) == 1 else _culprits(error, components)
        if not culprits or is_out_of_memory(error):
            raise
        who = str(culprits[0])
        if len(culprits) > 1:  # of one plugin
            names = " or ".join(f"{one.spec.kind} '{one.spec.name}'" for one in culprits)
            who = f"{names} of plugin {culprits[0].plugin}"
        if isinstance(error, OSError) and error.filename is not None:
            spec = culprits[0].spec
            raise DataError(
                f"{spec.kind} '{spec.name}': {error.filename}: {error.strerror}",
                hint="see whether it is there, of the right kind, and yours to read",
            ) from error
        build = culprits[0].spec.build
        place = place_in(error, _module(build)) or place_of(build)
        raise PluginError(
            f"{who} raised {type(error).__name__}: {error}{at(place)}",
            hint="this is a fault of the plugin; `ltbench --debug ...` shows where it happened",
        ) from error


def _module(build: Any) -> str:
    return str(getattr(build, "__module__", None) or type(build).__module__)


def _culprits(error: BaseException, components: Iterable[Component]) -> list[Component]:
    """Returns whose code is deepest in the traceback.

    Where the code belongs to a module that none of them was built in, they are all those of the
    plugin that the module comes with.
    """
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [str(frame.f_globals.get("__name__", "")) for frame in reversed(frames)]
    built = [(component, _module(component.spec.build)) for component in components]
    for name in names:
        for component, module in built:
            if module == name:
                return [component]
    for name in names:
        found = [one for one, module in built if module.split(".")[0] == name.split(".")[0]]
        if found:
            return found if len({one.plugin for one in found}) == 1 else []
    return []


def describe(error: BaseException) -> str:
    """Returns type and message of an error, and the file and line that raised it."""
    return f"{type(error).__name__}: {error}{at(place_in(error))}"
