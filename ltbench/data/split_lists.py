"""Split lists: text files with one `path label` a line."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ltbench.errors import DataError

_HINT = "fetch the list again: it must have one 'path label' a line"
_HIDDEN = "evaluate on a split whose labels are public"
_ONE = "subtract 1 from each label: classes are numbered from 0"
_LARGEST = 10**6  # classes


def read_list(path: Path, num_classes: int | None = None) -> tuple[Any, NDArray[np.int64]]:
    """Reads a split list; half a million lines take about half a second.

    Args:
        path: The list.
        num_classes: K: labels are 0..K-1; None where the list itself says it.

    Returns:
        The paths, as a pyarrow string array, and the labels, (N,).

    Raises:
        DataError: The file is missing, or a line is not what it should be (named by its number).
    """
    return parse_list(_content(path), str(path), num_classes)


def parse_list(
    content: bytes, name: str, num_classes: int | None = None
) -> tuple[Any, NDArray[np.int64]]:
    """Returns what `read_list` does, of a list's content in UTF-8.

    Args:
        content: The list.
        name: What to call it in an error.
        num_classes: K; None where the list itself says it.

    Raises:
        DataError: It has no lines, or a line is not what it should be (named by its number).
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
        name, lines, hidden, "{!r} has a negative label, which stands for a hidden one", _HIDDEN
    )
    well_formed = pc.match_substring_regex(lines, r"^.+ [0-9]{1,6}$")
    _expect(name, lines, well_formed, "expected 'path label', got {!r}")
    parts = pc.split_pattern(lines, " ", max_splits=1, reverse=True)
    names = pc.list_element(parts, 0)
    labels = pc.cast(pc.list_element(parts, 1), pa.int64())
    limit = num_classes or _LARGEST
    smallest, largest = pc.min(labels).as_py(), pc.max(labels).as_py()
    if smallest == 1 and largest == limit:
        raise DataError(
            f"{name}: labels go from 1 to {largest}: expected 0 to {limit - 1}", hint=_ONE
        )
    _expect(name, labels, pc.less(labels, limit), f"label {{}} is outside of 0..{limit - 1}")
    inside = pc.invert(pc.match_substring_regex(names, r"^/|(^|[/\\])\.\.([/\\]|$)"))
    _expect(name, names, inside, "{!r} leads out of the data folder")
    plain = pc.invert(pc.match_substring_regex(names, r"[\x00-\x1f\x7f]"))
    _expect(name, names, plain, "{!r} has a control character")
    return names, np.array(labels)  # a copy: Arrow's own memory cannot be written to


def _expect(name: str, values: Any, fine: Any, fault: str, hint: str = _HINT) -> None:
    """Raises a `DataError` for the first value that is not fine."""
    import pyarrow.compute as pc

    at = pc.index(fine, value=False).as_py()
    if at >= 0:
        shown = values[at].as_py()
        shown = shown[:200] if isinstance(shown, str) else shown
        raise DataError(f"{name}:{at + 1}: {fault.format(shown)}", hint=hint)


def list_identity(path: Path) -> str:
    """Returns the git blob name of a list, whichever system its line ends are of.

    Raises:
        DataError: The file is missing, or is no text.
    """
    return git_blob_sha1(_content(path))


def git_blob_sha1(content: bytes) -> str:
    """Returns the name that git gives a file's content: how published lists are identified.

    >>> git_blob_sha1(b"")
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _content(path: Path) -> bytes:
    """Returns a list in UTF-8, with the line ends and without the mark that some editors add."""
    try:
        content = path.read_bytes()
        content.decode()
    except FileNotFoundError as error:
        raise DataError(f"the split list {path} does not exist", hint=_HINT) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the split list {path} cannot be read: {error}", hint=_HINT) from error
    return content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
