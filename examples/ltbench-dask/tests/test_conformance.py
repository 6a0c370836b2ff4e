from __future__ import annotations

from collections.abc import Callable

from ltbench.testing import parametrize_with_checks


@parametrize_with_checks("dask")
def test_conformance(check: Callable[[], None]) -> None:
    check()
