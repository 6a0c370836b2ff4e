"""Cache of decoded images: exact pixels, decoded once for all runs and mapped into memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from ltbench.data.decoding.decode import DECODE_RULES
from ltbench.data.image_digests import source_digest
from ltbench.data.images import FileImages, ImageSource
from ltbench.data.loading.workers import started
from ltbench.errors import LTBenchError
from ltbench.io.array_cache import Arrays, Cache, NoRoomError
from ltbench.io.interrupts import check
from ltbench.io.sizes import in_words

_PROBED_IMAGES = 32  # images whose headers give a first estimate of the total size
_MAX_ESTIMATE_RATIO = 1.5  # estimate over limit, above which the other headers are not read
_BATCH_IMAGES = 64

OnAdvance = Callable[[str, int], None]
"""Callback with the current step, "looking at" or "decoding", and the number of further images."""


class DecodedImages(FileImages):
    """Image files with cached pixels; images that could not be decoded are read from their file.

    Args:
        images: Image files.
        sizes: Height and width of each image, (N, 2).
        pixels: Pixels of all images, one after the other, (bytes,).
        decoded: Whether the pixels of each image are cached, (N,).
    """

    def __init__(
        self,
        images: FileImages,
        sizes: NDArray[np.int64],
        pixels: NDArray[np.uint8],
        decoded: NDArray[np.bool_],
    ) -> None:
        super().__init__(images.root, images.paths, images.hint)
        self.sizes = sizes
        self.starts = _starts(sizes)
        self.pixels = pixels
        self.decoded = decoded

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3), which must not be written to."""
        if not self.decoded[index]:
            return super().read(index)
        start, end = self.starts[index : index + 2]
        return self.pixels[start:end].reshape(*self.sizes[index], 3)

    def __getstate__(self) -> dict[str, Any]:
        """Returns the state for another process: the path of the pixels, not the pixels."""
        return {**self.__dict__, "pixels": _path_of(self.pixels)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, pixels=np.load(state["pixels"], mmap_mode="r"))


def decode_once(
    images: ImageSource,
    about: Mapping[str, Any],
    cache: Cache,
    workers: int,
    advance: OnAdvance,
) -> tuple[ImageSource, str]:
    """Returns images with cached pixels if there is room for them, and a note on the choice.

    The first run decodes them while other runs wait. A file that changed is decoded again.

    Args:
        images: Images of a split.
        about: Further values that the pixels depend on, for the cache key, as JSON types.
        cache: Cache of the output folder.
        workers: Number of processes that decode; 0: this one.
        advance: Callback for progress: each image's header is read first, then it is decoded.
    """
    if not isinstance(images, FileImages) or not cache.limit:
        return images, "images are decoded each time: no files, or no cache"
    limit = min(cache.limit, _memory() // 2)
    few = np.linspace(0, len(images), _PROBED_IMAGES, endpoint=False).astype(int)
    seen = np.array([_read_size(images, index) for index in few.tolist()])
    expected = int(3 * seen.prod(axis=1).mean() * len(images))
    if expected > _MAX_ESTIMATE_RATIO * limit:
        return images, _too_large(expected, limit)
    # Only now: reading the stamps of a million files takes a while.
    key = {**about, **decoder_versions(), "images": source_digest(images)}
    made = False

    def read_sizes(arrays: Arrays) -> None:
        fill_array(arrays["sizes"], _Sizes(images), workers, partial(advance, "looking at"))

    def fill(arrays: Arrays) -> None:
        nonlocal made
        made = True
        decoding = _Decoding(images, sizes, _path_of(arrays["pixels"]))
        fill_array(arrays["there"], decoding, workers, partial(advance, "decoding"))

    try:
        shape = {"sizes": ((len(images), 2), "int64")}
        sizes = np.array(cache.get({**key, "what": "image sizes"}, shape, read_sizes)["sizes"])
        size = int(_starts(sizes)[-1])
        if size > limit:
            return images, _too_large(size, limit)
        if not size:
            return images, "images are decoded each time: none of them can be decoded"
        layout = {"pixels": ((size,), "uint8"), "there": ((len(images),), "bool")}
        found = cache.get({**key, "what": "pixels"}, layout, fill)
    except NoRoomError as error:
        return images, f"images are decoded each time: {error}"
    how = "decoded once" if made else f"found in {cache.folder}"
    note = f"pixels of {len(images):,} images ({in_words(size)}): {how}"
    return DecodedImages(images, sizes, found["pixels"], np.array(found["there"])), note


@dataclass(frozen=True)
class _Sizes(TorchDataset[tuple[int, int]]):
    """Height and width of each image; 0 and 0 where the header cannot be read."""

    images: FileImages

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[int, int]:
        return _read_size(self.images, index)


@dataclass
class _Decoding(TorchDataset[bool]):
    """Data set that writes the pixels of an image on access and returns whether that succeeded.

    Args:
        images: Image files.
        sizes: Height and width from the files' headers, (N, 2).
        path: File of the array of pixels, which each process maps for itself.
    """

    images: FileImages
    sizes: NDArray[np.int64]
    path: Path

    def __post_init__(self) -> None:
        self._starts = _starts(self.sizes)
        self._pixels: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> bool:
        try:
            pixels = self.images.read(index)
        except LTBenchError:  # the run's own reader raises it again
            return False
        if pixels.shape != (*self.sizes[index], 3):
            return False
        if self._pixels is None:
            self._pixels = np.load(self.path, mmap_mode="r+")
        self._pixels[self._starts[index] : self._starts[index + 1]] = pixels.ravel()
        return True


_T = TypeVar("_T")


def fill_array(
    values: NDArray[Any], items: TorchDataset[_T], workers: int, advance: Callable[[int], None]
) -> None:
    """Fills an array with the values of a data set, loaded by `workers` processes."""
    loader = DataLoader(
        items,
        batch_size=_BATCH_IMAGES,
        collate_fn=_as_they_are,
        num_workers=workers,
        generator=torch.Generator(),
    )
    done = 0
    for batch in started(loader):
        values[done : done + len(batch)] = batch
        done += len(batch)
        advance(len(batch))
        check()


def _as_they_are(items: Sequence[_T]) -> Sequence[_T]:
    return items


def _read_size(images: FileImages, index: int) -> tuple[int, int]:
    from PIL import Image

    path = images.root / images.name(index)
    try:
        if path.is_file():  # opening a pipe would block
            with Image.open(path) as image:  # reads only the header
                return image.height, image.width
    except MemoryError:
        raise
    except Exception:  # Pillow's readers raise errors of any kind; `read` reports the fault
        return 0, 0
    return 0, 0


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the offset of each image's pixels, and the end of the last one, (N + 1,)."""
    return np.concatenate([[0], np.cumsum(3 * sizes.prod(axis=1))])


def _path_of(array: NDArray[Any]) -> Path:
    assert isinstance(array, np.memmap)
    return Path(str(array.filename))


def decoder_versions() -> dict[str, str]:
    """Returns the versions that pixels depend on, for cache keys."""
    import PIL
    import simplejpeg

    versions = {"pillow": PIL.__version__, "simplejpeg": simplejpeg.__version__}
    return {**versions, "rules": str(DECODE_RULES)}


def _memory() -> int:
    """Returns the bytes of physical memory; larger caches would be read from the disk."""
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _too_large(size: int, limit: int) -> str:
    return f"images are decoded each time: {in_words(size)} of pixels, {in_words(limit)} of room"
