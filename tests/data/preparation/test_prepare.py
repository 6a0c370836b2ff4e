from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.data import Preparation
from ltbench.errors import DataError


def preparation(root: Path, said: list[str], lists: str | None = None) -> Preparation:
    return Preparation(root / "set", source=None, lists=lists, note=said.append)


@pytest.fixture
def download(tmp_path: Path) -> Path:
    folder = tmp_path / "download" / "train"
    folder.mkdir(parents=True)
    (folder / "1.jpg").write_bytes(b"1")
    return folder


def test_a_list_that_is_there_is_kept(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_bytes(b"right")
    published = str(tmp_path / "lists")

    def check(content: bytes) -> str:
        return "" if content == b"right" else "wrong"

    made = preparation(tmp_path, said)
    made.fetch("train.txt", published, check)
    made.fetch("train.txt", "http://127.0.0.1:9", check)
    assert "from" in said[0]
    assert "exists" in said[1]
    (made.folder / "train.txt").write_bytes(b"changed")
    made.fetch("train.txt", published, check)
    assert (made.folder / "train.txt").read_bytes() == b"right"


def test_a_link_is_made_moved_and_kept(tmp_path: Path, download: Path) -> None:
    made = preparation(tmp_path, [])
    for target in (download, download, download.parent):
        made.link("train", target)
        assert (made.folder / "train").resolve() == target
    assert [path.name for path in made.folder.iterdir()] == ["train"]


def test_nothing_that_is_no_link_is_replaced(tmp_path: Path, download: Path) -> None:
    made = preparation(tmp_path, [])
    (made.folder / "train").mkdir(parents=True)
    with pytest.raises(DataError, match="exists but is not a link"):
        made.link("train", download)
    with pytest.raises(DataError, match="exists, with another content"):
        made.link_files("train", [("1.jpg", download / "1.jpg")])


def test_a_download_in_place_needs_no_link(tmp_path: Path) -> None:
    made = preparation(tmp_path, [])
    (made.folder / "train").mkdir(parents=True)
    made.link("train", made.folder / "train")
    assert not (made.folder / "train").is_symlink()


def test_a_folder_of_links(tmp_path: Path, download: Path) -> None:
    said: list[str] = []
    made = preparation(tmp_path, said)
    made.link_files("val", [("a/1.jpg", download / "1.jpg"), ("b/1.jpg", download / "1.jpg")])
    assert (made.folder / "val" / "b" / "1.jpg").read_bytes() == b"1"
    made.link_files("val", [("a/1.jpg", download / "1.jpg")])
    assert "2 links" in said[0]
    assert "exists" in said[1]
    (download / "2.jpg").write_bytes(b"2")
    with pytest.raises(DataError, match="with another content"):
        made.link_files("val", [("a/1.jpg", download / "2.jpg")])


def test_what_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path, download: Path) -> None:
    made = preparation(tmp_path, [])
    made.folder.write_text("a file in the way")
    for put in (
        lambda: made.link("train", download),
        lambda: made.link_files("val", [("1.jpg", download / "1.jpg")]),
        lambda: made.write("train.txt", b"content"),
    ):
        with pytest.raises(DataError, match="cannot be written") as caught:
            put()
        assert "--data-root" in caught.value.hint
    assert made.folder.read_text() == "a file in the way"


def test_a_folder_of_links_is_whole_or_not_there(tmp_path: Path, download: Path) -> None:
    made = preparation(tmp_path, [])
    with pytest.raises(DataError, match="lacks 1 of 2 files"):
        made.link_files("val", [("1.jpg", download / "1.jpg"), ("2.jpg", download / "2.jpg")])
    with pytest.raises(DataError, match="cannot be written"):
        made.link_files("val", [("1.jpg", download / "1.jpg"), ("1.jpg/2", download / "1.jpg")])
    assert list(made.folder.iterdir()) == []
