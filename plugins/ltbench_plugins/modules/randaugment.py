"""Operations of RandAugment on many images at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as tv

_MAX_MAGNITUDE = 30
Operation = Callable[[Tensor, float], Tensor]
"""Function from (images (M, 3, R, R) uint8, signed strength) to images."""


def _affine(
    images: Tensor,
    across: int = 0,
    down: int = 0,
    shear: tuple[float, float] = (0.0, 0.0),
    center: list[float] | None = None,
) -> Tensor:
    moved: Tensor = tv.affine(
        images,
        angle=0.0,
        translate=[across, down],
        scale=1.0,
        shear=list(shear),
        interpolation=InterpolationMode.NEAREST,
        center=center,
    )
    return moved


def _degrees(slope: float) -> float:
    return float(np.degrees(np.arctan(slope)))


# Strength 1 is the strongest; operations with a direction have a random sign.
SIGNED: tuple[Operation, ...] = (
    lambda x, v: _affine(x, shear=(_degrees(0.3 * v), 0.0), center=[0.0, 0.0]),
    lambda x, v: _affine(x, shear=(0.0, _degrees(0.3 * v)), center=[0.0, 0.0]),
    lambda x, v: _affine(x, across=int(150 / 331 * x.shape[-1] * v)),
    lambda x, v: _affine(x, down=int(150 / 331 * x.shape[-2] * v)),
    lambda x, v: tv.rotate(x, 30 * v),
    lambda x, v: tv.adjust_brightness(x, 1 + 0.9 * v),
    lambda x, v: tv.adjust_saturation(x, 1 + 0.9 * v),
    lambda x, v: tv.adjust_contrast(x, 1 + 0.9 * v),
    lambda x, v: tv.adjust_sharpness(x, 1 + 0.9 * v),
)
UNSIGNED: tuple[Operation, ...] = (
    lambda x, v: x,
    lambda x, v: tv.posterize(x, 8 - round(4 * v)),
    lambda x, v: tv.solarize(x, 255 * (1 - v)),
    lambda x, v: tv.autocontrast(x),
    lambda x, v: tv.equalize(x),
)
OPERATIONS = len(SIGNED) + len(UNSIGNED)


def apply_operations(images: Tensor, chosen: NDArray[np.float64], magnitude: int) -> Tensor:
    """Returns the images after one operation on each, (B, 3, R, R).

    Args:
        images: Images (B, 3, R, R), uint8.
        chosen: Uniform numbers (B,) in [0, 1), which choose the operation and its sign.
        magnitude: Strength of all operations, from 0 to 30.
    """
    which = np.floor(chosen * OPERATIONS).astype(np.int64)
    negative = chosen * OPERATIONS - which < 0.5
    strength = magnitude / _MAX_MAGNITUDE
    changed = images.clone()
    for number in np.unique(which):
        signed = number < len(SIGNED)
        operation = SIGNED[number] if signed else UNSIGNED[number - len(SIGNED)]
        for sign in (-1, 1) if signed else (1,):
            members = (which == number) & (negative == (sign < 0)) if signed else which == number
            if members.any():
                indices = torch.from_numpy(np.flatnonzero(members))
                at = indices.to(images.device, non_blocking=True)
                changed[at] = operation(images[at], sign * strength)
    return changed
