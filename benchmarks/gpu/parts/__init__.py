"""Parts of the measurements, the most important first."""

from __future__ import annotations

from benchmarks.gpu.part import Part
from benchmarks.gpu.parts.correctness import CORRECTNESS
from benchmarks.gpu.parts.files import FILES
from benchmarks.gpu.parts.kernels import KERNELS
from benchmarks.gpu.parts.peers import PEERS
from benchmarks.gpu.parts.switches import SWITCHES
from benchmarks.gpu.parts.training import TRAINING
from benchmarks.gpu.parts.tte import TTE

PARTS: dict[str, Part] = {
    part.name: part for part in (KERNELS, *TRAINING, FILES, TTE, PEERS, SWITCHES, CORRECTNESS)
}
