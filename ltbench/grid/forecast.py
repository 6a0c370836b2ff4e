"""Forecasts of the time and memory of a grid's runs, from stored runs or from a measurement."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Literal

from ltbench.errors import DataError
from ltbench.grid.status import CellState, Figures
from ltbench.storage.run_index import RunIndex
from ltbench.storage.shared_parts import SharedParts

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


@dataclass
class Forecaster:
    """Forecasts of cells; reads the results of similar runs once.

    Args:
        out: Folder of the run directories.
        cells: Cells whose states were read.
        probe: Function that measures a cell without finished runs; None for no measurement.
    """

    out: Path
    cells: Sequence[CellState]
    probe: Callable[[CellState], Forecast] | None = None
    _similar: dict[tuple[Path, int | None], _Similar | None] = field(default_factory=dict)

    @functools.cached_property
    def _known(self) -> dict[Path, tuple[Figures, int | None]]:
        """Figures and limit of the runs that are done, by their directory."""
        return {
            run.directory.path: (run.figures, run.run.resolved.spec.limit)
            for cell in self.cells
            for run in cell.runs
            if run.figures is not None
        }

    def of(self, cell: CellState) -> Forecast | None:
        """Returns the forecast for a run of a cell; None where there is no basis."""
        if cell.figures:
            return _measured(cell.figures)
        run = cell.runs[0]
        if self.probe is not None and run.run.missing is None:
            return self.probe(cell)
        # A quick look takes less time than other runs.
        key = run.directory.path.parent, run.run.resolved.spec.limit
        if key not in self._similar:
            found = [figures for figures, limit in self._results(key[0]) if limit == key[1]]
            self._similar[key] = _Similar.of(found) if found else None
        similar = self._similar[key]
        if similar is None:
            return None
        return similar.forecast(run.run.resolved.spec.train.epochs)

    @functools.cached_property
    def _index(self) -> RunIndex:
        return RunIndex(self.out, SharedParts())

    def _results(self, folder: Path) -> Iterator[tuple[Figures, int | None]]:
        """Yields figures and limit of the run directories in a folder that can be read."""
        for path in sorted(folder.glob("*/result.json")):
            if path.parent in self._known:
                yield self._known[path.parent]
                continue
            directory = str(path.parent)
            try:
                result = self._index.known(directory) or self._index.read(directory)
            except DataError:
                continue  # no basis for a forecast; `grid status` reports it
            yield Figures.of(result), result.spec.limit


def _measured(figures: Sequence[Figures]) -> Forecast:
    return Forecast(
        "measured",
        seconds=fmean(one.seconds for one in figures),
        memory_mb=max(one.memory_mb for one in figures),
        learned=figures[0].learned,
        percent=figures[0].percent,
    )


@dataclass(frozen=True)
class _Similar:
    """Figures of runs with the same data set, backbone and method, and any options.

    Args:
        seconds_per_epoch: Median seconds of an epoch.
        evaluation_seconds: Median seconds of the evaluation.
        memory_mb: Largest peak memory in MB.
    """

    seconds_per_epoch: float
    evaluation_seconds: float
    memory_mb: float

    @classmethod
    def of(cls, figures: Sequence[Figures]) -> _Similar:
        trained = [
            (one.seconds - one.evaluation_seconds) / one.epochs for one in figures if one.epochs
        ]
        return cls(
            seconds_per_epoch=median(trained) if trained else 0.0,
            evaluation_seconds=median(one.evaluation_seconds for one in figures),
            memory_mb=max(one.memory_mb for one in figures),
        )

    def forecast(self, epochs: int) -> Forecast:
        """Returns the forecast for a run of a number of epochs."""
        seconds = self.seconds_per_epoch * epochs + self.evaluation_seconds
        return Forecast("similar", seconds=seconds, memory_mb=self.memory_mb)


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
