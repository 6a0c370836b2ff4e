"""Goals of the benchmark, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.throughput.measured.startup import IMPORTS
from benchmarks.throughput.results import Results
from benchmarks.throughput.sections.roofline import PEER as LORA_PEER
from benchmarks.throughput.sections.scaling import row_of
from benchmarks.throughput.values import Difference, Figure, Ratio, Value


@dataclass(frozen=True)
class Goal:
    """A lower or upper bound of a measured number.

    Args:
        name: Name of the number, and of what it is compared with.
        value: Measured number.
        sign: Side of the target on which the number must be.
        target: Bound; None: the number is only shown.
        form: Format of the number, as in Python's `format`.
        devices: Devices with this goal.
    """

    name: str
    value: Value
    sign: Literal["≥", "≤"]
    target: float | None
    form: str = ".2f"
    devices: tuple[str, ...] = ("cpu", "cuda")

    def reached(self, results: Results) -> bool | None:
        """Returns whether the goal is reached; None without a measurement or a target."""
        found = self.value.of(results)
        if found is None or self.target is None:
            return None
        return found >= self.target if self.sign == "≥" else found <= self.target


_CPU, _GPU = ("cpu",), ("cuda",)


def _faster(
    section: str, row: str, peer: str, target: float | None, devices: tuple[str, ...] = _CPU + _GPU
) -> Goal:
    ratio = Ratio(section, row, peer, "images_per_second")
    return Goal(f"{section}: {row} / {peer}", ratio, "≥", target, ".2fx", devices)


_RESIDENT = "lift_plus, resident images"
_MB_PER_GB = 1e9 / 2**20  # MiB

GOALS = (
    _faster("training", "lift_plus", "plain loop, fp32", 2.5),
    _faster("training", "lift_plus", "plain loop, bf16", None),
    Goal(
        "accuracy of lift_plus: bf16 and fp32 apart, standard errors",
        Figure("accuracy", "lift_plus", "standard_errors"),
        "≤",
        2.0,
    ),
    Goal("MFU of lift_plus", Figure("training", "lift_plus", "mfu"), "≥", 0.5, ".0%", _CPU),
    Goal(
        "share of waiting for data and bookkeeping, lift_plus",
        Figure("training", "lift_plus", "overhead"),
        "≤",
        0.05,
        ".1%",
    ),
    _faster("evaluation", "tte", "plain loop, tte, fp32", 2.0),
    _faster("evaluation", "tte", "plain loop, tte, bf16", 2.0),
    _faster("evaluation", "center", "plain loop, center, fp32", None),
    Goal(
        "classifier_only on kept features: first epoch / later ones",
        Figure("frozen", "classifier_only", "times_faster"),
        "≥",
        50,
        ".0fx",
    ),
    _faster("training", "lora", "Trainer + peft, fp32", 1.5),
    _faster("training", "lora", LORA_PEER, 1.5, _GPU),
    # Both compute the same products, at nine tenths of the processor's best rate: no goal of a
    # ratio can be far above what is measured, so the goal is the share of the best rate.
    _faster("training", "lora", LORA_PEER, None, _CPU),
    Goal(
        "lora's step, bf16: at the machine's best rates / measured",
        Ratio("roofline", "lora", "lora", "least_seconds", "step_seconds"),
        "≥",
        0.85,
        ".0%",
        _CPU,
    ),
    Goal(
        f"a step: {LORA_PEER} / lora at the machine's best rates",
        Ratio("roofline", LORA_PEER, "lora", "step_seconds", "least_seconds"),
        "≥",
        None,
        ".2fx",
        _CPU,
    ),
    _faster("training", "full", "timm, fp32", None),
    _faster("training", "full", "timm, bf16", None),
    # Nine tenths of the time are libjpeg-turbo, torch's kernel and reading: 2.2 at most.
    Goal(
        "file to MDA view, one thread: ltbench / torchvision/PIL",
        Ratio("decoding", "ltbench", "torchvision/PIL", "whole"),
        "≥",
        1.9,
        ".2fx",
    ),
    Goal(
        "largest difference from Pillow's view, levels",
        Figure("decoding", "ltbench", "largest_difference"),
        "≤",
        2,
        ".0f",
    ),
    Goal(
        "seconds from the imports' end to the first step",
        Difference("startup", "ltbench run", IMPORTS, "seconds"),
        "≤",
        0.0,
    ),
    Goal(
        "peak memory of the embedded default, MB",
        Figure("startup", "ltbench run", "peak_memory_mb"),
        "≤",
        1.5 * _MB_PER_GB,
        ",.0f",
        _CPU,
    ),
    Goal(
        "grid of short runs / (their training and evaluation / jobs)",
        Figure("grid", "embedded default", "times"),
        "≤",
        1.3,
        ".2fx",
        _CPU,
    ),
    Goal(
        "time an image: 100,000 / 1,000 images",
        Ratio("scaling", row_of(100_000), row_of(1_000), "microseconds_per_image"),
        "≤",
        1.1,
        ".2fx",
    ),
    Goal(
        "peak memory: 100,000 / 1,000 images",
        Ratio("scaling", row_of(100_000), row_of(1_000), "peak_memory_mb"),
        "≤",
        1.1,
        ".2fx",
    ),
    Goal(
        "MFU of lift_plus, images on the device",
        Figure("training", _RESIDENT, "mfu"),
        "≥",
        0.45,
        ".0%",
        _GPU,
    ),
    Goal(
        "training from files / from images on the device",
        Ratio("training", "lift_plus", _RESIDENT, "images_per_second"),
        "≥",
        0.8,
        ".2fx",
        _GPU,
    ),
)
