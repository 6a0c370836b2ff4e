"""GPUs that a run of several processes reserves."""

from __future__ import annotations

import pytest

from ltbench.contexts import ExecutorContext
from ltbench.errors import ConfigError
from ltbench_plugins.executors.gpus import expect_enough_gpus


@pytest.mark.parametrize("gpus", [None, 0, 2, 4])
def test_enough_gpus_for_two_processes(gpus: float | None) -> None:
    expect_enough_gpus(gpus, ExecutorContext(jobs=None, device="cuda", gpus=2))


def test_runs_of_one_process_may_share_a_gpu() -> None:
    expect_enough_gpus(0.5, ExecutorContext(jobs=None, device="cuda"))


@pytest.mark.parametrize("gpus", [0.5, 1])
def test_two_processes_share_no_gpu(gpus: float) -> None:
    with pytest.raises(ConfigError, match="at least 2 with --gpus-per-run 2"):
        expect_enough_gpus(gpus, ExecutorContext(jobs=None, device="cuda", gpus=2))
