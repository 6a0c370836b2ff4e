"""Cropping and resizing of views of a whole batch, on the device of its images."""

from __future__ import annotations

import torch
from torch import Tensor

_KERNEL_RADIUS = 2.0  # source pixels of the bicubic kernel to each side
_EPSILON = 1e-6  # pixels: tolerance for rounded fractions


def resample(
    images: Tensor,
    boxes: Tensor,
    flips: Tensor | None,
    resolution: int,
    crop_first: bool = False,
) -> Tensor:
    """Resizes boxes of images to squares: bicubic, antialiased, rounded as Pillow does.

    A resize is linear and separable, so two batched matrix products do the whole batch. Equal to
    Pillow's `Image.resize(box=...)`, whose filter also reads the pixels around the box; with
    `crop_first` to `Image.crop(...).resize(...)`.

    Args:
        images: Images (B, 3, H, W), uint8.
        boxes: Boxes (B, V, 4) of top, left, height, width in pixels, float64.
        flips: Whether each view is mirrored left to right, (B, V); None mirrors no view.
        resolution: Side R of the views in pixels.
        crop_first: Whether the filter reads only the pixels that the box touches.

    Returns:
        Views (B, V, 3, R, R), uint8.
    """
    height, width = images.shape[-2:]
    top, left, box_height, box_width = boxes.unbind(-1)
    rows = _weights(top, box_height, resolution, height, crop_first)
    columns = _weights(left, box_width, resolution, width, crop_first)
    if flips is not None:
        columns = torch.where(flips[..., None, None], columns.flip(-2), columns)
    pixels = images[:, None].to(torch.float32)
    across = _to_levels(pixels @ columns[:, :, None].mT)
    return _to_levels(rows[:, :, None] @ across).to(torch.uint8)


def _weights(start: Tensor, length: Tensor, resolution: int, size: int, crop_first: bool) -> Tensor:
    """Returns the filter of each output pixel over the source pixels, (B, V, R, size) float32."""
    ratio = (length / resolution)[..., None, None]
    stretch = ratio.clamp(min=1.0)
    steps = torch.arange(resolution, device=start.device, dtype=start.dtype) + 0.5
    center = start[..., None, None] + steps[:, None] * ratio
    pixel = torch.arange(size, device=start.device, dtype=start.dtype)
    first = (center - _KERNEL_RADIUS * stretch + 0.5).floor().clamp(min=0)
    last = (center + _KERNEL_RADIUS * stretch + 0.5).floor().clamp(max=size)
    weights = _bicubic((pixel + 0.5 - center) / stretch)
    if crop_first:
        end = (start + length)[..., None, None]
        first = torch.maximum(first, (start[..., None, None] + _EPSILON).floor())
        last = torch.minimum(last, (end - _EPSILON).ceil())
    weights = weights * ((pixel >= first) & (pixel < last))
    return (weights / weights.sum(-1, keepdim=True)).to(torch.float32)


def _bicubic(x: Tensor) -> Tensor:
    """Returns Keys' cubic kernel with a = -0.5."""
    a = -0.5
    x = x.abs()
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return torch.where(x < 1, near, torch.where(x < _KERNEL_RADIUS, far, 0.0))


def _to_levels(values: Tensor) -> Tensor:
    return (values + 0.5).floor().clamp(0, 255)
