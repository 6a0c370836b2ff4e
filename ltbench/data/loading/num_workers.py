"""Choice of the number of loader workers, by measurement where the user gives no number."""

from __future__ import annotations

import math
import os
import time

import numpy as np
from numpy.typing import NDArray

from ltbench.data.dataset import Split
from ltbench.data.images import ArrayImages
from ltbench.data.loading.batches import FileViews
from ltbench.errors import LTBenchError
from ltbench.views import Views, crops_of_resized

_TIMED_IMAGES = 16
_SPEED_MARGIN = 1.25
"""Speed of the workers over that of the model: some images take longer than others."""


def measure_read_seconds(split: Split, resolution: int) -> float | None:
    """Returns the seconds that this process takes to read an image and to crop a view.

    The median over images from all parts of the split. None if no image is read from a file, or
    none can be read.

    Args:
        split: Images and labels.
        resolution: Side of the view in pixels.
    """
    if isinstance(split.images, ArrayImages):
        return None

    def plain(sizes: NDArray[np.int64], epoch: int, draws: NDArray[np.int64]) -> Views:
        return Views(crops_of_resized(sizes, resolution, resolution, corners=False))

    reading = FileViews(split, plain, resolution)
    draws = np.linspace(0, len(split), _TIMED_IMAGES + 1, endpoint=False).astype(int).tolist()
    seconds = []
    for draw in draws:
        start = time.perf_counter()
        [(_, seen)] = reading.load(0, [draw])
        if not isinstance(seen, LTBenchError):
            seconds.append(time.perf_counter() - start)
    # The first image includes the time of imports.
    return float(np.median(seconds[1:])) if len(seconds) > 1 else None


def choose_workers(reading: float, learning: float, cores: int) -> tuple[int, str]:
    """Returns the fewest workers that keep up with the model, and why, in words.

    Args:
        reading: Seconds that a process takes to read an image.
        learning: Seconds that the model takes for an image.
        cores: Number of cores that this process may use.
    """
    reason = f"an image is read in {_in_words(reading)}, the model takes {_in_words(learning)}"
    needed = max(math.ceil(_SPEED_MARGIN * reading / learning), 1)
    if needed > cores:
        return cores, f"{reason}, there are no more cores"
    return needed, reason


def usable_cores() -> int:
    """Returns the number of CPU cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _in_words(seconds: float) -> str:
    """Returns a time in milliseconds.

    >>> _in_words(0.00392), _in_words(0.1234)
    ('3.9 ms', '123 ms')
    """
    milliseconds = 1000 * seconds
    return f"{milliseconds:.0f} ms" if milliseconds >= 9.95 else f"{milliseconds:.2g} ms"
