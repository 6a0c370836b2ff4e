"""Decoding and cropping on the device, against the loader workers' way on one core."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.gpu.padding import as_tensor, crop_padded, padded
from benchmarks.throughput import ours
from benchmarks.throughput.images import read_rows
from benchmarks.throughput.meter import wait
from ltbench.views import Views

_ROUNDS = 3


def run(settings: dict[str, str], data: str, device: str, images: int) -> dict[str, Any]:
    """Returns images per second of each step, and the largest difference of the pixels, in levels.

    Args:
        settings: Settings of the run.
        data: Data root.
        device: Device that decodes and crops.
        images: Number of images, which are a batch.
    """
    chosen = torch.device(device)
    folder = Path(data) / "imagenet_lt"
    rows = read_rows(folder, "train")[:images]
    contents = [(folder / path).read_bytes() for path, _ in rows]
    views = ours.FileViews(settings, Path(data))
    pixels = [ours.decode_file(content) for content in contents]
    seen = [views.views(number, each) for number, each in enumerate(pixels)]
    all_views = _joined(seen)
    expected = torch.cat([views.crop(*each) for each in zip(pixels, seen, strict=True)])
    batch = padded([as_tensor(each) for each in pixels])
    on_device = batch.to(chosen)
    made = crop_padded(on_device, all_views, views.resolution)[:, 0]
    found = {
        "images": len(pixels),
        "copy": _rate(lambda: batch.to(chosen), chosen, len(pixels)),
        "crop": _rate(
            lambda: crop_padded(on_device, all_views, views.resolution), chosen, len(pixels)
        ),
        "largest_difference": float((made.cpu().int() - expected.int()).abs().max()),
    }
    return {**found, **_decoded(contents, pixels, chosen)}


def _joined(views: Sequence[Views]) -> Views:
    flips = [each.flips for each in views if each.flips is not None]
    return Views(
        np.concatenate([each.boxes for each in views]),
        np.concatenate(flips) if flips else None,
        views[0].crop_first,
    )


def _decoded(contents: Sequence[bytes], pixels: Sequence[Any], device: torch.device) -> Any:
    """Returns the rate of torchvision's decoder on the device, or the reason why it has none."""
    if device.type != "cuda":
        return {"device_decoder": "none: nvJPEG needs a GPU"}
    try:
        from torchvision.io import decode_jpeg

        encoded = [torch.frombuffer(bytearray(content), dtype=torch.uint8) for content in contents]

        def decode() -> list[Tensor]:
            decoded: list[Tensor] = decode_jpeg(encoded, device=device)
            return decoded

        made = decode()
        gaps = [
            float((one.cpu().int() - as_tensor(each).int()).abs().max())
            for one, each in zip(made, pixels, strict=True)
        ]
        rate = _rate(decode, device, len(encoded))
    except Exception as error:  # a build without nvJPEG raises one of several types
        return {"device_decoder": f"none: {str(error)[:200]}"}
    return {"device_decoder": "nvJPEG", "decode": rate, "decode_difference": max(gaps)}


def _rate(work: Callable[[], object], device: torch.device, images: int) -> float:
    work()
    best = float("inf")
    for _ in range(_ROUNDS):
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        best = min(best, time.perf_counter() - start)
    return images / best
