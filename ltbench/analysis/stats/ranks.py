"""Rank tests of several methods on several data sets: Friedman, Nemenyi, Wilcoxon."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.stats.multiplicity import Correction, correct_p_values
from ltbench.analysis.stats.seed_tests import signed_rank


@dataclass(frozen=True)
class Friedman:
    """Result of Friedman's test, with the correction of Iman and Davenport.

    Args:
        statistic: Chi-squared statistic, corrected for ties.
        p: P value of the statistic, with k - 1 degrees of freedom.
        f: F statistic of Iman and Davenport (1980), less conservative; infinite where all data sets
            rank the methods alike.
        f_p: P value of `f`, with k - 1 and (k - 1)(n - 1) degrees of freedom.
    """

    statistic: float
    p: float
    f: float
    f_p: float


@dataclass(frozen=True)
class CriticalDifference:
    """Data of a critical-difference diagram (Demsar, JMLR 2006).

    Args:
        ranks: (k,) average ranks; 1 is the best.
        difference: Critical difference of Nemenyi's test: average ranks that differ by this much or
            more differ significantly.
        p: (k, k) p values of Nemenyi's test; 1 on the diagonal.
        groups: Maximal sets of methods that do not differ significantly from each other, best
            first, as positions into `ranks`: the bars of the diagram.
    """

    ranks: NDArray[np.float64]
    difference: float
    p: NDArray[np.float64]
    groups: tuple[tuple[int, ...], ...]


def average_ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean rank of each method, (k,): 1 is the best, ties get their average rank.

    Args:
        scores: (n, k) scores, one row per data set, one column per method; higher is better.
    """
    means: NDArray[np.float64] = _rank_methods(scores).mean(axis=0)
    return means


def friedman(scores: NDArray[np.float64]) -> Friedman:
    """Tests whether all methods have the same average rank (Friedman, 1937).

    Args:
        scores: (n, k) scores, one row per data set, one column per method; k is 3 or more.

    Raises:
        ValueError: There are fewer than three methods, or fewer than two data sets.
    """
    from scipy.stats import chi2
    from scipy.stats import f as fisher

    n, k = scores.shape
    if k < 3 or n < 2:
        raise ValueError("Friedman's test: expected three methods and two data sets or more")
    ranks = _rank_methods(scores)
    spread = float(((ranks - (k + 1) / 2) ** 2).sum())
    if spread == 0:  # all methods are tied on every data set
        return Friedman(0.0, 1.0, 0.0, 1.0)
    sums = ranks.sum(axis=0) - n * (k + 1) / 2
    statistic = float((k - 1) * (sums**2).sum() / spread)
    rest = n * (k - 1) - statistic
    f = math.inf if rest < 1e-9 else (n - 1) * statistic / rest
    f_p = float(fisher.sf(f, k - 1, (k - 1) * (n - 1)))
    return Friedman(statistic, float(chi2.sf(statistic, k - 1)), f, f_p)


def critical_difference(scores: NDArray[np.float64], *, level: float = 0.95) -> CriticalDifference:
    """Compares all methods with each other by their average ranks (Nemenyi, 1963).

    Args:
        scores: (n, k) scores, one row per data set, one column per method; higher is better.
        level: Confidence level of all comparisons together, 0 to 1.
    """
    from scipy.stats import studentized_range

    n, k = scores.shape
    ranks = average_ranks(scores)
    unit = math.sqrt(k * (k + 1) / (6 * n))
    # Demsar's table lists q / sqrt(2) of the studentised range with infinite degrees of freedom.
    difference = float(studentized_range.ppf(level, k, np.inf)) / math.sqrt(2) * unit
    apart = np.abs(ranks[:, None] - ranks[None])
    p = np.ones((k, k))
    for i, j in itertools.combinations(range(k), 2):
        p[i, j] = p[j, i] = studentized_range.sf(apart[i, j] * math.sqrt(2) / unit, k, np.inf)
    return CriticalDifference(ranks, difference, p, _indistinct_groups(ranks, difference))


def pairwise_signed_rank(
    scores: NDArray[np.float64], correction: Correction = "holm"
) -> NDArray[np.float64]:
    """Returns corrected p values of Wilcoxon's test for all pairs, (k, k); 1 on the diagonal.

    Benavoli, Corani and Mangili (JMLR 2016) prefer it to Nemenyi's test, because the result for two
    methods does not depend on the other methods.

    Args:
        scores: (n, k) scores, one row per data set, one column per method.
        correction: Correction for multiple comparisons.
    """
    k = scores.shape[1]
    pairs = list(itertools.combinations(range(k), 2))
    corrected = correct_p_values(
        [signed_rank(scores[:, i] - scores[:, j]).p for i, j in pairs], correction
    )
    p = np.ones((k, k))
    for (i, j), value in zip(pairs, corrected, strict=True):
        p[i, j] = p[j, i] = value
    return p


def _rank_methods(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    ranks: NDArray[np.float64] = rankdata(-np.round(scores, 9), axis=1)
    return ranks


def _indistinct_groups(
    ranks: NDArray[np.float64], difference: float
) -> tuple[tuple[int, ...], ...]:
    """Returns maximal runs of methods in rank order whose ends differ by less than `difference`."""
    order = np.argsort(ranks, kind="stable")
    groups: list[tuple[int, ...]] = []
    end = 0
    for start in range(len(order)):
        last = int(np.searchsorted(ranks[order], ranks[order[start]] + difference, side="left"))
        if last > end and last - start > 1:
            groups.append(tuple(order[start:last].tolist()))
        end = max(end, last)
    return tuple(groups)
