from __future__ import annotations

import errno
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from ltbench.data.preparation import fetch as fetching
from ltbench.data.preparation.fetch import fetch
from ltbench.errors import DataError

CONTENT = b"".join(b"train/a/%06d.jpg 0\n" % number for number in range(2000))


class Server(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT, in ranges too; `broken` ends each answer after so many bytes."""

    ranges = True
    broken: int | None = None
    asked: tuple[str | None, ...] = ()

    def do_GET(self) -> None:
        kind = type(self)
        wanted = self.headers.get("Range")
        kind.asked += (wanted,)
        if self.path != "/train.txt":
            self.send_error(404)
            return
        start = int(wanted[len("bytes=") : -1]) if wanted and kind.ranges else 0
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        end = len(CONTENT) if kind.broken is None else start + kind.broken
        self.wfile.write(CONTENT[start:end])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Server]]]:
    handler = type("Handler", (Server,), {})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}", handler
        listening.shutdown()
        thread.join()


def check(content: bytes) -> str:
    return "" if content == CONTENT else "it is not the list"


def part(folder: Path, url: str) -> Path:
    place = hashlib.sha1(f"{url}/train.txt".encode()).hexdigest()[:8]
    return folder / f".train.txt.{place}.part"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_list_is_fetched_into_a_new_folder(
    server: tuple[str, type[Server]], tmp_path: Path
) -> None:
    to = tmp_path / "places_lt" / "train.txt"
    fetch(f"{server[0]}/train.txt", to, check)
    assert to.read_bytes() == CONTENT
    assert names(to.parent) == ["train.txt"]


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_transfer_goes_on(
    server: tuple[str, type[Server]], tmp_path: Path, ranges: bool
) -> None:
    url, handler = server
    to = tmp_path / "train.txt"
    handler.broken = 1000
    with pytest.raises(DataError, match="cannot be fetched") as caught:
        fetch(f"{url}/train.txt", to, check)
    assert "run the command again" in caught.value.hint
    assert names(tmp_path) == [part(tmp_path, url).name]
    handler.broken, handler.ranges = None, ranges
    fetch(f"{url}/train.txt", to, check)
    assert handler.asked == (None, "bytes=1000-")
    assert to.read_bytes() == CONTENT


def test_a_transfer_that_was_whole_is_checked_and_kept(
    server: tuple[str, type[Server]], tmp_path: Path
) -> None:
    part(tmp_path, server[0]).write_bytes(CONTENT)
    fetch(f"{server[0]}/train.txt", tmp_path / "train.txt", check)
    assert (tmp_path / "train.txt").read_bytes() == CONTENT


def test_what_fails_the_check_leaves_nothing(
    server: tuple[str, type[Server]], tmp_path: Path
) -> None:
    (tmp_path / "train.txt").write_bytes(b"before")
    part(tmp_path, server[0]).write_bytes(b"of another file")
    with pytest.raises(DataError, match="it is not the list"):
        fetch(f"{server[0]}/train.txt", tmp_path / "train.txt", check)
    assert names(tmp_path) == ["train.txt"]
    assert (tmp_path / "train.txt").read_bytes() == b"before"


def test_parts_of_other_places_and_of_longer_files_are_not_gone_on_with(
    server: tuple[str, type[Server]], tmp_path: Path
) -> None:
    part(tmp_path, "http://elsewhere").write_bytes(b"a" * 100)
    part(tmp_path, server[0]).write_bytes(b"b" * (len(CONTENT) + 100))
    fetch(f"{server[0]}/train.txt", tmp_path / "train.txt", check)
    assert (tmp_path / "train.txt").read_bytes() == CONTENT


def test_what_is_not_there_is_told(server: tuple[str, type[Server]], tmp_path: Path) -> None:
    for location, said in (
        (f"{server[0]}/other.txt", "Not Found"),
        ("http://127.0.0.1:9/train.txt", "refused"),
        ("http://[::1/train.txt", "Invalid IPv6 URL"),
        (str(tmp_path / "lists" / "train.txt"), "No such file"),
        ((tmp_path / "lists" / "train.txt").as_uri(), "No such file"),
    ):
        with pytest.raises(DataError, match=said) as caught:
            fetch(location, tmp_path / "train.txt", check)
        assert location.rpartition("://")[2] in caught.value.message
    assert names(tmp_path) == []


def test_files_are_taken_from_folders_and_file_urls(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_bytes(CONTENT)
    for location in (tmp_path / "lists/train.txt", (tmp_path / "lists/train.txt").as_uri()):
        fetch(str(location), tmp_path / "train.txt", check)
        assert (tmp_path / "train.txt").read_bytes() == CONTENT
        (tmp_path / "train.txt").unlink()


def test_an_endless_answer_is_refused(server: tuple[str, type[Server]], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="larger than 0 MiB"):
        fetch(f"{server[0]}/train.txt", tmp_path / "train.txt", check, limit=1000)
    assert names(tmp_path) == []


def test_a_full_disk_is_told_and_leaves_nothing(
    server: tuple[str, type[Server]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(url: str, file: BinaryIO, limit: int) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "_download", full)
    with pytest.raises(DataError, match="No space left on device") as caught:
        fetch(f"{server[0]}/train.txt", tmp_path / "train.txt", check)
    assert "free disk space" in caught.value.hint
    assert names(tmp_path) == []


@pytest.mark.parametrize("kind", ["link", "hard_link", "fifo"])
def test_a_part_that_is_not_the_users_own_file_is_not_written(
    server: tuple[str, type[Server]], tmp_path: Path, kind: str
) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    planted = part(tmp_path, server[0])
    if kind == "fifo":
        os.mkfifo(planted)
    elif kind == "link":
        planted.symlink_to(tmp_path / "kept")
    else:
        planted.hardlink_to(tmp_path / "kept")
    fetch(f"{server[0]}/train.txt", tmp_path / "train.txt", check)
    assert (tmp_path / "kept").read_bytes() == b"kept"
    assert (tmp_path / "train.txt").read_bytes() == CONTENT
    assert names(tmp_path) == ["kept", "train.txt"]


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list")
    for location in (str(tmp_path / "list"), (tmp_path / "list").as_uri()):
        with pytest.raises(DataError, match="Not a regular file"):
            fetch(location, tmp_path / "train.txt", check)
    assert names(tmp_path) == ["list"]
