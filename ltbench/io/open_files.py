"""Number of files that this process may have open at the same time."""

from __future__ import annotations

import sys

_OTHERS = 200  # files that a process needs besides those that it asks for
_MAX_FILES = 1 << 16


def allow_open_files() -> int:
    """Raises the limit of open files as far as the system allows; returns how many are free."""
    if sys.platform == "win32":
        return _MAX_FILES
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(1, wanted - _OTHERS)
