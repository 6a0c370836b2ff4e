from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ltbench.errors import RunError
from ltbench.storage import lock_probe
from ltbench.storage.lock_probe import hold_probe, try_probe


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Quick, and with a way to be another machine."""
    monkeypatch.setattr(lock_probe, "BEAT_SECONDS", 0.0)
    monkeypatch.setattr(lock_probe, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(lock_probe, "_POLL_SECONDS", 0.01)
    return monkeypatch


def files(out: Path) -> list[str]:
    return sorted(path.suffix for path in (out / ".locks/probes").iterdir())


def test_a_lock_that_reaches_the_other_machine_is_fine(
    tmp_path: Path, other: pytest.MonkeyPatch
) -> None:
    try_probe(tmp_path, "")
    with hold_probe(tmp_path) as probe:
        try_probe(tmp_path, probe.name)  # before the first sign of life
        probe.check()
        assert files(tmp_path) == [".beat", ".lock"]
        try_probe(tmp_path, probe.name)  # the machine of the grid
        other.setattr(lock_probe, "_machine", lambda: "node7")
        try_probe(tmp_path, probe.name)
    assert files(tmp_path) == []
    try_probe(tmp_path, probe.name)  # the grid has ended


def test_a_lock_that_another_machine_acquires_ends_the_grid(
    tmp_path: Path, other: pytest.MonkeyPatch
) -> None:
    with hold_probe(tmp_path) as probe:
        probe.check()
        lock = tmp_path / ".locks/probes" / f"{probe.name}.lock"
        lock.unlink()  # what the other machine locks is another file
        with other.context() as there:
            there.setattr(lock_probe, "_machine", lambda: "node7")
            try_probe(tmp_path, probe.name)  # no sign of life: the grid was killed
            there.setattr(lock_probe, "PATIENCE_SECONDS", 10.0)
            threading.Timer(0.03, probe.check).start()
            with pytest.raises(RunError, match="do not reach from node to node: node7"):
                try_probe(tmp_path, probe.name)
        with pytest.raises(RunError, match="node7 has acquired a lock"):
            probe.check()


def test_files_of_killed_grids_are_removed_after_a_day(tmp_path: Path) -> None:
    folder = tmp_path / ".locks/probes"
    folder.mkdir(parents=True)
    for name in ("old", "new"):
        for suffix in ("beat", "lock"):
            (folder / f"{name}.{suffix}").touch()
    os.utime(folder / "old.beat", (0, 0))
    with hold_probe(tmp_path):
        pass
    assert sorted(path.name for path in folder.iterdir()) == ["new.beat", "new.lock"]
