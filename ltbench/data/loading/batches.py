"""Batches of views: from arrays on the device itself, from files in loader workers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Sampler, default_collate
from torch.utils.data import Dataset as TorchDataset

from ltbench.data.dataset import Dataset, Split
from ltbench.data.images import ArrayImages
from ltbench.data.loading.crop import crop
from ltbench.data.loading.resample import resample
from ltbench.data.loading.transfer import BatchCopier, to_device
from ltbench.data.loading.workers import started
from ltbench.errors import CorruptImageError, DataError, Interrupted, LTBenchError
from ltbench.io.array_cache import NO_CACHE, Cache
from ltbench.io.interrupts import check
from ltbench.ranks.group import SINGLE, Group
from ltbench.views import Views

Order = tuple[int, NDArray[np.int64]]
"""Epoch and draws of a batch, which determine all of its randomness (see `randomness`)."""

ViewsOf = Callable[[NDArray[np.int64], int, NDArray[np.int64]], Views]
"""Function from (sizes (B, 2), epoch, draws (B,)) to views with boxes (B, V, 4)."""


@dataclass(frozen=True)
class Batch:
    """Views of images, on the device.

    Args:
        views: Pixels (B, V, 3, R, R), uint8.
        labels: Class ids, (B,).
        indices: Indices into the split, (B,).
        draws: Draws of the views, (B,), in CPU memory.
    """

    views: Tensor
    labels: Tensor
    indices: Tensor
    draws: NDArray[np.int64]


@dataclass(frozen=True)
class LoaderConfig:
    """Configuration of the data loaders.

    Args:
        device: Device of the batches.
        workers: Number of processes that decode files; 0 decodes in this one; None: chosen to keep
            up with the model once its speed is known. Changes no number.
        skip_corrupt: Whether an image that cannot be decoded is left out instead of raised.
        cache: Cache of values that are computed once for all runs.
        group: Processes that share the images of the run out.
    """

    device: torch.device
    workers: int | None
    skip_corrupt: bool
    cache: Cache = NO_CACHE
    group: Group = SINGLE


class Batches:
    """Data loader that yields batches of a split's views in any order.

    Loader workers are kept for the next call, until `close` or until this object is deleted.

    Args:
        dataset: Data set.
        split: Name of the split.
        views_of: Function that chooses the views.
        resolution: Side R of the views in pixels.
        loader_config: Configuration of the loader.

    Attributes:
        labels: Class ids of the split, (N,), on the device.
        skipped: Messages about the corrupt images left out so far, by index.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: str,
        views_of: ViewsOf,
        resolution: int,
        loader_config: LoaderConfig,
    ) -> None:
        self.split = dataset.splits[split]
        self.views_of = views_of
        self.resolution = resolution
        self.loader_config = loader_config
        self.skipped: dict[int, str] = {}
        self._class_names = dataset.class_names
        self._idle: _Loader | None = None
        self.labels = torch.from_numpy(self.split.labels).to(loader_config.device)
        self._pixels: Tensor | None = None
        if isinstance(self.split.images, ArrayImages):
            pixels = torch.from_numpy(self.split.images.pixels).permute(0, 3, 1, 2)
            self._pixels = pixels.contiguous().to(loader_config.device)

    def of(self, orders: Iterable[Order]) -> Iterator[Batch]:
        """Yields a batch for each order.

        Raises:
            CorruptImageError: An image cannot be decoded and corrupt images are not skipped.
            DataError: An image does not exist.
            PluginError: Error of `views_of`.
        """
        if self._pixels is not None:
            return self._from_array(self._pixels, orders)
        return self._from_files(orders)

    def aligned(self, orders: Iterable[Order]) -> Iterator[Batch | None]:
        """Yields a batch for each order; None where no image of it can be decoded.

        Args:
            orders: Epoch and draws of each batch; no draw occurs in two of them.
        """
        waiting: deque[Order] = deque()

        def noted() -> Iterator[Order]:
            for order in orders:
                waiting.append(order)
                yield order

        for batch in self.of(noted()):
            while batch.draws[0] not in waiting[0][1]:
                waiting.popleft()
                yield None
            waiting.popleft()
            yield batch
        yield from (None for _ in waiting)

    def _from_array(self, pixels: Tensor, orders: Iterable[Order]) -> Iterator[Batch]:
        device = self.loader_config.device
        for epoch, draws in orders:
            check()
            sizes = np.tile(np.array(pixels.shape[-2:]), (len(draws), 1))
            views = self.views_of(sizes, epoch, draws)
            at = to_device(draws % len(self.split), device)
            flips = None if views.flips is None else to_device(views.flips, device)
            boxes = to_device(views.boxes, device)
            seen = resample(pixels[at], boxes, flips, self.resolution, views.crop_first)
            yield Batch(seen, self.labels[at], at, draws)

    def _from_files(self, orders: Iterable[Order]) -> Iterator[Batch]:
        device = self.loader_config.device
        copy = BatchCopier(device)
        loader = self._idle or _Loader(self)
        self._idle = None  # a second iterator that starts before this one ends gets its own workers
        for pixels, draws, errors in loader.load(orders):
            check()
            for draw, error in errors:
                self._on_error(draw % len(self.split), error)
            if len(draws):
                at = to_device(draws.numpy() % len(self.split), device)
                yield Batch(copy(pixels), self.labels[at], at, draws.numpy())
        self._idle = loader

    def close(self) -> None:
        """Shuts down idle loader workers."""
        self._idle = None

    def labels_of(self, draws: NDArray[np.int64]) -> Tensor:
        """Returns the class ids of draws, (B,), on the device."""
        return self.labels[to_device(draws % len(self.split), self.labels.device)]

    def share_skipped(self) -> None:
        """Adds the corrupt images that the other processes of the run have left out."""
        for found in self.loader_config.group.collect(list(self.skipped.items())):
            self.skipped |= dict(found)

    def _on_error(self, index: int, error: LTBenchError) -> None:
        if isinstance(error, CorruptImageError) and self.loader_config.skip_corrupt:
            self.skipped[index] = error.message
            return
        if not isinstance(error, DataError):
            raise error
        name = self._class_names[self.split.labels[index]]
        raise type(error)(f"{error.message} (class '{name}')", hint=error.hint)


