"""Installs plugins as pip would: a module and its metadata in a folder on the path."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ltbench.engine.building.checked_components import CheckedAugmentation
from ltbench.registry import trusted
from ltbench.registry.component import Component, PluginInfo
from ltbench.specs import KINDS

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
    monkeypatch.setattr(trusted, "_exempt", [*trusted._exempt, folder])


def component(kind: str) -> Component:
    """Somebody's component of a kind, for what the engine says of it."""
    spec = KINDS[kind](name="strange", summary="s", build=lambda config, ctx: None)
    return Component(spec, PluginInfo("stranger", "stranger", "stranger", "1"))


def guarded(augmentation: Any) -> CheckedAugmentation:
    """An augmentation as the engine calls it."""
    return CheckedAugmentation(augmentation, component("augmentation"))
