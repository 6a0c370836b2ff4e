"""Members of tar and zip archives, read with bounded memory.

`tarfile` and `zipfile` read headers whole, however large they claim to be. They are therefore given
a file that refuses to read more than a header may have.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, BinaryIO

MAX_HEADER_BYTES = 1 << 20
"""Largest size of everything in a tar archive that describes one member."""

MAX_DIRECTORY_BYTES = 256 << 20
"""Largest size of the directory of a zip archive; 100 bytes are typical for a file."""

_COMPRESSED: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
    b"\x5d\0\0": lzma.LZMAFile,
}


@dataclass(frozen=True)
class Member:
    """File or folder of an archive.

    Args:
        name: Path in the archive.
        size: Size of its content in bytes.
        is_folder: Whether it is a folder.
        open: Function that opens the content.
    """

    name: str
    size: int
    is_folder: bool
    open: Callable[[], AbstractContextManager[IO[bytes]]]


class BoundedFile:
    """File that refuses to read more than is allowed at present.

    Args:
        file: File with the bytes.
        allowed: Number of bytes that may be read, until `allow` is called.
    """

    def __init__(self, file: IO[bytes], allowed: int) -> None:
        self._file = file
        self._left = allowed
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def allow(self, size: int) -> None:
        """Allows the next `size` bytes, instead of what was left."""
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """Reads bytes.

        Raises:
            ValueError: More would be read than is allowed.
        """
        most = self._left + 1
        content = self._file.read(most if size < 0 else min(size, most))
        if len(content) > self._left:
            raise ValueError("a header is too large")
        self._left -= len(content)
        return content


def tar_members(file: BinaryIO, limit: int) -> Iterator[Member]:
    """Yields the members of a tar archive, which may be compressed by gzip, bzip2 or xz.

    Each member is to be read before the next one is requested.

    Args:
        file: Archive file.
        limit: Largest number of bytes after the last member.

    Raises:
        Exception: The archive is damaged or hostile, or holds a link, a device or a sparse file.
    """
    content = _decompressed(file)
    bounded = BoundedFile(content, MAX_HEADER_BYTES)
    with tarfile.TarFile(fileobj=bounded) as tarred:  # type: ignore[arg-type]  # of seek and read
        while (member := tarred.next()) is not None:
            tarred.members.clear()  # type: ignore[attr-defined]  # or millions stay in memory
            if (
                sum(map(len, (*tarred.pax_headers, *tarred.pax_headers.values())))
                > MAX_HEADER_BYTES
            ):
                raise ValueError("its global headers are too large")
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise ValueError(f"{member.name[:200]!r} is not a file or a directory")
            if member.size < 0:
                raise ValueError(f"{member.name[:200]!r} has a negative size")
            bounded.allow(member.size)
            yield Member(
                member.name.lstrip("/") or ".",
                member.size,
                member.isdir(),
                partial(_opened, tarred, member),
            )
            bounded.allow(MAX_HEADER_BYTES)
        # A compressed archive ends with its checksum: read beyond the last member.
        bounded.allow(limit + MAX_HEADER_BYTES)
        while bounded.read(MAX_HEADER_BYTES):
            pass


def _opened(tarred: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = tarred.extractfile(member)
    assert content is not None  # of files only
    return content


def _decompressed(file: BinaryIO) -> IO[bytes]:
    start = file.read(6)
    file.seek(0)
    for magic, opened in _COMPRESSED.items():
        if start.startswith(magic):
            content: IO[bytes] = opened(file)
            return content
    return file


def zip_members(file: BinaryIO) -> Iterator[Member] | None:
    """Returns the members of a zip archive; None for a file of another format.

    Args:
        file: Archive file.

    Raises:
        Exception: The archive is damaged or hostile, or holds a link or a device.
    """
    found = zipfile.is_zipfile(file)
    file.seek(0)
    return _zip_members(file) if found else None


def _zip_members(file: BinaryIO) -> Iterator[Member]:
    bounded: Any = BoundedFile(file, MAX_DIRECTORY_BYTES)
    with zipfile.ZipFile(bounded) as zipped:
        for member in zipped.infolist():
            name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ValueError(f"{name[:200]!r} is not a file or a directory")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                # Of the other methods, zipfile decompresses a block whole, a gigabyte if need be.
                raise ValueError(f"{name[:200]!r} is neither stored nor deflated")
            bounded.allow(member.compress_size + MAX_HEADER_BYTES)
            opened = partial(zipped.open, member)
            yield Member(name, member.file_size, member.is_dir(), opened)
