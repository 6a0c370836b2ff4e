"""Number of files that this process may have open at the same time."""

from __future__ import annotations

import sys
from contextlib import suppress

_OTHERS = 200  # files that a process needs besides those that it asks for
_MAX_FILES = 1 << 16
_MAX_FILES_OF_MACOS = 10240  # OPEN_MAX of <sys/syslimits.h>; more is refused


def allow_open_files() -> int:
    """Raises the limit of open files as far as the system allows; returns how many are free."""
    if sys.platform == "win32":
        return _MAX_FILES
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MAX_FILES_OF_MACOS if sys.platform == "darwin" else _MAX_FILES
    allowed, wanted = (most if one == resource.RLIM_INFINITY else one for one in (soft, hard))
    wanted = min(wanted, most)
    if allowed < wanted:
        with suppress(OSError, ValueError):  # a system with a limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            allowed = wanted
    return max(1, min(allowed, _MAX_FILES) - _OTHERS)
