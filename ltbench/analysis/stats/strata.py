"""Strata of test images, and weighted means over the strata."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Strata:
    """Assignment of test images to strata, and weights of the strata in one or more means.

    A mean is the weighted sum of the strata's means: overall accuracy, balanced accuracy and the
    accuracy of a shot group differ only in the weights. Weights are integers (images or classes)
    over their sum, so that the mean of images that are all correct is exactly 1.

    Args:
        image_strata: (N,) stratum of each image, from 0.
        sizes: (K,) number of images of each stratum; 0 for an empty one.
        counts: Name of a mean -> (K,) number of images or classes of each stratum in the mean; 0
            for an empty stratum.
    """

    image_strata: NDArray[np.int64]
    sizes: NDArray[np.int64]
    counts: Mapping[str, NDArray[np.int64]]

    @classmethod
    def from_labels(
        cls, labels: NDArray[np.int64], groups: Mapping[str, NDArray[np.bool_]]
    ) -> Strata:
        """Returns strata by class, for overall, mean-class and shot-group accuracy.

        One image is not enough to estimate the variance within a class. All classes of a group that
        have a single test image are therefore one stratum (collapsed strata: Cochran, Sampling
        Techniques, 1977, section 5A.12).

        Args:
            labels: (N,) classes of the test images.
            groups: Group name -> (K,) whether each class belongs to it; each class is in one group.

        Returns:
            Strata with the means `accuracy`, `mean_class` and those of the groups with test images.
        """
        classes = len(next(iter(groups.values())))
        support = np.bincount(labels, minlength=classes)
        stratum = np.arange(classes)
        for members in groups.values():
            single = np.flatnonzero(members & (support == 1))
            stratum[single] = single[0] if len(single) else stratum[single]
        present = support > 0
        by_class = {"accuracy": support, "mean_class": present}
        for name, members in groups.items():
            if (members & present).any():
                by_class[name] = members & present
        votes = {
            name: np.bincount(stratum, weights=each, minlength=classes).astype(np.int64)
            for name, each in by_class.items()
        }
        sizes = np.bincount(stratum, weights=support, minlength=classes).astype(np.int64)
        return cls(stratum[labels], sizes, votes)

    def select(self, names: Collection[str]) -> Strata:
        """Returns the same strata with a selection of the means.

        Args:
            names: Names of the means to keep; unknown names are ignored.
        """
        return replace(self, counts={k: v for k, v in self.counts.items() if k in names})

    @cached_property
    def weights(self) -> dict[str, NDArray[np.float64]]:
        """Weights of the strata: name of a mean -> (K,) weights that sum to 1."""
        return {name: votes / votes.sum() for name, votes in self.counts.items()}

    @property
    def weight_matrix(self) -> NDArray[np.float64]:
        """Weights of the strata in all means, (K, M)."""
        return np.stack(list(self.weights.values()), axis=1)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the sum over each stratum, (..., K), of values (..., N)."""
        rows = values.reshape(-1, values.shape[-1])
        summed = [
            np.bincount(self.image_strata, weights=row, minlength=len(self.sizes)) for row in rows
        ]
        stacked: NDArray[np.float64] = np.stack(summed).astype(np.float64)
        return stacked.reshape(*values.shape[:-1], len(self.sizes))

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns all means, (..., M), of values (..., N)."""
        votes = np.stack(list(self.counts.values()), axis=1).astype(np.float64)
        summed = (self.sums(values) / np.maximum(self.sizes, 1)) @ votes
        found: NDArray[np.float64] = summed / votes.sum(axis=0)
        return found
