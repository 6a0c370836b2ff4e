"""A validation split held out of the training split: which images, and what stays as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ltbench.data import ArrayImages, Dataset, FileImages, ImageSource, Split, Subset
from ltbench.data.holdout import held_out_counts, hold_out
from ltbench.errors import DataError

COUNTS = np.array([20, 15, 14, 5, 2, 1, 0])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(7), COUNTS))
NAMES = tuple("abcdefg")


def numbered(count: int) -> ArrayImages:
    """Images of one pixel that holds their number."""
    return ArrayImages(np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(3, axis=-1))


def dataset(images: ImageSource | None = None) -> Dataset:
    train = Split(images or numbered(len(LABELS)), LABELS)
    return Dataset(NAMES, {"train": train, "test": Split(numbered(7), np.arange(7))})


def numbers(split: Split) -> list[int]:
    return [int(split.images.read(index)[0, 0, 0]) for index in range(len(split))]


def test_a_tenth_of_each_class_is_held_out_one_at_least_and_never_the_last() -> None:
    held = hold_out(dataset(), 0)
    counts = np.bincount(held.splits["val"].labels, minlength=7)
    assert counts.tolist() == held_out_counts(COUNTS).tolist() == [2, 2, 1, 1, 1, 0, 0]
    assert held.class_counts.tolist() == [18, 13, 13, 4, 1, 1, 0]
    assert held.held_out == 7


def test_every_image_is_in_one_split_with_its_label() -> None:
    whole = dataset()
    held = hold_out(whole, 0)
    train, val = numbers(held.splits["train"]), numbers(held.splits["val"])
    assert sorted(train + val) == list(range(57))
    assert train == sorted(train)  # the order of the list stays
    for at, split in ((train, "train"), (val, "val")):
        assert held.splits[split].labels.tolist() == LABELS[at].tolist()
    assert held.splits["test"] is whole.splits["test"]


def smallest_draws(seed: int) -> list[int]:
    """What is held out, worked out class by class: the images with the smallest draws."""
    draws = np.random.Generator(np.random.Philox(key=[seed, 2**32])).random(len(LABELS))
    members = [np.flatnonzero(label == LABELS) for label in range(7)]
    chosen = [
        at[np.argsort(draws[at])[:n]]
        for at, n in zip(members, held_out_counts(COUNTS), strict=True)
    ]
    return sorted(np.concatenate(chosen).tolist())


def test_the_choice_is_that_of_the_data_seed() -> None:
    np.random.seed(3)  # the global stream has no part in it
    first, again, other = (numbers(hold_out(dataset(), seed).splits["val"]) for seed in (0, 0, 1))
    assert first == again == smallest_draws(0)
    assert other == smallest_draws(1) != first


def test_shot_groups_are_of_the_published_counts() -> None:
    held = hold_out(dataset(), 0)
    assert held.shot_counts.tolist() == COUNTS.tolist()
    assert dataset().shot_counts.tolist() == COUNTS.tolist()
    assert dataset().held_out == 0


def test_images_are_shared() -> None:
    paths = [f"{number}.png" for number in range(len(LABELS))]
    held = hold_out(dataset(FileImages(Path("root"), pa.array(paths))), 0)
    files = held.splits["val"].images
    assert isinstance(files, FileImages)
    assert files.paths.to_pylist() == [f"{number}.png" for number in smallest_draws(0)]
    rows = numbered(len(LABELS))
    others = hold_out(dataset(Subset(rows, np.arange(len(LABELS)))), 0).splits["val"].images
    assert isinstance(others, Subset)
    assert np.shares_memory(others.read(0), rows.pixels)


def test_there_must_be_something_to_hold_out() -> None:
    single = Split(numbered(2), np.arange(2))
    with pytest.raises(DataError, match="no class has two training images"):
        hold_out(Dataset(("a", "b"), {"train": single, "test": single}), 0)
