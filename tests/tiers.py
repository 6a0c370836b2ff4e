"""Tiers of tests: cases that `make test` runs, and those that it leaves to `make test-full`."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import pytest


def all_but(kept: Container[Any], cases: Iterable[Any]) -> list[Any]:
    """Returns cases for `parametrize`, of which the kept ones alone are in `make test`."""
    return [
        pytest.param(case, id=str(case), marks=() if case in kept else pytest.mark.full)
        for case in cases
    ]
