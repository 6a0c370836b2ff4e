from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from ltbench.data import ArrayImages, FileImages, Subset, subset
from ltbench.errors import CorruptImageError, DataError

PIXELS = np.arange(5 * 4 * 3 * 3, dtype=np.uint8).reshape(5, 4, 3, 3)
CHOSEN = np.array([3, 0, 3])


@pytest.fixture
def files(tmp_path: Path) -> FileImages:
    names = [f"{index}.png" for index in range(5)]
    for name, pixels in zip(names, PIXELS, strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    return FileImages(tmp_path, pa.array(names), "look there")


def test_files_are_named_by_their_path_and_arrays_by_their_pixels(files: FileImages) -> None:
    assert files.name(2) == "2.png"
    images = ArrayImages(np.concatenate([PIXELS, PIXELS[:1]]))
    assert images.name(0) == images.name(5) != images.name(1)


def test_some_of_the_images(files: FileImages) -> None:
    arrays = subset(ArrayImages(PIXELS), CHOSEN)
    paths = subset(files, CHOSEN)
    wrapped = Subset(files, CHOSEN)
    assert isinstance(arrays, ArrayImages)
    assert isinstance(paths, FileImages)
    assert paths.hint == files.hint
    for images in (arrays, paths, wrapped):
        assert len(images) == 3
        for index, original in enumerate(CHOSEN):
            assert np.array_equal(images.read(index), PIXELS[original])
    assert paths.name(1) == wrapped.name(1) == "0.png"
    assert isinstance(subset(wrapped, np.array([0])), Subset)


def test_a_file_that_is_not_there_is_told_with_the_hint(files: FileImages) -> None:
    (files.root / "1.png").unlink()
    with pytest.raises(DataError, match=r"1\.png does not exist") as raised:
        files.read(1)
    assert raised.value.hint == "look there"
    assert not isinstance(raised.value, CorruptImageError)


def test_a_folder_in_the_place_of_a_file_is_told(files: FileImages) -> None:
    (files.root / "1.png").unlink()
    (files.root / "1.png").mkdir()
    with pytest.raises(CorruptImageError, match=r"1\.png is not a regular file"):
        files.read(1)


def test_a_pipe_is_not_waited_for(files: FileImages) -> None:
    (files.root / "1.png").unlink()
    os.mkfifo(files.root / "1.png")
    with pytest.raises(CorruptImageError, match=r"1\.png is not a regular file"):
        files.read(1)


def test_a_million_paths_are_sent_as_one_buffer() -> None:
    count = 100_000
    names = pa.array([f"train/n01440764/n01440764_{index:06}.JPEG" for index in range(count)])
    sent = len(pickle.dumps(FileImages(Path("/data"), names)))
    assert sent < 1.1 * names.nbytes
