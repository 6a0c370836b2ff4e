"""Files that the processes of a run have read differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ltbench.config.resolve import resolve
from ltbench.data import Dataset, FileImages, Split, Subset
from ltbench.engine.building.agreement import (
    expect_same_dataset,
    expect_same_images,
    expect_same_run,
)
from ltbench.errors import DataError
from ltbench.ranks.group import SINGLE, Group


class Told(Group):
    """Group whose processes tell what the test has recorded of them."""

    def __init__(self, told: Sequence[Any] = ()) -> None:
        self.size = len(told)
        self.told: list[Any] = []
        self._others = told

    def collect(self, value: Any) -> list[Any]:
        self.told.append(value)
        return list(self._others or [value])


def dataset(names: Sequence[str], labels: Sequence[int] = (0, 1, 0)) -> Dataset:
    files = FileImages(Path("/nowhere"), pa.array(names))
    split = Split(files, np.array(labels))
    return Dataset(("ant", "bee"), {"train": split, "test": split})


def of_ranks(*datasets: Dataset) -> Told:
    """The group of processes that have read these data sets."""
    told = []
    for one in datasets:
        alone = Told()
        alone.size = len(datasets)
        expect_same_dataset(one, alone)
        told += alone.told
    return Told(told)


FILES = ("a.png", "b.png", "c.png")


def test_the_same_files_in_other_folders_are_the_same() -> None:
    one = dataset(FILES)
    (train,) = {id(split): split for split in one.splits.values()}.values()
    moved = Split(FileImages(Path("/other"), pa.array(FILES)), train.labels)
    other = replace(one, splits={"train": moved, "test": moved})
    expect_same_dataset(one, of_ranks(one, other))
    expect_same_dataset(one, SINGLE)


def test_the_ranks_that_lack_an_image_are_named() -> None:
    whole = dataset(FILES)
    train = whole.splits["train"]
    left = Split(Subset(train.images, np.array([0, 1])), train.labels[:2])
    less = replace(whole, splits={**whole.splits, "train": left})
    with pytest.raises(DataError) as raised:
        expect_same_dataset(whole, of_ranks(whole, less, whole))
    assert raised.value.message == (
        "the ranks have read different data sets: "
        "ranks 0, 2: 2 classes, train 3 images, test 3 images; "
        "rank 1: 2 classes, train 2 images, test 3 images"
    )


@pytest.mark.parametrize("other", [dataset(FILES[::-1]), dataset(FILES, (0, 1, 1))])
def test_as_many_other_images_are_noticed(other: Dataset) -> None:
    one = dataset(FILES)
    with pytest.raises(DataError, match=r"rank 1: 2 classes, .*, digest [0-9a-f]{12}$"):
        expect_same_dataset(one, of_ranks(one, other))


def test_images_to_predict_are_compared() -> None:
    told = []
    for names in (FILES, FILES[:2]):
        alone = Told()
        alone.size = 2
        expect_same_images(FileImages(Path(), pa.array([name.encode() for name in names])), alone)
        told += alone.told
    with pytest.raises(DataError, match="different images: rank 0: 3 images; rank 1: 2 images"):
        expect_same_images(FileImages(Path(), pa.array([b"a.png"])), Told(told))


def test_other_files_of_a_component_are_named(registry: Any, tmp_path: Path) -> None:
    spec = resolve(registry, {}, tmp_path).spec
    other = replace(spec, backbone=replace(spec.backbone, identity="sha256:0"))
    told = []
    for one in (spec, other):
        alone = Told()
        expect_same_run(one, alone)
        told += alone.told
    expect_same_run(spec, Told([told[0], told[0]]))
    with pytest.raises(
        DataError, match=r"different runs: rank 0: backbone .*; rank 1: backbone sha"
    ):
        expect_same_run(spec, Told(told))
    assert told[0]["hash"] == "199f5f1adf86"
