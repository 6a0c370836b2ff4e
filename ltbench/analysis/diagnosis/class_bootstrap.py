"""Bootstrap over the classes of a shot group, of means of class values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ltbench.storage.diagnosis_schema import ClassMean

Floats = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 2000
_MAX_BLOCK_WEIGHTS = 4_000_000  # weights of classes in memory: 32 MB
_SEED = 0
_NO_RANGE = (-np.inf, np.inf)


def class_means(
    values: Mapping[str, Floats], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, ClassMean | None]:
    """Returns the means of the values that are defined, by name; None without one.

    Args:
        values: (C,) values of the classes of a group by name; NaN where not defined.
        ranges: Smallest and largest possible value by name, which bound the intervals.
    """
    sums = {name: np.nan_to_num(one) for name, one in values.items()}
    sizes = {name: (~np.isnan(one)).astype(np.float64) for name, one in values.items()}
    return class_ratios(sums, sizes, ranges)


def class_ratios(
    sums: Mapping[str, Floats],
    sizes: Mapping[str, Floats],
    ranges: Mapping[str, tuple[float, float]],
) -> dict[str, ClassMean | None]:
    """Returns sums over the classes of a group, divided by sums of numbers, by name.

    Two corrections are made, as for images: deviations are enlarged because a resample of C classes
    varies too little by the factor (C - 1) / C, and divided by the root of a chi-squared variable
    over C - 1, so that intervals of few classes are as wide as those of Student's t.

    Args:
        sums: (C,) sum over the members of each class.
        sizes: (C,) number of members of each class, in the same order of names.
        ranges: Smallest and largest possible value by name, which bound the intervals.

    Returns:
        Mean and interval; None without a member.
    """
    above, below = (np.stack(list(one.values()), axis=1) for one in (sums, sizes))
    classes = (below > 0).sum(axis=0)
    resampled = _resample(above, below)
    generator = np.random.default_rng([_SEED, 1])
    found: dict[str, ClassMean | None] = {}
    for m, name in enumerate(sums):
        count = int(classes[m])
        if not count:
            found[name] = None
            continue
        mean = float(above[:, m].sum() / below[:, m].sum())
        low = high = None
        if count > 1:
            known = resampled[~np.isnan(resampled[:, m]), m] - mean
            scales = generator.chisquare(count - 1, len(known)) / (count - 1)
            known *= np.sqrt(count / (count - 1) / scales)
            tail = 50 * (1 - LEVEL)
            lowest, highest = ranges.get(name, _NO_RANGE)
            bounds = mean + np.percentile(known, [tail, 100 - tail])
            low, high = (float(one) for one in np.clip(bounds, lowest, highest))
        found[name] = ClassMean(mean=mean, low=low, high=high, classes=count)
    return found


def _resample(above: Floats, below: Floats) -> Floats:
    """Returns the ratios in resamples of the classes, (RESAMPLES, M); NaN without a member."""
    classes = len(above)
    found = np.full((RESAMPLES, above.shape[1]), np.nan)
    if not classes:
        return found
    generator = np.random.default_rng([_SEED, 0])
    block = max(1, _MAX_BLOCK_WEIGHTS // classes)
    for start in range(0, RESAMPLES, block):
        drawn = min(block, RESAMPLES - start)
        weights = generator.multinomial(classes, np.full(classes, 1 / classes), drawn)
        sizes = weights @ below
        np.divide(weights @ above, sizes, out=found[start : start + drawn], where=sizes > 0)
    return found
