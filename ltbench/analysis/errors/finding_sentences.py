"""Findings about the errors of a model, as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.metric_names import ACCURACIES

if TYPE_CHECKING:
    Row = Mapping[str, Any]

_MAX_NAMED_CLASSES = 5
_MIN_WIDE_POINTS = 40


def finding_sentences(
    pooled: PooledPredictions, groups: pd.DataFrame, classes: pd.DataFrame
) -> Iterator[str]:
    """Yields the findings about the rare group, the most important one first.

    Args:
        pooled: Predictions of all seeds.
        groups: Rows of `group_frame`.
        classes: Rows of `class_frame`.
    """
    by_group = {str(row["shot_group"]): row for row in groups.to_dict("records")}
    rare = pooled.rare_group
    row = by_group[rare]
    who = (
        f"The {row['classes']:,} {ACCURACIES[rare]} classes have"
        if row["classes"] > 1
        else f"The {ACCURACIES[rare]} class has"
    )
    yield (
        f"{who} an accuracy of {row['accuracy']:.1f} % (95 % interval {row['low']:.1f} to "
        f"{row['high']:.1f}{_reason_of_width(row)})."
    )
    yield _direction_sentence(pooled, rare, row)
    worst = classes[(classes["shot_group"] == rare) & (classes["taken"] > 0)].head(1)
    for one in worst.to_dict("records"):
        yield _worst_sentence(pooled, rare, one)
    yield (
        f"Mean confidence on {ACCURACIES[rare]} images is {row['confidence']:.1f} %, "
        f"{_difference(row['overconfidence'])} their accuracy. Their calibration error is "
        f"{row['ece']:.1f} %; a calibrated model would have {row['ece_by_chance']:.1f} % with as "
        "many images."
    )
    if pd.notna(row["gap"]):
        head = next(name for name in SHOT_GROUPS if by_group[name]["classes"])
        compared = (
            f"; for {ACCURACIES[head]} classes the gap is {by_group[head]['gap']:.1f} points"
            if head != rare
            else ""
        )
        yield (
            f"Training accuracy of {ACCURACIES[rare]} classes is {row['train_accuracy']:.1f} %, "
            f"{_difference(row['gap'])} their accuracy{compared}."
        )


def class_notes(pooled: PooledPredictions, classes: pd.DataFrame) -> Iterator[str]:
    """Yields sentences on what the classes leave open.

    Args:
        pooled: Predictions of all seeds.
        classes: Rows of `class_frame`.
    """
    if pooled.rare_group != SHOT_GROUPS[-1]:
        yield (
            f"No {ACCURACIES[SHOT_GROUPS[-1]]} class has test images: the rarest group is "
            f"{ACCURACIES[pooled.rare_group]}."
        )
    untested = classes[classes["test_images"] == 0]["class_name"].tolist()
    if untested:
        more = len(untested) - _MAX_NAMED_CLASSES
        named = ", ".join(untested[:_MAX_NAMED_CLASSES])
        others = f" and {more:,} more" if more > 0 else ""
        verb = "has" if len(untested) == 1 else "have"
        yield (
            f"{len(untested):,} of {len(classes):,} classes {verb} no test images, so nothing is "
            f"known about {named}{others}."
        )


def _reason_of_width(row: Row) -> str:
    """Returns why an interval leaves nearly everything open, or an empty text."""
    if row["high"] - row["low"] < _MIN_WIDE_POINTS:
        return ""
    count = int(row["test_images"])
    return f", so wide because of {count:,} test image{'' if count == 1 else 's'}"


def _direction_sentence(pooled: PooledPredictions, rare: str, row: Row) -> str:
    of_seeds = f" over {pooled.seeds} seeds" if pooled.seeds > 1 else ""
    tried = pooled.seeds * int(row["test_images"])
    if not row["wrong"]:
        return f"None of their {tried:,} predictions is wrong{of_seeds}."
    present = [name for name in SHOT_GROUPS if row[f"to_{name}"]]
    shares = [
        f"{row[f'to_{name}']:.0f} % {'another' if name == rare else 'a'} {ACCURACIES[name]} class"
        for name in present
    ]
    share = 100 * float((pooled.group_of == 0).mean())
    compared = present[0] == "many" and rare != "many"
    base = f" ({share:.0f} % of all classes are many-shot)" if compared else ""
    verb = "is" if row["wrong"] == 1 else "are"
    return (
        f"{row['wrong']:,} of their {tried:,} predictions {verb} wrong{of_seeds}, of which "
        f"{_listed(shares)}{base}."
    )


def _listed(shares: list[str]) -> str:
    """Returns shares as a list in a sentence; the first has the verb."""
    first, *others = shares
    amount, _, name = first.partition(" % ")
    return ", ".join([f"{amount} % are {name}", *others])


def _worst_sentence(pooled: PooledPredictions, rare: str, row: Row) -> str:
    tried = pooled.seeds * int(row["test_images"])
    images = "image" if row["train_images"] == 1 else "images"
    unit = "predictions" if pooled.seeds > 1 else "images"
    verb = "goes" if row["taken"] == 1 else "go"
    return (
        f"The worst {ACCURACIES[rare]} class is {row['class_name']} ({row['train_images']:,} "
        f"training {images}): {row['correct']:,} of {tried:,} {unit} are right, and "
        f"{row['taken']:,} {verb} to {row['taken_by_name']} ({row['taken_by_group']})."
    )


def _difference(points: float) -> str:
    """Returns a phrase such as '3.1 points above'."""
    return f"{abs(points):.1f} points {'above' if points >= 0 else 'below'}"
