"""Cosines between class means, over all pairs of classes without a K x K matrix."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.storage.diagnosis_schema import Heatmap, Similarity

Floats = NDArray[np.float64]

MAX_BINS = 100
"""Largest number of rows of the heatmap."""


def class_similarity(
    directions: Floats,
    present: NDArray[np.bool_],
    train_images: NDArray[np.int64],
    groups: dict[str, NDArray[np.bool_]],
) -> Similarity:
    """Returns the mean cosines between the class means, over all pairs and by bins of classes.

    The mean over pairs of classes of two sets is the inner product of the sets' sums over the
    number of pairs, so that no cosine of a pair is stored.

    Args:
        directions: (K, width) class means of length 1; rows of absent classes are ignored.
        present: (K,) whether a class has a mean.
        train_images: (K,) training images of each class.
        groups: Shot group -> (K,) whether each class belongs to it.
    """
    order = np.lexsort((np.arange(len(present)), -train_images))
    order = order[present[order]]
    bins = min(len(order), MAX_BINS)
    edges = np.round(np.linspace(0, len(order), bins + 1)).astype(np.int64)
    by_bin = [order[start:end] for start, end in pairwise(edges)]
    of_groups = [np.flatnonzero(groups[name] & present) for name in SHOT_GROUPS]
    between = _mean_cosines(directions, of_groups)
    return Similarity(
        overall=_mean_cosines(directions, [order])[0][0],
        by_groups={
            one: {other: between[i][j] for j, other in enumerate(SHOT_GROUPS)}
            for i, one in enumerate(SHOT_GROUPS)
        },
        heatmap=Heatmap(
            order=order.tolist(),
            edges=edges.tolist(),
            cosines=_mean_cosines(directions, by_bin),
        ),
    )


def _mean_cosines(
    directions: Floats, sets: Sequence[NDArray[np.int64]]
) -> list[list[float | None]]:
    """Returns the mean cosine over pairs of different classes of two sets; None without a pair.

    Args:
        directions: (K, width) class means of length 1.
        sets: Class ids of each set; sets have no class in common.
    """
    if not sets:
        return []
    sums = np.stack([directions[ids].sum(axis=0) for ids in sets])
    sizes = np.array([len(ids) for ids in sets])
    own = np.array([(directions[ids] ** 2).sum() for ids in sets])
    totals = sums @ sums.T - np.diag(own)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    return [
        [float(total / count) if count else None for total, count in zip(*row, strict=True)]
        for row in zip(totals, pairs, strict=True)
    ]
