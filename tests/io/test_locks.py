from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from ltbench.errors import BusyError, RunError
from ltbench.io.locks import has_locks, hold_lock, wait_for_lock


def test_a_lock_is_held_once(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "a.lock"
    with (
        hold_lock(lock, "running a", RunError, "--out"),
        pytest.raises(BusyError, match="another process is running a"),
        hold_lock(lock, "running a", RunError, "--out"),
    ):
        pass
    with hold_lock(lock, "running a", RunError, "--out"), wait_for_lock(tmp_path / "b.lock"):
        pass


def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: object, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")  # as Lustre without `flock`

    has_locks.cache_clear()
    monkeypatch.setattr(fcntl, "flock", flock)
    with (
        pytest.raises(RunError, match="without file locks") as caught,
        hold_lock(tmp_path / "a.lock", "running a", RunError, "--out"),
    ):
        pass
    assert "--out" in caught.value.hint
    with pytest.raises(OSError, match="without file locks"), wait_for_lock(tmp_path / "b.lock"):
        pass
    has_locks.cache_clear()
    assert not (tmp_path / "a.lock").exists()
