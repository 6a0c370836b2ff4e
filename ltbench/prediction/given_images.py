"""Images of a Python call: paths, pictures, arrays, a tensor, or a data loader of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.decoding.decode import picture_pixels
from ltbench.data.images import ArrayImages, ImageSource
from ltbench.errors import ConfigError, quoted
from ltbench.prediction.found_images import find_images

if TYPE_CHECKING:
    from torch import Tensor

_HINT = (
    "give paths, PIL images, uint8 arrays (height, width, 3), a uint8 tensor (B, 3, H, W), or a "
    "DataLoader of such tensors"
)


@dataclass(frozen=True)
class Pictures:
    """Images of any sizes in memory, in RGB.

    Args:
        pictures: N PIL images, or uint8 arrays (height, width, 3).
    """

    pictures: Sequence[Any]

    def __len__(self) -> int:
        return len(self.pictures)

    def name(self, index: int) -> str:
        """Returns the number of an image, from 0."""
        return str(index)

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3).

        Raises:
            CorruptImageError: It was opened from a file that cannot be decoded.
        """
        picture = self.pictures[index]
        if isinstance(picture, np.ndarray):
            return picture
        return picture_pixels(picture, f"image {index}")


def image_sources(images: Any) -> Iterator[ImageSource]:
    """Yields the sources of the images that `predict` was called with: one for each batch.

    Args:
        images: Path of a file, a folder, a pattern or a CSV file; a list of paths, of PIL images or
            of uint8 arrays (height, width, 3); one PIL image or such an array; a uint8 array (N,
            height, width, 3) or tensor (N, 3, height, width); or a `torch.utils.data.DataLoader` of
            such tensors, alone or followed by labels, which are ignored.

    Raises:
        ConfigError: It is something else, or a path does not exist.
        DataError: No image is found.
    """
    from torch import Tensor
    from torch.utils.data import DataLoader

    if isinstance(images, DataLoader):
        for batch in images:
            pixels = batch[0] if isinstance(batch, tuple | list) and len(batch) else batch
            if not isinstance(pixels, Tensor):
                raise _unknown(f"a DataLoader of {type(pixels).__name__}")
            yield _of_tensor(pixels)
    elif isinstance(images, Tensor):
        yield _of_tensor(images)
    elif isinstance(images, np.ndarray):
        yield _of_array(images)
    elif isinstance(images, str | Path):
        yield find_images([images]).images
    elif _is_picture(images):
        yield Pictures([images])
    elif isinstance(images, Sequence) and len(images):
        yield _of_list(images)
    else:
        raise _unknown("no image" if isinstance(images, Sequence) else f"{type(images).__name__}")


def _of_list(images: Sequence[Any]) -> ImageSource:
    if isinstance(images[0], str | Path):
        for number, image in enumerate(images):
            if not isinstance(image, str | Path):
                raise _unknown(f"{quoted(image)} as images[{number}] after paths")
        return find_images(images, unique=False).images
    for number, image in enumerate(images):
        if isinstance(image, np.ndarray):
            _expect_pixels(image, f"images[{number}]", ("height", "width", 3))
        elif not _is_picture(image):
            raise _unknown(f"{quoted(image)} as images[{number}]")
    return Pictures(images)


def _of_array(pixels: NDArray[Any]) -> ImageSource:
    if pixels.ndim == 3:
        _expect_pixels(pixels, "images", ("height", "width", 3))
        return Pictures([pixels])
    _expect_pixels(pixels, "images", ("N", "height", "width", 3))
    return ArrayImages(pixels)


def _of_tensor(pixels: Tensor) -> ImageSource:
    import torch

    shape = tuple(pixels.shape)
    if pixels.dtype != torch.uint8 or pixels.ndim != 4 or shape[1] != 3 or 0 in shape:
        raise ConfigError(
            f"images: expected torch.uint8 (B, 3, height, width), got {pixels.dtype} {shape}",
            hint="give pixels from 0 to 255 before any normalisation; the model does that itself",
        )
    if pixels.layout != torch.strided or pixels.is_meta:
        raise ConfigError(
            f"images: expected a tensor with values, got {pixels.layout} on {pixels.device}",
            hint="give a dense tensor: images.to_dense()",
        )
    return ArrayImages(pixels.permute(0, 2, 3, 1).cpu().numpy())


def _expect_pixels(pixels: NDArray[Any], name: str, shape: tuple[str | int, ...]) -> None:
    """Checks the type and shape of an array of pixels.

    Raises:
        ConfigError: It has another one.
    """
    fits = pixels.ndim == len(shape) and pixels.shape[-1] == 3 and 0 not in pixels.shape
    if pixels.dtype != np.uint8 or not fits:
        expected = ", ".join(map(str, shape))
        raise ConfigError(
            f"{name}: expected uint8 ({expected}), got {pixels.dtype} {pixels.shape}",
            hint="give RGB pixels from 0 to 255 before any normalisation",
        )


def _is_picture(image: Any) -> bool:
    from PIL import Image

    return isinstance(image, Image.Image)


def _unknown(found: str) -> ConfigError:
    return ConfigError(f"images: expected images, got {found}", hint=_HINT)
