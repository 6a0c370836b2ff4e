from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Ended

Cli = Callable[..., Ended]


def header(ended: Ended) -> str:
    assert ended.code == 0, ended.err
    return ended.out.splitlines()[0]


def test_a_printed_file_is_the_same_run_and_options_come_on_top(cli: Cli, tmp_path: Path) -> None:
    arguments = ("run", "--dry-run", "--toml")
    first = cli(*arguments, "--method", "lora", "--lr", "0.003", "--set", 'method.targets=["q"]')
    (tmp_path / "run.toml").write_text(first.out)
    again = cli(*arguments, "--config", "run.toml")
    assert header(again) == header(first)
    on_top = cli(*arguments, "--config", "run.toml", "--seed", "2", "--set", "method.dim=4")
    direct = cli(
        *(*arguments, "--method", "lora", "--lr", "0.003", "--set", 'method.targets=["q"]'),
        *("--seed", "2", "--set", "method.dim=4"),
    )
    assert header(on_top) == header(direct) != header(first)
    assert 'method = "full"' in cli(*arguments, "--config", "run.toml", "--method", "full").out
    assert [path.name for path in tmp_path.iterdir()] == ["run.toml"]


def test_faults_of_file_and_command_line_are_shown_together(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text('"method.dum" = 4\nseed = "a"\n')
    ended = cli("run", "--config", "run.toml", "--lr", "x", "--set", "foo=1")
    assert (ended.code, ended.out) == (2, "")
    assert "4 faults" in ended.err
    assert ended.err.count("(run.toml, line ") == 2


@pytest.mark.parametrize("arguments", [("--toml",), ("--dry-run", "--toml", "--json")])
def test_toml_is_the_output_of_a_dry_run(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli("run", *arguments)
    assert ended.code == 2
    assert "--toml: expected --dry-run, and not --json" in ended.err
