"""Tau-normalisation on top of full fine-tuning."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.decoupled import DECOUPLED
from ltbench_plugins.methods.full import build
from ltbench_plugins.methods.options import BlocksConfig

TAU_NORM = MethodSpec(
    name="tau_norm",
    summary="full fine-tuning, then class weights divided by a power of their norm",
    config=BlocksConfig,
    build=build,
    reference="arXiv:1910.09217",
    token_wise=True,
    fixed={"refinement": "tau_norm"},
    recipe=DECOUPLED,
)
