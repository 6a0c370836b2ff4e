"""Verdicts on plugins that were tried, in the user's cache folder.

```
plugins/
    <key>.json                      verdict on one plugin, replaced as a whole
    <key>.<pid>.importing           held by a process that is importing the plugin
```

The operating system releases the lock of a process that dies. A file `.importing` that is left
without a holder means that the import ended the command.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

from ltbench.io.files import create_file, partial_path, replace_file
from ltbench.io.interrupts import cleaned_up
from ltbench.io.json_text import parse_json
from ltbench.io.reading import read_regular
from ltbench.io.user_cache import user_cache

MAX_VERDICT_BYTES = 65_536
_MARK = ".importing"


@dataclass(frozen=True)
class Verdict:
    """Finding of a plugin's trial.

    Args:
        plugin: Name of the entry point.
        distribution: Installed package of the plugin.
        stamp: Stamp of the plugin's files.
        fault: Predicate of the damage to the process that loads it; empty where it does none.
        crashes: Number of commands that the import of a plugin without a known fault has ended.
    """

    plugin: str
    distribution: str
    stamp: str
    fault: str = ""
    crashes: int = 0


class Verdicts:
    """Verdicts by plugin.

    A cache folder that cannot be written only costs time: each process then tries a plugin once.
    """

    def __init__(self) -> None:
        self._folder = user_cache() / "plugins"

    def read(self, point: EntryPoint) -> Verdict | None:
        """Returns the verdict on a plugin; None where it was not tried."""
        path = self._path(point)
        return _read(path) or _unwritten.get(path)

    def write(self, point: EntryPoint, verdict: Verdict) -> str:
        """Keeps a verdict; returns why the next command will not find it, or an empty string."""
        path = self._path(point)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(asdict(verdict)).encode())
        except OSError as error:
            _unwritten[path] = verdict
            return f"{self._folder} cannot be written: {error.strerror or error}"
        return ""

    def forget(self, name: str) -> None:
        """Removes the verdicts on all plugins of a name, or of a distribution of that name."""
        for path in [*self._files("*.json"), *_unwritten]:
            verdict = _read(path) or _unwritten.get(path)
            if verdict and name in (verdict.plugin, verdict.distribution):
                _unwritten.pop(path, None)
                with suppress(OSError):
                    path.unlink()

    def crashed(self, point: EntryPoint) -> int:
        """Returns the number of processes that died while they imported a plugin, once each."""
        marked = self._files(f"{_key(point)}.*{_MARK}")
        return sum(_collected(marker) for marker in marked if marker not in _held)

    @contextmanager
    def importing(self, point: EntryPoint) -> Iterator[None]:
        """Marks a plugin as being imported by this process."""
        marker = self._folder / f"{_key(point)}.{os.getpid()}{_MARK}"
        try:
            file = _locked(marker)
        except OSError:  # without a marker, a crash is not found out by the next command
            yield
            return
        _held.add(marker)

        def clean() -> None:
            _held.discard(marker)
            with suppress(OSError):
                marker.unlink()

        try:
            with cleaned_up(clean):  # an interruption is no crash
                yield
        finally:
            with suppress(OSError):  # a plugin may have closed it
                os.close(file)

    def _path(self, point: EntryPoint) -> Path:
        return self._folder / f"{_key(point)}.json"

    def _files(self, pattern: str) -> list[Path]:
        try:
            return sorted(self._folder.glob(pattern))
        except OSError:
            return []


_unwritten: dict[Path, Verdict] = {}  # of this process, where the folder is read-only
_held: set[Path] = set()  # markers of this process


def _key(point: EntryPoint) -> str:
    """Returns the name of a plugin's files: one for each place where it is installed."""
    place = str(point.dist.locate_file("")) if point.dist else ""
    about = json.dumps([point.name, point.value, place, sys.prefix])
    return hashlib.sha256(about.encode(errors="surrogatepass")).hexdigest()[:32]


def _read(path: Path) -> Verdict | None:
    """Returns a stored verdict; None where it is missing, or no file that ltbench wrote."""
    try:
        stored = parse_json(read_regular(path, MAX_VERDICT_BYTES))
        verdict = Verdict(**stored)
    except (OSError, ValueError, TypeError):
        return None
    fits = all(type(value) is type(getattr(_EXAMPLE, key)) for key, value in stored.items())
    return verdict if fits else None


_EXAMPLE = Verdict("", "", "")


def _locked(marker: Path) -> int:
    """Returns the descriptor of a new file that this process has locked."""
    partial = partial_path(marker)
    with create_file(partial) as created:
        file = os.dup(created.fileno())
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # children of a fork do not hold it
        partial.rename(marker)
    except OSError:
        os.close(file)
        partial.unlink(missing_ok=True)
        raise
    return file


def _collected(marker: Path) -> bool:
    """Removes the marker of a process that died; returns whether it was one."""
    try:
        file = os.open(marker, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        marker.unlink()
    except OSError:
        return False
    finally:
        os.close(file)
    return True
