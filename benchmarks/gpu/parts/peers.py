"""Training from JPEG files, by ltbench and by the usual alternatives."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.gpu.part import Goal, Part, ratio
from benchmarks.gpu.plan import Plan
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.section import Column
from benchmarks.throughput.sections.training import COMPARED
from benchmarks.throughput.sections.training import PEERS as MODULES

_QUICK_BATCH = 2  # the peers' model is ViT-B/16 in any case


def _rows(plan: Plan) -> Mapping[str, Measurement]:
    """Returns each compared method beside its peer."""
    batch = _QUICK_BATCH if plan.quick else plan.batch_size
    how = {"data": plan.tree, "device": plan.device, "batch_size": batch, **plan.steps}
    found = {}
    for method, (peer, module) in zip(COMPARED, MODULES.items(), strict=True):
        settings = {**plan.settings, "method": method}
        found[method] = Measurement("measured.training", {**how, "settings": settings})
        for precision in ("fp32",) if plan.quick else ("bf16", "fp32"):
            arguments = {**how, "precision": precision, "workers": plan.cores}
            found[f"{peer}, {precision}"] = Measurement(module, arguments)
    return found


def _faster(method: str, peer: str, target: float) -> Goal:
    value = ratio(method, peer, "images_per_second")
    return Goal(f"{method} / {peer}", value, "≥", target, ".2fx")


PEERS = Part(
    "peers",
    "Training of ViT-B/16 from JPEG files",
    _rows,
    (
        Column("images/s", "images_per_second", ",.1f"),
        Column("s a step", "step_seconds", ".3f"),
        Column("MFU", "mfu", ".1%"),
        Column("workers", "workers", "d"),
        Column("peak MB", "peak_memory_mb", ",.0f"),
    ),
    (
        _faster("lift_plus", "plain loop, fp32", 2.5),
        _faster("lora", "Trainer + peft, fp32", 1.5),
        _faster("lora", "Trainer + peft, bf16", 1.5),
    ),
    needs_files=True,
)
