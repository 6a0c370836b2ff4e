"""Launch of a run: from settings through plugins and choices to the result.

The command, the workers of a grid, the conformance checks and Python call this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ltbench.config.resolve import Resolved, resolve
from ltbench.engine.tracking import ChosenTracker, choose_trackers, without_trackers
from ltbench.progress import SILENT, ProgressReporter
from ltbench.registry.registry import Registry
from ltbench.specs import Settings
from ltbench.storage.run_directory import Overwrite, RunDirectory, stored_result

if TYPE_CHECKING:
    from ltbench.engine.run import RuntimeConfig
    from ltbench.ranks.group import Group
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
        self,
        runtime: RuntimeConfig,
        overwrite: Overwrite,
        progress: ProgressReporter = SILENT,
        stop_after: Callable[[Sequence[Mapping[str, Any]]], bool] | None = None,
    ) -> RunResult:
        """Executes, resumes or loads the run, and returns its result.

        Args:
            runtime: Folder of run directories, device, loader workers and cache.
            overwrite: Earlier runs of the same choices that are executed again.
            progress: Progress reporter.
            stop_after: Function that reads the rows of the epochs so far and returns whether the
                training ends here; called after each epoch but the last, and before a resumed
                training.

        Raises:
            Stopped: `stop_after` returned True; a later call resumes the run.
            LTBenchError: The run could not be finished; a later call resumes it where possible.
        """
        from ltbench.engine.run import execute

        return execute(
            self.resolved,
            self.registry,
            runtime,
            overwrite,
            progress,
            list(self.trackers),
            stop_after,
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


def runtime_config(
    out: Path,
    device: str,
    workers: int | None,
    cache_gb: float,
    command_id: str = "",
    group: Group | None = None,
    cache_dir: Path | None = None,
) -> RuntimeConfig:
    """Returns the runtime configuration of a run; imports torch.

    Args:
        out: Folder of the run directories.
        device: "auto", "cpu", "cuda", "cuda:1", ...
        workers: Number of loader workers; None to measure it.
        cache_gb: Size of the cache in gigabytes; 0 for no cache.
        command_id: Text that a command gives all its requests; empty for none.
        group: Processes that execute the run together; None for this process alone.
        cache_dir: Folder of the cache; None for the default.
    """
    from ltbench.io.gc import gc_paused

    with gc_paused():
        from ltbench.engine.run import RuntimeConfig
    from ltbench.io.array_cache import NO_CACHE, Cache
    from ltbench.ranks.group import SINGLE

    cache = Cache.of(out, cache_gb, cache_dir) if cache_gb else NO_CACHE
    return RuntimeConfig(out, device, workers, cache, command_id, group or SINGLE)
