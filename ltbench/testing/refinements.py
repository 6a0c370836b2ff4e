"""Checks of refinements: their run is what there is to check."""

from __future__ import annotations

from collections.abc import Iterator

from ltbench.registry.component import Component
from ltbench.testing.bench import Bench
from ltbench.testing.check import Check


def checks(component: Component, bench: Bench) -> Iterator[Check]:
    """Yields nothing beyond what every component must do."""
    yield from ()
