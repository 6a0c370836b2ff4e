"""Schema of the JSON files in a run directory; `RunResult` defines `result.json`.

The models are the only definition of these files. The engine builds them, `RunDirectory` writes
and reads them, the reference page of the documentation is generated from them, and tests make
results with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from annotated_types import Ge, Le, Len, MinLen
from pydantic import Field, PrivateAttr, model_validator

from ltbench.analysis.metrics import DEFAULT_RULE, PredictionArrays, ShotRule, compute_metrics
from ltbench.config.runspec import EvaluationSplit, Name, RunSpec, Selection
from ltbench.metric_names import ACCURACIES
from ltbench.storage.environment_schema import Environment
from ltbench.storage.history import HistoryRow, read_history
from ltbench.storage.late_fields import LateFields
from ltbench.storage.notebook_table import notebook_table
from ltbench.storage.prediction_checks import check_predictions
from ltbench.storage.predictions import PredictedClasses, Predictions, stored_predictions
from ltbench.storage.stored_file import Record, StoredFile
from ltbench.storage.tags import tags_and_fault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Percent = Annotated[float, Ge(0), Le(100.000001)]  # a mean of hundreds is rounded
Amount = Annotated[float, Ge(0), Le(1e15)]
Count = Annotated[int, Ge(0), Le(10**15)]  # arrays hold it, and its sums, exactly
Hash = Annotated[str, Field(pattern="^[0-9a-f]{12}$")]
Interval = Annotated[list[float], Len(2, 2)]
NUMBERS = (*ACCURACIES, "harmonic", "macro_f1", "ece")
"""Metrics that are one number."""
_GROUPS = ("all", "many", "medium", "few")


class Metrics(LateFields):
    """Accuracies of the evaluated images."""

    accuracy: Percent = Field(description="overall accuracy")
    mean_class: Percent = Field(description="mean of the classes' accuracies")
    many: Percent | None = Field(description="mean over the many-shot classes")
    medium: Percent | None = Field(description="mean over the medium-shot classes")
    few: Percent | None = Field(description="mean over the few-shot classes")
    harmonic: Percent = Field(description="harmonic mean of the shot groups that have classes")
    macro_f1: Percent = Field(description="mean F1 of the classes")
    ece: Percent = Field(description="expected calibration error, 15 bins")
    intervals: dict[Name, Interval | None] = Field(
        description="95 % intervals of the accuracies, over other test images: lower and upper "
        "bound in percent, by metric"
    )
    interval_method: str | None = Field(
        description="`crossed`; null where the intervals are percentile bootstrap intervals, which "
        "were too narrow"
    )
    per_class: list[Percent | None] = Field(
        description="accuracy of each class, by class id; null for a class without test images"
    )
    group_classes: dict[Name, Count] = Field(
        description="number of classes with test images: `all`, `many`, `medium`, `few`"
    )
    shot_rule: Name = Field(
        description="`exclusive` (more than 100, fewer than 20 training images) or `inclusive`"
    )
    test_images: Count = Field(description="number of images that were evaluated")

    @classmethod
    def of(
        cls,
        predictions: PredictionArrays,
        class_counts: NDArray[np.int64],
        rule: ShotRule = DEFAULT_RULE,
    ) -> Metrics:
        """Computes the metrics of predictions.

        Args:
            predictions: Labels, predicted classes and confidences of N test images.
            class_counts: (K,) training images of each class.
            rule: Rule that makes the shot groups.
        """
        return cls(**compute_metrics(predictions, class_counts, rule))

    @model_validator(mode="after")
    def _has_every_accuracy(self) -> Self:
        for name in ACCURACIES:
            if name not in self.intervals:
                raise ValueError(f"metrics.intervals: {name} is missing")
        for name in _GROUPS:
            if name not in self.group_classes:
                raise ValueError(f"metrics.group_classes: {name} is missing")
        return self

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """Values of `NUMBERS`."""
        return tuple([getattr(self, name) for name in NUMBERS])

    def value(self, metric: str) -> float | None:
        """Returns a metric by its name; None for a shot group without classes."""
        value: float | None = getattr(self, metric)
        return value


class Classes(Record):
    """Classes of the data set, K values each."""

    names: Annotated[list[str], MinLen(1)] = Field(description="names, by class id")
    train_images: Annotated[list[Count], MinLen(1)] = Field(
        description="training images of each class, which decide its shot group"
    )
    trained_on: Annotated[list[Count], MinLen(1)] = Field(
        description="training images of each class that were trained on: fewer where some were "
        "held out or skipped"
    )


class LearnedParameters(Record):
    """Number of parameters that get gradients."""

    total: Count = Field(description="learned parameters")
    encoder: Count = Field(description="learned parameters in the image encoder")
    head: Count = Field(description="learned parameters in the head")
    backbone: Count = Field(description="parameters of the image encoder before the method")
    percent: Amount = Field(description="learned parameters in percent of the backbone's")


class TrainingRecord(Record):
    """Record of the training."""

    epochs: Count = Field(description="number of trained epochs")
    seconds: Amount = Field(description="seconds of the training")
    images_per_second: Amount | None = Field(
        description="training images a second; null where nothing was trained"
    )
    skipped_images: Count = Field(
        description="training images that could not be decoded, with `--on-corrupt skip`"
    )


class SelectionRecord(Record):
    """Record of the choice of the epoch whose weights were kept."""

    rule: Selection = Field(description="rule of the choice: last epoch, or best on val")
    epoch: Count | None = Field(description="epoch whose weights were kept, counted from 0")
    epochs: Count = Field(description="number of trained epochs")
    criterion: Name | None = Field(description="metric that was compared on val")
    scores: list[Percent] = Field(description="value of the criterion after each epoch")
    val_images: Count = Field(description="images of the val split")
    held_out: bool = Field(description="whether the val split was taken out of train")
    seconds: Amount = Field(description="seconds of the evaluations on val")
    skipped_images: Count = Field(description="val images that could not be decoded")

    @model_validator(mode="after")
    def _has_the_epoch(self) -> Self:
        if (self.epoch is None) != (self.epochs == 0) or (self.epoch or 0) > self.epochs - 1 >= 0:
            raise ValueError(f"selection.epoch: expected one of {self.epochs}, got {self.epoch}")
        if self.scores and len(self.scores) != self.epochs:
            raise ValueError(
                f"selection.scores: expected {self.epochs} or none, got {len(self.scores)}"
            )
        if self.rule == "val" and self.epochs and not self.scores:
            raise ValueError("selection.scores: expected one for each epoch, got none")
        return self


class RefinementRecord(Record):
    """Record of the second stage."""

    name: Name = Field(description="name of the refinement")
    seconds: Amount = Field(description="seconds of the second stage")
    history: list[HistoryRow] = Field(description="one row for each epoch of its trainings")


class EvaluationRecord(Record):
    """Record of the evaluation."""

    inference: Name = Field(description="inference component: the test views")
    split: EvaluationSplit = Field(description="evaluated split")
    seconds: Amount = Field(description="seconds of the evaluation")
    images_per_second: Amount = Field(description="evaluated images a second")
    skipped_images: Count = Field(description="test images that could not be decoded")


class Failure(StoredFile):
    """Error that ended a run."""

    FILE = "failure.json"

    error: str = Field(description="message of the error")
    hint: str = Field(description="hint of the error; empty where it has none")
    kind: str = Field(description="class of the error")


class RunDescription(StoredFile):
    """Choices of a run."""

    FILE = "spec.json"

    hash: Hash = Field(description="first twelve hexadecimal digits of the run's SHA-256")
    earlier_hash: Hash | None = Field(
        default=None,
        description="hash in a file of an earlier schema, where the migration gives another one; "
        "absent elsewhere",
    )
    spec: RunSpec = Field(
        alias="run",
        description="resolved run: for each kind of component `name`, `options`, `paths`, "
        "`plugin`, `identity`, `version`; `train` and the run's own [keys](settings.md#the-run)",
    )

    @classmethod
    def of(cls, spec: RunSpec) -> RunDescription:
        """Returns the description of a run.

        Args:
            spec: The run.
        """
        return cls(hash=spec.hash, run=spec)


class RunResult(LateFields, RunDescription):
    """Result of a finished run: the content of `result.json`.

    Attributes:
        path: Run directory that the result was read from; `directory` is where it was written.
    """

    FILE = "result.json"
    LARGEST = 2**24  # 40,000 classes
    _EARLY = frozenset({"hash", "earlier_hash"})

    metrics: Metrics
    classes: Classes
    learned: LearnedParameters
    training: TrainingRecord
    selection: SelectionRecord
    refinement: RefinementRecord | None = Field(description="second stage; null without one")
    evaluation: EvaluationRecord
    environment: Environment
    warnings: list[str] = Field(
        description="warnings about the run, as weights that were trained on the labels"
    )
    peak_memory_mb: Amount = Field(description="peak memory of the GPU or the process in MiB")
    silenced_plugins: dict[str, str] = Field(
        description="plugins and trackers that raised and got no further notification, with the "
        "error"
    )
    directory: str = Field(description="run directory at the time of the run")

    _path: str | None = PrivateAttr(None)
    _tags: tuple[dict[str, str], str] | None = PrivateAttr(None)
    _cell_spec: RunSpec | None = PrivateAttr(None)
    _seed: int | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        """Refuses a result in which two parts contradict each other."""
        classes, spec, evaluation = self.classes, self.spec, self.evaluation
        sizes = {key: len(getattr(classes, key)) for key in ("names", "train_images", "trained_on")}
        sizes["per_class"] = len(self.metrics.per_class)
        if len(set(sizes.values())) > 1:
            got = ", ".join(f"{size} {key}" for key, size in sizes.items())
            raise ValueError(f"classes: expected lists of one length, got {got}")
        refined = self.refinement.name if self.refinement else spec.refinement.name
        trained = self.training.epochs > 0
        said: dict[str, tuple[object, object]] = {
            "evaluation.inference": (spec.inference.name, evaluation.inference),
            "evaluation.split": (spec.split, evaluation.split),
            "selection.rule": (spec.select if trained else "last", self.selection.rule),
            "selection.epochs": (self.training.epochs, self.selection.epochs),
            "refinement.name": (spec.refinement.name, refined),
        }
        for key, (wanted, found) in said.items():
            if wanted != found:
                raise ValueError(f"{key}: expected {wanted}, as in the run, got {found}")
        return self

    def _read_all(self) -> None:
        super()._read_all()
        self._cell_spec = self._seed = None  # `spec` has both

    @property
    def path(self) -> Path:
        """Run directory that the result was read from or written to."""
        return Path(self.directory if self._path is None else self._path)

    def at(self, path: Path) -> Self:
        """Sets the run directory, and returns the result.

        Args:
            path: Run directory that the result was read from.
        """
        self._path = str(path)
        return self

    @property
    def cell_spec(self) -> RunSpec:
        """Choices of the run with the seed of any run of its cell: one object for many results."""
        known = (self.__pydantic_private__ or {}).get("_cell_spec")
        return self.spec if known is None or "spec" in self.__dict__ else known

    @property
    def key(self) -> str:
        """Everything but the seed, as canonical JSON: equal for the runs of a cell."""
        return self.cell_spec.cell_key

    @property
    def comparable(self) -> bool:
        """Whether the result may be compared with others: not that of a quick look."""
        return self.cell_spec.comparable

    @property
    def seed(self) -> int:
        """Seed of the training."""
        known = (self.__pydantic_private__ or {}).get("_seed")
        return self.spec.seed if known is None or "spec" in self.__dict__ else known

    @property
    def dataset_title(self) -> str:
        """Name of the data set in tables and figures."""
        return self.cell_spec.dataset.title

    @property
    def tags(self) -> dict[str, str]:
        """Tags by name, as they were when they were first read; empty where unreadable."""
        return dict(self._tags_read()[0])

    @property
    def tags_fault(self) -> str:
        """Reason why the tags cannot be read; empty where they can."""
        return self._tags_read()[1]

    def _tags_read(self) -> tuple[dict[str, str], str]:
        private = self.__pydantic_private__ or {}
        if (tags := private.get("_tags")) is None:
            tags = self._tags = tags_and_fault(private.get("_path") or self.directory)
        return tags

    def predictions(self, inference: str | None = None) -> Predictions:
        """Reads the stored predictions.

        Args:
            inference: Name in the file's name, `predictions-<inference>.parquet`; the run's own
                inference where None.

        Raises:
            DataError: The file is missing, damaged or of another run, or gives other metrics than
                the result has.
        """
        path = stored_predictions(self.path, inference, self.spec.inference.name)
        self._check(path, read := Predictions.read(path))
        return read

    def predicted_classes(self, inference: str | None = None) -> PredictedClasses:
        """Reads the labels and predicted classes alone, which is faster.

        Args:
            inference: Name as for `predictions`.

        Raises:
            DataError: The conditions are those of `predictions`.
        """
        path = stored_predictions(self.path, inference, self.spec.inference.name)
        self._check(path, read := PredictedClasses.read(path))
        return read

    def _check(self, path: Path, read: Predictions | PredictedClasses) -> None:
        """Checks that predictions are those that this result was computed from."""
        hashes = [one for one in (self.hash, self.earlier_hash) if one]
        metrics, train_images = self.metrics.model_dump(), self.classes.train_images
        check_predictions(path, read, self.spec, hashes, train_images, metrics)

    def history(self) -> list[HistoryRow]:
        """Reads one row for each trained epoch: loss, lr, seconds, images_per_second, ...

        Raises:
            DataError: `history.jsonl` cannot be read, or has other epochs than were trained.
        """
        return read_history(self.path, self.training.epochs)

    def __repr__(self) -> str:
        """Returns one line: the run, its overall accuracy and its directory."""
        return f"<{type(self).__name__} {self._title}: {self.metrics.accuracy:.1f} %, {self.path}>"

    __str__ = __repr__

    @property
    def _title(self) -> str:
        method, backbone = self.spec.method.name, self.spec.backbone.name
        return f"{method} on {self.dataset_title} with {backbone}, seed {self.seed}"

    def _repr_html_(self) -> str:
        """Returns a table of the accuracies, which notebooks show."""
        return notebook_table(f"{self._title} ({self.hash})", self.metrics)
