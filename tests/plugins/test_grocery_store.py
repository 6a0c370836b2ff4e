"""The photographs of products in shops, in small lists of the published form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ltbench.config.options import parse_options
from ltbench.contexts import DataContext
from ltbench.data import Dataset, Preparation, git_blob_sha1
from ltbench.errors import ConfigError, DataError
from ltbench_plugins.datasets import grocery_store
from ltbench_plugins.datasets.grocery_store import GROCERY_STORE, GroceryStoreConfig
from tests import trees
from tests.covered import value_of

CLASSES = ("Gala-Apple", "Pink-Lady", "Soy-Milk")
COARSE = ((0, "Apple"), (0, "Apple"), (1, "Milk"))
COUNTS = {
    "train": {"Gala-Apple": 3, "Pink-Lady": 4, "Soy-Milk": 8},
    "val": {"Gala-Apple": 1},
    "test": {"Gala-Apple": 1, "Pink-Lady": 1, "Soy-Milk": 2},
}


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Writes a repository with 20 images, whose lists are the published ones."""
    folder = trees.class_folders(tmp_path / "clone/dataset", COUNTS)
    lines = ["Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),a,b"]
    for fine, (name, (coarse, kind)) in enumerate(zip(CLASSES, COARSE, strict=True)):
        lines.append(f"{name},{fine},{kind},{coarse},/icons/{name}.jpg,/texts/{name}.txt")
    (folder / "classes.csv").write_bytes("".join(f"{line}\r\n" for line in lines).encode())
    for split, counts in COUNTS.items():
        rows = [
            f"{split}/{name}/{number}.jpg, {CLASSES.index(name)}, {COARSE[CLASSES.index(name)][0]}"
            for name, count in counts.items()
            for number in range(count)
        ]
        (folder / f"{split}.txt").write_text("\n".join(rows) + "\n")
    for name in grocery_store.LISTS:
        plain = (folder / name).read_bytes().replace(b"\r\n", b"\n")
        monkeypatch.setitem(grocery_store.LISTS, name, git_blob_sha1(plain))
    return tmp_path / "clone"


@pytest.fixture
def ctx(clone: Path, tmp_path: Path) -> DataContext:
    prepare(tmp_path / "data/grocery_store", clone)
    return DataContext(tmp_path / "data", 0)


def prepare(folder: Path, source: Path | None) -> None:
    assert GROCERY_STORE.prepare is not None
    GROCERY_STORE.prepare(GroceryStoreConfig(), Preparation(folder, source, None, lambda _: None))


def build(ctx: DataContext, **options: Any) -> Dataset:
    config, faults = parse_options(GroceryStoreConfig, options, "dataset", "grocery_store")
    assert not faults
    built: Dataset = GROCERY_STORE.build(config, ctx)
    return built


@value_of("dataset", "grocery_store")
def test_fine_and_coarse_classes(ctx: DataContext) -> None:
    fine = build(ctx)
    assert fine.class_names == ("Gala Apple", "Pink Lady", "Soy Milk")
    assert fine.class_counts.tolist() == [3, 4, 8]
    assert fine.splits["test"].labels.tolist() == [0, 1, 2, 2]
    assert fine.splits["val"].labels.tolist() == [0]
    assert fine.splits["train"].images.name(3) == "train/Pink-Lady/0.jpg"
    assert fine.splits["train"].images.read(3).shape[2] == 3
    coarse = build(ctx, level="coarse")
    assert coarse.class_names == ("Apple", "Milk")
    assert coarse.class_counts.tolist() == [7, 8]
    assert coarse.splits["test"].labels.tolist() == [0, 0, 1, 1]


