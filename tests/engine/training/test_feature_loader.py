"""Augmentations that show plain views share the features of those who read these."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ltbench import AugmentationSpec
from ltbench.engine.building.checked_components import CheckedAugmentation
from ltbench.engine.training.feature_loader import is_plain
from ltbench.registry.component import Component
from ltbench.views import Views, center_square


class Squares:
    """Centred squares, but for what is asked."""

    draws = 0

    def __init__(self, but: str) -> None:
        self.but = but

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        boxes = center_square(sizes)
        if self.but == "small images" and sizes.min() < 20:
            raise ValueError("too small")
        if self.but == "large images":
            boxes[sizes.max(axis=1) > 4000, 2:] -= 1
        if self.but == "the last epoch" and progress == 1:
            boxes[:, 2:] -= 0.5
        flips = np.ones(len(sizes), dtype=bool) if self.but == "mirrored" else None
        return Views(boxes, flips, self.but == "cropped first")


@pytest.mark.parametrize(
    ("but", "plain"),
    [
        ("nothing", True),
        ("small images", False),
        ("large images", False),
        ("the last epoch", False),
        ("mirrored", False),
        ("cropped first", False),
    ],
)
def test_plain_views_are_found_out(but: str, plain: bool) -> None:
    spec = AugmentationSpec(name="squares", summary="squares", build=lambda config, ctx: None)
    augmentation = CheckedAugmentation(Squares(but), Component(spec, "tests 1"))
    assert is_plain(augmentation) is plain
