"""Trackers: receivers of a run's settings, epochs and result."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import TrackerSpec, hookimpl
from ltbench_plugins.trackers.csv import CSV
from ltbench_plugins.trackers.mlflow import MLFLOW
from ltbench_plugins.trackers.tensorboard import TENSORBOARD
from ltbench_plugins.trackers.wandb import WANDB


@hookimpl
def ltbench_register_trackers() -> Iterable[TrackerSpec]:
    """Returns the built-in trackers."""
    return [CSV, TENSORBOARD, WANDB, MLFLOW]
