"""A study: its folder, its record, and the trials that have ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ltbench.errors import ConfigError, RunError
from ltbench.io.files import remove_partials
from ltbench.io.locks import hold_lock
from ltbench.tuning.space import Space
from ltbench.tuning.study_file import (
    StudyRecord,
    TrialRecord,
    read_study,
    read_trials,
    write_study,
    write_trials,
)

FOLDER = ".tuning"
"""Folder below the run directories; its dot keeps trials out of leaderboards and reports."""


@dataclass
class Study:
    """A study that this process continues.

    Args:
        folder: Folder of its files.
        record: Methods, search spaces, sampler and budget.
        trials: Trials that have ended, in this order.
    """

    folder: Path
    record: StudyRecord
    trials: list[TrialRecord] = field(default_factory=list)

    @property
    def spaces(self) -> list[Space]:
        """Search spaces of the methods."""
        return [one.as_space() for one in self.record.methods]

    def of(self, method: str) -> list[TrialRecord]:
        """Returns the trials of a method, in their order."""
        return [trial for trial in self.trials if trial.method == method]

    def best(self, method: str) -> TrialRecord | None:
        """Returns the trial of a method with the highest score, of equal ones the first."""
        done = [trial for trial in self.of(method) if trial.value is not None]
        return max(done, key=lambda trial: trial.value or 0.0, default=None)

    def add(self, trial: TrialRecord) -> None:
        """Adds a trial that has ended, and writes all trials.

        Raises:
            RunError: The file cannot be written.
        """
        write_trials(self.folder, [*self.trials, trial])
        self.trials.append(trial)


def runs_folder(out: Path) -> Path:
    """Returns the folder of the trials' run directories, which all studies share."""
    return out / FOLDER / "runs"


def study_folder(out: Path, record: StudyRecord, name: str | None) -> Path:
    """Returns the folder of a study.

    Args:
        out: Folder of the run directories.
        record: Content of `study.json`.
        name: Name of the study; None for one that follows from the record, without its budget.
    """
    methods = "-".join(one.method for one in record.methods)
    return out / FOLDER / "studies" / (name or f"{methods[:60]}-{record.identity}")


@contextmanager
def open_study(folder: Path, record: StudyRecord) -> Iterator[Study]:
    """Yields a new study, or the one that is continued; holds its lock meanwhile.

    Args:
        folder: Folder of the study.
        record: Content of `study.json`; the budget of an earlier one may be raised.

    Raises:
        BusyError: Another process continues the study.
        ConfigError: The folder has another study, or more trials than the budget.
        DataError: A file of the study is damaged.
        RunError: The folder cannot be written.
    """
    with hold_lock(folder / "study.lock", f"running the study {folder}", RunError, "--out"):
        remove_partials(folder)
        before = read_study(folder)
        if before is not None and before.identity != record.identity:
            raise ConfigError(
                f"{folder} has another study: {_differences(before, record)}",
                hint="give the study another --name",
            )
        trials = [] if before is None else read_trials(folder, before)
        done = max((trial.number + 1 for trial in trials), default=0)
        if done > record.budget:
            raise ConfigError(
                f"--budget: expected at least {done}, the number of trials that {folder} has",
                hint=f"take --budget {done}, or give the study another --name",
            )
        if before != record:
            write_study(folder, record)
        yield Study(folder, record, trials)


def _differences(before: StudyRecord, now: StudyRecord) -> str:
    """Returns the names of the parts that differ."""
    names = [name for name in StudyRecord.model_fields if name != "budget"]
    changed = [name for name in names if getattr(before, name) != getattr(now, name)]
    return f"with other {', '.join(changed)}"
