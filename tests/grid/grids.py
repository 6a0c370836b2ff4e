"""Small grids, and an executor that runs them in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ltbench.grid import worker
from ltbench.grid.grid_file import Grid, read_grid
from ltbench.grid.scheduler import Scheduler
from ltbench.grid.status import read_states
from ltbench.grid.task import Task
from ltbench.jobs import Ended, Job
from ltbench.registry.registry import Registry
from ltbench.storage.run_directory import Overwrite

SMALL = """
[defaults]
method = "classifier_only"
"dataset.largest" = 10
"dataset.ratio" = 4
inference = "center"
augmentation = "none"
precision = "fp32"
train.epochs = 2
"""


def small(folder: Path, rest: str) -> Path:
    """Writes a grid file whose runs take a fraction of a second."""
    path = folder / "small.toml"
    path.write_text(SMALL + rest)
    return path


@dataclass
class InProcess:
    """An executor without processes: a job is run when it is started.

    Args:
        before: Called with the name of each job before it is run; what it returns, if anything, is
            the end of the job, which is then not run.
    """

    slots: int = 1
    before: Callable[[str], Ended | None] = lambda name: None
    started: list[str] = field(default_factory=list)
    _ended: list[Ended] = field(default_factory=list)

    def start(self, job: Job) -> None:
        self.started.append(job.name)
        argv = list(sys.argv)
        try:
            ended = self.before(job.name)
            self._ended.append(ended or Ended(job.name, worker.main(job.command[-1:])))
        finally:
            sys.argv = argv

    def wait(self, seconds: float) -> Sequence[Ended]:
        ended, self._ended = self._ended, []
        return ended

    def stop(self) -> None:
        """Nothing is running."""


@dataclass
class Folder:
    """Grids and runs in a folder."""

    path: Path
    registry: Registry

    @property
    def out(self) -> Path:
        return self.path / "runs"

    def read(self, rest: str) -> Grid:
        return read_grid(small(self.path, rest), self.registry, self.path / "data")

    def schedule(
        self, grid: Grid, executor: InProcess, overwrite: Overwrite = "never"
    ) -> Scheduler:
        shared = self.path.parent / "features"  # of all tests: most runs read the same images
        how = {"device": "cpu", "workers": 0, "data_root": str(self.path / "data")}
        how |= {"cache": 1.0, "cache_dir": str(shared)}
        return Scheduler.of(read_states(grid, self.out), executor, self.out, overwrite, **how)

    def run(
        self, grid: Grid, executor: InProcess | None = None, overwrite: Overwrite = "never"
    ) -> list[Task]:
        schedule = self.schedule(grid, executor or InProcess(), overwrite)
        schedule.run(lambda task: None)
        return list(schedule.tasks)
