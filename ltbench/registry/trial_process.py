"""Process in which a plugin is tried; `ltbench.registry.trial` is the other side.

It loads the built-in plugins and the one on trial, as every command does, and reports that it
survived. An error that can be caught is not reported: each command catches it too, and names it.
"""

from __future__ import annotations

import faulthandler
import json
import os
import threading
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ltbench import hookspecs
from ltbench.registry.load import is_built_in, load_plugins

ORPHAN_SECONDS = 30.0  # beyond the limit, until it ends although the command that waits was killed


def main(request: str) -> None:
    """Loads the plugin of a request and reports.

    Args:
        request: JSON with the plugin's entry point, the descriptor for the report, and the limit.
    """
    asked = json.loads(request)
    report: int = asked["report"]
    os.set_inheritable(report, False)
    trace = os.dup(2)  # a plugin may close its own
    faulthandler.enable(trace)
    faulthandler.dump_traceback_later(asked["seconds"] + ORPHAN_SECONDS, exit=True, file=trace)
    own, files = os.getpid(), _open_files()
    points = [one for one in entry_points(group=hookspecs.PROJECT) if is_built_in(one)]
    load_plugins([*points, EntryPoint(asked["name"], asked["value"], hookspecs.PROJECT)], {})
    if os.getpid() != own:
        _send(report, {"forked": True})
        os._exit(0)
    threads = [
        thread.name
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    ]
    _send(report, {"loaded": True, "threads": threads, "closed": len(files - _open_files())})


def _open_files() -> set[tuple[int, int, int]]:
    """Returns descriptor, device and inode of each open file."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # that of the folder itself
            about = os.fstat(int(path.name))
            found.add((int(path.name), about.st_dev, about.st_ino))
    return found


def _send(report: int, message: dict[str, Any]) -> None:
    os.write(report, json.dumps(message).encode() + b"\n")
