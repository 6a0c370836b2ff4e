from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltbench.io.files import (
    create_file,
    own_target,
    partial_path,
    remove_partials,
    replace_file,
    replacing_file,
)


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("mask", [0o002, 0o022, 0o077])
def test_permissions_are_those_of_the_umask(tmp_path: Path, umask: None, mask: int) -> None:
    os.umask(mask)
    replace_file(tmp_path / "file", b"x")
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o666 & ~mask


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "file").symlink_to("kept")
    replace_file(tmp_path / "file", b"new")
    assert (tmp_path / "kept").read_bytes() == b"kept"
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.parametrize("target", ["kept", "nothing"])
def test_a_file_is_never_created_through_a_link(tmp_path: Path, target: str) -> None:
    (tmp_path / "kept").touch()
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "link")
    assert not (tmp_path / "nothing").exists()


def test_a_failed_write_keeps_the_old_content_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "folder", b"x")
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "missing" / "file", b"x")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("name", ["a", "x" * 255, "\u00e9" * 127])
def test_temporary_names_are_random_and_fit(tmp_path: Path, name: str) -> None:
    assert partial_path(tmp_path / name) != partial_path(tmp_path / name)
    replace_file(tmp_path / name, b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_leftovers_of_one_name_or_of_all_are_removed(tmp_path: Path) -> None:
    partial_path(tmp_path / "a").touch()
    partial_path(tmp_path / "a.b").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    partial_path(tmp_path / "b").symlink_to("kept")
    (tmp_path / ".a.0123.part").touch()  # of another program, or to be resumed
    remove_partials(tmp_path, of="a")
    assert len(list(tmp_path.iterdir())) == 4
    remove_partials(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.0123.part", "kept"]
    assert (tmp_path / "kept" / "file").exists()
    remove_partials(tmp_path / "missing")


def test_links_of_this_user_are_followed_and_circles_are_errors(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("other")
    (tmp_path / "other").symlink_to("file")
    assert own_target(tmp_path / "link") == tmp_path / "file"
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        own_target(tmp_path / "loop")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to another user")
def test_links_of_other_users_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    os.lchown(tmp_path / "link", 65534, 65534)
    with pytest.raises(PermissionError, match="another user"):
        own_target(tmp_path / "link")


def test_content_in_parts_replaces_a_file_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("before")
    with replacing_file(path) as file:
        file.write(b"one ")
        file.write(b"two")
        assert path.read_text() == "before"
    assert path.read_text() == "one two"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_between_parts_keeps_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("before")

    def broken() -> None:
        with replacing_file(path) as file:
            file.write(b"one ")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert [one.read_text() for one in tmp_path.iterdir()] == ["before"]
