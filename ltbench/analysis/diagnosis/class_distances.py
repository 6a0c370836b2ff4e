"""Distances between the train and test features of one class, with their floors.

Few images look far from any others because they are few. Each distance is therefore compared with a
floor: its mean over random partitions of the same images into parts of the same sizes. If train and
test features have one distribution, every partition is equally likely, so that the expected excess
over the floor is 0 for any number of images.

Where the distributions differ, the excess of the energy distance is about the same for 2 and for
200 images. That of the other distances grows with the number of images: from few, a distance of 0
is not told apart from a small one. Shot groups are therefore compared by the energy distance; two
methods, on the same classes, by any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.storage.diagnosis_schema import DISTANCES

Floats = NDArray[np.float64]

MIN_FEATURES = 2
"""Smallest number of train features, and of test features, of a class that has distances."""

_TINY = 1e-12  # a smaller length or variance is a rounding error, and counts as 0


@dataclass(frozen=True)
class ClassDistances:
    """Distances of one class; NaN where one is not defined.

    Args:
        found: Distance between train and test features, by name (`DISTANCES`).
        floor: Mean of the distance over the random partitions, by name.
        energy_p: P value of the permutation test of the energy distance.
    """

    found: dict[str, float]
    floor: dict[str, float]
    energy_p: float


def class_distances(
    train: Floats, test: Floats, draws: int, generator: np.random.Generator
) -> ClassDistances:
    """Returns the distances between the features of a class and their floors.

    All distances come from the Gram matrix of the features, and all partitions from one matrix
    product with it.

    Args:
        train: (n, width) train features of length 1, n at least 2.
        test: (m, width) test features of length 1, m at least 2.
        draws: Number of random partitions.
        generator: Generator of the partitions.
    """
    both = np.concatenate([train, test]).astype(np.float64)
    gram = both @ both.T
    parts = _partitions(len(train), len(test), draws, generator)
    by_name = partition_distances(gram, parts)
    energy = by_name["energy"]
    as_large = int((energy[1:] >= energy[0] - _TINY).sum())
    return ClassDistances(
        {name: float(by_name[name][0]) for name in DISTANCES},
        {name: _mean(by_name[name][1:]) for name in DISTANCES},
        (1 + as_large) / (1 + draws),
    )


def partition_distances(gram: Floats, parts: NDArray[np.bool_]) -> dict[str, Floats]:
    """Returns each distance for each partition of some features into train and test, (P,).

    Args:
        gram: (N, N) inner products of the features.
        parts: (P, N) whether a feature is of the train part; each row has the same number of them.
    """
    inside = parts.astype(np.float64)
    n, m = inside[0].sum(), (1 - inside[0]).sum()
    products = inside @ gram  # of each feature with the sum of the train part
    lengths = np.diagonal(gram)
    of_train = (products * inside).sum(axis=1)  # squared length of that sum
    away = _to_train_mean(products, of_train, lengths, parts)
    wasserstein, ks = _compare_samples(away, parts)
    shift = _mean_shift(gram, inside, products, of_train, lengths)
    apart = np.sqrt(np.maximum(lengths[:, None] + lengths - 2 * gram, 0))
    np.fill_diagonal(apart, 0)
    sums = inside @ apart
    within_train = (sums * inside).sum(axis=1)
    across = sums.sum(axis=1) - within_train
    within_test = apart.sum() - within_train - 2 * across
    between = 2 * across / (n * m)
    energy = np.maximum(between - within_train / n**2 - within_test / m**2, 0)
    share = np.divide(energy, between, out=np.zeros_like(energy), where=between > _TINY)
    return {
        "wasserstein": wasserstein,
        "ks": ks,
        "energy": share,
        "mean_shift": shift,
    }


def _partitions(n: int, m: int, draws: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Returns the real partition, and below it random ones, (1 + draws, n + m)."""
    parts = np.zeros((1 + draws, n + m), dtype=bool)
    parts[0, :n] = True
    chosen = generator.random((draws, n + m)).argpartition(n - 1, axis=1)[:, :n]
    np.put_along_axis(parts[1:], chosen, True, axis=1)
    return parts


def _to_train_mean(
    products: Floats, of_train: Floats, lengths: Floats, parts: NDArray[np.bool_]
) -> Floats:
    """Returns 1 - cosine of each feature to the mean of the train part without it, (P, N)."""
    own = parts * lengths
    squared = np.maximum(of_train[:, None] - parts * (2 * products - lengths), 0)
    norms = np.sqrt(squared * lengths)
    cosines = np.zeros_like(products)
    np.divide(products - own, norms, out=cosines, where=norms > _TINY)
    return 1 - np.clip(cosines, -1, 1)


def _compare_samples(values: Floats, parts: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Returns Wasserstein-1 distance and Kolmogorov-Smirnov statistic of each row's parts, (P,)."""
    n = parts[0].sum()
    steps = np.where(parts, 1 / n, -1 / (parts.shape[1] - n))
    order = values.argsort(axis=1)
    values = np.take_along_axis(values, order, axis=1)
    # Difference of the distribution functions after each value, which counts from the last of some
    # equal values on.
    above = np.abs(np.take_along_axis(steps, order, axis=1).cumsum(axis=1))[:, :-1]
    gaps = np.diff(values, axis=1)
    return (above * gaps).sum(axis=1), (above * (gaps > _TINY)).max(axis=1)


def _mean_shift(
    gram: Floats, inside: Floats, products: Floats, of_train: Floats, lengths: Floats
) -> Floats:
    """Returns the distance of the means in units of the root of the pooled variance, (P,).

    0 where the means are equal; NaN where they differ and the features of each part do not vary.
    """
    n, m = inside[0].sum(), (1 - inside[0]).sum()
    across = products.sum(axis=1) - of_train
    of_test = np.maximum(gram.sum() - of_train - 2 * across, 0)
    squared = np.maximum(of_train / n**2 - 2 * across / (n * m) + of_test / m**2, 0)
    within = np.maximum(lengths.sum() - of_train / n - of_test / m, 0) / (n + m - 2)
    varied, apart = within > _TINY, squared > _TINY
    shift = np.full(len(inside), np.nan)
    shift[~apart] = 0
    np.divide(squared, within, out=shift, where=varied & apart)
    root: Floats = np.sqrt(shift)
    return root


def _mean(values: Floats) -> float:
    """Returns the mean of the values that are defined; NaN without one."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
