"""Notification of plugins and trackers of a run; one that raises is silenced, the run continues."""

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
from ltbench.errors import Interrupted, LTBenchError
from ltbench.progress import ProgressReporter
from ltbench.registry.attribution import describe_error
from ltbench.registry.registry import Registry


@dataclass
class _Observer:
    """A plugin or tracker that is notified of a run.

    Args:
        name: Name in the result, where it is silenced.
        title: Name in the progress notes, where it is silenced.
        hooks: Hooks of this plugin or tracker alone.
        started: Whether it was notified of the start and not of the end.
    """

    name: str
    title: str
    hooks: pluggy.HookRelay
    started: bool = False


class Observers:
    """Notification hooks of all plugins and of the run's trackers, called one by one.

    After the start, each of them is notified exactly once of the end, whether the run is done,
    failed or was interrupted.

    Args:
        registry: Registry of the plugins.
        trackers: Hooks of the run's trackers, by name.
        run: Resolved spec, as stored in `spec.json`.
        progress: Progress reporter for a note on each silenced observer.

    Attributes:
        silenced: Error that silenced an observer, by its name.
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
        self._progress = progress
        self._epochs = 0
        self.silenced: dict[str, str] = {}

    def start(self, directory: Path, history: Sequence[Mapping[str, Any]]) -> None:
        """Notifies of the start of a run, or of its resumption after these epochs."""
        self._epochs = len(history)
        for observer in self._observers:
            observer.started = True
            self._notify(observer, "ltbench_on_run_start", directory=directory, history=history)

    def epochs(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Notifies of the epochs of the history that were not reported before."""
        for row in history[self._epochs :]:
            self._epochs += 1
            for observer in self._observers:
                self._notify(observer, "ltbench_on_epoch_end", epoch=row["epoch"], metrics=row)

    def end(self, result: Mapping[str, Any]) -> None:
        """Notifies of the end of a finished run."""
        for observer in self._observers:
            observer.started = False
            self._notify(observer, "ltbench_on_run_end", result=result)

    def fail(self, error: LTBenchError) -> None:
        """Notifies of a failure or an interruption, where the start was reported."""
        with suppress(KeyboardInterrupt):  # a second interrupt: the rest is not notified
            for observer in self._observers:
                if observer.started:
                    observer.started = False
                    self._notify(observer, "ltbench_on_run_failure", error=error)

    def _notify(self, observer: _Observer, event: str, **arguments: Any) -> None:
        if observer.name in self.silenced or not implements(observer.hooks, event):
            return
        # A copy: an observer may change its arguments.
        arguments = copy.deepcopy({"run": self._run, **arguments})
        try:
            getattr(observer.hooks, event)(**arguments)
        except (KeyboardInterrupt, Interrupted):
            raise
        except BaseException as error:  # a tracker must not kill a run of ten hours
            self.silenced[observer.name] = describe_error(error)
            self._progress.note(f"{observer.title} is silenced: {self.silenced[observer.name]}")


def _plugins(registry: Registry) -> Iterator[_Observer]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of deprecated hooks: reported when the plugin was loaded
        hooks = {
            name: hooks_of(plugin)
            for name, plugin in registry.manager.list_name_plugin()
            if plugin is not None  # blocked by name
        }
    for name in hooks:
        yield _Observer(name, f"plugin {name}", hooks[name])
