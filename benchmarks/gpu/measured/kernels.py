"""Kernels of a training step, and what in it waits for the device."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.resident import build_resident, take_steps
from benchmarks.throughput.meter import wait

_STEPS = 3
_SHOWN_KERNELS = 15
_FLASH = re.compile(r"flash", re.IGNORECASE)
_FUSED = re.compile(r"fmha|efficient|cudnn.*(sdpa|attention|mha)", re.IGNORECASE)
_MATH = ("aten::_softmax", "aten::_safe_softmax", "aten::_scaled_dot_product_attention_math")
_ATTENTION = re.compile(r"scaled_dot_product\w*attention\w*")
_WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize", "aten::item")


def run(settings: dict[str, str], device: str, batch_size: int) -> dict[str, Any]:
    """Returns names and time shares of kernels, and the number of waits in a step.

    Args:
        settings: Settings of the run.
        device: Device of the run.
        batch_size: Images per step.
    """
    settings = {**settings, "train.batch_size": str(batch_size)}
    prepared = build_resident(settings, device)
    cuda = device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    profiler = profile(activities=activities)

    @contextmanager
    def profiled() -> Iterator[None]:
        wait(torch.device(device))
        with profiler:
            yield

    take_steps(prepared, _STEPS, profiled)
    times: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for event in profiler.key_averages():
        calls[event.key] += event.count
        if not cuda:
            times[event.key] += event.self_cpu_time_total
        elif event.device_type.name == "CUDA":  # an operation has the time of its kernels too
            times[event.key] += event.self_device_time_total
    total = sum(times.values())
    kernels = [name for name, spent in times.items() if spent > 0]
    return {
        "precision": prepared.parts.policy.name,
        "flash": sum(calls[name] for name in kernels if _FLASH.search(name)),
        "other_fused": sum(calls[name] for name in kernels if _FUSED.search(name)),
        "math": sum(calls[name] for name in _MATH),
        "attention": sorted({m[0] for name in calls for m in _ATTENTION.finditer(name)}),
        "waits": sum(calls[name] for name in _WAITS) / _STEPS,
        "time_shares": {
            name[:100]: spent / total for name, spent in times.most_common(_SHOWN_KERNELS)
        },
        **_strict(settings, device),
    }


def _strict(settings: dict[str, str], device: str) -> dict[str, str]:
    """Returns the outcome of steps in which CUDA refuses whatever waits."""
    if device != "cuda":
        return {"sync_debug_mode": "not tried: needs a GPU"}

    @contextmanager
    def refusing() -> Iterator[None]:
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")

    try:
        take_steps(build_resident(settings, device), _STEPS, refusing)
    except RuntimeError as error:
        return {"sync_debug_mode": str(error)[:500]}
    return {"sync_debug_mode": "passed"}
