"""Long-tailed training splits made from balanced data sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Literal

from ltbench.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ltbench.data.dataset import Dataset

_RELATIVE_TOLERANCE = 1e-9  # distance to a whole number at which a product's rounding matters
_ABSOLUTE_TOLERANCE = 1e-9  # error of a product whose exact value is a whole number


def exponential_counts(num_classes: int, largest: int, ratio: float) -> list[int]:
    """Returns class counts that fall exponentially: n_k = floor(largest * ratio^(-k / (K - 1))).

    The profile of CIFAR-100-LT (Cao et al., NeurIPS 2019). A value that is a whole number is kept,
    although a floating-point product may miss it: near one the comparison is made in integers.

    >>> exponential_counts(4, 500, 100), exponential_counts(6, 80, 32)
    ([500, 107, 23, 5], [80, 40, 20, 10, 5, 2])
    """
    steps, exact = max(num_classes - 1, 1), Fraction(str(ratio))
    counts = []
    for k in range(num_classes):
        value = largest * float(ratio) ** (-k / steps)
        count, nearest = int(value), round(value)
        if abs(value - nearest) < _RELATIVE_TOLERANCE * max(value, 1):
            reached = nearest**steps * exact**k <= largest**steps
            count = nearest if reached else nearest - 1
        counts.append(count)
    return counts


def counts_rule(num_classes: int, largest: int, ratio: float) -> str:
    """Returns a suffix for data set identities, where rounding has changed exponential counts.

    Earlier versions missed whole numbers by one. The suffix is empty where no count changed, so
    that old runs of these data sets stay the same runs.

    >>> counts_rule(100, 500, 100), counts_rule(6, 80, 32)
    ('', ' counts:2')
    """
    steps = max(num_classes - 1, 1)
    truncated = [int(largest * (1 / ratio) ** (k / steps)) for k in range(num_classes)]
    return "" if truncated == exponential_counts(num_classes, largest, ratio) else " counts:2"


def pareto_counts(num_classes: int, largest: int, ratio: float) -> list[int]:
    """Returns class counts that fall as a power: n_k = floor(largest * (k + 1)^-a).

    The counts are quantiles of a Pareto distribution; a = ln(ratio) / ln(K) makes the last class
    the first over the ratio. Many more classes are small than in the exponential profile.

    >>> pareto_counts(4, 120, 4)
    [120, 60, 40, 30]
    """
    power = math.log(ratio) / math.log(max(num_classes, 2))
    return [int(largest * (k + 1) ** -power + _ABSOLUTE_TOLERANCE) for k in range(num_classes)]


def make_lt(
    dataset: Dataset,
    profile: Literal["exponential", "pareto"],
    ratio: float,
    data_seed: int,
    largest: int | None = None,
    *,
    order: Literal["ids", "counts"] = "ids",
) -> Dataset:
    """Makes the training split of a data set long-tailed.

    The other splits do not change. The images left out do not become a `val` split: it would have
    few or no images of the head, and labels that a real long-tailed data set does not have. A run
    that needs validation images holds them out of the training split, as for other data sets.

    Args:
        dataset: Data set with enough images of each class.
        profile: Curve of the class counts.
        ratio: Largest over smallest class count, at least 1.
        data_seed: Seed of the choice, see `select_counts`.
        largest: Number of training images of the first class; None: that of the smallest class, or
            in the order of counts the most that all classes allow.
        order: Order of the classes on the curve: that of their ids, for balanced data sets, or of
            the number of their images, largest first.

    Raises:
        ConfigError: A class has too few images, or would have none left.
        DataError: A class has no training images.
    """
    import numpy as np

    from ltbench.data.dataset import Split
    from ltbench.data.images import subset

    train, available = dataset.splits["train"], dataset.class_counts
    if not available.all():
        empty = dataset.class_names[int(available.argmin())]
        raise DataError(
            f"class '{empty}' has no training images: the set cannot be made long-tailed",
            hint="add training images of this class, or leave the class out of the data set",
        )
    counts_of = {"exponential": exponential_counts, "pareto": pareto_counts}[profile]
    curve = partial(counts_of, dataset.num_classes, ratio=ratio)
    if order == "ids":
        classes, most = np.arange(len(available)), int(available.min())
    else:
        classes = np.argsort(-available, kind="stable")
        most = _largest_allowed(available[classes], curve)
    counts = np.empty_like(available)
    counts[classes] = curve(most if largest is None else largest)
    short = classes[available[classes] < counts[classes]]
    if len(short):
        label = int(short[0])
        raise ConfigError(
            f"largest={largest}: expected {counts[label]:,} training images of class "
            f"'{dataset.class_names[label]}', got {available[label]:,}",
            hint=f"choose at most {most:,}: every class has images for it",
        )
    emptied = classes[counts[classes] == 0]
    if len(emptied):
        head = int(classes[0])
        raise ConfigError(
            f"ratio={ratio:g}: class '{dataset.class_names[int(emptied[0])]}' would have no "
            f"training image, because class '{dataset.class_names[head]}' has {counts[head]:,}",
            hint=f"choose a ratio of at most {counts[head]:,}, or more images",
        )
    at = select_counts(train.labels, counts.tolist(), data_seed)
    chosen = Split(subset(train.images, at), train.labels[at])
    return replace(dataset, splits={**dataset.splits, "train": chosen})


def _largest_allowed(available: NDArray[np.int64], curve: Callable[[int], list[int]]) -> int:
    """Returns the largest first count for which every class has the images of the curve.

    Args:
        available: Number of images of each class, in the order of the curve, (K,).
        curve: Function from the first count to all counts.
    """
    allowed = range(int(available[0]) + 1)
    fits = [bool((available >= curve(first)).all()) for first in allowed]
    return fits.index(False) - 1 if False in fits else allowed[-1]


def select_counts(
    labels: NDArray[np.int64], counts: list[int], data_seed: int
) -> NDArray[np.int64]:
    """Returns the indices of a subset with the given class counts, class by class.

    One legacy random stream shuffles the indices of each class in the order of the labels, and the
    first n_k are kept: the selection of the published CIFAR-100-LT experiments (seed 0).

    Args:
        labels: Class ids of the balanced set, (N,).
        counts: Number of images n_k of each class; a class with fewer images gives all of them.
        data_seed: Seed of the random stream.
    """
    import numpy as np

    stream = np.random.RandomState(data_seed)
    chosen = []
    for label, count in enumerate(counts):
        indices = np.flatnonzero(labels == label)
        stream.shuffle(indices)
        chosen.append(indices[:count])
    return np.concatenate(chosen)
