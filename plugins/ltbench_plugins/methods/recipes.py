"""Recipes that several methods share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ltbench import Recipe

COOP_TRAINING: Mapping[str, Any] = {
    "optimizer": "sgd",
    "schedule": "cosine_per_epoch",
    "schedule.warmup_epochs": 1,
    "schedule.warmup_factor": 0.005,  # of 0.002: 1e-5
    "train.lr": 0.002,
    "train.batch_size": 32,
}
"""The training of CoOp's published code (configs/trainers/CoOp in github.com/KaiyangZhou/CoOp)."""


def recipe(settings: Mapping[str, Any] | None = None, **by_dataset: Mapping[str, Any]) -> Recipe:
    """Returns a recipe of these settings that trains 15 epochs on iNaturalist 2018.

    >>> recipe({"train.lr": 0.03}, inat2018={"train.lr": 0.01}).by_dataset
    {'inat2018': {'train.epochs': 15, 'train.lr': 0.01}}
    """
    inat2018 = {"train.epochs": 15, **by_dataset.get("inat2018", {})}
    return Recipe(settings=settings or {}, by_dataset={**by_dataset, "inat2018": inat2018})
