"""Images that are decoded once for all runs of a store: exact, and mapped into memory."""

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
from ltbench.data.image_digests import digest_of
from ltbench.data.images import FileImages, ImageSource
from ltbench.errors import LTBenchError
from ltbench.io.array_cache import Arrays, Cache, NoRoomError, in_words

_LOOKED_AT = 32  # images that tell whether it is worth looking at all of them
_ENOUGH = 1.5  # times the limit, by these few, and nobody looks at the others
_BATCH = 64

OnAdvance = Callable[[str, int], None]
"""Told what is done, "looking at" or "decoding", and for how many images more."""


class DecodedImages(FileImages):
    """Images of files whose pixels are at hand; those that cannot be decoded are read as ever.

    Args:
        images: The files.
        sizes: (N, 2) height and width.
        pixels: (bytes,) of all images, one after the other.
        there: (N,) whether an image's pixels are at hand.
    """

    def __init__(
        self,
        images: FileImages,
        sizes: NDArray[np.int64],
        pixels: NDArray[np.uint8],
        there: NDArray[np.bool_],
    ) -> None:
        super().__init__(images.root, images.paths, images.hint)
        self.sizes = sizes
        self.starts = _starts(sizes)
        self.pixels = pixels
        self.there = there

    def read(self, index: int) -> NDArray[np.uint8]:
        """Returns an image in RGB, (height, width, 3); not to be written to."""
        if not self.there[index]:
            return super().read(index)
        start, end = self.starts[index : index + 2]
        return self.pixels[start:end].reshape(*self.sizes[index], 3)

    def __getstate__(self) -> dict[str, Any]:
        """Returns what is sent to another process: where the pixels are, not the pixels."""
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
    """Returns images that need no decoding if there is room for them, and a note in words.

    The first run that asks decodes them, others wait for it. A file that has changed since is
    another one.

    Args:
        images: Those of a split.
        about: What else the pixels depend on, as JSON has it.
        cache: Of the store.
        workers: Processes that decode; 0: this one.
        advance: Told how it gets on: each image is looked at, then decoded.
    """
    if not isinstance(images, FileImages) or not cache.limit:
        return images, "images are decoded each time: no files, or no cache"
    limit = min(cache.limit, _memory() // 2)
    few = np.linspace(0, len(images), _LOOKED_AT, endpoint=False).astype(int)
    seen = np.array([_size_of(images, index) for index in few.tolist()])
    expected = int(3 * seen.prod(axis=1).mean() * len(images))
    if expected > _ENOUGH * limit:
        return images, _too_large(expected, limit)
    # Not before: to ask when each of a million files was changed takes a while.
    key = {**about, **decoder_versions(), "images": digest_of(images)}
    made = False

    def look(arrays: Arrays) -> None:
        fill_array(arrays["sizes"], _Sizes(images), workers, partial(advance, "looking at"))

    def fill(arrays: Arrays) -> None:
        nonlocal made
        made = True
        decoding = _Decoding(images, sizes, _path_of(arrays["pixels"]))
        fill_array(arrays["there"], decoding, workers, partial(advance, "decoding"))

    try:
        shape = {"sizes": ((len(images), 2), "int64")}
        sizes = np.array(cache.get({**key, "what": "image sizes"}, shape, look)["sizes"])
        size = int(_starts(sizes)[-1])
        if size > limit:
            return images, _too_large(size, limit)
        if not size:
            return images, "images are decoded each time: none can be"
        layout = {"pixels": ((size,), "uint8"), "there": ((len(images),), "bool")}
        found = cache.get({**key, "what": "pixels"}, layout, fill)
    except NoRoomError as error:
        return images, f"images are decoded each time: {error}"
    how = "decoded once" if made else f"found in {cache.folder}"
    note = f"pixels of {len(images):,} images ({in_words(size)}): {how}"
    return DecodedImages(images, sizes, found["pixels"], np.array(found["there"])), note


@dataclass(frozen=True)
class _Sizes(TorchDataset[tuple[int, int]]):
    """Height and width of each image; 0 and 0 where its file does not tell."""

    images: FileImages

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[int, int]:
        return _size_of(self.images, index)


@dataclass
class _Decoding(TorchDataset[bool]):
    """Writes the pixels of an image, and says whether that went well.

    Args:
        images: The files.
        sizes: (N, 2) as their files say.
        path: Of the array that the pixels go into: each process maps it for itself.
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
        except LTBenchError:  # whoever reads it is told
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
    """Writes what comes of each item into an array."""
    loader = DataLoader(
        items,
        batch_size=_BATCH,
        collate_fn=_as_they_are,
        num_workers=workers,
        generator=torch.Generator(),
    )
    done = 0
    for batch in loader:
        values[done : done + len(batch)] = batch
        done += len(batch)
        advance(len(batch))


def _as_they_are(items: Sequence[_T]) -> Sequence[_T]:
    return items


def _size_of(images: FileImages, index: int) -> tuple[int, int]:
    from PIL import Image

    path = images.root / images.name(index)
    try:
        if path.is_file():  # a pipe would be waited for
            with Image.open(path) as image:  # reads the header
                return image.height, image.width
    except MemoryError:
        raise
    except Exception:  # Pillow's readers raise whatever they like; whoever reads the image is told
        return 0, 0
    return 0, 0


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns where the pixels of each image begin, and where the last ones end, (N + 1,)."""
    return np.concatenate([[0], np.cumsum(3 * sizes.prod(axis=1))])


def _path_of(array: NDArray[Any]) -> Path:
    assert isinstance(array, np.memmap)
    return Path(str(array.filename))


def decoder_versions() -> dict[str, str]:
    """Returns what pixels depend on besides the bytes of a file, for keys of a cache."""
    import PIL
    import simplejpeg

    versions = {"pillow": PIL.__version__, "simplejpeg": simplejpeg.__version__}
    return {**versions, "rules": str(DECODE_RULES)}


def _memory() -> int:
    """Returns the bytes of memory of this machine: what does not fit is read from the disk."""
    if not hasattr(os, "sysconf"):
        return sys.maxsize
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _too_large(size: int, limit: int) -> str:
    return f"images are decoded each time: {in_words(size)} of pixels, {in_words(limit)} of room"
