"""Removal of training images that cannot be decoded, before a run begins.

Priors, loss weights, samplings and the result then count only the images that are trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset as TorchDataset

from ltbench.data.dataset import Dataset, Split
from ltbench.data.image_digests import source_digest
from ltbench.data.images import ArrayImages, ImageSource, Subset
from ltbench.data.loading.decode_cache import DecodedImages, decoder_versions, fill_array
from ltbench.errors import CorruptImageError, DataError, LTBenchError
from ltbench.io.array_cache import Arrays, Cache, NoRoomError
from ltbench.io.interrupts import check
from ltbench.progress import ProgressReporter

_MAX_SHOWN_CLASSES = 5


def drop_unreadable(
    dataset: Dataset, cache: Cache, workers: int, progress: ProgressReporter
) -> Dataset:
    """Returns a data set without the training images that cannot be decoded.

    Shot groups keep the published counts. Notes report the number of images left out, and the
    classes without any image left.

    Args:
        dataset: Data set.
        cache: Cache of which images can be decoded.
        workers: Number of processes that decode; 0: this one.
        progress: Progress reporter.

    Raises:
        DataError: No image can be decoded.
    """
    train = dataset.splits["train"]
    if isinstance(train.images, ArrayImages):
        return dataset
    readable = _readable(train.images, cache, workers, progress)
    if readable.all():
        return dataset
    if not readable.any():
        raise DataError("no training image can be decoded", hint="check the data set's files")
    lost = np.flatnonzero(~readable)
    at = np.flatnonzero(readable)
    reduced = Split(Subset(train.images, at), train.labels[at])
    notes = [
        f"{len(lost):,} of {len(readable):,} training images cannot be decoded and are left out, "
        f"such as {train.images.name(int(lost[0]))}"
    ]
    left = np.bincount(reduced.labels, minlength=dataset.num_classes)
    emptied = np.flatnonzero((left == 0) & (dataset.class_counts > 0))
    if len(emptied):
        names = ", ".join(
            f"'{dataset.class_names[label]}'" for label in emptied[:_MAX_SHOWN_CLASSES]
        )
        extra = len(emptied) - _MAX_SHOWN_CLASSES
        more = f" and {extra} more" if extra > 0 else ""
        notes.append(f"no training image can be decoded of {names}{more}: nothing is learned there")
    return replace(
        dataset,
        splits={**dataset.splits, "train": reduced},
        published_counts=dataset.shot_counts,
        unreadable=len(lost),
        notes=(*dataset.notes, *notes),
    )


def _readable(
    images: ImageSource, cache: Cache, workers: int, progress: ProgressReporter
) -> NDArray[np.bool_]:
    """Returns whether each image can be decoded, (N,)."""
    if isinstance(images, DecodedImages):  # only the others have to be tried
        readable = images.decoded.copy()
        for index in np.flatnonzero(~readable).tolist():
            check()
            readable[index] = _can_be_read(images, index)
        return readable

    def fill(arrays: Arrays) -> None:
        progress.start("looking for images that cannot be decoded", len(images))
        try:
            fill_array(arrays["readable"], _Readable(images), workers, progress.advance)
        finally:
            progress.stop()

    layout = {"readable": ((len(images),), "bool")}
    digest = source_digest(images)
    if digest is not None and cache.limit:
        try:
            key = {**decoder_versions(), "what": "readable", "images": digest}
            return np.array(cache.get(key, layout, fill)["readable"])
        except NoRoomError:
            pass  # images are checked in each run
    found = {"readable": np.zeros(len(images), dtype=bool)}
    fill(found)
    return found["readable"]


@dataclass(frozen=True)
class _Readable(TorchDataset[bool]):
    """Data set of whether each image can be decoded."""

    images: ImageSource

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> bool:
        return _can_be_read(self.images, index)


def _can_be_read(images: ImageSource, index: int) -> bool:
    try:
        images.read(index)
    except CorruptImageError:
        return False
    except LTBenchError:  # a missing file ends the run when it is read
        return True
    return True
