"""Description of the machine, and its peak rate of matrix products."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor

from benchmarks.throughput.meter import wait

PACKAGES = (
    "ltbench", "torch", "torchvision", "open_clip_torch", "timm", "transformers", "peft",
    "accelerate", "pillow", "simplejpeg", "numpy",
)  # fmt: skip
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_SIZES = {"cpu": 4096, "cuda": 8192}
_SECONDS = 4.0  # duration of the products in each precision


def run(device: str) -> dict[str, Any]:
    """Returns names, versions and the peak of each precision in GFLOP/s."""
    chosen = torch.device(device)
    return {
        "device": chosen.type,
        "name": _name(chosen),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: _version(name) for name in PACKAGES},
        "peak_gflops": {name: peak_gflops(chosen, dtype) for name, dtype in _DTYPES.items()},
    }


def peak_gflops(device: torch.device, dtype: torch.dtype) -> float:
    """Returns the peak rate over some large square products."""
    size = _SIZES[device.type]
    left = torch.randn(size, size, device=device).to(dtype)
    best = min(_seconds(left, one) for one in (left, left.mT))
    return 2 * size**3 / best / 1e9


def _seconds(left: Tensor, right: Tensor) -> float:
    best = float("inf")
    end = time.perf_counter() + _SECONDS / 2
    while time.perf_counter() < end:
        wait(left.device)
        start = time.perf_counter()
        left @ right
        wait(left.device)
        best = min(best, time.perf_counter() - start)
    return best


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # of a peer, whose rows then fail
        return None


def _name(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return models[0] if models else platform.processor()
