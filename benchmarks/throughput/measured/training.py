"""Steps of ltbench's own training loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.throughput import flops, ours
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import Meter

_COUNTED_IMAGES = 2  # enough, because all images have the same number of operations


def run(
    settings: dict[str, str],
    data: str,
    device: str,
    batch_size: int,
    warmup: int,
    steps: int,
    resident: bool = False,
) -> dict[str, Any]:
    """Returns the meter's figures, operations per image, and peak memory.

    Args:
        settings: Settings of the run.
        data: Data root.
        device: Device of the run.
        batch_size: Number of images per step.
        warmup: Number of steps before the timing.
        steps: Number of timed steps.
        resident: Whether one batch on the device is repeated.
    """
    settings = {**settings, "train.batch_size": str(batch_size)}
    prepared = ours.build(settings, Path(data), device, workers=None)
    chosen = torch.device(device)
    meters = [Meter(chosen, warmup, steps, shares=chosen.type == "cpu")]
    if chosen.type == "cuda":  # synchronising at each phase is slower, so it gets its own pass
        meters.append(Meter(chosen, warmup, steps, shares=True))
    loader = ours.train_loader(prepared)
    for meter in meters:
        if meter.shares:
            ours.attach(meter, prepared)
        ours.train_epoch(prepared, ours.MeteredLoader(loader, meter, resident))
    peak = peak_memory_mb(chosen)
    few = ours.FewImages(loader, _COUNTED_IMAGES)
    counted = flops.count(lambda: ours.train_epoch(prepared, few)) / _COUNTED_IMAGES
    speed, split = meters[0].report(batch_size), meters[-1].report(batch_size)
    return {
        **split,
        **speed,
        "precision": prepared.parts.policy.name,
        "precision_reason": prepared.parts.policy.reason,
        "workers": prepared.parts.loader_config.workers,
        "gflops_per_image": counted / 1e9,
        "gflops": counted / 1e9 * speed["images_per_second"],
        "peak_memory_mb": peak,
    }
