"""Comparison of two cells on the same test images: difference, interval and p value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.seed_predictions import (
    SeedPredictions,
    check_same_images,
    common_seeds,
)
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES, ShotRule
from ltbench.analysis.stats.bayes import Posterior, bayesian_signed_rank
from ltbench.analysis.stats.bounds import Bounds, bounds_without_spread, has_no_spread
from ltbench.analysis.stats.effect_sizes import OddsRatio, cohens_dz, odds_ratio, rank_biserial
from ltbench.analysis.stats.hierarchical_bootstrap import hierarchical_bootstrap
from ltbench.analysis.stats.mcnemar import McNemar, mcnemar
from ltbench.analysis.stats.multiplicity import Correction, correct_p_values
from ltbench.analysis.stats.paired_bootstrap import paired_bootstrap
from ltbench.analysis.stats.power import detectable_difference, detectable_difference_from_error
from ltbench.analysis.stats.randomisation import randomisation_test
from ltbench.analysis.stats.seed_tests import PairedT, SignedRank, paired_t, signed_rank
from ltbench.analysis.stats.strata import Strata
from ltbench.errors import ConfigError
from ltbench.metric_names import ACCURACIES

METRICS = tuple(ACCURACIES)
POWER = 0.8
"""Probability of detecting the difference that a comparison reports as detectable."""


@dataclass(frozen=True)
class SeedTests:
    """Tests that use the accuracies of the seeds, not single images. Percent points.

    Args:
        differences: Differences of the common seeds, first minus second.
        t: Paired t test.
        wilcoxon: Wilcoxon's signed-rank test.
        cohens_dz: Effect size d_z; None where the difference is the same for all seeds.
        rank_biserial: Rank-biserial correlation, an effect size from -1 to 1.
        posterior: Bayesian signed-rank test; None where not requested.
    """

    differences: tuple[float, ...]
    t: PairedT
    wilcoxon: SignedRank
    cohens_dz: float | None
    rank_biserial: float
    posterior: Posterior | None


@dataclass(frozen=True)
class ImageTests:
    """Tests on the images of one seed.

    Args:
        mcnemar: McNemar's exact test, with the counts of images on which the two models differ.
        odds_ratio: Odds ratio of these counts.
    """

    mcnemar: McNemar
    odds_ratio: OddsRatio


@dataclass(frozen=True)
class DifferenceEvidence:
    """Difference of two accuracies with its interval and tests. Percent points.

    Args:
        difference: First accuracy minus second.
        low: Lower bound of the interval.
        high: Upper bound of the interval.
        test: Name of the test that `p` comes from.
        p: Two-sided p value, not corrected.
        detectable: Smallest true difference that a single comparison detects with 80 % power; 0
            where both are correct on the same images.
        same_images: Whether both are correct on the same images, with every seed.
        across_seeds: Tests across seeds; None with one common seed.
        on_images: Tests on the images; None with two common seeds or more.
    """

    difference: float
    low: float
    high: float
    test: str
    p: float
    detectable: float
    same_images: bool
    across_seeds: SeedTests | None = None
    on_images: ImageTests | None = None


@dataclass(frozen=True)
class MetricComparison:
    """Comparison of one accuracy of two cells, in percent.

    Args:
        metric: Name of the accuracy, one of `METRICS`.
        classes: Number of classes with test images in the mean.
        first: Accuracy of the first cell, mean over the common seeds.
        second: Accuracy of the second cell, mean over the common seeds.
        evidence: Difference with its interval and tests.
        corrected_p: P value of `evidence`, corrected for multiple comparisons.
        same_as: Earlier metric that is the same mean on these images, or None. Overall and
            mean-class accuracy are the same where all classes have equally many test images.
    """

    metric: str
    classes: int
    first: float
    second: float
    evidence: DifferenceEvidence
    corrected_p: float
    same_as: str | None


@dataclass(frozen=True)
class PairComparison:
    """Comparison of two cells.

    Args:
        first: Predictions of the first cell.
        second: Predictions of the second cell.
        seeds: Seeds that both cells have; where no seed changes one cell, those of the other.
        shot_rule: Name of the rule of the shot groups.
        outcomes: Metric -> comparison; None for a shot group without classes.
    """

    first: SeedPredictions
    second: SeedPredictions
    seeds: tuple[int, ...]
    shot_rule: str
    outcomes: Mapping[str, MetricComparison | None]

    @property
    def generalises(self) -> bool:
        """Whether the result is of the methods, not of two trained models."""
        return len(self.seeds) > 1 or (self.first.cell.seedless and self.second.cell.seedless)


def compare_pair(
    first: SeedPredictions,
    second: SeedPredictions,
    metrics: Sequence[str] = METRICS,
    *,
    level: float = 0.95,
    rope: float | None = None,
) -> PairComparison:
    """Compares two cells on their common images and seeds.

    With two common seeds or more, interval and p value are those of the hierarchical bootstrap:
    they generalise to other seeds and other images. With one common seed they are those of the
    paired bootstrap and the randomisation test: they generalise to other images, for the two
    trained models only. A method that no seed changes is compared with every seed of the other one,
    and adds no variance of seeds.

    Args:
        first: Predictions of the first cell.
        second: Predictions of the second cell.
        metrics: Names of the accuracies to compare.
        level: Coverage of intervals, 0 to 1.
        rope: Half the width of the region of practical equivalence in percent points, for a
            Bayesian test; no such test where None.

    Returns:
        Comparison with uncorrected p values; `correct_pairs` corrects those of all pairs together.

    Raises:
        ConfigError: The cells were not tested on the same images, or have no common seed.
    """
    check_same_images(first, second)
    seeds = common_seeds(first, second)
    if not seeds:
        raise ConfigError(
            f"{first.name} and {second.name} have no seed in common: "
            f"{_format_cell_seeds(first)} and {_format_cell_seeds(second)}",
            hint="run one of them with a seed of the other: ltbench run ... --seed",
        )
    rule = _shot_rule(first, second)
    groups = rule.groups(first.class_counts)
    all_strata = Strata.from_labels(first.labels, groups)
    strata = all_strata.select(metrics)
    if not strata.counts:
        return PairComparison(first, second, seeds, rule.name, dict.fromkeys(metrics))
    rights = first.select_seeds(seeds), second.select_seeds(seeds)
    means = [100 * strata.means(right.astype(float)) for right in rights]
    differences = rights[0].astype(np.int8) - rights[1].astype(np.int8)
    present = np.bincount(first.labels, minlength=len(first.class_counts)) > 0
    members = {"accuracy": present, "mean_class": present} | groups
    tested = (
        _test_seeds_and_images(differences, means, strata, level, rope)
        if len(seeds) > 1
        else _test_images(differences[0], strata, level)
    )
    outcomes = {
        name: MetricComparison(
            metric=name,
            classes=int((members[name] & present).sum()),
            first=float(means[0][:, m].mean()),
            second=float(means[1][:, m].mean()),
            evidence=tested[name],
            corrected_p=tested[name].p,
            same_as=_earlier_equal_mean(name, strata),
        )
        for m, name in enumerate(strata.weights)
    }
    return PairComparison(
        first, second, seeds, rule.name, {name: outcomes.get(name) for name in metrics}
    )


def correct_pairs(
    pairs: Sequence[PairComparison], correction: Correction
) -> tuple[list[PairComparison], int]:
    """Returns the pairs with corrected p values, and the number of comparisons.

    P values are corrected for all metrics of all pairs together. Metrics that are the same mean
    count as one comparison.

    Args:
        pairs: Comparisons with uncorrected p values.
        correction: Method of the correction.
    """
    tested = [
        (number, name, outcome.evidence.p)
        for number, pair in enumerate(pairs)
        for name, outcome in pair.outcomes.items()
        if outcome is not None and outcome.same_as is None
    ]
    found = correct_p_values([p for _, _, p in tested], correction)
    new = {(number, name): float(p) for (number, name, _), p in zip(tested, found, strict=True)}
    done = []
    for number, pair in enumerate(pairs):
        outcomes = {
            name: outcome
            and replace(outcome, corrected_p=new[number, outcome.same_as or outcome.metric])
            for name, outcome in pair.outcomes.items()
        }
        done.append(replace(pair, outcomes=outcomes))
    return done, len(tested)


def _test_seeds_and_images(
    differences: NDArray[np.int8],
    means: Sequence[NDArray[np.float64]],
    strata: Strata,
    level: float,
    rope: float | None,
) -> dict[str, DifferenceEvidence]:
    found = hierarchical_bootstrap(differences, strata, level=level)
    discordance = _discordance(differences, strata)
    outcomes = {}
    for m, name in enumerate(strata.weights):
        each = found[name]
        by_seed = means[0][:, m] - means[1][:, m]
        across = SeedTests(
            tuple(by_seed.tolist()),
            paired_t(by_seed),
            signed_rank(by_seed),
            cohens_dz(by_seed),
            rank_biserial(by_seed),
            None if rope is None else bayesian_signed_rank(by_seed, rope),
        )
        weights = strata.weights[name]
        detectable = (
            detectable_difference_from_error(each.error, each.freedom, level=level, power=POWER)
            if each.error > 0
            else detectable_difference(discordance, strata.sizes, weights, level=level, power=POWER)
        )
        outcomes[name] = DifferenceEvidence(
            difference=100 * each.difference,
            low=100 * each.low,
            high=100 * each.high,
            test="hierarchical bootstrap over seeds and images",
            p=each.p,
            detectable=100 * min(detectable, 1.0),
            same_images=not discordance[weights > 0].any(),
            across_seeds=across,
        )
    return outcomes


def _test_images(
    differences: NDArray[np.int8], strata: Strata, level: float
) -> dict[str, DifferenceEvidence]:
    intervals = paired_bootstrap(differences, strata, level=level)
    tests = randomisation_test(differences, strata, level=level)
    discordance = _discordance(differences[None], strata)
    outcomes = {}
    without_spread = has_no_spread(differences.astype(float), strata)
    for m, (name, interval) in enumerate(intervals.items()):
        weights = strata.weights[name]
        bounds = Bounds(interval.low, interval.high).enclose(
            tests[name].undetected_bounds(interval.difference)
        )
        if without_spread[m] and interval.difference != 0:
            alike = bounds_without_spread(interval.difference, weights, strata.sizes, level)
            bounds = bounds.enclose(alike)
        bounds = bounds.align_with_p(interval.difference, tests[name].p, level)
        concerned = differences[weights[strata.image_strata] > 0]
        only = int((concerned > 0).sum()), int((concerned < 0).sum())
        detectable = detectable_difference(
            discordance, strata.sizes, weights, level=level, power=POWER
        )
        outcomes[name] = DifferenceEvidence(
            difference=100 * interval.difference,
            low=100 * bounds.low,
            high=100 * bounds.high,
            test="randomisation test on the images" + (", exact" if tests[name].exact else ""),
            p=tests[name].p,
            detectable=100 * min(detectable, 1.0),
            same_images=not any(only),
            on_images=ImageTests(mcnemar(*only), odds_ratio(*only, level)),
        )
    return outcomes


def _discordance(differences: NDArray[np.int8], strata: Strata) -> NDArray[np.float64]:
    """Returns the share of each stratum's images on which two models differ, (K,).

    Args:
        differences: (S, N) values -1, 0 or 1, one row per seed; the share is a mean over seeds.
        strata: Strata of the images.
    """
    apart = np.abs(differences).mean(axis=0)
    found: NDArray[np.float64] = strata.sums(apart) / np.maximum(strata.sizes, 1)
    return found


def _earlier_equal_mean(name: str, strata: Strata) -> str | None:
    """Returns the name of the first earlier mean with the same weights, or None."""
    for earlier, weights in strata.weights.items():
        if earlier == name:
            return None
        if np.allclose(weights, strata.weights[name], rtol=1e-9, atol=1e-15):
            return earlier
    return None


def _shot_rule(first: SeedPredictions, second: SeedPredictions) -> ShotRule:
    """Returns the rule stored with the results, or the default where they differ."""
    names = {run.metrics.shot_rule for s in (first, second) for run in s.cell.runs}
    name = names.pop() if len(names) == 1 else DEFAULT_RULE.name
    return SHOT_RULES.get(name, DEFAULT_RULE)


def _format_cell_seeds(sample: SeedPredictions) -> str:
    return "seeds " + ", ".join(map(str, sample.cell.seeds))
