"""CSV tracker: two files per run, one with a row per epoch, one with settings and results."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltbench import TrackerContext, TrackerSpec, hookimpl, option
from ltbench.errors import Interrupted, LTBenchError
from ltbench_plugins.trackers.values import of_result, place, typed


@dataclass(frozen=True)
class CsvTrackerConfig:
    """Options of the CSV tracker."""

    folder: Path | None = option(
        None, "parent of the runs' folders, named by hash; none: csv/ in the run directory"
    )


class Csv:
    """Tracker that writes `epochs.csv` and `summary.csv` as in RFC 4180, each as a whole.

    The state in the summary is running, finished, failed or interrupted. It stays running if the
    process is killed. A resumed run has all its epochs.

    Args:
        folder: Folder of this run's files.
        about: Fixed columns of the summary.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self._folder = folder
        self._about = about
        self._epochs: list[Mapping[str, float]] = []

    @hookimpl
    def ltbench_on_run_start(self, history: Sequence[Mapping[str, float]]) -> None:
        """Starts both files."""
        self._epochs = list(history)
        self._folder.mkdir(parents=True, exist_ok=True)
        for leftover in self._folder.glob(".*.csv.*.part"):  # of a process that was killed
            leftover.unlink(missing_ok=True)
        if history:
            _write(self._folder / "epochs.csv", self._epochs)
        else:
            (self._folder / "epochs.csv").unlink(missing_ok=True)  # from an earlier run of the hash
        self._summarise("running")

    @hookimpl
    def ltbench_on_epoch_end(self, metrics: Mapping[str, float]) -> None:
        """Adds a row for the epoch."""
        self._epochs.append(metrics)
        _write(self._folder / "epochs.csv", self._epochs)

    @hookimpl
    def ltbench_on_run_end(self, result: Mapping[str, Any]) -> None:
        """Adds the metrics to the summary."""
        self._summarise("finished", **of_result(result))

    @hookimpl
    def ltbench_on_run_failure(self, error: LTBenchError) -> None:
        """Adds the error to the summary."""
        state = "interrupted" if isinstance(error, Interrupted) else "failed"
        self._summarise(state, error=error.message)

    def _summarise(self, state: str, **rest: Any) -> None:
        _write(self._folder / "summary.csv", [{**self._about, "state": state, **rest}])


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes a CSV file as a whole, with columns in the order of their first use."""
    text = io.StringIO()
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, list(columns))
    writer.writeheader()
    writer.writerows(rows)
    partial = path.with_name(f".{path.name}.{os.urandom(8).hex()}.part")
    try:
        with partial.open("x", encoding="utf-8", newline="") as file:  # follows no link
            file.write(text.getvalue())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def build(config: CsvTrackerConfig, ctx: TrackerContext) -> Csv:
    """Builds the tracker of a run."""
    settings = {name: typed(value) for name, value in ctx.settings.items()}
    return Csv(place(config.folder, ctx, "csv"), {"hash": ctx.hash, "cell": ctx.cell, **settings})


CSV = TrackerSpec(
    name="csv",
    summary="CSV files: a row per epoch, and a row of settings and results",
    config=CsvTrackerConfig,
    build=build,
    reference="RFC 4180",
)
