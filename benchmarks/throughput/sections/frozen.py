"""Training of the classifier only: the first epoch, and the later ones with cached features."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section
from benchmarks.throughput.settings import JPEGS


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the row of the run."""
    settings = {**JPEGS, "method": "classifier_only", "augmentation": "none", "inference": "center"}
    where = {"data": scale.small_tree, "device": scale.device}
    return {
        "classifier_only": Measurement(
            "measured.frozen", {**where, "settings": settings}, once=True
        )
    }


FROZEN = Section(
    "frozen",
    "Epochs of classifier_only without augmentation, ViT-B/16",
    rows,
    (
        Column("first s", "first_epoch_seconds", ".1f"),
        Column("later s", "later_epoch_seconds", ".3f"),
        Column("times faster", "times_faster", ".0f"),
        Column("peak MB", "peak_memory_mb", ",.0f"),
    ),
)
