"""Specs of the built-in components."""

from __future__ import annotations

from functools import cache
from typing import Any

from ltbench.registry.load import load_plugins
from ltbench.registry.registry import Registry


@cache
def _registry() -> Registry:
    return load_plugins()


def specs_of(kind: str) -> dict[str, Any]:
    """Returns the specs of a kind by name."""
    return {name: one.spec for name, one in _registry().components[kind].items()}
