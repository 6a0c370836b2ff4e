"""Evaluation: the model's predictions on a split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from ltbench.data.loading.batches import Batches
from ltbench.engine.building.built_run import BuiltRun
from ltbench.engine.building.checked_components import CheckedInference
from ltbench.engine.model.classifier import Classifier
from ltbench.engine.model.split_features import FeatureBatch
from ltbench.engine.training.loop import divergence_hint
from ltbench.errors import DataError, NonFiniteLossError
from ltbench.io.interrupts import check
from ltbench.progress import ProgressReporter
from ltbench.storage.predictions import Predictions

STORED_LOGITS = 10
"""Number of stored logits of an image, the largest ones."""

_ADJUSTED_IMAGES = 4096  # whose largest logits are found at a time


@torch.inference_mode()
def image_logits(
    model: Classifier, inference: CheckedInference, views: Iterable[FeatureBatch]
) -> Iterator[tuple[FeatureBatch, Tensor]]:
    """Yields each batch of features with the logits (B, K) of its images.

    Args:
        model: Classifier in evaluation mode.
        inference: Reduction of the views' logits.
        views: Features of the views of some images in one pass, batch by batch.

    Raises:
        PluginError: The inference returns logits of another shape.
    """
    for batch in views:
        check()
        logits = model.classify(batch.features.flatten(0, 1))
        yield batch, inference.reduce(logits.unflatten(0, batch.features.shape[:2]))


@torch.inference_mode()
def evaluate(built: BuiltRun, batches: Batches, progress: ProgressReporter) -> Predictions:
    """Returns the predictions on a split, all views of some images in one pass.

    Args:
        built: Built parts of the run.
        batches: Views of the split's images, as the inference takes them.
        progress: Reporter of the images that are done.

    Raises:
        DataError: No image of the split can be decoded.
        NonFiniteLossError: Some logits are NaN or infinite.
        PluginError: The inference returns logits of another shape.
    """
    built.model.eval()
    size = len(batches.split)
    views = built.evaluation_features(batches)
    progress.start("evaluating", size)
    parts = _reported(image_logits(built.model, built.inference, views), progress)
    if built.inference.transductive:
        parts = _adjusted(parts, built.inference, size)
    columns = _gathered(map(_stored, parts), size)
    if not columns:
        raise DataError("no image to evaluate on can be decoded", hint="check the data set's files")
    seen, true, classes, values, sums = (column.cpu().numpy() for column in columns)
    predictions = Predictions(seen, true, classes, values, sums)
    progress.stop()
    broken = int((~np.isfinite(predictions.log_sum_exp)).sum())
    if broken:
        raise NonFiniteLossError(
            f"the logits of {broken} of {size} images are not finite: the training has diverged",
            hint=divergence_hint(built.policy.name),
        )
    return predictions


_Part = tuple[Tensor, Tensor, Tensor]
"""Indices (B,), labels (B,) and logits (B, K) of some images."""


def _reported(
    logits: Iterable[tuple[FeatureBatch, Tensor]], progress: ProgressReporter
) -> Iterator[_Part]:
    """Yields indices, labels and logits of each batch, and reports its images as done."""
    for batch, row in logits:
        yield batch.indices, batch.labels, row
        progress.advance(len(row))


def _adjusted(parts: Iterable[_Part], inference: CheckedInference, size: int) -> Iterator[_Part]:
    """Yields the images with the logits that a transductive inference gives them all together.

    The logits of all images, N x K numbers, are in the memory of the device.
    """
    columns = _gathered(parts, size)
    if columns:
        indices, labels, logits = columns
        split = (c.split(_ADJUSTED_IMAGES) for c in (indices, labels, inference.adjust(logits)))
        yield from zip(*split, strict=True)


def _stored(part: _Part) -> tuple[Tensor, ...]:
    """Returns what is stored of some images: largest logits and log-sum-exp, not all logits."""
    indices, labels, logits = part
    top = logits.topk(min(STORED_LOGITS, logits.shape[1]))
    return indices, labels, top.indices, top.values, logits.logsumexp(dim=1)


def _gathered(parts: Iterable[tuple[Tensor, ...]], size: int) -> list[Tensor]:
    """Returns the columns of parts, each part's rows below those before; none without parts.

    Args:
        parts: Columns of some rows each.
        size: Largest number of rows.
    """
    # Made once: small tensors that stay between the large ones of a pass leave holes in the heap.
    columns: list[Tensor] = []
    done = 0
    for rows in parts:
        columns = columns or [row.new_empty(size, *row.shape[1:]) for row in rows]
        for column, row in zip(columns, rows, strict=True):
            column[done : done + len(row)] = row
        done += len(rows[0])
    return [column[:done] for column in columns]
