"""Evaluation: what the model says about each test image."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ltbench.data.batches import Batches
from ltbench.engine.model import Classifier
from ltbench.engine.precision import Arithmetic
from ltbench.engine.seams import CheckedInference
from ltbench.engine.watch import Watch
from ltbench.errors import DataError, NonFiniteLossError
from ltbench.predictions import Predictions

_VIEWS_PER_PASS = 256
_KEPT = 10  # logits of an image that are stored


@torch.inference_mode()
def evaluate(
    model: Classifier,
    batches: Batches,
    inference: CheckedInference,
    num_views: int,
    arithmetic: Arithmetic,
    watch: Watch,
) -> Predictions:
    """Returns the predictions on a split, all views of some images in one pass.

    Args:
        model: The classifier.
        batches: Of the split: `num_views` views an image.
        inference: How the views' logits become one.
        num_views: V.
        arithmetic: Precision of the forward pass.
        watch: Told how it gets on.

    Raises:
        DataError: No image of the split can be decoded.
        NonFiniteLossError: Some logits are NaN or infinite.
        PluginError: The inference's logits are not what they should be.
    """
    model.eval()
    size = len(batches.split)
    watch.start("evaluating", size)
    images = max(1, _VIEWS_PER_PASS // num_views)
    rows: list[tuple[Tensor, ...]] = []
    for batch in batches.of((0, part.numpy()) for part in torch.split(torch.arange(size), images)):
        with arithmetic.autocast():
            logits = model(batch.views.flatten(0, 1))
        logits = inference.reduce(logits.unflatten(0, batch.views.shape[:2]))
        top = logits.topk(min(_KEPT, logits.shape[1]))
        rows.append((batch.indices, batch.labels, top.indices, top.values, logits.logsumexp(dim=1)))
        watch.advance(len(batch.labels))
    if not rows:
        raise DataError("no image to evaluate on can be decoded", hint="check the data set's files")
    columns = [torch.cat(column).cpu().numpy() for column in zip(*rows, strict=True)]
    watch.stop()
    predictions = Predictions(*columns)
    broken = int((~np.isfinite(predictions.log_sum_exp)).sum())
    if broken:
        raise NonFiniteLossError(
            f"the logits of {broken} of {size} images are not finite: the training has diverged",
            hint="lower the learning rate (--lr), or take --precision fp32",
        )
    return predictions
