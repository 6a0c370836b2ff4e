"""Losses: functions from logits and labels to a scalar."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import LossSpec, hookimpl
from ltbench_plugins.losses.agcl import AGCL
from ltbench_plugins.losses.balanced_softmax import BALANCED_SOFTMAX
from ltbench_plugins.losses.ce import CE
from ltbench_plugins.losses.class_balanced import CLASS_BALANCED
from ltbench_plugins.losses.focal import FOCAL
from ltbench_plugins.losses.generalized_reweight import GENERALIZED_REWEIGHT
from ltbench_plugins.losses.label_smoothing import LABEL_SMOOTHING
from ltbench_plugins.losses.lade import LADE
from ltbench_plugins.losses.ldam import LDAM
from ltbench_plugins.losses.logit_adjusted import LOGIT_ADJUSTED
from ltbench_plugins.losses.seesaw import SEESAW
from ltbench_plugins.losses.vs import VS


@hookimpl
def ltbench_register_losses() -> Iterable[LossSpec]:
    """Returns the built-in losses."""
    return [
        AGCL,
        BALANCED_SOFTMAX,
        CE,
        CLASS_BALANCED,
        FOCAL,
        GENERALIZED_REWEIGHT,
        LABEL_SMOOTHING,
        LADE,
        LDAM,
        LOGIT_ADJUSTED,
        SEESAW,
        VS,
    ]
