"""Paths as users write them."""

from __future__ import annotations

import os
from pathlib import Path


def with_home(path: Path | str) -> Path:
    """Returns a path with the user's home in the place of `~`, or of `~NAME` for another user.

    Where the home is unknown, the path is returned as it is; pathlib's own function raises an error
    that no user of a path expects.

    Args:
        path: Path with or without `~`.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111
