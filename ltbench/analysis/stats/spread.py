"""How means over seeds and images vary: seeds and images are crossed, and both are random."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.strata import Strata

_ROUNDING = 1e-9  # errors, as shares, that are none: an image in a million is a thousand of them


@dataclass(frozen=True)
class Spread:
    """Variance components of M means over S seeds, in the unit of the values.

    Args:
        by_seed: (S, M) the means of each seed.
        seed_errors: (M,) standard errors from the choice of seeds; 0 where seeds agree, and of one
            seed, which tells nothing of others.
        image_errors: (M,) standard errors from the choice of images, without what seeds and images
            do together: the spread between seeds has that.
        image_shares: (M,) of the variance of the images' means over seeds, what remains without it.
    """

    by_seed: NDArray[np.float64]
    seed_errors: NDArray[np.float64]
    image_errors: NDArray[np.float64]
    image_shares: NDArray[np.float64]

    @property
    def errors(self) -> NDArray[np.float64]:
        """(M,) standard errors."""
        whole: NDArray[np.float64] = np.hypot(self.seed_errors, self.image_errors)
        return whole

    @property
    def freedom(self) -> NDArray[np.float64]:
        """(M,) degrees of freedom of the errors (Hillis, 2007); infinite where seeds agree."""
        found = np.full_like(self.errors, math.inf)
        of_seeds = self.errors**4 * (len(self.by_seed) - 1)
        np.divide(of_seeds, self.seed_errors**4, out=found, where=self.seed_errors > 0)
        return found


def spread_of(values: NDArray[np.float64], strata: Strata) -> Spread:
    """Returns the variance components: Obuchowski and Rockette (1995), Hillis (2007).

    Args:
        values: (S, N) a row a seed.
        strata: The images' strata and the means.
    """
    seeds = len(values)
    by_seed = strata.means(values)
    seed_errors = by_seed.std(axis=0, ddof=min(1, seeds - 1)) / math.sqrt(seeds)
    of_images, of_both = image_variances(values, strata)
    # Accuracies are whole images: a few seeds may have the same by chance, though they differ on
    # the images. Only where they do not is there no error from the choice of seeds.
    seed_errors = np.where(seed_errors < _ROUNDING, np.sqrt(of_both), seed_errors)
    seed_errors[seed_errors < _ROUNDING] = 0
    shares = np.zeros_like(of_images)
    np.divide(np.maximum(of_images - of_both, 0), of_images, out=shares, where=of_images > 0)
    return Spread(by_seed, seed_errors, np.sqrt(of_images * shares), shares)


def image_variances(
    values: NDArray[np.float64], strata: Strata
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns variances of each mean, (M,): of the images' means over seeds, and of both together.

    The second is the part of the first that is due to the interaction of seeds and images.

    Args:
        values: (S, N) a row a seed.
        strata: Strata of the images, and the means.
    """
    seeds, sizes = len(values), np.maximum(strata.sizes, 1)
    image_means = values.mean(axis=0)
    means = strata.sums(image_means) / sizes
    of_images = seeds * (strata.sums(image_means**2) - sizes * means**2)
    in_all = strata.sums((values**2).sum(axis=0)) - seeds * sizes * means**2
    of_seeds = sizes * ((strata.sums(values) / sizes - means) ** 2).sum(axis=0)
    of_both = np.maximum(in_all - of_images - of_seeds, 0)
    freedom = np.maximum(sizes - 1, 1) * seeds * sizes
    squares = strata.matrix**2
    return (of_images / freedom) @ squares, (of_both / max(seeds - 1, 1) / freedom) @ squares
