from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from ltbench.data import ArrayImages, Dataset, FileImages, ImageSource, Split
from ltbench.data.image_digests import source_digest
from ltbench.data.loading import decode_cache as module
from ltbench.data.loading.batches import Batches, LoaderConfig
from ltbench.data.loading.decode_cache import DecodedImages, decode_once
from ltbench.errors import CorruptImageError, DataError
from ltbench.io.array_cache import NO_CACHE, Cache
from tests.data.loading.test_batches import ORDERS, views_of
from tests.trees import picture

SIZES = [(30, 40), (41, 23), (8, 8), (33, 64), (20, 21), (50, 50)]


@pytest.fixture
def files(tmp_path: Path) -> FileImages:
    random = np.random.default_rng(0)
    names = [f"{index}.{'png' if index % 2 else 'jpg'}" for index in range(len(SIZES))]
    for name, size in zip(names, SIZES, strict=True):
        picture(random, size, 0).save(tmp_path / name)
    return FileImages(tmp_path, pa.array(names))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 10**8)


def of(images: ImageSource, cache: Cache, workers: int = 0) -> tuple[ImageSource, str]:
    return decode_once(images, {}, cache, workers, lambda doing, images: None)


def never(self: Any, index: int) -> None:
    raise AssertionError("it was decoded again")


@pytest.mark.parametrize("workers", [0, 2])
def test_the_pixels_are_those_of_the_files(files: FileImages, cache: Cache, workers: int) -> None:
    done = dict.fromkeys(("looking at", "decoding"), 0)

    def advance(doing: str, images: int) -> None:
        done[doing] += images

    images, note = decode_once(files, {}, cache, workers, advance)
    assert isinstance(images, DecodedImages)
    assert note == "pixels of 6 images (22 KB): decoded once"
    assert set(done.values()) == {len(files)}
    assert source_digest(images) == source_digest(files)
    for index in range(len(files)):
        assert images.name(index) == files.name(index)
        assert np.array_equal(images.read(index), files.read(index))


def test_they_are_decoded_once(
    files: FileImages, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = [files.read(index) for index in range(len(files))]
    of(files, cache)
    monkeypatch.setattr(FileImages, "read", never)  # DecodedImages has its own
    images, note = of(files, cache)
    assert note == f"pixels of 6 images (22 KB): found in {cache.folder}"
    assert all(np.array_equal(images.read(index), expected[index]) for index in range(6))


def test_a_file_that_has_changed_is_decoded_again(files: FileImages, cache: Cache) -> None:
    of(files, cache)
    Image.new("RGB", (40, 30), "red").save(files.root / "1.png")
    images, _ = of(files, cache)
    assert np.array_equal(images.read(1), files.read(1))
    assert images.read(1)[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("workers", [0, 1])
def test_what_cannot_be_decoded_is_told_when_it_is_read(
    files: FileImages, cache: Cache, workers: int
) -> None:
    half = (files.root / "0.jpg").read_bytes()
    (files.root / "0.jpg").write_bytes(half[: len(half) // 2])
    (files.root / "1.png").write_bytes(b"<html>")
    (files.root / "3.png").unlink()
    os.mkfifo(files.root / "3.png")
    (files.root / "5.png").unlink()
    images, _ = of(files, cache, workers)
    for index in (0, 1, 3):
        with pytest.raises(CorruptImageError):
            images.read(index)
    with pytest.raises(DataError, match=r"5\.png does not exist"):
        images.read(5)
    for index in (2, 4):
        assert np.array_equal(images.read(index), files.read(index))


def test_where_nothing_can_be_decoded_nothing_is_kept(files: FileImages, cache: Cache) -> None:
    for path in files.root.glob("*.*"):
        path.write_bytes(b"")
    assert of(files, cache) == (files, "images are decoded each time: none of them can be decoded")


def test_what_does_not_fit_is_not_looked_at(
    files: FileImages, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Cache(cache.folder, 1000)
    images, note = of(files, small)
    assert images is files
    assert note == "images are decoded each time: 22 KB of pixels, 1 KB of room"
    assert not cache.folder.exists()
    monkeypatch.setattr(module, "_memory", lambda: 1000)
    assert of(files, cache)[0] is files


def test_what_turns_out_too_large_is_not_decoded(files: FileImages, cache: Cache) -> None:
    needed = 3 * sum(height * width for height, width in SIZES)
    images, note = of(files, Cache(cache.folder, needed - 1))
    assert images is files
    assert note.startswith("images are decoded each time")


def test_arrays_and_no_cache_change_nothing(files: FileImages, cache: Cache) -> None:
    arrays = ArrayImages(np.zeros((2, 4, 4, 3), np.uint8))
    assert of(arrays, cache)[0] is arrays
    assert of(files, NO_CACHE)[0] is files


def test_another_process_maps_the_pixels_itself(files: FileImages, cache: Cache) -> None:
    images, _ = of(files, cache)
    sent = pickle.dumps(images)
    assert len(sent) < 4000
    other = pickle.loads(sent)
    assert isinstance(other.pixels, np.memmap)
    assert all(np.array_equal(other.read(index), files.read(index)) for index in range(6))


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_the_same_bit_for_bit(files: FileImages, cache: Cache, workers: int) -> None:
    seen = []
    for images in (files, of(files, cache)[0]):
        split = Split(images, np.zeros(len(SIZES), np.int64))
        dataset = Dataset(("cat",), {"train": split, "test": split})
        loader_config = LoaderConfig(torch.device("cpu"), workers, skip_corrupt=False)
        seen.append(list(Batches(dataset, "train", views_of, 32, loader_config).of(ORDERS)))
    for one, other in zip(*seen, strict=True):
        assert torch.equal(one.views, other.views)
