"""Split lists: text files with one `path label` a line."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError

_HINT = "fetch the list again: it must have one 'path label' a line"


def read_list(path: Path, num_classes: int) -> tuple[Any, NDArray[np.int64]]:
    """Reads a split list.

    Args:
        path: The list.
        num_classes: K: labels are 0..K-1.

    Returns:
        The paths, as a pyarrow string array, and the labels, (N,).

    Raises:
        DataError: The file is missing, or a line is not what it should be (named by its number).
    """
    import pyarrow as pa

    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"the split list {path} does not exist", hint=_HINT) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the split list {path} cannot be read: {error}", hint=_HINT) from error
    names, labels = [], []
    for number, line in enumerate(lines, start=1):
        name, _, label = line.rpartition(" ")
        fault = ""
        if not name or not re.fullmatch(r"[0-9]{1,9}", label):
            fault = f"expected 'path label', got {line[:200]!r}"
        elif int(label) >= num_classes:
            fault = f"label {label} is outside of 0..{num_classes - 1}"
        elif name.startswith("/") or ".." in PurePosixPath(name).parts:
            fault = f"{name!r} leads out of the data folder"
        if fault:
            raise DataError(f"{path}:{number}: {fault}", hint=_HINT)
        names.append(name)
        labels.append(int(label))
    return pa.array(names, pa.string()), np.array(labels, dtype=np.int64)


def git_blob_sha1(content: bytes) -> str:
    """Returns the name that git gives a file's content: how published lists are identified.

    >>> git_blob_sha1(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
