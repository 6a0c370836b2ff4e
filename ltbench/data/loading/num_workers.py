"""How many loader workers keep up with a model: measured where the user names no number."""

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

_IMAGES = 16
_MARGIN = 1.25
"""Workers are this much faster than the model: not every image takes the same time."""


def seconds_to_read(split: Split, resolution: int) -> float | None:
    """Returns the seconds that this process takes to read an image and to cut a view out.

    The median of some images from all over the split. None where nothing has to be read, or
    nothing can be.

    Args:
        split: The images.
        resolution: Of the view.
    """
    if isinstance(split.images, ArrayImages):
        return None

    def plain(sizes: NDArray[np.int64], epoch: int, draws: NDArray[np.int64]) -> Views:
        return Views(crops_of_resized(sizes, resolution, resolution, corners=False))

    reading = FileViews(split, plain, resolution)
    draws = np.linspace(0, len(split), _IMAGES + 1, endpoint=False).astype(int).tolist()
    seconds = []
    for draw in draws:
        start = time.perf_counter()
        [(_, seen)] = reading.of(0, [draw])
        if not isinstance(seen, LTBenchError):
            seconds.append(time.perf_counter() - start)
    # The first one waits for imports.
    return float(np.median(seconds[1:])) if len(seconds) > 1 else None


def choose_workers(reading: float, learning: float, cores: int) -> tuple[int, str]:
    """Returns the fewest workers that keep up with the model, and why, in words.

    Args:
        reading: Seconds that a process takes to read an image.
        learning: Seconds that the model takes for an image.
        cores: Number of cores that this process may use.
    """
    told = f"an image is read in {_in_words(reading)}, the model takes {_in_words(learning)}"
    needed = max(math.ceil(_MARGIN * reading / learning), 1)
    if needed > cores:
        return cores, f"{told}, there are no more cores"
    return needed, told


def usable_cores() -> int:
    """Returns how many cores this process may use."""
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
