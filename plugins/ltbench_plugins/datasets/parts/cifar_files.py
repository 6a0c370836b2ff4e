"""The files of CIFAR's binary version: where they come from, and how they are laid out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError

URL = "https://www.cs.toronto.edu/~kriz"
SIDE = 32
_PIXELS = 3 * SIDE * SIDE  # a plane each for red, green and blue


@dataclass(frozen=True)
class CifarFiles:
    """The binary version of CIFAR-10 or CIFAR-100.

    A file is a row of records of one size: label bytes, of which the last is the class, and the
    pixels. Every class has the same number of images.

    Args:
        archive: File name of the download.
        md5: Of the download, as it is published.
        folder: The folder in it.
        splits: The files of each split, in order.
        names: The file with one class name a line.
        label_bytes: Before the pixels of each image.
        num_classes: K.
        images_per_class: In each split.
        python: What the Python version's folder is called, and its file of class names.
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
        """Returns the folder of the files: the download's own, or itself."""
        inside = download / self.folder
        return inside if inside.is_dir() else download

    def expect(self, folder: Path) -> None:
        """Sees to it that a folder holds every file, whole.

        Raises:
            DataError: One is missing or of another size; or it is the Python version.
        """
        self._expect_binary(folder)
        for split, files in self.splits.items():
            size = self._records(split) * (self.label_bytes + _PIXELS)
            for file in files:
                found = _size(folder / file)
                if found != size:
                    what = "is cut short" if found < size else "is too long"
                    raise DataError(
                        f"{folder / file} {what}: {found:,} of {size:,} bytes", hint=self.how
                    )

    def expect_archive(self, archive: Path) -> None:
        """Sees to it that a file is the download.

        Raises:
            DataError: It is something else, broken, or cannot be read.
        """
        if "python" in archive.name:
            raise self._pickled(archive)
        if archive.exists() and not archive.is_file():
            raise DataError(f"{archive} is no regular file", hint=self.how)
        try:
            with archive.open("rb") as file:
                found = hashlib.file_digest(file, _md5).hexdigest()
        except OSError as error:
            raise DataError(
                f"{archive} cannot be read: {error.strerror}", hint="get permission to read it"
            ) from error
        if found != self.md5:
            raise DataError(f"{archive}: {self._other(found)}", hint=self.how)

    def archive_fault(self, content: bytes) -> str:
        """Returns what is wrong with what should be the download; nothing if it is it."""
        found = _md5(content).hexdigest()
        return "" if found == self.md5 else self._other(found)

    def _other(self, found: str) -> str:
        return f"its MD5 is {found}, not {self.md5} ({self.archive})"

    @property
    def unpacked_limit(self) -> int:
        """Bytes that the download may unpack to: its images, and as much again for texts."""
        images = sum(self._records(split) * len(files) for split, files in self.splits.items())
        return 2 * images * (self.label_bytes + _PIXELS)

    def read_names(self, folder: Path) -> tuple[str, ...]:
        """Returns the names of the classes.

        Raises:
            DataError: There are not as many, or they cannot be read.
        """
        path = folder / self.names
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} cannot be read: {error}", hint=self.how) from error
        names = tuple(line.strip() for line in lines if line.strip())
        if len(set(names)) != self.num_classes or len(names) != self.num_classes:
            raise DataError(
                f"{path} has {len(set(names))} class names, not {self.num_classes}", hint=self.how
            )
        return names

    def read_labels(self, folder: Path, split: str) -> NDArray[np.int64]:
        """Returns the class of each image of a split, (N,), in the order of the files.

        Raises:
            DataError: A class has too many images or too few, or is none of the K.
        """
        records = self._open(folder, split)
        labels = np.concatenate([part[:, self.label_bytes - 1] for part in records])
        counts = np.bincount(labels, minlength=self.num_classes)
        wrong = np.flatnonzero(counts[: self.num_classes] != self.images_per_class[split])
        if len(counts) > self.num_classes:
            fault = f"label {len(counts) - 1} is outside of 0..{self.num_classes - 1}"
        elif len(wrong):
            fault = f"class {wrong[0]} has {counts[wrong[0]]:,} images in the {split} files, not "
            fault += f"{self.images_per_class[split]:,}"
        else:
            return labels.astype(np.int64)
        raise DataError(f"{folder}: {fault}", hint=self.how)

    def read_pixels(
        self, folder: Path, split: str, indices: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        """Returns some images of a split, (N, 32, 32, 3), without loading the others."""
        planes = np.empty((len(indices), _PIXELS), np.uint8)
        start = 0
        for part in self._open(folder, split):
            inside = (indices >= start) & (indices < start + len(part))
            planes[inside] = part[indices[inside] - start, self.label_bytes :]
            start += len(part)
        images = planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images)

    @property
    def how(self) -> str:
        """How to get the right files, as a hint."""
        return (
            f"fetch {URL}/{self.archive} (the binary version) again and name it, or the folder "
            "that it unpacks to, with `ltbench data prepare ... --source PATH`; without --source "
            "it is fetched"
        )

    def _records(self, split: str) -> int:
        """Returns how many images a file of a split has."""
        return self.num_classes * self.images_per_class[split] // len(self.splits[split])

    def _open(self, folder: Path, split: str) -> list[NDArray[np.uint8]]:
        """Returns the records of each file of a split, (N, bytes), on disk until they are used."""
        shape = (self._records(split), self.label_bytes + _PIXELS)
        return [np.memmap(folder / f, np.uint8, "r", shape=shape) for f in self.splits[split]]

    def _expect_binary(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DataError(f"there is no {folder}", hint=self.how)
        python_folder, python_names = self.python
        if (folder / python_folder).is_dir() or (folder / python_names).is_file():
            raise self._pickled(folder)

    def _pickled(self, path: Path) -> DataError:
        return DataError(
            f"{path} is CIFAR's Python version: pickles, which would run whatever they hold and "
            "are never loaded",
            hint=self.how,
        )


def _md5(content: bytes = b"") -> Any:
    return hashlib.md5(content, usedforsecurity=False)


def _size(path: Path) -> int:
    try:
        with path.open("rb") as file:  # may it be read at all?
            return file.seek(0, 2)
    except FileNotFoundError as error:
        raise DataError(f"there is no {path}", hint="name the folder that holds it") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="get permission to read it"
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
