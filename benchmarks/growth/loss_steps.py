"""Steps of a cosine head of 128 features with each loss, by the number of classes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmarks.growth.files import long_tailed
from ltbench.protocols import ScheduledLoss
from ltbench.registry.load import load_plugins
from ltbench.testing.bench import context

_BATCH, _WIDTH, _IMAGES = 128, 128, 20_000
_MIN_SECONDS = 0.3


def run(classes: int) -> dict[str, Any]:
    """Returns the processor milliseconds of a step, forward and backward, with each loss."""
    counts = np.bincount(long_tailed(_IMAGES, classes), minlength=classes)
    registry = load_plugins()
    generator = torch.Generator().manual_seed(0)
    features = F.normalize(torch.randn(_BATCH, _WIDTH, generator=generator), dim=-1)
    labels = torch.randint(classes, (_BATCH,), generator=generator)
    weight = torch.randn(classes, _WIDTH, generator=generator).requires_grad_()
    spent = {}
    for component in registry.components["loss"].values():
        spec: Any = component.spec
        loss = spec.build(spec.config(), context(tuple(counts.tolist())))
        spent[spec.name] = round(1000 * _seconds(loss, features, labels, weight), 3)
    return {"loss_ms": spent}


def _seconds(loss: Any, features: Tensor, labels: Tensor, weight: Tensor) -> float:
    """Returns the processor seconds of a step."""
    if isinstance(loss, ScheduledLoss):
        loss.start_epoch(0.5)
    steps, start = 0, time.process_time()
    while (spent := time.process_time() - start) < _MIN_SECONDS or steps < 2:
        logits = 20 * features @ F.normalize(weight, dim=-1).T
        loss(logits, labels).backward()
        weight.grad = None
        steps += 1
    return spent / steps
