"""Small predictions whose errors are counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from ltbench.analysis.errors.pooled_predictions import PooledPredictions

NAMES = ["dog", "cat", "owl", "eel", "yak"]
TRAIN = [200, 50, 5, 3, 1]
"""Many, medium, and three few-shot classes, of which the last has no test images."""
LABELS = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3]
FIRST = [0, 0, 0, 1, 1, 1, 0, 0, 2, 0, 0, 1, 0, 3]
SECOND = [0, 0, 0, 0, 1, 1, 1, 0, 2, 0, 3, 1, 3, 3]
CONFIDENCE = [0.9, 0.9, 0.9, 0.6, 0.8, 0.8, 0.5, 0.7, 0.4, 0.99, 0.6, 0.3, 0.95, 0.5]


def read(predicted: Sequence[int] = FIRST, confidence: Sequence[float] = CONFIDENCE) -> Any:
    """Returns the predictions of a seed."""
    return SimpleNamespace(
        indices=np.arange(10, 10 + len(LABELS)),
        labels=np.array(LABELS),
        predicted=np.array(predicted),
        confidence=np.array(confidence),
    )


def one_seed() -> PooledPredictions:
    return PooledPredictions.of([read()], NAMES, TRAIN)


def two_seeds() -> PooledPredictions:
    return PooledPredictions.of([read(), read(SECOND, [0.5] * len(LABELS))], NAMES, TRAIN)
