"""Download of a file: resumed, checked, and placed complete or not at all.

Libraries such as pooch neither resume a partial download nor limit its size.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import stat
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ltbench.errors import DataError
from ltbench.io.files import create_file
from ltbench.io.reading import read_regular

READ_BYTES = 1 << 18
TIMEOUT_SECONDS = 30
MAX_BYTES = 200 << 20
_NETWORK = (
    *(urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError),
    ValueError,  # of a malformed URL, also after a redirection
)


def fetch(location: str, to: Path, check: Callable[[bytes], str], limit: int = MAX_BYTES) -> None:
    """Downloads or copies a small file.

    An interrupted transfer leaves a hidden `.part` file, which the next transfer from the same
    location resumes. Its name is predictable: it is used only if it is a file of this user.

    Args:
        location: Path, or URL (`https:`, `http:`, `file:`).
        to: Path of the new file.
        check: Function that returns the fault of the content; empty where it is correct.
        limit: Largest allowed size in bytes.

    Raises:
        DataError: The file cannot be read or written, or its content is not correct.
    """
    place = hashlib.sha1(location.encode(), usedforsecurity=False).hexdigest()[:8]
    part = to.with_name(f".{to.name}.{place}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with _opened(part) as file:
            path = _local_path(location)
            if path is None:
                _download(location, file, limit)
            else:
                content = _read_local(path, limit)
                file.truncate(0)
                file.write(content)
            file.seek(0)
            fault = check(file.read())
        if fault:
            part.unlink()
            raise DataError(
                f"{location}: {fault}", hint="choose another source with --lists FOLDER-OR-URL"
            )
        part.replace(to)
    except _NETWORK as error:
        reason = getattr(error, "reason", "") or error
        raise DataError(
            f"{location} cannot be fetched: {reason}",
            hint="run the command again to resume, or download the file by other means and give "
            "its folder with --lists FOLDER",
        ) from error
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise DataError(
            f"{to} cannot be written: {error.strerror or error} ({error.filename or location})",
            hint="free disk space, or choose another folder with --data-root",
        ) from error
    finally:
        with suppress(OSError):
            if not part.lstat().st_size:  # nothing to resume
                part.unlink()


def _opened(part: Path) -> BinaryIO:
    """Opens a partial download, or a new one where it is not a file of this user alone."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(part, flags)
    except FileNotFoundError:
        return create_file(part)
    except OSError as error:
        if error.errno != errno.ELOOP:  # of a link
            raise
    else:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1:
            return os.fdopen(descriptor, "r+b")
        os.close(descriptor)
    part.unlink()
    return create_file(part)


def _local_path(location: str) -> Path | None:
    """Returns the path of a local file; None for another URL."""
    if "://" not in location:
        return Path(location)
    parts = urllib.parse.urlsplit(location)
    return Path(urllib.request.url2pathname(parts.path)) if parts.scheme == "file" else None


def _read_local(path: Path, limit: int) -> bytes:
    try:
        return read_regular(path, limit)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="give the folder of the lists"
        ) from error


def _download(url: str, file: BinaryIO, limit: int) -> None:
    """Downloads a URL into a file, and resumes a partial download."""
    size = file.seek(0, os.SEEK_END)
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not size:
            raise
        if error.headers.get("Content-Range") != f"bytes */{size}":  # the file has changed
            file.truncate(0)
            _download(url, file, limit)
        return
    resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
    if resumed and not (response.headers.get("Content-Range") or "").startswith(f"bytes {size}-"):
        raise http.client.HTTPException("the server sent another range than requested")
    if not resumed:
        file.seek(0)
        file.truncate()
    with response:
        while content := response.read(READ_BYTES):
            file.write(content)
            if file.tell() > limit:
                file.truncate(0)
                raise DataError(f"{url} is larger than {limit >> 20} MiB", hint="check the URL")
        if getattr(response, "length", 0):  # the connection ended before the declared size
            raise http.client.IncompleteRead(b"", response.length)
