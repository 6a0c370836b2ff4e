"""Shows on stderr how a run gets on: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ltbench.engine.watch import Watch


@contextmanager
def watching() -> Iterator[Watch]:
    """Yields a watch that suits stderr."""
    console = Console(stderr=True, highlight=False)
    with redirect_stdout(sys.stderr):  # stdout is for results, whatever plugins print
        if not console.is_terminal:
            yield Lines(console)
            return
        watch = Bar(console)
        with watch.progress:
            yield watch


def _epoch_line(row: Mapping[str, float], epochs: int) -> str:
    left = row["seconds"] * (epochs - 1 - row["epoch"])
    return (
        f"epoch {int(row['epoch']) + 1}/{epochs}  loss {row['loss']:.4f}  lr {row['lr']:.5f}  "
        f"{row['images_per_second']:,.0f} images/s  {left:.0f} s left"
    )


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} images/s" if task.speed else "")


class Bar:
    """A live progress bar: stage, epoch, loss, images, images per second, time left."""

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            _Speed(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._what = ""
        self._epoch = ""
        self._loss = ""

    def note(self, text: str) -> None:
        """Prints it above the bar."""
        self.progress.console.print(text, markup=False)

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Opens a bar."""
        self._what, self._loss = what, ""
        self._epoch = f" epoch {epoch + 1}/{epochs}" if epochs else ""
        self._task = self.progress.add_task(what, total=images)
        self.advance(0)

    def advance(self, images: int, loss: float | None = None) -> None:
        """Moves the bar."""
        assert self._task is not None
        if loss is not None:
            self._loss = f" loss {loss:.3f}"
        description = f"{self._what}{self._epoch}{self._loss}"
        self.progress.update(self._task, advance=images, description=description)

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Shows the next epoch and this one's loss from now on."""
        self.note(_epoch_line(row, epochs))
        self._epoch = f" epoch {min(int(row['epoch']) + 2, epochs)}/{epochs}"
        self._loss = f" loss {row['loss']:.3f}"
        self.advance(0)

    def stop(self) -> None:
        """Closes the bar."""
        if self._task is not None:
            self.progress.remove_task(self._task)
            self._task = None


class Lines:
    """A line for each note and epoch, and every half minute of a long stage."""

    def __init__(self, console: Console, every: float = 30.0) -> None:
        self._console = console
        self._every = every
        self._what = ""
        self._done = self._total = 0
        self._said = 0.0

    def note(self, text: str) -> None:
        """Prints it."""
        with suppress(OSError):  # a full or closed stderr must not end the run
            self._console.print(text, markup=False, soft_wrap=True)

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Says what begins."""
        self._what, self._done, self._total = what, 0, images
        self._said = time.monotonic()
        each = f"{images // (epochs - epoch):,} images an epoch" if epochs > epoch else ""
        self.note(f"{what}: {each or f'{images:,} images'}")

    def advance(self, images: int, loss: float | None = None) -> None:
        """Says how far it is, now and then."""
        self._done += images
        if time.monotonic() - self._said > self._every:
            self._said = time.monotonic()
            self.note(f"{self._what}: {100 * self._done / self._total:.0f} % done")

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Says how the epoch went."""
        self.note(_epoch_line(row, epochs))

    def stop(self) -> None:
        """Says nothing: the next stage or the result does."""
