"""Trackers of a run: chosen by name, built for the run, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pluggy

from ltbench import hookspecs
from ltbench.config.options import parse_options
from ltbench.config.resolve import Resolved, settings_of
from ltbench.config.runspec import hash_of
from ltbench.contexts import TrackerContext
from ltbench.errors import PluginError, UnknownNameError, suggestion
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry
from ltbench.specs import Settings, TrackerSpec
from ltbench.storage.run_directory import RunDirectory

EVENTS = tuple(name for name in vars(hookspecs) if name.startswith("ltbench_on_"))
"""Names of the notification hooks."""


def hooks_of(plugin: object) -> pluggy.HookRelay:
    """Returns the hooks of one plugin or built tracker, to be called alone."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.check_pending()
    return manager.hook


def implements(hooks: pluggy.HookRelay, event: str) -> bool:
    """Returns whether a plugin implements a notification."""
    caller: pluggy.HookCaller = getattr(hooks, event)
    return bool(caller.get_hookimpls())


@dataclass(frozen=True)
class ChosenTracker:
    """A tracker with its options.

    Args:
        component: Registered component of the tracker.
        config: Config with its options.
    """

    component: Component
    config: Any

    @property
    def name(self) -> str:
        """Name of the tracker."""
        return self.component.spec.name

    def build(self, resolved: Resolved, directory: RunDirectory) -> pluggy.HookRelay:
        """Returns the hooks of the tracker of a run.

        Raises:
            ConfigError: A library is missing, or the options do not fit it.
            PluginError: The built object implements no notification, or the plugin raised.
        """
        with attribute_errors(self.component):
            built = self.component.spec.build(self.config, tracker_context(resolved, directory))
            try:
                hooks = hooks_of(built)
            except pluggy.PluginValidationError as error:
                wrong = re.search(r"ltbench_\w+", str(error))
                near = f"; {suggestion(wrong[0], EVENTS)}" if wrong else ""
                raise self._refusal(f"has a method that is not a hook: {error}{near}") from error
        if not any(implements(hooks, event) for event in EVENTS):
            raise self._refusal(
                "implements no notification; mark its methods with @ltbench.hookimpl"
            )
        return hooks

    def _refusal(self, fault: str) -> PluginError:
        return PluginError(f"tracker '{self.name}' of plugin {self.component.plugin} {fault}")


def tracker_context(resolved: Resolved, directory: RunDirectory) -> TrackerContext:
    """Returns the context that the trackers of a run are built with."""
    spec = resolved.spec
    shared = {key: value for key, value in spec.to_dict().items() if key != "seed"}
    names = (spec.dataset.name, spec.backbone.name, spec.method.name)
    return TrackerContext(
        hash=spec.hash,
        cell="/".join((*names, hash_of(shared))),
        settings=settings_of(spec),
        directory=directory.path,
    )


def without_trackers(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits settings into those of the run and those of trackers."""
    kind = TrackerSpec.kind
    own = {key: value for key, value in settings.items() if key.partition(".")[0] == kind}
    return {key: value for key, value in settings.items() if key not in own}, own


def choose_trackers(
    registry: Registry, names: Sequence[str], settings: Mapping[str, Any]
) -> tuple[list[ChosenTracker], list[str]]:
    """Returns the trackers with their options, and the faults of the options.

    Args:
        registry: Registry of the components.
        names: Names of the trackers, the values of `--tracker`.
        settings: Options by key: `tracker.NAME.OPTION`.
    """
    faults, chosen = [], []
    for key in settings:
        _, _, rest = key.partition(".")
        name, _, option = rest.partition(".")
        if not option:
            faults.append(f"{key}: expected tracker.NAME.OPTION; --tracker NAME chooses one")
        elif name not in names:
            faults.append(f"{key}: tracker '{name}' is not chosen; add --tracker {name}")
    for name in dict.fromkeys(names):
        try:
            component = registry.find(TrackerSpec.kind, name)
        except UnknownNameError as error:
            faults.append(f"{error.message}; {error.hint}")
            continue
        section = component.spec.section
        own = {
            key.removeprefix(f"{section}."): value
            for key, value in settings.items()
            if key.startswith(f"{section}.")
        }
        with attribute_errors(component):
            config, wrong = parse_options(component.spec.config, own, section, f"tracker '{name}'")
        faults += wrong
        chosen.append(ChosenTracker(component, config))
    return chosen, faults
