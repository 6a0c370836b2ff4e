"""Predictions of all seeds of a cell on the same test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.config_diff import diff_cells, format_diff
from ltbench.errors import ConfigError, DataError
from ltbench.storage.predictions import PredictedClasses, Predictions
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import Cell, group


@dataclass(frozen=True)
class SeedPredictions:
    """Correctness of the predictions of a cell's seeds on the images of a split.

    Args:
        cell: Runs that made the predictions.
        name: Short, unique name of the cell.
        inference: Name of the inference, as in the names of the prediction files.
        indices: (N,) indices of the images in the split.
        labels: (N,) true classes.
        right: (S, N) whether each seed's model recognises each image.
    """

    cell: Cell
    name: str
    inference: str
    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    right: NDArray[np.bool_]

    @property
    def class_counts(self) -> NDArray[np.int64]:
        """Number of training images of each class, (K,), which decides its shot group."""
        return np.array(self.cell.runs[0].classes.train_images, dtype=np.int64)

    def share_arrays(self, other: SeedPredictions) -> SeedPredictions:
        """Returns the predictions with the arrays of `other` where equal, to save memory."""
        if not _same(self.indices, other.indices) or not _same(self.labels, other.labels):
            return self
        return replace(self, indices=other.indices, labels=other.labels)

    @property
    def generalises(self) -> bool:
        """Whether tests can be of the method: it has two seeds or more, or no seed changes it."""
        return len(self.right) > 1 or self.cell.seedless

    @property
    def seed_rows(self) -> NDArray[np.bool_]:
        """Rows of `right` for an estimate of the variance of seeds, (2 or more, N).

        The row of a method that no seed changes is there twice: its variance of seeds is 0.
        """
        return np.repeat(self.right, 2, axis=0) if self.cell.seedless else self.right

    def select_seeds(self, seeds: Sequence[int]) -> NDArray[np.bool_]:
        """Returns the rows of `right` of some seeds, (len(seeds), N).

        Those of a method that no seed changes are equal.
        """
        if self.cell.seedless:
            return np.repeat(self.right, len(seeds), axis=0)
        at = {seed: row for row, seed in enumerate(self.cell.seeds)}
        chosen: NDArray[np.bool_] = self.right[[at[seed] for seed in seeds]]
        return chosen


def common_seeds(first: SeedPredictions, second: SeedPredictions) -> tuple[int, ...]:
    """Returns the seeds that two cells are compared on; a method that no seed changes has each."""
    if first.cell.seedless:
        return second.cell.seeds
    if second.cell.seedless:
        return first.cell.seeds
    return tuple(seed for seed in first.cell.seeds if seed in second.cell.seeds)


def single_cell(runs: Sequence[RunResult], path: Path) -> Cell:
    """Returns the one cell that some runs belong to.

    Args:
        runs: Runs found below the path.
        path: Path given by the user, for error messages.

    Raises:
        DataError: There are no runs.
        ConfigError: The runs differ in more than their seed.
    """
    cells = group(runs)
    if not cells:
        raise DataError(
            f"no finished run in {path}",
            hint="finish a run with ltbench run, or give another path",
        )
    if len(cells) > 1:
        listed = "".join(
            f"\n  - {cell.runs[0].path} ({len(cell.runs)} of these)" for cell in cells[:10]
        )
        more = f"\n  - and {len(cells) - 10} more" if len(cells) > 10 else ""
        raise ConfigError(
            f"the runs in {path} differ in more than their seed: {format_diff(diff_cells(cells))}"
            f"{listed}{more}",
            hint="give folders whose runs differ only in their seed",
        )
    return cells[0]


def read_seed_predictions(cell: Cell, name: str, inference: str | None = None) -> SeedPredictions:
    """Reads the predictions of a cell's runs.

    Args:
        cell: Runs to read.
        name: Name of the cell.
        inference: Name of the inference, as in the names of the prediction files; that of each run
            where None.

    Raises:
        DataError: Predictions are missing or broken, or the seeds were tested on different images.
    """
    rows = [run.predicted_classes(inference) for run in cell.runs]
    return seed_predictions(cell, name, rows, inference)


def seed_predictions(
    cell: Cell,
    name: str,
    rows: Sequence[Predictions | PredictedClasses],
    inference: str | None = None,
) -> SeedPredictions:
    """Returns the correctness of predictions that were read already.

    Args:
        cell: Runs that made the predictions.
        name: Name of the cell.
        rows: Predictions of each run.
        inference: Name of the inference; that of the runs where None.

    Raises:
        DataError: The seeds were tested on different images, or the classes differ.
    """
    first = rows[0]
    for run, other in zip(cell.runs, rows, strict=True):
        if not _same(first.indices, other.indices) or not _same(first.labels, other.labels):
            raise DataError(
                f"{run.path} and {cell.runs[0].path} were not tested on the same images",
                hint="look for corrupt images, which may have been skipped: ltbench data verify",
            )
    classes = len(cell.runs[0].classes.train_images)
    if first.labels.max() >= classes:
        raise DataError(
            f"the predictions in {cell.runs[0].path} are for a different set of classes"
        )
    return SeedPredictions(
        cell,
        name,
        inference or cell.spec.inference.name,
        first.indices,
        first.labels,
        np.stack([row.labels == row.predicted for row in rows]),
    )


def check_same_images(first: SeedPredictions, second: SeedPredictions) -> None:
    """Checks that two cells were tested on the same images, with the same shot groups.

    Raises:
        ConfigError: Data set, split, images, labels or class counts differ; the message lists how.
    """
    one, other = first.cell.spec, second.cell.spec
    unlike = []
    for what, a, b in (
        ("data set", one.dataset.name, other.dataset.name),
        ("options of the data set", dict(one.dataset.options), dict(other.dataset.options)),
        ("identity of the data set", one.dataset.identity, other.dataset.identity),
        ("split", one.split, other.split),
    ):
        if a != b:
            unlike.append(f"{what}: {a} | {b}")
    if not unlike and one.split == "val" and one.data_seed != other.data_seed:
        unlike.append(f"data_seed, which draws the val split: {one.data_seed} | {other.data_seed}")
    if not unlike and not _same(first.class_counts, second.class_counts):
        unlike.append("training images of the classes")
    if not unlike and not _same(first.indices, second.indices):
        sizes = len(first.indices), len(second.indices)
        unlike.append(f"test images: {sizes[0]:,} | {sizes[1]:,} of them, some not the same")
    if not unlike and not _same(first.labels, second.labels):
        unlike.append("labels of the test images")
    if unlike:
        listed = "; ".join(unlike)
        raise ConfigError(
            f"{first.name} and {second.name} were not tested on the same images ({listed})",
            hint="compare runs on the same data set and split, or use --across-datasets",
        )


def _same(first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
    return bool(np.array_equal(first, second))
