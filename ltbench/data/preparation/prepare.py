"""Preparation of a data set's files: the argument of a data set's `prepare`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ltbench.data.preparation.archive import unpack
from ltbench.errors import DataError
from ltbench.io.files import partial_path, remove_partials, replace_file
from ltbench.io.interrupts import check, deferred
from ltbench.io.reading import read_regular


@dataclass(frozen=True)
class Preparation:
    """Places the files of a data set, each complete or not at all.

    Args:
        folder: Folder of the data set below the data root.
        source: Existing download, a folder or an archive; None where none was given.
        lists: Folder or URL to fetch files from; None for the place where they are published.
        note: Callback for a line about each step.
    """

    folder: Path
    source: Path | None
    lists: str | None
    note: Callable[[str], None]

    def note_download(self, how: str, name: str) -> None:
        """Prints instructions for a manual download, unless one was given or is in place.

        Args:
            how: Instructions: files, source and terms of use.
            name: Name of the folder that the download is linked to.
        """
        if self.source is None and not (self.folder / name).exists():
            self.note(f"by hand: {how}")

    def fetch(self, name: str, published: str, check: Callable[[bytes], str]) -> None:
        """Fetches a file, unless a correct one is in place.

        Args:
            name: Name of the file, in the data set's folder and at its source.
            published: URL of the folder where the file is published.
            check: Function that returns the fault of the content; empty where it is correct.

        Raises:
            DataError: The file cannot be fetched or written, or its content is not correct.
        """
        path = self.folder / name
        if self.lists is None and _is_correct(path, check):
            self.note(f"{path}: exists")
            return
        from ltbench.data.preparation.fetch import fetch  # imports http and ssl

        place = (self.lists or published).rstrip("/")
        fetch(f"{place}/{name}", path, check)
        self.note(f"{path}: from {place}")

    def link(self, name: str, existing: Path) -> None:
        """Links a folder of the download into the data set's folder.

        Args:
            name: Name of the link.
            existing: Folder of the download.

        Raises:
            DataError: The path exists and is not a link, or cannot be written.
        """
        path = self.folder / name
        if path.exists() and not path.is_symlink():
            if path.samefile(existing):
                return
            raise DataError(
                f"{path} exists but is not a link",
                hint=f"omit --source to use it, or move it away to link to {existing}",
            )
        with _writing(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_partials(self.folder, of=name)
            part = partial_path(path)
            part.symlink_to(existing.resolve(), target_is_directory=True)
            part.replace(path)
        self.note(f"{path}: a link to {existing}")

    def link_files(self, name: str, files: Iterable[tuple[str, Path]]) -> None:
        """Creates a folder of links to files of the download.

        Args:
            name: Name of the folder.
            files: Pairs of a path below the folder and the file that it links to.

        Raises:
            DataError: A file is missing, the folder exists with another content, or it cannot be
                written.
        """
        path = self.folder / name
        links = {below: existing.resolve() for below, existing in files}
        absent = [existing for existing in links.values() if not existing.is_file()]
        if absent:
            raise DataError(
                f"the download lacks {len(absent):,} of {len(links):,} files, such as {absent[0]}",
                hint="download or unpack it again",
            )
        with _writing(path):
            if path.is_dir() and all((path / b).resolve() == e for b, e in links.items()):
                self.note(f"{path}: exists")
                return
            if path.is_symlink() or path.exists():
                raise DataError(
                    f"{path} exists, with another content",
                    hint="move it away to create the links",
                )
            remove_partials(self.folder, of=name)
            part = partial_path(path)
            with deferred():
                try:
                    for below, existing in links.items():
                        check()
                        target = part / below
                        target.parent.mkdir(parents=True, exist_ok=True)
                        target.symlink_to(existing)
                    part.rename(path)
                finally:
                    shutil.rmtree(part, ignore_errors=True)
        self.note(f"{path}: {len(links):,} links")

    def unpack(self, archive: Path, name: str, limit: int) -> None:
        """Unpacks an archive into a new folder of the data set.

        Args:
            archive: Archive file.
            name: Name of the folder to create.
            limit: Largest allowed size of all unpacked files, in bytes.

        Raises:
            DataError: See `ltbench.data.preparation.archive.unpack`.
        """
        unpack(archive, self.folder / name, limit)
        self.note(f"{self.folder / name}: unpacked from {archive}")

    def write(self, name: str, content: bytes) -> None:
        """Writes a file.

        Args:
            name: Name of the file.
            content: Content of the file.

        Raises:
            DataError: The file cannot be written.
        """
        path = self.folder / name
        with _writing(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)
        self.note(f"{path}: written")


def _is_correct(path: Path, check: Callable[[bytes], str]) -> bool:
    from ltbench.data.preparation.fetch import MAX_BYTES

    try:
        return not check(read_regular(path, MAX_BYTES))
    except OSError:  # missing, or not a file: it is fetched
        return False


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="check free space and permissions, or choose another folder with --data-root",
        ) from error
