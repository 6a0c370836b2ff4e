"""Absolute paths in a CSV file, below the folder of the images."""

from __future__ import annotations

import os
from typing import Any


def relative_paths(paths: Any, root: str) -> Any:
    """Returns paths below a folder as relative ones, and other paths as they are.

    Args:
        paths: Pyarrow array of N strings; returned itself where none is below the folder.
        root: The folder, of which links may be followed or not.
    """
    import pyarrow.compute as pc

    absolute = pc.starts_with(paths, "/")
    if not pc.any(absolute).as_py():
        return paths
    places = dict.fromkeys((os.path.abspath(root), os.path.realpath(root)))  # noqa: PTH100
    for place in places:
        prefix = place.rstrip("/") + "/"
        inside = pc.starts_with(paths, prefix)
        if pc.any(inside).as_py():
            below = pc.utf8_slice_codeunits(paths, len(prefix))
            paths = pc.if_else(inside, below, paths)
    return paths


def outside_hint(paths: Any) -> str:
    """Returns a hint that names the folder of the absolute paths; empty without such paths."""
    import pyarrow.compute as pc

    absolute = paths.filter(pc.starts_with(paths, "/"))
    if not len(absolute):
        return ""
    ends = (pc.min_max(absolute)[end].as_py() for end in ("min", "max"))  # they share the least
    folder = os.path.commonpath([os.path.dirname(path) for path in ends])  # noqa: PTH120
    return f"add --set dataset.root={folder}, the folder of all absolute paths"
