from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.data.split_lists import git_blob_sha1, list_identity, read_list
from ltbench.errors import DataError


def test_paths_may_have_spaces(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("train/a b/1.jpg 0\ntrain/c/2.jpg 2\n")
    names, labels = read_list(path, 3)
    assert names.to_pylist() == ["train/a b/1.jpg", "train/c/2.jpg"]
    assert labels.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a.jpg 0\nb.jpg\n", ":2: expected 'path label'"),
        (b"a.jpg 0\n\n", ":2: expected 'path label'"),
        (b"a.jpg 3\n", ":1: expected a label in 0..2, got 3"),
        (b"a.jpg 0\nb.jpg -1\n", ":2: 'b.jpg -1' has a negative label, which means a hidden"),
        (b"a.jpg 1\nb.jpg 2\nc.jpg 3\n", "labels: expected 0 to 2, got 1 to 3"),
        (b"a.jpg 99999999999\n", ":1: expected"),
        (b"a/../../b.jpg 0\n", ":1: 'a/../../b.jpg' is outside"),
        (b"a\\..\\b.jpg 0\n", "is outside"),
        (b"a.jpg 0\nb\0.jpg 0\n", ":2: 'b\\x00.jpg' has a control character"),
        (b"", "is empty"),
        (b"../a.jpg 0\n", ":1: '../a.jpg' is outside"),
        (b"/etc/passwd 0\n", ":1: '/etc/passwd' is outside"),
        (b"\xff\xfe 0\n", "cannot be read"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_list(path, 3)
    assert said in caught.value.message


def test_line_ends_of_windows_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    plain, other = tmp_path / "plain.txt", tmp_path / "other.txt"
    plain.write_bytes(b"a/1.jpg 0\na/2.jpg 1\n")
    other.write_bytes(b"\xef\xbb\xbfa/1.jpg 0\r\na/2.jpg 1\r\n")
    assert list_identity(plain) == list_identity(other) == git_blob_sha1(plain.read_bytes())
    (names, labels), (others, more) = read_list(plain), read_list(other)
    assert names.equals(others)
    assert labels.tolist() == more.tolist() == [0, 1]


def test_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes(b"a/1.jpg 0\na/2.jpg 1")
    assert read_list(path)[1].tolist() == [0, 1]


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.txt does not exist"):
        read_list(tmp_path / "train.txt", 3)
