"""Files of CIFAR's binary version: source, checks and record format."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.data import read_regular
from ltbench.errors import DataError

URL = "https://www.cs.toronto.edu/~kriz"
SIDE = 32
_MAX_NAMES_BYTES = 1 << 20
_PIXEL_BYTES = 3 * SIDE * SIDE  # one plane each for red, green and blue


@dataclass(frozen=True)
class CifarFiles:
    """The binary version of CIFAR-10 or CIFAR-100.

    A file is a sequence of records of one size: label bytes, the last of which is the class, and
    the pixels. All classes have the same number of images.

    Args:
        archive: File name of the download.
        md5: Published MD5 of the download.
        folder: Name of the folder in the download.
        splits: Names of the files of each split, in order.
        names: Name of the file with one class name per line.
        label_bytes: Number of bytes before the pixels of each image.
        num_classes: Number of classes K.
        images_per_class: Number of images per class in each split.
        python: Names of the Python version's folder, and of its file of class names.
    """

    archive: str
    md5: str
    folder: str
    splits: Mapping[str, tuple[str, ...]]
    names: str
    label_bytes: int
    num_classes: int
    images_per_class: Mapping[str, int]
    python: tuple[str, str]

    def find(self, download: Path) -> Path:
        """Returns the folder of the files: the folder in the download, or the download itself."""
        inside = download / self.folder
        return inside if inside.is_dir() else download

    def expect(self, folder: Path) -> None:
        """Checks that a folder holds all files, complete.

        Raises:
            DataError: A file is missing or has another size; or it is the Python version.
        """
        self._expect_binary(folder)
        for split, files in self.splits.items():
            size = self._records(split) * (self.label_bytes + _PIXEL_BYTES)
            for file in files:
                found = _size(folder / file)
                if found != size:
                    what = "is truncated" if found < size else "is too long"
                    raise DataError(
                        f"{folder / file} {what}: expected {size:,} bytes, got {found:,}",
                        hint=self.hint,
                    )

    def expect_archive(self, archive: Path) -> None:
        """Checks that a file is the download.

        Raises:
            DataError: It is another file, is damaged, or cannot be read.
        """
        if "python" in archive.name:
            raise self._python_version(archive)
        if archive.exists() and not archive.is_file():
            raise DataError(f"{archive} is not a regular file", hint=self.hint)
        try:
            with archive.open("rb") as file:
                found = hashlib.file_digest(file, _md5).hexdigest()
        except OSError as error:
            raise DataError(
                f"{archive} cannot be read: {error.strerror}", hint="allow this user to read it"
            ) from error
        if found != self.md5:
            raise DataError(f"{archive}: {self._md5_fault(found)}", hint=self.hint)

    def archive_fault(self, content: bytes) -> str:
        """Returns the fault of a download's content; empty for the published content."""
        found = _md5(content).hexdigest()
        return "" if found == self.md5 else self._md5_fault(found)

    def _md5_fault(self, found: str) -> str:
        return f"expected MD5 {self.md5} ({self.archive}), got {found}"

    @property
    def unpacked_limit(self) -> int:
        """Maximum number of unpacked bytes: the images, and as much again for texts."""
        images = sum(self._records(split) * len(files) for split, files in self.splits.items())
        return 2 * images * (self.label_bytes + _PIXEL_BYTES)

    def read_names(self, folder: Path) -> tuple[str, ...]:
        """Returns the names of the classes.

        Raises:
            DataError: The number of names is wrong, or they cannot be read.
        """
        path = folder / self.names
        try:
            lines = read_regular(path, _MAX_NAMES_BYTES).decode().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} cannot be read: {error}", hint=self.hint) from error
        names = tuple(line.strip() for line in lines if line.strip())
        if len(set(names)) != self.num_classes or len(names) != self.num_classes:
            raise DataError(
                f"{path}: expected {self.num_classes} class names, got {len(set(names))}",
                hint=self.hint,
            )
        return names

    def read_labels(self, folder: Path, split: str) -> NDArray[np.int64]:
        """Returns the class of each image of a split, (N,), in the order of the files.

        Raises:
            DataError: A class has too many or too few images, or a label is not one of the K.
        """
        records = self._open(folder, split)
        labels = np.concatenate([part[:, self.label_bytes - 1] for part in records])
        counts = np.bincount(labels, minlength=self.num_classes)
        wrong = np.flatnonzero(counts[: self.num_classes] != self.images_per_class[split])
        if len(counts) > self.num_classes:
            fault = f"expected labels in 0..{self.num_classes - 1}, got {len(counts) - 1}"
        elif len(wrong):
            fault = f"class {wrong[0]} in the {split} files: expected "
            fault += f"{self.images_per_class[split]:,} images, got {counts[wrong[0]]:,}"
        else:
            return labels.astype(np.int64)
        raise DataError(f"{folder}: {fault}", hint=self.hint)

    def read_pixels(
        self, folder: Path, split: str, indices: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        """Returns selected images of a split, (N, 32, 32, 3), without loading the others."""
        planes = np.empty((len(indices), _PIXEL_BYTES), np.uint8)
        start = 0
        for part in self._open(folder, split):
            inside = (indices >= start) & (indices < start + len(part))
            planes[inside] = part[indices[inside] - start, self.label_bytes :]
            start += len(part)
        images = planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images)

    @property
    def hint(self) -> str:
        """Hint on how to get the right files."""
        return (
            f"fetch {URL}/{self.archive} (the binary version) again and run `ltbench data prepare "
            "... --source PATH` with the archive or its unpacked folder; without --source it is "
            "fetched"
        )

    def _records(self, split: str) -> int:
        """Returns the number of images in each file of a split."""
        return self.num_classes * self.images_per_class[split] // len(self.splits[split])

    def _open(self, folder: Path, split: str) -> list[NDArray[np.uint8]]:
        """Returns the memory-mapped records of each file of a split, (N, bytes)."""
        shape = (self._records(split), self.label_bytes + _PIXEL_BYTES)
        return [np.memmap(folder / f, np.uint8, "r", shape=shape) for f in self.splits[split]]

    def _expect_binary(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder} does not exist", hint=self.hint)
        python_folder, python_names = self.python
        if (folder / python_folder).is_dir() or (folder / python_names).is_file():
            raise self._python_version(folder)

    def _python_version(self, path: Path) -> DataError:
        return DataError(
            f"{path} is CIFAR's Python version: expected the binary version, because pickles can "
            "run any code and are never loaded",
            hint=self.hint,
        )


