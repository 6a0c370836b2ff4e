"""CIFAR-100-LT and CIFAR-10-LT: long-tailed subsets of the training images, all test images.

Only the binary version of CIFAR is read: the Python version consists of pickles, and loading these
can run any code.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
from annotated_types import Ge

from ltbench import DataContext, DatasetSpec, option
from ltbench.data import (
    ArrayImages,
    Dataset,
    Preparation,
    Split,
    combined_digest,
    counts_rule,
    exponential_counts,
    file_digests,
    select_counts,
)
from ltbench.errors import DataError
from ltbench_plugins.datasets.parts.cifar_files import CIFAR_10, CIFAR_100, URL, CifarFiles

_DOWNLOAD = "download"  # name of the folder, or of a link to it


@dataclass(frozen=True)
class CifarConfig:
    """Options of cifar100_lt and cifar10_lt."""

    ratio: Annotated[float, Ge(1)] = option(
        100.0, "largest over smallest class count; 100, 50 and 10 in papers"
    )


@dataclass(frozen=True)
class Cifar:
    """CIFAR-100-LT or CIFAR-10-LT.

    Args:
        name: Name of the data set, and of its folder below the data root.
        files: Files of the download.
    """

    name: str
    files: CifarFiles

    def build(self, config: CifarConfig, ctx: DataContext) -> Dataset:
        """Builds the data set from `<data root>/<name>/download` (Cao et al., NeurIPS 2019).

        The class counts are n_k = floor(n * ratio^(-k / (K - 1))). With `data_seed` 0 the subset
        is the published one, image for image.

        Raises:
            DataError: A file is missing or truncated, or the number of images of a class is wrong.
        """
        files, folder = self.files, self._folder(ctx)
        labels = {split: files.read_labels(folder, split) for split in files.splits}
        largest = files.images_per_class["train"]
        counts = exponential_counts(files.num_classes, largest, config.ratio)
        chosen = {
            "train": select_counts(labels["train"], counts, ctx.data_seed),
            "test": np.arange(len(labels["test"])),
        }
        splits = {
            split: Split(
                ArrayImages(files.read_pixels(folder, split, chosen[split])),
                labels[split][chosen[split]],
            )
            for split in files.splits
        }
        return Dataset(files.read_names(folder), splits)

    def identity(self, config: CifarConfig, ctx: DataContext) -> str:
        """Returns a hash of class names and labels, which define the subset, and one of the files.

        Raises:
            DataError: See `build`.
        """
        import pyarrow as pa

        folder = self._folder(ctx)
        digest = hashlib.sha256("\n".join(self.files.read_names(folder)).encode())
        for split in self.files.splits:
            digest.update(self.files.read_labels(folder, split).astype(np.uint8).tobytes())
        files = [file for names in self.files.splits.values() for file in names]
        content = file_digests(folder, pa.array(files, pa.string()), ctx.progress)
        rule = counts_rule(
            self.files.num_classes, self.files.images_per_class["train"], config.ratio
        )
        return f"sha256:{digest.hexdigest()} content:{combined_digest(content)}{rule}"

    def check(self, config: CifarConfig, ctx: DataContext) -> None:
        """Checks that every file exists and has the expected size.

        Raises:
            DataError: A file is missing or has another size.
        """
        self._folder(ctx)

    def prepare(self, config: CifarConfig, preparation: Preparation) -> None:
        """Puts the binary version of CIFAR in place: linked, unpacked, or fetched.

        Raises:
            DataError: It cannot be fetched, or the download is not the expected one.
        """
        files, source = self.files, preparation.source
        target = preparation.folder / _DOWNLOAD
        if source is not None and source.is_dir():
            files.expect(files.find(source))
            preparation.link(_DOWNLOAD, source)
        elif source is not None:
            files.expect_archive(source)
            self._unpack(preparation, source)
        elif not target.exists():
            preparation.note(f"{files.archive} (160 MiB) will be fetched; --source uses your copy")
            preparation.fetch(files.archive, URL, files.archive_fault)
            archive = preparation.folder / files.archive
            self._unpack(preparation, archive)
            archive.unlink()
        files.expect(files.find(target))

    def _unpack(self, preparation: Preparation, archive: Path) -> None:
        target = preparation.folder / _DOWNLOAD
        if target.exists() or target.is_symlink():
            raise DataError(
                f"{target} already exists",
                hint="omit --source to use it, or set another --data-root",
            )
        preparation.unpack(archive, _DOWNLOAD, self.files.unpacked_limit)

    def _folder(self, ctx: DataContext) -> Path:
        """Returns the folder of the files after checking it."""
        download = ctx.root / self.name / _DOWNLOAD
        if not download.exists():
            raise DataError(
                f"{self.name}: {download} does not exist",
                hint=f"run `ltbench data prepare {self.name}`, which fetches it, or add --source "
                "PATH to use your copy; --data-root is the parent folder",
            )
        folder = self.files.find(download)
        self.files.expect(folder)
        return folder


def spec(cifar: Cifar, summary: str) -> DatasetSpec:
    """Returns the spec of one of the two data sets."""
    return DatasetSpec(
        name=cifar.name,
        summary=summary,
        config=CifarConfig,
        build=cifar.build,
        identity=cifar.identity,
        check=cifar.check,
        prepare=cifar.prepare,
        examples=(),
        reference="arXiv:1906.07413",
    )


CIFAR100_LT = spec(
    Cifar("cifar100_lt", CIFAR_100),
    "100 classes of 32 x 32 pixels, at most 500 training images each, falling by any ratio",
)
CIFAR10_LT = spec(
    Cifar("cifar10_lt", CIFAR_10),
    "10 classes of 32 x 32 pixels, at most 5,000 training images each, falling by any ratio",
)
