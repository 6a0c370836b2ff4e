"""Signals to the schedulers of a grid, one to four on one folder."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from benchmarks.attack.attack import Attack
from benchmarks.attack.command import ForkedCommand
from benchmarks.attack.signalled import (
    SECONDS,
    check_command,
    check_gone,
    stored_metrics,
    wait_for_handlers,
)

_GRID = '[[include]]\nmethod = "classifier_only"\nseed = [0, 1, 2]\n"train.epochs" = 2\n'
_COMMAND = ("grid", "run", "small.toml", "--jobs", "1", "--out", "runs", "--json")
_expected: dict[str, object] = {}


def _undisturbed(folder: Path) -> dict[str, object]:
    """Returns the metrics of an undisturbed grid by hash; made once a process."""
    if not _expected:
        folder.mkdir()
        (folder / "small.toml").write_text(_GRID)
        done = ForkedCommand(_COMMAND, folder).outcome(SECONDS)
        if done.code:
            raise done.finding("an undisturbed grid ends with 0")
        _expected.update(stored_metrics(folder))
    return _expected


def _on_grid(random: Random, folder: Path) -> None:
    expected = _undisturbed(folder / "undisturbed")
    place = folder / "grid"
    place.mkdir()
    (place / "small.toml").write_text(_GRID)
    commands = [ForkedCommand(_COMMAND, place) for _ in range(random.randint(1, 4))]
    for command in commands:
        wait_for_handlers(command.pid)
    time.sleep(random.uniform(0, 15.0))
    for command in random.sample(commands, random.randint(1, len(commands))):
        _send(command.pid, random.choice((signal.SIGINT, signal.SIGTERM)))
    for command in commands:
        check_command(command.outcome(SECONDS))
        check_gone(command.pid)
    again = ForkedCommand(_COMMAND, place).outcome(SECONDS)
    if again.code:
        raise again.finding("the same command resumes a grid")
    if stored_metrics(place) != expected:
        raise again.finding("the same bits as an undisturbed grid")


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):  # it has ended
        os.kill(pid, number)


ATTACKS = (
    Attack(
        "signal_on_grid",
        "SIGINT or SIGTERM to some of one to four schedulers of a grid: the same promises",
        _on_grid,
        share=4.0,
        least=10,
    ),
)
