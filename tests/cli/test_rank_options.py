"""Options of the processes of a run."""

from __future__ import annotations

import pytest

from ltbench.cli.rank_options import Processes
from ltbench.errors import ConfigError
from ltbench.ranks.place import variables_of
from tests.conftest import Ended


def test_a_command_is_alone_by_default() -> None:
    processes = Processes.of(None, None, "auto")
    assert (processes.size, processes.device, processes.start) == (1, "auto", False)


def test_one_rank_starts_no_other() -> None:
    processes = Processes.of(1, None, "auto")
    assert (processes.size, processes.device, processes.start) == (1, "cpu", False)
    assert Processes.of(2, None, "auto").start


@pytest.mark.parametrize(
    ("ranks", "gpus", "device", "expected"),
    [
        (2, 2, "auto", "--ranks and --gpus: expected one of them"),
        (2, None, "cuda", "--ranks: its processes are on the CPU, but --device is cuda"),
        (None, 2, "cpu", "--gpus: expected --device cuda or none, got cpu"),
        (None, 2, "cuda:1", "--gpus: expected --device cuda or none, got cuda:1"),
        (None, 1000, "auto", "--gpus: expected at most"),
    ],
)
def test_contradictions_are_refused(
    ranks: int | None, gpus: int | None, device: str, expected: str
) -> None:
    with pytest.raises(ConfigError, match=expected):
        Processes.of(ranks, gpus, device)


def test_a_launcher_decides_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables_of(1, 3, "meeting").items():
        monkeypatch.setenv(name, value)
    assert not Processes.of(3, None, "auto").start
    with pytest.raises(ConfigError, match="has started 3 ranks, but the command asks for 2"):
        Processes.of(2, None, "auto")


def test_the_command_names_the_fault(cli: object) -> None:
    ended = cli("run", "--ranks", "2", "--gpus", "2")  # type: ignore[operator]
    assert isinstance(ended, Ended)
    assert (ended.code, "expected one of them, got both" in ended.err) == (2, True)
