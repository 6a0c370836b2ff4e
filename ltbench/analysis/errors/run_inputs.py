"""Inputs of an error analysis besides the predictions: training accuracy, names, images."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.errors.group_errors import TrainAccuracies
from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES, accuracies
from ltbench.data import ImageSource, Split
from ltbench.data.images import image_names
from ltbench.errors import DataError, PluginError, UnknownNameError
from ltbench.storage.image_names import read_names
from ltbench.storage.predictions import stored_predictions
from ltbench.storage.result_schema import RunResult
from ltbench.storage.train_predictions import read_train_predictions

OpenSplit = Callable[[RunResult], Split]
"""Returns the evaluated split of a run; raises an error where its data set is not in place."""


class OpenedOnce:
    """Images of a run, which are opened when they are first needed, or fail once.

    Args:
        run: Stored result.
        pooled: Its predictions, whose labels must be those of the data set.
        open_split: Function that opens its data set; None where it is not to be opened.
    """

    def __init__(
        self, run: RunResult, pooled: PooledPredictions, open_split: OpenSplit | None
    ) -> None:
        self._run = run
        self._pooled = pooled
        self._open = open_split
        self._images: ImageSource | DataError | None = None

    def __call__(self) -> ImageSource:
        """Returns the images.

        Raises:
            ConfigError: A setting is wrong.
            DataError: The data set is missing, has changed, or its plugin fails.
        """
        if self._open is None:
            raise DataError("an earlier version stored them, and the data set is not opened")
        if self._images is None:
            try:
                self._images = self._checked(self._open(self._run))
            except DataError as error:
                self._images = error
            except (PluginError, UnknownNameError) as error:
                self._images = DataError(error.message, hint=error.hint)
        if isinstance(self._images, DataError):
            raise self._images.with_traceback(None)
        return self._images

    def _checked(self, split: Split) -> ImageSource:
        """Returns the images of a split after comparing its labels.

        Raises:
            DataError: The predictions are of other images.
        """
        indices, labels = self._pooled.indices, self._pooled.labels
        if indices.max() >= len(split) or not np.array_equal(split.labels[indices], labels):
            raise DataError("the data set has other images than the predictions")
        return split.images


def train_accuracies(
    runs: Sequence[RunResult], inference: str | None
) -> tuple[TrainAccuracies] | tuple[None, str]:
    """Returns the accuracies on the training images, means over the seeds.

    Args:
        runs: Runs that differ in their seed alone.
        inference: Name in the names of the files; that of the runs where None.

    Returns:
        Percentages by metric; or None, and the reason as a sentence.
    """
    found = []
    for run in runs:
        try:
            read = read_train_predictions(run, inference)
        except DataError as error:
            return None, f"The training accuracy is unknown: {error.message}."
        if read is None:
            name = f" --inference {inference.partition('-')[0]}" if inference else ""
            return None, (
                "The training accuracy is not stored; compute it: "
                f"ltbench eval {run.path} --split train{name}"
            )
        counts = np.array(run.classes.train_images, dtype=np.int64)
        rule = SHOT_RULES.get(run.metrics.shot_rule, DEFAULT_RULE)
        found.append(accuracies(read.labels, read.predicted, counts, rule)[0])
    means: dict[str, float | None] = {}
    for name in found[0]:
        values = [value for one in found if (value := one[name]) is not None]
        means[name] = float(np.mean(values)) if values else None
    return (means,)


def stored_names(
    run: RunResult, pooled: PooledPredictions, inference: str | None, opened: OpenedOnce
) -> tuple[NDArray[np.object_]] | tuple[None, str]:
    """Returns the names of the images: as stored with the predictions, or else of the data set.

    Args:
        run: Stored result.
        pooled: Its predictions.
        inference: Name in the file's name; that of the run where None.
        opened: Images of the run.

    Returns:
        Names, (N,); or None, and the reason as a sentence.

    Raises:
        ConfigError: A setting of the data set is wrong.
    """
    path = stored_predictions(run.path, inference, run.spec.inference.name)
    try:
        stored = read_names(path)
        if stored is None:
            stored = image_names(opened(), pooled.indices)
    except DataError as error:
        return None, f"The images have no names: {error.message}."
    listed = stored.to_pylist() if hasattr(stored, "to_pylist") else list(stored)
    if len(listed) != len(pooled.labels):
        return None, f"The images have no names: {path} has {len(listed):,} of them."
    return (np.array(listed, dtype=object),)
