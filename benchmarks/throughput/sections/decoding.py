"""Decoding and cropping with one thread."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the rows: ltbench, and torchvision's transforms on Pillow images."""
    how = {"data": scale.tree, "images": scale.views}
    return {
        "ltbench": Measurement("measured.decoding", how),
        "torchvision/PIL": Measurement("peers.decoding", {**how, "finish": "pixels"}),
        "torchvision/PIL, normalised": Measurement(
            "peers.decoding", {**how, "finish": "normalised"}
        ),
    }


DECODING = Section(
    "decoding",
    "Decoding and MDA, one thread, images a second of the processor",
    rows,
    (
        Column("decode", "decode", ",.0f"),
        Column("crop and resize", "augment", ",.0f"),
        Column("file to view", "whole", ",.0f"),
        Column("largest difference", "largest_difference", ".0f"),
        Column("over 1 level", "over_1_level", ".3%"),
        Column("over 2 levels", "over_2_levels", ".3%"),
    ),
)
