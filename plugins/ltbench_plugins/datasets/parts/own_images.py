"""Options of data sets that the user brings, and what is done about images that occur twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, option
from ltbench.data import (
    Dataset,
    DigestRule,
    Digests,
    FileImages,
    RepeatRule,
    file_digests,
    handle_repeats,
)
from ltbench_plugins.datasets.parts.construction import Construction


@dataclass(frozen=True)
class OwnImages(Construction):
    """Options of folder, csv and huggingface."""

    digest: DigestRule = option(
        "content",
        "how images are identified: content: by every byte, read once; sampled: by their size and "
        "48 KiB of them, for sets that take too long to read",
    )
    duplicates: RepeatRule = option(
        "refuse",
        "images that occur more than once: refuse; drop: keep one, in test rather than in train; "
        "keep: leave them, with a warning",
    )

    def finish(
        self,
        dataset: Dataset,
        digests: Mapping[str, Digests],
        name_of: Callable[[str, int], str],
        where: str,
        ctx: DataContext,
    ) -> Dataset:
        """Returns a data set without images that occur twice, and long-tailed if it is to be.

        Args:
            dataset: All images.
            digests: (N, 16) of each split, by every byte.
            name_of: `(split, index) -> name` of an image for messages.
            where: Name of the data set for messages.
            ctx: With the data seed.

        Raises:
            ConfigError: It has too few images for the profile; see `ltbench.data.make_lt`.
            DataError: Images occur more than once, and such are refused.
        """
        distinct = handle_repeats(dataset, digests, self.duplicates, where, name_of)
        return self.of(distinct, ctx)


def digests_of_splits(dataset: Dataset, rule: DigestRule, ctx: DataContext) -> dict[str, Digests]:
    """Returns the digests of the files of each split, (N, 16), as `handle_repeats` needs them.

    Where samples of two files agree, the digests are of all of their bytes.

    Args:
        dataset: A data set of which all splits are `FileImages`.
        rule: What was hashed already, and is remembered.
        ctx: Shows the progress.
    """
    files = {name: split.images for name, split in dataset.splits.items()}
    found = {}
    for name, images in files.items():
        assert isinstance(images, FileImages)
        found[name] = file_digests(images.root, images.paths, ctx.progress, rule)
    if rule == "sampled":
        for name, rows in repeated_rows(found).items():
            images = files[name]
            assert isinstance(images, FileImages)
            whole = file_digests(images.root, images.paths.take(rows), ctx.progress)
            found[name][rows] = whole
    return found


def repeated_rows(digests: Mapping[str, Digests]) -> dict[str, NDArray[np.int64]]:
    """Returns the rows of each split whose digest occurs more than once in all splits."""
    whole = np.concatenate(list(digests.values()))
    keys = np.ascontiguousarray(whole).view(f"V{whole.shape[1]}").ravel()
    _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
    ends = np.cumsum([len(values) for values in digests.values()])[:-1]
    parts = np.split(counts[group] > 1, ends)
    return {name: np.flatnonzero(part) for name, part in zip(digests, parts, strict=True)}
