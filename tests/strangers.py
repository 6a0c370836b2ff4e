"""Installs plugins as pip would: a module and its metadata in a folder on the path."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PREAMBLE = """
from __future__ import annotations

from ltbench import LossSpec, MethodSpec, hookimpl

"""


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str) -> None:
    """Makes `source` the plugin `name`, found through the entry points of its distribution."""
    monkeypatch.delitem(sys.modules, f"{name}_plugin", raising=False)  # of an earlier test
    (folder / f"{name}_plugin.py").write_text(PREAMBLE + source)
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[ltbench]\n{name} = {name}_plugin\n")
    monkeypatch.syspath_prepend(folder)
