"""Paired comparison of two diagnoses: the same classes under two methods."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.comparison.summary_text import format_p
from ltbench.analysis.diagnosis.group_diagnosis import (
    derived_columns,
    mean_columns,
    stored_groups,
)
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.analysis.stats.multiplicity import correct_p_values
from ltbench.analysis.stats.seed_tests import signed_rank
from ltbench.analysis.stats.strata import Strata
from ltbench.analysis.stats.variance_components import MIN_ERROR, variance_components
from ltbench.errors import ConfigError
from ltbench.metric_names import ACCURACIES
from ltbench.storage.diagnosis_schema import ACCURACY_MEASURES, EXCESSES, GROUPS, Diagnosis

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

PAIRED_MEASURES = (*EXCESSES, "intra_train", "intra_test", *ACCURACY_MEASURES, "gap")
LEVEL = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class PairedDiagnoses:
    """Differences between two methods, class by class.

    Args:
        first: Name of the first method.
        second: Name of the second method.
        seeds: Number of seeds.
        differences: A row for each group and measure: see `difference_frame`.
        sentences: Findings, the most important one first.
    """

    first: str
    second: str
    seeds: int
    differences: pd.DataFrame
    sentences: tuple[str, ...]

    @classmethod
    def of(
        cls,
        first: Sequence[Diagnosis],
        second: Sequence[Diagnosis],
        names: tuple[str, str],
    ) -> PairedDiagnoses:
        """Compares the diagnoses of two methods, or of a method and its pretrained backbone.

        Args:
            first: (S,) diagnoses of the first method, one for each seed.
            second: (S,) diagnoses of the second method with the same seeds, or one that no seed
                changes.
            names: Names of the methods.

        Raises:
            ConfigError: They are of other images, or their seeds cannot be paired.
        """
        _expect_pairs(first, second, names)
        frame = difference_frame(first, second)
        sentences = tuple(difference_sentences(frame, names))
        return cls(names[0], names[1], max(len(first), len(second)), frame, sentences)

    def __repr__(self) -> str:
        """Returns the names and the findings, a line each."""
        head = f"<PairedDiagnoses of {self.first} and {self.second}>"
        return "\n".join([head, *self.sentences])


def difference_frame(first: Sequence[Diagnosis], second: Sequence[Diagnosis]) -> pd.DataFrame:
    """Returns a row for each group (`overall`, `many`, `medium`, `few`) and measure.

    Classes and seeds are crossed random factors, as test images and seeds are in a comparison of
    accuracies (Obuchowski and Rockette, 1995; Hillis, 2007): the error of a mean over classes has a
    part from the choice of classes and one from the choice of seeds. With one seed, the second part
    is unknown: the test is then about these two models, not about the methods.

    Args:
        first: (S,) or (1,) diagnoses of the first method.
        second: (S,) or (1,) diagnoses of the second method.

    Returns:
        `shot_group`, `measure`, `first` and `second` (means over classes and seeds), `difference`
        (first minus second) with `low` and `high` (95 % interval), `p_value` (t test),
        `p_value_corrected` (Holm, over the three shot groups; as it is for `overall`),
        `signed_rank_p_value` (Wilcoxon's test of the classes' means over seeds, not corrected),
        `classes`.
    """
    import pandas as pd

    one, other = (_by_seed(diagnoses) for diagnoses in (first, second))
    groups = stored_groups(first[0])
    members = {"overall": np.ones(first[0].num_classes, dtype=bool), **groups}
    rows: list[dict[str, Any]] = []
    for measure in PAIRED_MEASURES:
        values = np.broadcast_arrays(one[measure], other[measure])
        known = ~np.isnan(values[0] - values[1]).any(axis=0)
        found: list[dict[str, Any]] = [
            {"shot_group": name, "measure": measure, **_tested(*(v[:, chosen] for v in values))}
            for name in GROUPS
            if (chosen := members[name] & known).any()
        ]
        tested = [row for row in found if row["shot_group"] != "overall"]
        tested = [row for row in tested if not math.isnan(row["p_value"])]
        corrected = correct_p_values([row["p_value"] for row in tested], "holm")
        for row in found:
            row["p_value_corrected"] = row["p_value"]
        for row, p in zip(tested, corrected, strict=True):
            row["p_value_corrected"] = float(p)
        rows += found
    columns = ("shot_group", "measure", *_tested(np.zeros((1, 1)), np.zeros((1, 1))))
    return pd.DataFrame(rows, columns=list(columns)).astype({"classes": "Int64"})


def difference_sentences(frame: pd.DataFrame, names: tuple[str, str]) -> Iterator[str]:
    """Yields findings of a comparison, about the rare classes first.

    Args:
        frame: Rows of `difference_frame`.
        names: Names of the methods.
    """
    rows = {(row["shot_group"], row["measure"]): row for row in frame.to_dict("records")}
    groups = [name for name in SHOT_GROUPS if (name, "energy_excess") in rows]
    for group in [groups[-1], *groups[:1]][: len(groups)]:
        yield _sentence(rows[group, "energy_excess"], names, "train-test distance", "", 3)
    for group in groups[-1:]:
        if (group, "gap") in rows:
            row = rows[group, "gap"]
            yield _sentence(row, names, "gap of training and test accuracy", " points", 1)
        if (group, "test_accuracy") in rows:
            yield _sentence(rows[group, "test_accuracy"], names, "test accuracy", " points", 1)


def _sentence(
    row: dict[str, Any], names: tuple[str, str], what: str, unit: str, decimals: int
) -> str:
    """Returns a sentence such as 'full has a larger gap than zero_shot on ... by ...'."""
    difference, p = row["difference"], row["p_value_corrected"]
    group, classes = ACCURACIES[row["shot_group"]], int(row["classes"])
    where = f"{group} classes" if classes > 1 else f"the {group} class"
    sizes = f"{abs(difference):.{decimals}f}{unit}"
    more, less = names if difference >= 0 else names[::-1]
    if math.isnan(p):
        return (
            f"{more} has a {what} {sizes} larger than {less} on {where}; {classes:,} "
            f"{'class is' if classes == 1 else 'classes are'} too few for a test."
        )
    low, high = sorted(math.copysign(1, difference) * row[key] for key in ("low", "high"))
    interval = f"95 % interval {low:.{decimals}f} to {high:.{decimals}f}"
    shown = format_p(p)
    equals = f"corrected p {shown}" if shown.startswith("<") else f"corrected p = {shown}"
    if p <= 1 - LEVEL:
        return (
            f"{more} has a larger {what} than {less} on {where} by {sizes} ({interval}), {equals} "
            f"over {classes:,} classes."
        )
    return (
        f"No difference of the {what} on {where} is detected: {more} exceeds {less} by {sizes} "
        f"({interval}), {equals} over {classes:,} classes."
    )


def _tested(first: Floats, second: Floats) -> dict[str, float]:
    """Returns the means of values (S, C) and the test of their difference."""
    from scipy.special import stdtr, stdtrit

    differences = first - second
    seeds, classes = differences.shape
    strata = Strata(
        np.zeros(classes, dtype=np.int64), np.array([classes]), {"mean": np.array([classes])}
    )
    found = variance_components(differences, strata)
    difference, error = float(found.by_seed.mean()), float(found.errors[0])
    freedom = float(found.freedom[0])
    if math.isinf(freedom):
        freedom = classes - 1
    low = high = p = float("nan")
    if error > MIN_ERROR and freedom > 0:
        reach = error * float(stdtrit(freedom, (1 + LEVEL) / 2))
        low, high = difference - reach, difference + reach
        p = float(2 * stdtr(freedom, -abs(difference) / error))
    elif abs(difference) <= MIN_ERROR and classes * seeds > 1:
        low, high, p = difference, difference, 1.0
    return {
        "first": float(first.mean()),
        "second": float(second.mean()),
        "difference": difference,
        "low": low,
        "high": high,
        "p_value": p,
        "p_value_corrected": float("nan"),
        "signed_rank_p_value": signed_rank(differences.mean(axis=0)).p,
        "classes": classes,
    }


def _by_seed(diagnoses: Sequence[Diagnosis]) -> dict[str, Floats]:
    """Returns the measures of the classes by name, (S, K)."""
    each = [derived_columns(mean_columns([one])) for one in diagnoses]
    return {name: np.stack([one[name] for one in each]) for name in PAIRED_MEASURES}


def _expect_pairs(
    first: Sequence[Diagnosis], second: Sequence[Diagnosis], names: tuple[str, str]
) -> None:
    """Checks that two diagnoses are of the same images, and have pairs of seeds.

    Raises:
        ConfigError: They are not.
    """
    sizes = {len(first), len(second)}
    if len(sizes) > 1 and 1 not in sizes:
        raise ConfigError(
            f"{names[0]} and {names[1]}: expected the same seeds, got {len(first)} and "
            f"{len(second)} diagnoses",
            hint="diagnose the seeds that both have",
        )
    for key in ("split", "shot_rule"):
        found = {getattr(one, key) for one in (*first, *second)}
        if len(found) > 1:
            raise ConfigError(
                f"{names[0]} and {names[1]} cannot be compared: their {key.replace('_', ' ')} "
                f"differs ({', '.join(sorted(found))})"
            )
    for key in ("train_images", "test_images"):
        if len({tuple(getattr(one.classes, key)) for one in (*first, *second)}) > 1:
            raise ConfigError(
                f"{names[0]} and {names[1]} cannot be compared: they have other "
                f"{key.replace('_', ' ')}",
                hint="compare runs on the same data set, subset and split",
            )
