"""Stored runs below folders: the source of comparisons, leaderboards and reports."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ltbench.config.runspec import RunSpec
from ltbench.errors import ConfigError, DataError
from ltbench.io.gc import gc_paused
from ltbench.io.paths import is_folder, no_folder
from ltbench.storage.index_rows import RowReader, Rows
from ltbench.storage.result_schema import NUMBERS, RunResult
from ltbench.storage.run_index import RunIndex, below
from ltbench.storage.seedless import is_same_result, is_seedless
from ltbench.storage.shared_parts import SharedParts

T = TypeVar("T")
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
        return self._statistics[metric][0]

    def deviation(self, metric: str) -> float | None:
        """Returns the standard deviation over the seeds; None with one, or as for the mean."""
        return self._statistics[metric][1]

    def parts(self, name: str) -> list[Any]:
        """Returns a field, or a part of one, of each run: see `LateFields.peek`."""
        if self._rows is not None:
            rows, places = self._rows
            if (column := rows.column(name)) is not None:
                return [
                    column[place] if place is not None else read(name)
                    for place, read in zip(places, self._readers, strict=True)
                ]
        return [read(name) for read in self._readers]

    @cached_property
    def _rows(self) -> tuple[Rows, list[int | None]] | None:
        """Index of the runs, and the row of each that was not changed; None without any."""
        found = [read if isinstance(read, RowReader) else None for read in self._readers]
        rows = {id(read.rows): read.rows for read in found if read is not None}
        if len(rows) != 1:
            return None
        return next(iter(rows.values())), [None if read is None else read.row for read in found]

    @cached_property
    def _readers(self) -> list[Callable[[str], Any]]:
        return [run.reader() for run in self.runs]

    @cached_property
    def _statistics(self) -> dict[str, tuple[float | None, float | None]]:
        """Mean and standard deviation by metric: computed together, and once for all tables."""
        values = np.array(self.parts("metrics.numbers"), dtype=np.float64)
        each = np.ascontiguousarray(values.T)  # summed in the order of one metric's values
        several = len(self.runs) > 1
        deviations = each.std(axis=1, ddof=1) if several else np.full(len(each), np.nan)
        return {
            name: (None if math.isnan(mean) else mean, None if math.isnan(one) else one)
            for name, mean, one in zip(
                NUMBERS, each.mean(axis=1).tolist(), deviations.tolist(), strict=True
            )
        }


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

    One file of each run is read, `result.json`, unless the index of the folder has its content.
    Results of runs on the same classes share `classes`; results of a cell share the choices of
    their `spec`.

    Args:
        paths: Run directories, or folders above them.

    Raises:
        ConfigError: A path is not a directory.
    """
    runs: dict[str, RunResult] = {}
    skipped: list[SkippedRun] = []
    seen: set[tuple[int, int]] = set()
    shared = SharedParts()
    _expect_folders(paths)
    for root in paths:
        for run in _results(root, seen, shared, skipped):
            if run.hash in runs:
                skipped.append(SkippedRun(run.path, f"it is the same run as {runs[run.hash].path}"))
            else:
                runs[run.hash] = run
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
    _expect_folders(paths)
    seen: set[tuple[int, int]] = set()
    for root in paths:
        for path, _ in _walk(root, seen, skipped, lambda path: None):
            yield Path(path)


def indexed_runs(folder: Path) -> Iterator[tuple[str, Callable[[str], Any] | None]]:
    """Yields the path of each run directory; where the index has its result, with its reader.

    Args:
        folder: Folder of run directories.

    Raises:
        ConfigError: It is not a directory.
    """
    _expect_folders([folder])
    yield from _walk(folder, set(), [], RunIndex(folder, SharedParts()).reader)


def _results(
    root: Path, seen: set[tuple[int, int]], shared: SharedParts, skipped: list[SkippedRun]
) -> list[RunResult]:
    """Returns the results of the finished runs in a folder: see `find_runs`."""
    index = RunIndex(root, shared)
    results: list[RunResult] = []
    places: dict[str, int] = {}
    for path, known in _walk(root, seen, skipped, index.known):
        if known is None:
            try:
                known = index.read(path)
            except DataError as error:
                skipped.append(SkippedRun(Path(path), error.message))
                continue
            places[path] = len(results)
        results.append(known)
        for packed, result in index.pack().items():
            results[places[packed]] = result
    index.save()
    return results


def _expect_folders(paths: Iterable[Path]) -> None:
    for path in paths:
        if not is_folder(path):
            raise ConfigError(
                f"{path} {no_folder(path)}",
                hint="give run directories or folders above them, as runs/digits_lt",
            )


def _walk(
    root: Path,
    seen: set[tuple[int, int]],
    skipped: list[SkippedRun],
    known: Callable[[str], T | None],
) -> Iterator[tuple[str, T | None]]:
    """Yields the run directories in a folder, or itself, with what is known of their results.

    Args:
        root: The folder.
        seen: Devices and inodes of folders that were visited, which are left out.
        skipped: List to which folders that cannot be listed are added.
        known: Function that returns what is known of a run directory, whose folder is then not
            listed; None for another folder.
    """
    waiting: list[tuple[str, tuple[int, int] | None]] = [(str(root), None)]
    while waiting:
        path, place = waiting.pop()
        if place is not None and (run := known(path)) is not None:
            if place not in seen:
                seen.add(place)
                yield path, run
            continue
        try:
            about = os.stat(path)  # noqa: PTH116  # Path objects take longer than the call
            device = about.st_dev
            if (device, about.st_ino) in seen:  # given twice, or a link in a circle
                continue
            seen.add((device, about.st_ino))
            with os.scandir(path) as entries:
                listed = list(entries)
        except OSError as error:
            reason = f"it cannot be listed: {error.strerror or error}"
            skipped.append(SkippedRun(Path(path), reason))
            continue
        if any(entry.name in _FILES for entry in listed):
            yield path, None
            continue
        listed = [e for e in listed if not e.name.startswith(".") and is_folder(e)]
        listed.sort(key=lambda entry: entry.name, reverse=True)
        waiting += [
            (below(path) + e.name, None if e.is_symlink() else (device, e.inode())) for e in listed
        ]
