from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ltbench.data import ArrayImages, Dataset, FileImages, Split, limit_images
from ltbench.data.holdout import hold_out
from ltbench.errors import DataError

COUNTS = np.array([30, 12, 3, 1])


def dataset(in_files: bool = False) -> Dataset:
    """Returns a data set whose images are their index, in memory or as names of files."""
    splits = {}
    for name, counts in (("train", COUNTS), ("test", np.full(4, 5))):
        labels = np.random.default_rng(0).permutation(np.repeat(np.arange(4), counts))
        pixels = np.arange(len(labels), dtype=np.uint8)[:, None, None, None].repeat(3, axis=3)
        paths = pa.array([f"{name}/{index}" for index in range(len(labels))])
        images = FileImages(Path("nowhere"), paths) if in_files else ArrayImages(pixels)
        splits[name] = Split(images, labels)
    return Dataset(("a", "b", "c", "d"), splits)


def chosen(limited: Dataset, split: str) -> list[int]:
    images = limited.splits[split].images
    assert isinstance(images, ArrayImages)
    return images.pixels[:, 0, 0, 0].tolist()


def test_every_split_has_a_few_images_of_each_class_in_their_order() -> None:
    whole = dataset()
    few = limit_images(whole, 4, 0)
    assert few.class_counts.tolist() == [4, 4, 3, 1]
    assert np.bincount(few.splits["test"].labels).tolist() == [4] * 4
    for split in ("train", "test"):
        at = chosen(few, split)
        assert at == sorted(at)
        assert (whole.splits[split].labels[at] == few.splits[split].labels).all()


def test_the_choice_is_that_of_the_data_seed_and_grows_with_the_limit() -> None:
    few, more = (set(chosen(limit_images(dataset(), limit, 3), "train")) for limit in (2, 5))
    assert few < more
    assert chosen(limit_images(dataset(), 5, 3), "train") == sorted(more)
    assert chosen(limit_images(dataset(), 5, 4), "train") != sorted(more)


def test_shot_groups_keep_the_counts_of_all_images() -> None:
    few = limit_images(dataset(), 2, 0)
    assert few.shot_counts.tolist() == COUNTS.tolist()
    assert (few.left_out, few.held_out) == (46 - 7, 0)
    validated = hold_out(limit_images(dataset(), 4, 0), 0)
    assert validated.shot_counts.tolist() == COUNTS.tolist()
    assert validated.held_out == len(validated.splits["val"]) == 3


def test_a_limit_of_one_leaves_nothing_to_hold_out() -> None:
    with pytest.raises(DataError, match="no class has two training images"):
        hold_out(limit_images(dataset(), 1, 0), 0)


def test_a_limited_data_set_is_not_changed_again() -> None:
    few = limit_images(dataset(), 4, 0)
    again = limit_images(few, 4, 0)
    assert again.splits == few.splits
    assert again.left_out == few.left_out
    assert limit_images(few, None, 0) is few


def test_files_are_chosen_without_being_read() -> None:
    images = limit_images(dataset(in_files=True), 1, 0).splits["train"].images
    assert isinstance(images, FileImages)
    assert len(images.paths) == 4


@pytest.mark.full
def test_a_million_images_are_limited_at_once() -> None:
    labels = np.random.default_rng(0).integers(8142, size=1_000_000)
    images = FileImages(Path("nowhere"), pa.array(map(str, range(len(labels)))))
    split = Split(images, labels)
    few = limit_images(Dataset(tuple(map(str, range(8142))), {"train": split, "test": split}), 2, 0)
    assert len(few.splits["train"]) == 2 * 8142
