"""The devices that models are computed on."""

from __future__ import annotations

import torch

from ltbench.errors import ConfigError


def choose_device(name: str) -> torch.device:
    """Returns the device of a name; "auto" is the first GPU, or the CPU.

    Raises:
        ConfigError: There is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(
            f"--device: '{name}' is no device", hint="take auto, cpu, cuda or cuda:1"
        ) from error
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"--device: '{name}' is not supported", hint="take auto, cpu or cuda")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"--device: there is no '{name}' here ({torch.cuda.device_count()} CUDA devices)",
            hint="take --device cpu, or install a torch that supports your GPU",
        )
    return device


def device_name(device: torch.device) -> str:
    """Returns what the hardware is called."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"cpu ({torch.backends.cpu.get_cpu_capability()})"
