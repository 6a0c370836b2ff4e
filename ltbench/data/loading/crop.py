"""Cropping and resizing of the views of one image, as loader workers do for files.

torch's antialiased bicubic kernel for uint8 is Pillow's with shorter weights: at most two levels
from Pillow's pixels, one in 200 a level off, in a fifth of the time. It sums integers, so neither
threads nor vector width change a bit. It only resizes whole images. It is used for views that are
cropped first, and for views of test images, which are crops of one resized image. Pillow resizes
all other boxes.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ltbench.views import Views

_KERNEL_RADIUS = 2.0  # source pixels of the bicubic kernel to each side
_EPSILON = 1e-6  # pixels: tolerance for rounded fractions
_MAX_WASTE_RATIO = 4  # resized pixels for each used one, up to which the kernel beats Pillow

_Box = tuple[float, float, float, float]


def crop(pixels: NDArray[np.uint8], views: Views, resolution: int) -> Tensor:
    """Returns the views of one image, (V, 3, R, R) uint8.

    Rows are resized before columns, as in Pillow before 13. Later versions begin with the columns
    of some tall boxes, which differs where a filter overshoots and is clipped in between.

    Args:
        pixels: Image, (height, width, 3).
        views: Views with boxes (1, V, 4) in the image.
        resolution: Side R of the views in pixels.
    """
    boxes = views.boxes[0]
    if views.crop_first:
        cuts = [_cropped(pixels, tuple(box), resolution) for box in boxes.tolist()]
    else:
        cuts = _crops_of_resized(pixels, boxes, resolution)
    if views.flips is not None:
        pairs = zip(cuts, views.flips[0].tolist(), strict=True)
        cuts = [one.flip(-1) if flipped else one for one, flipped in pairs]
    return cuts[0] if len(cuts) == 1 else torch.cat(cuts)


def _cropped(pixels: NDArray[np.uint8], box: _Box, resolution: int) -> Tensor:
    """Returns a view whose filter reads only the pixels of its box, (1, 3, R, R)."""
    top, left, height, width = box
    first_row, first_column = math.floor(top + _EPSILON), math.floor(left + _EPSILON)
    last_row, last_column = math.ceil(top + height - _EPSILON), math.ceil(left + width - _EPSILON)
    crop = pixels[first_row:last_row, first_column:last_column]
    if crop.shape[:2] == (height, width):
        return _resized(crop, resolution, resolution)
    return _by_pillow(crop, (top - first_row, left - first_column, height, width), resolution)


def _crops_of_resized(
    pixels: NDArray[np.uint8], boxes: NDArray[np.float64], resolution: int
) -> list[Tensor]:
    """Returns views whose filters also read the pixels around their boxes, (1, 3, R, R) each.

    If the boxes are crops of the image resized to whole pixels, the image is resized once.
    """
    height, width = pixels.shape[:2]
    most = _MAX_WASTE_RATIO * len(boxes) * resolution**2
    scale = resolution / boxes[:, 2:]
    exact = np.concatenate([scale * (height, width), scale * boxes[:, :2]], axis=1)
    whole = exact.round()
    usual = (np.abs(exact - whole) < _EPSILON).all(axis=1)
    made: dict[tuple[int, int], Tensor] = {}
    cuts = []
    for box, usable, (rows, columns, top, left) in zip(
        boxes.tolist(), usual.tolist(), whole.tolist(), strict=True
    ):
        if not usable or rows * columns > most:
            cuts.append(_by_pillow(pixels, tuple(box), resolution))
            continue
        size = int(rows), int(columns)
        if size not in made:
            made[size] = _resized(pixels, *size)
        row, column = int(top), int(left)
        cuts.append(made[size][..., row : row + resolution, column : column + resolution])
    return cuts


def _resized(pixels: NDArray[np.uint8], height: int, width: int) -> Tensor:
    image = torch.from_numpy(np.require(pixels, requirements=["C", "W"])).permute(2, 0, 1)[None]
    return functional.interpolate(image, size=(height, width), mode="bicubic", antialias=True)


def _by_pillow(pixels: NDArray[np.uint8], box: _Box, resolution: int) -> Tensor:
    """Returns any box, (1, 3, R, R); pixels outside the filter's reach are not read."""
    from PIL import Image

    spans = []
    for start, length, size in zip(box[:2], box[2:], pixels.shape[:2], strict=True):
        reach = _KERNEL_RADIUS * max(length / resolution, 1.0) + 1
        first = max(math.floor(start - reach), 0)
        last = min(math.ceil(start + length + reach), size)
        near, far = max(start, 0.0) - first, min(start + length, size) - first
        spans.append((first, last, near, far))
    (row, end_row, top, bottom), (column, end_column, left, right) = spans
    image = Image.fromarray(np.ascontiguousarray(pixels[row:end_row, column:end_column]))
    bicubic = Image.Resampling.BICUBIC
    rows = image.resize((resolution, image.height), bicubic, box=(left, 0, right, image.height))
    view = rows.resize((resolution, resolution), bicubic, box=(0, top, resolution, bottom))
    return torch.from_numpy(np.array(view)).permute(2, 0, 1)[None]
