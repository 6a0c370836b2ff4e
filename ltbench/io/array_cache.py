"""Cache of arrays that all runs of a folder share; entries are memory-mapped.

```
<out>/.cache/                               or another folder, on a disk of this machine
    <key's hash>/key.json, <array>.npy      an entry, which is complete
    <key's hash>/checksums.json             checksums of the arrays' files
    .<key's hash>.<random>.part/            an entry that is being written
    <key's hash>.lock                       held by the process that writes it
```

An entry whose checksums do not match counts as missing, and is computed again. Anything else in the
folder is neither counted nor removed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import DTypeLike, NDArray

from ltbench.io.checksums import file_checksum
from ltbench.io.files import partial_path, remove, remove_partials
from ltbench.io.interrupts import deferred
from ltbench.io.json_text import parse_json
from ltbench.io.locks import wait_for_lock
from ltbench.io.paths import with_home
from ltbench.io.reading import expect_regular, read_regular
from ltbench.io.sizes import GB, in_words

FOLDER_VARIABLE = "LTBENCH_CACHE_DIR"
MIN_FREE_DISK_BYTES = GB // 2
HEADER_BYTES = 128  # of an .npy file
_KEY = "key.json"
_CHECKSUMS = "checksums.json"
_LARGEST_CHECKSUMS = 2**20  # bytes
_ENTRY = re.compile(r"(?P<partial>\.)?(?P<hash>[0-9a-f]{32})(?(partial)\.[0-9a-f]{16}\.part)")
CHECKSUM_ENTRY_BYTES = 32 + 6  # digits, quotation marks, colon, comma, two spaces

Arrays = dict[str, NDArray[Any]]
Layout = Mapping[str, tuple[tuple[int, ...], DTypeLike]]
"""Shape and type of each array."""


class NoRoomError(Exception):
    """Raised where arrays cannot be cached and must be computed each time."""


@dataclass(frozen=True)
class CacheEntry:
    """Arrays of one key.

    Args:
        path: Folder of the entry.
        size: Size in bytes.
        used: Time of the last use in seconds since the epoch.
        is_partial: Whether the entry is being written.
    """

    path: Path
    size: int
    used: float
    is_partial: bool

    @property
    def hash(self) -> str:
        """Hash of the key."""
        match = _ENTRY.fullmatch(self.path.name)
        return match["hash"] if match else ""


def _last_used(entry: CacheEntry) -> tuple[float, int, Path]:
    return entry.used, entry.size, entry.path


@dataclass(frozen=True)
class Cache:
    """Cache of arrays by key; the least recently used entries are evicted.

    Args:
        folder: Folder of the entries; processes that map an entry share the page cache.
        limit: Largest size of all entries in bytes; 0 for no cache.
    """

    folder: Path
    limit: int

    @classmethod
    def of(cls, out: Path | None, gigabytes: float, folder: Path | None = None) -> Cache:
        """Returns the cache of a folder of run directories.

        Args:
            out: Folder of the run directories; None where it is not known.
            gigabytes: Largest size of all entries.
            folder: Folder of the cache; None for that of the environment variable
                LTBENCH_CACHE_DIR, or for `.cache` below `out`.
        """
        chosen = folder or os.environ.get(FOLDER_VARIABLE)
        if chosen:
            return cls(with_home(chosen), int(gigabytes * GB))
        return NO_CACHE if out is None else cls(out / ".cache", int(gigabytes * GB))

    def get(self, key: Mapping[str, Any], layout: Layout, fill: Callable[[Arrays], None]) -> Arrays:
        """Returns cached arrays, and computes them on a cache miss.

        Waits while another process computes the same arrays. They are mapped copy-on-write: changes
        stay in this process.

        Args:
            key: Everything that the arrays depend on, as JSON values.
            layout: Shape and type of each array.
            fill: Function that writes the arrays. Its errors are raised, except an OSError, which
                counts as an error of the cache; nothing is cached then.

        Raises:
            NoRoomError: The arrays cannot be cached.
        """
        entry, about = self._entry(key, layout)
        found = _read(entry, about)
        if found is not None:
            return found
        size = _size(about, layout)
        if size > self.limit:
            limit = in_words(self.limit)
            raise NoRoomError(
                f"expected at most {limit}, the size of the cache, got {in_words(size)}"
            )
        try:
            if self.folder.is_symlink():
                raise NoRoomError(f"{self.folder} is a link: expected a directory")
            self.folder.mkdir(parents=True, exist_ok=True)
            with deferred(), wait_for_lock(entry.with_suffix(".lock")):
                found = _read(entry, about)
                if found is None:
                    self._write(entry, about, layout, size, fill)
                    found = _read(entry, about)
        except OSError as error:
            raise NoRoomError(f"{self.folder}: {error.strerror or error}") from error
        if found is None:  # evicted by other processes
            raise NoRoomError("the cache is too small for all runs that use it")
        return found

    def find(self, key: Mapping[str, Any], layout: Layout) -> Arrays | None:
        """Returns cached arrays; None where they are not cached.

        Args:
            key: Everything that the arrays depend on, as JSON values.
            layout: Shape and type of each array.
        """
        return _read(*self._entry(key, layout))

    def _entry(self, key: Mapping[str, Any], layout: Layout) -> tuple[Path, str]:
        """Returns the folder of an entry, and the content of its key file."""
        about = json.dumps({"key": key, "layout": _described(layout)}, sort_keys=True)
        return self.folder / hashlib.sha256(about.encode()).hexdigest()[:32], about

    def _write(
        self, entry: Path, about: str, layout: Layout, size: int, fill: Callable[[Arrays], None]
    ) -> None:
        remove_partials(self.folder, of=entry.name)  # left by processes that were killed
        partial = partial_path(entry)
        try:
            with wait_for_lock(self.folder / "room.lock"):
                self._make_room(size)
                partial.mkdir()
                arrays = {name: _mapped(partial / f"{name}.npy", *layout[name]) for name in layout}
            _filled(arrays, fill)
            checksums = {name: file_checksum(partial / f"{name}.npy") for name in layout}
            (partial / _CHECKSUMS).write_text(json.dumps(checksums))
            (partial / _KEY).write_text(about)
            with wait_for_lock(self.folder / "room.lock"):
                remove(entry)  # a damaged one
                partial.rename(entry)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _make_room(self, size: int) -> None:
        """Evicts least recently used entries until there is room for a new one.

        Args:
            size: Size of the new entry in bytes.

        Raises:
            NoRoomError: There is not enough room.
        """
        entries = self._live_entries()
        taken = sum(entry.size for entry in entries)
        taken -= sum(entry.size for entry in self._evict(entries, taken + size - self.limit))
        if taken + size > self.limit:
            raise NoRoomError(f"the cache ({in_words(self.limit)}) is filled by other processes")
        free = shutil.disk_usage(self.folder).free
        if size + MIN_FREE_DISK_BYTES > free:
            needed = in_words(size)
            raise NoRoomError(f"{needed} are needed, and the disk has {in_words(free)} free")

    def entries(self) -> list[CacheEntry]:
        """Returns the complete entries, the least recently used first.

        Raises:
            OSError: The folder cannot be listed.
        """
        if self.folder.is_symlink() or not self.folder.is_dir():
            return []
        return sorted((one for one in self._entries() if not one.is_partial), key=_last_used)

    def shrink(self) -> list[CacheEntry]:
        """Evicts least recently used entries until all are within the limit.

        Returns:
            The evicted entries.

        Raises:
            OSError: The folder cannot be written.
            Interrupted: A signal arrived while another process held the lock.
        """
        if self.folder.is_symlink() or not self.folder.is_dir():
            return []
        with deferred(), wait_for_lock(self.folder / "room.lock"):
            entries = self._live_entries()
            taken = sum(entry.size for entry in entries)
            return list(self._evict(entries, taken - self.limit))

    def _entries(self) -> Iterator[CacheEntry]:
        """Yields all entries, also those of killed processes."""
        for path in self.folder.iterdir():
            match = _ENTRY.fullmatch(path.name)
            if not match or path.is_symlink() or not path.is_dir():
                continue
            is_partial = match["partial"] is not None
            yield CacheEntry(path, _bytes_of(path), _used(path), is_partial)

    def _live_entries(self) -> list[CacheEntry]:
        """Returns all entries; those that killed processes left unfinished are deleted instead."""
        return [
            one for one in self._entries() if not (one.is_partial and self._abandoned(one.hash))
        ]

    def _evict(self, entries: Iterable[CacheEntry], excess: int) -> Iterator[CacheEntry]:
        """Deletes least recently used entries, and yields each, until a size is freed."""
        for entry in sorted((one for one in entries if not one.is_partial), key=_last_used):
            if excess <= 0:
                return
            # Processes that have mapped it keep it.
            shutil.rmtree(entry.path, ignore_errors=True)
            excess -= entry.size
            yield entry

    def _abandoned(self, name: str) -> bool:
        """Deletes partial entries whose process was killed; returns whether it was."""
        try:
            with FileLock(self.folder / f"{name}.lock", timeout=0):
                remove_partials(self.folder, of=name)
                return True
        except Timeout:
            return False


NO_CACHE = Cache(Path(), 0)
"""Cache without entries."""


def _filled(arrays: Arrays, fill: Callable[[Arrays], None]) -> None:
    """Fills arrays and flushes them, so that they are complete on disk."""
    fill(arrays)
    for array in arrays.values():
        if isinstance(array, np.memmap):
            array.flush()


def _read(entry: Path, about: str) -> Arrays | None:
    """Returns the arrays of an entry; None where it is missing or damaged."""
    try:
        if read_regular(entry / _KEY, len(about.encode())) != about.encode():
            return None
        os.utime(entry / _KEY, follow_symlinks=False)
        layout = json.loads(about)["layout"]
        for name, (shape, dtype) in layout.items():
            size = HEADER_BYTES + math.prod(shape) * np.dtype(dtype).itemsize
            expect_regular(entry / f"{name}.npy", size)
        checksums = {name: file_checksum(entry / f"{name}.npy") for name in layout}
        if parse_json(read_regular(entry / _CHECKSUMS, _LARGEST_CHECKSUMS)) != checksums:
            return None
        arrays = {name: np.load(entry / f"{name}.npy", mmap_mode="c") for name in layout}
    except (OSError, EOFError, ValueError, RecursionError):  # computed again
        return None
    fits = all([list(a.shape), a.dtype.str] == layout[name] for name, a in arrays.items())
    return arrays if fits else None


def _mapped(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Returns a new file as an array with its disk space allocated: later writes cannot fail."""
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=shape)
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
    return array


def _size(about: str, layout: Layout) -> int:
    """Returns the size of an entry in bytes: arrays, headers, checksums and key."""
    arrays = [math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in layout.values()]
    checksums = sum(len(json.dumps(name)) + CHECKSUM_ENTRY_BYTES for name in layout)
    return sum(arrays) + HEADER_BYTES * len(arrays) + checksums + len(about.encode())


def _bytes_of(entry: Path) -> int:
    """Returns the size of an entry in bytes; 0 for one that was just removed."""
    try:
        return sum(file.lstat().st_size for file in entry.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return 0


def _used(entry: Path) -> float:
    try:
        return (entry / _KEY).lstat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return 0.0


def _described(layout: Layout) -> dict[str, Any]:
    return {name: [list(shape), np.dtype(dtype).str] for name, (shape, dtype) in layout.items()}
