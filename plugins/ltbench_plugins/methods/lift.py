"""LIFT: AdaptFormer with the training of the first paper."""

from __future__ import annotations

from ltbench import MethodSpec
from ltbench_plugins.methods.adaptformer import AdaptFormerConfig, build
from ltbench_plugins.methods.recipes import recipe

LIFT = MethodSpec(
    name="lift",
    summary="AdaptFormer, semantic cosine head, logit adjustment, TTE; 10 epochs",
    config=AdaptFormerConfig,
    build=build,
    reference="arXiv:2309.10019",
    token_wise=True,
    version=2,
    recipe=recipe(
        {
            "loss": "logit_adjusted",
            "head": "cosine",
            "augmentation": "standard",
            "inference": "tte",
            "train.epochs": 10,
            "train.lr": 0.01,
        },
        inat2018={"train.epochs": 20},
    ),
)
