"""A grid of instant runs: each is done exactly once, and what that takes."""

from __future__ import annotations

import resource
import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cluster.meter import metered
from ltbench.grid.grid_file import Grid, resolve_grid
from ltbench.grid.grid_tables import tables_of
from ltbench.grid.launch import GridOptions, schedule_grid
from ltbench.grid.scheduler import Scheduler
from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry
from ltbench.storage.run_directory import RunDirectory

_SETTINGS = {
    "method": "classifier_only",
    "dataset.largest": 10,
    "dataset.ratio": 4,
    "inference": "center",
    "precision": "fp32",
    "train.epochs": 1,
}


@dataclass(frozen=True)
class Overhead:
    """Overhead of an executor.

    Args:
        executor: Its name.
        runs: Number of runs of the grid.
        slots: Number of jobs at the same time.
        submitted_per_second: Jobs that are handed over in a second: to a process, or to a queue.
        done_per_second: Runs that are done in a second, from the first start to the last known end.
        seconds_to_known: Median, and 95th percentile, of the seconds from the end of a job until
            the grid knows it.
        memory_mb: Peak memory of the driver.
        memory_before_mb: Its peak memory when the states of the runs were read.
        started_once: Number of runs of which exactly one job was started.
        done: Number of runs that are done.
    """

    executor: str
    runs: int
    slots: int
    submitted_per_second: float
    done_per_second: float
    seconds_to_known: tuple[float, float]
    memory_mb: float
    memory_before_mb: float
    started_once: int
    done: int


def measure(
    executor: str, runs: int, folder: Path, settings: Mapping[str, Any], jobs: int | None = None
) -> Overhead:
    """Executes a grid of instant runs.

    Args:
        executor: Name of the executor.
        runs: Number of runs.
        folder: Empty folder, which the jobs can reach.
        settings: Options of the executor.
        jobs: Number of jobs at the same time; None lets the executor choose.
    """
    registry = load_plugins()
    _write_template(registry, folder)
    grid = _grid(registry, runs)
    seeds = {run.resolved.spec.hash: run.resolved.spec.seed for run in grid.runs}
    options = GridOptions(
        folder / "runs", Path("data"), executor, jobs, device="cpu", workers=0, settings=settings
    )
    schedule = schedule_grid(grid, registry, options)
    before = _peak_mb()
    meter = metered(schedule.executor, folder, seeds)
    schedule.executor = meter
    slots = schedule.executor.slots
    schedule.run(lambda task: None)

    ends = dict(line.split() for line in (folder / "ends").read_text().splitlines())
    delays = sorted(meter.known[name] - float(end) for name, end in ends.items())
    starts = Counter((folder / "starts").read_text().split())
    return Overhead(
        executor=executor,
        runs=runs,
        slots=slots,
        submitted_per_second=runs / meter.start_seconds,
        done_per_second=runs / (max(meter.known.values()) - meter.first_start),
        seconds_to_known=(statistics.median(delays), delays[int(0.95 * len(delays))]),
        memory_mb=_peak_mb(),
        memory_before_mb=before,
        started_once=sum(starts[name] == 1 for name in seeds),
        done=sum(task.state == "done" for task in schedule.tasks),
    )


def _grid(registry: Registry, runs: int) -> Grid:
    tables = tables_of({"defaults": {**_SETTINGS, "seed": list(range(runs))}})
    return resolve_grid(tables, "grid", registry, Path("data"))


def _write_template(registry: Registry, folder: Path) -> None:
    """Executes one run, and keeps its result for the others to copy."""
    options = GridOptions(folder / "template", Path("data"), "local", 1, device="cpu", workers=0)
    schedule: Scheduler = schedule_grid(_grid(registry, 1), registry, options)
    schedule.run(lambda task: None)
    spec = schedule.tasks[0].run.resolved.spec
    text = (RunDirectory.of(options.out, spec).path / "result.json").read_text()
    target = RunDirectory.of((folder / "runs").resolve(), spec).path.parent
    (folder / "template.json").write_text(f"{spec.hash}\n{target}\n{text}")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def lines(measured: list[Overhead]) -> list[str]:
    """Returns a Markdown table."""
    shown = [
        "| executor | runs | at the same time | submitted a second | done a second |"
        " seconds from end to known (median, 95 %) | memory of the driver |"
        " each started exactly once | done |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in measured:
        median, late = one.seconds_to_known
        memory = f"{one.memory_mb:.0f} MB ({one.memory_mb - one.memory_before_mb:+.0f})"
        cells = (
            *(f"`{one.executor}`", one.runs, one.slots, f"{one.submitted_per_second:,.0f}"),
            *(f"{one.done_per_second:.1f}", f"{median:.2f}, {late:.2f}", memory),
            *("yes" if one.started_once == one.runs else one.started_once, one.done),
        )
        shown.append(f"| {' | '.join(map(str, cells))} |")
    return shown