_IMAGES_PER_CALL = 8  # decoded images in a worker's memory, whose views are chosen in one call
_Draw = tuple[int, int]
_Item = tuple[int, Tensor | LTBenchError]
_Loaded = tuple[Tensor, Tensor, list[tuple[int, LTBenchError]]]


class _Loader:
    """Loader workers, which end when this object is deleted.

    Args:
        batches: Batches to load.
    """

    def __init__(self, batches: Batches) -> None:
        self._draws = _Draws()
        workers = batches.loader_config.workers or 0
        self._loader = DataLoader(
            FileViews(batches.split, batches.views_of, batches.resolution),
            batch_sampler=self._draws,
            collate_fn=_collate,
            num_workers=workers,
            pin_memory=batches.loader_config.device.type == "cuda",
            persistent_workers=workers > 0,
            generator=torch.Generator(),  # otherwise it takes a seed from the training's generator
        )

    def load(self, orders: Iterable[Order]) -> Iterator[_Loaded]:
        """Yields pixels, draws and errors of each batch."""
        self._draws.orders = orders
        try:
            yield from started(self._loader)
        except Interrupted:  # torch makes the traceback of a worker the message of its error
            check()
            raise


class _Draws(Sampler[list[_Draw]]):
    """Sampler of epoch and draw of each image, so that workers need no state."""

    orders: Iterable[Order] = ()

    def __iter__(self) -> Iterator[list[_Draw]]:
        for epoch, draws in self.orders:
            yield [(epoch, draw) for draw in draws.tolist()]


class FileViews(TorchDataset[_Item]):
    """Views of images, decoded and cropped on access.

    Args:
        split: Images and labels.
        views_of: Function that chooses the views.
        resolution: Side R of the views in pixels.
    """

    def __init__(self, split: Split, views_of: ViewsOf, resolution: int) -> None:
        self.split = split
        self.views_of = views_of
        self.resolution = resolution

    def __getitems__(self, drawn: Sequence[_Draw]) -> list[_Item]:
        """Returns each draw of an epoch with its views (V, 3, R, R), or with its error."""
        items = []
        for start in range(0, len(drawn), _IMAGES_PER_CALL):
            check()  # the main process waits for this batch
            part = drawn[start : start + _IMAGES_PER_CALL]
            items += self.load(part[0][0], [draw for _, draw in part])
        return items

    def load(self, epoch: int, draws: Sequence[int]) -> list[_Item]:
        """Returns the same for a few draws, whose images are in memory together."""
        read: list[tuple[int, NDArray[np.uint8]]] = []
        broken: list[_Item] = []
        # Errors are returned, and raised in the main process, which may skip the image.
        for draw in draws:
            try:
                read.append((draw, self.split.images.read(draw % len(self.split))))
            except LTBenchError as error:
                broken.append((draw, error))
        if not read:
            return broken
        sizes = np.array([pixels.shape[:2] for _, pixels in read])
        try:
            views = self.views_of(sizes, epoch, np.array([draw for draw, _ in read]))
        except LTBenchError as error:
            return [(draws[0], error)]
        seen: list[_Item] = [
            (draw, crop(pixels, views[number : number + 1], self.resolution))
            for number, (draw, pixels) in enumerate(read)
        ]
        return seen + broken


def _collate(items: Sequence[_Item]) -> _Loaded:
    views, draws, errors = [], [], []
    for draw, item in items:
        if isinstance(item, LTBenchError):
            errors.append((draw, item))
        else:
            views.append(item)
            draws.append(draw)
    # default_collate stacks in shared memory: private batches, which are then copied there, leave
    # holes in a worker's heap that grow with every image.
    stacked = default_collate(views) if views else torch.empty(0)
    return stacked, torch.tensor(draws, dtype=torch.int64), errors
