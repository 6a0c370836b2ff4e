"""Kernels of a step of each method."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.gpu.part import Goal, Part, figure
from benchmarks.gpu.parts.training import resident
from benchmarks.gpu.plan import Plan
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.section import Column
from benchmarks.throughput.settings import METHODS


def _rows(plan: Plan) -> Mapping[str, Measurement]:
    """Returns a row for each method with ViT-B/16."""
    backbone = next(iter(plan.backbones))
    found = {}
    for method in METHODS[:1] if plan.quick else METHODS:
        arguments = resident(plan, backbone, method).arguments
        kept = {key: arguments[key] for key in ("settings", "device", "batch_size")}
        found[method] = Measurement("benchmarks.gpu.measured.kernels", kept)
    return found


KERNELS = Part(
    "kernels",
    "Kernels of three steps",
    _rows,
    (
        Column("flash kernels", "flash", "d"),
        Column("other fused", "other_fused", "d"),
        Column("softmax", "math", "d"),
        Column("waits a step", "waits", ".1f"),
    ),
    (
        Goal("waits of a step of lift_plus", figure("lift_plus", "waits"), "≤", 0, ".1f"),
        Goal("kernels of flash attention", figure("lift_plus", "flash"), "≥", 1, ".0f"),
        Goal("attention by softmax kernels", figure("lift_plus", "math"), "≤", 0, ".0f"),
    ),
)
