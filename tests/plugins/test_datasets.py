"""Splits, class counts and pixels of the data sets, counted by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ltbench.data import ArrayImages, Dataset
from ltbench.errors import DataError
from ltbench.specs import DataContext, NoOptions
from ltbench_plugins.datasets.digits_lt import DIGITS_LT, enlarge
from ltbench_plugins.datasets.imagenet_lt import IMAGENET_LT
from tests import trees
from tests.covered import value_of


def digits(data_seed: int = 0, **options: float) -> Dataset:
    built: Dataset = DIGITS_LT.build(DIGITS_LT.config(**options), DataContext(Path(), data_seed))
    return built


def pictures(dataset: Dataset, split: str) -> set[bytes]:
    images = dataset.splits[split].images
    assert isinstance(images, ArrayImages)
    return {picture.tobytes() for picture in images.pixels}


@value_of("dataset", "digits_lt")
def test_digits_lt_falls_from_zero_to_nine() -> None:
    dataset = digits()
    # floor(143 * 20^(-k / 9)): each class has 0.717 times as many as the one before
    assert dataset.class_counts.tolist() == [143, 102, 73, 52, 37, 27, 19, 13, 9, 7]
    assert digits(largest=8, ratio=2**9).class_counts.tolist() == [8, 4, 2, 1, 0, 0, 0, 0, 0, 0]
    assert dataset.class_names[0] == "zero"
    assert dataset.class_names[9] == "nine"


@value_of("dataset", "digits_lt")
def test_digits_lt_holds_out_every_fifth_digit() -> None:
    dataset, whole = digits(), np.bincount(load_digits().target)
    test, val = (np.bincount(dataset.splits[split].labels) for split in ("test", "val"))
    assert np.array_equal(test, whole // 5)
    assert np.array_equal(val, whole - test - dataset.class_counts)
    other = digits(data_seed=1)
    assert pictures(dataset, "test") == pictures(other, "test")
    assert pictures(dataset, "train") != pictures(other, "train")
    seen = [pictures(dataset, split) for split in ("train", "val", "test")]
    assert len(set.union(*seen)) == sum(len(part) for part in seen)


@value_of("dataset", "digits_lt")
def test_digits_are_enlarged_four_times() -> None:
    edge = np.zeros((1, 8, 8), np.uint8)
    edge[:, 4:] = 16
    # Keys' kernel at 7/8 and 15/8, and at 5/8 and 13/8, of the way to the first bright rows
    near, far = 0.0908203 - 0.0068359, 0.3896484 - 0.0439453
    ramp = [round(255 * share) for share in (near, far, 1 - far, 1 - near)]
    large = enlarge(edge)
    assert large[0, :, 5, 1].tolist() == [0] * 14 + ramp + [255] * 14
    assert (large == large[:, :, :1, :1]).all()
    assert set(enlarge(np.full((1, 8, 8), 4, np.uint8)).ravel()) == {64}  # 63.75


@value_of("dataset", "imagenet_lt")
def test_imagenet_lt_reads_lists_and_images(tmp_path: Path) -> None:
    folder, ctx = trees.imagenet_lt(tmp_path), DataContext(tmp_path, 0)
    dataset = IMAGENET_LT.build(NoOptions(), ctx)
    assert dataset.num_classes == 1000
    assert dataset.class_names[:3] == ("tench", "goldfish", "great white shark")
    assert dataset.class_counts[:4].tolist() == [12, 6, 3, 0]
    assert np.bincount(dataset.splits["test"].labels).tolist() == [4, 4, 4]
    image = np.asarray(dataset.splits["train"].images.read(13))  # the second goldfish
    assert image.shape[2] == 3
    assert image[..., 1].mean() < 0.6 * image[..., 0].mean()
    names = []
    for split in ("train", "test"):
        content = (folder / f"{split}.txt").read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        names.append(f"{split}:{blob}")
    assert IMAGENET_LT.identity(NoOptions(), ctx) == " ".join(names)


def test_imagenet_lt_says_what_is_missing(tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path)
    first = folder / "val" / trees.CLASSES[0] / f"{trees.CLASSES[0]}_0.JPEG"
    first.unlink()
    with pytest.raises(DataError, match=r"n01440764_0\.JPEG is missing"):
        IMAGENET_LT.build(NoOptions(), DataContext(tmp_path, 0))
    (folder / "test.txt").unlink()
    with pytest.raises(DataError, match=r"has no test\.txt") as raised:
        IMAGENET_LT.identity(NoOptions(), DataContext(tmp_path, 0))
    assert "--data-root" in raised.value.hint
