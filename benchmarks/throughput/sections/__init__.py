"""Sections of the benchmark, in the order of the table."""

from __future__ import annotations

from benchmarks.throughput.section import Section
from benchmarks.throughput.sections.accuracy import ACCURACY
from benchmarks.throughput.sections.decoding import DECODING
from benchmarks.throughput.sections.digits import DIGITS
from benchmarks.throughput.sections.evaluation import EVALUATION
from benchmarks.throughput.sections.frozen import FROZEN
from benchmarks.throughput.sections.grid import GRID
from benchmarks.throughput.sections.index import INDEX
from benchmarks.throughput.sections.precision import PRECISION
from benchmarks.throughput.sections.roofline import ROOFLINE
from benchmarks.throughput.sections.scaling import SCALING
from benchmarks.throughput.sections.startup import STARTUP
from benchmarks.throughput.sections.training import TRAINING

SECTIONS: dict[str, Section] = {
    section.name: section
    for section in (
        TRAINING,
        ROOFLINE,
        EVALUATION,
        PRECISION,
        DECODING,
        STARTUP,
        DIGITS,
        ACCURACY,
        FROZEN,
        INDEX,
        SCALING,
        GRID,
    )
}
