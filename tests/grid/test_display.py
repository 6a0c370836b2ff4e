from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from ltbench.grid import display
from ltbench.grid.display import duration, show_progress
from ltbench.grid.launch import execute_grid
from ltbench.io.notebook import NotebookText
from ltbench.jobs import Ended, JobReport
from ltbench.registry.registry import Registry
from tests.grid.grids import Folder, InProcess
from tests.io.test_notebook import Display

THREE = "seed = [0, 1]\n[[include]]\nloss = 'ce'\n[[include]]\nloss = 'focal'\nseed = 3\n"


def shown(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> tuple[str, str]:
    """Runs three runs, of which the second crashes; returns stdout, and stderr without colours."""
    folder = Folder(tmp_path, registry)
    grid = folder.read(THREE)
    victim = grid.runs[1].resolved.spec.hash
    executor = InProcess(before=lambda name: Ended(name, -9, "gone") if name == victim else None)
    schedule = folder.schedule(grid, executor)
    with show_progress(schedule) as show:
        schedule.run(show)
    captured = capsys.readouterr()
    return captured.out, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", captured.err)


def test_a_line_for_each_run_where_there_is_no_terminal(
    tmp_path: Path, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = shown(tmp_path, registry, capsys)
    first, second, third = err.splitlines()
    assert out == ""
    assert re.fullmatch(r"1/3 done ce, seed 0: [\d.]+ % in \d+ s(; \d+ s left)?", first)
    assert second.startswith("2/3 failed ce, seed 1: its process ended without a result (gone)")
    assert third.startswith("3/3 done focal, seed 3: ")


def test_jobs_of_a_cluster_have_a_place(tmp_path: Path, registry: Registry) -> None:
    folder = Folder(tmp_path, registry)
    schedule = folder.schedule(folder.read("seed = [0, 1]\n"), InProcess())
    for task in schedule.tasks:
        task.start(queued=True)
        schedule._started[task.title] = task
    first = schedule.tasks[0]
    assert first.observe(JobReport("running", id="7_0", place="n1", start=time.time() - 60))
    assert not first.observe(JobReport("running", id="7_0", place="n1"))
    schedule.tally.update(first)
    assert display._flight(first) == "  classifier_only, seed 0 (job 7_0, n1): epoch 1/2"
    assert display._summary(schedule).startswith("0 done, 0 failed, 1 running, 1 to do (1 in the")
    assert first.start_time is not None
    assert time.monotonic() - first.start_time == pytest.approx(60, abs=5)
    assert first.observe(JobReport("pending", id="7_0", reason="BeginTime"))  # put back


def test_a_table_of_the_cells_on_a_terminal(
    tmp_path: Path,
    registry: Registry,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")
    _, err = shown(tmp_path, registry, capsys)
    lines = [" ".join(line.split()) for line in err.splitlines()]
    assert "cell done failed running to do" in lines
    assert "ce 1 1" in lines  # runs that are done, and that have failed
    assert any(line.startswith("1 done, 1 failed, 0 running, 1 to do") for line in lines)
    assert any(line.startswith("3/3 done focal, seed 3: ") for line in lines)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min"), (3599, "60 min"), (7260, "2 h 01 min")],
)
def test_durations_are_rounded(seconds: float, words: str) -> None:
    assert duration(seconds) == words


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
