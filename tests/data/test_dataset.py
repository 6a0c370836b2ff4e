from __future__ import annotations

import numpy as np
import pytest

from ltbench.data import ArrayImages, Dataset, Split
from ltbench.errors import DataError


def split(labels: list[int], images: int | None = None) -> Split:
    count = len(labels) if images is None else images
    return Split(ArrayImages(np.zeros((count, 2, 2, 3), np.uint8)), np.array(labels, np.int64))


def test_class_counts_are_by_class_id() -> None:
    dataset = Dataset(("a", "b", "c"), {"train": split([2, 0, 2]), "test": split([1])})
    assert dataset.class_counts.tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("splits", "said"),
    [
        ({"train": split([0])}, "no images in its test split"),
        ({"train": split([]), "test": split([0])}, "no images in its train split"),
        (
            {"train": split([0]), "val": split([]), "test": split([0])},
            "no images in its val split",
        ),
        ({"train": split([0, 2]), "test": split([0])}, "label outside 0..1"),
        ({"train": split([0, 1], images=3), "test": split([0])}, "3 images and 2 labels"),
    ],
)
def test_faults_are_found(splits: dict[str, Split], said: str) -> None:
    with pytest.raises(DataError, match=said):
        Dataset(("a", "b"), splits)


def test_names_that_several_classes_have() -> None:
    names = ("missile", "tench", "missile", "sunglasses", "sunglasses")
    dataset = Dataset(names, {"train": split([0]), "test": split([1])})
    assert dataset.repeated_names == {"missile": [0, 2], "sunglasses": [3, 4]}
