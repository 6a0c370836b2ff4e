"""Images that are crops of other images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench.data import FileImages
from ltbench.errors import CorruptImageError


@dataclass(frozen=True)
class Crops:
    """Objects, each cropped from its photograph when it is read.

    Args:
        photographs: P files.
        photograph: (N,) which of them an object is in.
        boxes: (N, 4) left, top, width and height in pixels; fractions are allowed.
        margin: Margin on each side of a box, as a fraction of its width or height.
    """

    photographs: FileImages
    photograph: NDArray[np.int64]
    boxes: NDArray[np.float64]
    margin: float

    def __len__(self) -> int:
        return len(self.photograph)

    def name(self, index: int) -> str:
        """Returns the photograph's path and the box."""
        box = ",".join(f"{number:g}" for number in self.boxes[index])
        return f"{self._photograph_name(index)}#{box}"

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an object with its margin in RGB, (height, width, 3), clipped to the image.

        Raises:
            CorruptImageError: The photograph cannot be decoded, or the box is outside of it.
            DataError: The photograph does not exist.
        """
        pixels = self.photographs.read(int(self.photograph[index]))
        corner, size = self.boxes[index, :2], self.boxes[index, 2:]
        limit = np.array(pixels.shape[1::-1])
        if (corner >= limit).any() or (corner + size <= 0).any():
            raise CorruptImageError(
                f"the box of {self.name(index)} is outside of the {limit[0]} x {limit[1]} image",
                hint="correct the annotations, or drop such objects with --on-corrupt skip",
            )
        left, top = np.floor(corner - self.margin * size).clip(0).astype(int)
        right, bottom = np.ceil(corner + (1 + self.margin) * size).clip(None, limit).astype(int)
        return pixels[top:bottom, left:right].copy()  # a view would keep the photograph in memory

    def _photograph_name(self, index: int) -> str:
        return self.photographs.name(int(self.photograph[index]))
