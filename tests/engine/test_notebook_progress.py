from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ltbench.engine.notebook_progress import NotebookProgress
from ltbench.engine.progress_bar import _epoch_line
from ltbench.io import notebook
from ltbench.io.notebook import NotebookText
from tests.engine.test_progress_bar import ROW
from tests.io.test_notebook import Display


@pytest.fixture
def progress(monkeypatch: pytest.MonkeyPatch) -> tuple[NotebookProgress, Callable[[], str]]:
    monkeypatch.setattr(notebook, "_MIN_SECONDS", 0.0)
    display = Display()
    shown = NotebookProgress(NotebookText(display), _epoch_line)
    return shown, lambda: re.sub(r"  [\d,]+ images/s$", "", display.shown[-1]["text/plain"])


def test_notes_and_epochs_stay_above_the_bars(
    progress: tuple[NotebookProgress, Callable[[], str]],
) -> None:
    reporter, shown = progress
    reporter.note("device: \x1bcpu")
    assert shown() == "device: ?cpu"
    reporter.start("training", 200, 0, 2)
    reporter.advance(100)
    bar = "█" * 15 + "░" * 15
    assert shown() == f"device: ?cpu\ntraining  {bar}  100/200"
    reporter.start("evaluating", 0)
    assert shown().splitlines()[-1] == f"evaluating  {'█' * 30}  0/0"
    reporter.stop()
    reporter.epoch(ROW, 2)
    assert shown().splitlines()[1].startswith("epoch 1/2  loss 0.5000")
    reporter.stop()
    assert len(shown().splitlines()) == 2
    for number in range(100):
        reporter.note(str(number))
    assert shown().splitlines() == [str(number) for number in range(80, 100)]


def test_a_stage_alone_leaves_a_line(
    progress: tuple[NotebookProgress, Callable[[], str]],
) -> None:
    reporter, shown = progress
    reporter.start("reading", 10)
    reporter.advance(10)
    reporter.stop()
    reporter.start("evaluating", 3)
    reporter.stop()
    reporter.close()
    assert shown() == "reading: 10 images\nevaluating: 0 images"
