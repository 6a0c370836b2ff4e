"""Diagnosis of a method among others: that of its seeds together, with a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ltbench.analysis.diagnosis.feature_diagnosis import FeatureDiagnosis
from ltbench.analysis.diagnosis.group_diagnosis import mean_groups
from ltbench.analysis.diagnosis.paired_diagnoses import PairedDiagnoses
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.errors import ConfigError
from ltbench.storage.diagnosis_schema import ClassMean, Diagnosis, GroupDiagnosis
from ltbench.storage.result_schema import RunResult
from ltbench.storage.results import Cell

OVERALL = "overall"
"""Name of the group of all classes."""


@dataclass(frozen=True, eq=False)
class MethodDiagnosis:
    """Diagnoses of runs that differ in their seed alone.

    Args:
        name: Name of the method, unique among those that are shown together.
        runs: (S,) the runs.
        diagnoses: (S,) diagnosis of each run, all of the same encoder.
        seedless: Whether no seed changes the features, as of a pretrained encoder.
    """

    name: str
    runs: tuple[RunResult, ...]
    diagnoses: tuple[Diagnosis, ...]
    seedless: bool = False

    @property
    def first(self) -> Diagnosis:
        """Diagnosis of the first seed."""
        return self.diagnoses[0]

    @cached_property
    def findings(self) -> FeatureDiagnosis:
        """Sentences, notes and data frames."""
        return FeatureDiagnosis.of_runs(self.runs, self.diagnoses)

    @cached_property
    def groups(self) -> Mapping[str, GroupDiagnosis]:
        """Group -> its diagnosis, of class values that are means over seeds."""
        return mean_groups(self.diagnoses)

    @property
    def shot_groups(self) -> list[str]:
        """Shot groups that have classes, the most frequent classes first."""
        return [name for name in SHOT_GROUPS if self.groups[name].classes]

    @property
    def has_accuracy(self) -> bool:
        """Whether there are predictions; the pretrained encoder has none."""
        return self.measure(OVERALL, "test_accuracy") is not None

    def measure(self, group: str, name: str) -> ClassMean | None:
        """Returns the mean of a measure over the classes of a group; None where unknown."""
        return self.groups[group].measures.get(name)

    def value(self, group: str, name: str) -> float:
        """Returns the mean of a measure over the classes of a group; NaN where unknown."""
        found = self.measure(group, name)
        return float("nan") if found is None else found.mean

    def number(self, group: str, name: str) -> float | None:
        """Returns another number of a group, such as `taken_by_head`; None where unknown."""
        value = getattr(self.groups[group], name)
        return value.mean if isinstance(value, ClassMean) else value

    def similarity(self, group: str, other: str) -> float | None:
        """Returns the mean cosine between classes of two groups; of all where both are overall."""
        if group == other == OVERALL:
            return _mean([one.similarity.overall for one in self.diagnoses])
        return _mean([one.similarity.by_groups[group][other] for one in self.diagnoses])


def expect_same_images(
    cells: Sequence[Cell], places: Sequence[str], *, pretrained: bool = False
) -> None:
    """Checks that cells can be compared, before what is missing is computed.

    Args:
        cells: The cells.
        places: Name of each cell for the message.
        pretrained: Whether they are compared with the features of their common backbone.

    Raises:
        ConfigError: They are not on the same images, or have no common backbone.
    """
    about = [_conditions(cell, pretrained=pretrained) for cell in cells]
    for place, found in zip(places[1:], about[1:], strict=True):
        for key, value in about[0].items():
            if found[key] != value:
                shown = f" ({value} and {found[key]})" if isinstance(value, str) else ""
                raise ConfigError(
                    f"{places[0]} and {place} cannot be compared: their {key} differs{shown}",
                    hint="diagnose one after the other",
                )


def _conditions(cell: Cell, *, pretrained: bool) -> dict[str, Any]:
    """Returns what two cells must have in common, by name."""
    run, spec = cell.runs[0], cell.spec
    backbone = {
        "backbone": spec.backbone.name,
        "identity of the backbone": spec.backbone.identity,
        "choice of backbone options": spec.backbone.options,
    }
    return {
        "data set": spec.dataset.title,
        "identity of the data set": spec.dataset.identity,
        "split": spec.split,
        "shot rule": run.metrics.shot_rule,
        "number of training images": list(run.classes.train_images),
        **(backbone if pretrained else {}),
    }


def backbone_notes(methods: Sequence[MethodDiagnosis]) -> list[str]:
    """Returns a note where methods have different backbones."""
    names = dict.fromkeys(one.runs[0].spec.backbone.name for one in methods)
    if len(names) < 2:
        return []
    return [
        f"The methods have different backbones ({', '.join(names)}), whose features are in "
        "different spaces: a difference may come from the backbone."
    ]


def paired_with_first(methods: Sequence[MethodDiagnosis]) -> list[PairedDiagnoses]:
    """Returns the differences of each other method to the first, on their common seeds.

    Args:
        methods: Methods on the same images.

    Raises:
        ConfigError: They are of other images, or have no common seed.
    """
    return [_paired(other, methods[0]) for other in methods[1:]]


def _paired(one: MethodDiagnosis, other: MethodDiagnosis) -> PairedDiagnoses:
    names = one.name, other.name
    if one.seedless or other.seedless:
        return PairedDiagnoses.of(one.diagnoses, other.diagnoses, names)
    first, second = (
        {run.seed: found for run, found in zip(each.runs, each.diagnoses, strict=True)}
        for each in (one, other)
    )
    common = [seed for seed in first if seed in second]
    if not common:
        raise ConfigError(
            f"{one.name} and {other.name} have no common seed: "
            f"{', '.join(map(str, first))} and {', '.join(map(str, second))}",
            hint="run one with a seed of the other",
        )
    return PairedDiagnoses.of(
        [first[seed] for seed in common], [second[seed] for seed in common], names
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Returns the mean over seeds; None where a seed has no value."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
