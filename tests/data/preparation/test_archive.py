from __future__ import annotations

import io
import random
import resource
import tarfile
import zipfile
from pathlib import Path

import pytest

from ltbench.data.preparation.archive import unpack
from ltbench.errors import DataError

FILES = {"set/train.bin": b"1" * 1000, "set/deep/test.bin": b"2" * 500}
LINKS = {"symbolic": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "device": tarfile.CHRTYPE}


def tar(path: Path, files: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.type = len(content), kind
            member.linkname = "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return path


def zipped(path: Path, files: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize("make", [tar, zipped])
def test_archives_are_unpacked_whole(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "a", FILES)  # type: ignore[operator]
    unpack(path, tmp_path / "into", 2000)
    found = {
        str(file.relative_to(tmp_path / "into")): file.read_bytes()
        for file in (tmp_path / "into").rglob("*.bin")
    }
    assert found == FILES


@pytest.mark.parametrize(
    ("make", "name"),
    [
        *((tar, name) for name in ("../evil", "set/../../evil")),
        *((zipped, name) for name in ("../evil", "/evil", "a/../../evil", "c:\\evil", "..\\evil")),
    ],
)
def test_no_path_leaves_the_folder(tmp_path: Path, make: object, name: str) -> None:
    path = make(tmp_path / "a", FILES | {name: b"evil"})  # type: ignore[operator]
    with pytest.raises(DataError, match="outside the destination"):
        unpack(path, tmp_path / "into", 10_000)
    assert sorted(tmp_path.rglob("*")) == [path]


def test_an_absolute_path_of_a_tar_archive_is_taken_as_relative(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", {"/set/train.bin": b"1"})
    unpack(path, tmp_path / "into", 10_000)
    assert (tmp_path / "into/set/train.bin").read_bytes() == b"1"


@pytest.mark.parametrize("kind", LINKS)
def test_links_and_devices_are_refused(tmp_path: Path, kind: str) -> None:
    path = tar(tmp_path / "a.tar", {"link": b""}, LINKS[kind])
    with pytest.raises(DataError, match="is not a file or a directory"):
        unpack(path, tmp_path / "into", 10_000)
    assert sorted(tmp_path.rglob("*")) == [path]


def test_links_in_zip_archives_are_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"link": b"/etc/passwd"}, 0o120777)
    with pytest.raises(DataError, match="is not a file or a directory"):
        unpack(path, tmp_path / "into", 10_000)


@pytest.mark.parametrize("make", [tar, zipped])
def test_what_is_larger_than_it_may_be_is_refused(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "a", {"bomb": b"\0" * 5_000_000})  # type: ignore[operator]
    with pytest.raises(DataError, match="more than 1 MiB"):
        unpack(path, tmp_path / "into", 1 << 20)
    assert sorted(tmp_path.rglob("*")) == [path]


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.6])
def test_broken_archives_are_told(tmp_path: Path, make: object, kept: float) -> None:
    path = make(tmp_path / "a", FILES)  # type: ignore[operator]
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DataError, match="cannot be unpacked"):
        unpack(path, tmp_path / "into", 10_000)
    assert sorted(tmp_path.rglob("*")) == [path]


def test_what_is_no_archive_is_told_in_a_line(tmp_path: Path) -> None:
    for content in (b"", b"<html>404</html>", bytes(range(256)) * 10):
        (tmp_path / "a.tar").write_bytes(content)
        with pytest.raises(DataError, match="it is not a complete archive") as caught:
            unpack(tmp_path / "a.tar", tmp_path / "into", 10_000)
        assert "\n" not in caught.value.message


def test_leftovers_of_a_killed_process_are_removed_and_not_followed(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", FILES)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_bytes(b"kept")
    (tmp_path / f".into.{0:016x}.part").symlink_to(tmp_path / "kept")
    (tmp_path / f".into.{1:016x}.part").mkdir()
    unpack(path, tmp_path / "into", 10_000)
    assert (tmp_path / "kept" / "file").read_bytes() == b"kept"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.tar", "into", "kept"]


@pytest.mark.parametrize("make", [tar, zipped])
def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, make: object) -> None:
    path = make(tmp_path / "a", FILES | {"large": b"1" * 10_000})  # type: ignore[operator]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(DataError, match="File too large"):
            unpack(path, tmp_path / "into", 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(tmp_path.rglob("*")) == [path]


def test_a_flipped_bit_is_told(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar.gz", {"random.bin": random.Random(0).randbytes(3000)})
    whole = path.read_bytes()
    for position in range(200, 2800, 650):  # stored as they are: only the checksum can tell
        broken = bytearray(whole)
        broken[position] ^= 1
        path.write_bytes(broken)
        with pytest.raises(DataError, match="cannot be unpacked"):
            unpack(path, tmp_path / "into", 10_000)


def test_a_file_that_comes_twice_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for content in (b"first", b"other"):
            member = tarfile.TarInfo("train.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(DataError, match=r"'train\.bin' comes twice"):
        unpack(path, tmp_path / "into", 10_000)
