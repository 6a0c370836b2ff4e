"""Figures of a report, drawn from arrays and saved as SVG and PDF."""

from __future__ import annotations

from ltbench.report.figures.output import figure_files, to_svg
from ltbench.report.figures.shot_groups import draw_shot_groups
