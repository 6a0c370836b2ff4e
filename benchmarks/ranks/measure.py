"""Execution of the cases by groups of processes, and the differences of their results."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ranks.cases import CASES, settings_of, write_images
from ltbench.config.text import Text
from ltbench.ranks.place import Place
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory

SIZES = (1, 2, 3)
"""Numbers of processes."""


@dataclass(frozen=True)
class Difference:
    """Difference of a run by several processes from that by one.

    Args:
        largest: Largest difference of two weights.
        relative: Norm of the difference of all weights, divided by the norm of the weights.
        same_accuracies: Whether all accuracies are the same.
    """

    largest: float
    relative: float
    same_accuracies: bool


def execute_cases(names: Sequence[str], folder: Path, sizes: Sequence[int] = SIZES) -> None:
    """Executes cases by each number of processes.

    The processes are forked: libraries are imported once.

    Args:
        names: Names of the cases.
        folder: Empty folder, for `result_of`.
        sizes: Numbers of processes.

    Raises:
        RuntimeError: A process has failed.
    """
    write_images(folder / "images")
    context = multiprocessing.get_context("fork")
    for size in sizes:
        meeting = f"file://{folder}/meeting-{size}"
        processes = [
            context.Process(
                target=_execute,
                args=(names, folder, Place(rank, size, rank, size, meeting, launched=False)),
            )
            for rank in range(size)
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # libraries have idle threads
            for process in processes:
                process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise RuntimeError(f"a run by {size} processes failed: see its traceback above")


def result_of(name: str, folder: Path, size: int) -> RunResult:
    """Returns the result of a case.

    Args:
        name: Name of the case.
        folder: Folder of `execute_cases`.
        size: Number of processes.
    """
    (path,) = _out(name, folder, size).rglob("result.json")
    return RunDirectory(path.parent).finished()


def difference(name: str, folder: Path, size: int) -> Difference:
    """Returns how a case by several processes differs from that by one.

    Args:
        name: Name of the case.
        folder: Folder of `execute_cases`.
        size: Number of processes.
    """
    from ltbench.engine.training.checkpoint import load_tensors

    one, other = (result_of(name, folder, number) for number in (1, size))
    largest = squares = apart_squares = 0.0
    for file in ("learned.safetensors", "frozen.safetensors"):
        expected, _ = load_tensors(one.path / file)
        found, _ = load_tensors(other.path / file)
        assert expected.keys() == found.keys()
        for key, tensor in expected.items():
            if tensor.numel():
                apart = tensor.double() - found[key].double()
                largest = max(largest, float(apart.abs().max()))
                apart_squares += float(apart.square().sum())
                squares += float(tensor.double().square().sum())
    return Difference(
        largest, (apart_squares / squares) ** 0.5, _accuracies(one) == _accuracies(other)
    )


def _execute(names: Sequence[str], folder: Path, place: Place) -> None:
    """Executes cases as one process of a group."""
    import torch

    from ltbench.engine.launch import plan_run, runtime_config
    from ltbench.ranks.join import joined
    from ltbench.registry.load import load_plugins

    torch.set_num_threads(1)
    registry = load_plugins()
    with joined(place if place.size > 1 else None, "cpu") as (group, device):
        for name in names:
            settings = settings_of(name, folder / "images")
            planned = plan_run(registry, {k: Text(v) for k, v in settings.items()}, folder)
            runtime = runtime_config(_out(name, folder, place.size), device, 0, 1.0, group=group)
            planned.execute(runtime, "never")


def _out(name: str, folder: Path, size: int) -> Path:
    """Returns the folder of the run directories of a case."""
    return folder / str(size) / str(list(CASES).index(name))


def _accuracies(result: RunResult) -> dict[str, object]:
    names = ("accuracy", "mean_class", "many", "medium", "few", "macro_f1", "per_class")
    return {name: getattr(result.metrics, name) for name in names}
