"""Stored runs below folders: the source of comparisons, leaderboards and reports."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from ltbench.config.runspec import RunSpec
from ltbench.errors import ConfigError, DataError
from ltbench.io.gc import gc_paused
from ltbench.io.paths import is_folder, no_folder
from ltbench.storage.result_schema import Classes, RunResult
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.seedless import is_same_result, is_seedless

_FILES = {"spec.json", "result.json", "failure.json", "environment.json", "history.jsonl"}
"""Any of these makes a folder a run directory, finished or not."""


@dataclass(frozen=True)
class Cell:
    """Runs that differ in their seed alone.

    Args:
        key: Choices that the runs share, as canonical JSON.
        runs: Results in ascending order of their seeds.
        repeats: Runs of a method that no seed changes, with the result of the one run in `runs`.
    """

    key: str
    runs: tuple[RunResult, ...]
    repeats: tuple[RunResult, ...] = ()

    @classmethod
    def of(cls, key: str, runs: Iterable[RunResult]) -> Cell:
        """Returns the cell of some runs; equal results of a run that trains nothing count once."""
        first, *others = sorted(runs, key=lambda run: run.seed)
        if others and all(is_same_result(first, other) for other in others):
            return cls(key, (first,), tuple(others))
        return cls(key, (first, *others))

    @cached_property
    def seedless(self) -> bool:
        """Whether the seed changes no result: there is no variance of seeds."""
        return bool(self.repeats) or (len(self.runs) == 1 and is_seedless(self.runs[0]))

    @property
    def spec(self) -> RunSpec:
        """Choices of the first run."""
        return self.runs[0].spec

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds, ascending."""
        return tuple(run.seed for run in self.runs)

    def mean(self, metric: str) -> float | None:
        """Returns the mean of an accuracy over the seeds; None where a seed has no value."""
        values = [value for run in self.runs if (value := run.metrics.value(metric)) is not None]
        return float(np.mean(values)) if len(values) == len(self.runs) else None


@dataclass(frozen=True)
class SkippedRun:
    """A run directory that cannot be used.

    Args:
        path: Path of the directory.
        reason: Reason in one sentence.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class Found:
    """Runs below some folders.

    Args:
        runs: Results of finished runs, in the order of their paths.
        skipped: Broken, failed and unfinished runs, and copies of others.
    """

    runs: tuple[RunResult, ...]
    skipped: tuple[SkippedRun, ...]

    def comparable(self) -> Found:
        """Returns the runs without quick looks, which are skipped.

        Raises:
            ConfigError: There are runs, and all are quick looks.
        """
        quick = [run for run in self.runs if not run.comparable]
        if not quick:
            return self
        if len(quick) == len(self.runs):
            expect_comparable(quick)
        skipped = [
            SkippedRun(run.path, f"it is a quick look ({run.spec.quick_text})") for run in quick
        ]
        kept = tuple(run for run in self.runs if run.comparable)
        return Found(kept, (*self.skipped, *skipped))

    def cells(self) -> list[Cell]:
        """Returns the runs, grouped by everything but their seed."""
        return group(self.runs)


def expect_comparable(runs: Iterable[RunResult]) -> None:
    """Checks that results may be compared.

    Raises:
        ConfigError: A run is a quick look.
    """
    quick = [run for run in runs if not run.comparable]
    if quick:
        others = f" ({len(quick):,} such runs)" if len(quick) > 1 else ""
        raise ConfigError(
            f"{quick[0].path} is a quick look ({quick[0].spec.quick_text}){others}: "
            "its numbers are not comparable",
            hint="run it without --limit and --fast; ltbench runs show RUN shows a quick look",
        )


def group(runs: Iterable[RunResult]) -> list[Cell]:
    """Returns runs grouped by everything but their seed, in the order of their first paths."""
    groups: dict[str, list[RunResult]] = {}
    for run in runs:
        groups.setdefault(run.key, []).append(run)
    return [Cell.of(key, members) for key, members in groups.items()]


@gc_paused()
def find_runs(paths: Sequence[Path]) -> Found:
    """Reads the result of every run in some folders or below them.

    One file of each run is read, `result.json`. Results of runs on the same classes share
    `classes`; results of a cell share the choices of their `spec`.

    Args:
        paths: Run directories, or folders above them.

    Raises:
        ConfigError: A path is not a directory.
    """
    runs: dict[str, RunResult] = {}
    skipped: list[SkippedRun] = []
    shared = _Shared()
    for path in run_directories(paths, skipped):
        try:
            run = RunDirectory(path).finished()
        except DataError as error:
            skipped.append(SkippedRun(path, error.message))
            continue
        if run.hash in runs:
            skipped.append(SkippedRun(path, f"it is the same run as {runs[run.hash].path}"))
            continue
        runs[run.hash] = shared.apply(run)
    return Found(tuple(runs.values()), tuple(skipped))


def is_run_directory(path: Path) -> bool:
    """Returns whether a folder is a run directory, of a finished run or not."""
    return any((path / name).exists() for name in _FILES)


def run_directories(paths: Sequence[Path], skipped: list[SkippedRun]) -> Iterator[Path]:
    """Yields run directories, finished or not, each once.

    Args:
        paths: Run directories, or folders above them.
        skipped: List to which folders that cannot be listed are added.

    Raises:
        ConfigError: A path is not a directory.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if not is_folder(path):
            raise ConfigError(
                f"{path} {no_folder(path)}",
                hint="give run directories or folders above them, as runs/digits_lt",
            )
    waiting = list(reversed(paths))
    while waiting:
        path = waiting.pop()
        try:
            about = path.stat()
            if (about.st_dev, about.st_ino) in seen:  # given twice, or a link in a circle
                continue
            seen.add((about.st_dev, about.st_ino))
            with os.scandir(path) as entries:
                listed = list(entries)
        except OSError as error:
            skipped.append(SkippedRun(path, f"it cannot be listed: {error.strerror or error}"))
            continue
        if any(entry.name in _FILES for entry in listed):
            yield path
        else:
            names = [e.name for e in listed if not e.name.startswith(".") and is_folder(e)]
            waiting += [path / name for name in sorted(names, reverse=True)]


@dataclass
class _Shared:
    """Parts that many results have in common, kept in memory once.

    Attributes:
        classes: Classes by their content.
        specs: First spec of each cell by its key.
    """

    classes: dict[object, Classes] = field(default_factory=dict)
    specs: dict[str, RunSpec] = field(default_factory=dict)

    def apply(self, run: RunResult) -> RunResult:
        """Returns a result with its classes and choices replaced by equal ones that are kept."""
        classes, own = run.classes, run.spec
        content = tuple(classes.names), tuple(classes.train_images), tuple(classes.trained_on)
        common = self.specs.setdefault(run.key, own).with_seed(own.seed)
        update = {
            "classes": self.classes.setdefault(content, classes),
            "spec": common if common == own else own,  # paths, which are in no key, may differ
        }
        return run.model_copy(update=update)
