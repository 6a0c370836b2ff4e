"""Losses: from logits and labels to a scalar."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LossSpec, hookimpl
from ltbench_plugins.losses.ce import CE
from ltbench_plugins.losses.logit_adjusted import LOGIT_ADJUSTED


@hookimpl
def ltbench_register_losses() -> Iterable[LossSpec]:
    """The built-in losses."""
    return [CE, LOGIT_ADJUSTED]
