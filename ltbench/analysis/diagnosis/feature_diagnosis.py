"""Diagnosis of the features of a stored model, for Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench.analysis.diagnosis.diagnosis_frames import (
    class_frame,
    group_frame,
    measure_frame,
    similarity_frame,
)
from ltbench.analysis.diagnosis.diagnosis_sentences import (
    diagnosis_notes,
    diagnosis_sentences,
    rare_group,
)
from ltbench.analysis.diagnosis.group_diagnosis import mean_groups
from ltbench.io.text import html_text
from ltbench.storage.diagnosis_schema import Diagnosis, Encoder
from ltbench.storage.result_schema import RunResult

if TYPE_CHECKING:
    import pandas as pd

NOTEBOOK_MEASURES = (
    "intra_train",
    "intra_test",
    "wasserstein_excess",
    "ks_excess",
    "energy_excess",
    "mean_shift_excess",
    "train_accuracy",
    "test_accuracy",
    "gap",
)
"""Measures that a notebook shows; the data frames have all."""


@dataclass(frozen=True, eq=False, repr=False)
class FeatureDiagnosis:
    """Consistency of train and test features by class and shot group, and what follows from it.

    Accuracies and shares are percentages; distances have no unit. Values of classes are means over
    the seeds where there are several.

    Args:
        title: Description of the run, or of the cell.
        encoder: Encoder of the features: `run`, or `pretrained`, that of its backbone.
        seeds: Number of seeds.
        stored: Diagnoses as they are stored, one for each seed.
        rare_group: Shot group with the fewest training images of those that have distances.
        groups: A row for all classes (`overall`) and each shot group: see `group_frame`.
        measures: A row for each group and measure, with intervals: see `measure_frame`.
        classes: A row for each class, most training images first: see `class_frame`.
        similarity: A row for each pair of shot groups: see `similarity_frame`.
        sentences: Findings, the most important one first.
        notes: Limits: what is unknown, and why.
    """

    title: str
    encoder: Encoder
    seeds: int
    stored: tuple[Diagnosis, ...]
    rare_group: str
    groups: pd.DataFrame
    measures: pd.DataFrame
    classes: pd.DataFrame
    similarity: pd.DataFrame
    sentences: tuple[str, ...]
    notes: tuple[str, ...]

    @classmethod
    def of_runs(
        cls, runs: Sequence[RunResult], diagnoses: Sequence[Diagnosis], title: str = ""
    ) -> FeatureDiagnosis:
        """Returns the diagnosis of a run, or of runs that differ in their seed alone.

        Args:
            runs: Results, one for each seed.
            diagnoses: Their diagnoses, of the same encoder.
            title: Description; empty for that of the runs.
        """
        first, groups = diagnoses[0], mean_groups(diagnoses)
        quick = "" if runs[0].comparable else runs[0].spec.quick_text
        return cls(
            title=title or _title(runs, first.encoder),
            encoder=first.encoder,
            seeds=len(diagnoses),
            stored=tuple(diagnoses),
            rare_group=rare_group(groups),
            groups=group_frame(groups),
            measures=measure_frame(groups),
            classes=class_frame(diagnoses, runs[0].classes.names),
            similarity=similarity_frame(diagnoses),
            sentences=tuple(diagnosis_sentences(groups)),
            notes=tuple(diagnosis_notes(first, quick)),
        )

    def __repr__(self) -> str:
        """Returns the title and the findings, a line each."""
        return "\n".join([f"<FeatureDiagnosis of {self.title}>", *self.sentences, *self.notes])

    def _repr_html_(self) -> str:
        """Returns the findings and the means by shot group, which notebooks show."""
        found = "".join(f"<li>{html_text(text)}</li>" for text in self.sentences)
        limits = "".join(f"<p><small>{html_text(text)}</small></p>" for text in self.notes)
        head = f"<p><b>{html_text(self.title)}</b></p>"
        return f"<div>{head}<ul>{found}</ul>{limits}{self._table()}</div>"

    def _table(self) -> str:
        shown = self.measures[self.measures["measure"].isin(NOTEBOOK_MEASURES)]
        table = shown.pivot_table(index="measure", columns="shot_group", values="mean", sort=False)
        heads = "".join(f"<th>{html_text(str(name))}</th>" for name in ("", *table.columns))
        rows = "".join(
            f"<tr><td>{html_text(str(name))}</td>"
            + "".join(f"<td>{value:.3f}</td>" for value in values)
            + "</tr>"
            for name, values in zip(table.index, table.to_numpy(), strict=True)
        )
        caption = "<caption>Means over the classes of each shot group.</caption>"
        return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _title(runs: Sequence[RunResult], encoder: Encoder) -> str:
    spec = runs[0].spec
    name = spec.method.name if encoder == "run" else "the pretrained backbone"
    seeds = ", ".join(str(run.seed) for run in runs)
    words = "seed" if len(runs) == 1 else "seeds"
    return f"{name} on {spec.dataset.title} with {spec.backbone.name}, {words} {seeds}"
