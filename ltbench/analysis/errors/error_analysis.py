"""Errors of a stored model: the answer of `ltbench errors`, for Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench.analysis.errors.class_errors import class_frame, confusion_frame
from ltbench.analysis.errors.display_tables import display_tables
from ltbench.analysis.errors.finding_sentences import class_notes, finding_sentences
from ltbench.analysis.errors.group_errors import group_frame, reliability_frame
from ltbench.analysis.errors.mistake_pictures import MistakePicture, mistake_pictures
from ltbench.analysis.errors.mistakes import mistake_frame, pictured_mistakes
from ltbench.analysis.errors.notebook_html import notebook_html
from ltbench.analysis.errors.pooled_predictions import PooledPredictions
from ltbench.analysis.errors.run_inputs import (
    OpenedOnce,
    OpenSplit,
    stored_names,
    train_accuracies,
)
from ltbench.errors import DataError
from ltbench.storage.result_schema import RunResult

if TYPE_CHECKING:
    import pandas as pd

NOTEBOOK_ROWS = 10
"""Classes and confusions that a notebook shows; the data frames have all."""


@dataclass(frozen=True, eq=False, repr=False)
class ErrorAnalysis:
    """Classes that a model fails on, the classes that take their images, and its confidence.

    All shares are percentages. With several seeds, counts are of predictions: images times seeds.

    Args:
        title: Description of the run, or of the cell.
        inference: Name of the inference of the predictions.
        split: Split of the images.
        seeds: Number of seeds.
        rare_group: Shot group with the fewest training images of those that have test images.
        groups: A row for all images (`overall`) and each shot group: see `group_frame`.
        classes: A row for each class, the worst first: see `class_frame`.
        confusions: A row for each pair of true and predicted class: see `confusion_frame`.
        mistakes: A row for each wrong image, the most confident first: see `mistake_frame`.
        reliability: A row for each bin of confidence: see `reliability_frame`.
        sentences: Findings, the most important one first.
        notes: Limits: what is unknown, and why.
        pictures: Pictures of the most confident mistakes of the rare group, where requested.
    """

    title: str
    inference: str
    split: str
    seeds: int
    rare_group: str
    groups: pd.DataFrame
    classes: pd.DataFrame
    confusions: pd.DataFrame
    mistakes: pd.DataFrame
    reliability: pd.DataFrame
    sentences: tuple[str, ...]
    notes: tuple[str, ...]
    pictures: tuple[MistakePicture, ...]

    @classmethod
    def of_run(
        cls,
        run: RunResult,
        inference: str | None = None,
        *,
        open_split: OpenSplit,
        pictures: int = 0,
    ) -> ErrorAnalysis:
        """Analyses the stored predictions of a run.

        Args:
            run: Stored result.
            inference: Name in the file's name; the run's own inference where None.
            open_split: Function that opens the data set; called where pictures are requested, or
                the predictions have no names of images.
            pictures: Largest number of pictures.

        Raises:
            ConfigError: A setting of `open_split` is wrong.
            DataError: The predictions are missing, damaged, or of another run.
        """
        classes, rule = run.classes, run.metrics.shot_rule
        read = [run.predictions(inference)]
        pooled = PooledPredictions.of(read, classes.names, classes.train_images, rule)
        spec = run.spec
        title = f"{spec.method.name} on {spec.dataset.title} with {spec.backbone.name}, "
        return cls.of_runs(
            [run],
            pooled,
            f"{title}seed {run.seed}",
            inference,
            open_split=open_split,
            pictures=pictures,
        )

    @classmethod
    def of_runs(
        cls,
        runs: Sequence[RunResult],
        pooled: PooledPredictions,
        title: str,
        inference: str | None = None,
        *,
        open_split: OpenSplit | None,
        pictures: int = 0,
    ) -> ErrorAnalysis:
        """Analyses predictions that were read already.

        Args:
            runs: Runs that differ in their seed alone.
            pooled: Their predictions.
            title: Description of the runs.
            inference: Name in the names of the files of predictions; that of the runs where None.
            open_split: Function that opens the data set, as for `of_run`; None where it is not
                to be opened.
            pictures: Largest number of pictures.
        """
        train, *notes = train_accuracies(runs, inference)
        opened = OpenedOnce(runs[0], pooled, open_split)
        names, *unnamed = stored_names(runs[0], pooled, inference, opened)
        groups, classes = group_frame(pooled, train), class_frame(pooled)
        mistakes = mistake_frame(pooled, names)
        made: list[MistakePicture] = []
        missing: list[str] = []
        chosen = pictured_mistakes(mistakes, pooled.rare_group, pictures)
        if len(chosen):
            try:
                made, missing = mistake_pictures(chosen, opened())
            except DataError as error:
                missing = [f"There are no pictures: {error.message}."]
        return cls(
            title=title,
            inference=inference or runs[0].spec.inference.name,
            split=runs[0].spec.split,
            seeds=pooled.seeds,
            rare_group=pooled.rare_group,
            groups=groups,
            classes=classes,
            confusions=confusion_frame(pooled),
            mistakes=mistakes,
            reliability=reliability_frame(pooled),
            sentences=tuple(finding_sentences(pooled, groups, classes)),
            notes=(*class_notes(pooled, classes), *notes, *unnamed, *missing),
            pictures=tuple(made),
        )

    def __repr__(self) -> str:
        """Returns the title and the findings, a line each."""
        return "\n".join([f"<ErrorAnalysis of {self.title}>", *self.sentences, *self.notes])

    def _repr_html_(self) -> str:
        """Returns the findings, tables and pictures, which notebooks show."""
        tables = display_tables(self, NOTEBOOK_ROWS)
        return notebook_html(self.title, self.sentences, self.notes, tables, self.pictures)
