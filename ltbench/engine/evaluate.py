"""Evaluation: what the model says about each test image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ltbench.data.loading.batches import Batches
from ltbench.engine.build.built_run import BuiltRun
from ltbench.engine.training.loop import divergence_hint
from ltbench.errors import DataError, NonFiniteLossError
from ltbench.progress import ProgressReporter
from ltbench.storage.predictions import Predictions

_KEPT = 10  # logits of an image that are stored


@torch.inference_mode()
def evaluate(built: BuiltRun, batches: Batches, progress: ProgressReporter) -> Predictions:
    """Returns the predictions on a split, all views of some images in one pass.

    Args:
        built: The model, and the inference that takes the views.
        batches: Of the split's views.
        progress: Told how it gets on.

    Raises:
        DataError: No image of the split can be decoded.
        NonFiniteLossError: Some logits are NaN or infinite.
        PluginError: The inference's logits are not what they should be.
    """
    built.model.eval()
    size = len(batches.split)
    progress.start("evaluating", size)
    # Made once: small tensors that stay between the large ones of a pass leave holes in the heap.
    columns: list[Tensor] = []
    done = 0
    for indices, labels, features in _seen(built, batches):
        logits = built.model.classify(features.flatten(0, 1))
        logits = built.inference.reduce(logits.unflatten(0, features.shape[:2]))
        top = logits.topk(min(_KEPT, logits.shape[1]))
        rows = indices, labels, top.indices, top.values, logits.logsumexp(dim=1)
        columns = columns or [row.new_empty(size, *row.shape[1:]) for row in rows]
        for column, row in zip(columns, rows, strict=True):
            column[done : done + len(row)] = row
        done += len(labels)
        progress.advance(len(labels))
    if not columns:
        raise DataError("no image to evaluate on can be decoded", hint="check the data set's files")
    seen, true, classes, values, sums = (column[:done].cpu().numpy() for column in columns)
    predictions = Predictions(seen, true, classes, values, sums)
    progress.stop()
    broken = int((~np.isfinite(predictions.log_sum_exp)).sum())
    if broken:
        raise NonFiniteLossError(
            f"the logits of {broken} of {size} images are not finite: the training has diverged",
            hint=divergence_hint(built.policy.name),
        )
    return predictions


def _seen(built: BuiltRun, batches: Batches) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yields indices (B,), labels (B,) and features of all views (B, V, width), batch by batch."""
    images = max(1, built.extractor.views_per_pass // built.num_views())
    parts = torch.split(torch.arange(len(batches.split)), images)
    kept = built.kept_views(batches)
    if kept is None:
        for batch in batches.of((0, part.numpy()) for part in parts):
            yield batch.indices, batch.labels, built.extractor.of(batch)
        return
    for part in parts:
        at = part.to(kept.device)
        yield at, batches.labels[at], kept[at]
