"""Joining of the group of a run's processes."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ltbench.errors import ConfigError, RankLostError
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
        ConfigError: The device is none of these, or this machine has too few of them.
        RankLostError: Another process ended, or an exchange with the others failed.
    """
    if place is None:
        yield SINGLE, device
        return
    import torch

    device = _device_of(place, device)
    from ltbench.ranks.process_group import ProcessGroup

    if place.launched:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        group = ProcessGroup(place, torch.device(device))
        yield group, device
    except RankLostError as error:
        if not place.launched:
            raise
        # The parent reports which rank ended and why. Python's own exit would wait for a device
        # that waits for that rank.
        with suppress(OSError):
            place.last_words.write_text(error.message, encoding="utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(LOST)
    group.close()


def _device_of(place: Place, device: str) -> str:
    """Returns the device of a rank: each rank of a machine has a GPU of its own.

    Raises:
        ConfigError: The device is of another kind, or this machine has fewer GPUs than ranks.
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise ConfigError(
            f"--device: expected auto, cpu or cuda for {place.size} ranks, got {device}",
            hint="each rank takes a GPU of its own; CUDA_VISIBLE_DEVICES chooses them",
        )
    found = torch.cuda.device_count()
    if device == "cpu" or (device == "auto" and not found):
        return "cpu"
    if found < place.local_size:
        raise ConfigError(
            f"--device: expected a GPU for each of {place.local_size} ranks, got {found}, the GPUs "
            "that this process sees",
            hint="start as many ranks as GPUs on each machine, or take --device cpu",
        )
    return f"cuda:{place.local_rank}"


def _end_with_parent() -> None:
    """Interrupts this process when the one that started it has ended: its standard input closes."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(interrupts.GRACE_SECONDS)
    interrupts.end_now()
