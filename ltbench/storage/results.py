"""Stored runs, found below folders: what comparisons, leaderboards and reports are made from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ltbench.config.runspec import Choice, RunSpec, canonical
from ltbench.errors import ConfigError, DataError
from ltbench.io.gc import gc_paused
from ltbench.storage.predictions import Answers, Predictions
from ltbench.storage.result_schema import check_predictions, check_result
from ltbench.storage.run_directory import RunDirectory

_FILES = {"spec.json", "result.json", "failure.json", "environment.json", "history.jsonl"}
"""Any of these makes a folder a run directory, finished or not."""


@dataclass(frozen=True)
class Run:
    """A finished run.

    Args:
        path: Its directory.
        result: What `result.json` holds, as today's schema has it. Runs on the same classes share
            `classes`, and those of a cell what they have in common of `run`.
    """

    path: Path
    result: dict[str, Any]

    @cached_property
    def spec(self) -> RunSpec:
        """What was run."""
        return RunSpec.from_dict(self.result["run"])

    @cached_property
    def key(self) -> str:
        """Everything but the seed, as canonical JSON: equal for the runs of a cell."""
        return canonical(self.result["run"], without="seed")

    @property
    def seed(self) -> int:
        """Of the training."""
        seed: int = self.result["run"]["seed"]
        return seed

    def predictions(self, inference: str | None = None) -> Predictions:
        """Reads the stored predictions.

        Args:
            inference: As in the file's name, `predictions-<inference>.parquet`; the run's own where
                None.

        Raises:
            DataError: They are missing, damaged or of another run, or the result's numbers are not
                theirs.
        """
        path = self._predictions(inference)
        read = Predictions.read(path)
        check_predictions(path, read, self.result)
        return read

    def answers(self, inference: str | None = None) -> Answers:
        """Reads only which classes were predicted.

        Args:
            inference: As for `predictions`.

        Raises:
            DataError: As for `predictions`.
        """
        path = self._predictions(inference)
        read = Answers.read(path)
        check_predictions(path, read, self.result)
        return read

    def _predictions(self, inference: str | None) -> Path:
        own = Choice(**self.result["run"]["inference"])  # checked when it was read
        path = RunDirectory(self.path).predictions(own, own)
        if inference is not None:
            path = path.with_name(f"predictions-{inference}.parquet")
            if not path.exists():
                stored = sorted(
                    found.stem.removeprefix("predictions-")
                    for found in self.path.glob("predictions-*.parquet")
                )
                name = inference.partition("-")[0]
                raise DataError(
                    f"{self.path} has no predictions with inference '{inference}'"
                    f"{', only with ' if stored else ''}{', '.join(stored)}",
                    hint=f"make them: ltbench eval {self.path} --inference {name}",
                )
        return path


@dataclass(frozen=True)
class Cell:
    """Runs that differ in their seed alone.

    Args:
        key: What they have in common, as canonical JSON.
        runs: By seed.
    """

    key: str
    runs: tuple[Run, ...]

    @property
    def spec(self) -> RunSpec:
        """Of the first run."""
        return self.runs[0].spec

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds, ascending."""
        return tuple(run.seed for run in self.runs)

    def mean(self, metric: str) -> float | None:
        """Returns the mean of an accuracy over the seeds; None where one of them has none."""
        values = [run.result["metrics"][metric] for run in self.runs]
        return None if any(value is None for value in values) else float(np.mean(values))


@dataclass(frozen=True)
class SkippedRun:
    """A run directory that cannot be used.

    Args:
        path: Of the directory.
        reason: Why, in words.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class Found:
    """What there is below some folders.

    Args:
        runs: Finished runs, in the order of their paths.
        skipped: Broken, failed and unfinished ones, and copies of others.
    """

    runs: tuple[Run, ...]
    skipped: tuple[SkippedRun, ...]

    def cells(self) -> list[Cell]:
        """Returns the runs, grouped by everything but their seed."""
        return group(self.runs)


def group(runs: Iterable[Run]) -> list[Cell]:
    """Returns runs grouped by everything but their seed, in the order of their first paths."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.key, []).append(run)
    return [
        Cell(key, tuple(sorted(members, key=lambda run: run.seed)))
        for key, members in groups.items()
    ]


@gc_paused()
def find_runs(paths: Sequence[Path]) -> Found:
    """Reads the result of every run in some folders or below them.

    Of each run one file is read, `result.json`.

    Args:
        paths: Run directories, or folders somewhere above them.

    Raises:
        ConfigError: A path is no folder.
    """
    runs: dict[str, Run] = {}
    skipped: list[SkippedRun] = []
    kept = _Kept()
    for path in run_directories(paths, skipped):
        try:
            run = _read(path)
        except DataError as error:
            skipped.append(SkippedRun(path, error.message))
            continue
        name = run.result["hash"]
        if name in runs:
            skipped.append(SkippedRun(path, f"it is the same run as {runs[name].path}"))
            continue
        kept.share(run)
        runs[name] = run
    return Found(tuple(runs.values()), tuple(skipped))


def run_directories(paths: Sequence[Path], skipped: list[SkippedRun]) -> Iterator[Path]:
    """Yields run directories, finished or not, each once.

    Args:
        paths: Run directories, or folders somewhere above them.
        skipped: Folders that cannot be listed are added here.

    Raises:
        ConfigError: A path is no folder.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        if not path.is_dir():
            raise ConfigError(
                f"there is no folder {path}",
                hint="give run directories, or folders that hold some, as runs/digits_lt",
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
            names = [e.name for e in listed if not e.name.startswith(".") and e.is_dir()]
            waiting += [path / name for name in sorted(names, reverse=True)]


def _read(path: Path) -> Run:
    """Reads a run.

    Raises:
        DataError: It is not finished, or broken.
    """
    directory = RunDirectory(path)
    result = directory.result()
    if result is None:
        failure = directory.failure()
        raise DataError("not finished" if failure is None else f"failed: {failure['error']}")
    check_result(result)
    try:
        RunSpec.from_dict(result["run"])
    except ValueError as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{path / 'result.json'} does not describe a run: {first}") from error
    return Run(path, result)


@dataclass
class _Kept:
    """What many runs have in common, kept once: names of classes, the choices of a cell."""

    classes: dict[object, dict[str, Any]] = field(default_factory=dict)
    choices: dict[str, dict[str, Any]] = field(default_factory=dict)

    def share(self, run: Run) -> None:
        about = run.result["classes"]
        key = tuple((part, tuple(about[part])) for part in sorted(about))
        run.result["classes"] = self.classes.setdefault(key, about)
        own = run.result["run"]
        common = {**self.choices.setdefault(run.key, own), "seed": run.seed}
        if common == own:  # paths, which are in no key, may differ
            run.result["run"] = common
