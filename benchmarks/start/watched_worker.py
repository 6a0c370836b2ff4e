"""Worker of a grid, in a process that records what each import costs.

Usage: watched_worker.py NOTE OUT. The time and the memory of a module are its own: those of the
modules that it imports are theirs. `by` names the library that imported a library first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
_libraries: dict[str, dict[str, Any]] = {}
_stack: list[tuple[str, float, float]] = [("ltbench", 0.0, 0.0)]  # library, time and MB inside


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_MB


def _watched(execute: Callable[[Any, ModuleType], None]) -> Callable[[Any, ModuleType], None]:
    def watched(loader: Any, module: ModuleType) -> None:
        library = module.__name__.partition(".")[0]
        others = [name for name, _, _ in _stack if name != library]
        empty = {"ms": 0.0, "modules": 0, "mb": 0.0, "by": others[-1] if others else ""}
        record = _libraries.setdefault(library, empty)
        start, before = time.process_time(), _resident_mb()
        _stack.append((library, 0.0, 0.0))
        try:
            execute(loader, module)
        finally:
            seconds, memory = time.process_time() - start, _resident_mb() - before
            _, inside, memory_inside = _stack.pop()
            record["ms"] += 1000 * (seconds - inside)
            record["mb"] += memory - memory_inside
            record["modules"] += 1
            above, time_of, memory_of = _stack[-1]
            _stack[-1] = above, time_of + seconds, memory_of + memory

    return watched


def main(note: str, out: str) -> None:
    """Executes a run of one epoch with a few images, as a worker."""
    loaders: tuple[Any, ...] = (SourceFileLoader, ExtensionFileLoader)
    for loader in loaders:
        loader.exec_module = _watched(loader.exec_module)
    from ltbench.grid import worker

    request = {
        "settings": {"train.epochs": "1", "limit": "8"},
        "out": out,
        "device": "cpu",
        "workers": None,
        "data_root": "data",
        "overwrite": "always",
    }
    code = worker.main([json.dumps(request)])
    Path(note).write_text(json.dumps(_libraries))
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
