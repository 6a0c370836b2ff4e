"""Executors: the places where the runs of a grid are executed."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LateSpec, hookimpl, late_specs


@hookimpl
def ltbench_register_executors() -> Iterable[LateSpec]:
    """Returns the built-in executors."""
    return late_specs(__name__, "local", "slurm", "ray", default="local")
