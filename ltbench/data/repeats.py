"""Images that occur more than once in a data set, and the rules for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ltbench.data.content_digests import ABSENT, Digests, content_digest
from ltbench.data.dataset import Dataset, Split
from ltbench.data.images import subset
from ltbench.errors import CorruptImageError, DataError

RepeatRule = Literal["refuse", "drop", "keep"]
"""Rule for images that occur more than once."""

_ORDER = ("test", "val", "train")  # precedence: an earlier split keeps a repeated image
_MAX_SHOWN_PAIRS = 3


@dataclass(frozen=True)
class Repeats:
    """Groups of images with equal content.

    Args:
        splits: Split of each image as an index into `names`, (M,).
        indices: Index of each image in its split, (M,).
        labels: Class ids, (M,).
        groups: Group of each image, (M,), ascending.
        names: Names of the splits.
    """

    splits: NDArray[np.int64]
    indices: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.groups)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Offset of each group, and the end of the last one."""
        return np.flatnonzero(np.diff(self.groups, prepend=-1, append=-1))

    def pairs(self) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """Returns pairs of images by their two splits, which may be the same one.

        The first image of a group forms a pair with each of the others.
        """
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        starts = self.starts.tolist()
        for start, end in pairwise(starts):
            first = self.names[self.splits[start]], int(self.indices[start])
            for at in range(start + 1, end):
                other = self.names[self.splits[at]], int(self.indices[at])
                found.setdefault((first[0], other[0]), []).append((first[1], other[1]))
        return found


def find_repeats(dataset: Dataset, digests: Mapping[str, Digests]) -> Repeats:
    """Returns the images that occur more than once, by content.

    Images that are absent or empty or cannot be decoded are left out: they are reported elsewhere.

    Args:
        dataset: Data set.
        digests: Digests of each split by its name, (N, 16).
    """
    names = tuple(sorted(digests, key=lambda name: (name not in _ORDER, _precedence(name))))
    values = np.concatenate([np.ascontiguousarray(digests[name]) for name in names])
    keys = values.view(f"V{values.shape[1]}").ravel()
    _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
    no_content = np.isin(keys, np.frombuffer(ABSENT + content_digest(b""), keys.dtype))
    sizes = [len(digests[name]) for name in names]
    splits = np.repeat(np.arange(len(names)), sizes)
    indices = np.concatenate([np.arange(size) for size in sizes])
    labels = np.concatenate([dataset.splits[name].labels for name in names])
    rows = np.flatnonzero((counts[group] > 1) & ~no_content)
    rows = rows[np.argsort(group[rows], kind="stable")]  # within a group test, val, train
    repeats = Repeats(splits[rows], indices[rows], labels[rows], group[rows], names)
    return _decodable(dataset, repeats)


def _precedence(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else 0


def _decodable(dataset: Dataset, repeats: Repeats) -> Repeats:
    """Returns the groups whose content is an image."""
    starts = repeats.starts
    fine = np.ones(len(repeats), dtype=bool)
    for start, end in pairwise(starts):
        split = dataset.splits[repeats.names[repeats.splits[start]]]
        try:
            split.images.read(int(repeats.indices[start]))
        except CorruptImageError:
            fine[start:end] = False
    return Repeats(
        repeats.splits[fine],
        repeats.indices[fine],
        repeats.labels[fine],
        repeats.groups[fine],
        repeats.names,
    )


def handle_repeats(
    dataset: Dataset,
    digests: Mapping[str, Digests],
    rule: RepeatRule,
    where: str,
    name_of: Callable[[str, int], str],
) -> Dataset:
    """Returns a data set with repeated images handled by a rule.

    Args:
        dataset: Data set.
        digests: Digests of each split by its name, (N, 16).
        rule: Rule for repeated images. `refuse` raises; `drop` keeps each image once, in test
            before val before train, and no image that has two classes; `keep` leaves all of them.
            The last two add a note.
        where: Name of the data set for messages.
        name_of: Function `(split, index) -> name` of an image for messages.

    Raises:
        DataError: Repeated images are refused, or a class has no other training images.
    """
    repeats = find_repeats(dataset, digests)
    if not len(repeats):
        return dataset
    summary = _summary(repeats, name_of)
    if rule == "refuse":
        raise DataError(
            f"{where}: {summary}",
            hint="add --set dataset.duplicates=drop, which keeps each image once, in test before "
            "train; `ltbench data verify NAME --deep --set dataset.duplicates=keep` lists all "
            "of them",
        )
    if rule == "keep":
        mixed = "; images of a class that are equal may lie on both sides of a held-out split"
        return replace(dataset, notes=(*dataset.notes, f"{summary}{mixed}"))
    return _drop(dataset, repeats, where, summary)


def _drop(dataset: Dataset, repeats: Repeats, where: str, summary: str) -> Dataset:
    """Returns a data set with one image of each group, and no image of a group with two classes."""
    starts = repeats.starts[:-1]
    first = np.zeros(len(repeats), dtype=bool)
    first[starts] = True
    low = np.minimum.reduceat(repeats.labels, starts)
    high = np.maximum.reduceat(repeats.labels, starts)
    sizes = np.diff(repeats.starts)
    gone = ~first | np.repeat(low != high, sizes)
    splits = dict(dataset.splits)
    for number, name in enumerate(repeats.names):
        kept = np.ones(len(splits[name]), dtype=bool)
        kept[repeats.indices[gone & (repeats.splits == number)]] = False
        at = np.flatnonzero(kept)
        splits[name] = Split(subset(splits[name].images, at), splits[name].labels[at])
    note = f"{_images(int(gone.sum()))} left out because they occur more than once: {summary}"
    dropped = replace(dataset, splits=splits, notes=(*dataset.notes, note))
    empty = np.flatnonzero((dropped.class_counts == 0) & (dataset.class_counts > 0))
    if len(empty):
        raise DataError(
            f"{where}: class '{dataset.class_names[empty[0]]}' has no training image that is not "
            f"also in another split or class; {summary}",
            hint="add training images of this class",
        )
    return dropped


def _summary(repeats: Repeats, name_of: Callable[[str, int], str]) -> str:
    """Returns the number of repeated images by pair of splits, with some of their names."""
    parts = []
    for (first, second), pairs in repeats.pairs().items():
        shown = ", ".join(
            f"{name_of(first, one)} = {name_of(second, other)}"
            for one, other in pairs[:_MAX_SHOWN_PAIRS]
        )
        more = ", ..." if len(pairs) > _MAX_SHOWN_PAIRS else ""
        what = (
            f"{first} repeats {_images(len(pairs))}"
            if first == second
            else f"{first} and {second} share {_images(len(pairs))}"
        )
        parts.append(f"{what} ({shown}{more})")
    return "; ".join(parts)


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"
