"""`ltbench.run`: one run from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ltbench.api.finished_run import FinishedRun
from ltbench.api.progress import shown_progress
from ltbench.api.run_arguments import RunArguments, data_root_or_default
from ltbench.config.defaults import DEFAULT_CACHE_GB, DEFAULT_DEVICE, DEFAULT_OUT
from ltbench.engine.late_progress import LateProgress
from ltbench.engine.launch import plan_run, runtime_config
from ltbench.errors import Interrupted
from ltbench.io import interrupts
from ltbench.io.notebook import import_tqdm_quietly
from ltbench.io.process import expect_working_folder, let_waiting_threads_sleep
from ltbench.progress import SILENT
from ltbench.registry.load import load_plugins
from ltbench.specs import Settings
from ltbench.storage.run_directory import Overwrite


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
            keys, as for `--set`, in a dictionary: `**{"train.lr": 0.01}`. `limit=5` and `fast=True`
            make a quick look, whose result is compared with no other.

    Raises:
        ConfigError: All faults of the arguments, or all faults of the settings.
        LTBenchError: The run could not be finished; the message and the hint are those of the
            command.
        KeyboardInterrupt: The run was interrupted; the same call resumes it.
    """
    expect_working_folder()
    let_waiting_threads_sleep()
    import_tqdm_quietly()
    arguments = RunArguments.checked(
        {
            "out": out,
            "device": device,
            "workers": workers,
            "cache": cache,
            "data_root": data_root_or_default(data_root),
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
    with shown_progress(shown=shown) as reporter:
        return FinishedRun.from_result(planned.execute(runtime, arguments.overwrite, reporter))
