"""Plugins that are installed for the time of a test."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def installed_plugin(name: str, source: str) -> Iterator[Path]:
    """Installs a plugin of one module, as pip would, and takes it away again.

    `load_plugins()` finds it meanwhile, in this process.

    Args:
        name: Of the distribution and the entry point; its module is `<name>_plugin`.
        source: Of the module.

    Yields:
        The file of the module.
    """
    module = f"{name}_plugin"
    with tempfile.TemporaryDirectory(prefix="ltbench-plugin-") as folder:
        file = Path(folder, f"{module}.py")
        file.write_text(source, encoding="utf-8")
        info = Path(folder, f"{name}-1.0.dist-info")
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[ltbench]\n{name} = {module}\n")
        sys.path.insert(0, folder)
        sys.modules.pop(module, None)
        importlib.invalidate_caches()
        try:
            yield file
        finally:
            sys.path.remove(folder)
            sys.modules.pop(module, None)


@contextmanager
def broken_plugin(name: str = "broken") -> Iterator[Path]:
    """Installs a plugin that raises when it is imported: whatever else there is must work."""
    with installed_plugin(name, "raise RuntimeError('broken on purpose')\n") as file:
        yield file
