"""Forward passes of a backbone in float32 and in a lower precision, alternately."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from benchmarks.throughput import ours
from benchmarks.throughput.meter import wait

_PAIRS = 7


def run(backbone: dict[str, str], device: str, images: int) -> dict[str, Any]:
    """Returns images per second in both precisions, and the median ratio of their pairs.

    A pass goes forward, and back to the images: it learns no weight.

    Args:
        backbone: Settings of the backbone.
        device: Device of the backbone.
        images: Number of images of a pass.
    """
    model = ours.backbone(backbone, torch.device(device))
    side = model.resolution
    batch = torch.linspace(-1, 1, images * 3 * side * side, device=device)
    batch = batch.reshape(images, 3, side, side).requires_grad_(True)
    policies = ours.precisions(torch.device(device))
    rounds = []
    for _ in range(_PAIRS + 1):
        seconds = []
        for policy in policies:
            wait(batch.device)
            start = time.perf_counter()
            with policy.autocast():
                features = model(batch)
            features.float().sum().backward()
            wait(batch.device)
            seconds.append(time.perf_counter() - start)
        rounds.append(seconds)
    exact, lower = zip(*rounds[1:], strict=True)  # the first round warms up
    return {
        "gflops_forward": ours.forward_flops(model) / 1e9,
        "lower": policies[1].name,
        "fp32_images_per_second": images / min(exact),
        "lower_images_per_second": images / min(lower),
        "speedup": statistics.median(a / b for a, b in zip(exact, lower, strict=True)),
    }
