"""Steps of ltbench's own loop on images that are on the device: one batch size, and the largest."""

from __future__ import annotations

import gc
from typing import Any

import torch

from benchmarks.gpu.resident import build_resident
from benchmarks.gpu.switches import AS_BUILT, SWITCHES
from benchmarks.throughput import flops, ours
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import Meter

_COUNTED_IMAGES = 2  # enough, because all images have the same number of operations
_STEPS_OF_LARGE = {"warmup": 1, "steps": 3}


def run(
    settings: dict[str, str],
    device: str,
    batch_size: int,
    warmup: int,
    steps: int,
    largest: bool = False,
    switch: str = AS_BUILT,
) -> dict[str, Any]:
    """Returns speed, operations and peak memory; those of the largest batch as `largest_...`.

    Args:
        settings: Settings of the run.
        device: Device of the run.
        batch_size: Images per step.
        warmup: Number of steps before the timing.
        steps: Number of timed steps.
        largest: Whether the batch size is doubled until the device's memory is full.
        switch: Name of the way in which the step is computed.
    """
    built = build_resident({**settings, "train.batch_size": str(batch_size)}, device)
    with SWITCHES[switch](built) as prepared:
        found = _timed(prepared, batch_size, warmup, steps)
        # Counted after the timing: the counter's kernels are not those of the run.
        # A compiled run pads fewer images to its batch.
        images = batch_size if prepared.resolved.spec.compile else _COUNTED_IMAGES
        few = ours.FewImages(ours.train_loader(prepared), images)
        counted = flops.count(lambda: ours.train_epoch(prepared, few)) / images / 1e9
        more = _largest(prepared, batch_size) if largest else {}
    for prefix, record in (("", found), ("largest_", more)):
        if record:
            found |= {f"{prefix}{key}": value for key, value in record.items()}
            found[f"{prefix}gflops"] = counted * record["images_per_second"]
    return {
        **found,
        "gflops_per_image": counted,
        "batch_size": batch_size,
        "precision": prepared.parts.policy.name,
        "learned": sum(p.numel() for p in prepared.parts.model.learned().values()),
    }


def _timed(
    prepared: ours.PreparedRun, batch_size: int, warmup: int, steps: int
) -> dict[str, float]:
    """Returns images per second, seconds per step and peak memory."""
    device = prepared.parts.loader_config.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    meter = Meter(device, warmup, steps, shares=False)
    loader = ours.MeteredLoader(ours.train_loader(prepared), meter)
    ours.train_epoch(prepared, loader, batch_size)
    return {**meter.report(batch_size), "peak_memory_mb": peak_memory_mb(device)}


def _largest(prepared: ours.PreparedRun, batch_size: int) -> dict[str, Any]:
    """Returns the figures of the largest batch that fits, at most the whole training split."""
    found: dict[str, Any] = {}
    images = len(prepared.parts.dataset.splits["train"])
    while batch_size * 2 <= images:
        batch_size *= 2
        try:
            found = {"batch": batch_size, **_timed(prepared, batch_size, **_STEPS_OF_LARGE)}
        except torch.OutOfMemoryError:
            break
        finally:
            for parameter in prepared.parts.model.parameters():
                parameter.grad = None
            gc.collect()
            torch.cuda.empty_cache()
    return found
