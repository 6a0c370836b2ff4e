"""Some steps of ltbench's own training loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmarks.throughput import flops, ours
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import Meter

_COUNTED = 2  # images whose operations are counted: they are the same for each


def run(
    settings: dict[str, str],
    data: str,
    device: str,
    batch_size: int,
    warmup: int,
    steps: int,
    resident: bool = False,
) -> dict[str, Any]:
    """Returns what the meter saw, operations an image, and peak memory.

    Args:
        settings: Settings of the run.
        data: The data root.
        device: Device of the run.
        batch_size: Images a step.
        warmup: Steps before the clock starts.
        steps: Steps that are timed.
        resident: Whether one batch, on the device already, is trained on again and again.
    """
    settings = {**settings, "train.batch_size": str(batch_size)}
    built = ours.build(settings, Path(data), device, workers=None)
    chosen = torch.device(device)
    meters = [Meter(chosen, warmup, steps, shares=chosen.type == "cpu")]
    if chosen.type == "cuda":  # to wait for the device between phases slows it down: another pass
        meters.append(Meter(chosen, warmup, steps, shares=True))
    loader = ours.stream_of(built)
    for meter in meters:
        if meter.shares:
            ours.attach(meter, built)
        ours.train_epoch(built, ours.MeteredStream(loader, meter, resident))
    peak = peak_memory_mb(chosen)
    few = ours.FewImages(loader, _COUNTED)
    counted = flops.count(lambda: ours.train_epoch(built, few)) / _COUNTED
    speed, split = meters[0].report(batch_size), meters[-1].report(batch_size)
    return {
        **split,
        **speed,
        "precision": built.built.policy.name,
        "precision_reason": built.built.policy.reason,
        "workers": built.built.loader_config.workers,
        "gflops_per_image": counted / 1e9,
        "gflops": counted / 1e9 * speed["images_per_second"],
        "peak_memory_mb": peak,
    }
