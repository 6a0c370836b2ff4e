"""Figures of the errors of one model: what takes rare classes, and calibration by shot group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltbench.analysis.errors.error_analysis import ErrorAnalysis
from ltbench.analysis.metrics import SHOT_GROUPS
from ltbench.metric_names import ACCURACIES
from ltbench.report.figures.calibration import draw_group_calibration
from ltbench.report.figures.takers import Taker, draw_takers
from ltbench.report.page.content import Picture
from ltbench.report.page.figure_set import FigureSet
from ltbench.report.sections.evidence import MIN_BIN_IMAGES

_MAX_CLASSES = 15
_MAX_TAKERS = 3  # of a class; the others are shown together


def error_figures(analysis: ErrorAnalysis, name: str, figures: FigureSet) -> Iterator[Picture]:
    """Yields the figures of an analysis; none of what has no predictions.

    Args:
        analysis: Analysis of one or more seeds.
        name: Name in snake_case, unique on the page; prefix of the figures.
        figures: Collection that figures are added to.
    """
    yield from _taker_figure(analysis, name, figures)
    yield from _calibration_figure(analysis, name, figures)


def _taker_figure(analysis: ErrorAnalysis, name: str, figures: FigureSet) -> Iterator[Picture]:
    """Yields the figure of the worst classes of the rare group, if any has a mistake."""
    classes = analysis.classes
    rare = (classes["shot_group"] == analysis.rare_group) & (classes["accuracy"] < 100)
    worst = classes[rare].head(_MAX_CLASSES)
    if not len(worst):
        return
    confusions = analysis.confusions[analysis.confusions["label"].isin(worst["class_id"])]
    takers = [
        [
            Taker(str(row.predicted_name), str(row.predicted_group), float(row.share))
            for row in confusions[confusions["label"] == one].head(_MAX_TAKERS).itertuples()
        ]
        for one in worst["class_id"]
    ]
    names = [str(one) for one in worst["class_name"]]
    correct = worst["accuracy"].to_numpy(dtype=float)
    what = ACCURACIES[analysis.rare_group]
    yield figures.add(
        f"{name}_takers",
        draw_takers(names, worst["train_images"].to_numpy(dtype=np.int64), correct, takers),
        f"The worst {what} classes, and the classes that are predicted for their images: the "
        f"{_MAX_TAKERS} most frequent ones by name or colour.",
        "; ".join(
            f"{one}: {share:.0f} % correct"
            + "".join(f", {taker.share:.0f} % {taker.name}" for taker in taken)
            for one, share, taken in zip(names, correct, takers, strict=True)
        )
        + ".",
    )


def _calibration_figure(
    analysis: ErrorAnalysis, name: str, figures: FigureSet
) -> Iterator[Picture]:
    """Yields the reliability diagram of the shot groups that have bins of enough images."""
    errors = dict(zip(analysis.groups["shot_group"], analysis.groups["ece"], strict=True))
    frame = analysis.reliability[analysis.reliability["predictions"] >= MIN_BIN_IMAGES]
    bins, shown = {}, {}
    for group in SHOT_GROUPS:
        all_images = analysis.reliability["shot_group"] == group
        own = frame[frame["shot_group"] == group]
        if len(own):
            images = own["predictions"].to_numpy(dtype=float)
            total = float(analysis.reliability[all_images]["predictions"].sum())
            said, held = (own[key].to_numpy(dtype=float) for key in ("confidence", "accuracy"))
            bins[group], shown[group] = (said, held, 100 * images / total), float(errors[group])
    if bins:
        yield figures.add(
            f"{name}_calibration",
            draw_group_calibration(bins, shown),
            "Reliability by shot group: accuracy of predictions by confidence. Below the diagonal "
            f"the model is overconfident. Bins of fewer than {MIN_BIN_IMAGES} images are left out.",
            "Calibration errors in percent: "
            + ", ".join(f"{ACCURACIES[group]} {error:.1f}" for group, error in shown.items())
            + ".",
        )
