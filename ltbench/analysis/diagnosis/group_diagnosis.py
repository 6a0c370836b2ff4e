"""Means of the class measures over shot groups, with intervals."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.diagnosis.class_bootstrap import ClassBootstrap
from ltbench.analysis.diagnosis.predicted_classes import WrongImages
from ltbench.storage.diagnosis_schema import (
    ACCURACY_MEASURES,
    CLASS_MEASURES,
    DISTANCES,
    GroupDiagnosis,
)

Floats = NDArray[np.float64]

EXCESSES = tuple(f"{name}_excess" for name in DISTANCES)
"""Distances minus their floors, by name."""

GROUP_MEASURES = (
    *CLASS_MEASURES,
    *(f"{name}_floor" for name in DISTANCES),
    *EXCESSES,
    *ACCURACY_MEASURES,
    "gap",
)

SIGNIFICANT_P = 0.05


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
    columns: Mapping[str, Floats],
    groups: Mapping[str, NDArray[np.bool_]],
    wrong: WrongImages | None,
    bootstrap: ClassBootstrap,
) -> dict[str, GroupDiagnosis]:
    """Returns the diagnosis of each group.

    Args:
        columns: (K,) values by name, as stored; NaN where not defined.
        groups: Group -> (K,) whether each class belongs to it.
        wrong: Wrong predictions of the test images; None without a head.
        bootstrap: Bootstrap over classes.
    """
    every = derived_columns(columns)
    found = {}
    for name, members in groups.items():
        measures = {key: bootstrap.mean(values[members]) for key, values in every.items()}
        p_values = columns["energy_p"][members]
        p_values = p_values[~np.isnan(p_values)]
        inconsistent = 100 * float((p_values <= SIGNIFICANT_P).mean()) if len(p_values) else None
        shares = None if wrong is None else wrong.head_shares(members)
        priors = None if wrong is None else wrong.log_priors(members, bootstrap)
        found[name] = GroupDiagnosis(
            classes=int(members.sum()),
            measures=measures,
            inconsistent_classes=inconsistent,
            errors=None if wrong is None else int(wrong.wrong[members].sum()),
            taken_by_head=shares[0] if shares else None,
            taken_by_head_chance=shares[1] if shares else None,
            implied_log_prior=priors[0] if priors else None,
            implied_log_prior_chance=priors[1] if priors else None,
            implied_log_prior_excess=priors[2] if priors else None,
        )
    return found
