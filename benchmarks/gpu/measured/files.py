"""Training from JPEG files: speed, and the cores that are busy meanwhile."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.cores import cpu_seconds
from benchmarks.gpu.switches import AS_BUILT, SWITCHES
from benchmarks.throughput import ours
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import Meter


class _CoreMeter(Meter):
    """Meter that also takes the processor time of the timed steps."""

    cores = 0.0

    def _begin(self) -> None:
        super()._begin()
        self._used, self._began = cpu_seconds(), time.perf_counter()

    def _end(self) -> None:
        super()._end()
        self.cores = (cpu_seconds() - self._used) / (time.perf_counter() - self._began)


def run(
    settings: dict[str, str],
    data: str,
    device: str,
    batch_size: int,
    warmup: int,
    steps: int,
    switch: str = AS_BUILT,
) -> dict[str, Any]:
    """Returns speed, loader workers, busy cores and images per second of a busy core.

    Args:
        settings: Settings of the run.
        data: Data root.
        device: Device of the run.
        batch_size: Images per step.
        warmup: Number of steps before the timing.
        steps: Number of timed steps.
        switch: Name of the way in which the step is computed.
    """
    settings = {**settings, "train.batch_size": str(batch_size)}
    built = ours.build(settings, Path(data), device, workers=None)
    meter = _CoreMeter(torch.device(device), warmup, steps, shares=False)
    with SWITCHES[switch](built) as prepared:
        ours.train_epoch(prepared, ours.MeteredLoader(ours.train_loader(prepared), meter))
    found = meter.report(batch_size)
    return {
        **found,
        "workers": prepared.parts.loader_config.workers,
        "cores": meter.cores,
        "images_per_core_second": found["images_per_second"] / meter.cores,
        "precision": prepared.parts.policy.name,
        "peak_memory_mb": peak_memory_mb(meter.device),
    }
