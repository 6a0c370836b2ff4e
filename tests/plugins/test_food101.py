"""Food-101 as it is published: lists in the official form, and a few images."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltbench.config.options import parse_options
from ltbench.contexts import DataContext
from ltbench.data import Dataset, Preparation, git_blob_sha1
from ltbench.errors import ConfigError, CorruptImageError, DataError
from ltbench_plugins.datasets.food101_lt import FOOD101_LT, Food101Config
from tests import trees
from tests.covered import value_of


@pytest.fixture
def ctx(tmp_path: Path) -> DataContext:
    trees.food101(tmp_path / "data/food101_lt")
    return DataContext(tmp_path / "data", 0)


def build(ctx: DataContext, **options: Any) -> Dataset:
    config, faults = parse_options(Food101Config, options, "dataset", "food101_lt")
    assert not faults
    built: Dataset = FOOD101_LT.build(config, ctx)
    return built


def prepare(folder: Path, source: Path | None) -> list[str]:
    said: list[str] = []
    assert FOOD101_LT.prepare is not None
    FOOD101_LT.prepare(Food101Config(), Preparation(folder, source, None, said.append))
    return said


@value_of("dataset", "food101_lt")
def test_training_images_fall_exponentially(ctx: DataContext) -> None:
    dataset = build(ctx)
    counts = dataset.class_counts
    # 750 * 100^(-k / 100): a tenth in the middle, a hundredth in the end
    assert (counts[0], counts[50], counts[100]) == (750, 75, 7)
    assert counts[1] == 716  # 750 / 1.0471
    assert np.bincount(dataset.splits["test"].labels).tolist() == [250] * 101
    assert dataset.class_names[7] == "dish 007"
    assert set(dataset.splits) == {"train", "test"}
    train = dataset.splits["train"]
    names = {train.images.name(index) for index in range(749, 752)}
    assert {name.rpartition("/")[0] for name in names} == {"images/dish_000", "images/dish_001"}
    assert int(counts.sum()) == 16454
    other = build(DataContext(ctx.root, 1))
    assert other.splits["train"].images.name(0) != train.images.name(0)


def test_other_profiles(ctx: DataContext) -> None:
    balanced = build(ctx, profile="none")
    assert balanced.class_counts.tolist() == [750] * 101
    assert balanced.splits["train"].images.name(2) == "images/dish_000/2.jpg"
    assert balanced.splits["train"].images.read(2).shape[2] == 3
    pareto = build(ctx, profile="pareto", ratio=101.0).class_counts
    assert pareto[[0, 1, 2, 100]].tolist() == [750, 375, 250, 7]  # 750 / (k + 1)
    with pytest.raises(
        ConfigError, match="expected 751 training images of class 'dish 000', got 750"
    ):
        build(ctx, largest=751)


def test_the_identity_is_that_of_the_lists(ctx: DataContext) -> None:
    meta = ctx.root / "food101_lt/food-101/meta"
    blobs = [f"{n}:{git_blob_sha1((meta / f'{n}.txt').read_bytes())}" for n in ("train", "test")]
    assert FOOD101_LT.identity(Food101Config(), ctx) == " ".join(blobs)


def test_corrupt_images_are_named(ctx: DataContext) -> None:
    image = ctx.root / "food101_lt/food-101/images/dish_000/1.jpg"
    image.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(CorruptImageError, match=r"dish_000/1\.jpg cannot be decoded: .* web page"):
        build(ctx, profile="none").splits["train"].images.read(1)


def test_broken_lists_are_named(ctx: DataContext) -> None:
    meta = ctx.root / "food101_lt/food-101/meta"
    whole = (meta / "train.txt").read_text()
    lines = whole.splitlines()
    for broken in ("pizza/17", "dish_000", "dish_000/../../etc", "<html>", ""):
        (meta / "train.txt").write_text("\n".join([*lines[:4], broken, *lines[5:]]))
        with pytest.raises(DataError, match=r"train\.txt:5: expected CLASS/NUMBER, got"):
            build(ctx)
    (meta / "train.txt").write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match=r"train\.txt: expected 75,750 lines, got 75,749"):
        build(ctx)
    (meta / "train.txt").write_text(whole)
    (meta / "classes.txt").write_text("dish_000\n")
    with pytest.raises(DataError, match="expected 101 classes, got 1"):
        build(ctx)
    (meta / "test.txt").unlink()
    with pytest.raises(DataError, match=r"test\.txt"):
        FOOD101_LT.identity(Food101Config(), ctx)


def test_what_is_missing_is_named(ctx: DataContext) -> None:
    folder = ctx.root / "food101_lt"
    FOOD101_LT.check(Food101Config(), ctx)
    (folder / "food-101/images/dish_000/750.jpg").unlink()
    with pytest.raises(DataError, match=r"dish_000/750\.jpg does not exist") as raised:
        FOOD101_LT.check(Food101Config(), ctx)
    assert "food-101.tar.gz" in raised.value.hint
    (folder / "food-101/images").rename(folder / "images")
    with pytest.raises(DataError, match="food-101 has no images/"):
        FOOD101_LT.check(Food101Config(), ctx)
    (folder / "food-101/meta").rename(folder / "meta")
    with pytest.raises(DataError, match=r"food101_lt holds images/ and meta/ itself"):
        FOOD101_LT.check(Food101Config(), ctx)
    with pytest.raises(DataError, match="does not exist") as told:
        FOOD101_LT.check(Food101Config(), DataContext(ctx.root / "nowhere", 0))
    assert "food-101.tar.gz" in told.value.hint


def test_prepare_links_what_is_unpacked(tmp_path: Path) -> None:
    download = trees.food101(tmp_path / "downloads")
    folder = tmp_path / "data/food101_lt"
    with pytest.raises(DataError, match="does not exist"):
        prepare(folder, None)
    with pytest.raises(DataError, match="wrong level") as raised:
        prepare(folder, download.parent)
    assert raised.value.hint == f"use --source {download}"
    (said,) = prepare(folder, download)
    assert "a link to" in said
    assert build(DataContext(folder.parent, 0)).class_counts[0] == 750
    assert prepare(folder, None) == []


def test_prepare_unpacks_the_archive(tmp_path: Path) -> None:
    download = trees.food101(tmp_path / "downloads")
    archive, folder = tmp_path / "food-101.tar.gz", tmp_path / "data/food101_lt"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(download, "food-101")
    (said,) = prepare(folder, archive)
    assert "unpacked from" in said
    assert build(DataContext(folder.parent, 0)).class_counts[0] == 750
    with pytest.raises(DataError, match="food101_lt is not empty"):
        prepare(folder, archive)
