"""Quick looks at own images: only a few of the files are read."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ltbench import DataContext, DatasetSpec
from ltbench.data import Dataset, FileImages, limit_images
from ltbench.errors import DataError
from ltbench_plugins.datasets.csv import CSV
from ltbench_plugins.datasets.folder import FOLDER
from ltbench_plugins.datasets.imagenet_lt import IMAGENET_LT
from ltbench_plugins.datasets.parts.published import ListsConfig
from tests import trees

COUNTS = {"train": {"a": 6, "b": 4, "c": 2}, "test": {"a": 3, "b": 3, "c": 3}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return trees.class_folders(tmp_path / "own", COUNTS)


def listed(root: Path) -> Path:
    rows = [
        f"{path.relative_to(root)},{path.parent.name},{path.parent.parent.name}"
        for path in sorted(root.rglob("*.*"))
        if path.suffix != ".csv"
    ]
    (root / "list.csv").write_text("\n".join(["path,label,split", *rows]) + "\n")
    return root / "list.csv"


def files(dataset: Dataset, root: Path) -> set[Path]:
    images = [split.images for split in dataset.splits.values()]
    assert all(isinstance(one, FileImages) for one in images)
    return {root / one.name(at) for one in images for at in range(len(one))}


@pytest.mark.parametrize("spec", [FOLDER, CSV], ids=lambda spec: spec.name)
def test_files_beyond_the_limit_are_not_read(spec: DatasetSpec, root: Path) -> None:
    config = spec.config(path=root if spec is FOLDER else listed(root))
    ctx = DataContext(root, 0, limit=2)
    dataset, identity = spec.build(config, ctx), spec.identity(config, ctx)
    chosen = files(dataset, root)
    assert len(chosen) == 12
    assert dataset.shot_counts.tolist() == [6, 4, 2]
    others = [path for path in root.rglob("train/*/*") if path not in chosen]
    shutil.copy(next(iter(chosen)), others[0])  # a repeated image that is not read
    others[1].write_bytes(b"nothing")
    assert spec.identity(config, ctx) == identity
    assert files(spec.build(config, ctx), root) == chosen
    next(iter(chosen)).write_bytes(b"other")
    assert spec.identity(config, ctx) != identity
    assert spec.identity(config, replace(ctx, limit=3)) != identity
    assert spec.identity(config, replace(ctx, limit=None)) != identity


def test_a_profile_is_applied_before_the_limit(root: Path) -> None:
    trees.class_folders(root.parent / "even", {"train": dict.fromkeys("abc", 8), "test": {"a": 1}})
    config = FOLDER.config(path=root.parent / "even", profile="exponential", ratio=4.0)
    dataset = FOLDER.build(config, DataContext(root, 0, limit=3))
    assert dataset.shot_counts.tolist() == [8, 4, 2]
    assert np.bincount(dataset.splits["train"].labels).tolist() == [3, 3, 2]


def test_images_of_a_published_list_beyond_the_limit_need_not_be_there(tmp_path: Path) -> None:
    folder = trees.imagenet_lt(tmp_path)
    config, ctx = ListsConfig(lists="own"), DataContext(tmp_path, 0, limit=1)
    few = limit_images(IMAGENET_LT.build(config, ctx), ctx.limit, ctx.data_seed)
    chosen = files(few, folder)
    for path in folder.rglob("*.JPEG"):
        if path not in chosen:
            path.unlink()
    IMAGENET_LT.check(config, ctx)
    with pytest.raises(DataError, match="does not exist"):
        IMAGENET_LT.check(config, DataContext(tmp_path, 0))
    shutil.rmtree(folder / "train")
    with pytest.raises(DataError, match="train does not exist"):
        IMAGENET_LT.check(config, ctx)
