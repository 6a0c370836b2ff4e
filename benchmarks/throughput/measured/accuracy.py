"""Accuracy of the embedded default in both precisions, with the same seeds."""

from __future__ import annotations

import math
import statistics
import tempfile
from typing import Any

from benchmarks.throughput.measured.commands import run_once


def run(seeds: int, device: str) -> dict[str, Any]:
    """Returns mean accuracies in percent, and their distance in standard errors."""
    found = {
        precision: [accuracy(precision, seed, device) for seed in range(seeds)]
        for precision in ("fp32", "bf16")
    }
    gaps = [lower - exact for exact, lower in zip(found["fp32"], found["bf16"], strict=True)]
    return {
        "seeds": seeds,
        "accuracies": found,
        "fp32": statistics.mean(found["fp32"]),
        "bf16": statistics.mean(found["bf16"]),
        "standard_errors": standard_errors(gaps),
    }


def accuracy(precision: str, seed: int, device: str) -> float:
    """Returns the accuracy of a run."""
    settings = {"precision": precision, "seed": str(seed), "data_seed": str(seed)}
    with tempfile.TemporaryDirectory() as folder:
        metrics = run_once(settings, "--device", device, "--out", folder)["metrics"]
    return float(metrics["accuracy"])


def standard_errors(gaps: list[float]) -> float:
    """Returns the mean of paired differences, in standard errors."""
    mean, error = abs(statistics.mean(gaps)), statistics.stdev(gaps) / math.sqrt(len(gaps))
    if not error:
        return math.inf if mean else 0.0
    return mean / error
