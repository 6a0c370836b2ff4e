"""Interval of one model's accuracy over the choice of seeds and of test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import clopper_pearson
from ltbench.analysis.stats.paired_bootstrap import image_freedom
from ltbench.analysis.stats.strata import Strata
from ltbench.analysis.stats.variance_components import MIN_ERROR, variance_components


@dataclass(frozen=True)
class MeanInterval:
    """Accuracy with its interval, as shares.

    Args:
        mean: Mean over the seeds.
        low: Lower bound.
        high: Upper bound.
        seed_sd: Standard deviation of the seeds' accuracies; None with one seed.
    """

    mean: float
    low: float
    high: float
    seed_sd: float | None


def crossed_interval(
    right: NDArray[np.bool_], strata: Strata, *, level: float = 0.95
) -> dict[str, MeanInterval]:
    """Returns the interval of each mean, without a bootstrap.

    The variance is that of the hierarchical bootstrap: of seeds and of images, which are crossed,
    with the degrees of freedom of Hillis (2007). With one seed, or where seeds agree, it is the
    variance of the images within strata, with the degrees of freedom of Satterthwaite (1946).

    An interval of the mean plus and minus t standard errors covers high accuracies too rarely,
    because few wrong images estimate the variance poorly. The interval is that of Clopper and
    Pearson (1934) instead, for the number of independent images that would have this standard error
    (Korn and Graubard, 1998). For accuracies near 50 % both are about the same. Where nothing
    varies, the number is that of the images: for n correct images of n, the lower bound is
    0.025 ^ (1 / n), about 1 - 3.7 / n.

    Args:
        right: (S, N) whether each seed's model recognises each image.
        strata: Strata of the images, and weights of the means.
        level: Coverage of the intervals, 0 to 1.
    """
    values = right.astype(float)
    spread = variance_components(values, strata)
    of_images = image_freedom(values.mean(axis=0), strata)
    freedom = np.where(np.isfinite(spread.freedom), spread.freedom, of_images)
    # Effective sample size of a mean with unequal weights (Kish, 1965).
    images = 1 / ((1 / np.maximum(strata.sizes, 1)) @ strata.weight_matrix**2)
    found = {}
    for m, name in enumerate(strata.weights):
        by_seed = spread.by_seed[:, m]
        mean = min(max(float(by_seed.mean()), 0.0), 1.0)
        error = float(spread.errors[m])
        enough = (
            _effective_images(mean, error, float(freedom[m]), level) if error > MIN_ERROR else None
        )
        low, high = clopper_pearson(mean, enough or float(images[m]), level)
        deviation = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None
        found[name] = MeanInterval(mean, low, high, deviation)
    return found


def _effective_images(mean: float, error: float, freedom: float, level: float) -> float:
    """Returns the number of independent images that would have this standard error.

    The number is smaller where the error itself is uncertain, that is with few degrees of freedom.
    """
    from scipy.special import ndtri, stdtrit

    tail = (1 - level) / 2
    reach = error * float(stdtrit(freedom, tail) / ndtri(tail))
    return mean * (1 - mean) / reach**2