def _md5(content: bytes = b"") -> Any:
    return hashlib.md5(content, usedforsecurity=False)


def _size(path: Path) -> int:
    if path.exists() and not path.is_file():  # reading a pipe would block
        raise DataError(f"{path} is not a regular file", hint="choose the folder that holds it")
    try:
        with path.open("rb") as file:  # fails without the permission to read it
            return file.seek(0, 2)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist", hint="choose the folder that holds it") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="allow this user to read it"
        ) from error


CIFAR_100 = CifarFiles(
    archive="cifar-100-binary.tar.gz",
    md5="03b5dce01913d631647c71ecec9e9cb8",
    folder="cifar-100-binary",
    splits={"train": ("train.bin",), "test": ("test.bin",)},
    names="fine_label_names.txt",
    label_bytes=2,  # coarse, fine
    num_classes=100,
    images_per_class={"train": 500, "test": 100},
    python=("cifar-100-python", "meta"),
)
CIFAR_10 = CifarFiles(
    archive="cifar-10-binary.tar.gz",
    md5="c32a1d4ab5d03f1284b67883e8d87530",
    folder="cifar-10-batches-bin",
    splits={
        "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        "test": ("test_batch.bin",),
    },
    names="batches.meta.txt",
    label_bytes=1,
    num_classes=10,
    images_per_class={"train": 5000, "test": 1000},
    python=("cifar-10-batches-py", "batches.meta"),
)
