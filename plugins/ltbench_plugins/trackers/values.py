"""What the trackers make of settings, epochs and results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltbench import TrackerContext


def place(folder: Path | None, ctx: TrackerContext, name: str) -> Path:
    """Returns where a tracker writes: FOLDER/HASH, or a folder of its name in the run directory."""
    return ctx.directory / name if folder is None else folder / ctx.hash


def title(ctx: TrackerContext) -> str:
    """Returns what a run is called where people read it: "lift_plus, seed 0"."""
    return f"{ctx.settings['method']}, seed {ctx.settings['seed']}"


def typed(value: Any) -> str:
    """Returns a setting as `--set` takes it.

    >>> [typed(value) for value in (None, True, 0.5, "tte", ["q", "v"])]
    ['none', 'true', '0.5', 'tte', '["q", "v"]']
    """
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)


def of_epoch(metrics: Mapping[str, float]) -> dict[str, float]:
    """Returns the numbers of an epoch without its own."""
    return {name: float(value) for name, value in metrics.items() if name != "epoch"}


def of_result(result: Mapping[str, Any]) -> dict[str, float]:
    """Returns the numbers of a result: its metrics, and what it took.

    A shot group without classes has none.
    """
    numbers = {
        **result["metrics"],
        "learned_parameters": result["learned"]["total"],
        "train_seconds": result["training"]["seconds"],
        "peak_memory_mb": result["peak_memory_mb"],
    }
    return {name: float(one) for name, one in numbers.items() if isinstance(one, int | float)}
