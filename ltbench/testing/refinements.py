"""Checks of refinements, which are covered by the checks for all kinds."""

from __future__ import annotations

from collections.abc import Iterator

from ltbench.registry.component import Component
from ltbench.testing.bench import Bench
from ltbench.testing.check import Check


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields no check beyond those for all kinds."""
    yield from ()
