"""Tiers of tests: cases that `make test` runs, and those that it leaves to `make test-full`."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import pytest


def all_but(kept: Container[str], names: Iterable[str]) -> list[Any]:
    """Returns cases for `parametrize`, of which the kept ones alone are in `make test`."""
    return [
        pytest.param(name, id=name, marks=() if name in kept else pytest.mark.full)
        for name in names
    ]
