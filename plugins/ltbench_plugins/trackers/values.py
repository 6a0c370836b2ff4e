"""Conversion of settings, epochs and results for trackers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltbench import TrackerContext


def place(folder: Path | None, ctx: TrackerContext, name: str) -> Path:
    """Returns a tracker's folder: FOLDER/HASH, or a folder of its name in the run directory."""
    return ctx.directory / name if folder is None else folder / ctx.hash


def title(ctx: TrackerContext) -> str:
    """Returns the display name of a run: "lift_plus, seed 0"."""
    return f"{ctx.settings['method']}, seed {ctx.settings['seed']}"


def typed(value: Any) -> str:
    """Returns a setting in the form that `--set` takes.

    >>> [typed(value) for value in (None, True, 0.5, "tte", ["q", "v"])]
    ['none', 'true', '0.5', 'tte', '["q", "v"]']
    """
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def of_epoch(metrics: Mapping[str, float]) -> dict[str, float]:
    """Returns the metrics of an epoch without its number."""
    return {name: float(value) for name, value in metrics.items() if name != "epoch"}


def of_result(result: Mapping[str, Any]) -> dict[str, float]:
    """Returns the numbers of a result: metrics, parameters, time and memory.

    A shot group without classes is left out.
    """
    numbers = {
        **result["metrics"],
        "learned_parameters": result["learned"]["total"],
        "train_seconds": result["training"]["seconds"],
        "peak_memory_mb": result["peak_memory_mb"],
    }
    return {name: float(one) for name, one in numbers.items() if isinstance(one, int | float)}
