"""Steps of cosine heads on kept features: thirty one by one, and as one batched problem.

The batched problem is the best case: one matrix product, one loss and one update for all heads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

HEADS = 30
_BATCH = 128
_RATE, _MOMENTUM, _DECAY = 0.01, 0.9, 5e-4
_SHAPES = ((10, 128), (100, 512), (1000, 512), (1000, 768))
_ROUNDS, _MIN_SECONDS = 5, 0.3


def measured(large: bool) -> list[dict[str, Any]]:
    """Returns the CPU seconds of a step of a head for each number of classes and width."""
    found = []
    for classes, width in _SHAPES:
        features = torch.randn(10_000, width)
        labels = torch.randint(classes, (10_000,))
        draws = torch.randint(10_000, (HEADS, _BATCH))
        one = _seconds(_single(features, labels, draws[0], classes))
        batched = _seconds(_batched(features, labels, draws, classes)) / HEADS
        found.append(
            {
                "classes": classes,
                "width": width,
                "one_by_one": one,
                "batched": batched,
                "ratio": one / batched,
            }
        )
        print(found[-1])
    return found


def _single(features: Tensor, labels: Tensor, draws: Tensor, classes: int) -> Callable[[], None]:
    """Returns a step of one head."""
    weight = torch.randn(classes, features.shape[1]).requires_grad_()
    optimizer = torch.optim.SGD([weight], _RATE, momentum=_MOMENTUM, weight_decay=_DECAY)

    def step() -> None:
        logits = 20 * F.normalize(features[draws], dim=-1) @ F.normalize(weight, dim=-1).T
        F.cross_entropy(logits, labels[draws]).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def _batched(features: Tensor, labels: Tensor, draws: Tensor, classes: int) -> Callable[[], None]:
    """Returns a step of all heads, (H, B) draws, each with a learning rate of its own."""
    weight = torch.randn(len(draws), classes, features.shape[1]).requires_grad_()
    momentum, rates = torch.zeros_like(weight), torch.full((len(draws), 1, 1), _RATE)

    def step() -> None:
        unit = F.normalize(weight, dim=-1).transpose(1, 2)
        logits = 20 * torch.bmm(F.normalize(features[draws], dim=-1), unit)
        loss = F.cross_entropy(logits.flatten(0, 1), labels[draws].flatten(), reduction="sum")
        (loss / _BATCH).backward()
        gradient = weight.grad
        assert gradient is not None
        with torch.no_grad():
            momentum.mul_(_MOMENTUM).add_(gradient.add_(weight, alpha=_DECAY))
            weight.sub_(rates * momentum)
        weight.grad = None

    return step


def _seconds(step: Callable[[], None]) -> float:
    """Returns the CPU seconds of a step, the fastest of some rounds."""
    step()
    steps, best = 1, float("inf")
    for _ in range(_ROUNDS):
        start = time.process_time()
        for _ in range(steps):
            step()
        spent = time.process_time() - start
        best = min(best, spent / steps)
        steps = max(steps, round(_MIN_SECONDS / best))
    return best
