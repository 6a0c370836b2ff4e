"""Training of the embedded default with every method."""

from __future__ import annotations

from benchmarks.throughput.process import Measurement
from benchmarks.throughput.scale import Scale
from benchmarks.throughput.section import Section
from benchmarks.throughput.sections.training import COLUMNS
from benchmarks.throughput.settings import DIGITS as SETTINGS
from benchmarks.throughput.settings import METHODS

_BATCH_SIZE = 32  # of the data set's recipe


def rows(scale: Scale) -> dict[str, Measurement]:
    """Returns one row per method."""
    how = {"data": scale.tree, "device": scale.device, "batch_size": _BATCH_SIZE}
    how |= {"warmup": 10, "steps": 60}
    return {
        method: Measurement(
            "measured.training", {**how, "settings": {**SETTINGS, "method": method}}, once=True
        )
        for method in METHODS
    }


DIGITS = Section("digits", "Training, clip_tiny on digits_lt", rows, COLUMNS)
