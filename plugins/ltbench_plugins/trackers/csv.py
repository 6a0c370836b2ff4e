"""Two CSV files a run: a row an epoch, and one row of settings and results."""

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
    """Options of the tracker."""

    folder: Path | None = option(
        None, "where each run has a folder named by its hash; none: csv/ in the run directory"
    )


class Csv:
    """Writes `epochs.csv` and `summary.csv`, each whole, as RFC 4180 has it.

    The state in the summary is running, finished, failed or interrupted; of a process that was
    killed it stays running. A resumed run has all its epochs.

    Args:
        folder: Of this run's files.
        about: What the summary says of the run, whatever becomes of it.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self._folder = folder
        self._about = about
        self._epochs: list[Mapping[str, float]] = []

    @hookimpl
    def ltbench_on_run_start(self, history: Sequence[Mapping[str, float]]) -> None:
        """Begins both files."""
        self._epochs = list(history)
        self._folder.mkdir(parents=True, exist_ok=True)
        if history:
            _write(self._folder / "epochs.csv", self._epochs)
        else:
            (self._folder / "epochs.csv").unlink(missing_ok=True)  # of an earlier run of the hash
        self._summarise("running")

    @hookimpl
    def ltbench_on_epoch_end(self, metrics: Mapping[str, float]) -> None:
        """Adds a row."""
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
    """Writes a CSV file whole or not at all; its columns are in the order in which they come up."""
    text = io.StringIO()
    columns = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(text, list(columns))
    writer.writeheader()
    writer.writerows(rows)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text.getvalue(), encoding="utf-8", newline="")
    partial.replace(path)


def build(config: CsvTrackerConfig, ctx: TrackerContext) -> Csv:
    """Builds the tracker of a run."""
    settings = {name: typed(value) for name, value in ctx.settings.items()}
    return Csv(place(config.folder, ctx, "csv"), {"hash": ctx.hash, "cell": ctx.cell, **settings})


CSV = TrackerSpec(
    name="csv",
    summary="CSV files: a row an epoch, and a row of settings and results",
    config=CsvTrackerConfig,
    build=build,
    reference="RFC 4180",
)
