"""Start of loader workers without torch's handler of their ends."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader


def started(loader: DataLoader[Any]) -> Iterator[Any]:
    """Returns the iterator of a loader, whose workers start.

    torch installs a handler of SIGCHLD that raises wherever the main thread is, also in a
    destructor, if a worker was killed: the handler from before is put back. The end of such a
    worker is found when torch waits for the next batch, within 5 seconds.

    Args:
        loader: The loader.
    """
    if threading.current_thread() is not threading.main_thread():  # where torch installs none
        return iter(loader)
    before = signal.getsignal(signal.SIGCHLD)
    try:
        return iter(loader)
    finally:
        signal.signal(signal.SIGCHLD, before or signal.SIG_DFL)
