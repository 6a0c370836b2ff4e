"""Temporary installation of plugins for tests."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ltbench.registry.trusted import exempt


@contextmanager
def installed_plugin(name: str, source: str) -> Iterator[Path]:
    """Installs a plugin of one module, as pip would, and uninstalls it at the end.

    In the meantime `load_plugins()` finds it in this process, and does not try it first.

    Args:
        name: Name of the distribution and the entry point; its module is `<name>_plugin`.
        source: Source code of the module.

    Yields:
        File of the module.
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
            with exempt(Path(folder)):
                yield file
        finally:
            sys.path.remove(folder)
            sys.modules.pop(module, None)


@contextmanager
def broken_plugin(name: str = "broken") -> Iterator[Path]:
    """Installs a plugin that raises when it is imported, without affecting the other plugins."""
    with installed_plugin(name, "raise RuntimeError('broken on purpose')\n") as file:
        yield file
