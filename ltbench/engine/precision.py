"""The precision of matrix products: what was asked for, or what the device multiplies fastest."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache

import torch

from ltbench.config.runspec import Precision

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_WORTH_IT = 1.2  # a lower precision must be this much faster to be chosen
_SIZE = 1024


@dataclass(frozen=True)
class Arithmetic:
    """How the model computes; its weights stay float32 in any case.

    Args:
        name: "fp32", "bf16" or "fp16".
        reason: Why, as shown to the user.
        device_type: "cpu" or "cuda".
    """

    name: str
    reason: str
    device_type: str

    def autocast(self) -> AbstractContextManager[object]:
        """Returns the context that the forward pass runs in."""
        if self.name == "fp32":
            return nullcontext()
        return torch.autocast(self.device_type, dtype=_DTYPES[self.name])

    def scaler(self) -> torch.amp.GradScaler:
        """Returns the loss scaling that half precision needs, switched off for the others."""
        return torch.amp.GradScaler(self.device_type, enabled=self.name == "fp16")


def choose_arithmetic(precision: Precision, device: torch.device) -> Arithmetic:
    """Returns the arithmetic asked for; "auto" measures a matrix product once per process."""
    if precision != "auto":
        return Arithmetic(precision, "as asked", device.type)
    name, speedup = _fastest(str(device))
    reason = f"measured {speedup:.1f}x fp32" if name != "fp32" else "nothing measured faster"
    return Arithmetic(name, reason, device.type)


@cache
def _fastest(device: str) -> tuple[str, float]:
    # fp16 needs loss scaling and bf16 does not: it is tried only where a GPU has no bf16.
    name = "bf16"
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
        _wait(device)
        start = time.perf_counter()
        left @ left
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
