"""Fetches a file: goes on where it stopped, checks it, and puts it in place whole or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ltbench.errors import DataError

_PIECE = 1 << 18  # bytes
_SECONDS = 30  # without an answer
_SATISFIED = 416  # there is nothing after what we have
_NETWORK = (
    *(urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError),
    ValueError,  # of a malformed URL, asked for or redirected to
)


def fetch(location: str, to: Path, check: Callable[[bytes], str], limit: int = 200 << 20) -> None:
    """Puts a small file where it belongs.

    What an interrupted transfer leaves in a hidden `.part` file is where the next one from the same
    location goes on.

    Args:
        location: A path, or a URL (`https:`, `http:`, `file:`).
        to: Where the file goes.
        check: Says what is wrong with the content; nothing where it is right.
        limit: Most bytes that are taken.

    Raises:
        DataError: It cannot be fetched or written, or is not what it should be.
    """
    place = hashlib.sha1(location.encode(), usedforsecurity=False).hexdigest()[:8]
    part = to.with_name(f".{to.name}.{place}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        if "://" in location:
            _download(location, part, limit)
        else:
            part.write_bytes(_local(Path(location)))
        fault = check(part.read_bytes())
        if fault:
            part.unlink()
            raise DataError(
                f"{location}: {fault}", hint="give another place with --lists FOLDER-OR-URL"
            )
        part.replace(to)
    except _NETWORK as error:
        reason = getattr(error, "reason", "") or error
        raise DataError(
            f"{location} cannot be fetched: {reason}",
            hint="run it again to go on from there, or fetch the file otherwise and name its "
            "folder with --lists FOLDER",
        ) from error
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise DataError(
            f"{to} cannot be written: {error.strerror or error} ({error.filename or location})",
            hint="make room there, or choose another folder with --data-root",
        ) from error


def _local(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is no regular file", hint="name the folder of the lists")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="name the folder of the lists"
        ) from error


def _download(url: str, part: Path, limit: int) -> None:
    """Appends what is missing of a URL's content to a file."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != _SATISFIED or not have:
            raise
        if error.headers.get("Content-Range") != f"bytes */{have}":  # it is another file by now
            part.unlink()
            _download(url, part, limit)
        return
    goes_on = answer.status == http.HTTPStatus.PARTIAL_CONTENT
    if goes_on and not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
        raise http.client.HTTPException("the server sent another part than was asked for")
    with answer, part.open("ab" if goes_on else "wb") as f:
        while piece := answer.read(_PIECE):
            f.write(piece)
            if f.tell() > limit:
                part.unlink()
                raise DataError(f"{url} is larger than {limit >> 20} MiB", hint="check the URL")
        if getattr(answer, "length", 0):  # bytes that were promised and did not come
            raise http.client.IncompleteRead(b"", answer.length)
