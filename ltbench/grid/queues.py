"""Queues: the executors of a folder whose jobs outlive the command, and their jobs.

A command that starts jobs there leaves the executor's name and options in
`<out>/.jobs/executor-<name>.json`, so that `grid status`, `grid logs` and `grid cancel` need
neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ltbench.config.text import Text, as_typed
from ltbench.contexts import ExecutorContext
from ltbench.errors import LTBenchError
from ltbench.grid.executor import CheckedDetachedExecutor, build_executor
from ltbench.jobs import JobReport
from ltbench.registry.registry import Registry
from ltbench.storage.files import make_folder, write_atomically

LOGS = "logs"  # folder below ExecutorContext.folder with an output for each job, by its name


@dataclass
class Queues:
    """Executors of a folder whose jobs outlive the command.

    Args:
        executors: Those that answer.
        jobs: Their jobs that wait or run, by the hash of the run.
        faults: Reasons why the jobs of others are not known.
    """

    executors: list[CheckedDetachedExecutor] = field(default_factory=list)
    jobs: dict[str, JobReport] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, out: Path, registry: Registry) -> Queues:
        """Asks the executors that commands have used for a folder of runs."""
        queues = cls()
        context = ExecutorContext(jobs=None, device="auto", out=out)
        for name, options in _remembered(context.folder):
            try:
                executor = build_executor(registry, name, options, context)
                if isinstance(executor, CheckedDetachedExecutor):
                    queues.jobs |= executor.report()
                    queues.executors.append(executor)
            except LTBenchError as error:
                queues.faults.append(f"the jobs of {name} are not known: {error.message}")
        return queues

    def cancel(self, names: set[str]) -> list[str]:
        """Cancels jobs; returns the names of those that were waiting or running.

        Raises:
            RunError: They cannot be cancelled.
        """
        found = sorted(names & self.jobs.keys())
        if found:
            for executor in self.executors:
                executor.cancel(found)
        return found


def remember(executor: CheckedDetachedExecutor, out: Path, options: Mapping[str, Any]) -> None:
    """Leaves the name and the options of an executor for later commands.

    Args:
        executor: The executor.
        out: Folder of the run directories.
        options: Its options by dotted key: `executor.partition`.

    Raises:
        RunError: The file cannot be written.
    """
    name = executor.component.spec.name
    folder = ExecutorContext(jobs=None, device="auto", out=out).folder
    make_folder(folder)
    written = {key: as_text(value) for key, value in options.items()}
    content = json.dumps({"name": name, "options": written}, indent=2)
    write_atomically(folder / f"executor-{name}.json", content.encode())


def as_text(value: Any) -> str:
    """Returns a setting as it is written for `--set`."""
    return value if isinstance(value, Text) else as_typed(value)


def log_of(out: Path, name: str) -> Path:
    """Returns the path of a job's output.

    Args:
        out: Folder of the run directories.
        name: Name of the job: the hash of its run.
    """
    return ExecutorContext(jobs=None, device="auto", out=out).folder / LOGS / f"{name}.log"


def logged(out: Path) -> list[str]:
    """Returns the names of all jobs that have an output."""
    folder = log_of(out, "").parent
    return sorted(path.stem for path in folder.glob("*.log")) if folder.is_dir() else []


def _remembered(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(folder.glob("executor-*.json")) if folder.is_dir() else ():
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            name, options = str(about["name"]), dict(about["options"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of another version
        yield name, {key: Text(value) for key, value in options.items()}
