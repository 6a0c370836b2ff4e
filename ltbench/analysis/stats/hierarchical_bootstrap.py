"""Hierarchical bootstrap of a difference over the choice of seeds and of test images."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import Bounds, bounds_without_spread
from ltbench.analysis.stats.paired_bootstrap import bootstrap_deviations
from ltbench.analysis.stats.randomisation import randomisation_test
from ltbench.analysis.stats.strata import Strata
from ltbench.analysis.stats.student import student_cdf
from ltbench.analysis.stats.variance_components import VarianceComponents, variance_components


@dataclass(frozen=True)
class HierarchicalTest:
    """Interval and p value of a difference over seeds and images. Shares, not percent.

    Args:
        difference: Mean over the seeds of the first model's accuracy minus the second's.
        low: Lower bound of the interval, -1 or more.
        high: Upper bound of the interval, 1 or less.
        p: Two-sided p value; below 1 - level exactly where the interval excludes 0.
        seed_error: Standard error from the choice of seeds.
        image_error: Standard error from the choice of images.
        freedom: Degrees of freedom of the total error (Hillis, 2007); infinite where seeds agree.
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
        """Standard error of the difference, from seeds and images."""
        return math.hypot(self.seed_error, self.image_error)


def hierarchical_bootstrap(
    differences: NDArray[np.int8],
    strata: Strata,
    *,
    level: float = 0.95,
    resamples: int = 4999,
    flips: int = 99_999,
    seed: int = 0,
) -> dict[str, HierarchicalTest]:
    """Returns interval and p value of the difference of each mean, paired on seeds and images.

    All seeds are tested on the same images: seeds and images are crossed. Images are resampled
    within strata, the same for both models and for all seeds. Seeds are not resampled: two to ten
    seeds, drawn with replacement, vary too little (20 % or more of such intervals from three seeds
    miss the true difference). The error from the choice of seeds has a t distribution with S - 1
    degrees of freedom. It is integrated over, not drawn, so that p values have no lower limit.

    The variance between seeds includes the interaction of seeds and images. The interaction is
    therefore subtracted from the variance of the images, as in the analysis of multi-reader,
    multi-case studies: Obuchowski and Rockette (1995), Hillis (2007).

    Where the models differ on a few images only, a bootstrap finds too many differences. The
    randomisation test of the images must find the difference as well: p is the larger of both.

    Args:
        differences: (S, N) values -1, 0 or 1, one row per seed: 1 where only the first model is
            correct, -1 where only the second is.
        strata: Strata of the images, and weights of the means.
        level: Coverage of the intervals, 0 to 1.
        resamples: Number of resamples of the images.
        flips: Number of sign flips of the randomisation test.
        seed: Seed of resampling and flips.

    Raises:
        ValueError: There are fewer than two seeds.
    """
    if len(differences) < 2:
        raise ValueError("hierarchical bootstrap: expected two seeds or more")
    components = variance_components(differences.astype(float), strata)
    deviations = bootstrap_deviations(differences, strata, resamples=resamples, seed=seed)
    deviations *= np.sqrt(components.image_shares)
    sums = differences.sum(axis=0, dtype=np.int64)
    tests = randomisation_test(sums, strata, level=level, resamples=flips, seed=seed)
    found = {}
    for m, name in enumerate(strata.weights):
        each = _combine_components(components, m, deviations[:, m], level)
        test = tests[name]
        # The test is of the sum over seeds, the interval is of their mean.
        test = replace(test, max_undetected=test.max_undetected / len(differences))
        bounds = Bounds(each.low, each.high).enclose(test.undetected_bounds(each.difference))
        if each.error == 0 and each.difference != 0:
            weights = strata.weights[name]
            alike = bounds_without_spread(each.difference, weights, strata.sizes, level)
            bounds = bounds.enclose(alike)
        p = max(each.p, test.p)
        bounds = bounds.align_with_p(each.difference, p, level)
        found[name] = replace(each, low=bounds.low, high=bounds.high, p=p)
    return found


def _combine_components(
    components: VarianceComponents, m: int, deviations: NDArray[np.float64], level: float
) -> HierarchicalTest:
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    difference, freedom = float(components.by_seed[:, m].mean()), len(components.by_seed) - 1
    seed_error, image_error = float(components.seed_errors[m]), float(components.image_errors[m])
    tail = (1 - level) / 2
    if seed_error == 0:
        low, high = difference + np.quantile(deviations, [tail, 1 - tail])
        beyond = min((deviations <= -difference).sum(), (deviations >= -difference).sum())
        p = min(1.0, 2 * (1 + float(beyond)) / (1 + len(deviations)))
        return HierarchicalTest(difference, float(low), float(high), p, 0.0, image_error, math.inf)

    def below(value: float) -> float:
        """Returns the probability of a smaller difference."""
        return float(student_cdf((value - difference - deviations) / seed_error, freedom).mean())

    def quantile(chance: float) -> float:
        reach = difference + seed_error * stdtrit(freedom, chance)
        ends = reach + deviations.min(), reach + deviations.max()
        if ends[1] - ends[0] < 1e-12:
            return float(reach)
        return float(brentq(lambda value: below(value) - chance, *ends, xtol=1e-6))

    return HierarchicalTest(
        difference,
        quantile(tail),
        quantile(1 - tail),
        min(1.0, 2 * min(below(0.0), 1 - below(0.0))),
        seed_error,
        image_error,
        float(components.freedom[m]),
    )
