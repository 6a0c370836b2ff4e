"""Index of the results in a folder: saves reading and checking files that have not changed.

An index answers for a run only while the stamp of its `result.json` is the one that the file had
when it was read. It is a copy that may be deleted at any time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ltbench.errors import RunError
from ltbench.storage.index_columns import IndexedRun, Stamp, as_tables, joined, piled, renamed
from ltbench.storage.index_file import IndexFile, write_index
from ltbench.storage.index_rows import Rows
from ltbench.storage.result_schema import RunResult
from ltbench.storage.run_directory import RunDirectory, file_clock
from ltbench.storage.shared_parts import SharedParts

MIN_NEW_RUNS = 200
"""Results that an index lacks, from which it is written: reading fewer takes 0.1 s at most."""
MIN_NEW_SHARE = 0.02
"""The same as a share of the runs: writing an index takes a fiftieth of the time of reading all."""
UNSETTLED_NS = 2 * 10**9
"""Age in nanoseconds from which a change of a file changes its stamp on every file system."""
PACKED_RUNS = 1_000
_LEVELS = 3  # data set, backbone and method


def below(folder: str) -> str:
    """Returns the beginning of the paths in a folder, which are as `pathlib` writes them."""
    return {".": "", "/": "/"}.get(folder, f"{folder}/")


class RunIndex:
    """Results of the runs below a folder, from its index or else from their files.

    Args:
        folder: Folder that contains run directories.
        shared: Parts that its results share with others.
    """

    def __init__(self, folder: Path, shared: SharedParts) -> None:
        self._shared = shared
        self._folder = folder
        self._prefix = below(str(folder))
        self._file, self._rows, self._above = _opened(folder)
        names = self._rows.names if self._rows else []
        self._places = {name: place for place, name in enumerate(names)}
        self._used: list[int] = []
        self._new: list[IndexedRun] = []
        self._packed: list[tuple[Any, Any]] = []
        self._clock_ns: int | None = None

    def known(self, path: str) -> RunResult | None:
        """Returns the result of a run whose file is the one that was indexed; None for others.

        Args:
            path: Run directory below the folder.
        """
        place = self._place(path)
        return None if place is None or self._rows is None else self._rows.result(place, path)

    def reader(self, path: str) -> Callable[[str], Any] | None:
        """Returns what `known` does, as the function that reads its fields: `LateFields.peek`.

        Args:
            path: Run directory below the folder.
        """
        place = self._place(path)
        return None if place is None or self._rows is None else self._rows.reader(place, path)

    def _place(self, path: str) -> int | None:
        """Returns the row of a run whose file is the one that was indexed."""
        place = self._places.get(self._above + path.removeprefix(self._prefix))
        if place is None or self._rows is None or self._rows.stamps[place] != _stamp(path):
            return None
        self._used.append(place)
        return place

    def read(self, path: str) -> RunResult:
        """Reads the result of a run from its files.

        Args:
            path: Run directory below the folder.

        Raises:
            DataError: The run is not finished, or `result.json` is broken.
        """
        if self._clock_ns is None:
            self._clock_ns = _clock_ns(self._folder)
        stamp = _stamp(path)  # before the file is read: a later change changes it
        result = self._shared.apply(RunDirectory(Path(path)).finished())
        name = path.removeprefix(self._prefix)
        settled = stamp is not None and max(stamp[:2]) < self._clock_ns - UNSETTLED_NS
        if stamp is not None and settled and _is_text(name):
            self._new.append(IndexedRun(name, stamp, result))
        return result

    def pack(self) -> dict[str, RunResult]:
        """Returns results by path that take a tenth of the memory, where many were read; else none.

        They are those that `read` has returned since and that the index is to hold.
        """
        if len(self._new) < PACKED_RUNS:
            return {}
        rows, details = as_tables(self._new)
        self._packed.append((rows, details))
        paths = [self._prefix + run.name for run in self._new]
        self._new = []
        read = Rows(rows, lambda: details)
        return {path: read.result(place, path) for place, path in enumerate(paths)}

    def save(self) -> None:
        """Writes the index again, where that takes less time than it will save."""
        new = len(self._new) + sum(len(rows) for rows, _ in self._packed)
        if new < max(MIN_NEW_RUNS, MIN_NEW_SHARE * (len(self._used) + new)):
            return
        tables = [*self._packed, *([as_tables(self._new)] if self._new else [])]
        if self._file is not None and self._used:
            try:
                rows = renamed(self._file.rows.take(self._used), self._above)
                tables.insert(0, (rows, self._file.details().take(self._used)))
            except (OSError, ValueError):  # its second table is damaged
                pass
        rows, details = zip(*tables, strict=True)
        write_index(
            self._folder, (join(parts) for join, parts in ((joined, rows), (piled, details)))
        )


def _opened(folder: Path) -> tuple[IndexFile | None, Rows | None, str]:
    """Returns the index of a folder, its rows, and the folder's path in the names of these.

    Without an index that can be used, both are None. A folder of many runs without an index of its
    own, as that of a method, uses the one of a folder above it.
    """
    file, above = IndexFile.open(folder), ""
    if file is None and _has_many_entries(folder):
        path = folder.absolute()
        for parent in path.parents[:_LEVELS]:
            if (file := IndexFile.open(parent, used_for=folder)) is not None:
                above = f"{path.relative_to(parent)}/"
                break
    if file is None:
        return None, None, ""
    try:
        return file, Rows(file.rows, file.details), above
    except (LookupError, ValueError, AttributeError):
        return None, None, ""


def _has_many_entries(folder: Path) -> bool:
    try:
        return len(os.listdir(folder)) >= MIN_NEW_RUNS  # noqa: PTH208  # names alone
    except OSError:
        return False


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(f"{path}/{RunResult.FILE}")  # noqa: PTH116  # faster than pathlib
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _is_text(name: str) -> bool:
    """Returns whether a column of texts can hold a path; bytes outside of UTF-8 it cannot."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _clock_ns(folder: Path) -> int:
    """Returns the time by the clock that stamps files; 0 where none can be written."""
    try:
        return int(file_clock(folder) * 10**9)
    except RunError:
        return 0
