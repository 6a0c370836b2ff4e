"""Bootstrap over classes of means of class values, for the classes of a shot group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.storage.diagnosis_schema import ClassMean

Floats = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 2000
_MAX_BLOCK_WEIGHTS = 4_000_000  # weights of classes in memory: 32 MB


@dataclass(frozen=True)
class ClassBootstrap:
    """Resamples of the classes of a group, the same for all values.

    Two corrections are made as for images: deviations are enlarged because a resample of C classes
    varies too little by the factor (C - 1) / C, and divided by the root of a chi-squared variable
    over C - 1, so that intervals of few classes are as wide as those of Student's t.

    Args:
        seed: Seed of the resamples.
    """

    seed: int = 0

    def mean(self, values: Floats) -> ClassMean | None:
        """Returns the mean of the values that are defined; None without one.

        Args:
            values: (C,) values of the classes of the group; NaN where not defined.
        """
        known = values[~np.isnan(values)]
        return self.ratio(known, np.ones(len(known)))

    def ratio(self, sums: Floats, sizes: Floats) -> ClassMean | None:
        """Returns the sum of some values over the sum of their numbers; None without a number.

        Args:
            sums: (C,) sum over the members of each class.
            sizes: (C,) number of members of each class; classes with 0 are ignored.
        """
        present = sizes > 0
        sums, sizes = sums[present], sizes[present]
        classes = len(sums)
        if not classes:
            return None
        mean = float(sums.sum() / sizes.sum())
        if classes == 1:
            return ClassMean(mean=mean, low=None, high=None, classes=1)
        deviations = self._resampled(sums, sizes) - mean
        generator = np.random.default_rng([self.seed, 1])
        scales = generator.chisquare(classes - 1, len(deviations)) / (classes - 1)
        deviations *= np.sqrt(classes / (classes - 1) / scales)
        tail = 50 * (1 - LEVEL)
        low, high = mean + np.percentile(deviations, [tail, 100 - tail])
        return ClassMean(mean=mean, low=float(low), high=float(high), classes=classes)

    def _resampled(self, sums: Floats, sizes: Floats) -> Floats:
        """Returns the ratio in each resample of the classes, (RESAMPLES,)."""
        classes = len(sums)
        generator = np.random.default_rng([self.seed, 0])
        block = max(1, _MAX_BLOCK_WEIGHTS // classes)
        found = []
        for start in range(0, RESAMPLES, block):
            drawn = min(block, RESAMPLES - start)
            weights = generator.multinomial(classes, np.full(classes, 1 / classes), drawn)
            found.append((weights @ sums) / (weights @ sizes))
        return np.concatenate(found)
