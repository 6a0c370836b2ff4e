"""Split lists: text files with one `path label` a line."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError
from ltbench.io.reading import read_regular

_HINT = "fetch the list again: it must have one 'path label' a line"
_HIDDEN_HINT = "evaluate on a split whose labels are public"
_ONE_BASED_HINT = "subtract 1 from each label: classes are numbered from 0"
_MAX_CLASSES = 10**6
MAX_LIST_BYTES = 1 << 30  # 10 million lines of 100 bytes


def read_list(path: Path, num_classes: int | None = None) -> tuple[Any, NDArray[np.int64]]:
    """Returns the paths and labels of a split list; half a million lines take half a second.

    Args:
        path: Split list.
        num_classes: Number of classes K: labels are 0..K-1; None if the list itself defines it.

    Returns:
        Paths, as a pyarrow string array, and labels, (N,).

    Raises:
        DataError: The file is missing, or a line is malformed (named by its number).
    """
    return parse_list(_content(path), str(path), num_classes)


def parse_list(
    content: bytes, name: str, num_classes: int | None = None
) -> tuple[Any, NDArray[np.int64]]:
    """Returns the paths and labels of a split list's content, as `read_list` does.

    Args:
        content: Content of the list in UTF-8.
        name: Name of the list for errors.
        num_classes: Number of classes K; None if the list itself defines it.

    Raises:
        DataError: The list has no lines, or a line is malformed (named by its number).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pa.array([content]).cast(pa.string())
    lines = pc.list_flatten(pc.split_pattern(whole, "\n"))
    if lines[-1].as_py() == "":  # after the last line's end
        lines = lines[:-1]
    if not len(lines):
        raise DataError(f"{name} is empty", hint=_HINT)
    hidden = pc.invert(pc.match_substring_regex(lines, r" -[0-9]+$"))
    _expect(
        name, lines, hidden, "{!r} has a negative label, which means a hidden label", _HIDDEN_HINT
    )
    well_formed = pc.match_substring_regex(lines, r"^.+ [0-9]{1,6}$")
    _expect(name, lines, well_formed, "expected 'path label', got {!r}")
    parts = pc.split_pattern(lines, " ", max_splits=1, reverse=True)
    names = pc.list_element(parts, 0)
    labels = pc.cast(pc.list_element(parts, 1), pa.int64())
    limit = num_classes or _MAX_CLASSES
    smallest, largest = pc.min(labels).as_py(), pc.max(labels).as_py()
    if smallest == 1 and largest == limit:
        raise DataError(
            f"{name}: labels: expected 0 to {limit - 1}, got 1 to {largest}", hint=_ONE_BASED_HINT
        )
    _expect(name, labels, pc.less(labels, limit), f"expected a label in 0..{limit - 1}, got {{}}")
    inside = pc.invert(pc.match_substring_regex(names, r"^/|(^|[/\\])\.\.([/\\]|$)"))
    _expect(name, names, inside, "{!r} is outside the data folder")
    plain = pc.invert(pc.match_substring_regex(names, r"[\x00-\x1f\x7f]"))
    _expect(name, names, plain, "{!r} has a control character")
    return names, np.array(labels)  # a copy, because Arrow's own memory is read-only


def _expect(name: str, values: Any, valid: Any, fault: str, hint: str = _HINT) -> None:
    """Raises a `DataError` for the first value that is not valid."""
    import pyarrow.compute as pc

    at = pc.index(valid, value=False).as_py()
    if at >= 0:
        shown = values[at].as_py()
        shown = shown[:200] if isinstance(shown, str) else shown
        raise DataError(f"{name}:{at + 1}: {fault.format(shown)}", hint=hint)


def list_identity(path: Path) -> str:
    """Returns the git blob name of a list, independent of its line ends.

    Raises:
        DataError: The file is missing, or is not text.
    """
    return git_blob_sha1(_content(path))


def git_blob_sha1(content: bytes) -> str:
    """Returns git's name of a file's content, by which published lists are identified.

    >>> git_blob_sha1(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _content(path: Path) -> bytes:
    """Returns a list in UTF-8, with unified line ends and without a byte-order mark."""
    try:
        content = read_regular(path, MAX_LIST_BYTES)
        content.decode()
    except FileNotFoundError as error:
        raise DataError(f"the split list {path} does not exist", hint=_HINT) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the split list {path} cannot be read: {error}", hint=_HINT) from error
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
