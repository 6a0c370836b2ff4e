"""Evaluation of a test split by ltbench."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.throughput import ours
from benchmarks.throughput.memory import peak_memory_mb
from benchmarks.throughput.meter import wait


def run(settings: dict[str, str], data: str, device: str) -> dict[str, Any]:
    """Returns images per second over the test split.

    Args:
        settings: Settings of the run.
        data: Data root.
        device: Device of the run.
    """
    prepared = ours.build(settings, Path(data), device, workers=None)
    chosen = torch.device(device)
    wait(chosen)
    start = time.perf_counter()
    images = ours.evaluate_split(prepared, "test")
    wait(chosen)
    seconds = time.perf_counter() - start
    return {
        "images_per_second": images / seconds,
        "seconds": seconds,
        "precision": prepared.parts.policy.name,
        "peak_memory_mb": peak_memory_mb(chosen),
    }
