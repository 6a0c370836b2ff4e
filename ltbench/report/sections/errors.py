"""Section of a report about rare classes: which fail, what takes their images, and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ltbench.analysis.errors.display_tables import (
    ErrorColumn,
    ErrorEstimate,
    ErrorTable,
    ErrorValue,
    display_tables,
)
from ltbench.analysis.errors.error_analysis import ErrorAnalysis
from ltbench.analysis.errors.group_errors import group_frame
from ltbench.analysis.errors.mistake_pictures import MAX_PICTURES, MistakePicture
from ltbench.analysis.errors.mistakes import MAX_PICTURES_OF_CLASS
from ltbench.analysis.errors.run_inputs import OpenSplit, train_accuracies
from ltbench.data.thumbnails import MAX_BYTES, SIDE_PIXELS
from ltbench.metric_names import ACCURACIES
from ltbench.report.page.content import (
    Answer,
    CellValue,
    Column,
    ImageSheet,
    Notes,
    Section,
    SectionBlock,
    SheetImage,
    Table,
    WithInterval,
)
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.error_figures import error_figures
from ltbench.report.sections.evidence import RankingEvidence

HEADING = "Which rare classes fail, and as what"
MAX_ROWS = 20
"""Classes and confusions of a report; `ltbench errors RUN --json` has all."""
_FOLDED = ("calibration", "directions")


def errors_section(
    evidence: RankingEvidence,
    name: str,
    open_split: OpenSplit | None = None,
    figures: FigureSet | None = None,
) -> Section:
    """Returns the section of the errors of a ranking's best method, over all its seeds.

    Args:
        evidence: Results of the best methods of the ranking.
        name: Name in snake_case, unique in the report; prefix of the blocks and the anchor.
        open_split: Function that opens the data set of a run; None for no pictures.
        figures: Collection that figures are added to; None for no figures.

    Raises:
        ConfigError: A setting of `open_split` is wrong.
    """
    entry, pooled = evidence.entries[0], evidence.predictions[0]
    seeds = f", {pooled.seeds} seeds" if pooled.seeds > 1 else ""
    analysis = ErrorAnalysis.of_runs(
        entry.cell.runs,
        pooled,
        f"{entry.name}{seeds}",
        open_split=open_split,
        pictures=MAX_PICTURES if open_split is not None else 0,
    )
    best = dict(enumerate(_best_accuracies(evidence))) if len(evidence.entries) > 1 else None
    section = analysis_section(analysis, f"{name}_errors", MAX_ROWS, best)
    made = error_figures(analysis, f"{name}_errors", figures) if figures is not None else ()
    blocks = [*made, *section.blocks]
    if len(evidence.entries) > 1:
        blocks.insert(-1, _methods_table(evidence, f"{name}_errors_methods"))
    facts = [("method", f"{entry.name}, the best"), ("seeds", f"{pooled.seeds}")]
    return replace(section, facts=facts, blocks=blocks)


def analysis_section(
    analysis: ErrorAnalysis,
    name: str,
    max_rows: int,
    best: Mapping[int, float] | None = None,
) -> Section:
    """Returns the section of an analysis; its notes are the last block.

    Args:
        analysis: Analysis of one or more seeds.
        name: Name in snake_case, unique on the page; prefix of the blocks and the anchor.
        max_rows: Largest number of classes and of confusions.
        best: Highest accuracy of each class among several methods in percent, by class id; None
            for one method.
    """
    shown = {table.name: table for table in display_tables(analysis, max_rows)}
    if best is not None and "worst_classes" in shown:
        shown["worst_classes"] = _with_best(shown["worst_classes"], analysis, best)
    sheet = [_sheet(analysis, name)] if analysis.pictures else []
    tables = [analysis_table(table, name, folded=table.name in _FOLDED) for table in shown.values()]
    order = ("worst_classes", "confusions", "accuracy", "directions", "calibration")
    by_name = {table.name.removeprefix(f"{name}_"): table for table in tables}
    blocks: list[SectionBlock] = [by_name[one] for one in order if one in by_name]
    blocks[2:2] = sheet
    blocks.append(Notes("Notes", analysis.notes))
    headline, *detail = analysis.sentences
    return Section(
        name.replace("_", "-"),
        HEADING,
        answer=Answer(headline, " ".join(detail)),
        blocks=blocks,
    )


def _methods_table(evidence: RankingEvidence, name: str) -> Table:
    """Returns the rare classes of every method: training accuracy, direction, calibration."""
    rare = evidence.predictions[0].rare_group
    rows: list[tuple[CellValue, ...]] = []
    for entry, pooled in zip(evidence.entries, evidence.predictions, strict=True):
        train = train_accuracies(entry.cell.runs, None)[0]
        frame = group_frame(pooled, train, intervals=False)
        row = frame[frame["shot_group"] == rare].to_dict("records")[0]
        keys = ("accuracy", "train_accuracy", "gap", "to_many", "ece", "overconfidence")
        rows.append((entry.name, *(_known(row[key]) for key in keys)))
    columns = [
        Column("method"),
        Column(f"{rare} %", f"accuracy of {ACCURACIES[rare]} classes", 1),
        Column("train %", "their accuracy on the training images, where it is stored", 1),
        Column("gap", "training accuracy minus accuracy: overfitting", 1),
        Column("errors to many %", "part of their wrong predictions that is a many-shot class", 0),
        Column("ECE", "expected calibration error of their images, in percent", 1),
        Column("above accuracy", "mean confidence minus percentage of correct images", 1),
    ]
    caption = f"{ACCURACIES[rare].capitalize()} classes of each method, means over its seeds."
    return Table(name, caption, columns, rows)


def _best_accuracies(evidence: RankingEvidence) -> list[float]:
    """Returns the highest accuracy of each class among the methods, (K,); NaN where untested."""
    tested = evidence.test_images > 0
    found = np.full(len(tested), np.nan)
    found[tested] = evidence.per_class[:, tested].max(axis=0)
    return [float(value) for value in found]


def _with_best(table: ErrorTable, analysis: ErrorAnalysis, best: Mapping[int, float]) -> ErrorTable:
    """Returns the table of the worst classes with the best accuracy of any method."""
    classes = analysis.classes["class_id"].tolist()
    column = ErrorColumn("best method %", "highest accuracy of a method on this class", 1)
    rows = [(*row, best[int(one)]) for row, one in zip(table.rows, classes, strict=False)]
    return replace(table, columns=(*table.columns, column), rows=tuple(rows))


def analysis_table(table: ErrorTable, prefix: str, *, folded: bool) -> Table:
    """Returns a table of an analysis as a table of a page.

    Args:
        table: Table.
        prefix: Prefix of its name on the page.
        folded: Whether it is collapsed at first.
    """
    columns = [Column(one.title, one.help, one.decimals) for one in table.columns]
    rows = [tuple(map(_cell, row)) for row in table.rows]
    name = f"{prefix}_{table.name}"
    return Table(name, table.caption, columns, rows, folded=folded)


def _cell(value: ErrorValue) -> CellValue:
    if isinstance(value, ErrorEstimate):
        return WithInterval(value.value, value.low, value.high)
    return value


def _known(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def _sheet(analysis: ErrorAnalysis, name: str) -> ImageSheet:
    rare = ACCURACIES[analysis.rare_group]
    return ImageSheet(
        f"{name}_mistakes",
        f"Most confident mistakes on {rare} classes, at most {MAX_PICTURES_OF_CLASS} of a class: "
        f"{len(analysis.pictures)} pictures of at most {SIDE_PIXELS} pixels, together at most "
        f"{MAX_BYTES // 1024} KB.",
        _images(analysis.pictures),
    )


def _images(pictures: Sequence[MistakePicture]) -> list[SheetImage]:
    return [
        SheetImage(picture.data, "image/jpeg", picture.caption, picture.description)
        for picture in pictures
    ]
