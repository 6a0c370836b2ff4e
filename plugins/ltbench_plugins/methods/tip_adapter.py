"""Tip-Adapter: zero-shot logits plus votes of similar training images, without any training."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.classifier_only import build

TIP_ADAPTER = MethodSpec(
    name="tip_adapter",
    summary="nothing is learned: zero-shot plus a cache of training features",
    build=build,
    reference="arXiv:2111.03930",
    token_wise=True,
    learns_head=False,
    joint=True,
    fixed={"head": "cache", "init": "semantic", "train.epochs": 0},
)
