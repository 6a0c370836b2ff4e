"""Precision of matrix products: as chosen, or a function of the device and the model's size."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from ltbench.backbone import Backbone
from ltbench.config.runspec import Precision
from ltbench.engine.model.attention import AttentionOfProducts
from ltbench.engine.model.flops import forward_flops

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

MIN_GFLOPS_ON_CPU = 1.0
"""Forward operations an image from which bfloat16 gains on a CPU: see `ltbench docs speed`."""
_BF16_CAPABILITY = (8, 0)  # CUDA: the first GPUs whose tensor cores multiply bfloat16
_FP16_CAPABILITY = (7, 0)  # CUDA: the first GPUs with tensor cores
_CPU_FLAG = "avx512_bf16"


@dataclass(frozen=True)
class PrecisionPolicy:
    """Precision of forward passes; the weights stay float32 in any case.

    Args:
        name: "fp32", "bf16" or "fp16".
        reason: Explanation, as shown to the user.
        device_type: "cpu" or "cuda".
    """

    name: str
    reason: str
    device_type: str

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Runs forward passes in this precision within the context."""
        if self.name == "fp32":
            yield
            return
        with (
            torch.autocast(self.device_type, dtype=_DTYPES[self.name]),
            AttentionOfProducts() if self.device_type == "cpu" else nullcontext(),
        ):
            yield

    def scaler(self) -> torch.amp.GradScaler:
        """Returns the loss scaler, which is enabled for half precision only."""
        return torch.amp.GradScaler(self.device_type, enabled=self.name == "fp16")


def choose_precision(precision: Precision, backbone: Backbone) -> PrecisionPolicy:
    """Returns the chosen precision; "auto" is a function of the device and the model's size.

    No clock is read: the same command has the same precision on an idle and on a loaded machine.
    The table of choices and the measurements behind it are in `ltbench docs speed`.

    Args:
        precision: Precision that the run chose.
        backbone: Encoder on its device.
    """
    device = backbone.mean.device
    if precision != "auto":
        return asked_for(precision, device)
    name, reason = lower_precision(device)
    if device.type == "cpu" and name != "fp32":
        gflops = forward_flops(backbone) / 1e9
        reason = f"{gflops:.2g} GFLOP an image, {name} from {MIN_GFLOPS_ON_CPU:g}"
        if gflops < MIN_GFLOPS_ON_CPU:
            name = "fp32"
    return PrecisionPolicy(name, reason, device.type)


def asked_for(precision: Precision, device: torch.device) -> PrecisionPolicy:
    """Returns the policy of a precision that is not "auto"."""
    return PrecisionPolicy(precision, "as asked", device.type)


def lower_precision(device: torch.device) -> tuple[Precision, str]:
    """Returns the lower precision that a device multiplies faster, or "fp32", and the reason."""
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        shown = "compute capability {}.{}".format(*capability)
        if capability >= _BF16_CAPABILITY:
            return "bf16", shown
        return ("fp16" if capability >= _FP16_CAPABILITY else "fp32"), shown
    if _CPU_FLAG in _cpu_flags():
        return "bf16", _CPU_FLAG
    return "fp32", f"the CPU has no {_CPU_FLAG}"


@cache
def _cpu_flags() -> frozenset[str]:
    """Returns the features of the processor; none where the system does not list them."""
    # PyTorch's own function is private, and returns True where bfloat16 is emulated.
    if platform.system() != "Linux":
        return frozenset()
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def wait_for(device: torch.device) -> None:
    """Synchronises the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
