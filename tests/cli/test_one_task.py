from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Ended


def test_a_command_that_srun_starts_several_times_is_refused(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    for verb in (("run",), ("grid", "run", "digits/methods")):
        refused = cli(*verb)
        assert refused.code == 2
        assert "srun: expected 1 task of this command, got 4" in refused.err
        assert "--gpus 4" in refused.err
    assert cli("docs", "cluster").code == 0
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "1")
    assert cli("run", "--dry-run", "--toml").code == 0


def test_the_variables_of_torchrun_are_accepted(
    cli: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    torchrun = {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "node7", "MASTER_PORT": "29500"}
    for name, value in {**torchrun, "SLURM_STEP_NUM_TASKS": "4"}.items():
        monkeypatch.setenv(name, value)
    assert "srun" not in cli("run", "--method", "no_such").err
