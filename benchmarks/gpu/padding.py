"""Crops of images of different sizes on the device, from one padded uint8 tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ltbench.data.loading.resample import resample
from ltbench.views import Views


def padded(images: Sequence[Tensor]) -> Tensor:
    """Returns images (3, h, w) as (B, 3, H, W) with the largest height and width.

    The pixels that are added are 0; no view that is cropped first reads them.
    """
    height, width = (max(image.shape[axis] for image in images) for axis in (1, 2))
    made = images[0].new_zeros(len(images), 3, height, width)
    for row, image in zip(made, images, strict=True):
        row[:, : image.shape[1], : image.shape[2]] = image
    return made


def crop_padded(images: Tensor, views: Views, resolution: int) -> Tensor:
    """Returns the views (B, V, 3, R, R) of padded images, computed on their device.

    Args:
        images: Padded images (B, 3, H, W), uint8.
        views: Views with boxes (B, V, 4) in the images without padding, cropped first.
        resolution: Side R of the views in pixels.
    """
    if not views.crop_first:
        raise ValueError("the filter of a view would read the padding")
    boxes = torch.from_numpy(views.boxes).to(images.device)
    flips = None if views.flips is None else torch.from_numpy(views.flips).to(images.device)
    return resample(images, boxes, flips, resolution, crop_first=True)


def as_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """Returns an image (h, w, 3) as (3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
