"""Tip-Adapter-F: the keys of Tip-Adapter's cache are learned.

Trained as in the published code (main_imagenet.py and configs/ in
github.com/gaopengcuhk/Tip-Adapter): AdamW with a learning rate of 0.001 and an eps of 1e-4, a
cosine that changes with the step, 20 epochs, batches of 256.
"""

from __future__ import annotations

from ltbench import MethodSpec, Recipe
from ltbench_plugins.methods.classifier_only import build

TIP_ADAPTER_F = MethodSpec(
    name="tip_adapter_f",
    summary="the keys of Tip-Adapter's cache are learned",
    build=build,
    reference="arXiv:2111.03930",
    token_wise=True,
    joint=True,
    fixed={"head": "cache", "init": "semantic"},
    recipe=Recipe(
        settings={
            "optimizer": "adamw",
            "optimizer.eps": 1e-4,
            "schedule": "cosine",
            "train.lr": 0.001,
            "train.epochs": 20,
            "train.batch_size": 256,
        }
    ),
)