@value_of("dataset", "grocery_store")
def test_the_class_with_the_most_images_is_the_head(ctx: DataContext) -> None:
    # 8 * 4^(-k / 2) is 8, 4 and 2 for milk, Pink Lady and Gala
    made = build(ctx, profile="exponential", ratio=4.0)
    assert made.class_counts.tolist() == [2, 4, 8]
    assert len(made.splits["test"]) == 4
    assert build(ctx, profile="exponential", ratio=4.0, largest=4).class_counts.tolist() == [
        1,
        2,
        4,
    ]
    with pytest.raises(ConfigError, match="expected 5 training images of class 'Pink Lady', got 4"):
        build(ctx, profile="exponential", ratio=2.0, largest=8)
    with pytest.raises(ConfigError, match="has no effect with"):
        GroceryStoreConfig(ratio=4.0)


def test_only_the_published_lists_are_taken(ctx: DataContext) -> None:
    folder = ctx.root / "grocery_store/dataset"
    blobs = grocery_store.LISTS
    identity = GROCERY_STORE.identity(GroceryStoreConfig(), ctx)
    assert identity == " ".join(f"{name.partition('.')[0]}:{blob}" for name, blob in blobs.items())
    (folder / "val.txt").write_text("val/Gala-Apple/0.jpg, 1, 0\n")
    with pytest.raises(DataError, match=r"val\.txt: it is not the published list"):
        GROCERY_STORE.identity(GroceryStoreConfig(), ctx)


def test_broken_lists_are_named(ctx: DataContext) -> None:
    folder = ctx.root / "grocery_store/dataset"
    whole = (folder / "train.txt").read_text()
    for broken in ("../secret.jpg, 0, 0", "train/Gala-Apple/1.jpg 0", "<html>"):
        (folder / "train.txt").write_text(whole.replace("train/Gala-Apple/1.jpg, 0, 0", broken))
        with pytest.raises(DataError, match=r"train\.txt:2: expected 'SPLIT/IMAGE\.jpg"):
            build(ctx)
    (folder / "train.txt").write_text(whole.replace("0.jpg, 2, 1", "0.jpg, 3, 1"))
    with pytest.raises(DataError, match=r"train\.txt: class 3, but classes\.csv has 3 classes"):
        build(ctx)
    listed = (folder / "classes.csv").read_text()
    (folder / "classes.csv").write_text(listed.replace("Pink-Lady,1,", "Pink-Lady,2,"))
    with pytest.raises(DataError, match=r"classes\.csv:3: expected NAME,1,"):
        build(ctx)


def test_what_is_missing_is_named(ctx: DataContext, clone: Path, tmp_path: Path) -> None:
    (clone / "dataset/test/Gala-Apple/0.jpg").unlink()
    with pytest.raises(DataError, match=r"test/Gala-Apple/0\.jpg does not exist"):
        GROCERY_STORE.check(GroceryStoreConfig(), ctx)
    with pytest.raises(DataError, match="does not exist") as raised:
        prepare(tmp_path / "empty/grocery_store", None)
    assert "git clone https://github.com/marcusklasson/GroceryStoreDataset" in raised.value.hint
    with pytest.raises(DataError, match=r"wrong level: .*dataset holds train/"):
        prepare(tmp_path / "empty/grocery_store", clone / "dataset/train/Gala-Apple")


def test_a_link_stays_where_another_download_is_not_whole(ctx: DataContext, tmp_path: Path) -> None:
    folder = tmp_path / "data/grocery_store"
    before = (folder / "dataset").resolve()
    other = trees.class_folders(tmp_path / "other/dataset", COUNTS)
    for content, said in (
        (None, r"other/dataset/classes\.csv does not exist"),
        (b"\xff\xfe", r"classes\.csv is not text in UTF-8"),
        (b"Name,", r"classes\.csv: it is not the published list"),
    ):
        if content is not None:
            (other / "classes.csv").write_bytes(content)
        with pytest.raises(DataError, match=said) as raised:
            prepare(folder, tmp_path / "other")
        assert raised.value.hint.startswith("get the repository's folder dataset/ again")
    assert (folder / "dataset").resolve() == before
