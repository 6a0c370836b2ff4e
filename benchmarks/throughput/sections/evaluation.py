"""Evaluation of ViT-B/16 with five crops per image, and with the centre only."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section
from benchmarks.throughput.settings import JPEGS


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the rows of both inferences, by ltbench and by the plain loop."""
    where = {"data": scale.tree, "device": scale.device}
    plain = {**where, "batch_size": scale.batch_size, "workers": scale.workers}
    found = {}
    for inference in ("tte", "center"):
        settings = {**JPEGS, "method": "lift_plus", "inference": inference}
        found[inference] = Measurement("measured.evaluation", {**where, "settings": settings})
        for precision in ("fp32", "bf16"):
            arguments = {**plain, "precision": precision, "inference": inference}
            found[f"plain loop, {inference}, {precision}"] = Measurement(
                "peers.plain_evaluation", arguments
            )
    return found


EVALUATION = Section(
    "evaluation",
    "Evaluation, ViT-B/16 at 224 from JPEG files",
    rows,
    (
        Column("images/s", "images_per_second"),
        Column("seconds", "seconds", ".1f"),
        Column("peak MB", "peak_memory_mb", ",.0f"),
    ),
)
