"""Bayesian signed-rank test with a region of practical equivalence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PRIOR = 0.5  # weight of the pseudo-observation at zero, against 1 of each real one
_BLOCK = 2_000_000


@dataclass(frozen=True)
class Posterior:
    """Probabilities that sum to 1.

    Args:
        first: The first is better by more than the region.
        equivalent: They differ by no more than the region.
        second: The second is better by more than the region.
    """

    first: float
    equivalent: float
    second: float


def bayesian_signed_rank(
    differences: NDArray[np.float64], rope: float, *, draws: int = 50_000, seed: int = 0
) -> Posterior:
    """Returns the probabilities of the three (Benavoli, Corani, Demsar and Zaffalon, JMLR 2017).

    The differences come from an unknown distribution with a Dirichlet process prior: each gets a
    random weight, and of the three the one that holds most of the mean of two differences wins.

    Args:
        differences: (n,) one a seed or a data set: first less second.
        rope: Half the width of the region of practical equivalence, in the same unit.
        draws: From the posterior.
        seed: Of the draws.

    Raises:
        ValueError: There is no difference, or the region has no width.
    """
    if not len(differences) or not rope > 0:
        raise ValueError("a Bayesian signed-rank test needs differences and a positive region")
    values = np.concatenate([[0.0], differences])
    sums = values[:, None] + values[None]
    first, second = (sums > 2 * rope).astype(float), (sums < -2 * rope).astype(float)
    strengths = np.concatenate([[_PRIOR], np.ones(len(differences))])
    generator = np.random.default_rng(seed)
    won = np.zeros(3)
    block = max(1, _BLOCK // len(values))
    for start in range(0, draws, block):
        weights = generator.dirichlet(strengths, min(block, draws - start))
        better = ((weights @ first) * weights).sum(axis=1)
        worse = ((weights @ second) * weights).sum(axis=1)
        shares = np.stack([better, 1 - better - worse, worse])
        won += np.bincount(shares.argmax(axis=0), minlength=3)
    return Posterior(*(float(share) for share in won / draws))
