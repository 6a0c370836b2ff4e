"""Tells plugins and trackers how a run gets on; one that raises is silenced, the run goes on."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from ltbench.engine.tracking import hooks_of, implements
from ltbench.errors import LTBenchError
from ltbench.progress import ProgressReporter
from ltbench.registry.attribution import describe_error
from ltbench.registry.registry import Registry


@dataclass
class _Observer:
    """Somebody who is told.

    Args:
        name: What the result calls it, if it is silenced.
        title: What a person is told then.
        hooks: Its own.
        told: Whether it knows that the run has started and not that it has ended.
    """

    name: str
    title: str
    hooks: pluggy.HookRelay
    told: bool = False


class Observers:
    """The notification hooks of all plugins and of the run's trackers, called one by one.

    After its start each of them is told once that the run has ended, well or not.

    Args:
        registry: Whose plugins are told.
        trackers: The hooks of the run's trackers, by name.
        run: The resolved spec, as in `spec.json`.
        progress: Told when one is silenced.

    Attributes:
        silenced: Name -> the error that silenced it.
    """

    def __init__(
        self,
        registry: Registry,
        trackers: Mapping[str, pluggy.HookRelay],
        run: Mapping[str, Any],
        progress: ProgressReporter,
    ) -> None:
        self._observers = [
            *_plugins(registry),
            *(_Observer(f"tracker {name}", f"tracker {name}", trackers[name]) for name in trackers),
        ]
        self._run = run
        self._watch = progress
        self._epochs = 0
        self.silenced: dict[str, str] = {}

    def start(self, directory: Path, history: Sequence[Mapping[str, Any]]) -> None:
        """The run starts, or goes on from these epochs."""
        self._epochs = len(history)
        for observer in self._observers:
            observer.told = True
            self._tell(observer, "ltbench_on_run_start", directory=directory, history=history)

    def epochs(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Epochs have ended; those of the history that were told before are not told again."""
        for row in history[self._epochs :]:
            self._epochs += 1
            for observer in self._observers:
                self._tell(observer, "ltbench_on_epoch_end", epoch=row["epoch"], metrics=row)

    def end(self, result: Mapping[str, Any]) -> None:
        """The run has ended well."""
        for observer in self._observers:
            observer.told = False
            self._tell(observer, "ltbench_on_run_end", result=result)

    def fail(self, error: LTBenchError) -> None:
        """The run has failed, or was interrupted: tells those who were told that it has started."""
        with suppress(KeyboardInterrupt):  # asked twice to end: waits for none of them any more
            for observer in self._observers:
                if observer.told:
                    observer.told = False
                    self._tell(observer, "ltbench_on_run_failure", error=error)

    def _tell(self, observer: _Observer, event: str, **arguments: Any) -> None:
        if observer.name in self.silenced or not implements(observer.hooks, event):
            return
        # What a tracker does to them is its own affair.
        arguments = copy.deepcopy({"run": self._run, **arguments})
        try:
            getattr(observer.hooks, event)(**arguments)
        except (Exception, SystemExit) as error:  # a tracker must not kill a run of ten hours
            self.silenced[observer.name] = describe_error(error)
            self._watch.note(f"{observer.title} is silenced: {self.silenced[observer.name]}")


def _plugins(registry: Registry) -> Iterator[_Observer]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of hooks that will go away: told when it was loaded
        hooks = {
            name: hooks_of(plugin)
            for name, plugin in registry.manager.list_name_plugin()
            if plugin is not None  # one that is blocked
        }
    for name in hooks:
        yield _Observer(name, f"plugin {name}", hooks[name])
