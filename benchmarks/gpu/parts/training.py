"""Training of each backbone with each method, on images that are on the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.gpu.part import Goal, Part, figure
from benchmarks.gpu.plan import Plan
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.section import Column
from benchmarks.throughput.settings import METHODS

MODULE = "benchmarks.gpu.measured.training"
_NOISE = {"images": "4096", "classes": "1000", "side": "224"}
_QUICK_NOISE = {"images": "24", "classes": "6", "side": "32"}
COLUMNS = (
    Column("batch", "batch_size", "d"),
    Column("images/s", "images_per_second", ",.0f"),
    Column("s a step", "step_seconds", ".4f"),
    Column("MFU", "mfu", ".1%"),
    Column("peak MB", "peak_memory_mb", ",.0f"),
    Column("largest batch", "largest_batch", "d"),
    Column("images/s", "largest_images_per_second", ",.0f"),
    Column("MFU", "largest_mfu", ".1%"),
    Column("peak MB", "largest_peak_memory_mb", ",.0f"),
)


def resident(plan: Plan, backbone: str, method: str, **changes: object) -> Measurement:
    """Returns the measurement of a method's training on images that are on the device.

    Args:
        plan: Sizes of the measurements.
        backbone: Name of the backbone in the plan.
        method: Name of the method.
        changes: Other arguments of `measured.training`.
    """
    noise = _QUICK_NOISE if plan.quick else _NOISE
    settings = {
        **plan.backbones[backbone],
        **{f"dataset.{key}": value for key, value in noise.items()},
        "method": method,
    }
    own = {"settings": settings, "device": plan.device, "batch_size": plan.batch_size}
    return Measurement(MODULE, {**own, **plan.steps, **changes})


def _rows(number: int) -> Callable[[Plan], Mapping[str, Measurement]]:
    def rows(plan: Plan) -> Mapping[str, Measurement]:
        """Returns a row for each method."""
        backbone = list(plan.backbones)[min(number, len(plan.backbones) - 1)]
        methods = METHODS[:2] if plan.quick else METHODS
        return {
            f"{method}, {backbone}": resident(plan, backbone, method, largest=True)
            for method in methods
        }

    return rows


TRAINING = (
    Part(
        "training-b16",
        "Training of ViT-B/16 on images that are on the device",
        _rows(0),
        COLUMNS,
        (
            Goal(
                "MFU of lift_plus on ViT-B/16, batch 128",
                figure("lift_plus, ViT-B/16", "mfu"),
                "≥",
                0.45,
                ".1%",
            ),
        ),
    ),
    Part(
        "training-l14",
        "Training of ViT-L/14 on images that are on the device",
        _rows(1),
        COLUMNS,
    ),
)
