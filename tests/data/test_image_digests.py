"""What images are now: the same until a file or a pixel changes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from ltbench.data.image_digests import source_digest
from ltbench.data.images import ArrayImages, FileImages, Subset


@pytest.fixture
def files(tmp_path: Path) -> FileImages:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"four")
        os.utime(tmp_path / name, ns=(1, 1))
    return FileImages(tmp_path, pa.array(["a", "b"]))


def test_a_file_that_is_written_to_moved_or_gone_is_another(files: FileImages) -> None:
    before = source_digest(files)
    assert source_digest(files) == before
    os.utime(files.root / "a", ns=(1, 2))
    later = source_digest(files)
    (files.root / "a").write_bytes(b"five!")
    os.utime(files.root / "a", ns=(1, 2))
    longer = source_digest(files)
    (files.root / "a").unlink()
    assert len({before, later, longer, source_digest(files)}) == 4


def test_the_order_of_files_matters(files: FileImages) -> None:
    assert source_digest(FileImages(files.root, pa.array(["b", "a"]))) != source_digest(files)


def test_arrays_are_told_by_their_pixels_and_shape() -> None:
    pixels = np.zeros((2, 4, 3, 3), np.uint8)
    turned = np.zeros((2, 3, 4, 3), np.uint8)
    other = pixels.copy()
    other[1, 2, 0, 1] = 1
    assert source_digest(ArrayImages(pixels)) == source_digest(ArrayImages(pixels.copy()))
    assert len({source_digest(ArrayImages(each)) for each in (pixels, turned, other)}) == 3


def test_a_part_of_a_source_is_told_by_which_part(files: FileImages) -> None:
    first, second = (source_digest(Subset(files, np.array([index]))) for index in (0, 1))
    assert first != second
    assert first != source_digest(files)


def test_nothing_is_known_of_other_sources() -> None:
    class Made:
        def __len__(self) -> int:
            return 1

        def name(self, index: int) -> str:
            return "made"

        def read(self, index: int) -> NDArray[np.uint8]:
            return np.zeros((1, 1, 3), np.uint8)

    assert source_digest(Made()) is None
    assert source_digest(Subset(Made(), np.array([0]))) is None
