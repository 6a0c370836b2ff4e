"""Linear probe: a logistic regression on the frozen features."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.classifier_only import build

LINEAR_PROBE = MethodSpec(
    name="linear_probe",
    summary="a logistic regression on the frozen features",
    build=build,
    reference="arXiv:2103.00020",
    token_wise=True,
    fixed={"head": "linear", "refinement": "linear_probe", "train.epochs": 0},
)
