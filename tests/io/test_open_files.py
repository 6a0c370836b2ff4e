from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

import pytest

from ltbench.io.open_files import allow_open_files


@pytest.fixture
def hard() -> Iterator[int]:
    """Sets the limit to 256 files; yields the one up to which it can be raised."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        yield before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_is_raised_as_far_as_it_goes(hard: int) -> None:
    assert allow_open_files() >= 1
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(hard, 1 << 16)


def test_macos_has_a_limit_of_its_own(hard: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (256, resource.RLIM_INFINITY))
    assert allow_open_files() == 56  # it cannot be raised, and is told as it is
    if hard >= 10240:
        monkeypatch.setattr(resource, "getrlimit", lambda which: (256, hard))
        assert allow_open_files() == 10040
