from __future__ import annotations

import json
from pathlib import Path

import pytest

from ltbench.board.site_folder import expect_own, write_site
from ltbench.errors import BusyError, ConfigError
from ltbench.io.locks import hold_lock

FIRST = {"index.html": b"one", "data/index.html": b"page", "data/old.html": b"old"}
SECOND = {"index.html": b"two", "data/index.html": b"page"}


def content(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in ("site.json", ".site.lock")
    }


def test_a_build_replaces_its_own_files(tmp_path: Path) -> None:
    out = tmp_path / "new" / "site"
    assert write_site(FIRST, out, "x") == 0
    assert content(out) == FIRST
    assert set(json.loads((out / "site.json").read_text())["files"]) == set(FIRST)
    assert write_site(SECOND, out, "x") == 1
    assert content(out) == SECOND
    assert write_site({"index.html": b"three"}, out, "x") == 1
    assert not (out / "data").exists()
    assert not list(out.glob(".*.part"))


def test_foreign_files_are_kept(tmp_path: Path) -> None:
    write_site(FIRST, tmp_path, "x")
    (tmp_path / "CNAME").write_text("example.org")
    (tmp_path / "data" / "notes.txt").write_text("mine")
    (tmp_path / "data" / "old.html").write_text("changed by hand")
    assert write_site(SECOND, tmp_path, "x") == 0
    assert set(content(tmp_path)) == {*SECOND, "CNAME", "data/notes.txt", "data/old.html"}


def test_foreign_files_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("my home page")
    for check in (expect_own, lambda out: write_site(FIRST, out, "x")):
        with pytest.raises(ConfigError, match="is not of a board's earlier build"):
            check(tmp_path)
    assert content(tmp_path) == {"index.html": b"my home page"}
    (tmp_path / "index.html").unlink()
    (tmp_path / "data" / "index.html").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"index\.html exists"):
        write_site(FIRST, tmp_path, "x")
    assert content(tmp_path) == {}


@pytest.mark.parametrize("place", ["data", "data/index.html", "index.html", "site.json"])
def test_links_are_not_followed(tmp_path: Path, place: str) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "site"
    elsewhere.mkdir()
    (elsewhere / "old.html").write_bytes(b"old")
    write_site({"index.html": b"", "data/index.html": b""}, out, "x")
    path = out / place
    if path.is_dir():
        (path / "index.html").unlink()
        path.rmdir()
    else:
        path.unlink()
    path.symlink_to(elsewhere)
    with pytest.raises(ConfigError):
        write_site(FIRST, out, "x")
    assert content(elsewhere) == {"old.html": b"old"}


def test_stale_files_behind_links_are_kept(tmp_path: Path) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "site"
    write_site(FIRST, out, "x")
    (out / "data").rename(elsewhere)
    (out / "data").symlink_to(elsewhere)
    assert write_site({"index.html": b"two"}, out, "x") == 0
    assert (elsewhere / "old.html").exists()


@pytest.mark.parametrize(
    "files", [{"../x": "0" * 64}, {"/etc/passwd": "0" * 64}, {"a": 1}, {"a/../../b": "0" * 64}, []]
)
def test_a_strange_list_of_files_is_one_error(tmp_path: Path, files: object) -> None:
    write_site(FIRST, tmp_path, "x")
    stored = json.loads((tmp_path / "site.json").read_text())
    (tmp_path / "site.json").write_text(json.dumps({**stored, "files": files}))
    with pytest.raises(ConfigError, match=r"site\.json"):
        write_site(SECOND, tmp_path, "x")
    assert content(tmp_path) == FIRST


def test_one_build_at_a_time(tmp_path: Path) -> None:
    write_site(FIRST, tmp_path, "x")
    with (
        hold_lock(tmp_path / ".site.lock", "building", ConfigError, "--out"),
        pytest.raises(BusyError),
    ):
        write_site(SECOND, tmp_path, "x")
    assert content(tmp_path) == FIRST
