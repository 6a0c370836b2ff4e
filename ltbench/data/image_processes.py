"""Work on all images of some sources, in several processes."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context, parent_process, resource_tracker
from typing import TypeVar

from ltbench.data.images import ImageSource
from ltbench.errors import RunError
from ltbench.io.interrupts import check, deferred, silent_children

T = TypeVar("T")

Advance = Callable[[int], None]
"""Callback with the number of further images that have been checked."""

_IMAGES_PER_TASK = 256
_POLL_SECONDS = 0.2  # between checks for an interruption


def map_images(
    sources: Mapping[str, ImageSource],
    work: Callable[[ImageSource, range], T],
    processes: int,
    advance: Advance,
) -> Iterator[tuple[str, T]]:
    """Calls a function for parts of all sources, and yields its results as they are finished.

    Args:
        sources: Sources of images by name.
        work: Function of a module, `(source, indices) -> result`, called in another process.
        processes: Number of processes.
        advance: Callback for progress.

    Yields:
        Name of a source, and the result for some of its images.

    Raises:
        RunError: One of the processes was killed.
    """
    parts = iter(
        [
            (name, range(start, min(start + _IMAGES_PER_TASK, len(images))))
            for name, images in sources.items()
            for start in range(0, len(images), _IMAGES_PER_TASK)
        ]
    )
    resource_tracker.ensure_running()  # its start would unblock what `silent_children` blocks
    pool = ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=_initialize, initargs=(sources,)
    )
    # Deferred: an interruption ends the processes first, whose semaphores would be left.
    with deferred(), pool:
        waiting: dict[Future[T], tuple[str, int]] = {}
        try:
            while True:
                with silent_children():
                    for name, indices in parts:
                        future = pool.submit(_run, work, name, indices)
                        waiting[future] = name, len(indices)
                        if len(waiting) >= 2 * processes:
                            break
                if not waiting:
                    return
                check()
                for future in wait(waiting, _POLL_SECONDS, FIRST_COMPLETED).done:
                    name, count = waiting.pop(future)
                    yield name, future.result()
                    advance(count)
        except BrokenProcessPool as error:
            raise RunError(
                "a decoding process was killed, perhaps for lack of memory",
                hint="use fewer --workers",
            ) from error
        except BaseException:  # do not wait for the images being decoded
            pool.shutdown(wait=False, cancel_futures=True)
            for process in active_children():
                process.terminate()
            raise


_sources: Mapping[str, ImageSource] = {}  # set in each process


def _initialize(sources: Mapping[str, ImageSource]) -> None:
    global _sources
    _sources = sources
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _run(work: Callable[[ImageSource, range], T], name: str, indices: range) -> T:
    return work(_sources[name], indices)
