"""Histograms of intra-class distances of a shot group's train and test features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.storage.diagnosis_schema import GroupHistogram, Histograms

Floats = NDArray[np.float64]

EDGES = np.linspace(0, 2, 401)
"""Edges of the bins of 1 - cosine; 0.005 wide."""

KINDS = tuple(GroupHistogram.model_fields)


class DistanceHistograms:
    """Counts of intra-class distances, class by class."""

    def __init__(self) -> None:
        bins = len(EDGES) - 1
        self._counts = {
            group: {kind: np.zeros(bins, dtype=np.int64) for kind in KINDS} for group in SHOT_GROUPS
        }

    def add(self, group: str, train: Floats, test: Floats) -> None:
        """Adds the features of a class.

        Args:
            group: Shot group of the class.
            train: (n, width) train features of length 1.
            test: (m, width) test features of length 1.
        """
        found = {
            "train": others_distances(train),
            "train_own": _distances(train, train.sum(axis=0)),
            "test": others_distances(test),
            "test_to_train": _distances(test, train.sum(axis=0)),
        }
        for kind, values in found.items():
            if len(train) or kind == "test":
                self._counts[group][kind] += np.histogram(values, EDGES)[0]

    def content(self) -> Histograms:
        """Returns the histograms as they are stored."""
        groups = {
            group: GroupHistogram(**{kind: counts.tolist() for kind, counts in kinds.items()})
            for group, kinds in self._counts.items()
        }
        return Histograms(edges=EDGES.tolist(), groups=groups)


def others_distances(features: Floats) -> Floats:
    """Returns 1 - cosine of each feature to the mean of the others, (n,); empty for one feature.

    Args:
        features: (n, width) features of length 1.
    """
    if len(features) < 2:
        return np.empty(0)
    others = features.sum(axis=0) - features
    return _distances(features, others)


def _distances(features: Floats, towards: Floats) -> Floats:
    """Returns 1 - cosine of features of length 1 to vectors of any length, from 0 to 2."""
    norms = np.linalg.norm(towards, axis=-1)
    products = (features * towards).sum(axis=1)
    cosines = np.zeros(len(features))
    np.divide(products, norms, out=cosines, where=norms > 1e-12)
    return 1 - np.clip(cosines, -1, 1)
