"""Data frames of a diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ltbench.analysis.diagnosis.group_diagnosis import (
    derived_columns,
    mean_columns,
    stored_groups,
)
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.storage.diagnosis_schema import ClassMean, Diagnosis, GroupDiagnosis

if TYPE_CHECKING:
    import pandas as pd

_COUNTS = ("train_images", "train_features", "test_images")


def group_frame(groups: Mapping[str, GroupDiagnosis]) -> pd.DataFrame:
    """Returns a row for all classes (`overall`) and for each shot group.

    Returns:
        `shot_group`, `classes`, `inconsistent_classes`, `errors`, `taken_by_head`,
        `taken_by_head_chance`, `implied_log_prior`, `implied_log_prior_chance` and
        `implied_log_prior_excess`, as in the file; NaN where unknown.
    """
    import pandas as pd

    rows = [
        {
            "shot_group": name,
            **{
                key: _number(getattr(group, key))
                for key in GroupDiagnosis.model_fields
                if key != "measures"
            },
        }
        for name, group in groups.items()
    ]
    return pd.DataFrame(rows).astype({"classes": "Int64"})


def measure_frame(groups: Mapping[str, GroupDiagnosis]) -> pd.DataFrame:
    """Returns a row for each group and measure that is known.

    Returns:
        `shot_group`, `measure`, `mean` over the classes, `low` and `high` (95 % interval over
        classes), `classes` (number of them that have a value).
    """
    import pandas as pd

    rows = [
        {"shot_group": name, "measure": measure, **one.model_dump()}
        for name, group in groups.items()
        for measure, one in group.measures.items()
        if one is not None
    ]
    columns = ("shot_group", "measure", *ClassMean.model_fields)
    frame = pd.DataFrame(rows, columns=list(columns))
    return frame.astype({"mean": float, "low": float, "high": float, "classes": "Int64"})


def class_frame(diagnoses: Sequence[Diagnosis], names: Sequence[str]) -> pd.DataFrame:
    """Returns a row for each class, most training images first; values are means over seeds.

    Args:
        diagnoses: (S,) diagnoses of runs that differ in their seed alone.
        names: Names of the classes.

    Returns:
        `class_id`, `class_name`, `shot_group`, `train_images`, `train_features`, `test_images`,
        the measures of the class, those of `EXCESSES`, `gap`, `energy_p`, `errors`,
        `errors_to_head`.
    """
    import pandas as pd

    columns = mean_columns(diagnoses)
    counts, groups = columns["train_images"], stored_groups(diagnoses[0])
    group_of = np.select([groups[name] for name in SHOT_GROUPS], SHOT_GROUPS, "")
    frame = pd.DataFrame(
        {
            "class_id": pd.Series(np.arange(len(names)), dtype="Int64"),
            "class_name": list(names),
            "shot_group": group_of,
            **{key: pd.Series(columns[key].round(), dtype="Int64") for key in _COUNTS},
            **derived_columns(columns),
            **{key: columns[key] for key in ("energy_p", "errors", "errors_to_head")},
        }
    )
    order = np.lexsort((np.arange(len(counts)), -counts))
    return frame.take(order).reset_index(drop=True)


def similarity_frame(diagnoses: Sequence[Diagnosis]) -> pd.DataFrame:
    """Returns a row for each pair of shot groups, and one for all pairs of classes (`overall`).

    Returns:
        `shot_group`, `other_group`, `cosine`: mean over pairs of different classes and over seeds;
        NaN without such a pair.
    """
    import pandas as pd

    rows = [{"shot_group": "overall", "other_group": "overall", "cosine": _mean_overall(diagnoses)}]
    for one in SHOT_GROUPS:
        for other in SHOT_GROUPS:
            values = [d.similarity.by_groups[one][other] for d in diagnoses]
            rows.append({"shot_group": one, "other_group": other, "cosine": _mean(values)})
    return pd.DataFrame(rows)


def _mean_overall(diagnoses: Sequence[Diagnosis]) -> float:
    return _mean([one.similarity.overall for one in diagnoses])


def _mean(values: Sequence[float | None]) -> float:
    return float(np.mean(np.array(values, dtype=np.float64)))


def _number(value: Any) -> float:
    """Returns a number, or the mean of a `ClassMean`; NaN for None."""
    if value is None:
        return float("nan")
    return float(value.mean) if isinstance(value, ClassMean) else value
