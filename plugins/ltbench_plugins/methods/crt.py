"""Classifier re-training (cRT) on top of full fine-tuning."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.decoupled import DECOUPLED
from ltbench_plugins.methods.full import build
from ltbench_plugins.methods.options import BlocksConfig

CRT = MethodSpec(
    name="crt",
    summary="full fine-tuning, then the head again, class-balanced",
    config=BlocksConfig,
    build=build,
    reference="arXiv:1910.09217",
    token_wise=True,
    fixed={"refinement": "crt"},
    recipe=DECOUPLED,
)
