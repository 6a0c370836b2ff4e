"""Peak memory of this process."""

from __future__ import annotations

from pathlib import Path

import torch


def peak_memory_mb(device: torch.device) -> float:
    """Returns the peak memory of the GPU, or of this process since its `exec`."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
