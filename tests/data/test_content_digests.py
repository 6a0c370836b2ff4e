"""Digests of contents: equal for equal bytes, and computed once for a file that stays as it is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from ltbench.data import content_digests as content
from ltbench.data.content_digests import ABSENT, content_digest, file_digests
from ltbench.data.digest_table import DigestTable, cache_folder
from ltbench.errors import DataError
from ltbench.progress import SilentReporter

NAMES = pa.array([f"{number}.bin" for number in range(70)])  # more than a task


class Counting(SilentReporter):
    """Counts the files that are read."""

    def __init__(self) -> None:
        self.read = 0

    def advance(self, images: int, loss: float | None = None) -> None:
        """Counts them."""
        self.read += images


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("LTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(content, "MIN_AGE_SECONDS", 0.0)  # files of this moment are remembered
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number, name in enumerate(NAMES.to_pylist()):
        (folder / name).write_bytes(bytes([number]) * (100 + number))
    time.sleep(0.01)
    return folder


def reads(root: Path, names: Any = NAMES, **options: Any) -> tuple[Any, int]:
    progress = Counting()
    return file_digests(root, names, progress, **options), progress.read


def test_files_are_read_once(root: Path) -> None:
    first, read = reads(root)
    assert read == 70
    expected = [content_digest((root / name).read_bytes()) for name in NAMES.to_pylist()]
    assert [row.tobytes() for row in first] == expected
    again, read = reads(root)
    assert read == 0
    assert np.array_equal(again, first)
    assert reads(root, pa.array(["3.bin", "1.bin", "3.bin"]))[1] == 0


def test_a_file_that_changed_is_read_again(root: Path) -> None:
    first, _ = reads(root)
    changed = root / "5.bin"
    status = changed.stat()
    changed.write_bytes(b"x" * status.st_size)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))  # same size, same time
    (root / "new").write_bytes((root / "6.bin").read_bytes())
    os.utime(root / "new", ns=(1, (root / "6.bin").stat().st_mtime_ns))
    (root / "new").replace(root / "6.bin")  # another inode
    time.sleep(0.01)
    later, read = reads(root)
    assert read == 2
    assert np.flatnonzero((later != first).any(axis=1)).tolist() == [5]
    assert reads(root)[1] == 0


def test_what_changed_just_now_is_not_remembered(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "MIN_AGE_SECONDS", 60.0)
    for _ in range(2):
        assert reads(root)[1] == 70


def test_files_without_content_have_a_digest_of_their_own(root: Path) -> None:
    (root / "folder").mkdir()
    found, read = reads(root, pa.array(["folder", "gone", "1.bin"]))
    assert read == 1
    assert [row.tobytes() == ABSENT for row in found] == [True, True, False]


def test_samples_and_contents_are_kept_apart(root: Path) -> None:
    size = 1 << 20
    for name, at in (("a", 300_000), ("b", 300_000), ("c", 0), ("d", size // 2), ("e", size - 1)):
        values = bytearray(size)
        values[at] = name == "b" or at != 300_000
        (root / name).write_bytes(values)
    names = pa.array(list("abcde"))
    whole, sampled = reads(root, names)[0], reads(root, names, rule="sampled")[0]
    assert len({row.tobytes() for row in whole}) == 5
    assert sampled[0].tobytes() == sampled[1].tobytes()  # the two differ where nobody looks
    assert len({row.tobytes() for row in sampled}) == 4
    for name, row in zip(names.to_pylist(), sampled, strict=True):
        assert content_digest((root / name).read_bytes(), "sampled") == row.tobytes()


@pytest.mark.parametrize("damage", [lambda old: old[:-1] + b"x", lambda old: b"", lambda old: b"x"])
def test_a_damaged_table_is_made_again(root: Path, damage: Callable[[bytes], bytes]) -> None:
    first, _ = reads(root)
    [table] = cache_folder().iterdir()
    table.write_bytes(damage(table.read_bytes()))
    again, read = reads(root)
    assert read == 70
    assert np.array_equal(again, first)
    assert reads(root)[1] == 0


def test_without_a_cache_folder_a_process_remembers(root: Path, cache: Path) -> None:
    cache.write_text("in the way")
    assert [reads(root)[1] for _ in range(2)] == [70, 0]


def test_what_was_read_before_an_interruption_is_kept(root: Path) -> None:
    class Stopping(Counting):
        def advance(self, images: int, loss: float | None = None) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file_digests(root, NAMES, Stopping())
    assert 0 < reads(root)[1] < 70


def test_a_file_that_is_being_written_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter(range(10**6))
    monkeypatch.setattr(content, "_stamp", lambda status: (1, next(times), 1, 1))
    with pytest.raises(DataError, match="changed during the reading"):
        reads(root)


def test_many_may_add_to_a_table(root: Path) -> None:
    parts = [NAMES[start : start + 10] for start in range(0, 70, 10)]
    with ThreadPoolExecutor(7) as pool:
        list(pool.map(lambda part: reads(root, part), parts))
    reads(root)
    assert reads(root)[1] == 0
    assert len(DigestTable.read(f"content {root}").names) == 70
