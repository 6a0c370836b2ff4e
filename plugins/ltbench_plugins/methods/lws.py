"""Learnable weight scaling (LWS) on top of full fine-tuning."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.decoupled import DECOUPLED
from ltbench_plugins.methods.full import build
from ltbench_plugins.methods.options import BlocksConfig

LWS = MethodSpec(
    name="lws",
    summary="full fine-tuning, then a factor for each class's logit",
    config=BlocksConfig,
    build=build,
    reference="arXiv:1910.09217",
    token_wise=True,
    fixed={"refinement": "lws"},
    recipe=DECOUPLED,
)
