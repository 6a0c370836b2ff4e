"""Epochs of a training with a frozen encoder: the first, and the later ones."""

from __future__ import annotations

import statistics
import tempfile
from typing import Any

from benchmarks.throughput.measured.commands import history, run_once

_EPOCHS = "6"


def run(settings: dict[str, str], data: str, device: str) -> dict[str, Any]:
    """Returns the seconds of the first epoch, and the median of the later ones."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = {**settings, "train.epochs": _EPOCHS}
        where = ("--data-root", data, "--device", device, "--out", folder)
        result = run_once(chosen, *where)
        first, *later = (row["seconds"] for row in history(result))
    return {
        "first_epoch_seconds": first,
        "later_epoch_seconds": statistics.median(later),
        "times_faster": first / statistics.median(later),
        "peak_memory_mb": result["peak_memory_mb"],
    }
