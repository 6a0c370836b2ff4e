"""Folders and CSV files of the user's: classes, splits and every fault, on trees of a few files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ltbench.config.options import parse_options
from ltbench.contexts import DataContext
from ltbench.data import Dataset
from ltbench.errors import ConfigError, CorruptImageError, DataError
from ltbench.specs import DatasetSpec
from ltbench_plugins.datasets.csv import CSV
from ltbench_plugins.datasets.folder import FOLDER
from tests import trees
from tests.conftest import Ended
from tests.covered import value_of

Cli = Callable[..., Ended]
COUNTS = {"train": {"cat": 4, "ant": 3}, "test": {"cat": 1, "ant": 2}}


def config(spec: DatasetSpec, **options: Any) -> Any:
    parsed, faults = parse_options(spec.config, options, "dataset", spec.name)
    assert not faults
    return parsed


def build(spec: DatasetSpec, data_seed: int = 0, **options: Any) -> Dataset:
    built: Dataset = spec.build(config(spec, **options), DataContext(Path(), data_seed))
    return built


def identity(spec: DatasetSpec, **options: Any) -> str:
    return spec.identity(config(spec, **options), DataContext(Path(), 0))


def check(spec: DatasetSpec, **options: Any) -> None:
    spec.check(config(spec, **options), DataContext(Path(), 0))


def names(dataset: Dataset, split: str) -> list[str]:
    images = dataset.splits[split].images
    return [images.name(index) for index in range(len(images))]


def write_csv(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "list.csv").write_bytes(text.encode())
    return folder / "list.csv"


@value_of("dataset", "folder")
def test_class_folders_are_numbered_in_the_order_of_their_names(tmp_path: Path) -> None:
    root = trees.class_folders(tmp_path, COUNTS)
    (root / "train/ant/1.jpg").rename(root / "train/ant/a.PNG")
    (root / "train/ant/deeper").mkdir()
    (root / "train/ant/2.jpg").rename(root / "train/ant/deeper/b.jpeg")
    for stray in ("train/ant/notes.txt", "train/ant/.hidden.jpg", "train/readme.md"):
        (root / stray).write_text("no image")
    (root / "train/.cache").mkdir()
    dataset = build(FOLDER, path=root)
    assert dataset.class_names == ("ant", "cat")
    assert set(dataset.splits) == {"train", "test"}
    assert names(dataset, "train") == [
        "train/ant/0.jpg",
        "train/ant/a.PNG",
        "train/ant/deeper/b.jpeg",
        *(f"train/cat/{number}.jpg" for number in range(4)),
    ]
    assert dataset.splits["train"].labels.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert dataset.splits["test"].labels.tolist() == [0, 0, 1]
    with Image.open(root / "train/cat/2.jpg") as image:
        assert np.abs(dataset.splits["train"].images.read(5).astype(int) - image).max() <= 1


@pytest.mark.parametrize("spelling", ["val", "valid", "validation"])
def test_a_validation_folder_is_found(tmp_path: Path, spelling: str) -> None:
    dataset = build(
        FOLDER, path=trees.class_folders(tmp_path, {**COUNTS, spelling: {"ant": 1, "cat": 2}})
    )
    assert dataset.splits["val"].labels.tolist() == [0, 1, 1]
    (tmp_path / "validation").mkdir(exist_ok=True)
    (tmp_path / "valid").mkdir(exist_ok=True)
    with pytest.raises(DataError, match="has both val"):
        build(FOLDER, path=tmp_path)


def test_the_identity_of_a_folder_is_paths_and_contents(tmp_path: Path) -> None:
    root = trees.class_folders(tmp_path / "a", COUNTS)
    copy = trees.class_folders(tmp_path / "b", COUNTS)
    first = identity(FOLDER, path=root)
    assert identity(FOLDER, path=copy) == first  # wherever it lies
    content = (copy / "train/cat/0.jpg").read_bytes()
    (copy / "train/cat/0.jpg").write_bytes(content + b"\0")
    assert identity(FOLDER, path=copy) != first
    (copy / "train/cat/0.jpg").write_bytes(content)
    assert identity(FOLDER, path=copy) == first
    (copy / "train/cat/0.jpg").rename(copy / "train/ant/9.jpg")
    assert identity(FOLDER, path=copy) != first


def test_folder_names_the_right_level(tmp_path: Path) -> None:
    root = trees.class_folders(tmp_path / "outer/pets", COUNTS)
    for path, said, hint in [
        (root.parent, "one level too high", f"dataset.path={root}"),
        (root / "train", "one level too low", f"dataset.path={root}"),
        (root / "nowhere", "does not exist", "dataset.path"),
        (root / "train/cat/0.jpg", "is a file", "dataset.path"),
    ]:
        with pytest.raises(DataError, match=said) as raised:
            check(FOLDER, path=path)
        assert hint in raised.value.hint
    (root / "train").rename(tmp_path / "flat")
    check(FOLDER, path=tmp_path / "flat")
    with pytest.raises(DataError, match=r"has no train/$"):
        check(FOLDER, path=root)
    with pytest.raises(ConfigError, match="needs a folder of images") as told:
        check(FOLDER)
    assert "--set dataset.path=FOLDER" in told.value.hint


def test_folder_says_which_class_is_wrong(tmp_path: Path) -> None:
    root = trees.class_folders(tmp_path, {"train": {"cat": 1, "ant": 1}})
    with pytest.raises(DataError, match="has no test/"):
        check(FOLDER, path=root)
    (root / "test").mkdir()
    with pytest.raises(DataError, match="test has no class folders"):
        check(FOLDER, path=root)
    trees.class_folders(root, {"test": {"cats": 1}})
    with pytest.raises(DataError, match="train has no class 'cats'") as raised:
        check(FOLDER, path=root)
    assert raised.value.hint == "did you mean 'cat'?"
    (root / "test/cats").rename(root / "test/cat")
    check(FOLDER, path=root)
    (root / "train/bee").mkdir()
    (root / "train/bee/0.heic").write_bytes(b"")
    with pytest.raises(DataError, match="bee has no images"):
        check(FOLDER, path=root)


@pytest.mark.skipif(os.name == "nt", reason="links need permission there")
def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    elsewhere = trees.class_folders(tmp_path / "elsewhere", COUNTS)
    root = tmp_path / "root"
    (root / "train").mkdir(parents=True)
    (root / "test").symlink_to(elsewhere / "test")
    for name in ("ant", "cat"):
        (root / "train" / name).symlink_to(elsewhere / "train" / name)
    assert build(FOLDER, path=root).class_counts.tolist() == [3, 4]
    assert identity(FOLDER, path=root) == identity(FOLDER, path=elsewhere)
    (elsewhere / "train/cat/again").symlink_to(root / "train")
    with pytest.raises(DataError, match="link to its own parent folder"):
        check(FOLDER, path=root)
    (elsewhere / "train/cat/again").unlink()
    (elsewhere / "train/cat/gone.jpg").symlink_to(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"gone\.jpg is a link to a missing file"):
        check(FOLDER, path=root)


CORRUPT = pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"no image at all", "its format is unknown"),
    ],
)


@CORRUPT
def test_corrupt_files_of_a_folder_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    root = trees.class_folders(tmp_path, COUNTS)
    (root / "train/ant/1.jpg").write_bytes(content)
    images = build(FOLDER, path=root).splits["train"].images
    with pytest.raises(CorruptImageError, match=rf"train/ant/1\.jpg cannot be decoded: .*{said}"):
        images.read(1)


@pytest.mark.parametrize("spec", [FOLDER, CSV])
def test_any_set_is_made_long_tailed(tmp_path: Path, spec: DatasetSpec) -> None:
    root = trees.class_folders(
        tmp_path, {"train": dict.fromkeys("abc", 8), "test": dict.fromkeys("abc", 2)}
    )
    rows = [
        f"{split}/{name}/{number}.jpg,{name},{split}"
        for split, count in (("train", 8), ("test", 2))
        for name in "abc"
        for number in range(count)
    ]
    path = root if spec is FOLDER else write_csv(root, "path,label,split\n" + "\n".join(rows))
    made = build(spec, path=path, profile="exponential", ratio=8.0)
    assert made.class_counts.tolist() == [8, 2, 1]  # 8, 8 / sqrt 8, 1
    assert len(made.splits["test"]) == 6
    other = build(spec, data_seed=1, path=path, profile="exponential", ratio=8.0)
    assert names(made, "train") != names(other, "train")
    made = build(spec, path=path, profile="pareto", ratio=3.0, largest=6)
    assert made.class_counts.tolist() == [6, 3, 2]
    with pytest.raises(ConfigError, match=r"dataset\.ratio=8\.0 has no effect"):
        build(spec, path=path, ratio=8.0)
    with pytest.raises(ConfigError, match=r"dataset\.largest=6 has no effect"):
        build(spec, path=path, largest=6)


@value_of("dataset", "csv")
def test_csv_reads_classes_and_splits(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "lists",
        "\ufeffsplit,note,path,label\r\n"
        'train,1,"x,1.jpg",cat\r\n'
        'train,2,deep/y.jpg,"the ""ant"""\r\n'
        "test,3,z.jpg,cat\r\n"
        "val,,w.jpg,cat\r\n"
        "train,5,ü.jpg,cat\r\n",
    )
    dataset = build(CSV, path=path)
    assert dataset.class_names == ("cat", 'the "ant"')
    assert names(dataset, "train") == ["x,1.jpg", "deep/y.jpg", "ü.jpg"]
    assert dataset.splits["train"].labels.tolist() == [0, 1, 0]
    assert names(dataset, "val") == ["w.jpg"]
    assert names(dataset, "test") == ["z.jpg"]
    trees.class_folders(tmp_path / "pictures", {"deep": {"": 1}})
    (tmp_path / "pictures/deep/0.jpg").rename(tmp_path / "pictures/deep/y.jpg")
    images = build(CSV, path=path, images=tmp_path / "pictures").splits["train"].images
    assert images.read(1).shape[2] == 3
    with pytest.raises(DataError, match=r"x,1\.jpg does not exist") as raised:
        images.read(0)
    assert "dataset.root" in raised.value.hint


