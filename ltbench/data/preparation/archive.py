"""Extraction of untrusted archives, complete or not at all."""

from __future__ import annotations

import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from ltbench.errors import DataError
from ltbench.io.interrupts import check, deferred

READ_BYTES = 1 << 20
_HINT = "download the archive again from where it is published"
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError),
    RuntimeError,  # of zipfile, for encrypted members and unknown methods
)


def unpack(archive: Path, into: Path, limit: int) -> None:
    """Unpacks a tar or zip archive into a new folder, complete or not at all.

    Args:
        archive: Archive file.
        into: Folder to create.
        limit: Largest allowed size of all unpacked files, in bytes.

    Raises:
        DataError: The file is not an archive, is damaged, holds a device, a path or a link that
            leads out of the folder, is too large, or cannot be written.
    """
    part = into.with_name(f".{into.name}.part")
    try:
        clear(part)
        part.mkdir(parents=True)
        with deferred():
            if zipfile.is_zipfile(archive):
                _extract_zip(archive, part, limit)
            else:
                _extract_tar(archive, part, limit)
            part.rename(into)
    except tarfile.ReadError as error:
        raise DataError(
            f"{archive} cannot be unpacked: it is not a complete archive", hint=_HINT
        ) from error
    except _BROKEN as error:
        raise DataError(f"{archive} cannot be unpacked: {error}", hint=_HINT) from error
    except OSError as error:
        raise DataError(
            f"{archive} cannot be unpacked into {into}: {error.strerror or error}",
            hint="free disk space, or choose another folder with --data-root",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def clear(path: Path) -> None:
    """Removes what an interrupted preparation left at a path: a file, a link or a folder.

    Raises:
        OSError: It cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _extract_tar(archive: Path, into: Path, limit: int) -> None:
    total = 0
    with tarfile.open(archive) as tarred:
        for member in tarred:
            check()
            total += member.size
            _check_member(archive, into / member.name, total, limit, folder=member.isdir())
            tarred.extract(member, into, filter="data")
        # A compressed archive ends with its checksum: read beyond the last member.
        while tarred.fileobj is not None and tarred.fileobj.read(READ_BYTES):
            pass


def _extract_zip(archive: Path, into: Path, limit: int) -> None:
    total = 0
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            check()
            name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
            # zipfile would rename such members and write links as files, both without an error.
            path = PurePosixPath(name.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or ":" in name:
                raise DataError(f"{archive}: {name!r} is outside the destination", hint=_HINT)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(f"{archive}: {name!r} is not a file or a directory", hint=_HINT)
            total += member.file_size
            _check_member(archive, into / name, total, limit, folder=member.is_dir())
            zipped.extract(member, into)


def _check_member(archive: Path, target: Path, total: int, limit: int, *, folder: bool) -> None:
    """Checks the size so far, and that no file is unpacked twice.

    Raises:
        DataError: The size exceeds the limit, or the target exists.
    """
    if total > limit:
        raise DataError(f"{archive} unpacks to more than {limit >> 20} MiB", hint=_HINT)
    if target.exists() and not folder:
        raise DataError(f"{archive} holds {target.name!r} twice", hint=_HINT)
