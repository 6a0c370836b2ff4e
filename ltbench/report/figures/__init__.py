"""Figures of a report, drawn from arrays and saved as SVG and PDF."""

from __future__ import annotations

from ltbench.report.figures.calibration import draw_calibration, draw_group_calibration
from ltbench.report.figures.class_similarity import SimilarityMap, draw_class_similarity
from ltbench.report.figures.critical_difference import draw_critical_difference
from ltbench.report.figures.head_to_tail import draw_head_to_tail
from ltbench.report.figures.intra_class_distances import (
    DistanceCounts,
    draw_intra_class_distances,
)
from ltbench.report.figures.looks import MethodLooks
from ltbench.report.figures.narrow_shot_groups import draw_narrow_shot_groups
from ltbench.report.figures.output import figure_files, to_svg
from ltbench.report.figures.score_grid import draw_score_grid
from ltbench.report.figures.share_panels import ShareLine, draw_share_panels
from ltbench.report.figures.shot_groups import draw_shot_groups
from ltbench.report.figures.significance_matrix import draw_significance_matrix
from ltbench.report.figures.takers import Taker, draw_takers
from ltbench.report.figures.trade_off import draw_trade_off
from ltbench.report.figures.train_test_accuracy import draw_train_test_accuracy
from ltbench.report.figures.train_test_excess import draw_train_test_excess
from ltbench.report.figures.training_curves import draw_training_curves

__all__ = [
    "DistanceCounts",
    "MethodLooks",
    "ShareLine",
    "SimilarityMap",
    "Taker",
    "draw_calibration",
    "draw_class_similarity",
    "draw_critical_difference",
    "draw_group_calibration",
    "draw_head_to_tail",
    "draw_intra_class_distances",
    "draw_narrow_shot_groups",
    "draw_score_grid",
    "draw_share_panels",
    "draw_shot_groups",
    "draw_significance_matrix",
    "draw_takers",
    "draw_trade_off",
    "draw_train_test_accuracy",
    "draw_train_test_excess",
    "draw_training_curves",
    "figure_files",
    "to_svg",
]
