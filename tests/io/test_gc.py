"""The search for garbage is paused, and goes on as it was."""

from __future__ import annotations

import gc

import pytest

from ltbench.io.gc import gc_paused


@gc_paused()
def broken() -> None:
    assert not gc.isenabled()
    raise KeyError


@pytest.mark.parametrize("enabled", [True, False])
def test_it_is_as_it_was_afterwards_whatever_happens(enabled: bool) -> None:
    if not enabled:
        gc.disable()
    try:
        with pytest.raises(KeyError):
            broken()
        assert gc.isenabled() == enabled
    finally:
        gc.enable()
