"""Hierarchical bootstrap of a difference: other seeds and other test images at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import Bounds, bounds_without_spread
from ltbench.analysis.stats.paired_bootstrap import deviations_of_images
from ltbench.analysis.stats.randomisation import randomisation
from ltbench.analysis.stats.spread import Spread, spread_of
from ltbench.analysis.stats.strata import Strata
from ltbench.analysis.stats.student import student_cdf


@dataclass(frozen=True)
class Hierarchical:
    """What a difference would be with other seeds and other images. Shares, not percent.

    Args:
        difference: First model minus second, mean over the seeds.
        low: Lower bound of the interval, -1 or more.
        high: Upper bound, 1 or less.
        p: Two-sided; less than 1 - level exactly where the interval excludes 0.
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
    spread = spread_of(differences.astype(float), strata)
    deviations = deviations_of_images(differences, strata, resamples=resamples, seed=seed)
    deviations *= np.sqrt(spread.image_shares)
    sums = differences.sum(axis=0, dtype=np.int64)
    tests = randomisation(sums, strata, level=level, resamples=flips, seed=seed)
    found = {}
    for m, name in enumerate(strata.weights):
        each = _summary(spread, m, deviations[:, m], level)
        test = tests[name]
        test = replace(test, reach=test.reach / len(differences))  # of the mean, not of the sum
        bounds = Bounds(each.low, each.high).holding(test.hidden(each.difference))
        if each.error == 0 and each.difference != 0:
            weights = strata.weights[name]
            alike = bounds_without_spread(each.difference, weights, strata.sizes, level)
            bounds = bounds.holding(alike)
        p = max(each.p, test.p)
        bounds = bounds.agreeing(each.difference, p, level)
        found[name] = replace(each, low=bounds.low, high=bounds.high, p=p)
    return found


def _summary(spread: Spread, m: int, deviations: NDArray[np.float64], level: float) -> Hierarchical:
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    difference, freedom = float(spread.by_seed[:, m].mean()), len(spread.by_seed) - 1
    seed_error, image_error = float(spread.seed_errors[m]), float(spread.image_errors[m])
    tail = (1 - level) / 2
    if seed_error == 0:
        low, high = difference + np.quantile(deviations, [tail, 1 - tail])
        beyond = min((deviations <= -difference).sum(), (deviations >= -difference).sum())
        p = min(1.0, 2 * (1 + float(beyond)) / (1 + len(deviations)))
        return Hierarchical(difference, float(low), float(high), p, 0.0, image_error, math.inf)

    def below(value: float) -> float:
        """The chance of a smaller difference."""
        return float(student_cdf((value - difference - deviations) / seed_error, freedom).mean())

    def quantile(chance: float) -> float:
        reach = difference + seed_error * stdtrit(freedom, chance)
        ends = reach + deviations.min(), reach + deviations.max()
        if ends[1] - ends[0] < 1e-12:
            return float(reach)
        return float(brentq(lambda value: below(value) - chance, *ends, xtol=1e-6))

    return Hierarchical(
        difference,
        quantile(tail),
        quantile(1 - tail),
        min(1.0, 2 * min(below(0.0), 1 - below(0.0))),
        seed_error,
        image_error,
        float(spread.freedom[m]),
    )
