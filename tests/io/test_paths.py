from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.io.paths import with_home
from ltbench.io.user_cache import user_cache


def test_a_home_is_put_in_and_an_unknown_user_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert with_home("~/data") == Path("/home/me/data")
    assert with_home("~nobody_of_this_name/data") == Path("~nobody_of_this_name/data")
    assert with_home(Path("data")) == Path("data")


def test_a_cache_without_a_home_is_no_folder_of_the_working_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LTBENCH_CACHE", "~nobody_of_this_name/cache")
    with pytest.raises(OSError, match="Not a directory"):
        user_cache().mkdir(parents=True)
