"""Signals to the schedulers of a grid, one to four on one folder."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from random import Random

from benchmarks.attack.attack import Attack
from benchmarks.attack.signalled import WarmCommand, check_command, check_gone, stored_metrics

_GRID = '[[include]]\nmethod = "classifier_only"\nseed = [0, 1, 2]\n"train.epochs" = 2\n'
_COMMAND = ("grid", "run", "small.toml", "--jobs", "1", "--out", "runs", "--json")
_expected: dict[str, object] = {}


def _undisturbed(folder: Path) -> dict[str, object]:
    """Returns the metrics of an undisturbed grid by hash; made once a process."""
    if not _expected:
        folder.mkdir()
        (folder / "small.toml").write_text(_GRID)
        done = WarmCommand(_COMMAND, folder).outcome()
        if done.code:
            raise done.finding("an undisturbed grid ends with 0")
        _expected.update(stored_metrics(folder))
    return _expected


def _on_grid(random: Random, folder: Path) -> None:
    expected = _undisturbed(folder / "undisturbed")
    place = folder / "grid"
    place.mkdir()
    (place / "small.toml").write_text(_GRID)
    commands = [WarmCommand(_COMMAND, place) for _ in range(random.randint(1, 4))]
    for command in commands:
        command.wait_for_handlers()
    time.sleep(random.uniform(0, 15.0))
    for command in random.sample(commands, random.randint(1, len(commands))):
        command.send(random.choice((signal.SIGINT, signal.SIGTERM)))
    for command in commands:
        check_command(command.outcome())
        check_gone(command.pid)
    again = WarmCommand(_COMMAND, place).outcome()
    if again.code:
        raise again.finding("the same command resumes a grid")
    if stored_metrics(place) != expected:
        raise again.finding("the same bits as an undisturbed grid")


ATTACKS = (
    Attack(
        "signal_on_grid",
        "SIGINT or SIGTERM to some of one to four schedulers of a grid: the same promises",
        _on_grid,
        share=4.0,
        least=10,
    ),
)
