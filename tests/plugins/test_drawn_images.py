"""Folders and CSV files without splits, titles, and absolute paths."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ltbench.data import Dataset
from ltbench.errors import ConfigError, DataError
from ltbench_plugins.datasets.csv import CSV
from ltbench_plugins.datasets.folder import FOLDER
from tests import trees
from tests.conftest import Ended
from tests.plugins.test_generic_datasets import build, config, identity, names, write_csv

Cli = Callable[..., Ended]
COUNTS = {"pets": {"ant": 12, "bee": 7, "cat": 2}}


def split_counts(dataset: Dataset) -> dict[str, list[int]]:
    return {
        name: np.bincount(split.labels, minlength=dataset.num_classes).tolist()
        for name, split in dataset.splits.items()
    }


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return trees.class_folders(tmp_path, COUNTS) / "pets"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"train": [10, 6, 1], "test": [2, 1, 1]}),
        ({"test": 3}, {"train": [9, 4, 1], "test": [3, 3, 1]}),
        ({"test": 0.5, "val": 2}, {"train": [4, 1, 1], "test": [6, 4, 1], "val": [2, 2, 0]}),
        ({"val": 0.1}, {"train": [9, 5, 1], "test": [2, 1, 1], "val": [1, 1, 0]}),
    ],
)
def test_a_folder_of_class_folders_is_split(
    pets: Path, options: dict[str, Any], expected: dict[str, list[int]]
) -> None:
    dataset = build(FOLDER, path=pets, **options)
    found = split_counts(dataset)
    assert {name: found.get(name) for name in expected} == expected
    again = build(FOLDER, path=pets, **options)
    assert names(again, "test") == names(dataset, "test")
    other = build(FOLDER, data_seed=1, path=pets, **options)
    assert names(other, "test") != names(dataset, "test")
    assert identity(FOLDER, path=pets, **options) == identity(FOLDER, path=pets)


def test_the_order_of_the_rows_of_a_csv_file_changes_no_draw(tmp_path: Path, pets: Path) -> None:
    rows = [f"{file.relative_to(pets)},{file.parent.name}" for file in sorted(pets.rglob("*.jpg"))]
    drawn = []
    for number, each in enumerate((rows, rows[::-1])):
        (tmp_path / str(number)).mkdir()
        path = write_csv(tmp_path / str(number), "path,label\n" + "\n".join(each))
        dataset = build(CSV, path=path, root=pets, test=3, val=1)
        drawn.append({split: set(names(dataset, split)) for split in dataset.splits})
    folder = build(FOLDER, path=pets, test=3, val=1)
    assert drawn[0] == drawn[1] == {split: set(names(folder, split)) for split in folder.splits}


def test_what_was_drawn_is_noted(pets: Path) -> None:
    assert build(FOLDER, path=pets).notes == (
        "no test split: 4 of 21 images were drawn for it, dataset.test=0.2 of each class, by the "
        "data seed",
    )
    assert build(FOLDER, path=pets, test=3).notes == (
        "1 of 3 classes are too small for dataset.test=3, and give fewer images: cat",
    )


def test_a_class_with_one_image_is_named(tmp_path: Path) -> None:
    root = trees.class_folders(tmp_path, {"pets": {"ant": 3, "bee": 1, "cat": 1}}) / "pets"
    with pytest.raises(DataError, match=r"2 classes have one image, .*: bee, cat") as raised:
        FOLDER.check(config(FOLDER, path=root), trees_context())
    assert "ltbench data new" in raised.value.hint


def trees_context() -> Any:
    from ltbench.contexts import DataContext

    return DataContext(Path(), 0)


def test_train_folders_are_split_when_that_is_asked_for(tmp_path: Path) -> None:
    root = trees.class_folders(tmp_path, {"train": {"ant": 5, "bee": 4}})
    with pytest.raises(DataError, match="has no test/") as raised:
        build(FOLDER, path=root)
    assert "--set dataset.test=0.2" in raised.value.hint
    assert split_counts(build(FOLDER, path=root, test=2))["test"] == [2, 2]
    for name in ("ant", "bee"):
        (root / "test" / name).mkdir(parents=True)
        (root / "train" / name / "3.jpg").rename(root / "test" / name / "0.jpg")
    assert split_counts(build(FOLDER, path=root, val=1))["val"] == [1, 1]
    with pytest.raises(ConfigError, match=r"dataset\.test=2: .* has a test split"):
        build(FOLDER, path=root, test=2)


def test_a_list_is_split_in_the_same_way(tmp_path: Path) -> None:
    rows = [f"{name}{number}.jpg,{name}" for name in ("a", "b") for number in range(10)]
    path = write_csv(tmp_path, "path,label\n" + "\n".join(rows))
    assert split_counts(build(CSV, path=path)) == {"train": [8, 8], "test": [2, 2]}  # every fifth
    assert names(build(CSV, path=path), "test") == ["a4.jpg", "a9.jpg", "b4.jpg", "b9.jpg"]
    drawn = build(CSV, path=path, test=3, val=1)
    assert split_counts(drawn) == {"train": [6, 6], "val": [1, 1], "test": [3, 3]}
    assert split_counts(build(CSV, path=path, val=0.2))["val"] == [2, 2]
    listed = write_csv(tmp_path, "path,label,split\n" + "\n".join(f"{row},train" for row in rows))
    assert split_counts(build(CSV, path=listed, test=0.5))["test"] == [5, 5]
    with pytest.raises(DataError, match="no images for test") as raised:
        build(CSV, path=listed, val=1)
    assert "dataset.test" in raised.value.hint
    tested = listed.read_text().replace("a0.jpg,a,train", "a0.jpg,a,test")
    with pytest.raises(ConfigError, match="has a test split"):
        build(CSV, path=write_csv(tmp_path, tested), test=1)


def test_absolute_paths_lie_below_the_root(tmp_path: Path, pets: Path) -> None:
    def rows(start: str) -> str:
        images = [f"{start}{name}/{n}.jpg,{name}" for name in ("ant", "bee") for n in range(6)]
        return "path,label\n" + "\n".join(images) + "\n"

    relative = write_csv(pets, rows(""))
    expected = identity(CSV, path=relative)
    outside = write_csv(tmp_path / "lists", rows(f"{pets}/"))
    assert identity(CSV, path=outside, root=pets) == expected  # no path is in an identity
    link = tmp_path / "link"
    link.symlink_to(pets)
    assert identity(CSV, path=outside, root=link) == expected
    assert names(build(CSV, path=outside, root=pets), "train")[0] == "ant/0.jpg"
    with pytest.raises(DataError, match="is not a path below the image folder") as raised:
        build(CSV, path=outside)
    assert f"--set dataset.root={pets}" in raised.value.hint
    # The option's name of before.
    assert build(CSV, path=outside, images=pets).class_names == ("ant", "bee")


@pytest.mark.parametrize(
    ("spec", "place", "title"),
    [
        (FOLDER, "pets", "pets"),
        (FOLDER, "more/../pets.v2", "pets.v2"),
        (CSV, "some/pets.csv", "pets"),
        (FOLDER, "/", None),
        (FOLDER, "a\x1bb", "a?b"),
    ],
)
def test_the_title_is_the_name_of_the_place(spec: Any, place: str, title: str | None) -> None:
    assert config(spec, path=place).title == title
    assert config(spec, path=place, title="My pets").title == "My pets"


@pytest.mark.parametrize("title", ["", " ", "a\nb", "x" * 81])
def test_a_title_is_short_and_printable(title: str) -> None:
    with pytest.raises(ConfigError, match=r"dataset\.title: expected 1 to 80 printable"):
        config(FOLDER, path="pets", title=title)


def test_titles_in_tables(cli: Cli, pets: Path, tmp_path: Path) -> None:
    quick = ("--method", "zero_shot", "--workers", "0", "--json", "--set", "inference=center")
    own = ("run", "--dataset", "folder", "--set", f"dataset.path={pets}", *quick)
    first = cli(*own)
    assert first.code == 0, first.err
    assert "no test split" in first.json["warnings"][0]
    hashed = first.json["hash"]
    assert cli(*own, "--set", "dataset.title=My pets", "--dry-run").json["hash"] == hashed
    other = trees.class_folders(tmp_path, {"birds": {"owl": 5, "jay": 4}}) / "birds"
    titled = ("--set", "dataset.title=Birds of 2026")
    assert cli("run", "--dataset", "folder", "--set", f"dataset.path={other}", *titled, *quick)
    shown = cli("leaderboard", "runs").out
    assert "Birds of 2026: inference" in shown
    assert "pets: inference" in shown
    assert "[" not in shown
    listed = cli("runs", "list", "--where", "dataset.title=pets", "--json").json["runs"]
    assert [run["dataset.title"] for run in listed] == ["pets"]
