"""Pager of the user, for long text on a terminal."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys

_LESS_OPTIONS = "FRX"
"""Options of less, unless the user has set others: short text is printed, colours are shown, and
the text stays on the screen."""


def show_paged(text: str) -> None:
    """Shows a text with `$PAGER`, or `less`; where neither can be started it is printed.

    Ctrl-C is left to the pager.

    Args:
        text: Text, which may have colours.
    """
    try:
        command = shlex.split(os.environ.get("PAGER") or "less")
    except ValueError:  # a quote without its end
        command = []
    if not command or shutil.which(command[0]) is None:
        sys.stdout.write(text)
        return
    environment = {"LESS": _LESS_OPTIONS, **os.environ}
    sys.stdout.flush()
    encoded = text.encode(sys.stdout.encoding or "utf-8", errors="replace")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        subprocess.run(command, input=encoded, env=environment, check=False)
    except OSError:  # the system cannot execute it
        sys.stdout.write(text)
    finally:
        signal.signal(signal.SIGINT, before)
