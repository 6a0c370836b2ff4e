"""Figures of a report, from plain arrays: for the page as SVG, for papers as SVG and PDF."""

from __future__ import annotations

from ltbench.report.figures.calibration import calibration
from ltbench.report.figures.critical_difference import critical_difference
from ltbench.report.figures.head_to_tail import head_to_tail
from ltbench.report.figures.output import save, to_svg
from ltbench.report.figures.shot_groups import shot_groups
from ltbench.report.figures.significance_matrix import significance_matrix
from ltbench.report.figures.trade_off import trade_off
from ltbench.report.figures.training_curves import training_curves

__all__ = [
    "calibration",
    "critical_difference",
    "head_to_tail",
    "save",
    "shot_groups",
    "significance_matrix",
    "to_svg",
    "trade_off",
    "training_curves",
]
