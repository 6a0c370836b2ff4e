"""Training images that cannot be decoded: found before a run begins, and left out of it.

Priors, class weights, samplings and the result then see the images that are trained on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset as TorchDataset

from ltbench.data.dataset import Dataset, Split
from ltbench.data.image_digests import digest_of
from ltbench.data.images import ArrayImages, ImageSource, Subset
from ltbench.data.loading.decode_cache import DecodedImages, decoder_versions, fill_array
from ltbench.errors import CorruptImageError, DataError, LTBenchError
from ltbench.io.array_cache import Arrays, Cache, NoRoomError
from ltbench.progress import ProgressReporter

_SHOWN = 5


def without_unreadable(
    dataset: Dataset, cache: Cache, workers: int, progress: ProgressReporter
) -> Dataset:
    """Returns a data set without the training images that cannot be decoded.

    Shot groups stay those of the published counts. Notes say how many images are left out, and
    which classes have none left.

    Args:
        dataset: The data set.
        cache: Keeps which images can be decoded.
        workers: Processes that decode; 0: this one.
        progress: Shows the progress.

    Raises:
        DataError: None can be decoded.
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
        names = ", ".join(f"'{dataset.class_names[label]}'" for label in emptied[:_SHOWN])
        more = f" and {len(emptied) - _SHOWN} more" if len(emptied) > _SHOWN else ""
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
    """Returns which images can be decoded, (N,)."""
    if isinstance(images, DecodedImages):  # most of them have been
        there = images.there.copy()
        for index in np.flatnonzero(~there).tolist():
            there[index] = _can_be_read(images, index)
        return there

    def fill(arrays: Arrays) -> None:
        progress.start("looking for images that cannot be decoded", len(images))
        try:
            fill_array(arrays["readable"], _Readable(images), workers, progress.advance)
        finally:
            progress.stop()

    layout = {"readable": ((len(images),), "bool")}
    digest = digest_of(images)
    if digest is not None and cache.limit:
        try:
            key = {**decoder_versions(), "what": "readable", "images": digest}
            return np.array(cache.get(key, layout, fill)["readable"])
        except NoRoomError:
            pass  # it is found out each time
    found = {"readable": np.zeros(len(images), dtype=bool)}
    fill(found)
    return found["readable"]


@dataclass(frozen=True)
class _Readable(TorchDataset[bool]):
    """Whether each image can be decoded."""

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
    except LTBenchError:  # a missing file ends the run where it is read
        return True
    return True
