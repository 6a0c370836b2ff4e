"""Extraction of untrusted archives, complete or not at all.

Files and folders are created here, not by `tarfile` and `zipfile`: each exclusively, so that a
member never replaces another one, with the permissions of the umask. Links, devices and sparse
files are refused.
"""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ltbench.data.preparation.archive_formats import Member, tar_members, zip_members
from ltbench.errors import DataError, LTBenchError
from ltbench.io.files import create_file, partial_path, remove_partials
from ltbench.io.interrupts import check, deferred
from ltbench.io.reading import expect_regular

READ_BYTES = 1 << 20
MAX_FILES = 3_000_000
"""Largest number of files and folders; the largest data set of the field, iNaturalist 2021, has
2.8 million images."""

MAX_ARCHIVE_BYTES = 1 << 42
MAX_PATH_BYTES = 1024
MAX_NAME_BYTES = 255
MAX_DEPTH = 32
_HINT = "download the archive again from where it is published"


def unpack(archive: Path, into: Path, limit: int, max_files: int = MAX_FILES) -> None:
    """Unpacks a tar or zip archive into a new folder, complete or not at all.

    The caller holds a lock of the folder.

    Args:
        archive: Archive file.
        into: Folder to create.
        limit: Largest allowed size of all unpacked files, in bytes.
        max_files: Largest allowed number of files and folders.

    Raises:
        DataError: The file is not an archive, is damaged, holds a link, a device or a path that
            leads out of the folder, is too large, or cannot be written.
    """
    part = partial_path(into)
    try:
        with _explained(archive, into):
            into.parent.mkdir(parents=True, exist_ok=True)
            remove_partials(into.parent, of=into.name)
            part.mkdir()
            expect_regular(archive, MAX_ARCHIVE_BYTES)
            with archive.open("rb") as file, _damage_explained(archive):
                members = zip_members(file) or tar_members(file, limit)
                with deferred():
                    _Destination(archive, part, limit, max_files).place(members)
            part.rename(into)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def _explained(archive: Path, into: Path) -> Iterator[None]:
    """Converts errors of the file system."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{archive} cannot be unpacked into {into}: {error.strerror or error}",
            hint="free disk space, or choose another folder with --data-root",
        ) from error


@contextmanager
def _damage_explained(archive: Path) -> Iterator[None]:
    """Converts what the libraries raise for damaged and hostile archives: nearly any exception."""
    try:
        yield
    except LTBenchError:
        raise
    except (tarfile.ReadError, EOFError) as error:
        raise DataError(
            f"{archive} cannot be unpacked: it is not a complete archive", hint=_HINT
        ) from error
    except OSError as error:
        if error.errno is not None:  # of the file system; gzip and bz2 raise others
            raise
        raise DataError(f"{archive} cannot be unpacked: {error}", hint=_HINT) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{archive} cannot be unpacked: {reason}", hint=_HINT) from error


@dataclass
class _Destination:
    """New folder that the members of an archive are placed in.

    Args:
        archive: Archive file, for messages.
        folder: Existing empty folder.
        limit: Largest allowed size of all files, in bytes.
        max_files: Largest allowed number of files and folders.
    """

    archive: Path
    folder: Path
    limit: int
    max_files: int
    _made: set[PurePosixPath] = field(default_factory=lambda: {PurePosixPath()})
    _bytes: int = 0
    _files: int = 0

    def place(self, members: Iterable[Member]) -> None:
        """Writes the members.

        Raises:
            DataError: A member is refused.
        """
        for member in members:
            check()
            path = self._checked_path(member.name)
            if path in self._made:  # described again: millions of times in a hostile archive
                self._count()
            if member.is_folder:
                self._make(path)
            else:
                self._make(path.parent)
                self._write(path, member)

    def _checked_path(self, name: str) -> PurePosixPath:
        """Returns the path of a member below the folder."""
        path = PurePosixPath(name)
        parts = PurePosixPath(name.replace("\\", "/")).parts
        size = len(name.encode(errors="surrogateescape"))
        if path.is_absolute() or ".." in parts or name[1:2] == ":" or name.startswith("\\"):
            raise self._refusal(name, "is outside the destination")
        if not name.isprintable():
            raise self._refusal(name, "has a control character or an invalid one")
        longest = max((len(part.encode()) for part in parts), default=0)
        if size > MAX_PATH_BYTES or longest > MAX_NAME_BYTES or len(parts) > MAX_DEPTH:
            raise self._refusal(name, "is too long or too deep")
        return path

    def _make(self, folder: PurePosixPath) -> None:
        if folder in self._made:
            return
        self._make(folder.parent)
        self._count()
        try:
            (self.folder / folder).mkdir()
        except FileExistsError:
            raise self._refusal(str(folder), "comes twice") from None
        self._made.add(folder)

    def _write(self, path: PurePosixPath, member: Member) -> None:
        self._count()
        self._bytes += member.size
        if self._bytes > self.limit:
            raise DataError(
                f"{self.archive} unpacks to more than {self.limit >> 20} MiB", hint=_HINT
            )
        try:
            file = create_file(self.folder / path)
        except FileExistsError:  # also of another case, where the file system ignores it
            raise self._refusal(member.name, "comes twice") from None
        with file, member.open() as content:
            left = member.size
            while chunk := content.read(min(left, READ_BYTES)):
                file.write(chunk)
                left -= len(chunk)
            if left:
                raise EOFError(f"{member.name} is not complete")

    def _count(self) -> None:
        self._files += 1
        if self._files > self.max_files:
            raise DataError(
                f"{self.archive} holds more than {self.max_files:,} files and folders", hint=_HINT
            )

    def _refusal(self, name: str, fault: str) -> DataError:
        return DataError(f"{self.archive}: {name[:200]!r} {fault}", hint=_HINT)
