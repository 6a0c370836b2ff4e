"""LT-Soups: full fine-tuning on subsets of growing imbalance, merged."""

from __future__ import annotations

from ltbench import MethodSpec, Recipe
from ltbench_plugins.methods.full import build
from ltbench_plugins.methods.options import BlocksConfig

LT_SOUPS = MethodSpec(
    name="lt_soups",
    summary="merge of full fine-tunings on subsets from balanced to full",
    config=BlocksConfig,
    build=build,
    reference="arXiv:2511.10683",
    token_wise=True,
    fixed={"refinement": "lt_soups"},
    recipe=Recipe(
        settings={
            "optimizer": "adamw",
            "schedule": "cosine",
            "schedule.warmup_epochs": 0.25,  # 20 steps on CIFAR-100-LT
            "augmentation": "standard",
            "inference": "center",
            "train.epochs": 10,
            "train.lr": 3e-5,
        }
    ),
)
"""The training of the published code (scripts/run_lt_soups.sh in github.com/Masseeh/LT-Soups).

The code learns the embeddings and the norms around the blocks too, and its cosine ends at a tenth
of the learning rate."""
