"""A step's operations against the machine's best rates, and the peer that trains LoRA."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section
from benchmarks.throughput.settings import JPEGS

PEER = "Trainer + peft, bf16"
_METHODS = ("lora", "lift_plus")


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the rows: steps of two methods in bfloat16, one batch repeated, and of the peer."""
    how = {
        "data": scale.tree,
        "device": scale.device,
        "batch_size": scale.batch_size,
        "steps": scale.steps,
    }
    found = {
        method: Measurement(
            "measured.roofline",
            {**how, "settings": {**JPEGS, "method": method, "precision": "bf16"}},
        )
        for method in _METHODS
    }
    loop = {"precision": "bf16", "warmup": scale.warmup, "workers": scale.workers}
    return {**found, PEER: Measurement("peers.hf_trainer", {**how, **loop})}


ROOFLINE = Section(
    "roofline",
    "Operations of a step of ViT-B/16 in bfloat16, and the least that they can take",
    rows,
    (
        Column("s a step", "step_seconds"),
        Column("at best", "least_seconds"),
        Column("s of products", "product_seconds"),
        Column("at best", "least_product_seconds"),
        Column("copy GB/s", "bandwidth_gb", ".1f"),
    ),
)
