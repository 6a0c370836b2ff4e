"""Options of data sets with the user's own images, and the treatment of repeated images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from ltbench import DataContext, option
from ltbench.data import (
    Dataset,
    DigestRule,
    Digests,
    FileImages,
    RepeatRule,
    combined_digest,
    file_digests,
    handle_repeats,
    limit_images,
    with_home,
)
from ltbench.errors import ConfigError, quoted
from ltbench_plugins.datasets.parts.construction import Construction

_MAX_TITLE = 80  # characters


@dataclass(frozen=True)
class OwnImages(Construction):
    """Options of folder, csv and huggingface."""

    title: str | None = option(
        None,
        "name of the data set in tables and figures; none: the name of its folder or file",
        label=True,
    )

    digest: DigestRule = option(
        "content",
        "identification of images: content: by every byte, read once; sampled: by their size and "
        "48 KiB of them, for data sets that take too long to read",
    )
    duplicates: RepeatRule = option(
        "refuse",
        "rule for images that occur more than once: refuse; drop: keep one, in test before train; "
        "keep: leave them, with a warning",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.title is None:
            object.__setattr__(self, "title", self._default_title())
        elif not self.title.isprintable() or not 0 < len(self.title.strip()) <= _MAX_TITLE:
            raise ConfigError(
                f"dataset.title: expected 1 to {_MAX_TITLE} printable characters, got "
                f"{quoted(self.title)}",
                hint="give a short name for tables and figures",
            )

    @property
    def place(self) -> Path | None:
        """File or folder that the default title is the name of."""
        return None

    def _default_title(self) -> str | None:
        """Returns the name of the place; None where it has no printable one."""
        if self.place is None:
            return None
        name = Path(os.path.abspath(with_home(self.place))).name.removesuffix(".csv")  # noqa: PTH100
        printable = "".join(c if c.isprintable() else "?" for c in name).strip()
        return printable[:_MAX_TITLE] or None

    def finish(
        self,
        dataset: Dataset,
        digests: Mapping[str, Digests],
        name_of: Callable[[str, int], str],
        where: str,
        ctx: DataContext,
    ) -> Dataset:
        """Returns a data set without repeated images, made long-tailed if so configured.

        Args:
            dataset: Data set with all images.
            digests: Digests of each split by every byte, (N, 16).
            name_of: Function `(split, index) -> name` of an image for messages.
            where: Name of the data set for messages.
            ctx: Context with the data seed.

        Raises:
            ConfigError: A class has too few images for the profile; see `ltbench.data.make_lt`.
            DataError: Images occur more than once, and repeated images are refused.
        """
        distinct = handle_repeats(dataset, digests, self.duplicates, where, name_of)
        return self.of(distinct, ctx)

    def few(self, dataset: Dataset, ctx: DataContext) -> Dataset:
        """Returns the few images of each class that a quick look reads, without reading them.

        Args:
            dataset: Data set with all images.
            ctx: Context with the data seed and the limit.
        """
        return limit_images(self.of(dataset, ctx), ctx.limit, ctx.data_seed)

    def finish_few(self, dataset: Dataset, where: str, ctx: DataContext) -> Dataset:
        """Returns the data set of a quick look, without images that are repeated in it.

        Args:
            dataset: Data set with all images, in files.
            where: Name of the data set for messages.
            ctx: Context with the data seed and the limit.

        Raises:
            ConfigError: A class has too few images for the profile; see `ltbench.data.make_lt`.
            DataError: Images occur more than once, and repeated images are refused.
        """
        few = self.few(dataset, ctx)
        digests = digests_of_splits(few, self.digest, ctx)
        names = {name: split.images.name for name, split in few.splits.items()}
        return handle_repeats(
            few, digests, self.duplicates, where, lambda split, at: names[split](at)
        )

    def identity_of_few(self, dataset: Dataset, ctx: DataContext) -> str:
        """Returns a digest of the names and contents of a quick look's images.

        Args:
            dataset: Data set with all images, in files.
            ctx: Context with the data seed and the limit.
        """
        few = self.few(dataset, ctx)
        hashed = hashlib.sha256(few.shot_counts.astype("<i8").tobytes())
        for name, split in few.splits.items():
            images = split.images
            assert isinstance(images, FileImages)
            paths = (normalize("NFC", path) for path in images.paths.to_pylist())
            hashed.update("\0".join((name, *paths, "")).encode())
            digests = file_digests(images.root, images.paths, ctx.progress, self.digest)
            hashed.update(combined_digest(digests).encode())
        return f"{self.digest}:{hashed.hexdigest()}"


def digests_of_splits(
    dataset: Dataset,
    rule: DigestRule,
    ctx: DataContext,
    known: Mapping[str, Digests] | None = None,
) -> dict[str, Digests]:
    """Returns the digests of the files of each split, (N, 16), as `handle_repeats` needs them.

    Files with equal samples are hashed completely.

    Args:
        dataset: Data set whose splits are all `FileImages`.
        rule: Rule of the cached digests.
        ctx: Context with the progress reporter.
        known: Digests of each split by this rule, where they are known.
    """
    files = {name: split.images for name, split in dataset.splits.items()}
    found = dict(known or {})
    for name, images in files.items():
        assert isinstance(images, FileImages)
        if name not in found:
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
