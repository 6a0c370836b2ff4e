"""Stored predictions of the training images of a run, which `ltbench eval --split train` adds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ltbench.errors import DataError
from ltbench.storage.predictions import (
    PredictedClasses,
    inference_of,
    recomputed_hint,
    train_predictions_name,
)
from ltbench.storage.result_schema import RunResult

SPLIT = "train"


def train_predictions_path(run: RunResult, inference: str | None = None) -> Path:
    """Returns the path of the predictions of the training images, stored or not.

    Args:
        run: Stored result.
        inference: Name in the file's name; None for the run's own inference.
    """
    return run.path / train_predictions_name(inference or run.spec.inference.name)


def read_train_predictions(run: RunResult, inference: str | None = None) -> PredictedClasses | None:
    """Reads the predicted classes of the training images.

    Args:
        run: Stored result.
        inference: Name in the file's name; None for the run's own inference.

    Returns:
        Labels and predicted classes of the images that were trained on; None where they were never
        computed.

    Raises:
        DataError: The file is damaged, or is of another run or of other training images.
    """
    path = train_predictions_path(run, inference)
    if not path.exists():
        return None
    read = PredictedClasses.read(path)
    hashes = [one for one in (run.hash, run.earlier_hash) if one]
    for key, values in {
        "hash": hashes,
        "inference": [inference_of(path)],
        "split": [SPLIT],
    }.items():
        if read.about.get(key) not in values:
            raise DataError(
                f"the predictions {path} are of another run: expected {key} "
                f"{' or '.join(values)}, got {read.about.get(key)}",
                hint=recomputed_hint(path),
            )
    expected = np.array(run.classes.trained_on, dtype=np.int64)
    highest = max(int(read.labels.max()), int(read.predicted.max()))
    # Counted after the check: the memory of the counts grows with the highest class.
    if highest >= len(expected) or not np.array_equal(
        np.bincount(read.labels, minlength=len(expected)), expected
    ):
        raise DataError(
            f"the predictions {path} are not of the images that the run was trained on: expected "
            f"{expected.sum():,} images of {len(expected):,} classes, got {len(read.labels):,}",
            hint=recomputed_hint(path),
        )
    return read
