"""Schema of `diagnosis.json`: class-conditional consistency of train and test features of a run.

Everything that tables, figures and comparisons of diagnoses need is in the file: neither images nor
weights are read again. Distances have no unit (1 - cosine, or of vectors of length 1); accuracies
and shares are percentages.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from annotated_types import Ge, Le, Len, MinLen
from pydantic import Field, model_validator

from ltbench.analysis.metrics import SHOT_GROUPS, SHOT_RULES, ShotRule
from ltbench.config.runspec import EvaluationSplit, Name
from ltbench.errors import DataError, shortened
from ltbench.storage.parsing import read_stored
from ltbench.storage.result_schema import Count, Hash, Percent, RunResult
from ltbench.storage.run_directory import RunDirectory
from ltbench.storage.stored_file import Record, StoredFile

Encoder = Literal["run", "pretrained"]
"""Encoder of the features: that of the run, or that of its backbone before the run changed it."""

DISTANCES = ("wasserstein", "ks", "energy", "mean_shift")
"""Measures of the distance between train and test features of a class; each has a floor.

Compare shot groups by `energy` alone: the excess of the others over their floors also grows with
the number of images. Methods can be compared on the same classes by any of them.
"""

CLASS_MEASURES = ("intra_train", "intra_train_own", "intra_test", *DISTANCES)
"""Measures of a class that come from its features alone."""

ACCURACY_MEASURES = ("train_accuracy", "test_accuracy")

EXCESSES = tuple(f"{name}_excess" for name in DISTANCES)
"""Distances minus their floors, by name."""

GROUP_MEASURES = (
    *CLASS_MEASURES,
    *(f"{name}_floor" for name in DISTANCES),
    *EXCESSES,
    *ACCURACY_MEASURES,
    "gap",
)
"""Measures of a group: each group has all of them, without a value where it is not defined."""

ERROR_COLUMNS = (
    "errors",
    "errors_to_head",
    "rated_errors",
    "log_prior_sum",
    "log_prior_sum_chance",
)
"""Columns of `ClassColumns` about the wrong predictions of the test images of a class."""

GROUPS = ("overall", *SHOT_GROUPS)

Number = Annotated[float, Ge(-1e15), Le(1e15)]
Cosine = Annotated[float, Ge(-1.000001), Le(1.000001)]
Column = list[Number | None]
Share = Annotated[float, Ge(0), Le(1)]


class ClassColumns(Record):
    """Columns with one value for each class, by class id; null where it is not defined."""

    train_images: list[Count] = Field(
        description="training images of each class, which decide its shot group"
    )
    train_features: list[Count] = Field(
        description="images that were trained on and could be decoded"
    )
    test_images: list[Count] = Field(
        description="images of the evaluated split that could be decoded"
    )
    intra_train: Column = Field(
        description="distance of train features to their mean: 1 - root of the mean cosine over "
        "pairs of different features, which estimates the mean distance 1 - cosine to the mean of "
        "all such images without bias from their number"
    )
    intra_train_own: Column = Field(
        description="mean distance of train features to the mean that includes the feature itself, "
        "as papers have it: few images look close to it because they are few"
    )
    intra_test: Column = Field(description="`intra_train` of the test features")
    wasserstein: Column = Field(
        description="Wasserstein-1 distance between the distances of train features "
        "(leave-one-out) and of test features to the mean of the train features"
    )
    wasserstein_floor: Column = Field(
        description="its mean over random partitions of the class's train and test features "
        "into parts of the same sizes: what it would be without any inconsistency"
    )
    ks: Column = Field(description="Kolmogorov-Smirnov statistic of the same two samples, 0 to 1")
    ks_floor: Column = Field(description="floor of `ks`")
    energy: Column = Field(
        description="energy distance between train and test features in units of twice their mean "
        "distance, 0 to 1 (coefficient of inhomogeneity: Rizzo and Szekely, 2016): it does not "
        "depend on the scale of an encoder's features"
    )
    energy_floor: Column = Field(description="floor of `energy`")
    energy_p: list[Share | None] = Field(
        description="p value of the permutation test of `energy`, not corrected"
    )
    mean_shift: Column = Field(
        description="distance between the means of train and test features, in units of the root "
        "of their pooled variance"
    )
    mean_shift_floor: Column = Field(description="floor of `mean_shift`")
    train_accuracy: list[Percent | None] = Field(
        description="accuracy on the train images, plain views; null without a head"
    )
    test_accuracy: list[Percent | None] = Field(
        description="accuracy on the test images, plain views; null without a head"
    )
    errors: Column = Field(description="wrong predictions of test images, plain views")
    errors_to_head: Column = Field(description="of these, those predicted as a many-shot class")
    rated_errors: Column = Field(
        description="wrong predictions whose true and predicted class have training images"
    )
    log_prior_sum: Column = Field(
        description="sum over the rated errors of log(n_predicted / n_true), n being the number of "
        "images trained on"
    )
    log_prior_sum_chance: Column = Field(
        description="its expectation if each of them went to any other class alike"
    )


class Heatmap(Record):
    """Mean cosine between class means of test features, over bins of classes (at most 100)."""

    order: list[Count] = Field(description="class ids with test images, most training images first")
    edges: list[Count] = Field(
        description="B + 1 positions in `order`: bin b has the classes order[edges[b]:edges[b+1]]"
    )
    cosines: list[list[Cosine | None]] = Field(
        description="(B, B) mean cosine over pairs of different classes; null without such a pair"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        bins = len(self.edges) - 1
        ordered = self.edges == sorted(self.edges) and self.edges[:1] == [0]
        if not ordered or self.edges[-1] != len(self.order):
            raise ValueError("edges: expected positions from 0 to the number of classes")
        if len(self.cosines) != bins or any(len(row) != bins for row in self.cosines):
            raise ValueError(f"cosines: expected {bins} rows of {bins} values")
        if len(set(self.order)) != len(self.order):
            raise ValueError("order: expected each class once")
        return self


class Similarity(Record):
    """Cosine between class means of test features."""

    overall: Cosine | None = Field(description="mean over all pairs of different classes")
    by_groups: dict[Name, dict[Name, Cosine | None]] = Field(
        description="mean over pairs of different classes of two shot groups: many, medium, few"
    )
    heatmap: Heatmap

    @model_validator(mode="after")
    def _has_every_pair(self) -> Self:
        every = [list(self.by_groups), *map(list, self.by_groups.values())]
        if any(set(names) != set(SHOT_GROUPS) for names in every):
            raise ValueError(f"by_groups: expected pairs of {', '.join(SHOT_GROUPS)}")
        return self


class GroupHistogram(Record):
    """Counts of images of a shot group in the bins of `Histograms.edges`.

    Compare `train` with `test_to_train`: both are distances to a mean of the train features that
    leaves the feature itself out. `train_own` beside `test` is what papers draw.
    """

    train: list[Count] = Field(description="leave-one-out distances of train features")
    train_own: list[Count] = Field(
        description="distances of train features to the mean that includes them"
    )
    test: list[Count] = Field(description="leave-one-out distances of test features")
    test_to_train: list[Count] = Field(
        description="distances of test features to the mean of the train features"
    )


class Histograms(Record):
    """Histograms of intra-class distances, 1 - cosine."""

    edges: Annotated[list[Number], MinLen(2)] = Field(description="edges of the bins, from 0 to 2")
    groups: dict[Name, GroupHistogram] = Field(description="by shot group: many, medium, few")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any(after <= before for before, after in pairwise(self.edges)):
            raise ValueError("edges: expected ascending numbers")
        for name, group in self.groups.items():
            for kind, counts in group.model_dump().items():
                if len(counts) != len(self.edges) - 1:
                    raise ValueError(f"groups.{name}.{kind}: expected {len(self.edges) - 1} counts")
        return self


class ClassMean(Record):
    """Mean over the classes of a group, with its 95 % bootstrap interval over classes."""

    mean: Number
    low: Number | None = Field(description="lower bound; null with fewer than two classes")
    high: Number | None = Field(description="upper bound; null with fewer than two classes")
    classes: Count = Field(description="number of classes in the mean")

    @model_validator(mode="after")
    def _has_an_interval(self) -> Self:
        if (self.low is None) != (self.high is None) or (self.low or 0) > (self.high or 0):
            raise ValueError("expected an interval from low to high, or null for both")
        return self


class GroupDiagnosis(Record):
    """Diagnosis of the classes of a shot group, or of all classes."""

    classes: Count = Field(description="number of classes of the group")
    measures: dict[Name, ClassMean | None] = Field(
        description="means of the class measures: `intra_train`, `intra_train_own`, `intra_test`, "
        "`wasserstein`, `ks`, `energy`, `mean_shift`, of the floors (`ks_floor`, ...), of "
        "what they exceed their floors by (`ks_excess`, ...), of `train_accuracy` and "
        "`test_accuracy`, and of their difference `gap`"
    )
    inconsistent_classes: Percent | None = Field(
        description="share of the classes whose `energy_p` is at most 0.05; 5 by chance"
    )
    errors: Number | None = Field(
        description="wrong predictions of test images; null without a head"
    )
    taken_by_head: Percent | None = Field(
        description="share of the group's test images that are wrong and predicted as a many-shot "
        "class"
    )
    taken_by_head_chance: Percent | None = Field(
        description="the same if each wrong image went to any other class alike"
    )
    implied_log_prior: ClassMean | None = Field(
        description="mean over the wrong test images of log(n_predicted / n_true), n being the "
        "number of images trained on: above that of chance, errors go to classes with more images"
    )
    implied_log_prior_chance: Number | None = Field(
        description="the same if each wrong image went to any other class alike"
    )
    implied_log_prior_excess: ClassMean | None = Field(
        description="`implied_log_prior` minus that of chance: above 0, errors favour classes with "
        "more images"
    )


class Diagnosis(StoredFile):
    """Diagnosis of the features of a finished run."""

    FILE: ClassVar[str] = "diagnosis.json"
    LARGEST: ClassVar[int] = 2**26

    hash: Hash = Field(description="hash of the run")
    encoder: Encoder = Field(
        description="`run`: the encoder of the run; `pretrained`: that of its backbone, unchanged"
    )
    views: Literal["plain"] = Field(description="resize and centre crop")
    split: EvaluationSplit = Field(description="split of the test features")
    shot_rule: Name = Field(description="rule that makes the shot groups")
    width: Annotated[int, Ge(1), Le(10**6)] = Field(description="length of a feature vector")
    draws: Annotated[int, Ge(1), Le(10**6)] = Field(description="random partitions of each class")
    max_features: Annotated[int, Ge(2), Le(10**6)] = Field(
        description="train features of a class, and test features, that enter its distances: more "
        "are drawn at random"
    )
    skipped_train: Count = Field(description="train images that could not be decoded")
    skipped_test: Count = Field(description="test images that could not be decoded")
    classes: ClassColumns
    similarity: Similarity
    histograms: Histograms
    groups: Annotated[dict[Name, GroupDiagnosis], Len(len(GROUPS), len(GROUPS))] = Field(
        description="by group: overall, many, medium, few"
    )

    @property
    def num_classes(self) -> int:
        """Number of classes, K."""
        return len(self.classes.train_images)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Refuses a diagnosis in which two parts contradict each other."""
        for name, column in self.classes.model_dump().items():
            if len(column) != self.num_classes:
                raise ValueError(
                    f"classes.{name}: expected {self.num_classes} values, got {len(column)}"
                )
        if set(self.groups) != set(GROUPS):
            raise ValueError(f"groups: expected {', '.join(GROUPS)}")
        for name, group in self.groups.items():
            if set(group.measures) != set(GROUP_MEASURES):
                raise ValueError(f"groups.{name}.measures: expected {', '.join(GROUP_MEASURES)}")
        for name, size in self._group_sizes().items():
            if self.groups[name].classes != size:
                raise ValueError(f"groups.{name}.classes: expected {size}, as in train_images")
        if set(self.histograms.groups) != set(SHOT_GROUPS):
            raise ValueError(f"histograms.groups: expected {', '.join(SHOT_GROUPS)}")
        if max(self.similarity.heatmap.order, default=0) >= self.num_classes:
            raise ValueError("similarity.heatmap.order: expected class ids")
        return self

    def _group_sizes(self) -> dict[str, int]:
        """Returns the number of classes of each group; empty with a rule that is not known."""
        rule = SHOT_RULES.get(self.shot_rule)
        if rule is None:
            return {}
        members = rule.groups(np.array(self.classes.train_images, dtype=np.int64))
        sizes = {name: int(one.sum()) for name, one in members.items()}
        return {"overall": self.num_classes, **sizes}


