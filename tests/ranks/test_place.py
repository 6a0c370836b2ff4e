"""The place of a process among the ranks of a run."""

from __future__ import annotations

import pytest

from ltbench.errors import ConfigError
from ltbench.ranks.place import Place, read_place, variables_of

TORCHRUN = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "node1",
    "MASTER_PORT": "29500",
}


def test_a_process_that_nobody_launched_is_alone() -> None:
    assert read_place({}) is None
    assert read_place({"RANK": "0", "WORLD_SIZE": "2"}) is None  # of another program
    assert read_place({**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1"}) is None


def test_the_variables_of_torchrun_are_read() -> None:
    assert read_place(TORCHRUN) == Place(5, 8, 1, 4, "env://", launched=False)


def test_the_variables_of_the_launcher_are_read() -> None:
    place = read_place(variables_of(1, 3, "/tmp/x/meeting"))
    assert place == Place(1, 3, 1, 3, "file:///tmp/x/meeting", launched=True)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"RANK": "8"}, "RANK: expected 0 to 7, got 8"),
        ({"LOCAL_RANK": "4"}, "local: 4 of 4"),
        ({"RANK": "first"}, "RANK: expected a whole number, got 'first'"),
    ],
)
def test_wrong_variables_are_refused(changed: dict[str, str], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        read_place({**TORCHRUN, **changed})
