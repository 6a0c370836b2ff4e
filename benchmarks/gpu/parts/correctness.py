"""Results on the device against those of the CPU, and runs that must be the same."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.gpu.part import Goal, Part, figure
from benchmarks.gpu.plan import Plan
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.section import Column
from benchmarks.throughput.settings import DIGITS

_QUICK = {"limit": "8", "train.epochs": "1", "train.batch_size": "32"}


def _rows(plan: Plan) -> Mapping[str, Measurement]:
    """Returns the comparisons, on `digits_lt`."""

    def compared(what: str, precision: str, seeds: int = 1) -> Measurement:
        settings = {**DIGITS, "precision": precision, **(_QUICK if plan.quick else {})}
        own = {"what": what, "settings": settings, "device": plan.device, "seeds": seeds}
        return Measurement("benchmarks.gpu.measured.correctness", own)

    if plan.quick:
        return {"one process, group of one": compared("group", "fp32")}
    return {
        "one process, group of one": compared("group", "fp32"),
        "the same run twice": compared("again", "fp32"),
        "the same run twice, bf16": compared("again", "bf16"),
        "CPU, fp32": compared("cpu", "fp32", seeds=3),
        "CPU, bf16": compared("cpu", "bf16", seeds=3),
        "one process, all GPUs": compared("groups", "fp32"),
    }


CORRECTNESS = Part(
    "correctness",
    "digits_lt on the device against the CPU",
    _rows,
    (
        Column("points apart", "largest_gap", ".2f"),
        Column("same bits", "same_bits", "d"),
        Column("weights apart", "largest_weight_gap", ".1e"),
    ),
    (
        Goal("accuracy: CPU and device apart, points", figure("CPU, fp32", "largest_gap"), "≤", 1),
        Goal(
            "group of one process: the same bits",
            figure("one process, group of one", "same_bits"),
            "≥",
            1,
            ".0f",
        ),
    ),
)
