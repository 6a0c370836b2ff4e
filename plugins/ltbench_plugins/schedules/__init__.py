"""Schedules: the learning rate in the course of the training."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import ScheduleSpec, hookimpl
from ltbench_plugins.schedules.constant import CONSTANT
from ltbench_plugins.schedules.cosine import COSINE
from ltbench_plugins.schedules.cosine_per_epoch import COSINE_PER_EPOCH
from ltbench_plugins.schedules.linear import LINEAR


@hookimpl
def ltbench_register_schedules() -> Iterable[ScheduleSpec]:
    """The built-in schedules."""
    return [COSINE_PER_EPOCH, COSINE, CONSTANT, LINEAR]
