"""Imported by a fork server: what is then requested of a process is Python code."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ltbench.grid import worker

AT_IMPORT = os.environ.get("OMP_NUM_THREADS")


def main(arguments: Sequence[str], registry: Any = None) -> int:
    names: dict[str, Any] = {"registry": registry, "at_import": AT_IMPORT}
    exec(arguments[0], names)
    return int(names.get("code", 0))


worker.main = main  # type: ignore[assignment]
