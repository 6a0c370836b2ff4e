"""Check that all processes of a run have read the same files.

The ranks of several machines read their own copies of data and weights. Where one of them cannot
read a file, it would train on other images, or wait in an exchange that the others do not make.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ltbench.config.runspec import RunSpec
from ltbench.data import Dataset
from ltbench.data.images import ImageSource, image_names
from ltbench.errors import DataError
from ltbench.ranks.group import Group

_HINT = "all machines need the same files, readable, and the same versions of ltbench and plugins"


def expect_same_run(spec: RunSpec, group: Group) -> None:
    """Checks that all processes have resolved the same run.

    Raises:
        DataError: They have not: what each of them has instead.
    """
    identities = {kind: choice.identity for kind, choice in spec.choices().items()}
    seen = group.collect({**identities, "hash": spec.hash})
    if len({one["hash"] for one in seen}) > 1:
        key = next(key for key in seen[0] if len({one.get(key) for one in seen}) > 1)
        told = _told([f"{key} {one.get(key)}" for one in seen])
        raise DataError(f"the ranks have different runs: {told}", hint=_HINT)


def expect_same_dataset(dataset: Dataset, group: Group) -> None:
    """Checks that all processes have the same classes, labels and images.

    Raises:
        DataError: They have not: what each of them has instead.
    """
    if group.size == 1:
        return
    counts = [f"{name} {len(split):,} images" for name, split in dataset.splits.items()]
    digest = hashlib.sha256("\n".join(dataset.class_names).encode())
    for name, split in dataset.splits.items():
        digest.update(f"\n{name}\n".encode())
        digest.update(np.ascontiguousarray(split.labels).data)
        _add_names(digest, split.images)
    shown = ", ".join([f"{dataset.num_classes:,} classes", *counts])
    _expect_same("data sets", shown, digest.hexdigest(), group)


def expect_same_images(images: ImageSource, group: Group) -> None:
    """Checks that all processes have found the same images.

    Raises:
        DataError: They have not: what each of them has instead.
    """
    if group.size == 1:
        return
    digest = hashlib.sha256()
    _add_names(digest, images)
    _expect_same("images", f"{len(images):,} images", digest.hexdigest(), group)


def _add_names(digest: Any, images: ImageSource) -> None:
    """Adds the names of all images to a digest."""
    for name in image_names(images, np.arange(len(images))):
        digest.update(f"{name}\n".encode(errors="surrogateescape"))


def _expect_same(what: str, shown: str, digest: str, group: Group) -> None:
    seen = group.collect([shown, digest])
    if any(one != seen[0] for one in seen):
        alike = len({counts for counts, _ in seen}) == 1
        told = _told([f"{one}, digest {digest[:12]}" if alike else one for one, digest in seen])
        raise DataError(f"the ranks have read different {what}: {told}", hint=_HINT)


def _told(seen: Sequence[str]) -> str:
    """Returns what each rank has, those with the same together."""
    ranks: dict[str, list[str]] = {}
    for rank, text in enumerate(seen):
        ranks.setdefault(text, []).append(str(rank))
    return "; ".join(
        f"{'rank' if len(those) == 1 else 'ranks'} {', '.join(those)}: {text}"
        for text, those in ranks.items()
    )
