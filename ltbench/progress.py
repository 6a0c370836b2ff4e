"""Progress-reporting interface of the engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ProgressReporter(Protocol):
    """Reporter of a run's progress. The engine calls it; it must not touch the device."""

    def note(self, text: str) -> None:
        """Reports a note: a choice that was made, or a warning."""

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Reports the start of a stage over `images` images, from `epoch` on if it has epochs."""

    def advance(self, images: int, loss: float | None = None) -> None:
        """Reports that `images` more images are done, with the mean loss so far if known."""

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Reports the end of an epoch; `row` is its line of the history."""

    def stop(self) -> None:
        """Reports the end of the stage."""


class SilentReporter:
    """Reporter that shows nothing."""

    def note(self, text: str) -> None:
        """Does nothing."""

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Does nothing."""

    def advance(self, images: int, loss: float | None = None) -> None:
        """Does nothing."""

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Does nothing."""

    def stop(self) -> None:
        """Does nothing."""


SILENT = SilentReporter()
