"""Results of VL-LTR, which is not part of ltbench: it also learns from texts of the internet."""

from __future__ import annotations

from ltbench import PublishedResult


def _result(dataset: str, accuracy: float) -> PublishedResult:
    return PublishedResult(
        dataset=dataset,
        backbone="ViT-B/16",
        method="VL-LTR",
        metrics={"accuracy": accuracy},
        source="Tian et al., ECCV 2022, arXiv:2111.13579",
    )


VL_LTR = (_result("imagenet_lt", 77.2), _result("places_lt", 50.1), _result("inat2018", 76.8))
