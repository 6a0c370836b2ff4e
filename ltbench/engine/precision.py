"""The precision of matrix products: what was asked for, or what the model is fastest with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache

import torch

from ltbench.config.runspec import Precision
from ltbench.engine.attention import AttentionOfProducts

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_WORTH_IT = 1.2  # a lower precision must be this much faster to be looked at
_SIZE = 1024


@dataclass(frozen=True)
class Arithmetic:
    """How the model computes; its weights stay float32 in any case.

    Args:
        name: "fp32", "bf16" or "fp16".
        reason: Why, as shown to the user.
        device_type: "cpu" or "cuda".
        seconds: That the model takes to learn from an image, about; None where not measured.
    """

    name: str
    reason: str
    device_type: str
    seconds: float | None = None

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Makes the forward pass within it compute in this precision."""
        if self.name == "fp32":
            yield
            return
        with (
            torch.autocast(self.device_type, dtype=_DTYPES[self.name]),
            AttentionOfProducts() if self.device_type == "cpu" else nullcontext(),
        ):
            yield

    def scaler(self) -> torch.amp.GradScaler:
        """Returns the loss scaling that half precision needs, switched off for the others."""
        return torch.amp.GradScaler(self.device_type, enabled=self.name == "fp16")


def asked_for(precision: Precision, device: torch.device) -> Arithmetic:
    """Returns the arithmetic of a precision that is not "auto"."""
    return Arithmetic(precision, "as asked", device.type)


@cache
def fastest_products(device: str) -> tuple[Precision, float]:
    """Returns the precision of the device's fastest matrix products, and how many times as fast.

    Measured once per process. A lower precision than "fp32" is at least 1.2 times as fast.
    """
    # fp16 needs loss scaling and bf16 does not: it is tried only where a GPU has no bf16.
    name: Precision = "bf16"
    if device.startswith("cuda") and not torch.cuda.is_bf16_supported(including_emulation=False):
        name = "fp16"
    exact, lower = (_seconds(torch.device(device), _DTYPES[one]) for one in ("fp32", name))
    speedup = exact / lower
    return (name, speedup) if speedup >= _WORTH_IT else ("fp32", 1.0)


def _seconds(device: torch.device, dtype: torch.dtype) -> float:
    """Returns the fastest of a few products of (1024, 1024) matrices."""
    left = torch.ones(_SIZE, _SIZE, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(5):
        wait_for(device)
        start = time.perf_counter()
        left @ left
        wait_for(device)
        best = min(best, time.perf_counter() - start)
    return best


def wait_for(device: torch.device) -> None:
    """Returns when the device has done all that it was told to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
