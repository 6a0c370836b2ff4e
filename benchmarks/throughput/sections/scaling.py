"""Whole runs over lists of small images of increasing length."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section


def row_of(images: int) -> str:
    """Returns the row name of a list."""
    return f"{images:,} images"


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns one row per list; the long ones take minutes and have one round."""
    return {
        row_of(images): Measurement(
            "measured.scaling", {"images": images, "device": scale.device}, once=True
        )
        for images in scale.images
    }


SCALING = Section(
    "scaling",
    "An epoch and an evaluation of lift_plus, clip_tiny, small JPEG files",
    rows,
    (
        Column("seconds", "seconds", ".1f"),
        Column("µs an image", "microseconds_per_image", ",.0f"),
        Column("peak MB", "peak_memory_mb", ",.0f"),
    ),
)
