"""Download of a file: resumed, checked, and placed complete or not at all.

Libraries such as pooch neither resume a partial download nor limit its size.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ltbench.errors import DataError

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
    location resumes.

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
        if "://" in location:
            _download(location, part, limit)
        else:
            part.write_bytes(_local(Path(location)))
        fault = check(part.read_bytes())
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


def _local(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is not a regular file", hint="give the folder of the lists")
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", hint="give the folder of the lists"
        ) from error


def _download(url: str, part: Path, limit: int) -> None:
    """Downloads a URL into a file, and resumes a partial download."""
    size = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={size}-"} if size else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not size:
            raise
        if error.headers.get("Content-Range") != f"bytes */{size}":  # the file has changed
            part.unlink()
            _download(url, part, limit)
        return
    resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
    if resumed and not (response.headers.get("Content-Range") or "").startswith(f"bytes {size}-"):
        raise http.client.HTTPException("the server sent another range than requested")
    with response, part.open("ab" if resumed else "wb") as file:
        while content := response.read(READ_BYTES):
            file.write(content)
            if file.tell() > limit:
                part.unlink()
                raise DataError(f"{url} is larger than {limit >> 20} MiB", hint="check the URL")
        if getattr(response, "length", 0):  # the connection ended before the declared size
            raise http.client.IncompleteRead(b"", response.length)
