"""Finds, loads and isolates plugins, and answers a name with the spec that is registered under it.

Each entry point of the group `ltbench` is loaded and asked alone: one that is broken is named with
its error, and everything else works.
"""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ltbench import api, hookspecs
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
from ltbench.sources import declared_api, place_in, place_of, private_imports, source_of
from ltbench.specs import KINDS, ComponentSpec, Recipe

SLOW = 1.0
"""Seconds to load: every command waits for a plugin that takes longer."""

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

    def broke(self, fault: str) -> PluginError:
        """Returns the error that it did not do what its kind promises.

        Args:
            fault: What it did: "returned None, not a tensor".
        """
        return PluginError(
            f"{self} {fault}{_at(place_of(self.spec.build))}",
            hint="see what ltbench.protocols asks of it",
        )

    @contextmanager
    def answerable(self) -> Iterator[None]:
        """Puts its name into what the engine finds wrong with what it returned."""
        try:
            yield
        except PluginError as error:
            raise self.broke(f"is at fault: {error.message}") from error


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
        if not _SNAKE_CASE.fullmatch(spec.name):
            raise PluginError(f"{spec.kind} name '{spec.name}' is not snake_case")
        params = getattr(spec.config, "__dataclass_params__", None)
        if not is_dataclass(spec.config) or params is None or not params.frozen:
            where = _at(place_of(spec.config)) if isinstance(spec.config, type) else ""
            raise PluginError(
                f"the config of {spec.kind} '{spec.name}' is not a frozen dataclass, but "
                f"{spec.config!r}{where}"
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
            f"{who} raised {type(error).__name__}: {error}{_at(place)}",
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
    began = time.perf_counter()
    try:
        with redirect_stdout(sys.stderr):  # stdout is for results
            _register(point, info, registry)
    except (Exception, SystemExit) as error:  # a plugin may raise anything; the rest must work
        registry.drop(info)
        reason, place = _reason(error, info)
        where = "" if place in reason else _at(place)
        registry.failures.append(PluginFailure(info, f"{reason}{where}", place))
    else:
        registry.plugins.append(info)
    registry.seconds[info] = seconds = time.perf_counter() - began
    if seconds > SLOW:
        text = f"takes {seconds:.1f} s to load, and every command waits for it"
        registry.warnings.append(PluginWarning(info, text))


class _Located(PluginError):
    """A broken contract, and where in the plugin it was broken."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place


def _register(point: EntryPoint, info: PluginInfo, registry: Registry) -> None:
    """Imports a plugin and asks its hooks.

    Raises:
        PluginError: It breaks the contract.
        BaseException: Whatever it raises.
    """
    manager = registry.manager
    if why := api.refusal(declared_api(point.module)):
        raise PluginError(why)
    plugin: Any = point.load()
    if why := api.refusal(getattr(plugin, api.ATTRIBUTE, None)):  # not told by its source
        raise PluginError(why)
    for other in [*registry.plugins, *(failure.plugin for failure in registry.failures)]:
        if other.name == info.name:
            raise PluginError(f"its name is taken by plugin {other}: rename the entry point")
    try:
        with warnings.catch_warnings(record=True) as caught:  # hooks that will go away
            warnings.simplefilter("always")
            manager.register(plugin, name=point.name)
        registry.warnings += [
            PluginWarning(info, f"{one.message}{_at(f'{one.filename}:{one.lineno}')}")
            for one in caught
        ]
        manager.check_pending()  # a misspelt hook would never fire, and nobody would be told
        if not manager.get_hookcallers(plugin):
            raise _no_hook(plugin)
        for kind in KINDS.values():
            for spec, place in _answers(f"ltbench_register_{kind.plural}", plugin, manager):
                with _located(place):
                    if isinstance(spec, ComponentSpec) and type(spec) is not kind:
                        raise PluginError(
                            f"ltbench_register_{kind.plural} returned the "
                            f"{type(spec).__name__} '{spec.name}', not a {kind.__name__}"
                        )
                    registry.add(spec, info)
        for result, place in _answers("ltbench_published_results", plugin, manager):
            with _located(place):
                registry.add_published(result, info)
    except (Exception, SystemExit):
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        raise


def _no_hook(plugin: Any) -> PluginError:
    unmarked = [name for name in vars(plugin) if name.startswith(f"{hookspecs.PROJECT}_")]
    place = place_of(getattr(plugin, unmarked[0])) if unmarked else ""
    said = "it implements no hook; are they marked with @ltbench.hookimpl?"
    return _Located(said, place)


def _answers(hook: str, plugin: Any, manager: pluggy.PluginManager) -> Iterator[tuple[object, str]]:
    """Yields what a plugin's hook returns, and where the hook is."""
    others = [other for other in manager.get_plugins() if other is not plugin]
    caller = manager.subset_hook_caller(hook, others)
    implementations = caller.get_hookimpls()
    if not implementations:
        return
    place = place_of(implementations[0].function)
    answers = caller()
    if not answers:
        raise _Located(f"{hook} returned None: is there a `return`?", place)
    for answer in answers:
        if isinstance(answer, str) or not isinstance(answer, Iterable):
            raise _Located(f"{hook} returned {answer!r}, not a list", place)
        for one in answer:
            yield one, place


@contextmanager
def _located(place: str) -> Iterator[None]:
    """Adds the place to a broken contract."""
    try:
        yield
    except PluginError as error:
        raise _Located(error.message, place) from error


def _reason(error: BaseException, plugin: PluginInfo) -> tuple[str, str]:
    """Returns why a plugin could not be loaded, and where."""
    if isinstance(error, _Located):
        return error.message, error.place
    if isinstance(error, PluginError):
        source = source_of(plugin.module)
        return error.message, str(source or "")
    if isinstance(error, pluggy.PluginValidationError):
        known = [name for name in vars(hookspecs) if name.startswith("ltbench_")]
        wrong = re.search(r"ltbench_\w+", str(error))
        said = f"{error}; {suggestion(wrong[0], known)}" if wrong else str(error)
        return said, place_of(getattr(error.plugin, wrong[0], None)) if wrong else ""
    return f"{type(error).__name__}: {error}", place_in(error, plugin.module)


def _at(place: str) -> str:
    return f" ({place})" if place else ""


def describe(error: BaseException) -> str:
    """Returns type and message of an error, and the file and line that raised it."""
    return f"{type(error).__name__}: {error}{_at(place_in(error))}"
