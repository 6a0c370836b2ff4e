"""Evaluation with five crops per image, and with the centre only."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.gpu.part import Goal, Part, ratio
from benchmarks.gpu.plan import Plan
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.section import Column


def _rows(plan: Plan) -> Mapping[str, Measurement]:
    """Returns the rows of both inferences, by ltbench and by the plain loop."""
    where = {"data": plan.tree, "device": plan.device}
    plain = {**where, "batch_size": plan.batch_size, "workers": plan.cores}
    found = {}
    for inference in ("tte",) if plan.quick else ("tte", "center"):
        settings = {**plan.settings, "method": "lift_plus", "inference": inference}
        found[inference] = Measurement("measured.evaluation", {**where, "settings": settings})
        for precision in ("fp32",) if plan.quick else ("bf16", "fp32"):
            arguments = {**plain, "precision": precision, "inference": inference}
            found[f"plain loop, {inference}, {precision}"] = Measurement(
                "peers.plain_evaluation", arguments
            )
    return found


def _faster(precision: str) -> Goal:
    row = f"plain loop, tte, {precision}"
    return Goal(f"tte / {row}", ratio("tte", row, "images_per_second"), "≥", 4.0, ".2fx")


TTE = Part(
    "tte",
    "Evaluation of ViT-B/16 from JPEG files",
    _rows,
    (
        Column("images/s", "images_per_second", ",.1f"),
        Column("seconds", "seconds", ".1f"),
        Column("peak MB", "peak_memory_mb", ",.0f"),
    ),
    (_faster("bf16"), _faster("fp32")),
    needs_files=True,
)
