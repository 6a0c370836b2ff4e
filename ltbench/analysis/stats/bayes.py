"""Bayesian signed-rank test with a region of practical equivalence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PRIOR_WEIGHT = 0.5  # of the pseudo-observation at zero; each real observation has weight 1
_MAX_BLOCK_WEIGHTS = 2_000_000  # Dirichlet weights drawn at a time: 16 MB


@dataclass(frozen=True)
class Posterior:
    """Posterior probabilities of three hypotheses; they sum to 1.

    Args:
        first: Probability that the first is better by more than half the region's width.
        equivalent: Probability that the difference lies within the region.
        second: Probability that the second is better by more than half the region's width.
    """

    first: float
    equivalent: float
    second: float


def bayesian_signed_rank(
    differences: NDArray[np.float64], rope: float, *, draws: int = 50_000, seed: int = 0
) -> Posterior:
    """Returns posterior probabilities (Benavoli, Corani, Demsar and Zaffalon, JMLR 2017).

    The differences come from an unknown distribution with a Dirichlet process prior. Each draw
    weights the differences at random, and counts for the hypothesis that holds the largest share
    of the distribution of the mean of two differences.

    Args:
        differences: (n,) differences, first minus second, one per seed or data set.
        rope: Half the width of the region of practical equivalence, in the same unit.
        draws: Number of draws from the posterior.
        seed: Seed of the draws.

    Raises:
        ValueError: `differences` is empty, or `rope` is not positive.
    """
    if not len(differences) or not rope > 0:
        raise ValueError("Bayesian signed-rank test: expected differences and a positive region")
    values = np.concatenate([[0.0], differences])
    sums = values[:, None] + values[None]
    first, second = (sums > 2 * rope).astype(float), (sums < -2 * rope).astype(float)
    strengths = np.concatenate([[_PRIOR_WEIGHT], np.ones(len(differences))])
    generator = np.random.default_rng(seed)
    won = np.zeros(3)
    block = max(1, _MAX_BLOCK_WEIGHTS // len(values))
    for start in range(0, draws, block):
        weights = generator.dirichlet(strengths, min(block, draws - start))
        better = ((weights @ first) * weights).sum(axis=1)
        worse = ((weights @ second) * weights).sum(axis=1)
        shares = np.stack([better, 1 - better - worse, worse])
        won += np.bincount(shares.argmax(axis=0), minlength=3)
    return Posterior(*(float(share) for share in won / draws))
