"""Simulated test results of two models, with differences of known size and cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats import randomisation
from ltbench.analysis.stats.strata import Strata


@dataclass(frozen=True)
class World:
    """Sources of variation of an image's margin; an answer is correct where the margin exceeds 0.

    Args:
        images: Standard deviation of the effect of an image on one model, the same for all seeds.
        seeds: Standard deviation of the effect of a seed on all images.
        both: Standard deviation of the interaction of seeds and images.
        better: Constant by which the first model's margins are larger.
    """

    images: float = 0.0
    seeds: float = 0.0
    both: float = 1.0
    better: float = 0.0

    def differences(
        self, random: np.random.Generator, seeds: int, sizes: NDArray[np.int64]
    ) -> NDArray[np.int8]:
        """Draws seeds and images, and returns the differences of two models, (S, N)."""
        n = int(sizes.sum())
        easiness = 0.8 + random.normal(size=n) + np.repeat(np.linspace(1, -1, len(sizes)), sizes)
        right = [
            easiness
            + better
            + self.images * random.normal(size=n)
            + self.seeds * random.normal(size=(seeds, 1))
            + self.both * random.normal(size=(seeds, n))
            > 0
            for better in (self.better, 0.0)
        ]
        return right[0].astype(np.int8) - right[1].astype(np.int8)


@contextmanager
def sampled_flips() -> Iterator[None]:
    """Makes randomisation tests sample flips where enumeration would take most of the time."""
    with patch.object(randomisation, "_MAX_ENUMERATED_OUTCOMES", 1000):
        yield


def strata(sizes: NDArray[np.int64]) -> Strata:
    """Returns strata for classes of these sizes: a third many-shot, the rest few-shot."""
    classes = np.arange(len(sizes))
    many = classes < len(sizes) / 3
    return Strata.from_labels(np.repeat(classes, sizes), {"many": many, "few": ~many})
