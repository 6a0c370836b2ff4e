"""The images of files, folders, patterns and CSV files, and their order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ltbench.errors import ConfigError, CorruptImageError, DataError
from ltbench.prediction.found_images import find_images


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b/2.jpg", "b/10.JPG", "b-c/1.png", "b/deep/er/x.webp", "a.bmp", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden/3.jpg").touch()
    (tmp_path / "b/.4.jpg").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*paths: str | Path, unique: bool = True) -> list[str]:
    images = find_images(paths, unique=unique).images
    return [images.name(index) for index in range(len(images))]


IN_B = ["b/10.JPG", "b/2.jpg", "b/deep/er/x.webp"]


@pytest.mark.usefixtures("tree")
def test_folders_are_read_in_the_order_of_their_names() -> None:
    assert names(".") == ["./a.bmp", *(f"./{name}" for name in IN_B), "./b-c/1.png"]
    assert names("b") == IN_B
    assert find_images(["b"]).ignored == 1


@pytest.mark.usefixtures("tree")
def test_arguments_keep_their_order_and_files_occur_once() -> None:
    assert names("b/deep", "a.bmp", "b", "./b/../a.bmp") == [IN_B[2], "a.bmp", *IN_B[:2]]
    assert names("a.bmp", "a.bmp", unique=False) == ["a.bmp", "a.bmp"]


@pytest.mark.usefixtures("tree")
def test_patterns() -> None:
    assert names("b*/*.png", "*.bmp") == ["b-c/1.png", "a.bmp"]
    assert names("**/*.webp") == [IN_B[2]]
    assert names("b/d*") == [IN_B[2]]  # a folder
    assert sorted(names("**")) == sorted(["a.bmp", *IN_B, "b-c/1.png", "b/notes.txt"])


def test_a_file_whose_name_is_a_pattern_is_that_file(tree: Path) -> None:
    (tree / "[12].jpg").touch()
    assert names("[12].jpg") == ["[12].jpg"]


def test_a_file_that_is_named_is_read_whatever_its_extension(tree: Path) -> None:
    (tree / "photo").touch()
    assert names("photo") == ["photo"]


def test_the_name_of_a_file_need_not_be_utf_8(tree: Path) -> None:
    Path(os.fsdecode(b"b-c/\xff.png")).touch()
    assert names("b-c") == ["b-c/1.png", os.fsdecode(b"b-c/\xff.png")]


def test_links_are_followed_but_not_in_circles(tree: Path) -> None:
    (tree / "d").mkdir()
    (tree / "d/linked").symlink_to("../b/deep")
    assert names("d") == ["d/linked/er/x.webp"]
    (tree / "b/deep/circle").symlink_to("..")
    with pytest.raises(DataError, match="is a link to its own parent folder"):
        names("b")


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("no", "no does not exist"),
        ("no/*.jpg", r"no/\*\.jpg matches no file"),
        ("a\0b", "does not exist"),
        (".hidden/none", "none does not exist"),
    ],
)
def test_what_does_not_exist_is_named(path: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        names("a.bmp", path)


def test_folders_without_images_are_an_error(tree: Path) -> None:
    (tree / "e").mkdir()
    (tree / "e/notes.txt").touch()
    with pytest.raises(DataError, match=r"e: no image found \(files ignored: 1\)"):
        names("e")
    with pytest.raises(DataError, match="no path: no image found"):
        find_images([])


def test_an_image_that_vanishes_is_a_corrupt_image(tree: Path) -> None:
    images = find_images(["a.bmp"]).images
    (tree / "a.bmp").unlink()
    with pytest.raises(CorruptImageError, match=r"a\.bmp does not exist"):
        images.read(0)
    (tree / "list.csv").write_bytes(b"path\n\0\n")
    with pytest.raises(CorruptImageError, match="is no path"):
        find_images(["list.csv"]).images.read(0)


def test_a_header_of_two_lines_is_an_error(tree: Path) -> None:
    (tree / "list.csv").write_bytes(b'"path\n"\na.bmp\n')
    with pytest.raises(DataError, match="is not a CSV file"):
        find_images(["list.csv"])


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_csv_file_has_paths_relative_to_it(mark: bytes, end: bytes) -> None:
    lines = [b"label,path", b"x,deep\\er\\x.webp", b'y,"2.jpg"', b"z,../a.bmp", b"", b""]
    Path("b/list.CSV").write_bytes(mark + end.join(lines))
    assert names("b/list.CSV") == ["b/deep/er/x.webp", "b/2.jpg", "b/../a.bmp"]
    Path("list.csv").write_bytes(end.join([b"path", os.fsencode(Path("a.bmp").absolute())]))
    assert names("list.csv", "a.bmp") == [str(Path("a.bmp").absolute())]
    Path("b\\10.JPG").touch()  # a name with a backslash that exists
    Path("list.csv").write_text("path\nb\\10.JPG\nb\\2.jpg\n")
    assert names("list.csv") == ["b\\10.JPG", "b/2.jpg"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected a column 'path', got nothing"),
        (b"file,label\na,b\n", "expected a column 'path', got file,label"),
        (b"path,path\na,b\n", "expected a column 'path', got it 2 times"),
        (b"path;label\na;b\n", "expected a column 'path', got path;label"),
        (b"path\n", "lists no images"),
        (b"path,label\na,b\n,b\n", r"list\.csv:3: path is missing"),
        (b"path,label\na,b\na,b,c\n", r"list\.csv:3: expected 2 fields, as in the header, got 3"),
        (b"path\na\n\xff\n", r"list\.csv:3: is not UTF-8"),
    ],
)
def test_malformed_csv_files_are_refused(tree: Path, content: bytes, expected: str) -> None:
    (tree / "list.csv").write_bytes(content)
    with pytest.raises(DataError, match=expected):
        names("list.csv")


def test_a_circle_of_links_is_an_image_that_cannot_be_read(tree: Path) -> None:
    (tree / "b/circle.png").symlink_to(tree / "b/circle.png")
    (tree / "b/other").symlink_to(tree / "b/other")
    found = find_images(["b"])
    assert [found.images.name(index) for index in range(len(found))] == [
        *IN_B[:2],
        "b/circle.png",
        IN_B[2],
    ]
    with pytest.raises(CorruptImageError):
        found.images.read(2)


def test_a_name_that_no_file_can_have_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        find_images(["a" * 300])
