"""Ends of processes, in words."""

from __future__ import annotations

import signal


def cause(code: int) -> str:
    """Returns how a process ended.

    >>> cause(1), cause(-9)
    ('exit code 1', 'killed by SIGKILL (out of memory?)')

    Args:
        code: Exit code, negative where a signal ended the process.
    """
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"killed by {name} (out of memory?)" if name == "SIGKILL" else f"killed by {name}"
