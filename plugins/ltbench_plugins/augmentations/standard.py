"""The standard augmentation of image classification: random resized crop and horizontal flip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ltbench import AugmentationSpec, BuildContext, NoOptions
from ltbench.views import Views

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ATTEMPTS = 10
_AREA_RANGE = (0.08, 1.0)
_ASPECT_RANGE = (3 / 4, 4 / 3)


@dataclass(frozen=True)
class Standard:
    """A rectangle of random area, aspect ratio and position, mirrored half of the time.

    The first of ten attempts that fits is used, else the largest centred rectangle of an allowed
    aspect ratio: the distribution of torchvision's `RandomResizedCrop`, area in [.08, 1], aspect
    ratio in [3/4, 4/3].
    """

    draws: int = 2 * _ATTEMPTS + 3

    def views(
        self, sizes: NDArray[np.int64], uniforms: NDArray[np.float64], progress: float
    ) -> Views:
        """Returns one rectangular view of each image."""
        import numpy as np

        height, width = sizes[:, :1], sizes[:, 1:]
        area = height * width * _between(uniforms[:, :_ATTEMPTS], *_AREA_RANGE)
        low, high = (math.log(bound) for bound in _ASPECT_RANGE)
        aspect = np.exp(_between(uniforms[:, _ATTEMPTS : 2 * _ATTEMPTS], low, high))
        widths, heights = np.round(np.sqrt(area * aspect)), np.round(np.sqrt(area / aspect))
        fits = (widths > 0) & (widths <= width) & (heights > 0) & (heights <= height)
        rows, first = np.arange(len(sizes)), fits.argmax(axis=1)
        chosen = np.stack([heights[rows, first], widths[rows, first]], axis=1)
        offsets = np.floor(uniforms[:, -3:-1] * (sizes - chosen + 1))

        ratio = width / height
        whole = np.concatenate(
            [
                np.where(ratio < _ASPECT_RANGE[0], np.round(width / _ASPECT_RANGE[0]), height),
                np.where(ratio > _ASPECT_RANGE[1], np.round(height * _ASPECT_RANGE[1]), width),
            ],
            axis=1,
        )
        found = fits.any(axis=1, keepdims=True)
        extent = np.where(found, chosen, whole)
        corner = np.where(found, offsets, (sizes - whole) // 2)
        boxes = np.concatenate([corner, extent], axis=1)
        return Views(boxes, flips=uniforms[:, -1] < 0.5, crop_first=True)


def _between(uniforms: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    return low + (high - low) * uniforms


def build(config: NoOptions, ctx: BuildContext) -> Standard:
    """Builds the augmentation."""
    return Standard()


STANDARD = AugmentationSpec(
    name="standard",
    summary="random resized crop and horizontal flip",
    build=build,
    reference="arXiv:1409.4842",
)
