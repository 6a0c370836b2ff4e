from __future__ import annotations

import os
from pathlib import Path

import pytest

from ltbench.io.paths import is_folder, is_path, with_home
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


def test_what_no_system_call_takes_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "folder").mkdir()
    assert is_folder(tmp_path)
    for odd in (tmp_path / "circle", "a" * 300, "a/" * 3000, "a\0b", "\ud800"):
        assert not is_folder(odd)
    with os.scandir(tmp_path) as entries:
        assert {entry.name: is_folder(entry) for entry in entries} == {
            "circle": False,
            "folder": True,
        }


@pytest.mark.parametrize("odd", [None, b"a", 1, "a\0b", "\ud800", Path("\ud800")])
def test_what_no_system_call_takes_is_no_path(odd: object) -> None:
    assert not is_path(odd)
    assert is_path("\udcff")  # a byte that is no UTF-8
