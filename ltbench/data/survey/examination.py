"""Examination of image files: those that cannot be decoded, and perceptual hashes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data.image_processes import map_images
from ltbench.data.images import FileImages, ImageSource
from ltbench.data.verify import decode_fault
from ltbench.errors import ConfigError, DataError
from ltbench.progress import ProgressReporter

HASH_BYTES = 8
_IMAGES_WITHOUT_PROCESSES = 100  # decoded sooner than a process has started


@dataclass(frozen=True)
class Examination:
    """Outcome for M images.

    Args:
        faults: Index -> fault of an image that cannot be decoded.
        hashes: Perceptual hashes, (M, 8); None where they were not computed.
    """

    faults: dict[int, str]
    hashes: NDArray[np.uint8] | None


def expect_imagehash() -> None:
    """Checks that the package imagehash is installed.

    Raises:
        ConfigError: It is not.
    """
    try:
        import imagehash  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "--similar: the package 'imagehash' is not installed",
            hint='pip install "ltbench[imagehash]"',
        ) from error


def examine(
    images: FileImages, processes: int, progress: ProgressReporter, *, perceptual: bool
) -> Examination:
    """Decodes images once, in parallel.

    Args:
        images: M images.
        processes: Number of processes.
        progress: Progress reporter.
        perceptual: Whether perceptual hashes are computed.

    Raises:
        RunError: One of the processes was killed.
    """
    faults: dict[int, str] = {}
    hashes = np.zeros((len(images), HASH_BYTES), np.uint8)
    work = partial(_examine_part, perceptual=perceptual)
    progress.start("decoding images", len(images))
    if len(images) <= _IMAGES_WITHOUT_PROCESSES:
        parts = iter([("", work(images, range(len(images))))])
    else:
        parts = map_images({"": images}, work, processes, progress.advance)
    for _, (indices, wrong, found) in parts:
        faults |= wrong
        hashes[indices.start : indices.stop] = found
    progress.stop()
    return Examination(faults, hashes if perceptual else None)


def _examine_part(
    images: ImageSource, indices: range, *, perceptual: bool
) -> tuple[range, dict[int, str], NDArray[np.uint8]]:
    """Returns the faults of some images, and their hashes in order."""
    faults = {}
    hashes = np.zeros((len(indices), HASH_BYTES), np.uint8)
    for place, index in enumerate(indices):
        try:
            pixels = images.read(index)
        except DataError as error:
            faults[index] = decode_fault(error, images.name(index))
            continue
        if perceptual:
            hashes[place] = _perceptual_hash(pixels)
    return indices, faults, hashes


def _perceptual_hash(pixels: NDArray[np.uint8]) -> Any:
    """Returns the signs of an image's lowest 64 frequencies against their median, (8,)."""
    import imagehash
    from PIL import Image

    return np.packbits(imagehash.phash(Image.fromarray(pixels)).hash)
