"""Warnings about the test split."""

from __future__ import annotations

import numpy as np
import pytest

from ltbench.data import ArrayImages, Dataset, Split
from ltbench.data.split_warnings import prior_warning, untested_classes


def dataset(train: list[int], test: list[int]) -> Dataset:
    splits = {}
    for name, counts in (("train", train), ("test", test)):
        labels = np.repeat(np.arange(len(counts)), counts)
        splits[name] = Split(ArrayImages(np.zeros((len(labels), 1, 1, 3), np.uint8)), labels)
    return Dataset(tuple(f"class {label}" for label in range(len(train))), splits)


def test_untested_classes_are_named() -> None:
    assert not list(untested_classes(dataset([3, 2], [1, 1])))
    [warning] = untested_classes(dataset([9] * 9, [1, 0, 0, 0, 0, 0, 0, 1, 1]))
    assert "accuracy: 6 of 9: class 1, class 2, class 3, class 4, class 5, ..." in warning


@pytest.mark.parametrize(
    ("train", "test", "warned"),
    [
        ([100, 50, 10], [10, 5, 1], True),
        ([100, 50, 10], [10, 5, 0], True),
        ([100, 50, 10], [5, 5, 5], False),
        ([100, 50, 10], [5, 4, 4], False),
        ([100, 50, 10], [1, 5, 10], False),
        ([100, 90, 80], [10, 9, 8], False),  # hardly unbalanced
    ],
)
def test_a_test_split_as_unbalanced_as_training(
    train: list[int], test: list[int], warned: bool
) -> None:
    found = list(prior_warning(dataset(train, test), ["loss_a"]))
    assert len(found) == warned
    assert not list(prior_warning(dataset(train, test), []))
