"""What a grid shows below the cell of a notebook; test_grid.py has what a terminal shows."""

from __future__ import annotations

import pytest

from ltbench.grid import display
from ltbench.grid.launch import execute_grid
from ltbench.io.notebook import NotebookText
from ltbench.jobs import Ended
from tests.grid.grids import Folder, InProcess
from tests.io.test_notebook import Display


def test_a_notebook_shows_the_last_runs_and_how_many_are_left(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Display()
    monkeypatch.setattr(display, "notebook_text", lambda: NotebookText(shown))
    scheduler = folder.schedule(
        folder.read('loss = ["ce", "focal"]\n'),
        InProcess(before=lambda name: Ended(name, -9, "\x1b[31mkilled")),
    )
    assert execute_grid(scheduler, display._shown_in_notebook) is not None
    lines = shown.shown[-1]["text/plain"].splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == [
        "1/2 failed ce, seed 0",
        "2/2 failed focal, seed 0",
    ]
    assert lines[0].endswith("(?[31mkilled)")
    assert lines[2:] == ["0 done, 2 failed, 0 running, 0 to do"]
    assert shown.displays == 1
