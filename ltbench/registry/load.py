"""Discovery and loading of plugins, each in isolation.

Each entry point of the group `ltbench` is loaded, checked and called alone: a broken plugin is
recorded with its error, and all others work. Damage that cannot be undone in this process is found
in another one, where a third-party plugin is tried first.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any

import pluggy

from ltbench import hookspecs
from ltbench.errors import PluginError, suggestion
from ltbench.late import LateSpec
from ltbench.registry import api_version as api
from ltbench.registry.component import PluginFailure, PluginInfo, PluginWarning
from ltbench.registry.components import loaded
from ltbench.registry.guard.record import Guarded
from ltbench.registry.inspect_source import (
    at,
    described,
    own_packages,
    place_in,
    place_of,
    source_of,
)
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS, ComponentSpec

MAX_LOAD_SECONDS = 1.0
"""Loading time above which a plugin gets a warning: every command waits for it."""

MAX_LISTED = 5  # of what a plugin does to its process

DISABLE_VARIABLE = "LTBENCH_DISABLE_PLUGINS"


def load_plugins(
    found: Iterable[EntryPoint] | None = None, environ: Mapping[str, str] = os.environ
) -> Registry:
    """Loads all installed plugins, sorted by name.

    Args:
        found: Entry points to load instead of those of the group `ltbench`.
        environ: Environment, whose `LTBENCH_DISABLE_PLUGINS` lists names to leave out, separated
            by commas.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    registry = Registry(manager)
    for name in environ.get(DISABLE_VARIABLE, "").replace(",", " ").split():
        manager.set_blocked(name)
    points = entry_points(group=hookspecs.PROJECT) if found is None else found
    # Built-in plugins come first: of two plugins with one name, the other one is refused.
    for point in sorted(points, key=lambda point: (not is_built_in(point), point.name)):
        if not manager.is_blocked(point.name):
            _load(point, registry, try_first=found is None and not is_built_in(point))
    return registry


def is_built_in(point: EntryPoint) -> bool:
    """Returns whether an entry point belongs to ltbench."""
    return _distribution_of(point)[0] == "ltbench"


def _distribution_of(point: EntryPoint) -> tuple[str, str]:
    """Returns the name and the version of an entry point's distribution."""
    return ("unknown", "0") if point.dist is None else _described(point.dist)


@functools.lru_cache(maxsize=64)
def _described(distribution: Distribution) -> tuple[str, str]:
    return distribution.name, distribution.version  # each parses the whole description


def _load(point: EntryPoint, registry: Registry, *, try_first: bool) -> None:
    distribution, version = _distribution_of(point)
    info = PluginInfo(
        name=point.name,
        module=point.module,
        distribution=distribution,
        version=version,
    )
    refused = _refusal(point, info, registry) if try_first else ""
    guard = Guarded()
    began = time.perf_counter()
    try:
        if refused:
            raise _Located(refused, "")
        with _protected(point, guard, marked=try_first):
            _register(point, info, registry)
        if guard.harm:
            registry.manager.unregister(name=point.name)
            raise PluginError(f"it {_listed(guard.harm)}; remove it or ask its author to fix it")
    except BaseException as error:  # a plugin may raise anything; others must load
        if guard.interrupted or _is_interruption(error, info):
            raise KeyboardInterrupt from error
        registry.drop(info)
        reason, place = _reason(error, info)
        where = "" if place in reason else at(place)
        registry.failures.append(PluginFailure(info, f"{reason}{where}", place))
    else:
        registry.plugins.append(info)
    registry.seconds[info] = seconds = time.perf_counter() - began
    if seconds > MAX_LOAD_SECONDS:
        text = f"takes {seconds:.1f} s to load, and every command waits for it"
        registry.warnings.append(PluginWarning(info, text))
    if guard.undone:
        text = f"changes {_listed(guard.undone)} when it is loaded, which was undone"
        registry.warnings.append(PluginWarning(info, text))


def _refusal(point: EntryPoint, info: PluginInfo, registry: Registry) -> str:
    """Returns why a third-party plugin must not be loaded; empty where it may be."""
    from ltbench.registry import trusted  # most commands of most users need none of it

    fault, remark = trusted.refusal(point)
    if remark:
        registry.warnings.append(PluginWarning(info, remark))
    hint = f"change it, or try it again with `ltbench plugin check {point.name}`"
    return f"{fault}; {hint}" if fault else ""


@contextmanager
def _protected(point: EntryPoint, guard: Guarded, *, marked: bool) -> Iterator[None]:
    """Protects the process, and its stdout, while a plugin is loaded."""
    if is_built_in(point):
        with redirect_stdout(sys.stderr):  # stdout carries results only
            yield
        return
    from ltbench.registry import trusted
    from ltbench.registry.guard.process import guarded

    mark = trusted.importing(point) if marked else nullcontext()
    with mark, guarded(point.module.partition(".")[0], own_packages(), guard):
        yield


def _is_interruption(error: BaseException, plugin: PluginInfo) -> bool:
    """Returns whether an error is an interruption by the user and not the plugin's own."""
    own = plugin.distribution != "ltbench" and place_in(error, plugin.module)
    return isinstance(error, KeyboardInterrupt) and not own


