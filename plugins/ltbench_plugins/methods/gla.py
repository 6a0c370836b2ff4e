"""GLA: the head is learned and added to the zero-shot classifier without its label bias."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.classifier_only import CLASSIFIER_ONLY, build

GLA = MethodSpec(
    name="gla",
    summary="the head is learned, and added to the debiased zero-shot classifier",
    build=build,
    reference="arXiv:2310.08106",
    token_wise=True,
    joint=True,
    fixed={"head": "gla", "init": "semantic", "loss": "logit_adjusted"},
    recipe=CLASSIFIER_ONLY.recipe,
)
"""Generalised logit adjustment of a linear probe: f_ft + f_zs - log q, with f_ft learned by the
logit-adjusted loss. The paper learns it by cross entropy and subtracts the log training prior
afterwards, which has the same softmax. It fine-tunes encoders too; here the encoder is frozen,
since the zero-shot classifier needs the pretrained one."""
