"""Figures of a report, drawn from arrays and saved as SVG and PDF."""

from __future__ import annotations

from ltbench.report.figures.calibration import draw_calibration
from ltbench.report.figures.critical_difference import draw_critical_difference
from ltbench.report.figures.head_to_tail import draw_head_to_tail
from ltbench.report.figures.output import figure_files, to_svg
from ltbench.report.figures.shot_groups import draw_shot_groups
from ltbench.report.figures.significance_matrix import draw_significance_matrix
from ltbench.report.figures.trade_off import draw_trade_off
from ltbench.report.figures.training_curves import draw_training_curves

__all__ = [
    "draw_calibration",
    "draw_critical_difference",
    "draw_head_to_tail",
    "draw_shot_groups",
    "draw_significance_matrix",
    "draw_trade_off",
    "draw_training_curves",
    "figure_files",
    "to_svg",
]
