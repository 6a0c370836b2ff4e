"""Diagnosis of a method: that of its seeds, averaged class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ltbench.analysis.diagnosis.class_bootstrap import ClassBootstrap
from ltbench.analysis.diagnosis.group_diagnosis import derived_columns
from ltbench.analysis.metrics import SHOT_GROUPS, SHOT_RULES
from ltbench.storage.diagnosis_schema import ClassMean, Diagnosis, GroupDiagnosis
from ltbench.storage.results import Cell

OVERALL = "overall"
_NOT_MEASURED = ("train_images", "train_features", "test_images")


@dataclass(frozen=True, eq=False)
class MethodDiagnosis:
    """Diagnoses of runs that differ in their seed alone.

    Args:
        name: Name of the method, unique among those that are shown together.
        cell: The runs.
        diagnoses: (S,) diagnosis of each run, of the same encoder.
    """

    name: str
    cell: Cell
    diagnoses: tuple[Diagnosis, ...]

    @property
    def seeds(self) -> int:
        """Number of seeds."""
        return len(self.diagnoses)

    @property
    def first(self) -> Diagnosis:
        """Diagnosis of the first seed."""
        return self.diagnoses[0]

    @cached_property
    def members(self) -> dict[str, NDArray[np.bool_]]:
        """Group -> (K,) whether each class belongs to it; `overall` has all."""
        counts = np.array(self.first.classes.train_images, dtype=np.int64)
        groups = SHOT_RULES[self.first.shot_rule].groups(counts)
        return {OVERALL: np.ones(len(counts), dtype=bool), **groups}

    @property
    def groups(self) -> list[str]:
        """Shot groups that have classes."""
        return [name for name in SHOT_GROUPS if self.members[name].any()]

    @property
    def rare_group(self) -> str:
        """Shot group with the fewest training images of those whose distances are known."""
        known = [name for name in self.groups if self.measure(name, "energy_excess") is not None]
        return (known or self.groups)[-1]

    @cached_property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """Measure -> (K,) means over the seeds; NaN where a seed has no value."""
        each = [
            derived_columns({name: _floats(values) for name, values in _measured(one).items()})
            for one in self.diagnoses
        ]
        return {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}

    def measure(self, group: str, name: str) -> ClassMean | None:
        """Returns the mean of a measure over the classes of a group, with its interval.

        Args:
            group: `overall`, `many`, `medium` or `few`.
            name: Name of the measure, one of `GROUP_MEASURES`.

        Returns:
            Mean and interval over classes; None where no class has a value.
        """
        if self.seeds == 1:
            return self.first.groups[group].measures.get(name)
        return ClassBootstrap().mean(self.columns[name][self.members[group]])

    def value(self, group: str, name: str) -> float:
        """Returns the mean of a measure over the classes of a group; NaN where unknown."""
        found = self.measure(group, name)
        return float("nan") if found is None else found.mean

    def share(self, group: str, name: str) -> float | None:
        """Returns a number of a group, mean over seeds; None where a seed has none.

        Args:
            group: Name of the group.
            name: Field of `GroupDiagnosis`, such as `taken_by_head`.
        """
        return mean_or_none([_number(one.groups[group], name) for one in self.diagnoses])

    def similarity(self, group: str, other: str) -> float | None:
        """Returns the mean cosine between classes of two groups; of all where both are overall."""
        if group == other == OVERALL:
            return mean_or_none([one.similarity.overall for one in self.diagnoses])
        return mean_or_none([one.similarity.by_groups[group][other] for one in self.diagnoses])


def mean_or_none(values: Sequence[float | None]) -> float | None:
    """Returns the mean over seeds; None where a seed has no value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None


def _measured(one: Diagnosis) -> dict[str, list[float | None]]:
    columns: dict[str, list[float | None]] = one.classes.model_dump(exclude=set(_NOT_MEASURED))
    return columns


def _floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _number(group: GroupDiagnosis, name: str) -> float | None:
    value = getattr(group, name)
    return value.mean if isinstance(value, ClassMean) else value
