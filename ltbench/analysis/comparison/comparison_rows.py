"""Rows and columns of a comparison: the schema of its data frame and its CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from ltbench.analysis.columns import column_field
from ltbench.analysis.comparison.compare_options import CompareOptions
from ltbench.analysis.comparison.pairs import DifferenceEvidence, PairComparison


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """One accuracy of two cells, compared. Accuracies are in percent, differences in points.

    None means unknown, or that a test was not made, and is empty in files.
    """

    dataset: str = column_field("string", "title of the data set")
    split: str = column_field("string", "split of the images: test, or val")
    first: str = column_field("string", "name of the first cell")
    second: str = column_field("string", "name of the second cell")
    metric: str = column_field(
        "string", "accuracy: 'accuracy' (overall), 'mean_class', 'many', 'medium' or 'few'"
    )
    seeds: int = column_field("Int64", "number of common seeds, of which the means are taken")
    images: int = column_field("Int64", "number of images of the split")
    classes: int = column_field("Int64", "number of classes with images in the mean")
    first_accuracy: float | None = column_field("float64", "accuracy of the first cell")
    second_accuracy: float | None = column_field("float64", "accuracy of the second cell")
    difference: float | None = column_field("float64", "first accuracy minus second")
    ci_low: float | None = column_field("float64", "lower bound of the interval of `difference`")
    ci_high: float | None = column_field("float64", "upper bound of the same interval")
    p_value: float | None = column_field("float64", "two-sided p value, not corrected")
    p_value_corrected: float | None = column_field(
        "float64", "p value, corrected for all comparisons that were made together"
    )
    significant: bool | None = column_field(
        "boolean", "whether the difference is significant: `p_value_corrected` below 1 - `level`"
    )
    level: float = column_field("float64", "confidence level, 0 to 1")
    correction: str = column_field("string", "correction of p values: 'holm', 'bh' or 'none'")
    comparisons: int = column_field("Int64", "number of comparisons that were made together")
    same_as: str | None = column_field(
        "string", "earlier metric that is the same mean on these images; counted once"
    )
    test: str | None = column_field("string", "test of `p_value`")
    detectable: float | None = column_field(
        "float64", "smallest true difference that a single comparison finds 4 times in 5"
    )
    seed_std: float | None = column_field(
        "float64", "standard deviation of the differences of the seeds; with two seeds or more"
    )
    t_p_value: float | None = column_field("float64", "p value of the paired t test on the seeds")
    wilcoxon_p_value: float | None = column_field(
        "float64", "p value of Wilcoxon's signed-rank test on the seeds"
    )
    cohens_dz: float | None = column_field("float64", "effect size d_z of the seeds")
    rank_biserial: float | None = column_field(
        "float64", "rank-biserial correlation of the seeds, -1 to 1"
    )
    rope: float | None = column_field(
        "float64", "half width of the region of practical equivalence, of the Bayesian test"
    )
    first_better: float | None = column_field(
        "float64", "probability that the first is better by more than `rope`"
    )
    equivalent: float | None = column_field(
        "float64", "probability that they differ by `rope` or less"
    )
    second_better: float | None = column_field(
        "float64", "probability that the second is better by more than `rope`"
    )
    only_first_right: int | None = column_field(
        "Int64", "number of images that the first alone recognises; with one common seed"
    )
    only_second_right: int | None = column_field(
        "Int64", "number of images that the second alone recognises; with one common seed"
    )
    mcnemar_p_value: float | None = column_field("float64", "p value of McNemar's exact test")
    odds_ratio: float | None = column_field("float64", "odds ratio of these images; may be inf")
    odds_ratio_ci_low: float | None = column_field("float64", "lower bound of its interval")
    odds_ratio_ci_high: float | None = column_field("float64", "upper bound of the same interval")
    shot_rule: str = column_field("string", "rule of the shot groups")


COMPARISON_COLUMNS = tuple(fields(ComparisonRow))
"""Columns in the order of the files; their `metadata` has `dtype` (pandas) and `help`."""


def comparison_rows(pair: PairComparison, options: CompareOptions) -> Iterator[ComparisonRow]:
    """Yields a row for each accuracy of a comparison.

    Args:
        pair: Comparison with corrected p values.
        options: Options of the comparison.
    """
    spec = pair.first.cell.spec
    shared: dict[str, Any] = {
        "dataset": spec.dataset.title,
        "split": spec.split,
        "first": pair.first.name,
        "second": pair.second.name,
        "seeds": len(pair.seeds),
        "images": len(pair.first.labels),
        "level": options.level,
        "rope": options.rope,
        "correction": options.correction,
        "comparisons": options.comparisons,
        "shot_rule": pair.shot_rule,
    }
    for metric, outcome in pair.outcomes.items():
        if outcome is None:
            yield ComparisonRow(**shared, metric=metric, classes=0)
            continue
        evidence = outcome.evidence
        yield ComparisonRow(
            **shared,
            metric=metric,
            classes=outcome.classes,
            first_accuracy=outcome.first,
            second_accuracy=outcome.second,
            difference=evidence.difference,
            ci_low=evidence.low,
            ci_high=evidence.high,
            p_value=evidence.p,
            p_value_corrected=outcome.corrected_p,
            significant=outcome.corrected_p < 1 - options.level,
            same_as=outcome.same_as,
            test=evidence.test,
            detectable=evidence.detectable,
            **_seed_values(evidence),
            **_image_values(evidence),
        )


def _seed_values(evidence: DifferenceEvidence) -> dict[str, Any]:
    """Returns the columns of the tests on the seeds."""
    found = evidence.across_seeds
    if found is None:
        return {}
    values = {
        "seed_std": found.t.deviation,
        "t_p_value": found.t.p,
        "wilcoxon_p_value": found.wilcoxon.p,
        "cohens_dz": found.cohens_dz,
        "rank_biserial": found.rank_biserial,
    }
    if found.posterior is not None:
        values |= {
            "first_better": found.posterior.first,
            "equivalent": found.posterior.equivalent,
            "second_better": found.posterior.second,
        }
    return values


def _image_values(evidence: DifferenceEvidence) -> dict[str, Any]:
    """Returns the columns of the tests on the images of one seed."""
    found = evidence.on_images
    if found is None:
        return {}
    values: dict[str, Any] = {
        "only_first_right": found.mcnemar.only_first,
        "only_second_right": found.mcnemar.only_second,
        "mcnemar_p_value": found.mcnemar.p,
    }
    if found.odds_ratio.ratio is not None:
        values |= {
            "odds_ratio": found.odds_ratio.ratio,
            "odds_ratio_ci_low": found.odds_ratio.low,
            "odds_ratio_ci_high": found.odds_ratio.high,
        }
    return values
