"""Imports of a library without others that it imports where they are installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Lets the imports of modules fail in the block, as if they were not installed.

    Modules that are imported already stay.

    Args:
        names: Names of top-level modules.
    """
    hidden = [name for name in names if name not in sys.modules]
    # How Python marks a module whose import raises a ModuleNotFoundError.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
