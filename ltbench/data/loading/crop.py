"""Cuts the views of one image out of its pixels and resizes them: what loader workers do to files.

torch's antialiased bicubic kernel for uint8 is Pillow's with shorter weights: at most two levels
from Pillow's pixels, one in 200 a level off, in a fifth of the time. Its sums are of integers:
neither threads nor vector width change a bit. It resizes whole images only, so it does what is
cropped first, and views of test images, which are crops of one resized image. Pillow does any other
box.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ltbench.views import Views

_SUPPORT = 2.0  # the bicubic kernel reaches two pixels to each side
_SLACK = 1e-6  # pixels: fractions are rounded
_WASTE = 4  # pixels made for one that is seen, where the kernel still beats Pillow

_Box = tuple[float, float, float, float]


def crop(pixels: NDArray[np.uint8], views: Views, resolution: int) -> Tensor:
    """Returns the views of one image, (V, 3, R, R) uint8.

    Rows are resized before columns, as all of Pillow did before 13, which begins with the columns
    of some tall boxes: that shows where a filter overshoots and its values are cut off in between.

    Args:
        pixels: (height, width, 3) the image.
        views: Boxes (1, V, 4) in it.
        resolution: R.
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
    """Returns a view that sees nothing around its box, (1, 3, R, R)."""
    top, left, height, width = box
    first_row, first_column = math.floor(top + _SLACK), math.floor(left + _SLACK)
    last_row, last_column = math.ceil(top + height - _SLACK), math.ceil(left + width - _SLACK)
    crop = pixels[first_row:last_row, first_column:last_column]
    if crop.shape[:2] == (height, width):
        return _resized(crop, resolution, resolution)
    return _by_pillow(crop, (top - first_row, left - first_column, height, width), resolution)


def _crops_of_resized(
    pixels: NDArray[np.uint8], boxes: NDArray[np.float64], resolution: int
) -> list[Tensor]:
    """Returns views that see what is around their boxes, (1, 3, R, R) each.

    Where boxes are crops of the image resized to whole pixels, it is resized once.
    """
    height, width = pixels.shape[:2]
    most = _WASTE * len(boxes) * resolution**2
    scale = resolution / boxes[:, 2:]
    exact = np.concatenate([scale * (height, width), scale * boxes[:, :2]], axis=1)
    whole = exact.round()
    usual = (np.abs(exact - whole) < _SLACK).all(axis=1)
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
    """Returns any box, (1, 3, R, R); what the filter does not reach is left alone."""
    from PIL import Image

    spans = []
    for start, length, size in zip(box[:2], box[2:], pixels.shape[:2], strict=True):
        reach = _SUPPORT * max(length / resolution, 1.0) + 1
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