def _listed(predicates: list[str]) -> str:
    more = len(predicates) - MAX_LISTED
    return ", ".join(predicates[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")


class _Located(PluginError):
    """A broken contract with its place in the plugin."""

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place


def _register(point: EntryPoint, info: PluginInfo, registry: Registry) -> None:
    """Imports a plugin and calls its hooks.

    Raises:
        PluginError: The plugin breaks the contract, or was built for another API version.
        BaseException: Any error that the plugin raises.
    """
    manager = registry.manager
    plugin = _imported(point)
    for other in [*registry.plugins, *(failure.plugin for failure in registry.failures)]:
        if other.name == info.name:
            raise PluginError(f"its name is taken by plugin {other}: rename the entry point")
    try:
        with warnings.catch_warnings(record=True) as caught:  # hooks that will go away
            warnings.simplefilter("always")
            manager.register(plugin, name=point.name)
        registry.warnings += [
            PluginWarning(info, f"{one.message}{at(f'{one.filename}:{one.lineno}')}")
            for one in caught
        ]
        manager.check_pending()  # a misspelt hook would never be called
        if not manager.get_hookcallers(plugin):
            raise _no_hook(plugin)
        for kind in KINDS.values():
            for spec, place in _items(f"ltbench_register_{kind.plural}", plugin, manager):
                with _located(place):
                    if isinstance(spec, LateSpec):
                        if is_built_in(point):
                            registry.add_late(spec, kind.kind, info)
                            continue
                        spec = loaded(spec, kind.kind, info)  # while the process is guarded
                    if isinstance(spec, ComponentSpec) and type(spec) is not kind:
                        raise PluginError(
                            f"ltbench_register_{kind.plural} returned the "
                            f"{type(spec).__name__} '{spec.name}', not a {kind.__name__}"
                        )
                    registry.add(spec, info)
        for result, place in _items("ltbench_published_results", plugin, manager):
            with _located(place):
                registry.add_published(result, info)
        for folder, place in _items("ltbench_grid_folders", plugin, manager):
            with _located(place):
                registry.add_grids(folder, info)
    except BaseException:
        if manager.has_plugin(point.name):
            manager.unregister(name=point.name)
        raise


def _imported(point: EntryPoint) -> Any:
    """Returns the plugin of an entry point.

    Raises:
        PluginError: It was built for another API version; the message includes the error of its
            import, if any.
        BaseException: Any error that its import raises.
    """
    try:
        plugin = point.load()
    except BaseException as error:
        reason = api.refusal(_declared_in(error, point.module))
        if reason:
            raise _Located(
                f"{reason}; importing it raised {described(error)}",
                place_in(error, point.module),
            ) from error
        raise
    for owner in (plugin, sys.modules.get(point.module)):
        if reason := api.refusal(getattr(owner, api.ATTRIBUTE, None)):
            raise PluginError(reason)
    return plugin


def _declared_in(error: BaseException, module: str) -> object:
    """Returns the API version that a module declared before its import failed, or None."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") == module:
            return frame.f_globals.get(api.ATTRIBUTE)
    return None


def _no_hook(plugin: Any) -> PluginError:
    unmarked = [name for name in vars(plugin) if name.startswith(f"{hookspecs.PROJECT}_")]
    place = place_of(getattr(plugin, unmarked[0])) if unmarked else ""
    return _Located("it implements no hook; mark hooks with @ltbench.hookimpl", place)


def _items(hook: str, plugin: Any, manager: pluggy.PluginManager) -> Iterator[tuple[object, str]]:
    """Yields each item that a plugin's hook returns, with the place of the hook."""
    others = [other for other in manager.get_plugins() if other is not plugin]
    caller = manager.subset_hook_caller(hook, others)
    implementations = caller.get_hookimpls()
    if not implementations:
        return
    place = place_of(implementations[0].function)
    returned = caller()
    if not returned:
        raise _Located(f"{hook} returned None: expected a list; check its `return`", place)
    for items in returned:
        if isinstance(items, str) or not isinstance(items, Iterable):
            raise _Located(f"{hook} returned {items!r}, not a list", place)
        for one in items:
            yield one, place


@contextmanager
def _located(place: str) -> Iterator[None]:
    """Adds a place to the error about a broken contract."""
    try:
        yield
    except PluginError as error:
        raise _Located(error.message, place) from error


def _reason(error: BaseException, plugin: PluginInfo) -> tuple[str, str]:
    """Returns the reason for which a plugin could not be loaded, and its place."""
    if isinstance(error, _Located):
        return error.message, error.place
    if isinstance(error, PluginError):
        source = source_of(plugin.module)
        return error.message, str(source or "")
    if isinstance(error, pluggy.PluginValidationError):
        known = [name for name in vars(hookspecs) if name.startswith("ltbench_")]
        wrong = re.search(r"ltbench_\w+", str(error))
        message = f"{error}; {suggestion(wrong[0], known)}" if wrong else str(error)
        return message, place_of(getattr(error.plugin, wrong[0], None)) if wrong else ""
    return described(error), place_in(error, plugin.module)
