"""Test images in strata, and means over images that weigh the strata."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Strata:
    """Where each test image belongs, and what each stratum weighs in each mean.

    A mean is the weighted sum of the strata's means: overall accuracy, balanced accuracy and the
    accuracy of a shot group differ only in the weights. Weights are whole numbers (images or
    classes) over their sum, so that the mean of images that are all right is 1 to the last bit.

    Args:
        of_image: (N,) stratum of each image, from 0.
        sizes: (K,) images of each stratum; 0 for one without.
        votes: Name of a mean -> (K,) images or classes of each stratum that count in it; 0 where
            there are no images.
    """

    of_image: NDArray[np.int64]
    sizes: NDArray[np.int64]
    votes: Mapping[str, NDArray[np.int64]]

    @classmethod
    def of_classes(
        cls, labels: NDArray[np.int64], groups: Mapping[str, NDArray[np.bool_]]
    ) -> Strata:
        """Returns the strata for overall, mean-class and shot-group accuracy: the classes.

        How much the images of a class vary cannot be told from one image. Classes of a group that
        have a single test image are therefore one stratum (collapsed strata: Cochran, Sampling
        Techniques, 1977, section 5A.12).

        Args:
            labels: (N,) classes of the test images.
            groups: Name -> (K,) which classes the group has; each class is in one group.

        Returns:
            Strata with the weights `accuracy`, `mean_class` and those of the groups that have test
            images.
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

    def only(self, names: Collection[str]) -> Strata:
        """Returns the same strata with some of the means.

        Args:
            names: Means to keep; others than there are, are ignored.
        """
        return replace(self, votes={k: v for k, v in self.votes.items() if k in names})

    @cached_property
    def weights(self) -> dict[str, NDArray[np.float64]]:
        """Name of a mean -> (K,) weights that sum to 1."""
        return {name: votes / votes.sum() for name, votes in self.votes.items()}

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(K, M) the weights of all means."""
        return np.stack(list(self.weights.values()), axis=1)

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the sum over each stratum, (..., K), of values (..., N)."""
        rows = values.reshape(-1, values.shape[-1])
        summed = [
            np.bincount(self.of_image, weights=row, minlength=len(self.sizes)) for row in rows
        ]
        stacked: NDArray[np.float64] = np.stack(summed).astype(np.float64)
        return stacked.reshape(*values.shape[:-1], len(self.sizes))

    def means(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns all means, (..., M), of values (..., N)."""
        votes = np.stack(list(self.votes.values()), axis=1).astype(np.float64)
        summed = (self.sums(values) / np.maximum(self.sizes, 1)) @ votes
        found: NDArray[np.float64] = summed / votes.sum(axis=0)
        return found
