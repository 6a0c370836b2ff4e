"""The interval of one model's accuracy: with other seeds and other test images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.bounds import clopper_pearson
from ltbench.analysis.stats.paired_bootstrap import freedom_of_images
from ltbench.analysis.stats.spread import spread_of
from ltbench.analysis.stats.strata import Strata

_ROUNDING = 1e-9


@dataclass(frozen=True)
class MeanInterval:
    """An accuracy, as a share.

    Args:
        mean: Over the seeds.
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
    with Hillis' degrees of freedom. With one seed, or where seeds agree, it is that of the images
    within strata, with Satterthwaite's.

    Mean plus and minus t errors misses high accuracies: the few images that are wrong tell little
    about how much images vary. The interval is that of Clopper and Pearson (1934) instead, for as
    many independent images as would have this error (Korn and Graubard, 1998). Of accuracies in the
    middle both are the same. Where nothing varies at all, it is for the images that there are: of n
    that are all right, at least a share of 0.025 ^ (1 / n), about 1 - 3.7 / n, would be.

    Args:
        right: (S, N) whether each seed's model recognises each image.
        strata: The images' strata and the means.
        level: Coverage.
    """
    values = right.astype(float)
    spread = spread_of(values, strata)
    of_images = freedom_of_images(values.mean(axis=0), strata)
    freedom = np.where(np.isfinite(spread.freedom), spread.freedom, of_images)
    # A mean of unequal weights varies as that of so many images of the same weight (Kish, 1965).
    images = 1 / ((1 / np.maximum(strata.sizes, 1)) @ strata.matrix**2)
    found = {}
    for m, name in enumerate(strata.weights):
        by_seed = spread.by_seed[:, m]
        mean = min(max(float(by_seed.mean()), 0.0), 1.0)
        error = float(spread.errors[m])
        enough = _images_with(mean, error, float(freedom[m]), level) if error > _ROUNDING else None
        low, high = clopper_pearson(mean, enough or float(images[m]), level)
        deviation = float(by_seed.std(ddof=1)) if len(by_seed) > 1 else None
        found[name] = MeanInterval(mean, low, high, deviation)
    return found


def _images_with(mean: float, error: float, freedom: float, level: float) -> float:
    """Returns how many independent images would have this error, less for an uncertain one."""
    from scipy.special import ndtri, stdtrit

    tail = (1 - level) / 2
    reach = error * float(stdtrit(freedom, tail) / ndtri(tail))
    return mean * (1 - mean) / reach**2
