"""Nearest class mean on the frozen features."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.classifier_only import build

NCM = MethodSpec(
    name="ncm",
    summary="nearest class mean of the frozen features",
    build=build,
    reference="arXiv:1910.09217",
    token_wise=True,
    fixed={"head": "cosine", "refinement": "ncm", "train.epochs": 0},
)
