"""Effect of a lower precision on the accuracy of LIFT+, with the same seeds."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Column, Section


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns the embedded default with a few seeds in each precision."""
    arguments = {"seeds": scale.seeds, "device": scale.device}
    return {"lift_plus": Measurement("measured.accuracy", arguments, once=True)}


ACCURACY = Section(
    "accuracy",
    "Accuracy on digits_lt by precision, %",
    rows,
    (
        Column("seeds", "seeds", "d"),
        Column("fp32", "fp32"),
        Column("bf16", "bf16"),
        Column("standard errors apart", "standard_errors"),
    ),
)
