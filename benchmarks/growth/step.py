"""Measured commands of a data set of one size, in their order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.growth.files import Listed
from benchmarks.process import MeasuredProcess

PLAIN_VIEWS = ("--augmentation", "none", "--inference", "center")
"""One view of each image, which all runs share."""
ONE_EPOCH = (*PLAIN_VIEWS, "--method", "classifier_only", "--epochs", "1")

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A list of a size, and the folder of everything that its commands write.

    Args:
        size: Number of training images, or of classes.
        folder: Folder of the case.
        listed: Its list of files.
    """

    size: int
    folder: Path
    listed: Listed

    @property
    def runs(self) -> Path:
        """Folder of the runs."""
        return self.folder / "runs"

    def ltbench(self, command: str, *arguments: str) -> list[str]:
        """Returns the arguments of Python for a command of ltbench."""
        return ["-m", "ltbench", command, *arguments]

    def run(self, *arguments: str) -> list[str]:
        """Returns the arguments of Python for a run of the list with `clip_tiny`."""
        settings = {"path": self.listed.path, "root": self.listed.root}
        given = [x for key, to in settings.items() for x in ("--set", f"dataset.{key}={to}")]
        data = ("--dataset", "csv", *given, "--backbone", "clip_tiny", "--out", str(self.runs))
        return self.ltbench("run", *data, *arguments, "--json")

    def module(self, name: str, **arguments: Any) -> list[str]:
        """Returns the arguments of Python for the function `run` of a module of this package."""
        text = json.dumps(arguments)
        return ["-m", "benchmarks.throughput.once", f"{__package__}.{name}", text]

    def compare(self) -> list[str]:
        """Returns the arguments of Python for a comparison of two methods."""
        runs = (self.directories(method)[0] for method in ("classifier_only", "zero_shot"))
        return self.ltbench("compare", *runs)

    def directories(self, method: str) -> list[str]:
        """Returns the run directories of a method."""
        found = (file.parent for file in self.runs.glob(f"csv/clip_tiny/{method}/*/result.json"))
        return sorted(map(str, found))


def of_run(process: MeasuredProcess, case: Case) -> Figures:
    """Returns the parts of a run's time, and the sizes of what it stored, in MB."""
    result = json.loads(process.output)
    directory = Path(result["directory"])
    training, evaluation = result["training"], result["evaluation"]
    return {
        "training_seconds": round(training["seconds"], 3),
        "evaluation_seconds": round(evaluation["seconds"], 3),
        "result_mb": _megabytes(directory / "result.json"),
        "predictions_mb": _megabytes(directory / "predictions-center.parquet"),
    }


def of_module(process: MeasuredProcess, case: Case) -> Figures:
    """Returns the record that a module printed."""
    found: dict[str, Any] = json.loads(process.output.splitlines()[-1])
    return found


def nothing(process: MeasuredProcess, case: Case) -> Figures:
    """Returns no figures besides those of the process."""
    return {}


def _megabytes(path: Path) -> float:
    return round(path.stat().st_size / 1e6, 3)


@dataclass(frozen=True)
class Step:
    """A measured command.

    Args:
        command: Its name in tables and figures.
        arguments: Function from the case to the arguments of Python.
        figures: Function from the finished process to further figures.
    """

    command: str
    arguments: Callable[[Case], list[str]]
    figures: Callable[[MeasuredProcess, Case], Figures] = field(default=nothing)
