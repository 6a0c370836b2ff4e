"""What the runs of a cell say about the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.config_diff import differing, in_words
from ltbench.errors import ConfigError, DataError
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import Cell, group


@dataclass(frozen=True)
class Sample:
    """A cell on the images of a split.

    Args:
        cell: Whose.
        name: Short, and unlike those of the other cells.
        inference: What the predictions were made with, as in their file's name.
        indices: (N,) of the images in the split.
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
        """(K,) training images that decide the shot groups."""
        return np.array(self.cell.runs[0].classes.train_images, dtype=np.int64)

    def sharing(self, other: Sample) -> Sample:
        """Returns the sample with the other's images and labels where they are equal: kept once."""
        if not _same(self.indices, other.indices) or not _same(self.labels, other.labels):
            return self
        return replace(self, indices=other.indices, labels=other.labels)

    def of_seeds(self, seeds: Sequence[int]) -> NDArray[np.bool_]:
        """Returns the rows of some seeds."""
        at = {seed: row for row, seed in enumerate(self.cell.seeds)}
        chosen: NDArray[np.bool_] = self.right[[at[seed] for seed in seeds]]
        return chosen


def one_cell(runs: Sequence[RunResult], path: Path) -> Cell:
    """Returns the cell that some runs are.

    Args:
        runs: Found below the path.
        path: As given.

    Raises:
        DataError: There is no run.
        ConfigError: They differ in more than their seed.
    """
    cells = group(runs)
    if not cells:
        raise DataError(
            f"there is no finished run in {path}",
            hint="finish it with ltbench run, or leave it out",
        )
    if len(cells) > 1:
        listed = "".join(
            f"\n  - {cell.runs[0].path} ({len(cell.runs)} of these)" for cell in cells[:10]
        )
        more = f"\n  - and {len(cells) - 10} more" if len(cells) > 10 else ""
        raise ConfigError(
            f"the runs in {path} differ in more than their seed: {in_words(differing(cells))}"
            f"{listed}{more}",
            hint="give run directories or folders of which each holds runs of one choice",
        )
    return cells[0]


def read_sample(cell: Cell, name: str, inference: str | None = None) -> Sample:
    """Reads the predictions of a cell's runs.

    Args:
        cell: The runs.
        name: For the sample.
        inference: As in the names of the prediction files; each run's own where None.

    Raises:
        DataError: Predictions are missing or broken, or the seeds saw different images.
    """
    rows = [run.predicted_classes(inference) for run in cell.runs]
    first = rows[0]
    for run, other in zip(cell.runs, rows, strict=True):
        if not _same(first.indices, other.indices) or not _same(first.labels, other.labels):
            raise DataError(
                f"{run.path} and {cell.runs[0].path} were not tested on the same images",
                hint="images that could not be decoded may have been skipped: "
                "ltbench data verify tells",
            )
    classes = len(cell.runs[0].classes.train_images)
    if first.labels.max() >= classes:
        raise DataError(f"the predictions in {cell.runs[0].path} are of other classes")
    return Sample(
        cell,
        name,
        inference or cell.spec.inference.name,
        first.indices,
        first.labels,
        np.stack([row.labels == row.predicted for row in rows]),
    )


def check_same_images(first: Sample, second: Sample) -> None:
    """Refuses to compare accuracies on different images.

    Raises:
        ConfigError: With what differs.
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
            hint="compare runs on the same data set and split; across data sets: "
            "ltbench compare --across-datasets",
        )


def _same(first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
    return bool(np.array_equal(first, second))
