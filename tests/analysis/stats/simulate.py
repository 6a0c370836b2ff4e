"""Test results of models that never were, with differences of known size and cause."""

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
    """How far an image's margin depends on what. A margin above 0 is a right answer.

    Args:
        images: What makes an image easier for one model than for the other, whatever the seed.
        seeds: What makes a model with a seed better on all images.
        both: What a seed does to an image.
        better: By how much the first model's margins are larger.
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
    """Lets randomisation tests sample flips where enumerating them would take most of the time."""
    with patch.object(randomisation, "_EXACT", 1000):
        yield


def strata(sizes: NDArray[np.int64]) -> Strata:
    """Classes of these sizes: a third of them many-shot, the rest few-shot."""
    classes = np.arange(len(sizes))
    many = classes < len(sizes) / 3
    return Strata.of_classes(np.repeat(classes, sizes), {"many": many, "few": ~many})
