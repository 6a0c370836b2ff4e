"""Digests of image contents, remembered by file so that an unchanged file is read once.

A digest is the first 128 bits of a SHA-256. It is kept in the user's cache folder together with
size, time of modification, time of change and inode of its file: as long as these four are the
same, the file is not read again.
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
from ltbench.progress import SILENT, ProgressReporter

DigestRule = Literal["content", "sampled"]
"""What of a file is hashed: every byte; or its size and 16 KiB of its start, middle and end."""

ABSENT = bytes(DIGEST_BYTES)
"""The digest of an image without content: its file is missing or cannot be read."""

STAMP_SECONDS = 2.0
"""Files that changed less than this ago are hashed again: a later change may have the same time."""

_SAMPLE_BYTES = 1 << 14
_READ_BYTES = 1 << 20
_FILES_A_TASK = 64
_THREADS = min(16, 4 * (os.cpu_count() or 1))  # a network drive answers slowly and in parallel

Digests = NDArray[np.uint8]
"""(N, 16): a digest an image."""


def content_digest(content: bytes | memoryview, rule: DigestRule = "content") -> bytes:
    """Returns the digest of a content in memory: the same as that of a file that holds it."""
    if rule == "content":
        return hashlib.sha256(content).digest()[:DIGEST_BYTES]
    size = len(content)
    hashed = hashlib.sha256(b"%d\0" % size)
    for start in _sampled(size):
        hashed.update(content[start : start + _SAMPLE_BYTES])
    return hashed.digest()[:DIGEST_BYTES]


def combined_digest(digests: Digests) -> str:
    """Returns one hash of the digests of several images, in hexadecimal; the order matters."""
    return hashlib.sha256(np.ascontiguousarray(digests).data).hexdigest()


def file_digests(
    root: Path, paths: Any, progress: ProgressReporter = SILENT, rule: DigestRule = "content"
) -> Digests:
    """Returns the digests of image files, (N, 16); `ABSENT` where a file cannot be read.

    Files are read in parallel. What was read before and has not changed since is not read again.

    Args:
        root: Folder that the paths start from.
        paths: N paths, a pyarrow string array.
        progress: Shows the progress of reading.
        rule: What of a file is hashed.

    Raises:
        DataError: A file changes while it is read.
    """
    folder = os.path.abspath(root)  # noqa: PTH100  # links stay: they are part of the user's path
    files = [f"{folder}/{path}" for path in paths.to_pylist()]
    stamps = np.array([file_stamp(file) for file in files], np.int64).reshape(-1, 4)

    def read(rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Digests]]:
        yield from _read(files, rows, rule)

    return remembered_digests(f"{rule} {folder}", paths, stamps, read, progress)


def remembered_digests(
    table: str,
    names: Any,
    stamps: NDArray[np.int64],
    read: Callable[[NDArray[np.int64]], Iterable[tuple[NDArray[np.int64], Digests]]],
    progress: ProgressReporter = SILENT,
) -> Digests:
    """Returns digests, (N, 16), of which those that are known are taken from the user's cache.

    Args:
        table: Name of the table that they are kept in, such as the folder of the files.
        names: N names, unique within the table, a pyarrow string array.
        stamps: (N, 4) what changes when a content does; -1 where there is no content. The second
            and the third are times in nanoseconds: what changed just now is not kept.
        read: `rows -> (rows, digests)`, part by part: computes the digests of some rows.
        progress: Shows the progress of reading.
    """
    kept = DigestTable.read(table)
    digests, known = kept.find(names, stamps)
    rows = np.flatnonzero(~known & (stamps[:, 0] >= 0))
    if not len(rows):
        return digests
    done: list[NDArray[np.int64]] = []
    progress.start("reading images once, for their digests", len(rows))
    try:
        for part, values in read(rows):
            digests[part] = values
            done.append(part)
            progress.advance(len(part))
    finally:  # what was read before an interruption is not read again
        progress.stop()
        finished = np.concatenate(done) if done else rows[:0]
        age = np.abs(time.time_ns() - stamps[finished, 1:3]).min(axis=1)
        old = finished[age > STAMP_SECONDS * 1e9]
        DigestTable.add(table, names.take(old), stamps[old], digests[old])
    return digests


def file_stamp(file: str) -> tuple[int, int, int, int]:
    """Returns size, times of modification and of change, and inode; -1 for no regular file."""
    try:
        status = os.stat(file)  # noqa: PTH116  # a Path for each takes several times as long
    except OSError:
        return -1, -1, -1, -1
    return _stamp(status) if stat.S_ISREG(status.st_mode) else (-1, -1, -1, -1)


def _stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    inode = status.st_ino & (2**63 - 1)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode


def _read(
    files: Sequence[str], rows: NDArray[np.int64], rule: DigestRule
) -> Iterator[tuple[NDArray[np.int64], Digests]]:
    """Yields digests of files as threads finish them: hashing releases the interpreter's lock."""
    parts = iter(np.split(rows, range(_FILES_A_TASK, len(rows), _FILES_A_TASK)))
    waiting: dict[Future[Digests], NDArray[np.int64]] = {}
    pool = ThreadPoolExecutor(_THREADS)
    try:
        while True:
            for part in parts:
                waiting[pool.submit(_digests_of, [files[row] for row in part], rule)] = part
                if len(waiting) >= 2 * _THREADS:
                    break
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _digests_of(files: Sequence[str], rule: DigestRule) -> Digests:
    values = b"".join(_digest_of(file, rule) for file in files)
    return np.frombuffer(values, np.uint8).reshape(-1, DIGEST_BYTES)


def _digest_of(file: str, rule: DigestRule) -> bytes:
    hashed = hashlib.sha256()
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123  # faster than a Path
            before = os.fstat(opened.fileno())
            if rule == "sampled":
                hashed.update(b"%d\0" % before.st_size)
                for start in _sampled(before.st_size):
                    opened.seek(start)
                    hashed.update(opened.read(_SAMPLE_BYTES))
            else:
                while content := opened.read(_READ_BYTES):
                    hashed.update(content)
            after = os.fstat(opened.fileno())
    except OSError:  # whoever reads the image reports why
        return ABSENT
    if _stamp(before) != _stamp(after):
        raise DataError(f"{file} changes while it is read", hint="wait until it is written")
    return hashed.digest()[:DIGEST_BYTES]


def _sampled(size: int) -> Sequence[int]:
    """Returns where the samples of a file of a size begin."""
    return (0, max(0, (size - _SAMPLE_BYTES) // 2), max(0, size - _SAMPLE_BYTES))
