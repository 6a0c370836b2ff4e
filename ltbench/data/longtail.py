"""Makes a balanced data set long-tailed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def exponential_counts(num_classes: int, largest: int, ratio: float) -> list[int]:
    """Returns class counts that fall exponentially: n_k = floor(largest * ratio^(-k / (K - 1))).

    The profile of CIFAR-100-LT (Cao et al., NeurIPS 2019).

    >>> exponential_counts(4, 500, 100)
    [500, 107, 23, 5]
    """
    steps = max(num_classes - 1, 1)
    return [int(largest * (1 / ratio) ** (k / steps)) for k in range(num_classes)]


def select_counts(
    labels: NDArray[np.int64], counts: list[int], data_seed: int
) -> NDArray[np.int64]:
    """Returns the indices of a subset with the given class counts, class by class.

    One legacy stream shuffles the indices of each class in the order of the labels, and the first
    n_k are kept: the selection that the published CIFAR-100-LT experiments use (seed 0).

    Args:
        labels: (N,) class ids of the balanced set.
        counts: n_k for each class; a class with fewer images gives all it has.
        data_seed: Seed of the stream.
    """
    stream = np.random.RandomState(data_seed)
    chosen = []
    for label, count in enumerate(counts):
        indices = np.flatnonzero(labels == label)
        stream.shuffle(indices)
        chosen.append(indices[:count])
    return np.concatenate(chosen)
