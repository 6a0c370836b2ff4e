"""Time from the start of `ltbench run` to its first training step."""

from __future__ import annotations

from benchmarks.throughput.measured.startup import IMPORTS
from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the rows: the imports only, and the embedded default."""
    return {
        IMPORTS: Measurement("measured.startup", {"what": "imports", "device": scale.device}),
        "ltbench run": Measurement("measured.startup", {"what": "ltbench", "device": scale.device}),
    }


STARTUP = Section(
    "startup",
    "Start-up of the embedded default",
    rows,
    (
        Column("seconds to first step", "seconds"),
        Column("of the processor", "cpu_seconds"),
        Column("training s", "training_seconds"),
        Column("evaluation s", "evaluation_seconds"),
        Column("peak MB of the run", "peak_memory_mb", ",.0f"),
    ),
)
