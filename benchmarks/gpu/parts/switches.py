"""A step of LIFT+ on ViT-B/16, computed in other ways: which of them pay on this device."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.gpu.part import Part
from benchmarks.gpu.parts.training import resident
from benchmarks.gpu.plan import Plan
from benchmarks.gpu.switches import AS_BUILT, SAME_STREAM
from benchmarks.gpu.switches import SWITCHES as WAYS
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.section import Column


def _rows(plan: Plan) -> Mapping[str, Measurement]:
    """Returns a row for each way, and one compiled by the engine."""
    backbone = next(iter(plan.backbones))
    compiled = resident(plan, backbone, "lift_plus")
    settings = {**compiled.arguments["settings"], "compile": "true"}
    others = [name for name in WAYS if name not in (AS_BUILT, SAME_STREAM)]
    if plan.quick:
        others = ["attention: math", "attention: two products", "optimizer: foreach"]
    return {
        AS_BUILT: resident(plan, backbone, "lift_plus"),
        "compiled blocks": Measurement(
            compiled.module, {**compiled.arguments, "settings": settings}
        ),
        **{name: resident(plan, backbone, "lift_plus", switch=name) for name in others},
    }


SWITCHES = Part(
    "switches",
    "A step of lift_plus in other ways",
    _rows,
    (
        Column("images/s", "images_per_second", ",.0f"),
        Column("MFU", "mfu", ".1%"),
        Column("peak MB", "peak_memory_mb", ",.0f"),
        Column("seconds with compiling", "wall_seconds", ",.0f"),
    ),
)
