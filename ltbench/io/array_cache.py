"""Arrays that are computed once for all runs of a store, and mapped into memory by who reads them.

```
<out>/.cache/
    <key's hash>/key.json, <array>.npy      an entry: whole, or not there
    <key's hash>/checksums.json             of the arrays' files
    .<key's hash>/                          one that is being made
    <key's hash>.lock                       held by who makes it
```

An entry whose files are not what was written counts as missing, and is made again.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import DTypeLike, NDArray

from ltbench.io.checksums import file_checksum

GB = 10**9
_SPARE = GB // 2  # bytes of a disk that are left free
_HEADER = 128  # bytes that a file has before its array
_KEY = "key.json"
_CHECKSUMS = "checksums.json"
_CHECKSUM_BYTES = 32 + 6  # digits, quotation marks, a colon, a comma, two spaces

Arrays = dict[str, NDArray[Any]]
Layout = Mapping[str, tuple[tuple[int, ...], DTypeLike]]
"""Shape and type of each array."""


class NoRoomError(Exception):
    """Something cannot be kept: it has to be computed each time. The text says why."""


@dataclass(frozen=True)
class Cache:
    """Entries by key, of which those unused for longest make room for new ones.

    Args:
        folder: Where they are. Whatever reads them shares the system's memory for files.
        limit: Bytes that all of them may take; 0 keeps nothing.
    """

    folder: Path
    limit: int

    @classmethod
    def of(cls, out: Path | None, gigabytes: float) -> Cache:
        """Returns the cache of a folder of run directories; one that keeps nothing for None."""
        return NO_CACHE if out is None else cls(out / ".cache", int(gigabytes * GB))

    def get(self, key: Mapping[str, Any], layout: Layout, fill: Callable[[Arrays], None]) -> Arrays:
        """Returns arrays, made now if nobody has made them yet; what is written to them stays here.

        Waits while another process makes them.

        Args:
            key: All that they depend on, as JSON can have it.
            layout: What they look like.
            fill: Writes them. What it raises goes through, but for an OSError, which is taken for
                one of the cache's; nothing is kept.

        Raises:
            NoRoomError: They cannot be kept.
        """
        about = json.dumps({"key": key, "layout": _described(layout)}, sort_keys=True)
        entry = self.folder / hashlib.sha256(about.encode()).hexdigest()[:32]
        found = _read(entry, about)
        if found is not None:
            return found
        size = _size(about, layout)
        if size > self.limit:
            limit = in_words(self.limit)
            raise NoRoomError(f"{in_words(size)} are more than the cache may take, {limit}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(entry.with_suffix(".lock")):
                found = _read(entry, about)
                if found is None:
                    self._make(entry, about, layout, size, fill)
                    found = _read(entry, about)
        except OSError as error:
            raise NoRoomError(f"{self.folder}: {error.strerror or error}") from error
        if found is None:  # so many others that it had to make room for them
            raise NoRoomError("the cache is too small for all that use it")
        return found

    def _make(
        self, entry: Path, about: str, layout: Layout, size: int, fill: Callable[[Arrays], None]
    ) -> None:
        partial = _partial(entry)
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        try:
            with FileLock(self.folder / "room.lock"):
                self._make_room(size)
                partial.mkdir()
                arrays = {name: _mapped(partial / f"{name}.npy", *layout[name]) for name in layout}
            _filled(arrays, fill)
            checksums = {name: file_checksum(partial / f"{name}.npy") for name in layout}
            (partial / _CHECKSUMS).write_text(json.dumps(checksums))
            (partial / _KEY).write_text(about)
            with FileLock(self.folder / "room.lock"):
                shutil.rmtree(entry, ignore_errors=True)  # a damaged one
                partial.rename(entry)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _make_room(self, size: int) -> None:
        """Deletes entries, the one unused for longest first, until there is room.

        Raises:
            NoRoomError: There is not enough.
        """
        entries = []
        taken = 0
        for path in self.folder.iterdir():
            if not path.is_dir() or (path.name.startswith(".") and _abandoned(path)):
                continue
            size_of = _bytes_of(path)
            taken += size_of
            if not path.name.startswith("."):
                entries.append((_used(path), size_of, path))
        for _, size_of, path in sorted(entries):
            if taken + size <= self.limit:
                break
            shutil.rmtree(path, ignore_errors=True)  # who has it mapped keeps it
            taken -= size_of
        if taken + size > self.limit:
            raise NoRoomError(f"other processes fill the cache, {in_words(self.limit)}")
        free = shutil.disk_usage(self.folder).free
        if size + _SPARE > free:
            needed = in_words(size)
            raise NoRoomError(f"{needed} are needed and {in_words(free)} of the disk are free")


NO_CACHE = Cache(Path(), 0)
"""Keeps nothing."""


def _filled(arrays: Arrays, fill: Callable[[Arrays], None]) -> None:
    """Fills arrays, and frees them before anybody reads what they wrote."""
    fill(arrays)
    for array in arrays.values():
        if isinstance(array, np.memmap):
            array.flush()


def _read(entry: Path, about: str) -> Arrays | None:
    """Returns the arrays of an entry; None where it is missing or damaged."""
    try:
        if (entry / _KEY).read_text() != about:
            return None
        os.utime(entry / _KEY)
        layout = json.loads(about)["layout"]
        checksums = {name: file_checksum(entry / f"{name}.npy") for name in layout}
        if json.loads((entry / _CHECKSUMS).read_text()) != checksums:
            return None
        arrays = {name: np.load(entry / f"{name}.npy", mmap_mode="c") for name in layout}
    except (OSError, EOFError, ValueError):  # made again
        return None
    fits = all([list(a.shape), a.dtype.str] == layout[name] for name, a in arrays.items())
    return arrays if fits else None


def _mapped(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Returns a new file as an array whose room on the disk is sure: a write cannot fail later."""
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.dtype(dtype), shape=shape)
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
    return array


def _abandoned(partial: Path) -> bool:
    """Deletes what a process that was killed left, and returns whether that is so."""
    lock = FileLock(partial.with_name(f"{partial.name[1:]}.lock"), timeout=0)
    try:
        with lock:
            shutil.rmtree(partial, ignore_errors=True)
            return True
    except Timeout:
        return False


def _size(about: str, layout: Layout) -> int:
    """Returns the bytes that an entry takes: its arrays, their headers and checksums, its key."""
    arrays = [math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in layout.values()]
    checksums = sum(len(json.dumps(name)) + _CHECKSUM_BYTES for name in layout)
    return sum(arrays) + _HEADER * len(arrays) + checksums + len(about.encode())


def _partial(entry: Path) -> Path:
    return entry.with_name(f".{entry.name}")


def _bytes_of(entry: Path) -> int:
    """Returns what an entry takes; 0 for one that its maker has just given up."""
    try:
        return sum(file.stat().st_size for file in entry.iterdir())
    except FileNotFoundError:
        return 0


def _used(entry: Path) -> float:
    try:
        return (entry / _KEY).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _described(layout: Layout) -> dict[str, Any]:
    return {name: [list(shape), np.dtype(dtype).str] for name, (shape, dtype) in layout.items()}


def in_words(size: int) -> str:
    """Returns a size in words.

    >>> in_words(1_300_000_000), in_words(84_000_000)
    ('1.3 GB', '84 MB')
    """
    if size >= GB:
        return f"{size / GB:.1f} GB"
    return f"{size / 10**6:,.0f} MB" if size >= 10**6 else f"{size / 1000:,.0f} KB"
