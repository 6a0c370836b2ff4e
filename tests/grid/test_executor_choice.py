from __future__ import annotations

from pathlib import Path

import pytest

from ltbench.config.user_file import UserConfig
from ltbench.errors import ConfigError
from ltbench.grid.executor_choice import ExecutorChoice, choose_executor

USER = UserConfig(Path("mine.toml"), executor={"name": "queue", "partition": "gpu", "cpus": 4})


def test_each_layer_overrides_the_one_before_it() -> None:
    grid = ("grid.toml", {"cpus": 8, "time": "2:00:00"})
    choice = choose_executor(USER, grid, (None, {"executor.time": "1:00"}), "here")
    assert choice == ExecutorChoice(
        "queue",
        {"executor.partition": "gpu", "executor.cpus": 8, "executor.time": "1:00"},
        {"executor.partition": "mine.toml", "executor.cpus": "grid.toml"},
    )
    assert choice.located("executor.cpus: too many") == "executor.cpus: too many (in grid.toml)"
    assert choice.located("executor.time: too long") == "executor.time: too long"


def test_another_executor_drops_the_options_before_it() -> None:
    grid = ("grid.toml", {"name": "other", "size": 1})
    assert choose_executor(USER, grid, (None, {}), "here").options == {"executor.size": 1}
    assert choose_executor(USER, grid, ("queue", {}), "here") == ExecutorChoice("queue", {})
    other = choose_executor(USER, ("grid.toml", {}), ("here", {}), "here")
    assert other == ExecutorChoice("here", {})
    same = choose_executor(USER, ("grid.toml", {}), ("queue", {}), "here")
    assert same.options == {"executor.partition": "gpu", "executor.cpus": 4}
    nothing = UserConfig(Path("mine.toml"))
    assert choose_executor(nothing, ("grid.toml", {}), (None, {}), "here").name == "here"


def test_a_name_is_a_text() -> None:
    with pytest.raises(ConfigError, match=r"grid.toml: executor\.name: expected a text, got 3"):
        choose_executor(USER, ("grid.toml", {"name": 3}), (None, {}), "here")
