"""Two cells on the same test images: the difference of each accuracy, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.seed_predictions import Sample, check_same_images
from ltbench.analysis.metrics import DEFAULT_RULE, SHOT_RULES, ShotRule
from ltbench.analysis.stats.bayes import Posterior, bayesian_signed_rank
from ltbench.analysis.stats.bounds import Bounds, bounds_without_spread, has_no_spread
from ltbench.analysis.stats.effects import OddsRatio, cohens_dz, odds_ratio, rank_biserial
from ltbench.analysis.stats.hierarchical import hierarchical_bootstrap
from ltbench.analysis.stats.mcnemar import McNemar, mcnemar
from ltbench.analysis.stats.multiplicity import Correction, correct
from ltbench.analysis.stats.paired_bootstrap import paired_bootstrap
from ltbench.analysis.stats.power import detectable_on_images, detectable_with_error
from ltbench.analysis.stats.randomisation import randomisation
from ltbench.analysis.stats.seeds import PairedT, SignedRank, paired_t, signed_rank
from ltbench.analysis.stats.strata import Strata
from ltbench.errors import ConfigError
from ltbench.metric_names import ACCURACIES

METRICS = tuple(ACCURACIES)
POWER = 0.8


@dataclass(frozen=True)
class AcrossSeeds:
    """Tests that look at each seed's accuracy and at no image. Percent points.

    Args:
        differences: Of each common seed, first less second.
        t: Paired t test.
        wilcoxon: Wilcoxon's signed-rank test.
        cohens_dz: Effect size; None where all seeds differ by the same.
        rank_biserial: Effect size, -1 to 1.
        posterior: Of the Bayesian signed-rank test, where it was asked for.
    """

    differences: tuple[float, ...]
    t: PairedT
    wilcoxon: SignedRank
    cohens_dz: float | None
    rank_biserial: float
    posterior: Posterior | None


@dataclass(frozen=True)
class OnImages:
    """The images of one seed.

    Args:
        mcnemar: Exact test of the counts of images on which the two differ.
        odds_ratio: Of these counts.
    """

    mcnemar: McNemar
    odds_ratio: OddsRatio


@dataclass(frozen=True)
class Evidence:
    """How sure a difference is. Percent points.

    Args:
        difference: First less second.
        low: Lower bound of the difference.
        high: Upper bound.
        test: What p is from.
        p: Two-sided.
        detectable: Smallest true difference that a single comparison finds with 80 % power; 0
            where the two are right on the same images.
        same_images: Whether the two are right on the same images, with every seed.
        across_seeds: With two or more common seeds.
        on_images: With one.
    """

    difference: float
    low: float
    high: float
    test: str
    p: float
    detectable: float
    same_images: bool
    across_seeds: AcrossSeeds | None = None
    on_images: OnImages | None = None


@dataclass(frozen=True)
class MetricComparison:
    """One accuracy of two cells, in percent.

    Args:
        metric: One of `METRICS`.
        classes: Classes with test images that it is a mean over.
        first: Of the first cell, mean over the common seeds.
        second: Of the second cell.
        evidence: Of their difference.
        corrected_p: The evidence's p, for there being several comparisons.
        same_as: An earlier metric that is the same mean on these images, if there is one: overall
            and mean-class accuracy are, where every class has as many test images.
    """

    metric: str
    classes: int
    first: float
    second: float
    evidence: Evidence
    corrected_p: float
    same_as: str | None


@dataclass(frozen=True)
class Pair:
    """A comparison of two cells.

    Args:
        first: One.
        second: The other.
        seeds: That both have.
        shot_rule: Name of the rule of the groups.
        outcomes: Metric -> outcome; None for a group without classes.
    """

    first: Sample
    second: Sample
    seeds: tuple[int, ...]
    shot_rule: str
    outcomes: Mapping[str, MetricComparison | None]


def compare(
    first: Sample,
    second: Sample,
    metrics: Sequence[str] = METRICS,
    *,
    level: float = 0.95,
    rope: float | None = None,
) -> Pair:
    """Compares two cells on the images and seeds that they share.

    With two common seeds or more, interval and p value are those of the hierarchical bootstrap:
    they speak of other seeds and other images. With one they are those of the paired bootstrap and
    of the randomisation test: of other images, and of these very models.

    Args:
        first: One.
        second: The other.
        metrics: Which accuracies.
        level: Coverage of intervals.
        rope: Half the region of practical equivalence in percent points, for a Bayesian test.

    Returns:
        With p values that are not corrected yet: `corrected` does that for all pairs together.

    Raises:
        ConfigError: They were not tested on the same images, or share no seed.
    """
    check_same_images(first, second)
    seeds = tuple(seed for seed in first.cell.seeds if seed in second.cell.seeds)
    if not seeds:
        raise ConfigError(
            f"{first.name} and {second.name} have no seed in common: {_listed(first)} and "
            f"{_listed(second)}",
            hint="run one of them with a seed of the other: ltbench run ... --seed",
        )
    rule = _shot_rule(first, second)
    groups = rule.groups(first.class_counts)
    all_strata = Strata.of_classes(first.labels, groups)
    strata = all_strata.only(metrics)
    if not strata.votes:
        return Pair(first, second, seeds, rule.name, dict.fromkeys(metrics))
    rights = first.of_seeds(seeds), second.of_seeds(seeds)
    means = [100 * strata.means(right.astype(float)) for right in rights]
    differences = rights[0].astype(np.int8) - rights[1].astype(np.int8)
    present = np.bincount(first.labels, minlength=len(first.class_counts)) > 0
    members = {"accuracy": present, "mean_class": present} | groups
    tested = (
        _with_seeds(differences, means, strata, level, rope)
        if len(seeds) > 1
        else _on_images(differences[0], strata, level)
    )
    outcomes = {
        name: MetricComparison(
            metric=name,
            classes=int((members[name] & present).sum()),
            first=float(means[0][:, m].mean()),
            second=float(means[1][:, m].mean()),
            evidence=tested[name],
            corrected_p=tested[name].p,
            same_as=_same_mean(name, strata),
        )
        for m, name in enumerate(strata.weights)
    }
    return Pair(first, second, seeds, rule.name, {name: outcomes.get(name) for name in metrics})


def corrected(pairs: Sequence[Pair], correction: Correction) -> tuple[list[Pair], int]:
    """Returns the pairs with p values corrected for all of their comparisons, and their number.

    Metrics that are the same mean are one comparison.
    """
    tested = [
        (number, name, outcome.evidence.p)
        for number, pair in enumerate(pairs)
        for name, outcome in pair.outcomes.items()
        if outcome is not None and outcome.same_as is None
    ]
    found = correct([p for _, _, p in tested], correction)
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


def _with_seeds(
    differences: NDArray[np.int8],
    means: Sequence[NDArray[np.float64]],
    strata: Strata,
    level: float,
    rope: float | None,
) -> dict[str, Evidence]:
    found = hierarchical_bootstrap(differences, strata, level=level)
    discordance = _discordance(differences, strata)
    outcomes = {}
    for m, name in enumerate(strata.weights):
        each = found[name]
        by_seed = means[0][:, m] - means[1][:, m]
        across = AcrossSeeds(
            tuple(by_seed.tolist()),
            paired_t(by_seed),
            signed_rank(by_seed),
            cohens_dz(by_seed),
            rank_biserial(by_seed),
            None if rope is None else bayesian_signed_rank(by_seed, rope),
        )
        weights = strata.weights[name]
        detectable = (
            detectable_with_error(each.error, each.freedom, level=level, power=POWER)
            if each.error > 0
            else detectable_on_images(discordance, strata.sizes, weights, level=level, power=POWER)
        )
        outcomes[name] = Evidence(
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


def _on_images(differences: NDArray[np.int8], strata: Strata, level: float) -> dict[str, Evidence]:
    intervals = paired_bootstrap(differences, strata, level=level)
    tests = randomisation(differences, strata, level=level)
    discordance = _discordance(differences[None], strata)
    outcomes = {}
    without_spread = has_no_spread(differences.astype(float), strata)
    for m, (name, interval) in enumerate(intervals.items()):
        weights = strata.weights[name]
        bounds = Bounds(interval.low, interval.high).holding(
            tests[name].hidden(interval.difference)
        )
        if without_spread[m] and interval.difference != 0:
            alike = bounds_without_spread(interval.difference, weights, strata.sizes, level)
            bounds = bounds.holding(alike)
        bounds = bounds.agreeing(interval.difference, tests[name].p, level)
        concerned = differences[weights[strata.of_image] > 0]
        only = int((concerned > 0).sum()), int((concerned < 0).sum())
        detectable = detectable_on_images(
            discordance, strata.sizes, weights, level=level, power=POWER
        )
        outcomes[name] = Evidence(
            difference=100 * interval.difference,
            low=100 * bounds.low,
            high=100 * bounds.high,
            test="randomisation test on the images" + (", exact" if tests[name].exact else ""),
            p=tests[name].p,
            detectable=100 * min(detectable, 1.0),
            same_images=not any(only),
            on_images=OnImages(mcnemar(*only), odds_ratio(*only, level)),
        )
    return outcomes


def _discordance(differences: NDArray[np.int8], strata: Strata) -> NDArray[np.float64]:
    """Returns the share of each stratum's images on which the two differ, mean over seeds, (K,)."""
    apart = np.abs(differences).mean(axis=0)
    found: NDArray[np.float64] = strata.sums(apart) / np.maximum(strata.sizes, 1)
    return found


def _same_mean(name: str, strata: Strata) -> str | None:
    """The first other mean before this one that has the same weights."""
    for earlier, weights in strata.weights.items():
        if earlier == name:
            return None
        if np.allclose(weights, strata.weights[name], rtol=1e-9, atol=1e-15):
            return earlier
    return None


def _shot_rule(first: Sample, second: Sample) -> ShotRule:
    """The rule of the stored results where it is the same one."""
    names = {run.metrics.shot_rule for s in (first, second) for run in s.cell.runs}
    name = names.pop() if len(names) == 1 else DEFAULT_RULE.name
    return SHOT_RULES.get(name, DEFAULT_RULE)


def _listed(sample: Sample) -> str:
    return "seeds " + ", ".join(map(str, sample.cell.seeds))
