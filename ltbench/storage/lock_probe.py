"""Probe of file locks from machine to machine.

Some network file systems accept a lock and keep it to the machine (NFS with `nolock` or
`local_lock`, many FUSE file systems). Two commands on two machines would then execute the same run.
A grid holds a lock while it runs, and each of its jobs on another machine tries to acquire it: a
job that succeeds reports it, and the grid ends with an error.

```
<out>/.locks/probes/<random>.lock       held by the grid
<out>/.locks/probes/<random>.beat       machine of the grid, and a number that it counts up
<out>/.locks/probes/<random>.acquired   machine of a job that has acquired the lock
```
"""

from __future__ import annotations

import itertools
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ltbench.errors import BusyError, RunError
from ltbench.io.files import replace_file
from ltbench.io.interrupts import check
from ltbench.io.locks import hold_lock
from ltbench.io.reading import read_regular

BEAT_SECONDS = 10.0  # between two numbers of the grid
PATIENCE_SECONDS = 60.0  # for the next number; clients of a network file system cache for a while
_POLL_SECONDS = 1.0
_OLD_SECONDS = 86_400.0
_MAX_BYTES = 1_000
LOCKS_HINT = (
    "put the folder of runs (--out) on a file system whose locks reach all nodes: NFS without "
    "nolock and local_lock, Lustre with flock"
)


@dataclass
class LockProbe:
    """Lock that a grid holds, and its sign of life.

    Args:
        folder: Folder of the lock files.
        name: Name of the probe, which its jobs receive.
    """

    folder: Path
    name: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _due: float = 0.0

    def check(self) -> None:
        """Renews the sign of life; costs a call of the system in between.

        Raises:
            RunError: A job has acquired the lock on another machine.
        """
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + BEAT_SECONDS
            content = f"{_machine()}\n{next(self._numbers)}\n"
            with suppress(OSError):  # a full disk
                replace_file(_beat(self.folder, self.name), content.encode())
        machine = _read(_acquired(self.folder, self.name))
        if machine:
            raise RunError(_refusal(self.folder, machine.strip()), hint=LOCKS_HINT)


@contextmanager
def hold_probe(out: Path) -> Iterator[LockProbe]:
    """Holds a probe while a grid runs.

    Args:
        out: Folder of the run directories.

    Raises:
        RunError: The folder cannot be written, or its file system has no locks.
    """
    probe = LockProbe(_folder(out), secrets.token_hex(8))
    _remove_old(probe.folder)
    with hold_lock(_lock(probe.folder, probe.name), "probing locks", RunError, "--out"):
        try:
            yield probe
        finally:
            for path in (_beat, _acquired, _lock):
                with suppress(OSError):
                    path(probe.folder, probe.name).unlink(missing_ok=True)


def try_probe(out: Path, name: str) -> None:
    """Tries to acquire the probe's lock from another machine; does nothing on the grid's own.

    Args:
        out: Folder of the run directories.
        name: Name of the probe; empty for none.

    Raises:
        RunError: The lock was acquired, though the grid holds it.
        Interrupted: A signal arrived.
    """
    folder = _folder(out)
    beat = _read(_beat(folder, name)) if name else ""
    if not beat or beat.splitlines()[0] == _machine():  # the grid has ended
        return
    if is_held(out, name):
        return
    until = time.monotonic() + PATIENCE_SECONDS  # it is broken, or the grid was killed
    while time.monotonic() < until:
        check()
        time.sleep(_POLL_SECONDS)
        later = _read(_beat(folder, name))
        if not later:
            return
        if later != beat:
            machine = _machine()
            replace_file(_acquired(folder, name), f"{machine}\n".encode())
            raise RunError(_refusal(folder, machine), hint=LOCKS_HINT)


def is_held(out: Path, name: str) -> bool:
    """Returns whether another process holds the lock of a probe, as far as this one can see.

    Args:
        out: Folder of the run directories.
        name: Name of the probe.

    Raises:
        RunError: The folder cannot be written, or its file system has no locks.
    """
    try:
        with hold_lock(_lock(_folder(out), name), "probing locks", RunError, "--out"):
            return False
    except BusyError:
        return True


def _remove_old(folder: Path) -> None:
    """Removes the files of grids that were killed, a day later."""
    with suppress(OSError):
        for beat in folder.glob("*.beat"):
            if beat.stat().st_mtime < time.time() - _OLD_SECONDS:
                for path in (_beat, _acquired, _lock):
                    path(folder, beat.stem).unlink(missing_ok=True)


def _machine() -> str:
    return socket.gethostname()


def _folder(out: Path) -> Path:
    return out / ".locks" / "probes"


def _refusal(folder: Path, machine: str) -> str:
    return (
        f"file locks in {folder} do not reach from node to node: {machine} has acquired a lock "
        "that another machine holds"
    )


def _lock(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock"


def _beat(folder: Path, name: str) -> Path:
    return folder / f"{name}.beat"


def _acquired(folder: Path, name: str) -> Path:
    return folder / f"{name}.acquired"


def _read(path: Path) -> str:
    """Returns the text of a small file; empty where it is missing."""
    try:
        return read_regular(path, _MAX_BYTES).decode(errors="replace")
    except OSError:
        return ""
