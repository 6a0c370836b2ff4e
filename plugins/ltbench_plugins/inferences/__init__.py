"""Inferences: the views of a test image, and how their logits are combined."""

from __future__ import annotations

from collections.abc import Iterable

from ltbench import InferenceSpec, hookimpl
from ltbench_plugins.inferences.center import CENTER
from ltbench_plugins.inferences.em_prior import EM_PRIOR
from ltbench_plugins.inferences.flip import FLIP
from ltbench_plugins.inferences.multi_scale import MULTI_SCALE
from ltbench_plugins.inferences.post_hoc_logit_adjustment import POST_HOC_LOGIT_ADJUSTMENT
from ltbench_plugins.inferences.randaug_tte import RANDAUG_TTE
from ltbench_plugins.inferences.ten_crop import TEN_CROP
from ltbench_plugins.inferences.tte import TTE


@hookimpl
def ltbench_register_inferences() -> Iterable[InferenceSpec]:
    """Returns the built-in inferences."""
    return [
        CENTER,
        EM_PRIOR,
        FLIP,
        MULTI_SCALE,
        POST_HOC_LOGIT_ADJUSTMENT,
        RANDAUG_TTE,
        TEN_CROP,
        TTE,
    ]
