"""Splits, class counts and pixels of the data sets, counted by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ltbench.contexts import DataContext
from ltbench.data import ArrayImages, Dataset, git_blob_sha1
from ltbench.errors import DataError
from ltbench_plugins.datasets import digits_lt
from ltbench_plugins.datasets.digits_lt import DIGITS_LT, enlarge
from ltbench_plugins.datasets.imagenet_lt import IMAGENET_LT
from ltbench_plugins.datasets.parts.published import ListsConfig, PublishedList
from ltbench_plugins.datasets.places_lt import PLACES_LT
from tests import trees
from tests.covered import value_of

OWN = ListsConfig(lists="own")


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


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("\n".join(2 * [",".join(65 * ["0"])]), "differ from those of digits_lt"),
        ("", "cannot be read"),
        ("a,b", "cannot be read"),
        (None, "cannot be read"),
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt. input contained no data")
def test_other_digits_are_told(
    content: str | None, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "digits.csv"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(digits_lt, "_file", lambda: file)
    digits_lt._digits.cache_clear()
    with pytest.raises(DataError, match=fault) as raised:
        digits()
    assert "scikit-learn" in raised.value.hint


def test_digits_are_those_of_scikit_learn() -> None:
    theirs, (images, labels) = load_digits(), digits_lt._digits()
    assert (images == enlarge(theirs.images.astype(np.uint8))).all()
    assert (labels == theirs.target).all()


@value_of("dataset", "imagenet_lt")
def test_imagenet_lt_reads_lists_and_images(tmp_path: Path) -> None:
    folder, ctx = trees.imagenet_lt(tmp_path), DataContext(tmp_path, 0)
    dataset = IMAGENET_LT.build(OWN, ctx)
    assert dataset.class_names == ("tench", "goldfish", "great white shark")
    assert dataset.class_counts.tolist() == [12, 6, 3]
    assert np.bincount(dataset.splits["test"].labels).tolist() == [4, 4, 4]
    assert np.bincount(dataset.splits["val"].labels).tolist() == [2, 2, 2]
    image = dataset.splits["train"].images.read(13)  # the second goldfish
    assert image.shape[2] == 3
    assert image[..., 1].mean() < 0.6 * image[..., 0].mean()
    names = []
    for split in ("train", "val", "test"):
        content = (folder / f"{split}.txt").read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        names.append(f"{split}:{blob}")
    assert IMAGENET_LT.identity(OWN, ctx) == " ".join(names)


@value_of("dataset", "places_lt")
def test_places_lt_reads_lists_and_images(tmp_path: Path) -> None:
    download = trees.places365(tmp_path)
    download.lists.rename(tmp_path / "places_lt")
    dataset = PLACES_LT.build(OWN, DataContext(tmp_path, 0))
    assert dataset.class_names == trees.SCENES
    assert dataset.class_counts.tolist() == [7, 4, 2]
    images = dataset.splits["test"].images
    assert images.name(2) == "val/airplane_cabin/Places365_val_00000003.jpg"
    with pytest.raises(DataError, match="does not exist") as raised:  # only lists are needed so far
        images.read(0)
    assert "data verify places_lt" in raised.value.hint


def test_class_names_are_those_of_the_folders_whatever_the_label(tmp_path: Path) -> None:
    trees.ilsvrc(tmp_path, ("n01484850", "n01440764"), (3, 2)).lists.rename(
        tmp_path / "imagenet_lt"
    )
    dataset = IMAGENET_LT.build(OWN, DataContext(tmp_path, 0))
    assert dataset.class_names == ("great white shark", "tench")


def test_a_class_that_ilsvrc_has_not_is_told(tmp_path: Path) -> None:
    trees.ilsvrc(tmp_path, ("tench",), (3,)).lists.rename(tmp_path / "imagenet_lt")
    with pytest.raises(DataError, match="tench is not a class of ILSVRC 2012"):
        IMAGENET_LT.build(OWN, DataContext(tmp_path, 0))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("train/a/1.jpg 0\ntrain/b/2.jpg 0\n", "class 0 has images of several folders"),
        ("train/a/1.jpg 0\ntrain/a/2.jpg 1\n", "folder a has images of several classes"),
    ],
)
def test_each_class_is_one_folder(tmp_path: Path, lines: str, said: str) -> None:
    download = trees.places365(tmp_path)
    folder = download.lists.rename(tmp_path / "places_lt")
    (folder / "train.txt").write_text(lines)
    with pytest.raises(DataError, match=said):
        PLACES_LT.build(OWN, DataContext(tmp_path, 0))


def test_labels_that_start_at_one_are_told(tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path)
    for name in ("train", "val", "test"):
        rows = (line.split(" ") for line in (folder / f"{name}.txt").read_text().splitlines())
        text = "".join(f"{path} {int(label) + 1}\n" for path, label in rows)
        (folder / f"{name}.txt").write_text(text)
    with pytest.raises(
        DataError, match="labels of the training list: expected to start at 0"
    ) as raised:
        IMAGENET_LT.build(OWN, DataContext(tmp_path, 0))
    assert "subtract 1" in raised.value.hint


def test_lists_of_different_places_are_told(tmp_path: Path) -> None:
    folder = trees.places365(tmp_path).lists.rename(tmp_path / "places_lt")
    (folder / "test.txt").write_text("val/kitchen/1.jpg 0\n")
    with pytest.raises(DataError, match="class 0 is kitchen here and airfield in another list"):
        PLACES_LT.build(OWN, DataContext(tmp_path, 0))


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    folder, ctx = trees.imagenet_lt(tmp_path), DataContext(tmp_path, 0)
    IMAGENET_LT.check(OWN, ctx)
    first = folder / "val" / trees.CLASSES[0] / "ILSVRC2012_val_00000001.JPEG"
    first.unlink()
    with pytest.raises(DataError, match=r"ILSVRC2012_val_00000001\.JPEG does not exist") as raised:
        IMAGENET_LT.check(OWN, ctx)
    assert "data verify imagenet_lt" in raised.value.hint
    (folder / "train").rename(folder / "training")
    with pytest.raises(DataError, match="train does not exist") as raised:
        IMAGENET_LT.check(OWN, ctx)
    assert "image-net.org" in raised.value.hint
    (folder / "test.txt").unlink()
    with pytest.raises(DataError, match=r"test\.txt does not exist") as raised:
        IMAGENET_LT.identity(OWN, ctx)
    assert "--data-root" in raised.value.hint


def test_a_folder_too_many_is_told(tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path)
    (folder / "train").rename(folder / "inner")
    (folder / "train").mkdir()
    (folder / "inner").rename(folder / "train" / "train")
    with pytest.raises(DataError, match="wrong level"):
        IMAGENET_LT.check(OWN, DataContext(tmp_path, 0))


def test_published_lists_are_known_by_their_content() -> None:
    listed = PublishedList("train.txt", git_blob_sha1(b"a/b.jpg 0\na/c.jpg 0\n"), 2)
    assert listed.fault(b"a/b.jpg 0\na/c.jpg 0\n") == ""
    assert listed.fault(b"a/b.jpg 0\r\na/c.jpg 0\r\n") == ""  # checked out under Windows
    assert "truncated: expected 2 lines, got 1" in listed.fault(b"a/b.jpg 0\n")
    assert "truncated: expected 2 lines, got 0" in listed.fault(b"")
    assert "a web page" in listed.fault(b"<!DOCTYPE html>\n<html>\n</html>\n")
    assert "not the published list" in listed.fault(b"a/b.jpg 0\na/d.jpg 0\n")
