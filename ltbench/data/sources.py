"""Where images come from: an array in memory, or files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import CorruptImageError, DataError

if TYPE_CHECKING:
    from PIL.Image import Image


class ImageSource(Protocol):
    """Images by index."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> Image:
        """Returns an image in RGB.

        Raises:
            CorruptImageError: It cannot be decoded.
            DataError: It is not there.
        """
        ...


class ArrayImages:
    """Images of one size, in memory.

    Args:
        pixels: (N, height, width, 3) uint8.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, index: int) -> Image:
        """Returns an image in RGB."""
        from PIL import Image

        return Image.fromarray(self.pixels[index])


class FileImages:
    """Images in files.

    Args:
        root: Folder that the paths start from.
        paths: A pyarrow string array: a million of them are one buffer, not a million objects.
    """

    def __init__(self, root: Path, paths: Any) -> None:
        self.root = root
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> Image:
        """Returns an image in RGB."""
        from PIL import Image

        path = self.root / self.paths[index].as_py()
        try:
            with Image.open(path) as image:
                return image.convert("RGB")
        except FileNotFoundError as error:
            raise DataError(
                f"{path} does not exist", hint="check --data-root and that the data set is complete"
            ) from error
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise CorruptImageError(
                f"{path} cannot be decoded: {error}",
                hint="fetch the file again, or drop such images with --on-corrupt skip",
            ) from error
