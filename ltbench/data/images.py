"""Image sources: an array in memory, or files."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ltbench.data.decoding.decode import decode
from ltbench.errors import CorruptImageError, DataError

IMAGE_EXTENSIONS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".avif"),
    *(".bmp", ".dib", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx", ".tga", ".pcx", ".qoi", ".sgi", ".ico"),
)
"""File extensions of images. Every such file in a folder counts as an image."""


class ImageSource(Protocol):
    """Source of images by index."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Returns an image's name for lists and errors; equal names mean equal images."""
        ...

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3).

        Raises:
            CorruptImageError: The image cannot be decoded.
            DataError: The image does not exist.
        """
        ...


class ArrayImages:
    """Images of one size in memory.

    Args:
        pixels: Array (N, height, width, 3), uint8.
    """

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def __len__(self) -> int:
        return len(self.pixels)

    def name(self, index: int) -> str:
        """Returns a name computed from the pixels."""
        import hashlib

        return hashlib.sha1(self.pixels[index].tobytes(), usedforsecurity=False).hexdigest()

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3)."""
        picture: NDArray[np.uint8] = self.pixels[index]
        return picture


class FileImages:
    """Images in files.

    Args:
        root: Folder of the relative paths.
        paths: Pyarrow string array of N relative paths: one buffer instead of N objects, for
            workers that inherit or receive it.
        hint: Hint of the error for a missing file.
    """

    def __init__(self, root: Path, paths: Any, hint: str = "check --data-root") -> None:
        self.root = root
        self.paths = paths
        self.hint = hint

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        """Returns the path relative to the root."""
        return str(self.paths[index].as_py())

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3)."""
        path = self.root / self.name(index)
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # reading a pipe would block
                raise CorruptImageError(
                    f"{path} is not a regular file",
                    hint="put the image file there, or skip such images with --on-corrupt skip",
                )
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise DataError(f"{path} does not exist", hint=self.hint) from error
        except OSError as error:
            raise CorruptImageError(
                f"{path} cannot be read: {error.strerror or error}",
                hint="allow this user to read it, or skip such images with --on-corrupt skip",
            ) from error
        return decode(content, str(path))


@dataclass(frozen=True)
class Subset:
    """Selected images of a source.

    Args:
        images: Source.
        indices: Indices of the selected images in the source, (N,).
    """

    images: ImageSource
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    def name(self, index: int) -> str:
        """Returns the image's name in the source."""
        return self.images.name(int(self.indices[index]))

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3)."""
        return self.images.read(int(self.indices[index]))


def subset(images: ImageSource, indices: NDArray[np.int64]) -> ImageSource:
    """Returns selected images of a source, in the form that is read fastest.

    Args:
        images: Source.
        indices: Indices of the selected images, (N,), in any order.
    """
    if isinstance(images, ArrayImages):
        return ArrayImages(images.pixels[indices])
    if isinstance(images, FileImages):
        return FileImages(images.root, images.paths.take(indices), images.hint)
    return Subset(images, indices)


def image_names(images: ImageSource, indices: NDArray[np.int64]) -> Any:
    """Returns the names of selected images: a sequence of texts, or a pyarrow string array.

    Args:
        images: Source.
        indices: Indices of the images, (N,).
    """
    if isinstance(images, FileImages):
        return images.paths.take(indices)
    return [images.name(int(index)) for index in indices]
