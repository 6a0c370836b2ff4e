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
    """Yields the checks."""
    functions = (check_build, check_a_run_with_it, check_failures)
    for trial in trials(component):
        yield from bind(f"tracker {trial.name}", functions, component, bench, trial)


@contextlib.contextmanager
def _empty_folder() -> Iterator[Path]:
    """Works in a folder that goes away: a tracker may write where it is started."""
    with folder() as name, contextlib.chdir(name):
        yield Path(name)


def _chosen(component: Component, bench: Bench, trial: Trial) -> ChosenTracker:
    """Returns the tracker.

    Raises:
        Skipped: What it needs is not here.
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
    """Building it writes nothing: whether the run begins is not known yet."""
    tracker = _chosen(component, bench, trial)
    with _empty_folder() as here:
        tracker.build(*_run(bench, here))
        left = [str(path.relative_to(here)) for path in here.rglob("*")]
    assert not left, f"building it leaves {', '.join(left)}"


def check_a_run_with_it(component: Component, bench: Bench, trial: Trial) -> None:
    """A run tells it everything, and learns the same weights as without it, bit for bit."""
    tracker = _chosen(component, bench, trial)
    learned = []
    for trackers in ([tracker], []):
        with _empty_folder() as here:
            _, directory = _run(bench, here)
            planned = replace(bench.plan({}), trackers=trackers)
            result = planned.execute(bench.runtime(here / "runs"), "never")
            learned.append(directory.learned.read_bytes())
        silenced = result["silenced_plugins"].get(f"tracker {tracker.name}")
        assert silenced is None, silenced
    assert learned[0] == learned[1], "with it, other weights are learned"


def check_failures(component: Component, bench: Bench, trial: Trial) -> None:
    """It hears of a run that is interrupted, goes on, fails, goes on, and fails before an epoch."""
    tracker = _chosen(component, bench, trial)
    with _empty_folder() as here:
        failed = RunError("the loss is not finite", hint="lower --lr")
        tries: tuple[tuple[int, int, LTBenchError], ...] = (
            (0, 1, Interrupted("interrupted after 1 of 3 epochs")),
            (1, 2, failed),
            (2, 3, failed),
            (0, 0, failed),
        )
        for start, stop, error in tries:
            _tell(tracker, bench, here, start, stop, error)


def _tell(
    tracker: ChosenTracker, bench: Bench, here: Path, start: int, stop: int, error: LTBenchError
) -> None:
    """Tells a tracker of a try that goes from an epoch to another."""
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
