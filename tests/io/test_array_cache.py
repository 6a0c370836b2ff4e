"""Arrays that are computed once for all runs of a store."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from ltbench.io.array_cache import Arrays, Cache, Layout, NoRoomError

LAYOUT: Layout = {"squares": ((100,), "int64")}  # 800 bytes, and NumPy's header of 128


def squares(arrays: Arrays) -> None:
    arrays["squares"][:] = np.arange(100) ** 2


def refuse(arrays: Arrays) -> None:
    raise AssertionError("it was there already")


def stored(cache: Cache) -> set[str]:
    return {path.name for path in cache.folder.iterdir() if path.is_dir()}


def test_what_was_made_is_read_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10_000)
    made = cache.get({"n": 1}, LAYOUT, squares)
    again = Cache(tmp_path / "cache", 10_000).get({"n": 1}, LAYOUT, refuse)
    assert again["squares"].tolist() == [n * n for n in range(100)]
    assert isinstance(again["squares"], np.memmap)
    again["squares"][9] = 7  # not in the file
    assert made["squares"][9] == 81


def test_another_key_or_shape_is_another_entry(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    cache.get({"n": 1}, LAYOUT, squares)
    with pytest.raises(AssertionError, match="there already"):
        cache.get({"n": 2}, LAYOUT, refuse)
    with pytest.raises(AssertionError, match="there already"):
        cache.get({"n": 1}, {"squares": ((10,), "int64")}, refuse)
    assert len(stored(cache)) == 1  # nothing half-made is left


def test_the_limit_holds_and_the_unused_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2_500)  # two entries and their keys
    for n in (1, 2):
        cache.get({"n": n}, LAYOUT, squares)
        time.sleep(0.02)
    cache.get({"n": 1}, LAYOUT, refuse)  # used again: 2 is the one unused for longest
    cache.get({"n": 3}, LAYOUT, squares)
    cache.get({"n": 1}, LAYOUT, refuse)
    with pytest.raises(AssertionError, match="there already"):
        cache.get({"n": 2}, LAYOUT, refuse)
    size = sum(
        f.stat().st_size for path in tmp_path.iterdir() if path.is_dir() for f in path.iterdir()
    )
    assert size <= 2_500


def test_what_is_too_large_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(NoRoomError, match=r"expected at most 2\.0 GB.*got 8\.0 GB"):
        Cache(tmp_path, 2 * 10**9).get({}, {"big": ((10**9,), "int64")}, squares)
    with pytest.raises(NoRoomError):
        Cache(tmp_path, 0).get({}, LAYOUT, squares)


def test_a_full_disk_is_told_before_anything_is_computed(tmp_path: Path) -> None:
    huge = 10**15
    with pytest.raises(NoRoomError, match="the disk has"):
        Cache(tmp_path, 2 * huge).get({}, {"huge": ((huge,), "uint8")}, refuse)
    assert stored(Cache(tmp_path, 0)) == set()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoRoomError, match="Not a directory"):
        Cache(tmp_path / "file" / "cache", 10_000).get({}, LAYOUT, squares)


@pytest.mark.parametrize("damage", [b"", b"no array", None])
def test_a_damaged_entry_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    cache = Cache(tmp_path, 10_000)
    cache.get({}, LAYOUT, squares)
    (file,) = tmp_path.glob("*/squares.npy")
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage)
    assert cache.get({}, LAYOUT, squares)["squares"][9] == 81


def test_damage_that_leaves_the_size_alone_is_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    cache.get({}, LAYOUT, squares)
    (file,) = tmp_path.glob("*/squares.npy")
    whole, times = file.read_bytes(), file.stat()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    made = []
    again = cache.get({}, LAYOUT, lambda arrays: made.append(1) or squares(arrays))
    assert (again["squares"][-1], made) == (99 * 99, [1])
    assert file.read_bytes() == whole
    cache.get({}, LAYOUT, refuse)


def test_an_entry_without_checksums_is_made_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10_000)
    cache.get({}, LAYOUT, squares)
    next(tmp_path.glob("*/checksums.json")).unlink()
    with pytest.raises(AssertionError, match="there already"):
        cache.get({}, LAYOUT, refuse)


def _slowly(folder: Path, log: Path) -> None:
    def fill(arrays: Arrays) -> None:
        with log.open("a") as file:
            file.write("x")
        time.sleep(0.3)
        squares(arrays)

    assert Cache(folder, 10_000).get({}, LAYOUT, fill)["squares"][3] == 9


def test_processes_make_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    log = tmp_path / "log"
    makers = [context.Process(target=_slowly, args=(tmp_path / "c", log)) for _ in range(3)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [maker.exitcode for maker in makers] == [0, 0, 0]
    assert log.read_text() == "x"


def _killed(folder: Path) -> None:
    def fill(arrays: Arrays) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    Cache(folder, 10_000).get({"n": 1}, LAYOUT, fill)


def test_what_a_killed_process_left_takes_no_room(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_killed, args=(tmp_path,))
    process.start()
    process.join()
    cache = Cache(tmp_path, 1_100)  # one entry and its key
    assert [name[0] for name in stored(cache)] == ["."]
    cache.get({"n": 2}, LAYOUT, squares)
    assert [name[0] != "." for name in stored(cache)] == [True]


def test_nothing_else_in_the_folder_is_counted_or_removed(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "large.jpg").write_bytes(bytes(50_000))
    (tmp_path / ("0" * 32)).symlink_to("photos")
    cache = Cache(tmp_path, 1_100)  # one entry and its key
    for n in (1, 2):
        cache.get({"n": n}, LAYOUT, squares)
    assert (tmp_path / "photos" / "large.jpg").exists()
    assert (tmp_path / ("0" * 32)).is_symlink()


def test_a_folder_that_is_a_link_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cache").symlink_to("elsewhere")
    with pytest.raises(NoRoomError, match="is a link"):
        Cache(tmp_path / "cache", 10_000).get({}, LAYOUT, refuse)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("name", ["key.json", "checksums.json", "squares.npy"])
@pytest.mark.parametrize("kind", ["fifo", "link", "folder"])
def test_an_entry_with_something_else_in_it_is_computed_again(
    tmp_path: Path, name: str, kind: str
) -> None:
    cache = Cache(tmp_path / "cache", 10_000)
    cache.get({}, LAYOUT, squares)
    (entry,) = stored(cache)
    path = cache.folder / entry / name
    path.unlink()
    (tmp_path / "kept").write_text("{")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "kept")
    else:
        os.mkfifo(path)
    assert cache.get({}, LAYOUT, squares)["squares"][3] == 9
    assert (tmp_path / "kept").read_text() == "{"


def test_entries_are_listed_and_evicted_by_their_last_use(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10_000)
    assert cache.entries() == cache.shrink() == []
    for n in range(3):
        cache.get({"n": n}, LAYOUT, squares)
    for age, entry in enumerate(sorted(stored(cache))):
        os.utime(cache.folder / entry / "key.json", (age, age))
    partial = cache.folder / f".{'0' * 32}.{'1' * 16}.part"  # of a process that was killed
    partial.mkdir()
    (cache.folder / "notes").mkdir()
    listed = cache.entries()
    assert [entry.path.name for entry in listed] == sorted(stored(cache) - {partial.name, "notes"})
    assert cache.shrink() == []
    kept = listed[-1]
    assert Cache(cache.folder, kept.size).shrink() == listed[:-1]
    assert stored(cache) == {kept.path.name, "notes"}


def test_a_link_in_the_place_of_a_cache_is_left_alone(tmp_path: Path) -> None:
    Cache(tmp_path / "other", 10_000).get({"n": 1}, LAYOUT, squares)
    (tmp_path / "cache").symlink_to(tmp_path / "other")
    assert Cache(tmp_path / "cache", 0).shrink() == []
    assert len(Cache(tmp_path / "other", 0).entries()) == 1


def test_the_cache_may_be_on_a_disk_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, local, other = tmp_path / "runs", tmp_path / "local", tmp_path / "other"
    assert Cache.of(out, 1.0).folder == out / ".cache"
    assert Cache.of(None, 1.0).limit == 0
    monkeypatch.setenv("LTBENCH_CACHE_DIR", str(local))
    assert Cache.of(out, 1.0).folder == local
    assert Cache.of(None, 1.0) == Cache(local, 10**9)
    assert Cache.of(out, 1.0, other).folder == other
