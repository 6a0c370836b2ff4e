"""Progress of stages that seldom have anything to do, such as reading images once."""

from __future__ import annotations

from contextlib import ExitStack

from ltbench.progress import ProgressReporter, SilentReporter


class LateProgress(SilentReporter):
    """Progress reporter that loads what it needs when the first stage starts."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._watch: ProgressReporter | None = None

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Opens a bar, or prints a line where there is no terminal."""
        from ltbench.engine.progress_bar import show_progress

        self._watch = self._stack.enter_context(show_progress())
        self._watch.start(what, images, epoch, epochs)

    def advance(self, images: int, loss: float | None = None) -> None:
        """Moves the bar."""
        if self._watch is not None:
            self._watch.advance(images, loss)

    def stop(self) -> None:
        """Closes the bar."""
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
            self._stack.close()
