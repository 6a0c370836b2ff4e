"""What the engine tells whoever is watching."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class ProgressReporter(Protocol):
    """Shows how a run gets on. The engine calls it; it must not touch the device."""

    def note(self, text: str) -> None:
        """Something worth knowing: a choice that was made, a warning."""

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """A stage begins that goes through so many images, from an epoch on if it has epochs."""

    def advance(self, images: int, loss: float | None = None) -> None:
        """So many images are done; the mean loss so far where it is known."""

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """An epoch has ended; `row` is its line of the history."""

    def stop(self) -> None:
        """The stage is over."""


class SilentReporter:
    """Watches nothing."""

    def note(self, text: str) -> None:
        """Ignores it."""

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Ignores it."""

    def advance(self, images: int, loss: float | None = None) -> None:
        """Ignores it."""

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Ignores it."""

    def stop(self) -> None:
        """Ignores it."""


SILENT = SilentReporter()
