from __future__ import annotations

from typing import Any

import pytest

from ltbench.errors import PluginError
from ltbench.grid.executor import CheckedExecutor
from ltbench.protocols import Job
from tests.grid.grids import InProcess
from tests.strangers import component


class Broken(InProcess):
    def start(self, job: Job) -> None:
        raise KeyError("queue")


def test_a_broken_executor_is_told_by_its_name() -> None:
    executor = CheckedExecutor(Broken(), component("executor"))
    with pytest.raises(PluginError, match="executor 'strange' of plugin stranger") as caught:
        executor.start(Job("a", ()))
    assert "KeyError: 'queue'" in caught.value.message
    assert caught.value.exit_code == 3
    assert executor.wait(0) == []


@pytest.mark.parametrize("slots", [0, -1, None, "2"])
def test_an_executor_without_slots_is_refused(slots: Any) -> None:
    with pytest.raises(PluginError, match="slots, not at least 1"):
        _ = CheckedExecutor(InProcess(slots=slots), component("executor")).slots
