"""Progress reporter for notebooks: one text below the cell."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ltbench.io.notebook import NotebookText
from ltbench.io.text import line_text

_MAX_LINES = 20  # of notes and epochs
_BAR_CHARACTERS = 30


@dataclass
class _Stage:
    """Stage with the number of its finished images."""

    what: str
    total: int
    done: int = 0
    start_time: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        share = min(1.0, self.done / self.total) if self.total else 1.0
        filled = round(_BAR_CHARACTERS * share)
        bar = "█" * filled + "░" * (_BAR_CHARACTERS - filled)
        seconds = time.monotonic() - self.start_time
        speed = f"  {self.done / seconds:,.0f} images/s" if seconds > 0 and self.done else ""
        return f"{self.what}  {bar}  {self.done:,}/{self.total:,}{speed}"


class NotebookProgress:
    """Last notes and epochs, and a bar for each current stage.

    Args:
        shown: Text below the cell.
        epoch_line: Function that returns the line of a finished epoch.
    """

    def __init__(
        self, shown: NotebookText, epoch_line: Callable[[Mapping[str, float], int], str]
    ) -> None:
        self._shown = shown
        self._epoch_line = epoch_line
        self._lines: deque[str] = deque(maxlen=_MAX_LINES)
        self._stages: list[_Stage] = []
        self._has_new_line = False  # since the start of the outermost stage

    def note(self, text: str) -> None:
        """Adds a line."""
        self._lines.append(line_text(text))
        self._has_new_line = True
        self._shown.show(self._text)

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Adds a bar for a stage."""
        if not self._stages:
            self._has_new_line = False
        self._stages.append(_Stage(line_text(what), images))
        self._shown.show(self._text)

    def advance(self, images: int, loss: float | None = None) -> None:
        """Advances the bar of the current stage."""
        self._stages[-1].done += images
        self._shown.show(self._text)

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Adds the line of a finished epoch."""
        self.note(self._epoch_line(row, epochs))

    def stop(self) -> None:
        """Removes the bar of the current stage, which leaves a line if nothing else has."""
        stage = self._stages.pop()
        if not self._stages and not self._has_new_line:
            self._lines.append(f"{stage.what}: {stage.done:,} images")
        self._shown.show(self._text)

    def close(self) -> None:
        """Shows the last text; the reporter can be used again."""
        self._shown.close()

    def _text(self) -> str:
        return "\n".join((*self._lines, *map(str, self._stages)))
