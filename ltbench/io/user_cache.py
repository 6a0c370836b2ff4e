"""Folder of what is kept for a user between commands and can be computed again."""

from __future__ import annotations

import os
from pathlib import Path

from ltbench.io.paths import with_home

_NO_FOLDER = Path(os.devnull) / "ltbench"
"""Path that nothing can be written to."""


def user_cache() -> Path:
    """Returns the folder: `LTBENCH_CACHE`, or that of ltbench in the user's cache folder.

    A user without a home has none: nothing is kept.
    """
    from platformdirs import user_cache_dir

    chosen = with_home(os.environ.get("LTBENCH_CACHE") or user_cache_dir("ltbench"))
    return _NO_FOLDER if str(chosen).startswith("~") else chosen
