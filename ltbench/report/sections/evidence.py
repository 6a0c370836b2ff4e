"""Intervals and tests of the best methods of a ranking, computed once for all its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.all_pairs import compare_family
from ltbench.analysis.comparison.pairs import PairComparison, compare_pair
from ltbench.analysis.comparison.seed_predictions import (
    SeedPredictions,
    check_same_images,
    common_seeds,
    seed_predictions,
)
from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.leaderboard.ranking import RankedCell, Ranking
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES, reliability_bins
from ltbench.analysis.stats.accuracy_interval import crossed_interval
from ltbench.analysis.stats.max_t import MaxTTest
from ltbench.analysis.stats.strata import Strata
from ltbench.errors import ConfigError, DataError
from ltbench.report.figures.calibration import ReliabilityBins

MAX_SHOWN_METHODS = 12
"""Number of methods of a ranking that are compared and drawn, limited by the size of figures."""
MIN_BIN_IMAGES = 20
"""Number of images of a bin of the reliability diagram; the accuracy of fewer is too uncertain."""


@dataclass(frozen=True)
class RankingEvidence:
    """Results of the best methods of a ranking on their test images. All numbers in percent.

    Args:
        entries: (n,) cells with predictions of the same images, best first.
        train_images: (K,) number of training images of each class.
        test_images: (K,) number of test images of each class.
        per_class: (n, K) accuracies, means over seeds; NaN for classes without test images.
        intervals: Accuracy -> (n, 3) mean, lower and upper bound; NaN for an empty group.
        predictions: (n,) predictions of all seeds, each file read once.
        reliability: (n,) bins of the images of all seeds, without bins of few images.
        pairs: Comparisons of all pairs with a common seed, with uncorrected p values.
        tested: Names of the cells with two seeds or more, best first.
        families: Accuracy -> comparison of all pairs of these cells; empty if fewer than two.
        left_out: Sentences about the methods that are not shown.
    """

    entries: tuple[RankedCell, ...]
    train_images: NDArray[np.int64]
    test_images: NDArray[np.int64]
    per_class: NDArray[np.float64]
    intervals: Mapping[str, NDArray[np.float64]]
    predictions: tuple[PooledPredictions, ...]
    reliability: tuple[ReliabilityBins, ...]
    pairs: tuple[PairComparison, ...]
    tested: tuple[str, ...]
    families: Mapping[str, MaxTTest]
    left_out: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """Names of the cells, (n,)."""
        return [entry.name for entry in self.entries]

    def tested_pairs(self, metric: str, *, with_best: bool) -> tuple[list[PairComparison], int]:
        """Returns the pairs of cells with two seeds or more, and the number of comparisons.

        Intervals and p values are corrected for all pairs together (max-T), because the best method
        is known only after the comparison.

        Args:
            metric: Name of the accuracy.
            with_best: Whether to return only the pairs with the best method.
        """
        found = self.families.get(metric)
        if found is None:
            return [], 0
        place = {name: number for number, name in enumerate(self.tested)}
        chosen = []
        for pair in self.pairs:
            outcome, first, second = pair.outcomes[metric], pair.first.name, pair.second.name
            if outcome is None or first not in place or second not in place:
                continue
            if with_best and first != self.tested[0]:
                continue
            i, j = place[first], place[second]
            p = float(found.p[i, j])
            evidence = replace(
                outcome.evidence,
                difference=100 * float(found.difference[i, j]),
                low=100 * float(found.low[i, j]),
                high=100 * float(found.high[i, j]),
                p=p,
            )
            outcome = replace(outcome, evidence=evidence, corrected_p=p, same_as=None)
            chosen.append(replace(pair, outcomes={metric: outcome}))
        return chosen, len(place) * (len(place) - 1) // 2

    def difference_matrices(
        self, metric: str
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
        """Returns differences, p values, and the number of comparisons.

        Args:
            metric: Name of the accuracy.

        Returns:
            (n, n) differences in percent points, row minus column, NaN where unknown; (n, n)
            corrected p values, NaN where unknown or where a cell has one seed; number of
            comparisons that p values are corrected for.
        """
        pairs, comparisons = self.tested_pairs(metric, with_best=False)
        place = {name: number for number, name in enumerate(self.names)}
        n = len(place)
        found, p = np.full((n, n), np.nan), np.full((n, n), np.nan)
        tested = {(pair.first.name, pair.second.name): pair for pair in pairs}
        for pair in self.pairs:
            names = pair.first.name, pair.second.name
            outcome = tested.get(names, pair).outcomes[metric]
            if outcome is not None:
                i, j = place[names[0]], place[names[1]]
                found[i, j] = outcome.evidence.difference
                found[j, i] = -outcome.evidence.difference
                if names in tested:
                    p[i, j] = p[j, i] = outcome.corrected_p
        return found, p, comparisons


def gather_evidence(
    ranking: Ranking, metrics: Sequence[str], advance: Callable[[], object] = lambda: None
) -> RankingEvidence | None:
    """Reads and compares the best methods of a ranking.

    Args:
        ranking: Ranking of the cells.
        metrics: Names of the accuracies to compare.
        advance: Progress callback, called once per method that is compared.

    Returns:
        Results; None where no predictions can be read.
    """
    read, left_out = _read_entries(
        ranking.entries[:MAX_SHOWN_METHODS], ranking.conditions.shot_rule
    )
    if not read:
        return None
    if len(ranking.entries) > MAX_SHOWN_METHODS:
        left_out.append(
            f"Figures and tests are of the {MAX_SHOWN_METHODS} best of {len(ranking.entries)}."
        )
    samples = [each.sample for each in read]
    labels, counts = samples[0].labels, samples[0].class_counts
    rule = SHOT_RULES.get(ranking.conditions.shot_rule, DEFAULT_RULE)
    strata = Strata.from_labels(labels, rule.groups(counts))
    support = np.bincount(labels, minlength=len(counts))
    intervals = {name: np.full((len(samples), 3), np.nan) for name in strata.weights}
    pairs: list[PairComparison] = []
    for number, sample in enumerate(samples):
        for name, each in crossed_interval(sample.right, strata, level=ranking.level).items():
            intervals[name][number] = 100 * np.array([each.mean, each.low, each.high])
        for other in samples[number + 1 :]:
            if common_seeds(sample, other):
                pairs.append(compare_pair(sample, other, metrics, level=ranking.level))
            else:
                left_out.append(f"{sample.name} and {other.name} have no seed in common.")
        advance()
    tested = [sample for sample in samples if sample.generalises]
    families = {}
    for metric in metrics if len(tested) > 1 else ():
        found = compare_family(tested, metric, rule, level=ranking.level)
        if found is not None:
            families[metric] = found
    return RankingEvidence(
        entries=tuple(each.entry for each in read),
        train_images=counts,
        test_images=support,
        per_class=np.stack([_seed_mean_accuracies(sample, support) for sample in samples]),
        intervals=intervals,
        predictions=tuple(each.predictions for each in read),
        reliability=tuple(each.bins for each in read),
        pairs=tuple(pairs),
        tested=tuple(sample.name for sample in tested),
        families=families,
        left_out=tuple(left_out),
    )


@dataclass(frozen=True)
class _ReadEntry:
    """A cell of the ranking with its predictions, of which each file is read once."""

    entry: RankedCell
    sample: SeedPredictions
    predictions: PooledPredictions

    @property
    def bins(self) -> ReliabilityBins:
        """Bins of the images of all seeds, without bins of few images."""
        confidence, right = self.predictions.confidence, ~self.predictions.wrong
        said, held, share = reliability_bins(confidence.ravel(), right.ravel())
        enough = share * right.size / 100 >= MIN_BIN_IMAGES
        return said[enough], held[enough], share[enough]


def _read_entries(
    entries: Sequence[RankedCell], shot_rule: str
) -> tuple[list[_ReadEntry], list[str]]:
    """Returns the cells with predictions of the same images as the best, and errors of others."""
    read: list[_ReadEntry] = []
    left_out = []
    for entry in entries:
        try:
            each = [run.predictions() for run in entry.cell.runs]
            sample = seed_predictions(entry.cell, entry.name, each)
            if read:
                check_same_images(read[0].sample, sample)
            classes = entry.cell.runs[0].classes
            pooled = PooledPredictions.of(each, classes.names, classes.train_images, shot_rule)
        except (DataError, ConfigError) as error:
            left_out.append(f"{entry.name} is in no figure: {error.message}.")
        else:
            read.append(_ReadEntry(entry, sample, pooled))
    return read, left_out


def _seed_mean_accuracies(
    sample: SeedPredictions, support: NDArray[np.int64]
) -> NDArray[np.float64]:
    right = np.bincount(sample.labels, sample.right.mean(axis=0), len(support))
    shares = np.full(len(support), np.nan)
    np.divide(100.0 * right, support, out=shares, where=support > 0)
    return shares
