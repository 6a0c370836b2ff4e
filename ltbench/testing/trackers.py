"""Checks of trackers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ltbench.config.resolve import Resolved
from ltbench.engine.observers import Observers
from ltbench.engine.tracking import ChosenTracker
from ltbench.errors import ConfigError, Interrupted, LTBenchError, RunError
from ltbench.progress import SilentReporter
from ltbench.registry.component import Component
from ltbench.storage.run_directory import RunDirectory
from ltbench.testing.bench import Bench, Trial, folder, trials
from ltbench.testing.check import Check, Skipped, bind

_ROWS = [
    {"epoch": epoch, "loss": loss, "lr": 0.02, "seconds": 1.5, "images_per_second": 6.0}
    for epoch, loss in enumerate((2.25, 1.5, 1.0))
]


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields the checks of a tracker."""
    functions = (check_build, check_a_run_with_it, check_failures)
    for trial in trials(component):
        yield from bind(f"tracker {trial.name}", functions, component, bench, trial)


@contextlib.contextmanager
def _empty_folder() -> Iterator[Path]:
    """Changes to a temporary folder: a tracker may write to the current folder."""
    with folder() as name, contextlib.chdir(name):
        yield Path(name)


def _chosen(component: Component, bench: Bench, trial: Trial) -> ChosenTracker:
    """Returns the tracker.

    Raises:
        Skipped: A requirement of the tracker is missing.
    """
    tracker = ChosenTracker(component, bench.config(trial, component))
    with _empty_folder() as here:
        try:
            tracker.build(*_run(bench, here))
        except ConfigError as error:
            raise Skipped(f"{error.message}; {error.hint}") from error
    return tracker


def _run(bench: Bench, here: Path) -> tuple[Resolved, RunDirectory]:
    resolved = bench.resolve({})
    return resolved, RunDirectory.of(here / "runs", resolved.spec)


def check_build(component: Component, bench: Bench, trial: Trial) -> None:
    """Building the tracker writes nothing, because the run may not begin."""
    tracker = _chosen(component, bench, trial)
    with _empty_folder() as here:
        tracker.build(*_run(bench, here))
        left = [str(path.relative_to(here)) for path in here.rglob("*")]
    assert not left, f"building the tracker writes {', '.join(left)}"


def check_a_run_with_it(component: Component, bench: Bench, trial: Trial) -> None:
    """The tracker receives a whole run, which learns the same weights as without it."""
    tracker = _chosen(component, bench, trial)
    learned = []
    for trackers in ([tracker], []):
        with _empty_folder() as here:
            _, directory = _run(bench, here)
            planned = replace(bench.plan({}), trackers=trackers)
            result = planned.execute(bench.runtime(here / "runs"), "never")
            learned.append(directory.learned.read_bytes())
        silenced = result.silenced_plugins.get(f"tracker {tracker.name}")
        assert silenced is None, silenced
    assert learned[0] == learned[1], "the run with the tracker learns other weights"


def check_failures(component: Component, bench: Bench, trial: Trial) -> None:
    """The tracker handles runs that are interrupted, resumed, failed, and failed before epoch 1."""
    tracker = _chosen(component, bench, trial)
    with _empty_folder() as here:
        failed = RunError("the loss is not finite", hint="reduce --lr")
        tries: tuple[tuple[int, int, LTBenchError], ...] = (
            (0, 1, Interrupted("interrupted after 1 of 3 epochs")),
            (1, 2, failed),
            (2, 3, failed),
            (0, 0, failed),
        )
        for start, stop, error in tries:
            _notify(tracker, bench, here, start, stop, error)


def _notify(
    tracker: ChosenTracker, bench: Bench, here: Path, start: int, stop: int, error: LTBenchError
) -> None:
    """Notifies a tracker of a try from epoch `start` to `stop` that ends with an error."""
    resolved, directory = _run(bench, here)
    directory.path.mkdir(parents=True, exist_ok=True)
    run: dict[str, Any] = resolved.spec.to_dict()
    hooks = {tracker.name: tracker.build(resolved, directory)}
    observers = Observers(bench.registry, hooks, run, SilentReporter())
    observers.start(directory.path, _ROWS[:start])
    observers.epochs(_ROWS[:stop])
    observers.fail(error)
    silenced = observers.silenced.get(f"tracker {tracker.name}")
    assert silenced is None, silenced
