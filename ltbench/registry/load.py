"""Finds and loads plugins, each by itself.

Each entry point of the group `ltbench` is loaded and asked alone: one that is broken is named with
its error, and everybody else works.
"""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from ltbench import hookspecs
from ltbench.errors import PluginError, suggestion
from ltbench.registry import api_version as api
from ltbench.registry.inspect_source import at, declared_api, place_in, place_of, source_of
from ltbench.registry.registry import PluginFailure, PluginInfo, PluginWarning, Registry
from ltbench.specs import KINDS, ComponentSpec

SLOW = 1.0
"""Seconds to load: every command waits for a plugin that takes longer."""

DISABLE_VARIABLE = "LTBENCH_DISABLE_PLUGINS"


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
        where = "" if place in reason else at(place)
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
            PluginWarning(info, f"{one.message}{at(f'{one.filename}:{one.lineno}')}")
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
        for folder, place in _answers("ltbench_grid_folders", plugin, manager):
            with _located(place):
                registry.add_grids(folder, info)
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
