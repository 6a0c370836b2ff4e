"""Archives that were made to fill the memory or the disk, or to confuse the libraries."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from ltbench.data.preparation.archive import unpack
from ltbench.data.preparation.archive_formats import MAX_HEADER_BYTES
from ltbench.errors import DataError


def refused(path: Path, match: str, **limits: int) -> None:
    with pytest.raises(DataError, match=match) as caught:
        unpack(path, path.with_name("into"), 1 << 20, **limits)
    assert str(path) in caught.value.message
    assert sorted(path.parent.iterdir()) == [path]


def tar(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return path


def named(name: str, **headers: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.pax_headers = headers
    return member


@pytest.mark.parametrize("key", ["GNU.sparse.major", "GNU.sparse.size", "GNU.sparse.map"])
def test_headers_that_are_no_numbers(tmp_path: Path, key: str) -> None:
    member = named("a", **{"GNU.sparse.minor": "0", "GNU.sparse.size": "1", key: "abc"})
    refused(tar(tmp_path / "a.tar", member), "cannot be unpacked|is not a file")


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_a_header_of_a_gigabyte_takes_no_memory(tmp_path: Path, kind: bytes) -> None:
    header = tarfile.TarInfo("a")
    header.type, header.size = kind, 1 << 30
    zeros = gzip.compress(bytes(16 << 20))
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT)) + zeros * 64)
    tracemalloc.start()
    try:
        refused(path, "a header is too large")
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_HEADER_BYTES
    finally:
        tracemalloc.stop()


def test_a_header_that_points_backwards(tmp_path: Path) -> None:
    member = tarfile.TarInfo("a")
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 10 + b"\xfe\x00"  # -512 in base 256
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "a.tar").write_bytes(bytes(block) * 4 + bytes(1024))
    refused(tmp_path / "a.tar", "negative size|not a complete archive")


def test_more_files_than_allowed(tmp_path: Path) -> None:
    path = tar(tmp_path / "a.tar", *(tarfile.TarInfo(f"a/{number}") for number in range(9)))
    refused(path, "more than 9 files and folders", max_files=9)
    unpack(path, tmp_path / "into", 100, max_files=10)
    again = tmp_path / "again"
    again.mkdir()
    folder = tarfile.TarInfo("a")
    folder.type = tarfile.DIRTYPE
    refused(tar(again / "a.tar", *[folder] * 20), "more than 9 files", max_files=9)


@pytest.mark.parametrize("name", ["d/" * 40 + "f", "x" * 300, "a\nb", "a\x1b[2J"])
def test_names_that_are_too_long_too_deep_or_invisible(tmp_path: Path, name: str) -> None:
    refused(tar(tmp_path / "a.tar", tarfile.TarInfo(name)), "too long or too deep|control char")


def test_a_file_where_a_folder_is(tmp_path: Path) -> None:
    members = [tarfile.TarInfo("a"), tarfile.TarInfo("a/b")]
    refused(tar(tmp_path / "a.tar", *members), "'a' comes twice")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_decompress_a_block_whole(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("zeros", bytes(1000), method)
    refused(tmp_path / "a.zip", "neither stored nor deflated")


def test_a_size_that_is_not_that_of_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(5_000))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = (6_000).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "not a complete archive")


def test_a_fifo_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.tar")
    refused(tmp_path / "a.tar", "Not a regular file")
