"""Folder of what is kept for a user between commands and can be computed again."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache() -> Path:
    """Returns the folder: `LTBENCH_CACHE`, or that of ltbench in the user's cache folder."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("LTBENCH_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("ltbench")
