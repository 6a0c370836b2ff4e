"""Variance components of means over seeds and images, two crossed random factors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.strata import Strata

MIN_ERROR = 1e-9
"""Standard error, as a share, below which it is a rounding error and counts as 0."""


@dataclass(frozen=True)
class VarianceComponents:
    """Standard errors of M means over S seeds by source, in the unit of the values.

    Args:
        by_seed: (S, M) means of each seed.
        seed_errors: (M,) standard errors from the choice of seeds; 0 where seeds agree, and with
            one seed, where they cannot be estimated.
        image_errors: (M,) standard errors from the choice of images, without the interaction of
            seeds and images, which the variance between seeds includes.
        image_shares: (M,) shares, 0 to 1, of the variance of the images' means over seeds that
            remain after the interaction is subtracted.
    """

    by_seed: NDArray[np.float64]
    seed_errors: NDArray[np.float64]
    image_errors: NDArray[np.float64]
    image_shares: NDArray[np.float64]

    @property
    def errors(self) -> NDArray[np.float64]:
        """Total standard errors, (M,)."""
        whole: NDArray[np.float64] = np.hypot(self.seed_errors, self.image_errors)
        return whole

    @property
    def freedom(self) -> NDArray[np.float64]:
        """Degrees of freedom of the errors, (M,) (Hillis, 2007); infinite where seeds agree."""
        found = np.full_like(self.errors, math.inf)
        of_seeds = self.errors**4 * (len(self.by_seed) - 1)
        np.divide(of_seeds, self.seed_errors**4, out=found, where=self.seed_errors > 0)
        return found


def variance_components(values: NDArray[np.float64], strata: Strata) -> VarianceComponents:
    """Returns the variance components of Obuchowski and Rockette (1995) and Hillis (2007).

    Args:
        values: (S, N) values of the images, one row per seed.
        strata: Strata of the images, and weights of the means.
    """
    seeds = len(values)
    by_seed = strata.means(values)
    seed_errors = by_seed.std(axis=0, ddof=min(1, seeds - 1)) / math.sqrt(seeds)
    of_images, of_both = image_variances(values, strata)
    # A few seeds may have equal accuracies by chance although they differ on single images. The
    # error from the choice of seeds is 0 only where they agree on all images.
    seed_errors = np.where(seed_errors < MIN_ERROR, np.sqrt(of_both), seed_errors)
    seed_errors[seed_errors < MIN_ERROR] = 0
    shares = np.zeros_like(of_images)
    np.divide(np.maximum(of_images - of_both, 0), of_images, out=shares, where=of_images > 0)
    return VarianceComponents(by_seed, seed_errors, np.sqrt(of_images * shares), shares)


def image_variances(
    values: NDArray[np.float64], strata: Strata
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns two variances of each mean, (M,) each.

    Args:
        values: (S, N) values of the images, one row per seed.
        strata: Strata of the images, and weights of the means.

    Returns:
        Variance from the images, as means over seeds, and the part of it that comes from the
        interaction of seeds and images.
    """
    seeds, sizes = len(values), np.maximum(strata.sizes, 1)
    image_means = values.mean(axis=0)
    means = strata.sums(image_means) / sizes
    of_images = seeds * (strata.sums(image_means**2) - sizes * means**2)
    in_all = strata.sums((values**2).sum(axis=0)) - seeds * sizes * means**2
    of_seeds = sizes * ((strata.sums(values) / sizes - means) ** 2).sum(axis=0)
    of_both = np.maximum(in_all - of_images - of_seeds, 0)
    freedom = np.maximum(sizes - 1, 1) * seeds * sizes
    squares = strata.weight_matrix**2
    return (of_images / freedom) @ squares, (of_both / max(seeds - 1, 1) / freedom) @ squares
