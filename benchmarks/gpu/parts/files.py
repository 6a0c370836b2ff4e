"""Training from JPEG files, and the ways to decode them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.gpu.part import Goal, Part, ratio
from benchmarks.gpu.parts.training import resident
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.switches import SAME_STREAM
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.section import Column


def _rows(plan: Plan) -> Mapping[str, Measurement]:
    """Returns training from files and from the device, and decoding on a core and the device."""
    where = {"data": plan.tree, "device": plan.device}
    backbone = next(iter(plan.backbones))

    def trained(method: str, **changes: Any) -> Measurement:
        settings = {**plan.settings, "method": method}
        own = {**where, "batch_size": plan.batch_size, **plan.steps, "settings": settings}
        return Measurement("benchmarks.gpu.measured.files", {**own, **changes})

    images = 8 if plan.quick else 400
    rows = {
        "lift_plus, from the device": resident(plan, backbone, "lift_plus"),
        "lift_plus, from files": trained("lift_plus"),
        "lift_plus, from files, copies in the same stream": trained(
            "lift_plus", switch=SAME_STREAM
        ),
        "decoding, one core": Measurement(
            "measured.decoding", {"data": plan.tree, "images": images}
        ),
        "decoding, device": Measurement(
            "benchmarks.gpu.measured.device_decoding",
            {**where, "settings": plan.settings, "images": plan.batch_size},
        ),
    }
    if not plan.quick:
        rows |= {f"{method}, from files": trained(method) for method in ("lora", "full")}
    return rows


FILES = Part(
    "files",
    "ViT-B/16 from JPEG files, and decoding",
    _rows,
    (
        Column("images/s", "images_per_second", ",.0f"),
        Column("workers", "workers", "d"),
        Column("busy cores", "cores", ".1f"),
        Column("images/s and busy core", "images_per_core_second", ",.0f"),
        Column("decoded/s", "decode", ",.0f"),
        Column("cropped/s", "crop", ",.0f"),
        Column("copied/s", "copy", ",.0f"),
        Column("file to view/s", "whole", ",.0f"),
        Column("largest difference", "largest_difference", ".0f"),
    ),
    (
        Goal(
            "lift_plus from files / from the device",
            ratio("lift_plus, from files", "lift_plus, from the device", "images_per_second"),
            "≥",
            0.8,
            ".2fx",
        ),
    ),
    needs_files=True,
)
