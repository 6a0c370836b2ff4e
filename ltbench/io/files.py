"""Writing of files and folders: whole or not at all, and never through a link of another user.

Content is written under a temporary name, `.NAME.<16 random hex digits>.part`, which is created
exclusively: a file or link of that name is an error. It is then renamed. A process that is killed
leaves it, and the next process that holds the lock of the folder removes it.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ltbench.io.interrupts import cleaned_up, deferred

_KEPT_CHARACTERS = 48  # of the final name, so that the temporary one is at most 255 bytes
_MAX_LINKS = 40  # as the kernel's
_ANY_PARTIAL = re.compile(r"\..+\.[0-9a-f]{16}\.part")


def create_file(path: Path) -> BinaryIO:
    """Creates a file that does not exist, with the permissions that the umask leaves.

    Args:
        path: The file; its folder exists.

    Returns:
        The file, open for reading and writing.

    Raises:
        OSError: The path exists, also as a link that leads nowhere, or cannot be created.
    """
    return path.open("x+b")


def partial_path(path: Path) -> Path:
    """Returns a random temporary path next to a file or folder that is to be written."""
    return path.with_name(f".{path.name[:_KEPT_CHARACTERS]}.{os.urandom(8).hex()}.part")


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file atomically into an existing folder.

    A link of this name is replaced and not followed.

    Args:
        path: The file.
        content: New content.

    Raises:
        OSError: The file cannot be written; its previous content is kept.
    """
    partial = partial_path(path)
    with deferred():
        file = create_file(partial)
        try:
            with file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


@contextmanager
def replacing_file(path: Path) -> Iterator[BinaryIO]:
    """Yields a file that replaces another one at the end of the block, for content in parts.

    A link of this name is replaced and not followed. After an error, and where a signal ends the
    process, the previous content is kept.

    Args:
        path: The file; its folder exists.

    Raises:
        OSError: The file cannot be written.
    """
    partial = partial_path(path)
    with cleaned_up(lambda: partial.unlink(missing_ok=True)):
        with create_file(partial) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)


def remove_partials(folder: Path, of: str | None = None) -> None:
    """Removes the temporary files and folders that killed processes left in a folder.

    Args:
        folder: Folder, or missing. The caller holds the lock of what is written there.
        of: Final name of the files or folders; None for any.

    Raises:
        OSError: One cannot be removed.
    """
    kept = None if of is None else re.escape(of[:_KEPT_CHARACTERS])
    name = _ANY_PARTIAL if kept is None else re.compile(rf"\.{kept}\.[0-9a-f]{{16}}\.part")
    try:
        found = [path for path in folder.iterdir() if name.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for path in found:
        remove(path)


def remove(path: Path) -> None:
    """Removes a file, a link or a folder with its content; nothing where the path is missing.

    Links are removed themselves: what they lead to is kept.

    Raises:
        OSError: It cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def own_target(path: Path) -> Path:
    """Returns the path that is written for a path of the user's: links of this user are followed.

    Args:
        path: File to write, which may be missing.

    Raises:
        OSError: A link belongs to another user, or the links are a circle.
    """
    for _ in range(_MAX_LINKS):
        if not path.is_symlink():
            return path
        if path.lstat().st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "Link of another user", str(path))
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
