"""Augmentations that show plain views share the features of those who read these."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ltbench.engine.training.feature_loader import is_plain
from ltbench.views import Views, center_square
from tests.strangers import guarded


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
    assert is_plain(guarded(Squares(but))) is plain
