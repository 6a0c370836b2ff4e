"""Speed-up by a lower precision, by the size of the model: the reason for `--precision auto`."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section

_TIMM = (
    "test_vit", "vit_tiny_patch16_224", "resnet18", "vit_small_patch32_224", "resnet50",
    "vit_base_patch32_224", "vit_small_patch16_224", "vit_base_patch16_224",
)  # fmt: skip


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the rows: the embedded backbone, and models of timm with random weights."""
    chosen = {"clip_tiny": {"backbone": "clip_tiny"}} | {
        name: {"backbone": "timm", "backbone.model": name, "backbone.pretrained": "false"}
        for name in _TIMM
    }
    images = 64 if scale.device == "cuda" else 8
    return {
        name: Measurement(
            "measured.precision",
            {"backbone": backbone, "device": scale.device, "images": images},
        )
        for name, backbone in chosen.items()
    }


PRECISION = Section(
    "precision",
    "Forward and backward passes by precision, frozen weights",
    rows,
    (
        Column("GFLOP an image", "gflops_forward", ".3f"),
        Column("fp32 images/s", "fp32_images_per_second", ",.1f"),
        Column("lower images/s", "lower_images_per_second", ",.1f"),
        Column("lower / fp32", "speedup"),
    ),
)
