"""Executors: the places where the runs of a grid are executed."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import ExecutorSpec, hookimpl
from ltbench_plugins.executors.local import LOCAL
from ltbench_plugins.executors.ray import RAY
from ltbench_plugins.executors.slurm import SLURM


@hookimpl
def ltbench_register_executors() -> Iterable[ExecutorSpec]:
    """Returns the built-in executors."""
    return [LOCAL, SLURM, RAY]
