"""Joining of the group of a run's processes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ltbench.errors import RankLostError
from ltbench.io import interrupts
from ltbench.ranks.group import SINGLE, Group
from ltbench.ranks.place import LOST, Place


@contextmanager
def joined(place: Place | None, device: str) -> Iterator[tuple[Group, str]]:
    """Yields the group of this process and its device; leaves the group at the end.

    Args:
        place: Place of this process; None for a process of its own.
        device: Kind of the device: "auto", "cpu" or "cuda"; any device for a process of its own.

    Raises:
        ConfigError: There is no such device.
        RankLostError: Another process ended.
    """
    if place is None:
        yield SINGLE, device
        return
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda":
        device = f"cuda:{place.local_rank}"
    from ltbench.ranks.process_group import ProcessGroup

    if place.launched:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        group = ProcessGroup(place, torch.device(device))
        yield group, device
    except RankLostError:
        if not place.launched:
            raise
        # The parent reports which rank ended and why. Python's own exit would wait for a device
        # that waits for that rank.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(LOST)
    group.close()


def _end_with_parent() -> None:
    """Interrupts this process when the one that started it has ended: its standard input closes."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(interrupts.GRACE_SECONDS)
    interrupts.end_now()
