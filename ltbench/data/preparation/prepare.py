"""What a data set's `prepare` is given to put its files in place."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ltbench.data.preparation.archive import clear, unpack
from ltbench.data.preparation.fetch import fetch
from ltbench.errors import DataError
from ltbench.io.files import replace_file


@dataclass(frozen=True)
class Preparation:
    """Puts the files of a data set in place, each whole or not at all.

    Args:
        folder: The data set's own folder below the data root.
        source: An existing download: a folder, or an archive; None where none was named.
        lists: Folder or URL that files are fetched from; None: where they are published.
        say: Tells the user what was done.
    """

    folder: Path
    source: Path | None
    lists: str | None
    say: Callable[[str], None]

    def tell_download(self, how: str, name: str) -> None:
        """Says how to get a download, unless one was named or its folder is in place.

        Args:
            how: What to download, from where, under which terms.
            name: The folder that would be linked.
        """
        if self.source is None and not (self.folder / name).exists():
            self.say(f"by hand: {how}")

    def fetch(self, name: str, published: str, check: Callable[[bytes], str]) -> None:
        """Fetches a file, unless the right one is there.

        Args:
            name: The file's name, in the data set's folder and where it is taken from.
            published: URL of the folder where it is published.
            check: Says what is wrong with a content; nothing where it is right.

        Raises:
            DataError: It cannot be fetched or written, or is not what it should be.
        """
        path = self.folder / name
        if path.is_file() and self.lists is None and not check(path.read_bytes()):
            self.say(f"{path}: there already")
            return
        place = (self.lists or published).rstrip("/")
        fetch(f"{place}/{name}", path, check)
        self.say(f"{path}: from {place}")

    def link(self, name: str, existing: Path) -> None:
        """Links a folder of the download into the data set's.

        Raises:
            DataError: Something else is in the way, or it cannot be written.
        """
        path = self.folder / name
        if path.exists() and not path.is_symlink():
            if path.samefile(existing):
                return
            raise DataError(
                f"{path} is there already and is no link",
                hint=f"keep it and leave --source away, or remove it to link to {existing}",
            )
        with _explained(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            part = self.folder / f".{name}.part"
            clear(part)
            part.symlink_to(existing.resolve(), target_is_directory=True)
            part.replace(path)
        self.say(f"{path}: a link to {existing}")

    def link_files(self, name: str, files: Iterable[tuple[str, Path]]) -> None:
        """Makes a folder of links to files of the download.

        Args:
            name: The folder.
            files: Path below that folder and the existing file, for each link.

        Raises:
            DataError: A file is not there, something else is in the way, or it cannot be written.
        """
        path, part = self.folder / name, self.folder / f".{name}.part"
        links = {below: existing.resolve() for below, existing in files}
        absent = [existing for existing in links.values() if not existing.is_file()]
        if absent:
            raise DataError(
                f"the download lacks {len(absent):,} of {len(links):,} files, such as {absent[0]}",
                hint="fetch or unpack it again",
            )
        with _explained(path):
            if path.is_dir() and all((path / b).resolve() == e for b, e in links.items()):
                self.say(f"{path}: there already")
                return
            if path.is_symlink() or path.exists():
                raise DataError(
                    f"{path} is there already, and is something else",
                    hint="remove it to make it anew",
                )
            clear(part)
            try:
                for below, existing in links.items():
                    target = part / below
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.symlink_to(existing)
                part.rename(path)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        self.say(f"{path}: {len(links):,} links")

    def unpack(self, archive: Path, name: str, limit: int) -> None:
        """Unpacks an archive into a folder of the data set's.

        Args:
            archive: The file.
            name: The folder, which must not be there yet.
            limit: Most bytes that it may unpack to.

        Raises:
            DataError: See `ltbench.data.preparation.archive.unpack`.
        """
        unpack(archive, self.folder / name, limit)
        self.say(f"{self.folder / name}: unpacked from {archive}")

    def write(self, name: str, content: bytes) -> None:
        """Writes a file.

        Raises:
            DataError: It cannot be written.
        """
        path = self.folder / name
        with _explained(path):
            replace_file(path, content)
        self.say(f"{path}: written")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="make room or get permission there, or choose another folder with --data-root",
        ) from error
