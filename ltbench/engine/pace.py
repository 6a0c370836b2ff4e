"""How fast a backbone computes in each precision: measured once for all runs of a store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.cache import Arrays, Cache, NoRoomError
from ltbench.config.runspec import Precision
from ltbench.engine.precision import (
    WORTH_IT,
    Arithmetic,
    asked_for,
    fastest_products,
    wait_for,
)

_ENOUGH = 0.03  # seconds that a pass must take so that its time means something
_MOST = 32  # images of a pass


def choose_arithmetic(
    precision: Precision, backbone: Backbone, key: Mapping[str, Any], cache: Cache
) -> Arithmetic:
    """Returns the arithmetic asked for; "auto" is what the backbone is fastest with.

    A lower precision than float32 must be faster in products of matrices, and with the backbone:
    small ones lose more by casting than they gain.

    Args:
        precision: As asked for.
        backbone: On its device, frozen.
        key: All that its speed depends on: runs that share a store make the same choice.
        cache: Of that store.
    """
    device = backbone.mean.device
    names: tuple[Precision, ...] = (precision,)
    if precision == "auto":
        lower = fastest_products(str(device))[0]
        names = ("fp32",) if lower == "fp32" else ("fp32", lower)
    seconds = _seconds_of(names, backbone, key, cache)
    if precision != "auto":
        return replace(asked_for(precision, device), seconds=seconds[0])
    if len(names) == 1:
        return Arithmetic("fp32", "others multiply no faster", device.type, seconds[0])
    speedup = seconds[0] / seconds[1]
    if speedup < WORTH_IT:
        return Arithmetic("fp32", f"{names[1]} measured {speedup:.1f}x", device.type, seconds[0])
    return Arithmetic(names[1], f"measured {speedup:.1f}x fp32", device.type, seconds[1])


def _seconds_of(
    names: Sequence[Precision], backbone: Backbone, key: Mapping[str, Any], cache: Cache
) -> list[float]:
    """Returns the seconds an image of each precision, (P,)."""

    def fill(arrays: Arrays) -> None:
        arrays["seconds"][:] = _measured(names, backbone)

    about = {"what": "seconds an image", "precisions": list(names), **key}
    try:
        found = cache.get(about, {"seconds": ((len(names),), "float64")}, fill)
    except NoRoomError:
        return _measured(names, backbone)
    return [float(seconds) for seconds in found["seconds"]]


def _measured(names: Sequence[Precision], backbone: Backbone) -> list[float]:
    backbone.eval()
    device, side = backbone.mean.device, backbone.resolution
    count = _MOST if device.type == "cuda" else 1
    first = asked_for(names[0], device)
    while count < _MOST and _pass(backbone, _images(count, side, device), first) < _ENOUGH:
        count *= 2
    images = _images(count, side, device)
    best = []
    for name in names:
        arithmetic = asked_for(name, device)
        best.append(min(_pass(backbone, images, arithmetic) for _ in range(2)) / count)
    return best


def _images(count: int, side: int, device: torch.device) -> Tensor:
    ramp = torch.linspace(-1, 1, count * 3 * side * side, device=device)
    return ramp.reshape(count, 3, side, side)


def _pass(backbone: Backbone, images: Tensor, arithmetic: Arithmetic) -> float:
    """Returns the seconds of a forward pass, and of one back that learns no frozen weight."""
    wait_for(images.device)
    start = time.perf_counter()
    images = images.detach().requires_grad_(True)
    with torch.enable_grad():
        with arithmetic.autocast(backward=True):
            features = backbone(images)
        if features.requires_grad:
            features.float().sum().backward()
    wait_for(images.device)
    return time.perf_counter() - start
