"""Training of ViT-B/16 from photographs in files: every method, and the peers."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section
from benchmarks.throughput.settings import JPEGS, METHODS

PEERS = {
    "plain loop": "peers.plain",
    "Trainer + peft": "peers.hf_trainer",
    "timm": "peers.timm_loop",
}
COMPARED = ("lift_plus", "lora", "full")  # methods that a peer trains too
COLUMNS = (
    Column("images/s", "images_per_second"),
    Column("s a step", "step_seconds"),
    Column("MFU", "mfu", ".0%"),
    Column("peak MB", "peak_memory_mb", ",.0f"),
    Column("data", "shares.data", ".1%"),
    Column("decode", "shares.decode", ".1%"),
    Column("augment", "shares.augment", ".1%"),
    Column("transfer", "shares.transfer", ".1%"),
    Column("forward", "shares.forward", ".1%"),
    Column("backward", "shares.backward", ".1%"),
    Column("step", "shares.step", ".1%"),
    Column("bookkeeping", "shares.bookkeeping", ".1%"),
)


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the rows: all methods, one also with a resident batch, and the peers."""
    how = {
        "data": scale.tree,
        "device": scale.device,
        "batch_size": scale.batch_size,
        "warmup": scale.warmup,
        "steps": scale.steps,
    }
    found = {
        method: Measurement(
            "measured.training",
            {**how, "settings": {**JPEGS, "method": method}},
            once=method not in COMPARED,
        )
        for method in METHODS
    }
    resident = {**how, "settings": {**JPEGS, "method": "lift_plus"}, "resident": True}
    found["lift_plus, resident images"] = Measurement("measured.training", resident)
    for peer, module in PEERS.items():
        for precision in ("fp32", "bf16"):
            arguments = {**how, "precision": precision, "workers": scale.workers}
            found[f"{peer}, {precision}"] = Measurement(module, arguments)
    return found


TRAINING = Section("training", "Training, ViT-B/16 at 224 from JPEG files", rows, COLUMNS)
