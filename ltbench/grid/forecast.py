"""Forecasts of the time and memory of a grid's runs, from stored runs or from a measurement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Literal

from ltbench.config.runspec import RunSpec
from ltbench.errors import DataError
from ltbench.grid.status import CellState
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

Basis = Literal["measured", "similar", "probed"]


@dataclass(frozen=True)
class Forecast:
    """Forecast for a run of a cell.

    Args:
        basis: Source of the forecast. `measured`: mean of the cell's own runs; `similar`: seconds
            an epoch of runs with the same data set, backbone and method, but other options;
            `probed`: a training step and an evaluation pass on a few images.
        seconds: Duration of one run without the start of its process.
        memory_mb: Peak memory in MB.
        learned: Number of learned parameters; None for the basis `similar`.
        percent: Learned parameters in percent of the backbone's; None for the basis `similar`.
    """

    basis: Basis
    seconds: float
    memory_mb: float
    learned: int | None = None
    percent: float | None = None


def seconds_of(result: RunResult) -> float:
    """Returns the seconds that the stages of a stored run took."""
    refinement = result.refinement.seconds if result.refinement else 0.0
    stages = result.training.seconds, result.selection.seconds, result.evaluation.seconds
    return sum(stages) + refinement


@dataclass
class Forecaster:
    """Forecasts of cells; reads the results of similar runs once.

    Args:
        out: Folder of the run directories.
        probe: Function that measures a cell without finished runs; None for no measurement.
    """

    out: Path
    probe: Callable[[CellState], Forecast] | None = None
    _similar: dict[Path, list[RunResult]] = field(default_factory=dict)

    def of(self, cell: CellState) -> Forecast | None:
        """Returns the forecast for a run of a cell; None where there is no basis."""
        if cell.results:
            return _measured(cell.results)
        spec = cell.runs[0].run.resolved.spec
        folder = RunDirectory.of(self.out, spec).path.parent
        if folder not in self._similar:
            self._similar[folder] = list(_results(folder))
        if self.probe is not None and cell.runs[0].run.missing is None:
            return self.probe(cell)
        known = self._similar[folder]
        return _scaled(known, spec) if known else None


def _measured(results: Sequence[RunResult]) -> Forecast:
    learned = results[0].learned
    return Forecast(
        "measured",
        seconds=fmean(map(seconds_of, results)),
        memory_mb=max(result.peak_memory_mb for result in results),
        learned=learned.total,
        percent=learned.percent,
    )


def _scaled(results: Sequence[RunResult], spec: RunSpec) -> Forecast:
    """Returns the forecast from similar runs, scaled to the epochs of a run."""
    trained = [
        (seconds_of(result) - result.evaluation.seconds) / result.training.epochs
        for result in results
        if result.training.epochs
    ]
    seconds_per_epoch = median(trained) if trained else 0.0
    evaluation = median(result.evaluation.seconds for result in results)
    return Forecast(
        "similar",
        seconds=seconds_per_epoch * spec.train.epochs + evaluation,
        memory_mb=max(result.peak_memory_mb for result in results),
    )


def _results(folder: Path) -> Iterator[RunResult]:
    """Yields the readable results of the run directories in a folder."""
    for path in sorted(folder.glob("*/result.json")):
        try:
            yield RunDirectory(path.parent).finished()
        except DataError:
            continue  # no basis for a forecast; `grid status` reports it


def prober(
    device: str, workers: int | None, out: Path, note: Callable[[str], None]
) -> Callable[[CellState], Forecast]:
    """Returns the function that measures a cell by building one of its runs.

    A measurement takes seconds and imports torch.

    Args:
        device: Device (`--device`).
        workers: Number of loader workers (`--workers`).
        out: Folder of the run directories.
        note: Callback for a line about the cell that is measured next.
    """

    def probe(cell: CellState) -> Forecast:
        from ltbench.engine.estimate import estimate
        from ltbench.engine.run import RuntimeConfig

        note(f"measuring {cell.cell.label}")
        runtime = RuntimeConfig(out=out, device=device, workers=workers)
        found = estimate(cell.runs[0].run.resolved, runtime)
        return Forecast(
            "probed",
            seconds=found.train_seconds + found.select_seconds + found.evaluate_seconds,
            memory_mb=found.peak_memory_mb,
            learned=found.learned.total,
            percent=found.learned.percent,
        )

    return probe
