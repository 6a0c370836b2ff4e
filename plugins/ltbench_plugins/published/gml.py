"""Results of GML, which is not part of ltbench: networks trained from scratch."""

from __future__ import annotations

from typing import Any

from ltbench import PublishedResult


def _result(backbone: str, dataset: str, accuracy: float, **options: Any) -> PublishedResult:
    return PublishedResult(
        dataset=dataset,
        backbone=backbone,
        method="GML",
        metrics={"accuracy": accuracy},
        source="Suh and Seo, ICML 2023, arXiv:2305.01160",
        settings={f"dataset.{name}": value for name, value in options.items()},
    )


GML = (
    _result("ResNeXt-50", "imagenet_lt", 58.8),
    _result("ResNet-50", "inat2018", 74.5),
    _result("ResNet-32", "cifar100_lt", 54.0, ratio=100),
    _result("ResNet-32", "cifar100_lt", 58.1, ratio=50),
    _result("ResNet-32", "cifar100_lt", 67.0, ratio=10),
)
