"""Time of each operation of a training step against what the machine could do at best.

An operation takes at least its products' operations over the machine's best rate, and at least the
bytes that it reads and writes over the bandwidth of a copy: the roofline model (Williams et al.,
CACM 2009). The sum over a step is a bound that no reordering of the same operations beats.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from benchmarks.throughput import ours
from benchmarks.throughput.measured.machine import peak_gflops
from benchmarks.throughput.meter import wait

_COPIED_BYTES = 1 << 28
_SHOWN = 12  # operations that are listed by themselves
_DTYPES = {torch.float32: "fp32", torch.bfloat16: "bf16"}


@dataclass
class Operation:
    """Calls of one operation on operands of one size, in all timed steps.

    Args:
        calls: Number of calls.
        seconds: Duration of all of them.
        operations: Floating-point operations of their products; 0 without a product.
        moved: Bytes that they read and write.
        precision: "fp32" or "bf16".
    """

    calls: int = 0
    seconds: float = 0.0
    operations: int = 0
    moved: int = 0
    precision: str = "fp32"

    def least(self, peaks: Mapping[str, float], bandwidth: float) -> float:
        """Returns the shortest possible duration in seconds.

        Args:
            peaks: Best rates of a product in GFLOP/s, by precision.
            bandwidth: Bytes a second of a copy.
        """
        return max(self.operations / peaks[self.precision] / 1e9, self.moved / bandwidth)


@dataclass
class _Clock(TorchDispatchMode):
    """Times each operation below autograd, forwards and backwards."""

    device: torch.device
    found: dict[str, Operation] = field(default_factory=dict)
    running: bool = False

    def __post_init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        wait(self.device)
        start = time.perf_counter()
        out = func(*args, **(kwargs or {}))
        wait(self.device)
        seconds = time.perf_counter() - start
        if self.running and not func.is_view:
            self._add(func, args, kwargs or {}, out, seconds)
        return out

    def _add(self, func: Any, args: Any, kwargs: Any, out: Any, seconds: float) -> None:
        read = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        written = [one for one in tree_leaves(out) if isinstance(one, Tensor)]
        shapes = " ".join("x".join(map(str, one.shape)) for one in read if one.ndim > 1)
        dtype = read[0].dtype if read else torch.float32
        name = f"{func.overloadpacket.__name__} {shapes} {_DTYPES.get(dtype, dtype)}"
        operation = self.found.setdefault(name, Operation(precision=_DTYPES.get(dtype, "fp32")))
        count = flop_registry.get(func.overloadpacket)
        operation.calls += 1
        operation.seconds += seconds
        operation.operations += int(count(*args, **kwargs, out_val=out)) if count else 0
        operation.moved += sum(one.numel() * one.element_size() for one in (*read, *written))


def run(
    settings: dict[str, str], data: str, device: str, batch_size: int, steps: int
) -> dict[str, Any]:
    """Returns seconds of a step by operation, and the least that they can be.

    Args:
        settings: Settings of the run.
        data: Data root.
        device: Device of the run.
        batch_size: Number of images per step.
        steps: Number of timed steps, which see one batch.
    """
    chosen = torch.device(device)
    prepared = ours.build({**settings, "train.batch_size": str(batch_size)}, Path(data), device, 0)
    clock = _Clock(chosen)
    loader = _Steps(ours.FewImages(ours.train_loader(prepared), batch_size), clock, steps)
    with clock:
        ours.train_epoch(prepared, loader)
    peaks = {name: peak_gflops(chosen, dtype) for dtype, name in _DTYPES.items()}
    bandwidth = _bandwidth(chosen)
    operations = dict(sorted(clock.found.items(), key=lambda item: -item[1].seconds))
    listed = {
        name: {
            "calls": one.calls / steps,
            "seconds": one.seconds / steps,
            "least": one.least(peaks, bandwidth) / steps,
            "gflops": one.operations / one.seconds / 1e9,
        }
        for name, one in list(operations.items())[:_SHOWN]
    }
    products = [one for one in operations.values() if one.operations]
    return {
        "peaks": peaks,
        "bandwidth_gb": bandwidth / 1e9,
        "step_seconds": sum(one.seconds for one in operations.values()) / steps,
        "least_seconds": sum(one.least(peaks, bandwidth) for one in operations.values()) / steps,
        "product_seconds": sum(one.seconds for one in products) / steps,
        "least_product_seconds": sum(one.least(peaks, bandwidth) for one in products) / steps,
        "operations": listed,
    }


class _Steps:
    """Train loader that repeats a batch: once to warm up, then for the timed steps."""

    def __init__(self, loader: ours.FewImages, clock: _Clock, steps: int) -> None:
        self._loader = loader
        self._clock = clock
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def __len__(self) -> int:
        return len(self._loader) * (1 + self._steps)

    def epoch(self, epoch: int, batch_size: int, parts: int = 1) -> Any:
        """Yields the batch, again and again."""
        batch = next(iter(self._loader.epoch(epoch, batch_size, parts)))
        yield batch
        for _ in range(self._steps):
            self._clock.running = True
            yield batch
        self._clock.running = False


def _bandwidth(device: torch.device) -> float:
    """Returns bytes a second that a copy reads and writes."""
    source = torch.zeros(_COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(8):
        wait(device)
        start = time.perf_counter()
        target.copy_(source)
        wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * _COPIED_BYTES / best
