"""Unpacks archives that nobody vouches for."""

from __future__ import annotations

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from ltbench.errors import DataError

_PIECE = 1 << 20  # bytes
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError),
    RuntimeError,  # zipfile's, for what is encrypted or packed by an unknown method
)
_Member = tuple[str, int, IO[bytes] | None]
"""Path below the target, size in bytes, content (None for a folder)."""


def unpack(archive: Path, into: Path, limit: int) -> None:
    """Unpacks a tar or zip archive into a new folder, whole or not at all.

    Args:
        archive: The file.
        into: The folder, which must not be there yet.
        limit: Most bytes that all files together may have.

    Raises:
        DataError: It is no archive or a broken one, holds links or paths that lead out of the
            folder, is too large, or cannot be written.
    """
    hint = "fetch the archive again from where it is published"
    part = into.with_name(f".{into.name}.part")
    try:
        clear(part)
        part.mkdir(parents=True)
        left = limit
        with _opened(archive) as members:
            for name, size, content in members:
                _expect_inside(archive, name, hint)
                left -= size
                if left < 0:
                    raise DataError(f"{archive} unpacks to more than {limit >> 20} MiB", hint=hint)
                target = part / name
                if content is None:
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                if target.exists():
                    raise DataError(f"{archive} holds {name!r} twice", hint=hint)
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    shutil.copyfileobj(content, file)
                    if file.tell() != size:
                        raise DataError(f"{archive}: {name!r} is not as long as it says", hint=hint)
        part.rename(into)
    except tarfile.ReadError as error:
        raise DataError(
            f"{archive} cannot be unpacked: it is no whole archive", hint=hint
        ) from error
    except _BROKEN as error:
        raise DataError(f"{archive} cannot be unpacked: {error}", hint=hint) from error
    except OSError as error:
        raise DataError(
            f"{archive} cannot be unpacked into {into}: {error.strerror or error}",
            hint="make room there, or choose another folder with --data-root",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def clear(path: Path) -> None:
    """Removes what an interrupted preparation left, whatever it is.

    Raises:
        OSError: It cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _opened(archive: Path) -> Iterator[Iterator[_Member]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield _of_zip(archive, zipped)
    else:
        with tarfile.open(archive) as tarred:
            yield _of_tar(archive, tarred)


def _of_tar(archive: Path, tarred: tarfile.TarFile) -> Iterator[_Member]:
    for member in tarred:
        if not member.isfile() and not member.isdir():
            raise _strange(archive, member.name)
        yield member.name, member.size, tarred.extractfile(member)
    while tarred.fileobj is not None and tarred.fileobj.read(_PIECE):
        pass  # a compressed archive's checksum comes last


def _of_zip(archive: Path, zipped: zipfile.ZipFile) -> Iterator[_Member]:
    for member in zipped.infolist():
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _strange(archive, member.filename)
        content = None if member.is_dir() else zipped.open(member)
        yield member.filename, member.file_size, content


def _strange(archive: Path, name: str) -> DataError:
    return DataError(
        f"{archive} holds {name!r}, which is neither a file nor a folder",
        hint="fetch the archive again from where it is published",
    )


def _expect_inside(archive: Path, name: str, hint: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name or "\0" in name:
        raise DataError(f"{archive} holds {name!r}, which leads out of the folder", hint=hint)
