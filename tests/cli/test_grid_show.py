from __future__ import annotations

import re
from pathlib import Path

import pytest

from ltbench.cli.grid.show import duration, following
from ltbench.jobs import Ended
from ltbench.registry.registry import Registry
from tests.grid.grids import Folder, InProcess

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
    with following(schedule) as show:
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
