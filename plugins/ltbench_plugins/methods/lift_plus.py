"""LIFT+: AdaptFormer with the paper's other components."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.adaptformer import AdaptFormerConfig, build
from ltbench_plugins.methods.recipes import recipe

LIFT_PLUS = MethodSpec(
    name="lift_plus",
    summary="AdaptFormer, semantic cosine head, logit adjustment, MDA, TTE; 5 epochs",
    config=AdaptFormerConfig,
    build=build,
    reference="arXiv:2504.13282",
    token_wise=True,
    version=2,
    default=True,
    recipe=recipe(
        {
            "loss": "logit_adjusted",
            "head": "cosine",
            "augmentation": "mda",
            "inference": "tte",
            "train.epochs": 5,
            "train.lr": 0.02,
        }
    ),
)
