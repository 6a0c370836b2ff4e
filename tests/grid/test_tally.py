from __future__ import annotations

import random
from collections import Counter

import pytest

from ltbench.grid.status import RunState, State, read_states
from ltbench.grid.tally import Tally
from ltbench.grid.task import Task
from tests.grid.grids import Folder


def recounted_seconds(tasks: list[Task]) -> float | None:
    """Returns the time that waiting tasks take, counted anew."""
    finished = [task for task in tasks if task.seconds is not None and task.state == "done"]
    left = 0.0
    for task in tasks:
        if task.state != "to do":
            continue
        own = [one.seconds for one in finished if one.cell == task.cell and one.seconds is not None]
        known = own or ([task.expected_seconds] if task.expected_seconds else [])
        known = known or [one.seconds for one in finished if one.seconds is not None]
        if not known:
            return None
        left += sum(known) / len(known)
    return left


def test_counts_are_those_of_a_recount(folder: Folder) -> None:
    grid = folder.read("seed = [0, 1, 2]\n[[include]]\nloss = ['ce', 'focal', 'ldam']\n")
    tasks = [
        Task(cell.cell.label, state.run, state, 5.0 if number == 1 else None)
        for number, cell in enumerate(read_states(grid, folder.out))
        for state in cell.runs
    ]
    tally, rng = Tally(tasks), random.Random(0)
    assert tally.seconds_left() is None
    for task in rng.sample(tasks, k=len(tasks)):
        if rng.random() < 0.3:
            task.postpone()
            tally.update(task)
            assert len(tally.running) == 1
        states: list[State] = ["done", "done", "failed"]
        state = rng.choice(states)
        task.settle(RunState(task.run, task.found.directory, state))
        task.seconds = rng.uniform(1, 9)
        tally.update(task)
        assert +tally.total == Counter(one.state for one in tasks)
        assert tally.seconds_left() == pytest.approx(recounted_seconds(tasks))
    assert not tally.running
    assert tally.seconds_left() == pytest.approx(0)
