"""The solar cells, counted in the package's own list, and packages that are not whole."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ltbench.contexts import DataContext
from ltbench.data import Dataset
from ltbench.errors import CorruptImageError, DataError
from ltbench.specs import NoOptions
from ltbench_plugins.datasets.elpv import ELPV, installed
from tests import trees
from tests.covered import value_of

CTX = DataContext(Path(), 0)
SAID = ("0.0", "0.3333333333333333", "0.6666666666666666", "1.0")


def build() -> Dataset:
    built: Dataset = ELPV.build(NoOptions(), CTX)
    return built


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes a package with five cells of each class, and returns the folder of its files."""
    monkeypatch.delitem(sys.modules, "elpv_dataset", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "elpv_dataset").mkdir()
    (tmp_path / "elpv_dataset/__init__.py").write_text("raise RuntimeError('imported')")
    data = tmp_path / "elpv_dataset/data"
    trees.class_folders(data, {"images": {"": 20}})
    lines = []
    for number in range(20):
        name = f"images/cell{number:04}.png"
        (data / f"images/{number}.jpg").rename(data / name)
        lines.append(f"{name}  {SAID[number % 4]}   {'mono' if number % 2 else 'poly'}\n")
    (data / "labels.csv").write_text("".join(lines))
    return data


@value_of("dataset", "elpv")
@pytest.mark.skipif(not installed(), reason="the extra elpv is not installed")
def test_the_published_cells() -> None:
    dataset = build()
    train, test = (np.bincount(dataset.splits[name].labels) for name in ("train", "test"))
    whole = np.array([1508, 295, 106, 715])  # probability 0, 1/3, 2/3 and 1, by uniq -c
    assert whole.sum() == 2624
    assert test.tolist() == (whole // 4).tolist()
    assert train.tolist() == (whole - whole // 4).tolist()
    images = dataset.splits["train"].images
    # cells 1, 2, 3, 5 and 6 are defective, the fourth of them is for testing; cell 4 is not
    assert [images.name(index)[-8:-4] for index in range(4)] == ["0001", "0002", "0003", "0004"]
    assert dataset.splits["train"].labels[:4].tolist() == [3, 3, 3, 0]
    assert dataset.splits["test"].images.name(0) == "images/cell0005.png"
    assert images.read(0).shape == (300, 300, 3)


@value_of("dataset", "elpv")
def test_every_fourth_cell_of_a_class_is_for_testing(package: Path) -> None:
    dataset = build()
    assert dataset.class_names[1] == "possibly defective solar cell"
    assert dataset.splits["train"].labels.tolist() == [0, 1, 2, 3] * 4
    assert dataset.splits["test"].labels.tolist() == [0, 1, 2, 3]
    images = dataset.splits["test"].images
    assert [images.name(index) for index in range(4)] == [
        f"images/cell{number:04}.png" for number in (12, 13, 14, 15)
    ]
    listed = (package / "labels.csv").read_bytes()
    identity = ELPV.identity(NoOptions(), CTX)
    assert identity.startswith(f"sha256:{hashlib.sha256(listed).hexdigest()} content:")
    Image.new("L", (8, 8), 9).save(package / images.name(0))
    assert ELPV.identity(NoOptions(), CTX) != identity


def test_a_broken_package_is_named(package: Path) -> None:
    (package / "images/cell0012.png").write_bytes(b"")
    with pytest.raises(CorruptImageError, match=r"cell0012\.png cannot be decoded: it is empty"):
        build().splits["test"].images.read(0)
    ELPV.check(NoOptions(), CTX)
    (package / "images/cell0000.png").unlink()
    with pytest.raises(DataError, match=r"cell0000\.png does not exist"):
        ELPV.check(NoOptions(), CTX)
    lines = (package / "labels.csv").read_text().splitlines()
    for broken in ("../cell.png 0.0 mono", "images/cell0001.png mono", "<html>"):
        (package / "labels.csv").write_text("\n".join([lines[0], broken]))
        with pytest.raises(DataError, match=r"labels\.csv:2: expected 'images/NAME\.png"):
            build()
    (package / "labels.csv").unlink()
    with pytest.raises(DataError, match=r"labels\.csv cannot be read"):
        ELPV.identity(NoOptions(), CTX)


def test_the_package_may_be_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delitem(sys.modules, "elpv_dataset", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(DataError, match="needs the package elpv-dataset") as raised:
        ELPV.identity(NoOptions(), CTX)
    assert raised.value.hint == 'pip install "ltbench[elpv]"'
