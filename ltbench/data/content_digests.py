"""Digests of image contents, cached by file so that an unchanged file is read once.

A digest is the first 128 bits of a SHA-256. It is kept in the user's cache folder together with
size, modification time, change time and inode of its file: while these four are the same, the file
is not read again.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ltbench.data.digest_table import DIGEST_BYTES, DigestTable
from ltbench.errors import DataError
from ltbench.io.interrupts import check, deferred
from ltbench.progress import SILENT, ProgressReporter

DigestRule = Literal["content", "sampled"]
"""Hashed part of a file: every byte; or its size and 16 KiB of its start, middle and end."""

ABSENT = bytes(DIGEST_BYTES)
"""Digest of an image without content: its file is missing or cannot be read."""

MIN_AGE_SECONDS = 2.0
"""Age below which a changed file's digest is not cached: a later change may have the same time."""

_SAMPLE_BYTES = 1 << 14
_READ_BYTES = 1 << 20
_FILES_PER_TASK = 64
_PATHS_PER_PART = 1 << 14
_POLL_SECONDS = 0.2  # between checks for an interruption
_THREADS = min(16, 4 * (os.cpu_count() or 1))  # hides the latency of a network drive

Digests = NDArray[np.uint8]
"""Array (N, 16): one digest for each image."""


def content_digest(content: bytes | memoryview, rule: DigestRule = "content") -> bytes:
    """Returns the digest of a content in memory, equal to that of a file with this content."""
    if rule == "content":
        return hashlib.sha256(content).digest()[:DIGEST_BYTES]
    size = len(content)
    hashed = hashlib.sha256(b"%d\0" % size)
    for start in _sample_starts(size):
        hashed.update(content[start : start + _SAMPLE_BYTES])
    return hashed.digest()[:DIGEST_BYTES]


def combined_digest(digests: Digests) -> str:
    """Returns one hash of the digests of several images, in hexadecimal; the order matters."""
    return hashlib.sha256(np.ascontiguousarray(digests).data).hexdigest()


def file_digests(
    root: Path, paths: Any, progress: ProgressReporter = SILENT, rule: DigestRule = "content"
) -> Digests:
    """Returns the digests of image files, (N, 16); `ABSENT` where a file cannot be read.

    Files are read in parallel. A file that was read before and has not changed is not read again.

    Args:
        root: Folder of the relative paths.
        paths: Pyarrow string array of N relative paths.
        progress: Progress reporter.
        rule: Hashed part of a file.

    Raises:
        DataError: A file changes during the reading.
    """
    folder = os.path.abspath(root)  # noqa: PTH100  # unlike resolve(), keeps the user's links

    def files_of(names: Any) -> list[str]:
        return [f"{folder}/{path}" for path in names.to_pylist()]

    stamps = np.empty((len(paths), 4), np.int64)
    for start in range(0, len(paths), _PATHS_PER_PART):  # a million strings take 150 MB
        files = files_of(paths.slice(start, _PATHS_PER_PART))
        stamps[start : start + len(files)] = [file_stamp(file) for file in files]

    def read(rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Digests]]:
        yield from _read(lambda part: files_of(paths.take(part)), rows, rule)

    return remembered_digests(f"{rule} {folder}", paths, stamps, read, progress)


def remembered_digests(
    table: str,
    names: Any,
    stamps: NDArray[np.int64],
    read: Callable[[NDArray[np.int64]], Iterable[tuple[NDArray[np.int64], Digests]]],
    progress: ProgressReporter = SILENT,
) -> Digests:
    """Returns digests, (N, 16); those in the user's cache are not computed again.

    Args:
        table: Name of the cached table, such as the folder of the files.
        names: Pyarrow string array of N names, unique within the table.
        stamps: Array (N, 4) of numbers that change when a content does; -1 where there is no
            content. Columns 1 and 2 are times in nanoseconds: the digest of a content that changed
            within `MIN_AGE_SECONDS` is not cached.
        read: Function from rows to pairs `(rows, digests)`, which computes digests part by part.
        progress: Progress reporter.
    """
    kept = DigestTable.read(table)
    digests, known = kept.find(names, stamps)
    rows = np.flatnonzero(~known & (stamps[:, 0] >= 0))
    if not len(rows):
        return digests
    done: list[NDArray[np.int64]] = []
    progress.start("reading images once, for their digests", len(rows))
    with deferred():
        try:
            for part, values in read(rows):
                digests[part] = values
                done.append(part)
                progress.advance(len(part))
                check()
        finally:  # keep the digests computed before an interruption
            progress.stop()
            finished = np.concatenate(done) if done else rows[:0]
            age = np.abs(time.time_ns() - stamps[finished, 1:3]).min(axis=1)
            old = finished[age > MIN_AGE_SECONDS * 1e9]
            DigestTable.add(table, names.take(old), stamps[old], digests[old])
    return digests


def file_stamp(file: str) -> tuple[int, int, int, int]:
    """Returns size, modification time, change time and inode; -1 if not a regular file."""
    try:
        status = os.stat(file)  # noqa: PTH116  # a Path for each takes several times as long
    except OSError:
        return -1, -1, -1, -1
    return _stamp(status) if stat.S_ISREG(status.st_mode) else (-1, -1, -1, -1)


def _stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    inode = status.st_ino & (2**63 - 1)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode


def _read(
    files_of: Callable[[NDArray[np.int64]], Sequence[str]],
    rows: NDArray[np.int64],
    rule: DigestRule,
) -> Iterator[tuple[NDArray[np.int64], Digests]]:
    """Yields the digests of files as threads finish them: hashing releases the GIL."""
    parts = iter(np.split(rows, range(_FILES_PER_TASK, len(rows), _FILES_PER_TASK)))
    waiting: dict[Future[Digests], NDArray[np.int64]] = {}
    pool = ThreadPoolExecutor(_THREADS)
    try:
        while True:
            for part in parts:
                waiting[pool.submit(_hash_files, files_of(part), rule)] = part
                if len(waiting) >= 2 * _THREADS:
                    break
            if not waiting:
                return
            check()
            for future in wait(waiting, _POLL_SECONDS, FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _hash_files(files: Sequence[str], rule: DigestRule) -> Digests:
    hashed = []
    for file in files:
        check()
        hashed.append(_hash_file(file, rule))
    values = b"".join(hashed)
    return np.frombuffer(values, np.uint8).reshape(-1, DIGEST_BYTES)


def _hash_file(file: str, rule: DigestRule) -> bytes:
    hashed = hashlib.sha256()
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123  # faster than a Path
            before = os.fstat(opened.fileno())
            if rule == "sampled":
                hashed.update(b"%d\0" % before.st_size)
                for start in _sample_starts(before.st_size):
                    opened.seek(start)
                    hashed.update(opened.read(_SAMPLE_BYTES))
            else:
                while content := opened.read(_READ_BYTES):
                    hashed.update(content)
            after = os.fstat(opened.fileno())
    except OSError:  # the reader of the image reports the cause
        return ABSENT
    if _stamp(before) != _stamp(after):
        raise DataError(
            f"{file} changed during the reading", hint="run again when the file is complete"
        )
    return hashed.digest()[:DIGEST_BYTES]


def _sample_starts(size: int) -> Sequence[int]:
    """Returns the offsets of the samples in a file of `size` bytes."""
    return (0, max(0, (size - _SAMPLE_BYTES) // 2), max(0, size - _SAMPLE_BYTES))
