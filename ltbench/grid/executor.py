"""Executors whose results are checked and whose errors are attributed to their plugin."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ltbench.config.options import parse_options
from ltbench.contexts import ExecutorContext
from ltbench.engine.tracking import ChosenTracker
from ltbench.errors import ConfigError
from ltbench.grid.executor_choice import ExecutorChoice
from ltbench.grid.grid_file import Grid
from ltbench.jobs import DetachedExecutor, Ended, Executor, Job, JobReport, ReportingExecutor
from ltbench.registry.attribution import attribute_errors
from ltbench.registry.component import Component
from ltbench.registry.registry import Registry


@dataclass(frozen=True)
class CheckedExecutor:
    """Executor that attributes the errors of another one to its component.

    Args:
        executor: The executor of a plugin.
        component: Component that built it.
    """

    executor: Executor
    component: Component

    @property
    def slots(self) -> int:
        """Number of jobs that run at the same time, at least 1."""
        with attribute_errors(self.component):
            slots = self.executor.slots
        if not isinstance(slots, int) or slots < 1:
            raise self.component.contract_error(f"has {slots!r} slots: expected at least 1")
        return slots

    def start(self, job: Job) -> None:
        """Starts a job."""
        with attribute_errors(self.component):
            self.executor.start(job)

    def wait(self, seconds: float) -> Sequence[Ended]:
        """Returns the jobs that have ended."""
        with attribute_errors(self.component):
            return self.executor.wait(seconds)

    def stop(self) -> None:
        """Ends all jobs."""
        with attribute_errors(self.component):
            self.executor.stop()


@dataclass(frozen=True)
class CheckedReportingExecutor(CheckedExecutor):
    """The same of an executor whose jobs may wait.

    Args:
        executor: The executor of a plugin.
        component: Component that built it.
    """

    executor: ReportingExecutor

    def report(self) -> Mapping[str, JobReport]:
        """Returns the places of all jobs that have not ended."""
        with attribute_errors(self.component):
            return self.executor.report()


@dataclass(frozen=True)
class CheckedDetachedExecutor(CheckedReportingExecutor):
    """The same of an executor whose jobs outlive the command.

    Args:
        executor: The executor of a plugin.
        component: Component that built it.
    """

    executor: DetachedExecutor

    def adopt(self, jobs: Sequence[Job]) -> Collection[str]:
        """Returns the names of the jobs that an earlier command has started."""
        with attribute_errors(self.component):
            return self.executor.adopt(jobs)

    def detach(self) -> None:
        """Leaves all jobs alone."""
        with attribute_errors(self.component):
            self.executor.detach()

    def cancel(self, names: Collection[str]) -> None:
        """Ends jobs in a way that they can be resumed."""
        with attribute_errors(self.component):
            self.executor.cancel(names)


def libraries_of(grid: Grid, trackers: Iterable[ChosenTracker]) -> tuple[str, ...]:
    """Returns the names of the libraries that the components and trackers of a grid import."""
    chosen = [one for run in grid.runs for one in run.resolved.components.values()]
    chosen += [tracker.component for tracker in trackers]
    return tuple(dict.fromkeys(name for one in chosen for name in one.spec.libraries))


def build_executor(
    registry: Registry,
    choice: ExecutorChoice,
    context: ExecutorContext,
    faults: Sequence[str] = (),
) -> CheckedExecutor:
    """Builds an executor.

    Args:
        registry: Components to choose from.
        choice: Name and options of the executor.
        context: Arguments for building the executor.
        faults: Faults found so far, which are reported together with all others.

    Raises:
        UnknownNameError: No executor has that name.
        ConfigError: All faults of the options.
    """
    component = registry.find("executor", choice.name)
    spec = component.spec
    unknown = [
        f"{key}: only executor.* and tracker.* can be set here"
        for key in choice.options
        if not key.startswith("executor.")
    ]
    own = {
        key.removeprefix("executor."): value
        for key, value in choice.options.items()
        if key.startswith("executor.")
    }
    with attribute_errors(component):
        config, wrong = parse_options(spec.config, own, "executor", f"executor '{spec.name}'")
    if faults or unknown or wrong:
        raise ConfigError.from_faults(
            [*faults, *map(choice.located, [*unknown, *wrong])],
            hint=f"see `ltbench show executor {spec.name}`; the grid file sets the rest",
        )
    with attribute_errors(component):
        executor = spec.build(config, context)
        if isinstance(executor, DetachedExecutor):
            return CheckedDetachedExecutor(executor, component)
        if isinstance(executor, ReportingExecutor):
            return CheckedReportingExecutor(executor, component)
        return CheckedExecutor(executor, component)
