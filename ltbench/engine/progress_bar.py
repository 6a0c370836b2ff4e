"""Progress reporters: a live bar on a terminal, a text in a notebook, lines on stderr elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass

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

from ltbench.engine.notebook_progress import NotebookProgress
from ltbench.io.console import console
from ltbench.io.notebook import notebook_text
from ltbench.progress import ProgressReporter


@contextmanager
def show_progress(earlier: ProgressReporter | None = None) -> Iterator[ProgressReporter]:
    """Yields the progress reporter, and redirects stdout to stderr meanwhile.

    Args:
        earlier: Reporter of an earlier call, whose text a notebook continues.
    """
    errors = console(stderr=True)
    with redirect_stdout(sys.stderr):  # stdout carries results only; plugins may print
        if errors.is_jupyter:
            reporter = (
                earlier
                if isinstance(earlier, NotebookProgress)
                else NotebookProgress(notebook_text(), _epoch_line)
            )
            try:
                yield reporter
            finally:
                reporter.close()
            return
        if not errors.is_terminal:
            yield Lines(errors)
            return
        progress = Bar(errors)
        with progress.progress:
            yield progress


def _epoch_line(row: Mapping[str, float], epochs: int) -> str:
    left = (row["seconds"] + row.get("val_seconds", 0)) * (epochs - 1 - row["epoch"])
    score = row.get("val_mean_class")
    scored = "" if score is None else f"val mean-class {score:.1f} %  "
    return (
        f"epoch {int(row['epoch']) + 1}/{epochs}  loss {row['loss']:.4f}  lr {row['lr']:.5f}  "
        f"{scored}{row['images_per_second']:,.0f} images/s  {left:.0f} s left"
    )


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} images/s" if task.speed else "")


class _Count(MofNCompleteColumn):
    def render(self, task: Task) -> Text:
        return Text() if task.total is None else super().render(task)


class _Time(TimeRemainingColumn):
    """Time that is left, or that has passed where the end is not known."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text(f"{task.elapsed or 0:.0f} s", style="progress.elapsed")
        return super().render(task)


@dataclass
class _Stage:
    """Stage with a bar."""

    task: TaskID
    what: str
    epoch: str
    loss: str = ""

    def __str__(self) -> str:
        return f"{self.what}{self.epoch}{self.loss}"


class Bar:
    """Live progress bar: stage, epoch, loss, images, images per second, time left.

    A nested stage has a second bar. Between stages, while libraries are imported and the model is
    built, a moving bar shows that the command works.

    Args:
        console: Console of the bar.
    """

    def __init__(self, console: Console) -> None:
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            _Count(),
            _Speed(),
            _Time(),
            console=console,
            transient=True,
        )
        self._stages: list[_Stage] = []
        self._between = self._wait()

    def note(self, text: str) -> None:
        """Prints a line above the bar."""
        self.progress.console.print(text, markup=False)

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Adds a bar for a stage."""
        numbered = f" epoch {epoch + 1}/{epochs}" if epochs else ""
        if not self._stages:
            self.progress.remove_task(self._between)
        self._stages.append(_Stage(self.progress.add_task(what, total=images), what, numbered))
        self.advance(0)

    def advance(self, images: int, loss: float | None = None) -> None:
        """Advances the bar of the current stage."""
        stage = self._stages[-1]
        if loss is not None:
            stage.loss = f" loss {loss:.3f}"
        self.progress.update(stage.task, advance=images, description=str(stage))

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Prints the finished epoch, and shows the next one in the bar."""
        self.note(_epoch_line(row, epochs))
        self._stages[-1].epoch = f" epoch {min(int(row['epoch']) + 2, epochs)}/{epochs}"
        self.advance(0, row["loss"])

    def stop(self) -> None:
        """Removes the bar of the current stage."""
        self.progress.remove_task(self._stages.pop().task)
        if not self._stages:
            self._between = self._wait()

    def _wait(self) -> TaskID:
        return self.progress.add_task("working", total=None)


@dataclass
class _Pass:
    """Stage with the number of its finished images."""

    what: str
    total: int
    done: int = 0


class Lines:
    """Lines of text: one for each note and epoch, and every half minute of a long stage.

    A nested stage (a validation within a training) has no first line.

    Args:
        console: Console of the lines.
        interval_seconds: Shortest time between two lines about the same stage.
    """

    def __init__(self, console: Console, interval_seconds: float = 30.0) -> None:
        self._console = console
        self._interval_seconds = interval_seconds
        self._stages: list[_Pass] = []
        self._printed_at = 0.0

    def note(self, text: str) -> None:
        """Prints a line."""
        with suppress(OSError):  # a full or closed stderr must not end the run
            self._console.print(text, markup=False, soft_wrap=True)

    def start(self, what: str, images: int, epoch: int = 0, epochs: int = 0) -> None:
        """Prints the title and the number of images of a stage."""
        self._stages.append(_Pass(what, images))
        if len(self._stages) > 1:
            return
        self._printed_at = time.monotonic()
        each = f"{images // (epochs - epoch):,} images an epoch" if epochs > epoch else ""
        self.note(f"{what}: {each or ('1 image' if images == 1 else f'{images:,} images')}")

    def advance(self, images: int, loss: float | None = None) -> None:
        """Counts images, and prints the share that is done once per interval."""
        stage = self._stages[-1]
        stage.done += images
        if time.monotonic() - self._printed_at > self._interval_seconds:
            self._printed_at = time.monotonic()
            self.note(f"{stage.what}: {100 * stage.done / stage.total:.0f} % done")

    def epoch(self, row: Mapping[str, float], epochs: int) -> None:
        """Prints the finished epoch."""
        self.note(_epoch_line(row, epochs))

    def stop(self) -> None:
        """Ends the current stage without a line."""
        self._stages.pop()
