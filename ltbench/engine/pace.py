"""How fast a backbone computes in each precision: measured once for all runs of a store."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.cache import Arrays, Cache, NoRoomError
from ltbench.config.runspec import Precision
from ltbench.engine.precision import (
    Arithmetic,
    asked_for,
    fastest_products,
    wait_for,
)

_PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "fp16")
_ENOUGH = 0.03  # seconds that a pass must take so that its time means something
_WORTH_IT = 1.4  # small backbones are near 1, ViT-B/16 is near 2: noise decides nothing
_ROUNDS = 3  # at least
_LEAST = 0.6  # seconds of all passes: short ones need more of them
_FEWEST = 2  # images of a pass: with one, casting the weights weighs too much
_MOST = 32


def choose_arithmetic(
    precision: Precision, backbone: Backbone, key: Mapping[str, Any], cache: Cache
) -> Arithmetic:
    """Returns the arithmetic asked for; "auto" is what the backbone is fastest with.

    A lower precision than float32 must be faster in products of matrices, and 1.4 times as fast
    with the backbone: small ones lose more by casting than they gain.

    Args:
        precision: As asked for.
        backbone: On its device, frozen.
        key: All that its speed depends on: runs that share a store make the same choice.
        cache: Of that store.
    """
    seconds = _kept(precision, backbone, key, cache)
    device = backbone.mean.device
    if precision != "auto":
        return replace(asked_for(precision, device), seconds=seconds[precision])
    exact = seconds.pop("fp32")
    if not seconds:
        return Arithmetic("fp32", "others multiply no faster", device.type, exact)
    ((name, lower),) = seconds.items()
    speedup = exact / lower
    if speedup < _WORTH_IT:
        return Arithmetic("fp32", f"{name} measured {speedup:.1f}x", device.type, exact)
    return Arithmetic(name, f"measured {speedup:.1f}x fp32", device.type, lower)


def _kept(
    precision: Precision, backbone: Backbone, key: Mapping[str, Any], cache: Cache
) -> dict[Precision, float]:
    """Returns the seconds that an image takes in each precision there is to choose from."""
    measured: dict[Precision, float] = {}

    def fill(arrays: Arrays) -> None:
        measured.update(_measured(_candidates(precision, backbone), backbone))
        arrays["seconds"][:] = [measured.get(name, np.nan) for name in _PRECISIONS]

    about = {"what": "seconds an image", "precision": precision, **key}
    try:
        found = cache.get(about, {"seconds": ((len(_PRECISIONS),), "float64")}, fill)["seconds"]
    except NoRoomError:
        return _measured(_candidates(precision, backbone), backbone)
    each = zip(_PRECISIONS, found.tolist(), strict=True)
    return {name: seconds for name, seconds in each if not np.isnan(seconds)}


def _candidates(precision: Precision, backbone: Backbone) -> list[Precision]:
    if precision != "auto":
        return [precision]
    return list(dict.fromkeys(["fp32", fastest_products(str(backbone.mean.device))[0]]))


def _measured(names: Sequence[Precision], backbone: Backbone) -> dict[Precision, float]:
    """Returns the seconds an image of each precision."""
    backbone.eval()
    device, side = backbone.mean.device, backbone.resolution
    count = _MOST if device.type == "cuda" else _FEWEST
    first = asked_for(names[0], device)
    while count < _MOST and _pass(backbone, _images(count, side, device), first) < _ENOUGH:
        count *= 2
    images = _images(count, side, device)
    rounds: list[list[float]] = []
    while len(rounds) < _ROUNDS or sum(map(sum, rounds)) < _LEAST:
        rounds.append([_pass(backbone, images, asked_for(name, device)) for name in names])
    seconds = np.min(rounds, axis=0) / count
    return dict(zip(names, seconds.tolist(), strict=True))


def _images(count: int, side: int, device: torch.device) -> Tensor:
    ramp = torch.linspace(-1, 1, count * 3 * side * side, device=device)
    return ramp.reshape(count, 3, side, side)


def _pass(backbone: Backbone, images: Tensor, arithmetic: Arithmetic) -> float:
    """Returns the seconds of a forward pass, and of one back that learns no frozen weight."""
    wait_for(images.device)
    start = time.perf_counter()
    images = images.detach().requires_grad_(True)
    with torch.enable_grad():
        with arithmetic.autocast():
            features = backbone(images)
        if features.requires_grad:
            features.float().sum().backward()
    wait_for(images.device)
    return time.perf_counter() - start