class PretrainedDiagnosis(Diagnosis):
    """Diagnosis of the features of a run's backbone before the run changed it."""

    FILE: ClassVar[str] = "diagnosis-pretrained.json"


def diagnosis_model(encoder: Encoder) -> type[Diagnosis]:
    """Returns the model of the file that has the diagnosis of an encoder."""
    return Diagnosis if encoder == "run" else PretrainedDiagnosis


def shot_rule_of(run: RunResult) -> ShotRule:
    """Returns the rule of a run's shot groups.

    Raises:
        DataError: It is none of today's rules.
    """
    rule = SHOT_RULES.get(run.metrics.shot_rule)
    if rule is None:
        raise DataError(
            f"{run.path}: shot rule {shortened(run.metrics.shot_rule)} is unknown",
            hint="use the ltbench that wrote the run, or a later one",
        )
    return rule


def read_diagnosis(run: RunResult, encoder: Encoder = "run") -> Diagnosis | None:
    """Reads the stored diagnosis of a run; None where it was never computed.

    Args:
        run: Stored result.
        encoder: Encoder of the features: that of the run, or the pretrained one of its backbone.

    Raises:
        DataError: The file is damaged, is of another run, or has shot groups of an unknown rule.
    """
    model = diagnosis_model(encoder)
    path = run.path / model.FILE
    try:
        stored = read_stored(run.path, model)
    except DataError as error:
        raise DataError(error.message, hint=f"move {path} away, then diagnose again") from error
    if stored is None:
        return None
    shot_rule_of(run)
    expected: dict[str, tuple[object, object]] = {
        "hash": (run.hash, stored.hash if stored.hash != run.earlier_hash else run.hash),
        "encoder": (encoder, stored.encoder),
        "split": (run.spec.split, stored.split),
        "shot rule": (run.metrics.shot_rule, stored.shot_rule),
        "training images": (run.classes.train_images, stored.classes.train_images),
    }
    for key, (wanted, found) in expected.items():
        if wanted != found:
            shown = "" if isinstance(wanted, list) else f": expected {key} {wanted}, got {found}"
            raise DataError(
                f"{path} is of another run{shown or f': its {key} differ'}",
                hint=f"move {path} away, then diagnose again",
            )
    return stored


def write_diagnosis(run: RunResult, diagnosis: Diagnosis) -> None:
    """Writes the diagnosis of a run into its directory, atomically.

    Args:
        run: Stored result.
        diagnosis: Diagnosis of the run's encoder, or of the pretrained one.

    Raises:
        RunError: The file cannot be written.
    """
    RunDirectory(run.path).write(diagnosis)
