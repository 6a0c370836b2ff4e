"""Results of LIFT, with test-time ensembling (TTE) unless another inference is given."""

from __future__ import annotations

from typing import Any

from ltbench import PublishedResult


def _result(
    backbone: str, dataset: str, accuracy: float, inference: str = "tte", **options: Any
) -> PublishedResult:
    return PublishedResult(
        dataset=dataset,
        backbone=backbone,
        method="lift",
        metrics={"accuracy": accuracy},
        source="Shi et al., ICML 2024, arXiv:2309.10019",
        settings={
            "inference": inference,
            **{f"dataset.{name}": value for name, value in options.items()},
        },
    )


LIFT = (
    _result("clip_vit_b16", "imagenet_lt", 78.3),
    _result("clip_vit_b16", "imagenet_lt", 77.0, "center"),
    _result("clip_vit_b16", "places_lt", 52.2),
    _result("clip_vit_b16", "places_lt", 51.5, "center"),
    _result("clip_vit_b16", "cifar100_lt", 81.7, ratio=100),
    _result("clip_vit_b16", "cifar100_lt", 83.1, ratio=50),
    _result("clip_vit_b16", "cifar100_lt", 84.9, ratio=10),
    _result("clip_vit_l14", "imagenet_lt", 82.9),
    _result("clip_vit_l14", "places_lt", 53.7),
    # The paper calls this backbone "ImageNet-21K"; its weights were also trained on ImageNet-1k.
    _result("in21k_vit_b16", "cifar100_lt", 89.1, ratio=100),
    _result("in21k_vit_b16", "cifar100_lt", 90.2, ratio=50),
    _result("in21k_vit_b16", "cifar100_lt", 91.3, ratio=10),
)
