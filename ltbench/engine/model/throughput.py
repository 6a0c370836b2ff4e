"""Speed of a backbone, to choose the number of loader workers; it changes no result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ltbench.backbone import Backbone
from ltbench.engine.model.precision import PrecisionPolicy, wait_for
from ltbench.io.array_cache import Arrays, Cache, NoRoomError

_MIN_PASS_SECONDS = 0.03  # shorter passes measure the clock and the calls
_ROUNDS = 3
_MAX_IMAGES = 32


def seconds_per_image(
    backbone: Backbone, policy: PrecisionPolicy, key: Mapping[str, Any], cache: Cache
) -> float:
    """Returns about how many seconds the model takes to learn from an image.

    Args:
        backbone: Frozen encoder on its device.
        policy: Precision of the forward pass.
        key: Values that the speed depends on.
        cache: Cache in which the runs of one folder share the measurement.
    """
    measured = 0.0

    def fill(arrays: Arrays) -> None:
        nonlocal measured
        arrays["seconds"][:] = measured = _measured(backbone, policy)

    about = {"what": "seconds an image", **key}
    try:
        return float(cache.get(about, {"seconds": ((1,), "float64")}, fill)["seconds"][0])
    except NoRoomError:
        return measured or _measured(backbone, policy)


def _measured(backbone: Backbone, policy: PrecisionPolicy) -> float:
    """Returns the seconds an image of the fastest of a few passes."""
    backbone.eval()
    device, side = backbone.mean.device, backbone.resolution
    count = _MAX_IMAGES if device.type == "cuda" else 1
    seconds = _pass(backbone, _images(count, side, device), policy)
    while count < _MAX_IMAGES and seconds < _MIN_PASS_SECONDS:
        count *= 2
        seconds = _pass(backbone, _images(count, side, device), policy)
    images = _images(count, side, device)
    return min(_pass(backbone, images, policy) for _ in range(_ROUNDS)) / count


def _images(count: int, side: int, device: torch.device) -> Tensor:
    ramp = torch.linspace(-1, 1, count * 3 * side * side, device=device)
    return ramp.reshape(count, 3, side, side)


def _pass(backbone: Backbone, images: Tensor, policy: PrecisionPolicy) -> float:
    """Returns the seconds of a forward pass and of a backward pass to the images."""
    wait_for(images.device)
    start = time.perf_counter()
    images = images.detach().requires_grad_(True)
    with torch.enable_grad():
        with policy.autocast():
            features = backbone(images)
        if features.requires_grad:
            features.float().sum().backward()
    wait_for(images.device)
    return time.perf_counter() - start
