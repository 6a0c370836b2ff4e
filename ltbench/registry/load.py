"""Discovery and loading of plugins, each in isolation.

Each entry point of the group `ltbench` is loaded, checked and called alone: a broken plugin is
recorded with its error, and all others work.
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
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ltbench import hookspecs
from ltbench.errors import PluginError, suggestion
from ltbench.registry import api_version as api
from ltbench.registry.component import PluginFailure, PluginInfo, PluginWarning
from ltbench.registry.inspect_source import at, place_in, place_of, source_of
from ltbench.registry.registry import Registry
from ltbench.specs import KINDS, ComponentSpec

MAX_LOAD_SECONDS = 1.0
"""Loading time above which a plugin gets a warning: every command waits for it."""

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
        with redirect_stdout(sys.stderr):  # stdout carries results only
            _register(point, info, registry)
    except (Exception, SystemExit) as error:  # a plugin may raise anything; others must load
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
    except (Exception, SystemExit):
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
    except (Exception, SystemExit) as error:
        reason = api.refusal(_declared_in(error, point.module))
        if reason:
            raise _Located(
                f"{reason}; importing it raised {type(error).__name__}: {error}",
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
    return f"{type(error).__name__}: {error}", place_in(error, plugin.module)
