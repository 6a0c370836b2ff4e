"""Display of progress for functions of the Python API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ltbench.progress import SILENT, ProgressReporter


@contextmanager
def shown_progress(*, shown: bool) -> Iterator[ProgressReporter]:
    """Yields a reporter that shows progress on the standard error, or a silent one."""
    if not shown:
        yield SILENT
        return
    from ltbench.engine.progress_bar import show_progress

    with show_progress() as reporter:
        yield reporter
