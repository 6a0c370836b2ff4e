"""Hierarchical bootstrap of a difference: other seeds and other test images at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ltbench.stats.paired_bootstrap import deviations_of_images
from ltbench.stats.randomisation import randomisation
from ltbench.stats.strata import Strata

_ROUNDING = 1e-9  # errors, as shares, that are none: an image in a million is a thousand of them


@dataclass(frozen=True)
class Hierarchical:
    """What a difference would be with other seeds and other images. Shares, not percent.

    Args:
        difference: First model minus second, mean over the seeds.
        low: Lower bound of the interval.
        high: Upper bound.
        p: Two-sided; less than 1 - level just where the interval excludes 0.
        seed_error: Standard error from the choice of seeds.
        image_error: Standard error from the choice of images.
        freedom: Degrees of freedom of the whole error (Hillis, 2007); infinite where seeds agree.
    """

    difference: float
    low: float
    high: float
    p: float
    seed_error: float
    image_error: float
    freedom: float

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        return math.hypot(self.seed_error, self.image_error)


def hierarchical_bootstrap(
    differences: NDArray[np.int8],
    strata: Strata,
    *,
    level: float = 0.95,
    resamples: int = 4999,
    flips: int = 99_999,
    seed: int = 0,
) -> dict[str, Hierarchical]:
    """Returns interval and p value of the difference of each mean, paired on seeds and images.

    Every seed is tested on the same images: seeds and images are crossed. Images are resampled
    within strata, the same for both models and for all seeds. Seeds cannot be resampled so: two to
    ten seeds, drawn with replacement, vary too little (of intervals from three seeds 20 % or more
    miss the truth). What another choice of seeds adds is drawn from its t distribution with S - 1
    degrees of freedom, and not even drawn but integrated over, so that p values have no floor.

    The spread between seeds already holds what seeds and images do together. It is taken out of
    the images' part, as in the analysis of many readers and many cases: Obuchowski and Rockette
    (1995), Hillis (2007).

    Where the models differ on a handful of images only, a bootstrap finds too much. A difference
    must therefore be found by the randomisation test of the images, too: p is the larger of both.

    Args:
        differences: (S, N) in -1, 0, 1: a row a seed, first model's rightness minus the second's.
        strata: The images' strata and the means.
        level: Coverage.
        resamples: Of the images.
        flips: Of the randomisation test.
        seed: Of the resampling.

    Raises:
        ValueError: There are fewer than two seeds.
    """
    if len(differences) < 2:
        raise ValueError("a hierarchical bootstrap needs two seeds")
    by_seed = strata.means(differences.astype(float))
    seed_errors = by_seed.std(axis=0, ddof=1) / math.sqrt(len(by_seed))
    of_images, of_both = _image_variances(differences, strata)
    # Accuracies are whole images: a few seeds may have the same by chance, though they differ on
    # the images. Only where they do not is there no error from the choice of seeds.
    seed_errors = np.where(seed_errors < _ROUNDING, np.sqrt(of_both), seed_errors)
    seed_errors[seed_errors < _ROUNDING] = 0
    shares = np.zeros_like(of_images)
    np.divide(np.maximum(of_images - of_both, 0), of_images, out=shares, where=of_images > 0)
    deviations = deviations_of_images(differences, strata, resamples=resamples, seed=seed)
    deviations *= np.sqrt(shares)
    sums = differences.sum(axis=0, dtype=np.int64)
    tests = randomisation(sums, strata, level=level, resamples=flips, seed=seed)
    found = {}
    for m, name in enumerate(strata.weights):
        error = math.sqrt(of_images[m] * shares[m])
        each = _summary(by_seed[:, m], deviations[:, m], float(seed_errors[m]), error, level)
        test = tests[name]
        test = replace(test, reach=test.reach / len(differences))  # of the mean, not of the sum
        low, high = test.widened(each.low, each.high, each.difference)
        found[name] = replace(each, low=low, high=high, p=max(each.p, test.p))
    return found


def _image_variances(
    differences: NDArray[np.int8], strata: Strata
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns variances of each mean, (M,): of the images' means over seeds, and of both together.

    The second is the part of the first that is due to the interaction of seeds and images.
    """
    given = differences.astype(float)
    seeds, sizes = len(given), np.maximum(strata.sizes, 1)
    image_means = given.mean(axis=0)
    means = strata.sums(image_means) / sizes
    of_images = seeds * (strata.sums(image_means**2) - sizes * means**2)
    in_all = strata.sums((given**2).sum(axis=0)) - seeds * sizes * means**2
    of_seeds = sizes * ((strata.sums(given) / sizes - means) ** 2).sum(axis=0)
    of_both = np.maximum(in_all - of_images - of_seeds, 0)
    freedom = np.maximum(sizes - 1, 1) * seeds * sizes
    squares = strata.matrix**2
    return (of_images / freedom) @ squares, (of_both / (seeds - 1) / freedom) @ squares


def _summary(
    by_seed: NDArray[np.float64],
    deviations: NDArray[np.float64],
    seed_error: float,
    image_error: float,
    level: float,
) -> Hierarchical:
    from scipy.optimize import brentq
    from scipy.special import stdtr, stdtrit

    difference, freedom = float(by_seed.mean()), len(by_seed) - 1
    tail = (1 - level) / 2
    if seed_error == 0:
        low, high = difference + np.quantile(deviations, [tail, 1 - tail])
        beyond = min((deviations <= -difference).sum(), (deviations >= -difference).sum())
        p = min(1.0, 2 * (1 + float(beyond)) / (1 + len(deviations)))
        return Hierarchical(difference, float(low), float(high), p, 0.0, image_error, math.inf)

    def below(value: float) -> float:
        """The chance of a smaller difference."""
        return float(stdtr(freedom, (value - difference - deviations) / seed_error).mean())

    def quantile(chance: float) -> float:
        reach = difference + seed_error * stdtrit(freedom, chance)
        ends = reach + deviations.min(), reach + deviations.max()
        if ends[1] - ends[0] < 1e-12:
            return float(reach)
        return float(brentq(lambda value: below(value) - chance, *ends, xtol=1e-6))

    total = seed_error**2 + image_error**2
    return Hierarchical(
        difference,
        quantile(tail),
        quantile(1 - tail),
        min(1.0, 2 * min(below(0.0), 1 - below(0.0))),
        seed_error,
        image_error,
        total**2 * freedom / seed_error**4,
    )
