"""Means of the class measures over shot groups, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.diagnosis.class_bootstrap import class_means, class_ratios
from ltbench.analysis.diagnosis.predicted_classes import head_chances
from ltbench.analysis.metrics import SHOT_RULES
from ltbench.storage.diagnosis_schema import (
    ACCURACY_MEASURES,
    DISTANCES,
    ERROR_COLUMNS,
    GROUP_MEASURES,
    Diagnosis,
    GroupDiagnosis,
)

Floats = NDArray[np.float64]

SIGNIFICANT_P = 0.05

VALUE_RANGES = {
    **{
        name: (0.0, 1.0)
        for name in ("intra_train", "intra_train_own", "intra_test", "ks", "energy")
    },
    **{name: (0.0, 100.0) for name in ACCURACY_MEASURES},
    **{name: (0.0, np.inf) for name in ("wasserstein", "mean_shift")},
    **{f"{name}_floor": (0.0, np.inf) for name in DISTANCES},
    **{name: (-1.0, 1.0) for name in ("ks_excess", "energy_excess")},
    "gap": (-100.0, 100.0),
}
"""Smallest and largest value of a measure, which intervals do not exceed."""


def derived_columns(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Returns the columns of `GROUP_MEASURES`: also excesses over floors, and the accuracy gap.

    Args:
        columns: (K,) values by name, as stored; NaN where not defined.
    """
    excesses = {f"{name}_excess": columns[name] - columns[f"{name}_floor"] for name in DISTANCES}
    gap = columns["train_accuracy"] - columns["test_accuracy"]
    every = {**columns, **excesses, "gap": gap}
    return {name: every[name] for name in GROUP_MEASURES}


def group_diagnoses(
    columns: Mapping[str, Floats], groups: Mapping[str, NDArray[np.bool_]]
) -> dict[str, GroupDiagnosis]:
    """Returns the diagnosis of all classes (`overall`) and of each shot group.

    Args:
        columns: (K,) values by name, as stored; NaN where not defined.
        groups: Shot group -> (K,) whether each class belongs to it.
    """
    every = derived_columns(columns)
    chances = head_chances(groups["many"])
    found = {}
    for name, members in {"overall": np.ones(len(chances), dtype=bool), **groups}.items():
        one = {key: values[members] for key, values in columns.items()}
        p_values = one["energy_p"][~np.isnan(one["energy_p"])]
        tested = np.where(np.isnan(one["errors"]), 0, one["test_images"]).sum()
        sums = {key: np.nan_to_num(one[key]) for key in ERROR_COLUMNS}
        prior, chance = sums["log_prior_sum"], sums["log_prior_sum_chance"]
        priors = class_ratios(
            {"found": prior, "excess": prior - chance},
            dict.fromkeys(("found", "excess"), sums["rated_errors"]),
            {},
        )
        found[name] = GroupDiagnosis(
            classes=int(members.sum()),
            measures=class_means(
                {key: values[members] for key, values in every.items()}, VALUE_RANGES
            ),
            inconsistent_classes=_percent((p_values <= SIGNIFICANT_P).sum(), len(p_values)),
            errors=float(sums["errors"].sum()) if tested else None,
            taken_by_head=_percent(sums["errors_to_head"].sum(), tested),
            taken_by_head_chance=_percent((sums["errors"] * chances[members]).sum(), tested),
            implied_log_prior=priors["found"],
            implied_log_prior_chance=_ratio(chance.sum(), sums["rated_errors"].sum()),
            implied_log_prior_excess=priors["excess"],
        )
    return found


def stored_groups(diagnosis: Diagnosis) -> dict[str, NDArray[np.bool_]]:
    """Returns for each shot group whether each class belongs to it, (K,)."""
    counts = np.array(diagnosis.classes.train_images, dtype=np.int64)
    return SHOT_RULES[diagnosis.shot_rule].groups(counts)


def mean_columns(diagnoses: Sequence[Diagnosis]) -> dict[str, Floats]:
    """Returns the stored columns of the classes, means over seeds; NaN where a seed has no value.

    Args:
        diagnoses: (S,) diagnoses of runs that differ in their seed alone, of the same encoder.
    """
    every = [one.classes.model_dump() for one in diagnoses]
    return {
        name: np.mean([np.array(one[name], dtype=np.float64) for one in every], axis=0)
        for name in every[0]
    }


def mean_groups(diagnoses: Sequence[Diagnosis]) -> dict[str, GroupDiagnosis]:
    """Returns the diagnosis of each group, with class values that are means over seeds.

    Args:
        diagnoses: (S,) diagnoses of runs that differ in their seed alone, of the same encoder.
    """
    if len(diagnoses) == 1:
        return diagnoses[0].groups
    found = group_diagnoses(mean_columns(diagnoses), stored_groups(diagnoses[0]))
    for name, group in found.items():
        shares = [one.groups[name].inconsistent_classes for one in diagnoses]
        known = [share for share in shares if share is not None]
        mean = float(np.mean(known)) if known else None  # a mean p value has no meaning
        found[name] = group.model_copy(update={"inconsistent_classes": mean})
    return found


def _ratio(total: float, number: float) -> float | None:
    return float(total / number) if number else None


def _percent(part: float, number: float) -> float | None:
    return float(100 * part / number) if number else None
