"""Progress reporter for stages that are rarely needed, such as the first reading of images."""

from __future__ import annotations

from contextlib import ExitStack

from ltbench.progress import ProgressReporter, SilentReporter


class LateProgress(SilentReporter):
    """Progress reporter that imports and opens the display when a stage starts."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._reporter: ProgressReporter | None = None
        self._earlier: ProgressReporter | None = None

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Opens the display and starts a stage."""
        from ltbench.engine.progress_bar import show_progress

        self._reporter = self._stack.enter_context(show_progress(self._earlier))
        self._reporter.start(what, images, epoch, epochs)

    def advance(self, images: int, loss: float | None = None) -> None:
        """Advances the stage."""
        if self._reporter is not None:
            self._reporter.advance(images, loss)

    def stop(self) -> None:
        """Ends the stage and closes the display."""
        if self._reporter is not None:
            self._reporter.stop()
            self._earlier, self._reporter = self._reporter, None
            self._stack.close()
