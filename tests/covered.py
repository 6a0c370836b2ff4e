"""Which components a test sets against a reference value, or one computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Test = TypeVar("_Test", bound=Callable[..., None])

COVERED: set[tuple[str, str]] = set()
"""(kind, name) of every component that some test has a value for; see `test_conformance.py`."""


def value_of(kind: str, *names: str) -> Callable[[_Test], _Test]:
    """Marks a test that compares components with values from elsewhere or computed by hand."""
    COVERED.update((kind, name) for name in names)
    return lambda test: test
