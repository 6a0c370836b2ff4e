from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from ltbench.data import ArrayImages, Dataset, FileImages, ImageSource, Split
from ltbench.data.loading.batches import Batch, Batches, LoaderConfig
from ltbench.data.randomness import uniforms
from ltbench.errors import CorruptImageError, DataError
from ltbench.views import Views
from ltbench_plugins.augmentations.standard import Standard

LABELS = np.array([0, 1, 0, 1, 1, 0])
PIXELS = np.random.default_rng(0).integers(0, 256, (6, 40, 50, 3), dtype=np.uint8)
ORDERS = [(0, np.array([4, 1, 2])), (1, np.array([0, 5, 3]))]


def views_of(sizes: np.ndarray, epoch: int, indices: np.ndarray) -> Views:
    augmentation = Standard()
    views = augmentation.views(sizes, uniforms(0, epoch, indices, augmentation.draws), 0.0)
    assert views.flips is not None
    return Views(views.boxes[:, None], views.flips[:, None], views.crop_first)


@pytest.fixture
def files(tmp_path: Path) -> FileImages:
    names = [f"{index}.png" for index in range(6)]
    for name, pixels in zip(names, PIXELS, strict=True):
        Image.fromarray(pixels).save(tmp_path / name)
    return FileImages(tmp_path, pa.array(names))


def batches(images: ImageSource, workers: int = 0, skip: bool = False) -> Batches:
    split = Split(images, LABELS)
    dataset = Dataset(("cat", "dog"), {"train": split, "test": split})
    return Batches(dataset, "train", views_of, 32, LoaderConfig(torch.device("cpu"), workers, skip))


def collected(made: Batches) -> list[Batch]:
    return list(made.of(ORDERS))


@pytest.mark.parametrize("workers", [0, 2])
def test_files_and_arrays_give_the_same(files: FileImages, workers: int) -> None:
    ours, theirs = collected(batches(ArrayImages(PIXELS))), collected(batches(files, workers))
    for array, file in zip(ours, theirs, strict=True):
        assert torch.equal(array.labels, file.labels)
        assert torch.equal(array.indices, file.indices)
        assert array.views.shape == file.views.shape == (3, 1, 3, 32, 32)
        assert (array.views.int() - file.views.int()).abs().max() <= 2


def test_long_batches_are_those_of_single_draws(files: FileImages) -> None:
    draws = np.arange(20) % 6 + 6 * (np.arange(20) // 6)
    (together,) = batches(files).of([(3, draws)])
    alone = [*batches(files).of((3, draws[at : at + 1]) for at in range(20))]
    assert together.draws.tolist() == draws.tolist()
    assert torch.equal(together.views, torch.cat([batch.views for batch in alone]))


def test_the_number_of_workers_changes_nothing(files: FileImages) -> None:
    alone, helped = collected(batches(files, 0)), collected(batches(files, 2))
    assert all(torch.equal(a.views, b.views) for a, b in zip(alone, helped, strict=True))


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>", b"\x89PNG\r\n\x1a\n" + b"0" * 50]
)
def test_a_corrupt_file_is_named_with_its_class(
    files: FileImages, workers: int, content: bytes
) -> None:
    (files.root / "2.png").write_bytes(content)
    with pytest.raises(CorruptImageError) as caught:
        collected(batches(files, workers))
    assert "2.png" in caught.value.message
    assert "class 'cat'" in caught.value.message
    assert "--on-corrupt skip" in caught.value.hint


def test_a_truncated_file_is_corrupt(files: FileImages) -> None:
    whole = (files.root / "2.png").read_bytes()
    (files.root / "2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptImageError, match=r"2\.png"):
        collected(batches(files))


def test_corrupt_files_can_be_skipped_and_are_counted(files: FileImages) -> None:
    (files.root / "2.png").write_bytes(b"")
    made = batches(files, skip=True)
    first, second = collected(made)
    assert first.indices.tolist() == [4, 1]
    assert len(second.labels) == 3
    assert list(made.skipped) == [2]


def test_a_missing_file_is_never_skipped(files: FileImages) -> None:
    (files.root / "2.png").unlink()
    with pytest.raises(DataError, match=r"2\.png does not exist"):
        collected(batches(files, skip=True))


def test_unusual_files_are_read_as_rgb(files: FileImages) -> None:
    grey = Image.fromarray(PIXELS[0, ..., 0])
    for name, image in {
        "0.png": grey,
        "1.png": grey.convert("P"),
        "2.png": Image.fromarray(PIXELS[2]).convert("RGBA"),
    }.items():
        image.save(files.root / name)
    assert {files.read(index).shape for index in range(3)} == {(40, 50, 3)}
    assert np.array_equal(files.read(0)[..., 0], PIXELS[0, ..., 0])


class Blank:
    """Images that cost nothing to read."""

    def __len__(self) -> int:
        return 10_000

    def name(self, index: int) -> str:
        return str(index)

    def read(self, index: int) -> np.ndarray:
        return np.zeros((224, 224, 3), np.uint8)


def whole(sizes: np.ndarray, epoch: int, draws: np.ndarray) -> Views:
    boxes = np.concatenate([np.zeros_like(sizes), sizes], axis=1)
    return Views(boxes[:, None].astype(np.float64), None)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_keeps_no_memory_of_its_batches() -> None:
    split = Split(Blank(), np.zeros(10_000, np.int64))
    dataset = Dataset(("blank",), {"train": split, "test": split})
    made = Batches(dataset, "train", whole, 224, LoaderConfig(torch.device("cpu"), 1, False))
    own, before = [], workers_now()
    for _ in made.of((0, part) for part in np.split(np.arange(3200), 50)):
        (worker,) = workers_now() - before
        lines = Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines()
        own.append(sum(int(line.split()[1]) for line in lines if line.startswith("Private_")))
    batch = 64 * 224 * 224 * 3 / 1024  # KiB
    assert own[-1] - own[4] < 5 * batch


def workers_now() -> set[int | None]:
    return {process.pid for process in multiprocessing.active_children()}


def test_workers_stay_for_the_next_epoch_until_they_are_closed(files: FileImages) -> None:
    made, before = batches(files, 2), workers_now()
    first = collected(made)
    workers = workers_now() - before
    again = collected(made)
    assert len(workers) == 2
    assert workers_now() - before == workers
    assert all(torch.equal(a.views, b.views) for a, b in zip(first, again, strict=True))
    made.close()
    assert workers_now() == before
    assert len(collected(made)) == 2
    del made
    assert workers_now() == before


def test_orders_that_are_not_finished_disturb_no_others(files: FileImages) -> None:
    made, expected = batches(files, 1), collected(batches(files, 0))
    collected(made)
    begun = made.of(ORDERS)
    first = next(begun)
    other = collected(made)
    rest = next(begun)
    for seen in ([first, rest], other, collected(made)):
        assert all(torch.equal(a.views, b.views) for a, b in zip(seen, expected, strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_loading_draws_nothing_from_what_the_training_draws_from(
    files: FileImages, workers: int
) -> None:
    before = torch.get_rng_state()
    collected(batches(files, workers))
    assert torch.equal(torch.get_rng_state(), before)