@value_of("dataset", "csv")
def test_csv_holds_out_every_fifth_image_of_a_class(tmp_path: Path) -> None:
    rows = [f"{number}.jpg,{number % 2 * 8 + 2}" for number in range(20)]
    path = write_csv(tmp_path, "path,label\n" + "\n".join(rows))
    dataset = build(CSV, path=path)
    assert dataset.class_names == ("2", "10")  # as numbers
    # the fifth and tenth even numbers, and the fifth and tenth odd ones
    assert names(dataset, "test") == ["8.jpg", "9.jpg", "18.jpg", "19.jpg"]
    assert dataset.splits["test"].labels.tolist() == [0, 1, 0, 1]
    assert dataset.class_counts.tolist() == [8, 8]
    assert names(build(CSV, data_seed=1, path=path), "test") == names(dataset, "test")
    unix, windows = tmp_path / "unix.csv", tmp_path / "windows.csv"
    unix.write_bytes(b"path,label\na.jpg,x\n")
    windows.write_bytes(b"path,label\r\na.jpg,x\r\n")
    assert identity(CSV, path=unix) == identity(CSV, path=windows) != identity(CSV, path=path)


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ("a.jpg,x\nb.jpg", 3, "expected 2 fields, as in the header, got 1"),
        ("a.jpg,x\nb,c.jpg,x", 3, "expected 2 fields, as in the header, got 3"),
        ("a.jpg,x\n\nb.jpg,x", 3, "path is missing"),
        ("a.jpg,x\nb.jpg,", 3, "label is missing"),
        ("a.jpg,x\nb.jpg, x", 3, "label ' x' begins or ends with a blank"),
        ('a.jpg,x\nb.jpg,"x\ny"', 3, r"label 'x\\ny' has a control character"),
        ("a.jpg,x\n/etc/b.jpg,x", 3, "'/etc/b.jpg' is not a path below"),
        ("a.jpg,x\nc/../../b.jpg,x", 3, "is not a path below"),
        ("C:/b.jpg,x", 2, "is not a path below"),
        ('a.jpg,x\nb.jpg,"x\nc.jpg,x', 3, "has a control character"),
    ],
)
def test_rows_are_named_by_their_line(tmp_path: Path, rows: str, line: int, said: str) -> None:
    path = write_csv(tmp_path, f"path,label\n{rows}\n")
    with pytest.raises(DataError, match=rf"list\.csv:{line}: .*({said})"):
        build(CSV, path=path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a header .* got nothing"),
        ("path;label\na.jpg;x", "expected a header .* got path;label"),
        ("path,label,label\na,b,c", "expected a header .* got 'label' twice"),
        ("path,label\n", "lists no images"),
        ("path,label\na.jpg,x\nb.jpg,x", "no images for test"),
        (
            "path,label,split\na.jpg,x,train\nb.jpg,x,dev",
            ":3: expected split train, val or test, got 'dev'",
        ),
        ("path,label,split\na.jpg,x,train", "no images for test"),
        ("path,label,split\na.jpg,x,train\nb.jpg,y,test", "class 'y' has no training images"),
        (f"path,label\na.jpg,x\n{'b' * 1001},x", r":3: path 'bbb.* is too long: expected at most"),
        ("path,label,split\na.jpg,x,train\na.jpg,x,test", ":3: 'a.jpg' is in train and in test"),
    ],
)
def test_lists_that_make_no_data_set(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        build(CSV, path=write_csv(tmp_path, text))


def test_csv_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs a CSV file"):
        check(CSV)
    with pytest.raises(DataError, match=r"nowhere\.csv does not exist"):
        identity(CSV, path=tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes("path,label\nü.jpg,x".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.csv:2: is not UTF-8"):
        identity(CSV, path=tmp_path / "latin.csv")
    path = write_csv(tmp_path, "path,label\n" + "a.jpg,x\n" * 5)
    with pytest.raises(DataError, match=r"list\.csv:2: .*a\.jpg does not exist") as raised:
        check(CSV, path=path)
    assert "dataset.root" in raised.value.hint


def test_csv_reads_regular_files_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.csv")
    with pytest.raises(DataError, match=r"fifo\.csv is not a regular file"):
        identity(CSV, path=tmp_path / "fifo.csv")
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(DataError, match=r"expected at most 2,147,483,647"):
        identity(CSV, path=tmp_path / "huge.csv")
    with pytest.raises(DataError, match="expected a header with path and label"):
        identity(CSV, path=write_csv(tmp_path, ",".join(map(str, range(100_000))) + "\n"))


def test_csv_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = write_csv(tmp_path, "path,label\n" + "a.jpg,x\n" * 5)
    first = identity(CSV, path=path)
    path = write_csv(tmp_path, "path,label\n" + "a.jpg,y\n" * 6)
    assert identity(CSV, path=path) != first


@CORRUPT
def test_corrupt_files_of_a_csv_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = write_csv(tmp_path, "path,label,split\nb.jpg,x,train\na.jpg,x,test\n")
    trees.class_folders(tmp_path, {"pictures": {"b": 1}})
    (tmp_path / "pictures/b/0.jpg").rename(tmp_path / "b.jpg")
    (tmp_path / "a.jpg").write_bytes(content)
    check(CSV, path=path)
    with pytest.raises(CorruptImageError, match=rf"a\.jpg cannot be decoded: .*{said}"):
        build(CSV, path=path).splits["test"].images.read(0)


@pytest.mark.parametrize("spec", [FOLDER, CSV])
def test_a_run_on_images_of_the_users(cli: Cli, tmp_path: Path, spec: DatasetSpec) -> None:
    root = trees.class_folders(
        tmp_path / "pets", {"train": {"ant": 12, "bee": 6}, "test": {"ant": 3, "bee": 3}}
    )
    rows = [f"train/ant/{n}.jpg,ant" for n in range(12)] + [f"test/bee/{n}.jpg,bee" for n in (0, 1)]
    rows += [f"train/bee/{n}.jpg,bee" for n in range(6)]
    path = root if spec is FOLDER else write_csv(root, "path,label\n" + "\n".join(rows))
    options = ("--dataset", spec.name, "--set", f"dataset.path={path}", "--json")
    options += ("--epochs", "1", "--workers", "0", "--precision", "fp32")
    ended = cli("run", *options)
    assert ended.code == 0, ended.err
    assert ended.json["metrics"]["accuracy"] >= 0
    (root / "train/ant/2.jpg").write_bytes(b"<html>an error page</html>")
    ended = cli("run", *options, "--overwrite", "always")
    assert ended.code == 4
    assert "a web page" in ended.err
    assert "class 'ant'" in ended.err
    assert cli("run", *options, "--overwrite", "always", "--on-corrupt", "skip").code == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a.jpg,x,train\na.jpg,y,train\nb.jpg,y,test", "'a.jpg' has two labels"),
        ("a.jpg,x,train\n./a.jpg,x,test", "'a.jpg' is in train and in test"),
        ("b/a.jpg,x,train\nb/.//a.jpg,x,test", "'b/a.jpg' is in train and in test"),
    ],
)
def test_an_image_is_listed_once(tmp_path: Path, rows: str, said: str) -> None:
    path = write_csv(tmp_path, f"path,label,split\n{rows}\n")
    with pytest.raises(DataError, match=said):
        CSV.build(CSV.config(path=path), DataContext(tmp_path, 0))


def test_a_label_may_be_long(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path, f"path,label,split\na.jpg,{'1' * 5000},train\nb.jpg,2,train\nc.jpg,2,test\n"
    )
    assert len(CSV.build(CSV.config(path=path), DataContext(tmp_path, 0)).class_names) == 2
