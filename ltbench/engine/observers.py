"""Tells plugins how a run gets on; one that raises is silenced, and the run goes on."""

from __future__ import annotations

import copy
from typing import Any

from ltbench.engine.watch import Watch
from ltbench.plugins import Registry, describe


class Observers:
    """The notification hooks of all plugins, called one by one.

    Attributes:
        silenced: Plugin name -> the error that silenced it.
    """

    def __init__(self, registry: Registry, watch: Watch) -> None:
        self._manager = registry.manager
        self._watch = watch
        self.silenced: dict[str, str] = {}

    def notify(self, event: str, **arguments: Any) -> None:
        """Calls `ltbench_on_<event>` of every plugin that is not silenced."""
        plugins = self._manager.get_plugins()
        for plugin in plugins:
            name = self._manager.get_name(plugin) or repr(plugin)
            if name in self.silenced:
                continue
            others = [other for other in plugins if other is not plugin]
            try:
                hook = self._manager.subset_hook_caller(f"ltbench_on_{event}", others)
                hook(**copy.deepcopy(arguments))  # what a tracker does to them is its own affair
            except (Exception, SystemExit) as error:  # a tracker must not kill a run of ten hours
                self.silenced[name] = describe(error)
                self._watch.note(f"plugin {name} is silenced: {self.silenced[name]}")
