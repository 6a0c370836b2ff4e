"""Folders of class folders: layouts, and faults that are raised or collected."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ltbench.data.class_folders import scan_class_folders
from ltbench.data.folder_layout import UNDIVIDED
from ltbench.errors import DataError
from tests import trees


def files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_classes_without_splits(tmp_path: Path) -> None:
    root = files(tmp_path, "cat/1.jpg", "cat/deep/er/2.JPG", "Bee/x.png", "Bee/.h.png", "note.txt")
    found = scan_class_folders(root)
    assert found.class_names == ("Bee", "cat")
    assert found.parts[UNDIVIDED].files == ["Bee/x.png", "cat/1.jpg", "cat/deep/er/2.JPG"]
    assert found.parts[UNDIVIDED].labels.tolist() == [0, 1, 1]
    assert found.nested == ("cat/deep/er",)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    root = files(tmp_path, "train/1.jpg", "car/1.jpg", "truck/1.jpg")
    assert scan_class_folders(root).class_names == ("car", "train", "truck")


@pytest.mark.parametrize(
    ("names", "given", "said", "hint"),
    [
        (("a.jpg", "b.jpg"), ".", "no class folders: its images are in no class", "set it"),
        (("pets/cat/1.jpg", "pets/dog/1.jpg"), ".", "one class folder, pets", "set it={}/pets"),
        (("cat/1.jpg",), ".", "one class folder, cat: expected two or more", "put images into"),
        (("cat/1.jpg", "dog/x.txt", "owl/x.txt"), ".", "2 classes have no images: dog, owl", ""),
        (("cat/x.txt", "dog/1.jpg"), ".", "cat has no images", "move images"),
        ((), ".", "has no class folders", "put images into"),
    ],
)
def test_folders_without_classes(
    tmp_path: Path, names: tuple[str, ...], given: str, said: str, hint: str
) -> None:
    root = files(tmp_path, *names) / given
    with pytest.raises(DataError, match=said) as raised:
        scan_class_folders(root, given="set it=")
    assert hint.format(root) in raised.value.hint


@pytest.mark.skipif(os.name == "nt", reason="links need permission there")
def test_faults_are_collected(tmp_path: Path) -> None:
    root = files(tmp_path, "cat/1.jpg", "dog/1.jpg", "empty/x.txt")
    (root / "cat/loop").symlink_to("..")
    (root / "cat/gone.jpg").symlink_to("nowhere.jpg")
    (root / "cat/self.jpg").symlink_to("self.jpg")
    with open(os.fsencode(root) + b"/dog/\xfc.jpg", "wb"):  # noqa: PTH123
        pass
    found = scan_class_folders(root, collect_faults=True)
    assert found.class_names == ("cat", "dog")
    assert found.parts[UNDIVIDED].files == ["cat/1.jpg", "dog/1.jpg"]
    assert found.faults.keys() == {
        *("cat/loop", "cat/gone.jpg", "cat/self.jpg", "dog/\udcfc.jpg", "empty"),
    }
    with pytest.raises(DataError):
        scan_class_folders(root)


def test_deep_folders_need_no_recursion(tmp_path: Path) -> None:
    root = files(tmp_path, "cat/1.jpg", "dog/1.jpg")
    folder = root / "dog"
    for _ in range(300):
        folder /= "d"
    files(folder, "x.jpg")
    assert len(scan_class_folders(root).parts[UNDIVIDED].files) == 3


def test_a_class_of_another_split_only_is_left_out(tmp_path: Path) -> None:
    root = trees.class_folders(
        tmp_path, {"train": {"cat": 2, "dog": 1}, "test": {"cat": 1, "owl": 1}}
    )
    found = scan_class_folders(root, collect_faults=True)
    assert found.class_names == ("cat", "dog")
    assert found.parts["test"].files == ["test/cat/0.jpg"]
    assert found.faults == {"test/owl": "train has no class 'owl'"}
