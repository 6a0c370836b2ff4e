"""Finds, loads and isolates plugins, and answers a name with the spec that is registered under it.

Each entry point of the group `ltbench` is loaded and asked alone: one that is broken is named with
its error, and everything else works.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ltbench import hookspecs
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
from ltbench.specs import KINDS, ComponentSpec, Recipe

DISABLE_VARIABLE = "LTBENCH_DISABLE_PLUGINS"
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
    """A plugin that could not be loaded, and why."""

    plugin: PluginInfo
    error: str


@dataclass(frozen=True)
class Component:
    """A registered spec and the plugin that it came with."""

    spec: ComponentSpec
    plugin: PluginInfo


@dataclass(frozen=True)
class Published:
    """A number of a paper and the plugin that it came with."""

    result: PublishedResult
    plugin: PluginInfo


@dataclass
class Registry:
    """All components by kind and name, published results, plugins, and those that failed."""

    manager: pluggy.PluginManager
    components: dict[str, dict[str, Component]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    published: tuple[Published, ...] = ()
    plugins: list[PluginInfo] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)

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
        if not isinstance(getattr(spec, "recipe", Recipe()), Recipe):
            raise PluginError(f"the recipe of {spec.kind} '{spec.name}' is not a Recipe")
        if not _SNAKE_CASE.fullmatch(spec.name):
            raise PluginError(f"{spec.kind} name '{spec.name}' is not snake_case")
        params = getattr(spec.config, "__dataclass_params__", None)
        if not is_dataclass(spec.config) or params is None or not params.frozen:
            raise PluginError(f"the config of {spec.kind} '{spec.name}' is not a frozen dataclass")
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

    def drop(self, plugin: PluginInfo) -> None:
        """Forgets every component and published result that came with a plugin."""
        self.published = tuple(item for item in self.published if item.plugin != plugin)
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
        culprit = components[0] if len(components) == 1 else _culprit(error, components)
        if culprit is None or is_out_of_memory(error):
            raise
        if isinstance(error, OSError) and error.filename is not None:
            raise DataError(
                f"{culprit.spec.kind} '{culprit.spec.name}': {error.filename}: {error.strerror}",
                hint="see whether it is there, of the right kind, and yours to read",
            ) from error
        raise PluginError(
            f"{culprit.spec.kind} '{culprit.spec.name}' of plugin {culprit.plugin} raised "
            f"{describe(error)}",
            hint="this is a fault of the plugin; `ltbench --debug ...` shows where it happened",
        ) from error


def _culprit(error: BaseException, components: Iterable[Component]) -> Component | None:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        module = frame.f_globals.get("__name__", "")
        for component in components:
            if component.spec.build.__module__ == module:
                return component
    return None


def load_plugins(
    found: Iterable[EntryPoint] | None = None, environ: Mapping[str, str] = os.environ
) -> Registry:
    """Loads all installed plugins, sorted by name.

    Args:
        found: Entry points to load instead of those of the group `ltbench`.
        environ: Where `LTBENCH_DISABLE_PLUGINS` is looked up: names to leave out, with commas.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    registry = Registry(manager)
    for name in environ.get(DISABLE_VARIABLE, "").replace(",", " ").split():
        manager.set_blocked(name)
    points = entry_points(group=hookspecs.PROJECT) if found is None else found
    # Our own come first, so that a stranger who takes one of their names is the one to hear of it.
    for point in sorted(points, key=lambda point: (_distribution(point) != "ltbench", point.name)):
        if not manager.is_blocked(point.name):
            _load(point, registry)
    return registry


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "unknown"


def _load(point: EntryPoint, registry: Registry) -> None:
    info = PluginInfo(
        name=point.name,
        module=point.module,
        distribution=_distribution(point),
        version=point.dist.version if point.dist else "0",
    )
    manager = registry.manager
    try:
        with redirect_stdout(sys.stderr):  # stdout is for results
            plugin: Any = point.load()
        manager.register(plugin, name=point.name)
        manager.check_pending()  # a misspelt hook would never fire, and nobody would be told
        if not manager.get_hookcallers(plugin):
            raise PluginError("it implements no hook; are they marked with @ltbench.hookimpl?")
        others = [other for other in manager.get_plugins() if other is not plugin]
        for kind in KINDS.values():
            hook = f"ltbench_register_{kind.plural}"
            for specs in manager.subset_hook_caller(hook, others)():
                for spec in specs:
                    registry.add(spec, info)
        for results in manager.subset_hook_caller("ltbench_published_results", others)():
            for result in results:
                registry.add_published(result, info)
    except (Exception, SystemExit) as error:  # a plugin may raise anything; the rest must work
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        registry.drop(info)
        reason = describe(error)
        if isinstance(error, PluginError):
            reason = error.message
        elif isinstance(error, pluggy.PluginValidationError):
            known = [name for name in vars(hookspecs) if name.startswith("ltbench_")]
            wrong = re.search(r"ltbench_\w+", str(error))
            reason = f"{error}; {suggestion(wrong[0], known)}" if wrong else str(error)
        registry.failures.append(PluginFailure(info, reason))
    else:
        registry.plugins.append(info)


def describe(error: BaseException) -> str:
    """Returns type and message of an error, and the file and line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
