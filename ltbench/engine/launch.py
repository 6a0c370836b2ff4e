"""Launch of a run: from settings through plugins and choices to the result.

The command, the workers of a grid, the conformance checks and Python call this module.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.config.defaults import (
    DATA_ROOT_VARIABLE,
    DEFAULT_CACHE_GB,
    DEFAULT_DATA_ROOT,
    DEFAULT_DEVICE,
    DEFAULT_OUT,
)
from ltbench.config.resolve import Resolved, resolve
from ltbench.engine.finished_run import FinishedRun
from ltbench.engine.late_progress import LateProgress
from ltbench.engine.run_arguments import RunArguments
from ltbench.engine.tracking import ChosenTracker, choose_trackers, without_trackers
from ltbench.errors import Interrupted
from ltbench.io import interrupts
from ltbench.io.process import expect_working_folder, let_waiting_threads_sleep
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.run_directory import Overwrite, RunDirectory, stored_result

if TYPE_CHECKING:
    from ltbench.engine.run import RuntimeConfig
    from ltbench.storage.result_schema import RunResult


@dataclass(frozen=True)
class PlannedRun:
    """A run with every choice made, ready to be executed.

    Args:
        registry: Components and plugins; the plugins are notified of the run.
        resolved: Choices of the run.
        trackers: Trackers that follow the run.
    """

    registry: Registry
    resolved: Resolved
    trackers: Sequence[ChosenTracker] = ()

    def directory(self, out: Path) -> RunDirectory:
        """Returns the run's directory below a folder of run directories."""
        return RunDirectory.of(out, self.resolved.spec)

    def stored(self, out: Path, overwrite: Overwrite) -> RunResult | None:
        """Returns the stored result of a finished run; None where it must be executed.

        Raises:
            RunError: The run failed before, and `overwrite` is "never".
        """
        return stored_result(self.directory(out), overwrite)

    def execute(
        self, runtime: RuntimeConfig, overwrite: Overwrite, progress: ProgressReporter = SILENT
    ) -> RunResult:
        """Executes, resumes or loads the run, and returns its result.

        Args:
            runtime: Folder of run directories, device, loader workers and cache.
            overwrite: Earlier runs of the same choices that are executed again.
            progress: Progress reporter.

        Raises:
            LTBenchError: The run could not be finished; a later call resumes it where possible.
        """
        from ltbench.engine.run import execute

        return execute(
            self.resolved, self.registry, runtime, overwrite, progress, list(self.trackers)
        )


def plan_run(
    registry: Registry,
    settings: Settings,
    data_root: Path,
    trackers: Sequence[str] = (),
    faults: Sequence[str] = (),
    progress: ProgressReporter = SILENT,
) -> PlannedRun:
    """Makes every choice of a run.

    Args:
        registry: Components to choose from.
        settings: Settings by dotted key, including the options of trackers.
        data_root: Folder of the data sets.
        trackers: Names of the trackers.
        faults: Faults found so far, which are reported together with all others.
        progress: Reporter for the reading of images that have not been read before.

    Raises:
        ConfigError: All faults of the settings.
        DataError: The data set or the weights of the backbone cannot be identified.
    """
    of_run, of_trackers = without_trackers(settings)
    chosen, wrong = choose_trackers(registry, trackers, of_trackers)
    resolved = resolve(registry, of_run, data_root, [*faults, *wrong], progress=progress)
    return PlannedRun(registry, resolved, chosen)


def runtime_config(out: Path, device: str, workers: int | None, cache_gb: float) -> RuntimeConfig:
    """Returns the runtime configuration of a run; imports torch.

    Args:
        out: Folder of the run directories.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        workers: Number of loader workers; None to measure it.
        cache_gb: Size of the cache below `out` in gigabytes; 0 for no cache.
    """
    from ltbench.io.gc import gc_paused

    with gc_paused():
        from ltbench.engine.run import RuntimeConfig
    from ltbench.io.array_cache import NO_CACHE, Cache

    cache = Cache.of(out, cache_gb) if cache_gb else NO_CACHE
    return RuntimeConfig(out, device, workers, cache)


def run(
    *,
    out: str | Path = DEFAULT_OUT,
    device: str = DEFAULT_DEVICE,
    workers: int | None = None,
    cache: float = DEFAULT_CACHE_GB,
    data_root: str | Path | None = None,
    overwrite: Overwrite = "never",
    trackers: Sequence[str] = (),
    progress: bool = True,
    **settings: Any,
) -> FinishedRun:
    """Trains and evaluates a method as `ltbench run` does, and returns the result.

    A finished run is not executed again: its stored result is returned. An interrupted run is
    resumed.

    Args:
        out: Folder of the run directories.
        device: "auto" (the first GPU, or the CPU), "cpu", "cuda", "cuda:1", ...
        workers: Number of loader workers; None to measure it.
        cache: Size of the cache below `out` in gigabytes; 0 for no cache.
        data_root: Folder of the data sets; None for the environment variable LTBENCH_DATA, or
            "data".
        overwrite: Earlier runs of the same choices that are executed again: "never", "failed" or
            "always".
        trackers: Names of the trackers that follow the run.
        progress: Whether progress is shown on the standard error.
        settings: Settings by key, with Python values, such as `method=NAME` and `seed=1`; dotted
            keys, as for `--set`, in a dictionary: `**{"train.lr": 0.01}`.

    Raises:
        ConfigError: All faults of the arguments, or all faults of the settings.
        LTBenchError: The run could not be finished; the message and the hint are those of the
            command.
        KeyboardInterrupt: The run was interrupted; the same call resumes it.
    """
    expect_working_folder()
    let_waiting_threads_sleep()
    if data_root is None:
        data_root = os.environ.get(DATA_ROOT_VARIABLE) or DEFAULT_DATA_ROOT
    arguments = RunArguments.checked(
        {
            "out": out,
            "device": device,
            "workers": workers,
            "cache": cache,
            "data_root": data_root,
            "overwrite": overwrite,
            "trackers": trackers,
        }
    )
    try:
        with interrupts.caught():
            return _run(arguments, settings, shown=progress)
    except Interrupted as error:
        raise KeyboardInterrupt(f"{error.message}; the same call resumes the run") from None


def _run(arguments: RunArguments, settings: Settings, *, shown: bool) -> FinishedRun:
    planned = plan_run(
        load_plugins(),
        settings,
        arguments.data_root,
        arguments.trackers,
        progress=LateProgress() if shown else SILENT,
    )
    stored = planned.stored(arguments.out, arguments.overwrite)
    if stored is not None:
        return FinishedRun.from_result(stored)
    runtime = runtime_config(arguments.out, arguments.device, arguments.workers, arguments.cache)
    with _reporter(shown=shown) as reporter:
        return FinishedRun.from_result(planned.execute(runtime, arguments.overwrite, reporter))


@contextmanager
def _reporter(*, shown: bool) -> Iterator[ProgressReporter]:
    if not shown:
        yield SILENT
        return
    from ltbench.engine.progress_bar import show_progress

    with show_progress() as reporter:
        yield reporter
