"""Verification of a data set: facts about its splits, and faults of its images."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from ltbench.data.content_digests import content_digest, file_digests
from ltbench.data.dataset import Dataset
from ltbench.data.image_processes import Advance, map_images
from ltbench.data.images import FileImages, ImageSource
from ltbench.data.repeats import Repeats, find_repeats
from ltbench.errors import DataError
from ltbench.progress import ProgressReporter


@dataclass(frozen=True)
class BadImage:
    """An image that a run could not read.

    Args:
        split: Name of its split.
        index: Index in the split.
        name: Path or other name of the image.
        fault: Fault in a few words.
    """

    split: str
    index: int
    name: str
    fault: str


@dataclass(frozen=True)
class SplitFacts:
    """Facts about a split.

    Args:
        images: Number of images.
        classes: Number of classes with images.
        smallest: Number of images of the smallest of these classes.
        largest: Number of images of the largest class.
    """

    images: int
    classes: int
    smallest: int
    largest: int


def split_facts(dataset: Dataset) -> dict[str, SplitFacts]:
    """Returns the facts about each split, by its name."""
    facts = {}
    for name, split in dataset.splits.items():
        counts = np.bincount(split.labels)
        counts = counts[counts > 0]
        facts[name] = SplitFacts(len(split), len(counts), int(counts.min()), int(counts.max()))
    return facts


def overlaps(dataset: Dataset) -> dict[tuple[str, str], int]:
    """Returns the number of images that two splits share, or one split repeats (a pair of it)."""
    return _shared({split: _names(part.images) for split, part in dataset.splits.items()})


def shared_files(dataset: Dataset) -> dict[tuple[str, str], int]:
    """Returns the same for splits of files, by path, without reading any image."""
    images = {split: part.images for split, part in dataset.splits.items()}
    files = {split: each.paths for split, each in images.items() if isinstance(each, FileImages)}
    return _shared(files)


def _shared(names: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    import pyarrow.compute as pc

    shared = {(name, name): len(all_) - len(pc.unique(all_)) for name, all_ in names.items()}
    for first, second in combinations(names, 2):
        common = pc.is_in(pc.unique(names[first]), value_set=names[second])
        shared[first, second] = int(pc.sum(common).as_py() or 0)
    return {pair: count for pair, count in shared.items() if count}


def repeated_images(dataset: Dataset, progress: ProgressReporter) -> Repeats:
    """Returns the images that occur more than once, by content, reading every file."""
    digests = {}
    for split, part in dataset.splits.items():
        images = part.images
        if isinstance(images, FileImages):
            digests[split] = file_digests(images.root, images.paths, progress)
        else:  # equal names mean equal images
            named = (content_digest(images.name(at).encode()) for at in range(len(images)))
            digests[split] = np.frombuffer(b"".join(named), np.uint8).reshape(len(images), -1)
    return find_repeats(dataset, digests)


def missing_files(dataset: Dataset, advance: Advance) -> Iterator[BadImage]:
    """Yields the images whose file is missing, empty or not readable by this user."""
    for split, part in dataset.splits.items():
        images = part.images
        if not isinstance(images, FileImages):
            advance(len(part))
            continue
        for index, name in enumerate(images.paths.to_pylist()):
            fault = _file_fault(f"{images.root}/{name}")
            if fault:
                yield BadImage(split, index, name, fault)
            advance(1)


def broken_images(dataset: Dataset, processes: int, advance: Advance) -> Iterator[BadImage]:
    """Decodes all images in parallel and yields those that cannot be decoded.

    Args:
        dataset: Data set.
        processes: Number of decoding processes.
        advance: Callback for progress.

    Raises:
        RunError: One of the processes was killed.
    """
    sources = {split: part.images for split, part in dataset.splits.items()}
    for split, found in map_images(sources, _decode_part, processes, advance):
        for index, name, fault in found:
            yield BadImage(split, index, name, fault)


def _names(images: ImageSource) -> Any:
    import pyarrow as pa

    if isinstance(images, FileImages):
        return images.paths
    return pa.array([images.name(index) for index in range(len(images))], pa.string())


def _file_fault(path: str) -> str:
    try:
        status = os.stat(path)  # noqa: PTH116  # a Path for each takes several times as long
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size == 0:
        return "is empty"
    return "" if os.access(path, os.R_OK) else "cannot be read: no permission"


def _decode_part(images: ImageSource, indices: range) -> list[tuple[int, str, str]]:
    """Returns index, name and fault of each image that cannot be decoded."""
    found = []
    for index in indices:
        try:
            images.read(index)
        except DataError as error:
            name = images.name(index)
            found.append((index, name, decode_fault(error, name)))
    return found


def decode_fault(error: DataError, name: str) -> str:
    """Returns the fault of an image's error without the image's name."""
    return error.message.rpartition(name)[2].strip() or error.message
