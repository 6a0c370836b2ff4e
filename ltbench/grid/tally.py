"""Numbers of tasks by state and the time that they take, kept up to date at each change."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from ltbench.grid.status import State
from ltbench.grid.task import Task


@dataclass
class _Cell:
    """Tasks of a cell.

    Args:
        expected_seconds: Forecast of a task's duration; None where there is no forecast.
        states: Number of tasks by state.
        seconds: Duration of all finished tasks.
        finished: Number of these.
    """

    expected_seconds: float | None
    states: Counter[State] = field(default_factory=Counter)
    seconds: float = 0.0
    finished: int = 0

    @property
    def mean_seconds(self) -> float | None:
        """Expected duration of a task; None where nothing is known of this cell."""
        return self.seconds / self.finished if self.finished else self.expected_seconds or None


class Tally:
    """Counts of a schedule: an update costs the same for any number of tasks.

    Args:
        tasks: All tasks of the schedule.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self.total: Counter[State] = Counter()
        self.running: dict[int, Task] = {}
        self._cells: dict[str, _Cell] = {}
        self._states: dict[int, State] = {}
        self._seconds = 0.0  # of the waiting tasks in cells with an expected duration
        self._unknown = 0  # waiting tasks in the other cells
        self._all_seconds, self._all_finished = 0.0, 0
        for task in tasks:
            self.update(task)

    def update(self, task: Task) -> None:
        """Takes a change of a task into account."""
        cell = self._cells.setdefault(task.cell, _Cell(task.expected_seconds))
        self._add_waiting(cell, -1)
        earlier, state = self._states.get(id(task)), task.state
        if earlier is not None:
            cell.states[earlier] -= 1
            self.total[earlier] -= 1
        cell.states[state] += 1
        self.total[state] += 1
        self._states[id(task)] = state
        if state == "running":
            self.running[id(task)] = task
        else:
            self.running.pop(id(task), None)
        if state == "done" != earlier and task.seconds is not None:
            cell.seconds, cell.finished = cell.seconds + task.seconds, cell.finished + 1
            self._all_seconds += task.seconds
            self._all_finished += 1
        self._add_waiting(cell, 1)

    def states_of(self, cell: str) -> Counter[State]:
        """Returns the number of a cell's tasks by state."""
        return self._cells[cell].states

    @property
    def cells(self) -> Iterable[str]:
        """Labels of all cells."""
        return self._cells.keys()

    def seconds_left(self) -> float | None:
        """Returns the forecast of the tasks one after the other; None where a cell has none."""
        mean = self._all_seconds / self._all_finished if self._all_finished else None
        left = self._seconds
        if self._unknown:
            if mean is None:
                return None
            left += self._unknown * mean
        for task in self.running.values():
            if task.start_time is None:  # executed elsewhere
                continue
            expected = self._cells[task.cell].mean_seconds or mean
            if expected is None:
                return None
            left += max(0.0, expected - (time.monotonic() - task.start_time))
        return max(0.0, left)

    def _add_waiting(self, cell: _Cell, sign: int) -> None:
        """Adds the waiting tasks of a cell to the totals, or takes them away."""
        waiting, expected = cell.states["to do"] * sign, cell.mean_seconds
        if expected is None:
            self._unknown += waiting
        else:
            self._seconds += waiting * expected
