"""What the runs of a grid will take, from what stored runs took."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any, Literal

from ltbench.config.runspec import RunSpec
from ltbench.errors import DataError
from ltbench.grid.status import CellState
from ltbench.storage.run_directory import RunDirectory

Basis = Literal["measured", "similar", "probed"]


@dataclass(frozen=True)
class Forecast:
    """What a run of a cell takes.

    Args:
        basis: `measured`: the mean of the cell's own runs; `similar`: of runs with the same data
            set, backbone and method and maybe other options, by their seconds an epoch; `probed`:
            a training step and an evaluation pass on a few images.
        seconds: Of one run, without the start of its process.
        memory_mb: The most that is used.
        learned: Learned parameters; None where only similar runs are known.
        percent: Of the backbone's parameters.
    """

    basis: Basis
    seconds: float
    memory_mb: float
    learned: int | None = None
    percent: float | None = None


def seconds_of(result: Mapping[str, Any]) -> float:
    """Returns the seconds that a stored run took, without building it."""
    refinement = result["refinement"] or {"seconds": 0.0}
    return float(
        result["training"]["seconds"]
        + result["selection"].get("seconds", 0.0)
        + refinement["seconds"]
        + result["evaluation"]["seconds"]
    )


@dataclass
class Forecaster:
    """Forecasts cells; reads the results of similar runs once.

    Args:
        out: Where the stored runs are.
        probe: Measures a cell of which nothing is known, if it is to be measured.
    """

    out: Path
    probe: Callable[[CellState], Forecast] | None = None
    _similar: dict[Path, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, cell: CellState) -> Forecast | None:
        """Returns what a run of the cell takes; None where nothing is known."""
        if cell.results:
            return _measured(cell.results)
        spec = cell.runs[0].run.resolved.spec
        folder = RunDirectory.of(self.out, spec).path.parent
        if folder not in self._similar:
            self._similar[folder] = list(_results(folder))
        if self.probe is not None and cell.runs[0].run.missing is None:
            return self.probe(cell)
        known = self._similar[folder]
        return _carried_over(known, spec) if known else None


def _measured(results: Sequence[Mapping[str, Any]]) -> Forecast:
    learned = results[0]["learned"]
    return Forecast(
        "measured",
        seconds=fmean(map(seconds_of, results)),
        memory_mb=max(result["peak_memory_mb"] for result in results),
        learned=learned["total"],
        percent=learned["percent"],
    )


def _carried_over(results: Sequence[Mapping[str, Any]], spec: RunSpec) -> Forecast:
    """Scales the training of similar runs to the epochs of a run."""
    trained = [
        (seconds_of(result) - result["evaluation"]["seconds"]) / result["training"]["epochs"]
        for result in results
        if result["training"]["epochs"]
    ]
    an_epoch = median(trained) if trained else 0.0
    evaluation = median(result["evaluation"]["seconds"] for result in results)
    return Forecast(
        "similar",
        seconds=an_epoch * spec.train.epochs + evaluation,
        memory_mb=max(result["peak_memory_mb"] for result in results),
    )


def _results(folder: Path) -> Iterator[dict[str, Any]]:
    """Yields the results below a folder that have what is needed, whatever else is there."""
    for path in sorted(folder.glob("*/result.json")):
        try:
            stored = RunDirectory(path.parent).result() or {}
            seconds_of(stored), stored["peak_memory_mb"] + stored["training"]["epochs"]
        except (DataError, LookupError, TypeError):
            continue  # no source of times; `grid status` and the run itself speak of it
        yield stored


def prober(
    device: str, workers: int | None, out: Path, note: Callable[[str], None]
) -> Callable[[CellState], Forecast]:
    """Returns what measures a cell by building one of its runs: seconds each, and torch."""

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
            learned=found.learned["total"],
            percent=found.learned["percent"],
        )

    return probe
