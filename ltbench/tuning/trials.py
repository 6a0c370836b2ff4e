"""Execution of trials: ordinary runs on the validation split, of which some end early."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ltbench.config.resolve import Resolved, Resolver
from ltbench.engine.launch import PlannedRun
from ltbench.errors import (
    BusyError,
    ConfigError,
    DataError,
    LTBenchError,
    PluginError,
    RunError,
    Stopped,
)
from ltbench.progress import ProgressReporter
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory
from ltbench.tuning.pruning import pruned_at
from ltbench.tuning.samplers import propose
from ltbench.tuning.space import Space
from ltbench.tuning.study import Study
from ltbench.tuning.study_file import TrialRecord

if TYPE_CHECKING:
    from ltbench.engine.run import RuntimeConfig

TRIAL_SEED = 1000
"""Seed of the trials' trainings, unless the settings have one: none that a test run usually has."""

_SCORE = "val_mean_class"


@dataclass
class TrialRunner:
    """Runs the trials of a study, one after the other in this process.

    Args:
        registry: Components and plugins.
        resolver: Resolver of the runs.
        study: The study.
        base: Settings that all trials share.
        runtime: Runtime configuration; its `out` is the folder of the trials' run directories.
        progress: Function that returns the display of a training.
        report: Function that is called before each trial with its method, number and settings, and
            after it with the trial.
    """

    registry: Registry
    resolver: Resolver
    study: Study
    base: Settings
    runtime: RuntimeConfig
    progress: Callable[[], AbstractContextManager[ProgressReporter]]
    report: Callable[[str, int, Settings, TrialRecord | None], None]

    def run(self) -> None:
        """Runs the trials that are left; those of the methods take turns.

        Raises:
            Interrupted: A signal has arrived; a later call continues the study.
            LTBenchError: A trial cannot be run, for a reason that concerns all trials.
        """
        self._check_recorded()
        spaces = {space.method: space for space in self.study.spaces}
        for number in range(self.study.record.budget):
            for method in list(spaces):
                earlier = self.study.of(method)
                if len(earlier) > number:
                    continue
                record = self.study.record
                settings = propose(spaces[method], record.sampler, record.seed, earlier)
                if settings is None:
                    del spaces[method]
                    continue
                self.report(method, number, settings, None)
                trial = self._trial(spaces[method], number, settings, earlier)
                self.study.add(trial)
                self.report(method, number, settings, trial)
                # Models have circular references, and hold the memory of a GPU. The libraries are
                # frozen, so that they are searched for garbage once.
                gc.collect()
                gc.freeze()

    def resolve(self, method: str, settings: Settings) -> Resolved:
        """Returns the choices of a trial's run.

        Raises:
            ConfigError: The settings exclude each other.
            DataError: The data set or the weights are missing.
        """
        return self.resolver.resolve(trial_settings(self.base, method, settings, self.study))

    def _check_recorded(self) -> None:
        """Checks that recorded trials are the runs that their settings make now.

        Raises:
            DataError: The data set, the weights or a component has changed.
        """
        for trial in self.study.trials:
            if trial.hash is None:
                continue
            now = self.resolve(trial.method, trial.settings).spec.hash
            if now != trial.hash:
                raise DataError(
                    f"{self.study.folder}: trial {trial.number} of {trial.method} was run "
                    f"{trial.hash}, and its settings are run {now} today: the data set, the "
                    "weights or the version of a component has changed",
                    hint="start another study with --name",
                )

    def _trial(
        self, space: Space, number: int, settings: dict[str, Any], earlier: Sequence[TrialRecord]
    ) -> TrialRecord:
        """Runs a trial, and returns its record."""
        identified: dict[str, Any] = {
            "method": space.method,
            "number": number,
            "settings": settings,
        }
        try:
            resolved = self.resolve(space.method, settings)
        except ConfigError as error:  # options that exclude each other
            nothing: dict[str, Any] = {
                "hash": None,
                "epochs": 0,
                "scores": [],
                "trained": 0,
                "seconds": 0.0,
            }
            return TrialRecord(
                **identified, **nothing, state="failed", value=None, error=error.message
            )
        planned = PlannedRun(self.registry, resolved)
        directory = planned.directory(self.runtime.out)
        epochs = resolved.spec.train.epochs
        identified |= {"hash": resolved.spec.hash, "epochs": epochs}
        pruning = self.study.record.prune is not None

        def stop_after(rows: Sequence[Mapping[str, Any]]) -> bool:
            return pruned_at(_scores(rows), epochs, earlier) is not None

        try:
            with self.progress() as shown:
                result = planned.execute(
                    self.runtime, "never", shown, stop_after if pruning else None
                )
        except Stopped:
            rows = directory.history()
            # A training that another study continued may have more epochs than this one needs.
            end = pruned_at(_scores(rows), epochs, earlier) or len(rows)
            return TrialRecord(
                **identified, **_costs(rows[:end]), state="pruned", value=None, error=""
            )
        except (RunError, PluginError) as error:
            failed = _recorded_failure(error, directory)
            costs = _costs(directory.history())
            return TrialRecord(**identified, **costs, state="failed", value=None, error=failed)
        rows = directory.history()
        costs = _costs(rows) | {"seconds": _seconds(result)}
        return TrialRecord(**identified, **costs, state="done", value=self._value(result), error="")

    def _value(self, result: RunResult) -> float:
        metric = self.study.record.metric
        value = result.metrics.value(metric)
        if value is None:
            raise ConfigError(
                f"--metric {metric}: {result.spec.dataset.name} has no such classes on val",
                hint="choose by --metric mean_class",
            )
        return value


def trial_settings(base: Settings, method: str, settings: Settings, study: Study) -> Settings:
    """Returns all settings of a trial: on the validation split, whatever the others are.

    Args:
        base: Settings that all trials share.
        method: Name of the method.
        settings: Settings of the trial that are searched.
        study: The study.
    """
    seed = {"seed": TRIAL_SEED, **base}["seed"]
    fixed = {"seed": seed, "split": "val", "select": study.record.select}
    return {**base, "method": method, **settings, **fixed}


def _recorded_failure(error: LTBenchError, directory: RunDirectory) -> str:
    """Returns the message of a run that failed; other errors concern all trials, and are raised."""
    failure = None if isinstance(error, BusyError) else directory.failure()
    if failure is None:  # a full disk, a folder without permission
        raise error
    return failure.error


def _scores(rows: Sequence[Mapping[str, Any]]) -> list[float]:
    return [row[_SCORE] for row in rows if _SCORE in row]


def _costs(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    seconds = sum(row["seconds"] + row.get("val_seconds", 0.0) for row in rows)
    return {"scores": _scores(rows), "trained": len(rows), "seconds": seconds}


def _seconds(result: RunResult) -> float:
    """Returns the seconds of a run's stages."""
    refinement = 0.0 if result.refinement is None else result.refinement.seconds
    stages = result.training.seconds, result.selection.seconds, result.evaluation.seconds
    return sum(stages) + refinement
